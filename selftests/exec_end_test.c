// SPDX-License-Identifier: GPL-2.0
/*
 * Each way in which QEMU under `gmemctl exec` can end while memory of its guest is
 * private: messages, exit status, and that gmem has freed everything.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "qemu_test.h"
#include "qmp.h"
#include "tiny_bios.h"

#define TIMEOUT	300
#define BIOS	"/tmp/exec-bios"
#define LOADED	"/tmp/exec-loaded"
#define QMP	"/tmp/exec-qmp"
#define FILES	"/sys/kernel/debug/gmem/files"
#define USERS(module) "/sys/module/" module "/refcnt"

static struct qemu qemu;
static char text[8192];

#define CONTROL(...) qemu_control(text, sizeof(text), __VA_ARGS__)

/**
 * struct left - what exists in gmem
 * @files: number of live files
 * @gmem: references to gmem.ko, and @gmem_kvm to gmem_kvm.ko
 */
struct left {
	long files;
	long gmem;
	long gmem_kvm;
};

static long number_in(const char *path)
{
	FILE *file = fopen(path, "r");
	long number = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%ld", &number) != 1)
		number = -1;
	fclose(file);
	return number;
}

static long files(void)
{
	FILE *file = fopen(FILES, "r");
	char line[1024];
	long lines = 0;

	while (file && fgets(line, sizeof(line), file))
		lines++;
	if (file)
		fclose(file);
	return lines;
}

static struct left left(void)
{
	return (struct left){
		.files = files(),
		.gmem = number_in(USERS("gmem")),
		.gmem_kvm = number_in(USERS("gmem_kvm")),
	};
}

FIXTURE(end) {
	struct left before;
};

FIXTURE_SETUP(end)
{
	NEED_QEMU();
	self->before = left();
	ASSERT_GT(self->before.files, 0);
	ASSERT_GE(self->before.gmem_kvm, 0);
}

/* A worker can have the last reference to a file for a moment. */
FIXTURE_TEARDOWN(end)
{
	struct left after = left();

	for (int i = 0; i < 100 && memcmp(&after, &self->before, sizeof(after)); i++) {
		usleep(50000);
		after = left();
	}
	EXPECT_EQ(self->before.files, after.files);
	EXPECT_EQ(self->before.gmem, after.gmem);
	EXPECT_EQ(self->before.gmem_kvm, after.gmem_kvm);
	EXPECT_EQ(CODE_FAILURE, CONTROL("stat", QEMU_GUEST_NAME));
}

#define NO_REBOOT (const char *const[]){ "-no-reboot", NULL }

/* Run QEMU until the firmware has made memory private. */
static struct qemu *runs(enum tiny_bios_action action, const char *const *options)
{
	struct qemu *q = &qemu;

	ASSERT_TRUE(tiny_bios_write(BIOS, action));
	*q = (struct qemu){
		.machine = "pc",
		.memory = QEMU_GUEST_RAM,
		.bios = BIOS,
		.options = options,
	};
	qemu_start_until(q, TINY_BIOS_READY);
	return q;
}

static void ends(struct qemu *q, int code)
{
	EXPECT_TRUE(qemu_guest_end(q, 60));
	EXPECT_EQ(0, q->signal);
	EXPECT_EQ(code, q->boot.code);
	EXPECT_TRUE(strstr(q->boot.console, "pages of zeros\n"));
	boot_log(&q->boot, q->boot.console);
}

/* Wait until the guest has made some conversions. */
static void converts_often(void)
{
	unsigned int tries = 600;

	do {
		ASSERT_EQ(0, CONTROL("stat", QEMU_GUEST_NAME, "--json"));
		usleep(20000);
	} while (json_number(text, "\"conversions\"") < 20 && --tries);
	ASSERT_GT(tries, 0);
}

TEST_F_TIMEOUT(end, sigkill, TIMEOUT)
{
	struct qemu *q = runs(TINY_BIOS_CONVERT, NO_REBOOT);

	converts_often();
	kill(q->process.pid, SIGKILL);
	EXPECT_TRUE(qemu_guest_end(q, 60));
	EXPECT_EQ(SIGKILL, q->signal);
}

