// SPDX-License-Identifier: GPL-2.0
/*
 * gmem_guest.ko in a guest of Debian's QEMU under `gmemctl exec`: the host cannot read
 * what it makes private, memory that must not be private is refused, and memory for a
 * device is shared.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "qemu_test.h"

#define TIMEOUT	300
#define LISTENS	"gmem-guest: listening"
#define DISK	"/tmp/exec-guest-disk"
#define ALL	(UINT64_C(96) << 20)
#define PIECE	(UINT64_C(16) << 10)

static const char *const with_disk[] = {
	"-drive", "file=" DISK ",format=raw,if=none,id=d0",
	"-device", "virtio-blk-pci,drive=d0", NULL,
};

static struct qemu qemu;
static char text[65536];

#define CONTROL(...) qemu_control(text, sizeof(text), __VA_ARGS__)

static void disk_make(void)
{
	int fd = open(DISK, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ASSERT_EQ(0, ftruncate(fd, 1 << 20));
	close(fd);
}

static struct qemu *boots(const char *append, const char *const *memory,
			  const char *const *options)
{
	struct qemu *q = &qemu;

	*q = (struct qemu){
		.machine = "q35",
		.memory = memory,
		.append = append,
		.options = options,
	};
	qemu_start_until(q, LISTENS);
	return q;
}

static void ends(struct qemu *q)
{
	qemu_order(q, "end\n", ": rc=0");
	EXPECT_TRUE(qemu_guest_end(q, 60));
	EXPECT_EQ(0, q->boot.code);
}

static uint64_t stat_number(const char *key)
{
	EXPECT_EQ(0, CONTROL("stat", QEMU_GUEST_NAME, "--json"));
	return json_number(text, key);
}

/* Return: the number of private bytes, on which guest and host agree. */
static uint64_t private_bytes(struct qemu *q)
{
	uint64_t bytes = stat_number("\"private_bytes\"");

	qemu_order(q, "get private_bytes\n", ": rc=0 value=");
	EXPECT_EQ(bytes, qemu_answer(q, "value="));
	return bytes;
}

static void refused(struct qemu *q, const char *line, unsigned int error)
{
	qemu_order(q, line, ": rc=-");
	EXPECT_EQ(error, qemu_answer(q, "rc=-"));
}

static int page_dump(uint64_t gpa)
{
	char at[32];

	snprintf(at, sizeof(at), "%" PRIu64, gpa);
	return CONTROL("dump", QEMU_GUEST_NAME, at, "4K", "--raw");
}

/* Invalid values are refused and change nothing. */
static void bad_values(struct qemu *q)
{
	uint64_t before = private_bytes(q);

	refused(q, "set private 0x1000\n", EINVAL);
	refused(q, "set private -0x1000\n", EINVAL);
	refused(q, "set private 0x2000-0x1000\n", EINVAL);
	refused(q, "set private 0x1000-0x1000\n", EINVAL);
	refused(q, "set private 0-0x1001\n", EINVAL);
	refused(q, "set private 0-0x1000,\n", EINVAL);
	refused(q, "set private all\n", EINVAL);
	refused(q, "set shared movable\n", EINVAL);
	refused(q, "set private 0-0x1ffffffffffffffff\n", ERANGE);
	refused(q, "many 33\n", E2BIG);
	refused(q, "many 32\n", EPERM);
	refused(q, "set private 0x100000-0x101000\n", EPERM);
	refused(q, "set private 0xf0000000-0xf0001000\n", ENXIO);
	refused(q, "set private 0xfffffffffffff000-0xffffffffffffffff\n", EINVAL);
	refused(q, "load\n", EEXIST);
	EXPECT_EQ(before, private_bytes(q));
}

/* A part of the memory is shared with the host, and then no more. */
static void shows(struct qemu *q, uint64_t gpa)
{
	uint64_t before = private_bytes(q);
	char line[96];

	EXPECT_NE(0, page_dump(gpa));
	snprintf(line, sizeof(line), "set shared 0x%" PRIx64 "-0x%" PRIx64 "\n", gpa,
		 gpa + PIECE);
	qemu_order(q, line, ": rc=0");
	EXPECT_EQ(before - PIECE, private_bytes(q));
	EXPECT_EQ(0, page_dump(gpa));
	qemu_order(q, "get shared\n", ": rc=0 value=0x");
	EXPECT_EQ(gpa, strtoull(strstr(q->boot.console + q->boot.seen, "value=") + 6, NULL, 16));
	qemu_order(q, "check\n", ": wrong=0");
	qemu_order(q, "set shared none\n", ": rc=0");
	EXPECT_EQ(before, private_bytes(q));
	EXPECT_NE(0, page_dump(gpa));
}

