// SPDX-License-Identifier: GPL-2.0
/*
 * Debian's unmodified QEMU runs a guest with private memory under `gmemctl exec`. Its RAM
 * is a gmem fd, on any kernel and with any VM type.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "ksft.h"
#include "qemu_test.h"
#include "vm/guest/pages.h"

#define TIMEOUT	400
#define MONITOR	"/tmp/exec-monitor"
#define DISK	"/tmp/exec-disk"
#define DISK_PAGES (PAGES / 2)
#define LOST_WORDS "129024"	/* in the half that was read, without the counters */

static struct qemu qemu;
static char text[GMEM_GUEST_SIZE + 1];

#define CONTROL(...) qemu_control(text, sizeof(text), __VA_ARGS__)

/*
 * Convert and use memory at the same time. The guest finds its contents in both states,
 * and no request is refused.
 */
static void converts(struct qemu *q, const char *how)
{
	qemu_guest_type(q, how);
	qemu_expect(q, " refused=0 wrong=0");
}

static void ends(struct qemu *q, const char *answer)
{
	qemu_guest_type(q, "end\n");
	qemu_expect(q, answer);
	EXPECT_TRUE(qemu_guest_end(q, 60));
	EXPECT_TRUE(strstr(q->boot.console, "faults answered"));
	EXPECT_FALSE(strstr(q->boot.console, " 0 conversions"));
	boot_log(&q->boot, q->boot.console);
}

static bool map_private(void)
{
	EXPECT_EQ(0, CONTROL("map", QEMU_GUEST_NAME));
	return strstr(text, " private\n");
}

static int page_dump(uint64_t gpa, unsigned int page)
{
	char at[32];

	snprintf(at, sizeof(at), "%llu",
		 (unsigned long long)(gpa + page * PAGE_BYTES));
	return CONTROL("dump", QEMU_GUEST_NAME, at, "4K", "--raw");
}

static int page_convert(uint64_t gpa, unsigned int page, const char *to)
{
	char at[32];

	snprintf(at, sizeof(at), "%llu",
		 (unsigned long long)(gpa + page * PAGE_BYTES));
	return CONTROL("convert", QEMU_GUEST_NAME, at, "4K", to);
}

static bool page_is(const char *bytes, uint64_t word)
{
	uint64_t words[PAGE_WORDS];

	memcpy(words, bytes, sizeof(words));
	return !page_differs(words, word);
}

/* Commands of gmemctl, on memory of which the guest has made a part private. */
static void look(uint64_t gpa)
{
	char line[64];

	EXPECT_EQ(0, CONTROL("stat", QEMU_GUEST_NAME, "--json"));
	EXPECT_EQ((unsigned long)atoi(QEMU_GUEST_MIB) << 20,
		  json_number(text, "\"memory\""));
	EXPECT_EQ(1, json_number(text, "\"vcpus\""));
	EXPECT_EQ((ALTERNATE_END - ALTERNATE_SINGLE / 2) * PAGE_BYTES,
		  json_number(text, "\"private_bytes\""));
	EXPECT_GT(json_number(text, "\"conversions\""), ALTERNATE_SINGLE / 2);
	EXPECT_TRUE(map_private());
	snprintf(line, sizeof(line), "%016llx-%016llx private\n",
		 (unsigned long long)(gpa + (ALTERNATE_SINGLE - 1) * PAGE_BYTES),
		 (unsigned long long)(gpa + ALTERNATE_END * PAGE_BYTES));
	EXPECT_TRUE(strstr(text, line));
	EXPECT_EQ(CODE_FAILURE, page_dump(gpa, 1));
	EXPECT_TRUE(strstr(text, "is private"));
	EXPECT_EQ(0, page_dump(gpa, 2));
	EXPECT_TRUE(page_is(text, page_word(TAG_SHOWN, 2, 0)));
}

