// SPDX-License-Identifier: GPL-2.0
/*
 * The reservation against the running kernel: what is mapped where, what a
 * decommitted range costs and reads, and what is refused.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/calls.h"
#include "../memory/probe.h"
#include "../memory/reservation.h"
#include "unit.h"

#define PAGE RANGE_PAGE_SIZE
#define SIZE (16 * PAGE)
#define NODE_BAD 99999

static struct reservation reservation;

static struct range pages(uint64_t start, uint64_t end)
{
	return (struct range){ start * PAGE, end * PAGE };
}

static struct extent extent_of(uint64_t start, uint64_t end, int fd)
{
	return (struct extent){
		.range = { start * PAGE, end * PAGE },
		.fd = fd,
		.page_size = PAGE,
		.writable = true,
	};
}

static int map(uint64_t start, uint64_t end, int fd)
{
	struct extent extent = extent_of(start, end, fd);

	return reservation_map(&reservation, &extent);
}

static void start(void)
{
	calls = &calls_system;
	CHECK(!reservation_create(&reservation, SIZE, 0));
}

/* Pages of the reservation that have memory in this process. */
static unsigned int resident(uint64_t start, uint64_t end)
{
	unsigned char vector[SIZE / PAGE] = { 0 };
	unsigned int count = 0;

	CHECK(!mincore(reservation.base + start * PAGE, (end - start) * PAGE,
		       vector));
	for (uint64_t i = 0; i < end - start; i++)
		count += vector[i] & 1;
	return count;
}

/* Bytes of memory or of disk behind a file. */
static uint64_t file_bytes(int fd)
{
	struct stat status;

	CHECK(!fstat(fd, &status));
	return (uint64_t)status.st_blocks * 512;
}

static bool readable(uint64_t page)
{
	uint8_t value;

	return !probe_read(reservation.base + page * PAGE, &value);
}

static void test_reservation_create(void)
{
	static const struct {
		uint64_t size, alignment, expected_size, expected_alignment;
	} cases[] = {
		{ 1, 0, PAGE, PAGE },
		{ PAGE, 1, PAGE, PAGE },
		{ 3 * PAGE, 4 * PAGE, 4 * PAGE, 4 * PAGE },
		{ 2 << 20, 0, 2 << 20, 2 << 20 },
		{ (2 << 20) + 1, 0, 4 << 20, 2 << 20 },
		{ 1 << 30, 0, 1 << 30, 1 << 30 },
		{ 2 << 20, 1 << 30, 1 << 30, 1 << 30 },
	};

	calls = &calls_system;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK(!reservation_create(&reservation, cases[i].size,
					  cases[i].alignment));
		CHECK_EQ(reservation.size, cases[i].expected_size);
		CHECK(!((uintptr_t)reservation.base %
			cases[i].expected_alignment));
		reservation_destroy(&reservation);
	}
	CHECK_EQ(reservation_create(&reservation, 0, 0), -EINVAL);
	CHECK_EQ(reservation_create(&reservation, PAGE, 3), -EINVAL);
	CHECK_EQ(reservation_create(&reservation, UINT64_MAX, 0), -EINVAL);
	CHECK_EQ(reservation_create(&reservation, PAGE, UINT64_C(1) << 63),
		 -ENOMEM);
	CHECK(!reservation.base);
	reservation_destroy(&reservation);
}

/* Every function takes whole pages inside, and an empty range as specified. */
static void test_reservation_bounds(void)
{
	static const struct range bad[] = {
		{ 1, PAGE }, { 0, PAGE + 1 }, { 0, SIZE + PAGE },
		{ SIZE, SIZE + PAGE }, { 2 * PAGE, PAGE },
		{ UINT64_MAX - PAGE + 1, PAGE },
	};

	start();
	CHECK(!map(0, 16, -1));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct extent extent = { bad[i], -1, 0, PAGE, true,
						 false };

		CHECK_EQ(reservation_map(&reservation, &extent), -EINVAL);
		CHECK_EQ(reservation_unmap(&reservation, bad[i]), -EINVAL);
		CHECK_EQ(reservation_commit(&reservation, bad[i]), -EINVAL);
		CHECK_EQ(reservation_decommit(&reservation, bad[i]), -EINVAL);
		CHECK_EQ(reservation_advise_huge(&reservation, bad[i]),
			 -EINVAL);
		CHECK_EQ(reservation_bind_node(&reservation, bad[i], 0),
			 -EINVAL);
		CHECK_EQ(reservation_set_writable(&reservation, bad[i], true),
			 -EINVAL);
	}
	CHECK_EQ(map(4, 4, -1), -EINVAL);
	CHECK_EQ(reservation_unmap(&reservation, pages(4, 4)), -EINVAL);
	CHECK(!reservation_commit(&reservation, pages(4, 4)));
	CHECK(!reservation_decommit(&reservation, pages(16, 16)));
	CHECK(!reservation_advise_huge(&reservation, pages(4, 4)));
	CHECK_EQ(reservation.nr_extents, 1);
	reservation_destroy(&reservation);
}