/* Only the named part of the memory is private. */
static void names(struct qemu *q, uint64_t gpa)
{
	char line[96];

	snprintf(line, sizeof(line), "set private 0x%" PRIx64 "-0x%" PRIx64 "\n", gpa,
		 gpa + PIECE);
	qemu_order(q, line, ": rc=0");
	EXPECT_EQ(PIECE, private_bytes(q));
	EXPECT_NE(0, page_dump(gpa));
	qemu_order(q, "set private none\n", ": rc=0");
	EXPECT_EQ(0, private_bytes(q));
	qemu_order(q, "get private\n", ": rc=0 value=none");
	EXPECT_EQ(0, page_dump(gpa));
	qemu_order(q, "set private movable\n", ": rc=0");
}

TEST_TIMEOUT(keeps, TIMEOUT)
{
	struct qemu *q;
	uint64_t gpa;

	NEED_QEMU();
	disk_make();
	q = boots("swiotlb=2048,force kernelcore=36M GMEM_RUN=/keep", QEMU_GUEST_RAM, with_disk);
	refused(q, "load\n", EBUSY);
	qemu_order(q, "log\n", "uses memory directly");
	EXPECT_EQ(0, stat_number("\"private_bytes\""));
	/* Unbinding is not enough: the driver could be bound again. */
	qemu_order(q, "unbind\n", ": rc=0");
	refused(q, "load\n", EBUSY);
	qemu_order(q, "unplug\n", ": rc=0");
	qemu_order(q, "load\n", ": rc=0");
	EXPECT_GT(private_bytes(q), ALL / 3);
	qemu_order(q, "fill\n", ": rc=0 gpa=");
	gpa = qemu_answer(q, "gpa=");
	shows(q, gpa);
	bad_values(q);
	names(q, gpa);
	EXPECT_GT(private_bytes(q), ALL / 3);
	qemu_order(q, "check\n", ": wrong=0");
	qemu_order(q, "unload\n", ": rc=0");
	EXPECT_EQ(0, stat_number("\"private_bytes\""));
	qemu_order(q, "check\n", ": wrong=0");
	ends(q);
	boot_log(&q->boot, q->boot.console);
	unlink(DISK);
}

/* Without kernelcore= no memory may be private. */
TEST_TIMEOUT(no_zone, TIMEOUT)
{
	struct qemu *q;

	NEED_QEMU();
	q = boots("swiotlb=2048,force GMEM_RUN=/keep", QEMU_GUEST_RAM, NULL);
	refused(q, "load\n", ENXIO);
	qemu_order(q, "log\n", "boot with \"kernelcore=256M\"");
	qemu_order(q, "load private=none\n", ": rc=0");
	refused(q, "set private movable\n", ENXIO);
	qemu_order(q, "get private_bytes\n", ": rc=0 value=0");
	qemu_order(q, "unload\n", ": rc=0");
	ends(q);
}

/* A VM whose RAM is not a gmem fd has no private memory. */
TEST_TIMEOUT(no_gmem, TIMEOUT)
{
	static const char *const memory[] = {
		"-object", "memory-backend-ram,id=ram,size=" QEMU_GUEST_MIB "M", NULL,
	};
	struct qemu *q;

	NEED_QEMU();
	q = boots("swiotlb=2048,force kernelcore=36M GMEM_RUN=/keep", memory, NULL);
	refused(q, "load\n", EOPNOTSUPP);
	qemu_order(q, "log\n", "to private has failed");
	refused(q, "load shared=1-2\n", EINVAL);
	qemu_order(q, "load private=none\n", ": rc=0");
	refused(q, "set private movable\n", EOPNOTSUPP);
	qemu_order(q, "get private_bytes\n", ": rc=0 value=0");
	qemu_order(q, "unload\n", ": rc=0");
	ends(q);
}

TEST_HARNESS_MAIN
