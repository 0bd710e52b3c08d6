// SPDX-License-Identifier: GPL-2.0
/*
 * A Linux guest in an ordinary VM, whose memory is a view of gmem, continues to run while
 * its data is private. If KVM had to read an instruction or page tables in private
 * memory, gmemctl ends the guest and reports the reason.
 */
#include <stdio.h>

#include "gmem_view.h"
#include "ksft.h"
#include "linux_guest.h"

#define TIMEOUT	400
#define UP_S	120
#define NAME	"guest"

static struct boot guest;
static struct boot_process process;
static char text[4096];

#define CONTROL(...) \
	tool_run(text, sizeof(text), (const char *const[]){ __VA_ARGS__, NULL })

#define NEED_GUEST() do {						\
	const char *__why = linux_guest_unavailable();			\
									\
	if (!__why)							\
		__why = control_unavailable();				\
	if (!__why)							\
		__why = gmem_view_unavailable();			\
	if (__why)							\
		SKIP(return, "%s", __why);				\
	setenv("GMEMCTL_RUNTIME_DIR", "/tmp/gmemctl-run", 1);		\
} while (0)

static void guest_start(void)
{
	guest = (struct boot){
		.memory = "96M,kind=gmem",
		.append = "GMEM_ACTION=load GMEM_TOUCH=8",
		.name = NAME,
		.seconds = "120",
	};
	ASSERT_TRUE(boot_up(&guest, &process, "gmem-guest: round 8,", UP_S));
}

static void guest_end(void)
{
	boot_end(&guest, process.pid, process.out, process.err);
}

static void log_failure(void)
{
	if (!ksft_result->failed)
		return;
	boot_log(&guest, guest.console);
	boot_log(&guest, guest.json);
}

static bool reported(const char *what)
{
	return strstr(guest.json, what);
}

/* A part of its memory with data is private, and all counters show it. */
TEST_TIMEOUT(data_private, TIMEOUT)
{
	unsigned long seen;
	char round[64];

	NEED_GUEST();
	guest_start();
	EXPECT_EQ(0, CONTROL("convert", NAME, "0x2000000", "32M", "private"));
	boot_wait_for(&guest, process.pid, process.err, "no such text", 0);
	seen = boot_number(&guest, "gmem-guest: round 8,");
	for (const char *at = guest.console; (at = strstr(at, ": round ")); at++)
		seen = strtoul(at + strlen(": round "), NULL, 10);
	snprintf(round, sizeof(round), "gmem-guest: round %lu, 0 wrong", seen + 64);
	EXPECT_TRUE(boot_wait_for(&guest, process.pid, process.err, round, UP_S));
	EXPECT_EQ(0, CONTROL("stat", NAME, "--json"));
	EXPECT_EQ(32UL << 20, json_number(text, "\"private_bytes\""));
	EXPECT_EQ(1, json_number(text, "\"mappings\""));
	/* Pages without memory are not refilled. */
	EXPECT_TRUE(strstr(text, "\"refills\""));
	EXPECT_GT(json_number(text, "\"faults\""), 0);
	EXPECT_EQ(1, CONTROL("dump", NAME, "0x2000000", "4K"));
	EXPECT_TRUE(strstr(text, "is private"));
	EXPECT_EQ(0, CONTROL("convert", NAME, "0x2000000", "32M", "shared"));
	EXPECT_EQ(0, CONTROL("dump", NAME, "0x2000000", "4K"));
	EXPECT_EQ(0, CONTROL("stop", NAME));
	guest_end();
	EXPECT_TRUE(boot_ended(&guest, "stopped", 0));
	log_failure();
}

/*
 * With private page tables KVM cannot walk them. It injects page faults into the guest,
 * or reports that it cannot emulate the instruction.
 */
TEST_TIMEOUT(all_private, TIMEOUT)
{
	NEED_GUEST();
	guest_start();
	EXPECT_EQ(0, CONTROL("convert", NAME, "0", "96M", "private"));
	guest_end();
	if (guest.code != CODE_INTERNAL) {
		EXPECT_TRUE(boot_ended(&guest, "memory-fault", CODE_MEMORY));
		EXPECT_TRUE(reported("KVM injects spurious page faults"));
	}
	EXPECT_TRUE(reported("(private)"));
	EXPECT_TRUE(reported("the page tables are in private memory"));
	EXPECT_TRUE(reported("x2APIC"));
	log_failure();
}

/* Only its text is private, which is at 16 MiB; page tables are above it. */
TEST_TIMEOUT(text_private, TIMEOUT)
{
	NEED_GUEST();
	guest_start();
	EXPECT_EQ(0, CONTROL("convert", NAME, "0x1000000", "2M", "private"));
	guest_end();
	TH_LOG("%.1500s", guest.json);
	EXPECT_TRUE(guest.code == CODE_MEMORY || guest.code == CODE_INTERNAL);
	EXPECT_TRUE(reported("in private memory, where KVM cannot read it"));
	log_failure();
}

TEST_HARNESS_MAIN
