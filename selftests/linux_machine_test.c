// SPDX-License-Identifier: GPL-2.0
/*
 * gmemctl's machine with Linux: CPUs, the console, the control socket. For each way in
 * which a guest ends, gmemctl reports it and has an exit code.
 */
#include <fcntl.h>

#include "ksft.h"
#include "linux_guest.h"

#define RUNTIME_DIR	"/tmp/gmemctl-run"
#define FILE_PATH	"/tmp/guest-memory"
#define UP_SECONDS	120

static struct boot guest;

#define NEED_GUEST() do {						\
	const char *__why = linux_guest_unavailable();			\
									\
	if (!__why)							\
		__why = linux_guest_unwatched();			\
	if (__why)							\
		SKIP(return, "%s", __why);				\
	memset(&guest, 0, sizeof(guest));				\
	guest.memory = "64M,kind=private";				\
} while (0)

/* The guest has booted with @cpus CPUs, and ended for the given reason. */
static void check_end(const char *end, int code)
{
	char text[32];

	snprintf(text, sizeof(text), ", %s CPUs", guest.cpus ? guest.cpus : "1");
	EXPECT_TRUE(boot_said(&guest, LINUX_GUEST_UP));
	EXPECT_TRUE(boot_said(&guest, text));
	EXPECT_TRUE(boot_ended(&guest, end, code));
	if (ksft_result->failed) {
		boot_log(&guest, guest.console);
		boot_log(&guest, guest.json);
	}
}

static void boot(const char *append, const char *end, int code)
{
	guest.append = append;
	boot_run(&guest);
	check_end(end, code);
}

/* CPUs are found by ACPI, which also powers the machine off. */
TEST_TIMEOUT(power_off, LINUX_GUEST_TIMEOUT)
{
	NEED_GUEST();
	guest.cpus = linux_guest_slow() ? "2" : "4";
	boot("GMEM_ACTION=power-off", "power-off", 0);
}

/* Without a local APIC the guest uses the PIT as timer, and the PIC for interrupts. */
TEST_TIMEOUT(pit, LINUX_GUEST_TIMEOUT)
{
	NEED_GUEST();
	boot("nolapic GMEM_ACTION=power-off", "power-off", 0);
	EXPECT_GT(boot_number(&guest, "gmem-guest: PIT interrupts: "), 20UL);
}

TEST_TIMEOUT(reset, LINUX_GUEST_TIMEOUT)
{
	NEED_GUEST();
	/* C23: on a kernel without sockets the name is unused, but no error. */
	guest.name = "reset";
	boot("GMEM_ACTION=reset", "reset", CODE_RESET);
}

TEST_TIMEOUT(triple_fault, LINUX_GUEST_TIMEOUT)
{
	NEED_GUEST();
	boot("reboot=t GMEM_ACTION=reset", "triple-fault", CODE_TRIPLE_FAULT);
}

TEST_TIMEOUT(panic, LINUX_GUEST_TIMEOUT)
{
	NEED_GUEST();
	boot("GMEM_ACTION=panic", "panic", CODE_PANIC);
	EXPECT_TRUE(boot_said(&guest, "Attempted to kill init"));
}

/*
 * CPUs are found by MP tables. Without ACPI the guest finds no pvpanic, and panic=-1
 * turns its panic into a reset. C17: it asks EFI for the reset. Without EFI it jumps to
 * the reset vector of the BIOS in real mode.
 */
TEST_TIMEOUT(panic_without_acpi, LINUX_GUEST_TIMEOUT)
{
	NEED_GUEST();
	guest.cpus = "2";
	boot("acpi=off reboot=e GMEM_ACTION=panic", "reset", CODE_RESET);
	EXPECT_TRUE(boot_said(&guest, "Attempted to kill init"));
}

/* The process of a running guest. */
static struct boot_process running;

/* Return: whether the guest's init has started, and waits. */
static bool start(const char *append)
{
	guest.append = append;
	return boot_up(&guest, &running, LINUX_GUEST_READY, UP_SECONDS);
}

static void finish(void)
{
	boot_end(&guest, running.pid, running.out, running.err);
}

/* Do something to a guest that has booted and waits, and check how it ends. */
static void boot_and(void (*what)(void), const char *end, int code)
{
	if (start("GMEM_ACTION=halt")) {
		what();
		finish();
	}
	check_end(end, code);
}