/* Convert behind the guest's back: the guest still finds its contents. */
static void convert_outside(struct qemu *q, uint64_t gpa)
{
	EXPECT_EQ(0, page_convert(gpa, 2, "private"));
	EXPECT_EQ(CODE_FAILURE, page_dump(gpa, 2));
	EXPECT_EQ(0, page_convert(gpa, 2, "shared"));
	EXPECT_EQ(0, page_dump(gpa, 2));
	EXPECT_TRUE(page_is(text, page_word(TAG_SHOWN, 2, 0)));
	EXPECT_EQ(CODE_FAILURE, page_convert(UINT64_C(1) << 40, 0, "private"));
	qemu_guest_type(q, "convert 200 1 shared\n");
	qemu_expect(q, ": 2: rc=0 wrong=0");
}

/* Decommit a private and a shared page: they read zero, and their states stay. */
static void decommit_outside(struct qemu *q, uint64_t gpa)
{
	for (unsigned int page = 1; page <= 2; page++) {
		char at[32], line[32];

		snprintf(at, sizeof(at), "%llu",
			 (unsigned long long)(gpa + page * PAGE_BYTES));
		EXPECT_EQ(0, CONTROL("decommit", QEMU_GUEST_NAME, at, "4K"));
		snprintf(line, sizeof(line), "zero %u\n", page);
		qemu_order(q, line, ": wrong=0");
	}
	EXPECT_EQ(CODE_FAILURE, page_dump(gpa, 1));
	EXPECT_EQ(0, page_dump(gpa, 2));
	EXPECT_TRUE(page_is(text, 0));
	qemu_order(q, "convert 201 1 shared\n", ": rc=0 wrong=0");
}

static int monitor_open(void)
{
	struct sockaddr_un address = {
		.sun_family = AF_UNIX, .sun_path = MONITOR,
	};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&address, sizeof(address)));
	return fd;
}

/* A reset of a stopped machine, so that nobody writes to memory before it is checked. */
static void reset_stopped(struct qemu *q, uint64_t gpa)
{
	static const char words[] = "stop\nsystem_reset\n";
	int fd = monitor_open(), tries = 200;
	char at[32];

	ASSERT_TRUE(map_private());
	ASSERT_EQ((ssize_t)strlen(words), write(fd, words, strlen(words)));
	while (map_private() && --tries)
		usleep(50000);
	EXPECT_GT(tries, 0);
	snprintf(at, sizeof(at), "%llu", (unsigned long long)gpa);
	EXPECT_EQ(0, CONTROL("dump", QEMU_GUEST_NAME, at, "2M", "--raw"));
	for (unsigned int i = 0; i < PAGES; i++) {
		uint64_t word = alternate_is_private(i) ? 0 :
				page_word(TAG_SHOWN, i, 0);

		ASSERT_TRUE(page_is(text + i * PAGE_BYTES, word));
	}
	EXPECT_EQ(0, CONTROL("stop", QEMU_GUEST_NAME));
	EXPECT_TRUE(qemu_guest_end(q, 60));
	close(fd);
}

static void alternate(struct qemu *q)
{
	qemu_order(q, "alternate\n", "gmem-guest: 1: rc=0");
}

/*
 * A guest that restarts while memory is private has only shared memory afterwards, and
 * can convert again. Formerly private pages read zero.
 */
TEST_TIMEOUT(pc_reset, TIMEOUT)
{
	static const char *const options[] = {
		"-monitor", "unix:" MONITOR ",server=on,wait=off", NULL,
	};
	struct qemu *q = &qemu;
	uint64_t gpa;

	NEED_QEMU();
	*q = (struct qemu){
		.machine = "pc",
		.memory = QEMU_GUEST_RAM,
		.append = "GMEM_RUN=/convert GMEM_ACTION=power-off",
		.options = options,
	};
	qemu_start(q);
	gpa = qemu_answer(q, QEMU_PLACE);
	alternate(q);
	look(gpa);
	convert_outside(q, gpa);
	decommit_outside(q, gpa);
	qemu_order(q, "reset\n", QEMU_PLACE);
	gpa = qemu_answer(q, QEMU_PLACE);
	EXPECT_FALSE(map_private());
	alternate(q);
	reset_stopped(q, gpa);
	EXPECT_EQ(0, q->boot.code);
	EXPECT_FALSE(strstr(q->boot.console, "at the reset"));
	boot_log(&q->boot, q->boot.console);
	unlink(MONITOR);
}