/* A mapping in the middle of another: three extents, each with its contents. */
static void test_reservation_overlap(void)
{
	int fd = calls_system.memfd("test", SIZE);
	const struct extent *tail;

	start();
	CHECK(!map(0, 16, fd));
	for (uint64_t i = 0; i < 16; i++)
		reservation.base[i * PAGE] = (uint8_t)i;
	CHECK(!map(4, 6, -1));
	CHECK_EQ(reservation.nr_extents, 3);
	CHECK(reservation.base[3 * PAGE] == 3 && !reservation.base[4 * PAGE]);
	CHECK_EQ(reservation.base[6 * PAGE], 6);
	tail = reservation_find(&reservation, 6 * PAGE);
	CHECK(tail && tail->fd == fd && tail->fd_offset == 6 * PAGE);
	/* Over the ends of two. */
	CHECK(!map(5, 8, fd));
	CHECK(reservation.nr_extents == 4 && !reservation.base[7 * PAGE + 1]);
	CHECK(reservation.base[5 * PAGE] == 0 && reservation.base[7 * PAGE] == 2);
	CHECK(!map(0, 16, -1) && reservation.nr_extents == 1);
	reservation_destroy(&reservation);
	close(fd);
}

static void test_reservation_unmap(void)
{
	start();
	CHECK(!probe_start_segv());
	CHECK(!readable(0));
	CHECK(!map(0, 8, -1));
	CHECK(readable(0) && !readable(8));
	CHECK(!reservation_unmap(&reservation, pages(2, 3)));
	CHECK(readable(1) && !readable(2) && readable(3));
	CHECK(!reservation_find(&reservation, 2 * PAGE));
	CHECK(!reservation_unmap(&reservation, pages(0, 16)));
	CHECK(!readable(3) && !reservation.nr_extents);
	probe_stop();
	reservation_destroy(&reservation);
}

/* Anonymous: memory after commit, none after decommit, zero when read again. */
static void test_reservation_anonymous(void)
{
	start();
	CHECK(!map(0, 16, -1));
	CHECK(!resident(0, 16));
	CHECK(!reservation_commit(&reservation, pages(2, 6)));
	CHECK(resident(0, 16) == 4 && resident(2, 6) == 4);
	memset(reservation.base + 2 * PAGE, 0x5a, 4 * PAGE);
	CHECK(!reservation_commit(&reservation, pages(0, 8)));
	CHECK(reservation.base[2 * PAGE] == 0x5a && resident(0, 8) == 8);
	CHECK(!reservation_decommit(&reservation, pages(2, 5)));
	CHECK(resident(2, 5) == 0 && resident(5, 8) == 3);
	CHECK(!reservation.base[2 * PAGE] &&
	      reservation.base[5 * PAGE] == 0x5a);
	reservation.base[2 * PAGE] = 1;
	CHECK_EQ(reservation.base[2 * PAGE], 1);
	/* What is not mapped cannot be committed, and nothing is half done. */
	CHECK(!reservation_unmap(&reservation, pages(12, 13)));
	CHECK_EQ(reservation_commit(&reservation, pages(10, 16)), -EFAULT);
	CHECK_EQ(resident(10, 12), 0);
	CHECK(!reservation_decommit(&reservation, pages(0, 16)));
	CHECK(!resident(0, 12));
	reservation_destroy(&reservation);
}

/* Shared by another mapping, so that dropping this process's pages is not it. */
static void check_file(int fd)
{
	uint8_t *other = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			      fd, 0);

	CHECK(other != MAP_FAILED);
	start();
	CHECK(!map(0, 16, fd));
	CHECK(!reservation_commit(&reservation, pages(0, 16)));
	CHECK(file_bytes(fd) >= SIZE);
	memset(other, 0x5a, SIZE);
	CHECK(!reservation_commit(&reservation, pages(0, 16)));
	CHECK_EQ(reservation.base[SIZE - 1], 0x5a);
	CHECK(!reservation_decommit(&reservation, pages(0, 12)));
	CHECK(file_bytes(fd) <= 4 * PAGE);
	CHECK(!other[0] && !reservation.base[11 * PAGE]);
	CHECK_EQ(reservation.base[12 * PAGE], 0x5a);
	reservation_destroy(&reservation);
	CHECK(!munmap(other, SIZE));
}

static void test_reservation_memfd(void)
{
	int fd = calls_system.memfd("test", SIZE);

	CHECK(fd >= 0);
	check_file(fd);
	close(fd);
}

static void test_reservation_file(void)
{
	char path[] = "/tmp/gmemctl_unit_XXXXXX";
	int fd = mkstemp(path);

	CHECK(fd >= 0 && !ftruncate(fd, SIZE));
	check_file(fd);
	close(fd);
	unlink(path);
}

