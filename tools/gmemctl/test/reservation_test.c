// SPDX-License-Identifier: GPL-2.0
/*
 * The reservation against the running kernel: what is mapped where, what a
 * decommitted range costs and reads, and what is refused.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "../base/calls.h"
#include "../memory/probe.h"
#include "../memory/reservation.h"
#include "ksft.h"

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
		.node = -1,
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
	EXPECT_FALSE(reservation_create(&reservation, SIZE, 0));
}

/* Pages of the reservation that have memory in this process. */
static unsigned int resident(uint64_t start, uint64_t end)
{
	unsigned char vector[SIZE / PAGE] = { 0 };
	unsigned int count = 0;

	EXPECT_FALSE(mincore(reservation.base + start * PAGE, (end - start) * PAGE, vector));
	for (uint64_t i = 0; i < end - start; i++)
		count += vector[i] & 1;
	return count;
}

/* Bytes of memory or of disk behind a file. */
static uint64_t file_bytes(int fd)
{
	struct stat status;

	EXPECT_FALSE(fstat(fd, &status));
	return (uint64_t)status.st_blocks * 512;
}

TEST_OF(reservation, create)
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
	ksft_for_each(c, cases) {
		EXPECT_FALSE(reservation_create(&reservation, c->size, c->alignment));
		EXPECT_EQ(reservation.size, c->expected_size);
		EXPECT_FALSE(((uintptr_t)reservation.base % c->expected_alignment));
		reservation_destroy(&reservation);
	}
	EXPECT_EQ(reservation_create(&reservation, 0, 0), -EINVAL);
	EXPECT_EQ(reservation_create(&reservation, PAGE, 3), -EINVAL);
	EXPECT_EQ(reservation_create(&reservation, UINT64_MAX, 0), -EINVAL);
	EXPECT_EQ(reservation_create(&reservation, PAGE, UINT64_C(1) << 63), -ENOMEM);
	EXPECT_FALSE(reservation.base);
	reservation_destroy(&reservation);
}

/* Every function takes whole pages inside, and an empty range as specified. */
TEST_OF(reservation, bounds)
{
	static const struct {
		struct range range;
		int rc;
	} bad[] = {
		{ { 1, PAGE }, -EINVAL },
		{ { 0, PAGE + 1 }, -EINVAL },
		{ { 0, SIZE + PAGE }, -EFAULT },
		{ { SIZE, SIZE + PAGE }, -EFAULT },
		{ { SIZE + PAGE, SIZE + PAGE }, -EINVAL },
		{ { 2 * PAGE, PAGE }, -EFAULT },
		{ { UINT64_MAX - PAGE + 1, PAGE }, -EFAULT },
	};

	start();
	ksft_for_each(item, bad) {
		struct extent extent = { item->range, -1, 0, PAGE, .node = -1 };

		EXPECT_EQ(reservation_map(&reservation, &extent), -EINVAL);
	}
	EXPECT_EQ(map(4, 4, -1), -EINVAL);
	EXPECT_FALSE(map(8, 16, -1));
	EXPECT_FALSE(map(0, 8, -1));
	ksft_for_each(item, bad) {
		EXPECT_EQ(reservation_commit(&reservation, item->range), item->rc);
		EXPECT_EQ(reservation_decommit(&reservation, item->range), item->rc);
	}
	EXPECT_FALSE(reservation_commit(&reservation, pages(4, 4)));
	EXPECT_FALSE(reservation_decommit(&reservation, pages(16, 16)));
	/* What is mapped stays as it is. */
	EXPECT_EQ(map(15, 16, -1), -EEXIST);
	EXPECT_EQ(map(0, 16, -1), -EEXIST);
	EXPECT_EQ(reservation.nr_extents, 2);
	EXPECT_EQ(reservation_find(&reservation, 9 * PAGE), &reservation.extents[1]);
	EXPECT_FALSE(reservation_find(&reservation, 16 * PAGE));
	reservation_destroy(&reservation);
}