TEST_F_TIMEOUT(end, sigterm, TIMEOUT)
{
	struct qemu *q = runs(TINY_BIOS_CONVERT, NO_REBOOT);

	converts_often();
	kill(q->process.pid, SIGTERM);
	ends(q, 0);
	EXPECT_TRUE(strstr(q->boot.console, "terminating on signal 15"));
}

TEST_F_TIMEOUT(end, qmp_quit, TIMEOUT)
{
	static const char *const options[] = {
		"-qmp", "unix:" QMP ",server=on,wait=off", NULL,
	};
	struct qemu *q = runs(TINY_BIOS_CONVERT, options);
	int qmp = qmp_open(QMP);

	ASSERT_GE(qmp, 0);
	converts_often();
	EXPECT_TRUE(qmp_ask(qmp, "{\"execute\":\"quit\"}", text, sizeof(text)));
	ends(q, 0);
	close(qmp);
	unlink(QMP);
}

TEST_F_TIMEOUT(end, panic, TIMEOUT)
{
	static const char *const options[] = {
		"-device", "pvpanic", "-action", "panic=exit-failure", NULL,
	};

	ends(runs(TINY_BIOS_PANIC, options), 1);
}

TEST_F_TIMEOUT(end, triple_fault, TIMEOUT)
{
	ends(runs(TINY_BIOS_TRIPLE, NO_REBOOT), 0);
}

/* QEMU prints the registers and stops the VM. Then a manager of the VM ends it. */
static void stopped(struct qemu *q, const char *said, uint64_t at)
{
	char address[32];

	qemu_expect(q, said);
	snprintf(address, sizeof(address), "0x%" PRIx64, at);
	EXPECT_TRUE(strstr(q->boot.console, address));
	qemu_expect(q, "EIP=");
	EXPECT_EQ(0, CONTROL("stop", QEMU_GUEST_NAME));
	ends(q, 0);
}

TEST_F_TIMEOUT(end, emulated_in_private_text, TIMEOUT)
{
	struct qemu *q = runs(TINY_BIOS_IN_TEXT, NO_REBOOT);

	stopped(q, "KVM cannot emulate the instruction at", TINY_BIOS_TEXT);
	EXPECT_TRUE(strstr(q->boot.console, "KVM internal error. Suberror: 1"));
}

TEST_F_TIMEOUT(end, emulated_to_private_operand, TIMEOUT)
{
	struct qemu *q = runs(TINY_BIOS_TO_OPERAND, NO_REBOOT);

	stopped(q, "has its operand in private memory, at", TINY_BIOS_OPERAND);
	EXPECT_TRUE(strstr(q->boot.console, "kvm run failed Bad address"));
}

TEST_F_TIMEOUT(end, emulated_by_private_tables, TIMEOUT)
{
	struct qemu *q = runs(TINY_BIOS_BY_TABLES, NO_REBOOT);

	stopped(q, "cannot read the page tables", TINY_BIOS_DEVICE);
	EXPECT_TRUE(strstr(q->boot.console, "kvm run failed Bad address"));
}

/*
 * This is not an end, but private memory is treated in the same way. At a reset QEMU
 * writes a file to this memory again, before it reports the reset. The guest finds these
 * bytes and no others.
 */
TEST_F_TIMEOUT(end, reset_loads_again, TIMEOUT)
{
	static const char *const options[] = {
		"-device", "loader,file=" LOADED ",addr=0x200000,force-raw=on", NULL,
	};
	int fd = open(LOADED, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct qemu *q;

	ASSERT_EQ(4, write(fd, "DISK", 4));
	close(fd);
	q = runs(TINY_BIOS_RESET, options);
	EXPECT_TRUE(strstr(q->boot.console, TINY_BIOS_FOUND "DISK"));
	q->boot.seen++;
	qemu_expect(q, TINY_BIOS_READY);
	EXPECT_TRUE(strstr(q->boot.console + q->boot.seen, TINY_BIOS_FOUND "DISK"));
	EXPECT_EQ(0, CONTROL("stop", QEMU_GUEST_NAME));
	ends(q, 0);
	unlink(LOADED);
}

TEST_HARNESS_MAIN
