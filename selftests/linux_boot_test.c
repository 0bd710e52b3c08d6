// SPDX-License-Identifier: GPL-2.0
/*
 * Linux boots in each kind of memory, as a guest of gmemctl inside the test VM,
 * and works there; and however it ends, gmemctl says so.
 *
 * A table line for each kind of memory is printed: kind, kernel of the host,
 * result, time.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "ksft.h"
#include "linux_guest.h"

#define TIMEOUT	400
#define BOOT_TRIES 3
#define UP	"gmem-guest: up"
#define UP_SECONDS 300

static struct boot boot;

static bool has(const char *text, const char *what)
{
	return strstr(text, what);
}

static void boot_once(struct boot *b)
{
	int out = output_file(), err = output_file();

	boot_end(b, boot_start(b, out, err), out, err);
}

/*
 * An emulated SVM loses a guest's exception now and then, and the guest dies of
 * it before its init is up: that guest gets another chance, and a line says so.
 */
static void boot_try(struct boot *b, void (*once)(struct boot *b))
{
	for (int i = 1; i <= BOOT_TRIES; i++) {
		once(b);
		if (b->code == CODE_UNSUPPORTED || b->code == CODE_USAGE ||
		    has(b->console, UP))
			return;
		boot_log(b, b->console);
		boot_log(b, b->json);
		TH_LOG("boot %d of %d: init has not come up", i, BOOT_TRIES);
	}
}

static void boot_run(struct boot *b)
{
	boot_try(b, boot_once);
}

static unsigned long elapsed_ms(const struct boot *b)
{
	return json_number(b->json, "\"elapsed_ns\"") / 1000000;
}

static void table(const char *kind, const char *result, unsigned long ms)
{
	struct utsname name;

	uname(&name);
	TH_LOG("table: %-24s %-24s %-12s %lu ms", kind, name.release, result, ms);
}

#define NEED_GUEST() do {						\
	const char *__why = linux_guest_unavailable();			\
									\
	if (__why)							\
		SKIP(return, "%s", __why);				\
	memset(&boot, 0, sizeof(boot));					\
	boot.memory = "96M";						\
} while (0)

#define CHECK_END(want, name) do {					\
	if (boot.code == CODE_UNSUPPORTED) {				\
		boot_log(&boot, boot.json);				\
		SKIP(return, KSFT_BY_DESIGN " not with this kernel");	\
	}								\
	if (boot.code != (want) || !has(boot.json, "\"end\":\"" name "\"")) \
		boot_log(&boot, boot.console);				\
	EXPECT_EQ(want, boot.code);					\
	EXPECT_TRUE(has(boot.json, "\"end\":\"" name "\""));		\
} while (0)

static void boot_kind(const char *memory)
{
	boot.memory = memory;
	boot.append = "GMEM_ACTION=power-off GMEM_TOUCH=24";
	boot_run(&boot);
	table(memory, boot.code == CODE_UNSUPPORTED ? "unsupported" :
	      boot.code ? "FAILED" : "boots", elapsed_ms(&boot));
	CHECK_END(0, "power-off");
	EXPECT_TRUE(has(boot.console, "gmem-guest: 0 pages wrong"));
}

#define KIND_TEST(name, memory)						\
TEST_TIMEOUT(name, TIMEOUT)						\
{									\
	NEED_GUEST();							\
	boot_kind(memory);						\
}

KIND_TEST(shared, "96M,kind=shared")
KIND_TEST(shared_thp, "96M,kind=shared,thp")
KIND_TEST(shared_prefetch, "96M,kind=shared,prefetch")
KIND_TEST(private, "96M,kind=private")
KIND_TEST(file, "96M,kind=file,file=/tmp/guest-memory")
KIND_TEST(gmem, "96M,kind=gmem")
KIND_TEST(gmem_store, "96M,kind=gmem-store")
KIND_TEST(guest_memfd, "96M,kind=guest-memfd")

/* Huge pages have to be there before the guest is. */
TEST_TIMEOUT(hugetlb, TIMEOUT)
{
	static const char path[] = "/proc/sys/vm/nr_hugepages";
	int fd;

	NEED_GUEST();
	fd = open(path, O_RDWR);
	if (fd < 0)
		SKIP(return, KSFT_BY_DESIGN " no %s", path);
	ASSERT_EQ(2, write(fd, "48", 2));
	boot_kind("96M,kind=hugetlb");
	EXPECT_EQ(1, pwrite(fd, "0", 1, 0));
	close(fd);
}

/* CPUs by ACPI, and by MP tables. */
TEST_TIMEOUT(cpus, TIMEOUT)
{
	NEED_GUEST();
	boot.cpus = "2";
	boot.append = "GMEM_ACTION=power-off";
	boot_run(&boot);
	CHECK_END(0, "power-off");
	EXPECT_TRUE(has(boot.console, ", 2 CPUs"));
}