/* Inaccessible until something is mapped there. */
TEST_OF(reservation, inaccessible)
{
	uint8_t value = 0;

	start();
	EXPECT_FALSE(probe_start_segv());
	EXPECT_FALSE(map(0, 8, -1));
	EXPECT_FALSE(probe_write(reservation.base + 7 * PAGE, 7));
	EXPECT_FALSE(probe_read(reservation.base + 7 * PAGE, &value));
	EXPECT_EQ(value, 7);
	EXPECT_EQ(probe_write(reservation.base + 8 * PAGE, 7), -EFAULT);
	EXPECT_EQ(probe_read(reservation.base + 8 * PAGE, &value), -EFAULT);
	probe_stop();
	reservation_destroy(&reservation);
}

/* Anonymous: memory after commit, none after decommit, zero when read again. */
TEST_OF(reservation, anonymous)
{
	start();
	EXPECT_FALSE(map(0, 12, -1));
	EXPECT_FALSE(resident(0, 16));
	EXPECT_FALSE(reservation_commit(&reservation, pages(2, 6)));
	EXPECT_EQ(resident(0, 16), 4);
	EXPECT_EQ(resident(2, 6), 4);
	memset(reservation.base + 2 * PAGE, 0x5a, 4 * PAGE);
	EXPECT_FALSE(reservation_commit(&reservation, pages(0, 8)));
	EXPECT_EQ(reservation.base[2 * PAGE], 0x5a);
	EXPECT_EQ(resident(0, 8), 8);
	EXPECT_FALSE(reservation_decommit(&reservation, pages(2, 5)));
	EXPECT_EQ(resident(2, 5), 0);
	EXPECT_EQ(resident(5, 8), 3);
	EXPECT_FALSE(reservation.base[2 * PAGE]);
	EXPECT_EQ(reservation.base[5 * PAGE], 0x5a);
	reservation.base[2 * PAGE] = 1;
	EXPECT_EQ(reservation.base[2 * PAGE], 1);
	/* What is not mapped cannot be committed, and nothing is half done. */
	EXPECT_FALSE(map(13, 16, -1));
	EXPECT_EQ(reservation_commit(&reservation, pages(10, 16)), -EFAULT);
	EXPECT_EQ(resident(10, 12), 0);
	EXPECT_EQ(reservation_decommit(&reservation, pages(0, 16)), -EFAULT);
	EXPECT_EQ(resident(5, 8), 3);
	EXPECT_FALSE(reservation_decommit(&reservation, pages(0, 12)));
	EXPECT_FALSE(resident(0, 12));
	reservation_destroy(&reservation);
}

/* Shared by another mapping, so that dropping this process's pages is not it. */
static void check_file(int fd)
{
	uint8_t *other = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	EXPECT_NE(other, MAP_FAILED);
	start();
	EXPECT_FALSE(map(0, 16, fd));
	EXPECT_FALSE(reservation_commit(&reservation, pages(0, 16)));
	EXPECT_GE(file_bytes(fd), SIZE);
	memset(other, 0x5a, SIZE);
	EXPECT_FALSE(reservation_commit(&reservation, pages(0, 16)));
	EXPECT_EQ(reservation.base[SIZE - 1], 0x5a);
	EXPECT_FALSE(reservation_decommit(&reservation, pages(0, 12)));
	EXPECT_LE(file_bytes(fd), 4 * PAGE);
	EXPECT_FALSE(other[0]);
	EXPECT_FALSE(reservation.base[11 * PAGE]);
	EXPECT_EQ(reservation.base[12 * PAGE], 0x5a);
	reservation_destroy(&reservation);
	EXPECT_FALSE(munmap(other, SIZE));
}

TEST_OF(reservation, file)
{
	char path[] = "/tmp/gmemctl_unit_XXXXXX";
	int fd = mkstemp(path), memfd = calls_system.memfd("test", SIZE);

	EXPECT_FALSE(ftruncate(fd, SIZE));
	check_file(memfd);
	check_file(fd);
	close(memfd);
	close(fd);
	unlink(path);
}