/* The timeout ends the guest wherever it is. */
TEST_TIMEOUT(timeout, LINUX_GUEST_TIMEOUT)
{
	uint64_t start = ksft_now_ms();

	NEED_GUEST();
	guest.seconds = "3";
	guest.append = "GMEM_ACTION=halt";
	running.out = output_file();
	running.err = output_file();
	running.pid = boot_start(&guest, running.out, running.err);
	finish();
	EXPECT_TRUE(boot_ended(&guest, "timeout", CODE_FAILURE));
	EXPECT_GE(ksft_now_ms() - start, 3000);
}

static void send_signal(void)
{
	EXPECT_EQ(0, kill(running.pid, SIGTERM));
}

TEST_TIMEOUT(signal, LINUX_GUEST_TIMEOUT)
{
	NEED_GUEST();
	boot_and(send_signal, "signal", CODE_FAILURE);
}

static void cut_file(void)
{
	EXPECT_EQ(0, truncate(FILE_PATH, 0));
}

/* The memory of a running guest is truncated. */
TEST_TIMEOUT(memory_fault, LINUX_GUEST_TIMEOUT)
{
	NEED_GUEST();
	unlink(FILE_PATH);
	guest.memory = "64M,kind=file,file=" FILE_PATH;
	boot_and(cut_file, "memory-fault", CODE_MEMORY);
	unlink(FILE_PATH);
}

/*
 * Input that is longer than the serial port's FIFO arrives unchanged. It is sent after
 * init has started, because a UART drops what it receives before it is set up.
 */
TEST_TIMEOUT(console, LINUX_GUEST_TIMEOUT)
{
	static const char text[] =
		"the quick brown fox jumps over the lazy dog\nend\n";
	int fds[2];

	NEED_GUEST();
	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	guest.input = fds[0];
	if (start("GMEM_ACTION=echo")) {
		EXPECT_EQ((long)strlen(text), write(fds[1], text, strlen(text)));
		finish();
	}
	check_end("power-off", 0);
	EXPECT_TRUE(boot_said(&guest, "THE QUICK BROWN FOX JUMPS OVER "
				     "THE LAZY DOG"));
}

#define CONTROL(...) tool_run(text, sizeof(text),		\
	(const char *const[]){ __VA_ARGS__, NULL })

static unsigned long control_resident(void)
{
	char text[4096];

	EXPECT_EQ(0, CONTROL("stat", "guest", "--json"));
	return json_number(text, "\"resident_bytes\"");
}

/* All memory is populated, and mem= tells the guest not to use the upper half. */
static void control_decommit(void)
{
	unsigned long before = control_resident();
	char text[4096];

	EXPECT_EQ(64UL << 20, before);
	EXPECT_EQ(0, CONTROL("decommit", "guest", "0x2000000", "32M"));
	EXPECT_EQ(32UL << 20, control_resident());
}

static void control_all(void)
{
	char text[4096];

	EXPECT_EQ(0, CONTROL("ps"));
	EXPECT_TRUE(strstr(text, "guest") && strstr(text, "shared"));
	EXPECT_EQ(0, CONTROL("map", "guest"));
	EXPECT_TRUE(!!strstr(text, "0000000000000000-0000000004000000 shared"));
	EXPECT_EQ(4, CONTROL("convert", "guest", "0", "4K", "private"));
	EXPECT_EQ(2, CONTROL("decommit", "guest", "1", "4K"));
	EXPECT_EQ(1, CONTROL("stat", "nobody"));
	EXPECT_EQ(2, CONTROL("stat"));
	control_decommit();
	EXPECT_EQ(0, CONTROL("stop", "guest"));
}

/* The guest answers commands while it runs, and stops when it is told to. */
TEST_TIMEOUT(control_socket, LINUX_GUEST_TIMEOUT)
{
	const char *why = control_unavailable();

	NEED_GUEST();
	if (why)
		SKIP(return, "%s", why);
	setenv("GMEMCTL_RUNTIME_DIR", RUNTIME_DIR, 1);
	guest.memory = "64M,kind=shared,prefetch";
	guest.name = "guest";
	if (start("mem=32M GMEM_ACTION=halt")) {
		control_all();
		finish();
	}
	check_end("stopped", 0);
	EXPECT_EQ(0, access(RUNTIME_DIR, F_OK));
	EXPECT_NE(0, access(RUNTIME_DIR "/guest.sock", F_OK));
}

TEST_HARNESS_MAIN