TEST_TIMEOUT(cpus_without_acpi, TIMEOUT)
{
	NEED_GUEST();
	boot.cpus = "2";
	boot.append = "acpi=off GMEM_ACTION=reset";
	boot_run(&boot);
	CHECK_END(CODE_RESET, "reset");
	EXPECT_TRUE(has(boot.console, ", 2 CPUs"));
}

TEST_TIMEOUT(reset, TIMEOUT)
{
	NEED_GUEST();
	boot.append = "GMEM_ACTION=reset";
	boot_run(&boot);
	CHECK_END(CODE_RESET, "reset");
}

TEST_TIMEOUT(panic, TIMEOUT)
{
	NEED_GUEST();
	boot.append = "GMEM_ACTION=panic";
	boot_run(&boot);
	CHECK_END(CODE_PANIC, "panic");
	EXPECT_TRUE(has(boot.console, "Attempted to kill init"));
}

TEST_TIMEOUT(triple_fault, TIMEOUT)
{
	NEED_GUEST();
	boot.append = "reboot=t GMEM_ACTION=reset";
	boot_run(&boot);
	CHECK_END(CODE_TRIPLE_FAULT, "triple-fault");
}

/*
 * More input than the serial port's FIFO holds arrives as it was sent. It waits
 * for init: like any UART, this one forgets what came before it was set up.
 */
static void console_once(struct boot *b)
{
	static const char text[] =
		"the quick brown fox jumps over the lazy dog\nend\n";
	int out = output_file(), err = output_file(), fds[2];
	pid_t pid;

	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	b->input = fds[0];
	pid = boot_start(b, out, err);
	if (boot_wait_for(b, pid, err, UP, UP_SECONDS))
		EXPECT_EQ((long)strlen(text), write(fds[1], text, strlen(text)));
	boot_end(b, pid, out, err);
	close(fds[0]);
	close(fds[1]);
}

TEST_TIMEOUT(console, TIMEOUT)
{
	NEED_GUEST();
	boot.append = "GMEM_ACTION=echo";
	boot_try(&boot, console_once);
	CHECK_END(0, "power-off");
	EXPECT_TRUE(has(boot.console,
			"THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG"));
}

TEST_TIMEOUT(timeout, TIMEOUT)
{
	NEED_GUEST();
	boot.append = "GMEM_ACTION=halt";
	boot.seconds = "3";
	boot_once(&boot);
	CHECK_END(1, "timeout");
}

#define CONTROL(...) \
	tool_run(text, sizeof(text), (const char *const[]){ __VA_ARGS__, NULL })

/* Give back what lies above the kernel and the initrd, which nobody uses. */
static void control_decommit(void)
{
	unsigned long before, after;
	char text[4096];

	EXPECT_EQ(0, CONTROL("stat", "guest", "--json"));
	before = json_number(text, "\"resident_bytes\"");
	EXPECT_EQ(0, CONTROL("decommit", "guest", "0", "96M"));
	EXPECT_EQ(0, CONTROL("stat", "guest", "--json"));
	after = json_number(text, "\"resident_bytes\"");
	TH_LOG("resident: %lu, after decommit %lu", before, after);
	EXPECT_GT(before, 8UL << 20);
	EXPECT_LT(after, before / 4);
}

/* The guest runs while it is asked about; its memory goes, and then itself. */
TEST_TIMEOUT(control_socket, TIMEOUT)
{
	char text[4096];
	int out, err, fd;
	pid_t pid;
	bool up;

	NEED_GUEST();
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0)
		SKIP(return, KSFT_BY_DESIGN " a kernel without Unix sockets");
	close(fd);
	setenv("GMEMCTL_RUNTIME_DIR", "/tmp/gmemctl-run", 1);
	boot.name = "guest";
	boot.append = "GMEM_ACTION=halt";
	out = output_file();
	err = output_file();
	pid = boot_start(&boot, out, err);
	up = boot_wait_for(&boot, pid, err, UP, UP_SECONDS);
	if (up) {
		EXPECT_EQ(0, CONTROL("ps"));
		EXPECT_TRUE(has(text, "guest") && has(text, "shared"));
		EXPECT_EQ(0, CONTROL("map", "guest"));
		EXPECT_TRUE(has(text, "0000000000000000-0000000006000000 shared"));
		EXPECT_EQ(1, CONTROL("convert", "guest", "0", "4K", "private"));
		EXPECT_EQ(1, CONTROL("decommit", "guest", "1", "4K"));
		EXPECT_EQ(1, CONTROL("stat", "nobody"));
		EXPECT_EQ(2, CONTROL("stat"));
		control_decommit();
		EXPECT_EQ(0, CONTROL("stop", "guest"));
	}
	boot_end(&boot, pid, out, err);
	/* Without its memory the guest may crash before it is stopped. */
	if (boot.code == CODE_UNSUPPORTED)
		SKIP(return, KSFT_BY_DESIGN " this kernel cannot run guests");
	EXPECT_TRUE(up);
	EXPECT_EQ(0, access("/tmp/gmemctl-run", F_OK));
	EXPECT_NE(0, access("/tmp/gmemctl-run/guest.sock", F_OK));
}

TEST_HARNESS_MAIN