static char trace[128];

static int trace_punch(int fd, uint64_t offset, uint64_t length)
{
	snprintf(trace + strlen(trace), sizeof(trace) - strlen(trace),
		 "p%llx+%llx ", (unsigned long long)offset,
		 (unsigned long long)length);
	return 0;
}

/*
 * Half a huge page would be zeroed and kept: refused, also when another part of
 * the range could be done.
 */
TEST_OF(reservation, huge_page)
{
	struct calls tracing = calls_system;
	int fd = calls_system.memfd("test", SIZE);
	struct extent extent = extent_of(0, 8, fd);

	start();
	tracing.punch = trace_punch;
	calls = &tracing;
	extent.page_size = 4 * PAGE;
	extent.fd_offset = 8 * PAGE;
	EXPECT_FALSE(reservation_map(&reservation, &extent));
	EXPECT_FALSE(map(8, 16, fd));
	EXPECT_EQ(reservation_decommit(&reservation, pages(0, 2)), -EINVAL);
	EXPECT_EQ(reservation_decommit(&reservation, pages(2, 12)), -EINVAL);
	EXPECT_FALSE(*trace);
	EXPECT_FALSE(reservation_decommit(&reservation, pages(4, 9)));
	EXPECT_STREQ(trace, "pc000+4000 p0+1000 ");
	calls = &calls_system;
	reservation_destroy(&reservation);
	close(fd);
}

static char refused;
static int unmapped;

static int refusing_map_at(void *address, size_t length, int prot, int flags, int fd,
			   uint64_t offset)
{
	unmapped += prot == PROT_NONE;
	return refused == 'm' ? -ENOMEM :
	       calls_system.map_at(address, length, prot, flags, fd, offset);
}

static int refusing_advise(void *address, size_t length, int advice)
{
	return advice == MADV_DONTDUMP && refused == 'd' ? -ENOMEM : -EINVAL;
}

/* Nothing is mapped then. A kernel without transparent huge pages is no failure. */
TEST_OF(reservation, map_fails)
{
	struct calls refusing = calls_system;
	struct extent extent = extent_of(0, 1, -1);

	start();
	refusing.map_at = refusing_map_at;
	refusing.advise = refusing_advise;
	calls = &refusing;
	refused = 'm';
	EXPECT_EQ(reservation_map(&reservation, &extent), -ENOMEM);
	EXPECT_FALSE(unmapped);
	refused = 'd';
	EXPECT_EQ(reservation_map(&reservation, &extent), -ENOMEM);
	EXPECT_EQ(unmapped, 1);
	extent.dump = true;
	extent.thp = true;
	extent.node = NODE_BAD;
	EXPECT_LT(reservation_map(&reservation, &extent), 0);
	EXPECT_EQ(unmapped, 2);
	EXPECT_FALSE(reservation.nr_extents);
	extent.node = -1;
	EXPECT_FALSE(reservation_map(&reservation, &extent));
	EXPECT_EQ(unmapped, 2);
	calls = &calls_system;
	reservation_destroy(&reservation);
}

/* ENOSYS: a kernel without NUMA. A file has its policy from elsewhere. */
TEST_OF(reservation, node)
{
	int fd = calls_system.memfd("test", SIZE), rc;
	struct extent extent = extent_of(0, 8, -1);

	start();
	extent.node = 0;
	rc = reservation_map(&reservation, &extent);
	EXPECT_TRUE(!rc || rc == -ENOSYS);
	extent = extent_of(8, 16, fd);
	extent.node = NODE_BAD;
	EXPECT_FALSE(reservation_map(&reservation, &extent));
	EXPECT_FALSE(reservation_commit(&reservation, pages(8, 16)));
	reservation_destroy(&reservation);
	close(fd);
}