static char trace[128];

static int trace_punch(int fd, uint64_t offset, uint64_t length)
{
	(void)fd;
	snprintf(trace + strlen(trace), sizeof(trace) - strlen(trace),
		 "p%llx+%llx ", (unsigned long long)offset,
		 (unsigned long long)length);
	return 0;
}

/*
 * Half a huge page would be zeroed and kept: refused, also when another part of
 * the range could be done.
 */
static void test_reservation_huge_page(void)
{
	struct calls tracing = calls_system;
	int fd = calls_system.memfd("test", SIZE);
	struct extent extent = extent_of(0, 8, fd);

	start();
	tracing.punch = trace_punch;
	calls = &tracing;
	extent.page_size = 4 * PAGE;
	extent.fd_offset = 8 * PAGE;
	CHECK(!reservation_map(&reservation, &extent));
	CHECK(!map(8, 16, fd));
	CHECK_EQ(reservation_decommit(&reservation, pages(0, 2)), -EINVAL);
	CHECK_EQ(reservation_decommit(&reservation, pages(2, 12)), -EINVAL);
	CHECK(!*trace);
	CHECK(!reservation_decommit(&reservation, pages(4, 9)));
	CHECK_STR(trace, "pc000+4000 p0+1000 ");
	calls = &calls_system;
	reservation_destroy(&reservation);
	close(fd);
}

static void test_reservation_writable(void)
{
	uint8_t *base;

	start();
	base = reservation.base;
	CHECK(!probe_start_segv());
	CHECK(!map(0, 8, -1));
	CHECK(!reservation_set_writable(&reservation, pages(2, 4), false));
	CHECK(!probe_write(base + PAGE, 1) && !probe_write(base + 4 * PAGE, 1));
	CHECK(probe_write(base + 2 * PAGE, 1) == -EFAULT && readable(2));
	CHECK(!reservation_find(&reservation, 2 * PAGE)->writable);
	CHECK(reservation_find(&reservation, 4 * PAGE)->writable);
	CHECK(!reservation_set_writable(&reservation, pages(0, 8), true));
	CHECK(!probe_write(base + 2 * PAGE, 1));
	CHECK_EQ(reservation_set_writable(&reservation, pages(7, 9), true),
		 -EFAULT);
	probe_stop();
	reservation_destroy(&reservation);
}

static int failing_map_at(void *address, size_t length, int prot, int flags,
			  int fd, uint64_t offset)
{
	(void)address;
	(void)length;
	(void)prot;
	(void)flags;
	(void)fd;
	(void)offset;
	return -ENOMEM;
}

/* What was mapped before is still known, and still there. */
static void test_reservation_map_fails(void)
{
	struct calls failing = calls_system;

	start();
	CHECK(!map(0, 8, -1));
	reservation.base[PAGE] = 7;
	failing.map_at = failing_map_at;
	calls = &failing;
	CHECK_EQ(map(1, 2, -1), -ENOMEM);
	CHECK_EQ(reservation_unmap(&reservation, pages(1, 2)), -ENOMEM);
	calls = &calls_system;
	CHECK(reservation.nr_extents == 1 && reservation.base[PAGE] == 7);
	reservation_destroy(&reservation);
}

static void test_reservation_advice(void)
{
	int fd = calls_system.memfd("test", SIZE);
	int rc;

	start();
	CHECK(!map(0, 8, -1) && !map(8, 16, fd));
	reservation_set_name(&reservation, pages(0, 8), "guest-ram-private");
	/* EINVAL: a kernel without transparent huge pages. */
	rc = reservation_advise_huge(&reservation, pages(0, 16));
	CHECK(!rc || rc == -EINVAL);
	/* ENOSYS: one without NUMA. */
	rc = reservation_bind_node(&reservation, pages(0, 16), 0);
	CHECK(!rc || rc == -ENOSYS);
	CHECK(reservation_bind_node(&reservation, pages(0, 1), NODE_BAD) < 0);
	CHECK(reservation_bind_node(&reservation, pages(0, 1), 0xffff) < 0);
	CHECK(!reservation_commit(&reservation, pages(0, 16)));
	reservation_destroy(&reservation);
	close(fd);
}

static const struct unit_test tests[] = {
	{ "reservation.create", test_reservation_create },
	{ "reservation.bounds", test_reservation_bounds },
	{ "reservation.overlap", test_reservation_overlap },
	{ "reservation.unmap", test_reservation_unmap },
	{ "reservation.anonymous", test_reservation_anonymous },
	{ "reservation.memfd", test_reservation_memfd },
	{ "reservation.file", test_reservation_file },
	{ "reservation.huge_page", test_reservation_huge_page },
	{ "reservation.writable", test_reservation_writable },
	{ "reservation.map_fails", test_reservation_map_fails },
	{ "reservation.advice", test_reservation_advice },
};

UNIT_TESTS(tests)