static void disk_make(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, ftruncate(fd, DISK_PAGES * PAGE_BYTES));
	close(fd);
}

/* Whether all pages have the guest's contents, or all are zero. Deletes the file. */
static bool disk_has(const char *path, bool written)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned int right = 0;
	char page[PAGE_BYTES];

	for (unsigned int i = 0; i < DISK_PAGES; i++)
		right += pread(fd, page, PAGE_BYTES, i * PAGE_BYTES) ==
				 (ssize_t)PAGE_BYTES &&
			 page_is(page, written ? page_word(TAG_SECRET, i, 0) : 0);
	close(fd);
	unlink(path);
	return right == DISK_PAGES;
}

/*
 * For one disk Linux copies, because of iommu_platform=on and swiotlb=force. To the other
 * two it passes private pages. With one of these QEMU reads and writes a file, which
 * fails. With the other one QEMU itself writes to memory, and these writes are lost.
 */
static void uses_disks(struct qemu *q)
{
	qemu_guest_type(q, "disk /dev/vda\n");
	qemu_expect(q, ": 2: rc=0 wrong=0");
	qemu_guest_type(q, "disk /dev/vdb\n");
	qemu_expect(q, ": 3: rc=-5 wrong=0");
	qemu_guest_type(q, "disk /dev/vdc\n");
	qemu_expect(q, ": 4: rc=0 wrong=" LOST_WORDS);
	EXPECT_TRUE(strstr(q->boot.console, "it reads zeros instead"));
}

/*
 * Disks, and RAM that QEMU creates itself: a sealed memfd, until the library knows its
 * size.
 */
TEST_TIMEOUT(pc_memfd_disks, TIMEOUT)
{
	static const char *const memory[] = {
		"-object", "memory-backend-memfd,id=ram,share=on,size="
		QEMU_GUEST_MIB "M", NULL,
	};
	static const char *const options[] = {
		"-drive", "if=none,id=a,format=raw,file=" DISK "-a",
		"-device",
		"virtio-blk-pci,drive=a,disable-legacy=on,iommu_platform=on",
		"-drive", "if=none,id=b,format=raw,file=" DISK "-b",
		"-device", "virtio-blk-pci,drive=b",
		"-drive", "if=none,id=c,driver=null-co,size=1M,read-zeroes=on",
		"-device", "virtio-blk-pci,drive=c", NULL,
	};
	struct qemu *q = &qemu;

	NEED_QEMU();
	disk_make(DISK "-a");
	disk_make(DISK "-b");
	*q = (struct qemu){
		.machine = "pc",
		.memory = memory,
		.append = "swiotlb=2048,force GMEM_RUN=/convert "
			  "GMEM_ACTION=power-off",
		.options = options,
	};
	qemu_start(q);
	converts(q, "run 1000 keep\n");
	uses_disks(q);
	ends(q, ": 5: rc=0 wrong=0");
	EXPECT_TRUE(disk_has(DISK "-a", true));
	EXPECT_TRUE(disk_has(DISK "-b", false));
}

TEST_TIMEOUT(q35_two_cpus, TIMEOUT)
{
	struct qemu *q = &qemu;

	NEED_QEMU();
	*q = (struct qemu){
		.machine = "q35",
		.memory = QEMU_GUEST_RAM,
		.cpus = "2",
		.append = "GMEM_RUN=/convert GMEM_ACTION=power-off",
	};
	qemu_start(q);
	converts(q, "run 3000 keep\n");
	ends(q, ": 2: rc=0 wrong=0");
}

TEST_HARNESS_MAIN
