// SPDX-License-Identifier: GPL-2.0
/*
 * fallocate() of a gmem fd commits and decommits memory, and never changes the state of a
 * page. lseek() finds populated pages.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/falloc.h>

#include "gmem_utils.h"
#include "ksft.h"

#define NR_PAGES 16
#define LENGTH (NR_PAGES * PAGE)
#define PUNCH (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

FIXTURE(fallocate) {
	int fd;
	uint8_t *p;
};

FIXTURE_SETUP(fallocate)
{
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
}

FIXTURE_TEARDOWN(fallocate)
{
	close(self->fd);
}

static uint64_t resident(int fd)
{
	struct gmem_ioctl_stat stat;

	return gmem_stat(fd, &stat) ? ~0ULL : stat.resident_pages;
}

/* Commit populates exactly the range with zeros, and keeps existing contents. */
TEST_F(fallocate, commit)
{
	self->p[3 * PAGE] = 9;
	test_gmem_commit(self->fd, 2 * PAGE, 4 * PAGE);
	EXPECT_EQ(4, resident(self->fd));
	EXPECT_EQ(4, gmem_populated(self->fd, 2 * PAGE, 4 * PAGE));
	EXPECT_EQ(0, gmem_populated(self->fd, 0, 2 * PAGE));
	expect_byte(9, self->p + 3 * PAGE);
	expect_bytes(0, self->p + 2 * PAGE, PAGE);
	expect_bytes(0, self->p + 4 * PAGE, PAGE);
	test_gmem_commit(self->fd, 0, LENGTH);
	test_gmem_commit(self->fd, 0, LENGTH);
	EXPECT_EQ(NR_PAGES, resident(self->fd));
	expect_byte(9, self->p + 3 * PAGE);
}

/* Commit of private pages populates them with zeros, and they stay private. */
TEST_F(fallocate, commit_private)
{
	test_gmem_convert(self->fd, 0, 4 * PAGE, PRIVATE, PRESERVE);
	EXPECT_EQ(0, resident(self->fd));
	test_gmem_commit(self->fd, 0, 4 * PAGE);
	EXPECT_EQ(4, resident(self->fd));
	expect_state(PRIVATE, self->fd, 0);
	expect_sigbus(self->p);
	test_gmem_convert(self->fd, 0, 4 * PAGE, SHARED, PRESERVE);
	EXPECT_EQ(4, resident(self->fd));
	expect_bytes(0, self->p, 4 * PAGE);
}

/* A hole frees memory, reads zero, and does not change its neighbours. */
TEST_F(fallocate, punch)
{
	struct stat st;

	gmem_fill(self->p, 0xaa, LENGTH);
	test_gmem_punch(self->fd, 0, PAGE);
	test_gmem_punch(self->fd, 4 * PAGE, 2 * PAGE);
	EXPECT_EQ(NR_PAGES - 3, resident(self->fd));
	EXPECT_EQ(0, gmem_pfn(self->p));
	expect_bytes(0, self->p, PAGE);
	expect_bytes(0xaa, self->p + PAGE, 3 * PAGE);
	expect_bytes(0, self->p + 4 * PAGE, 2 * PAGE);
	expect_bytes(0xaa, self->p + 6 * PAGE, LENGTH - 6 * PAGE);
	gmem_fill(self->p, 0xbb, PAGE);
	expect_bytes(0xbb, self->p, PAGE);
	ASSERT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(LENGTH, st.st_size);
}

/* A hole of the whole file frees all of its memory. */
TEST_F(fallocate, punch_all)
{
	gmem_fill(self->p, 0xaa, LENGTH);
	test_gmem_punch(self->fd, 0, LENGTH);
	EXPECT_EQ(0, resident(self->fd));
	expect_bytes(0, self->p, LENGTH);
	test_gmem_punch(self->fd, 0, LENGTH);
	test_gmem_punch(self->fd, 0, LENGTH);
	EXPECT_EQ(0, resident(self->fd));
}

/* A punched page keeps its state, shared or private, populated or not. */
TEST_F(fallocate, state_survives_punch)
{
	gmem_fill(self->p, 0xaa, LENGTH);
	test_gmem_convert(self->fd, 4 * PAGE, 4 * PAGE, PRIVATE, PRESERVE);
	test_gmem_punch(self->fd, 2 * PAGE, 4 * PAGE);
	expect_state(SHARED, self->fd, 2 * PAGE);
	expect_state(SHARED, self->fd, 3 * PAGE);
	expect_state(PRIVATE, self->fd, 4 * PAGE);
	expect_state(PRIVATE, self->fd, 5 * PAGE);
	expect_bytes(0, self->p + 2 * PAGE, 2 * PAGE);
	expect_sigbus(self->p + 4 * PAGE);
	test_gmem_convert(self->fd, 4 * PAGE, 4 * PAGE, SHARED, PRESERVE);
	expect_bytes(0, self->p + 4 * PAGE, 2 * PAGE);
	expect_bytes(0xaa, self->p + 6 * PAGE, 2 * PAGE);
	test_gmem_punch(self->fd, 0, LENGTH);
	expect_state(SHARED, self->fd, 4 * PAGE);
}

/* Unaligned, empty or negative: EINVAL for commit and for punch. */
TEST_F(fallocate, bad_ranges)
{
	static const struct { int64_t off, len; } bad[] = {
		{ 0, 1 }, { 0, PAGE - 1 }, { 0, PAGE + 1 }, { 1, 1 },
		{ 1, PAGE - 1 }, { 1, PAGE }, { 1, PAGE + 1 }, { PAGE, 1 },
		{ PAGE, PAGE - 1 }, { PAGE, PAGE + 1 }, { PAGE - 1, PAGE },
		{ 0, 0 }, { PAGE, 0 }, { -PAGE, PAGE }, { 0, -PAGE },
		{ LENGTH, 1 }, { LENGTH + 1, PAGE },
	};
	size_t i;

	gmem_fill(self->p, 0xaa, LENGTH);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		test_err_gmem_commit(EINVAL, self->fd, bad[i].off, bad[i].len);
		test_err_gmem_punch(EINVAL, self->fd, bad[i].off, bad[i].len);
	}
	expect_bytes(0xaa, self->p, LENGTH);
	/* Beyond the largest file size the VFS fails, with EFBIG. */
	EXPECT_LT(gmem_punch(self->fd, INT64_MAX & -PAGE, PAGE), 0);
	EXPECT_LT(gmem_commit(self->fd, INT64_MAX & -PAGE, 2 * PAGE), 0);
	EXPECT_EQ(NR_PAGES, resident(self->fd));
}

/* Past the end: commit fails, and punch succeeds. */
TEST_F(fallocate, past_the_end)
{
	static const struct { int64_t off, len; } past[] = {
		{ LENGTH, PAGE }, { 2 * LENGTH, PAGE }, { 1LL << 50, PAGE },
		{ LENGTH - PAGE, 2 * PAGE }, { 0, LENGTH + PAGE },
	};
	struct stat st;
	size_t i;

	gmem_fill(self->p, 0xaa, LENGTH);
	for (i = 0; i < sizeof(past) / sizeof(past[0]); i++)
		test_err_gmem_commit(EINVAL, self->fd, past[i].off,
				     past[i].len);
	for (i = 0; i < 3; i++)
		test_gmem_punch(self->fd, past[i].off, past[i].len);
	expect_bytes(0xaa, self->p, LENGTH);
	test_gmem_punch(self->fd, past[3].off, past[3].len);
	expect_bytes(0xaa, self->p, LENGTH - PAGE);
	expect_bytes(0, self->p + LENGTH - PAGE, PAGE);
	test_gmem_punch(self->fd, past[4].off, past[4].len);
	expect_bytes(0, self->p, LENGTH);
	ASSERT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(LENGTH, st.st_size);
}

/* Mode 0 also commits, because the size is fixed. */
TEST_F(fallocate, mode_0)
{
	self->p[0] = 7;
	ASSERT_EQ(0, fallocate(self->fd, 0, 0, 4 * PAGE));
	EXPECT_EQ(4, resident(self->fd));
	expect_byte(7, self->p);
	EXPECT_EQ(-1, fallocate(self->fd, 0, LENGTH, PAGE));
	EXPECT_EQ(EINVAL, errno);
}

/* All other modes are refused. */
TEST_F(fallocate, other_modes)
{
	static const int modes[] = {
		FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE,
		FALLOC_FL_UNSHARE_RANGE,
		FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE, FALLOC_FL_KEEP_SIZE | 0x80,
		1 << 30,
	};
	size_t i;

	gmem_fill(self->p, 0xaa, LENGTH);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		EXPECT_EQ(-1, fallocate(self->fd, modes[i], 0, PAGE));
		EXPECT_EQ(EOPNOTSUPP, errno);
	}
	expect_bytes(0xaa, self->p, LENGTH);
}

/* MADV_REMOVE punches a hole in the mapped range. */
TEST_F(fallocate, madv_remove)
{
	gmem_fill(self->p, 0xaa, LENGTH);
	test_gmem_convert(self->fd, PAGE, PAGE, PRIVATE, PRESERVE);
	ASSERT_EQ(0, madvise(self->p, 2 * PAGE, MADV_REMOVE));
	EXPECT_EQ(NR_PAGES - 2, resident(self->fd));
	expect_bytes(0, self->p, PAGE);
	expect_state(PRIVATE, self->fd, PAGE);
	expect_sigbus(self->p + PAGE);
	expect_bytes(0xaa, self->p + 2 * PAGE, LENGTH - 2 * PAGE);
}

/* SEEK_DATA and SEEK_HOLE of an empty, a full and a mixed file. */
TEST_F(fallocate, seek)
{
	EXPECT_EQ(-1, lseek(self->fd, 0, SEEK_DATA));
	EXPECT_EQ(ENXIO, errno);
	EXPECT_EQ(0, lseek(self->fd, 0, SEEK_HOLE));
	test_gmem_commit(self->fd, 3 * PAGE, 2 * PAGE);
	test_gmem_commit(self->fd, NR_PAGES / 2 * PAGE, PAGE);
	EXPECT_EQ(3 * PAGE, lseek(self->fd, 0, SEEK_DATA));
	EXPECT_EQ(3 * PAGE + 5, lseek(self->fd, 3 * PAGE + 5, SEEK_DATA));
	EXPECT_EQ(5 * PAGE, lseek(self->fd, 3 * PAGE, SEEK_HOLE));
	EXPECT_EQ(8 * PAGE, lseek(self->fd, 5 * PAGE, SEEK_DATA));
	EXPECT_EQ(9 * PAGE, lseek(self->fd, 8 * PAGE, SEEK_HOLE));
	EXPECT_EQ(-1, lseek(self->fd, 9 * PAGE, SEEK_DATA));
	EXPECT_EQ(ENXIO, errno);
	test_gmem_commit(self->fd, 0, LENGTH);
	EXPECT_EQ(0, lseek(self->fd, 0, SEEK_DATA));
	EXPECT_EQ(LENGTH, lseek(self->fd, 0, SEEK_HOLE));
	EXPECT_EQ(-1, lseek(self->fd, LENGTH, SEEK_DATA));
	EXPECT_EQ(ENXIO, errno);
	EXPECT_EQ(-1, lseek(self->fd, LENGTH, SEEK_HOLE));
	EXPECT_EQ(ENXIO, errno);
	EXPECT_EQ(-1, lseek(self->fd, -1, SEEK_DATA));
}

/* Private pages in the fd are data, unpopulated ones are holes. */
TEST_F(fallocate, seek_private)
{
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	EXPECT_EQ(-1, lseek(self->fd, 0, SEEK_DATA));
	test_gmem_commit(self->fd, 5 * PAGE, PAGE);
	EXPECT_EQ(5 * PAGE, lseek(self->fd, 0, SEEK_DATA));
	EXPECT_EQ(6 * PAGE, lseek(self->fd, 5 * PAGE, SEEK_HOLE));
	test_gmem_punch(self->fd, 5 * PAGE, PAGE);
	EXPECT_EQ(-1, lseek(self->fd, 0, SEEK_DATA));
}

/* Scattered pages of the largest file are found one by one. */
TEST_F(fallocate, seek_sparse)
{
	static const uint64_t at[] = { 0, SZ_2M - PAGE, SZ_1G, 3 * SZ_1T,
				       GMEM_LENGTH_MAX - PAGE };
	int fd = test_gmem_create(GMEM_LENGTH_MAX, GMEM_CREATE_F_INIT_SHARED);
	uint64_t pos = 0;
	size_t i;

	for (i = 0; i < 5; i++)
		test_gmem_commit(fd, at[i], PAGE);
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(at[i], lseek(fd, pos, SEEK_DATA));
		pos = lseek(fd, at[i], SEEK_HOLE);
		EXPECT_EQ(at[i] + PAGE, pos);
	}
	EXPECT_EQ(5, resident(fd));
	test_gmem_punch(fd, 0, GMEM_LENGTH_MAX);
	EXPECT_EQ(0, resident(fd));
}

/* A commit that a signal interrupts populates at most the start of the range. */
static void on_alarm(int sig __ksft_unused)
{
}

TEST_F(fallocate, commit_interrupted)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	int fd = test_gmem_create(SZ_1T, GMEM_CREATE_F_INIT_SHARED);
	struct timespec soon = { .tv_nsec = 30 * 1000 * 1000 };
	struct itimerspec its = { .it_value = soon, .it_interval = soon };
	timer_t timer;
	int rc;

	ASSERT_EQ(0, sigaction(SIGALRM, &sa, NULL));
	ASSERT_EQ(0, timer_create(CLOCK_MONOTONIC, NULL, &timer));
	ASSERT_EQ(0, timer_settime(timer, 0, &its, NULL));
	rc = gmem_commit(fd, 0, SZ_1T);
	timer_delete(timer);
	EXPECT_EQ(-EINTR, rc);
	EXPECT_LT(resident(fd), 200000);
	test_gmem_punch(fd, 0, SZ_1T);
	EXPECT_EQ(0, resident(fd));
}

/* After punch and commit the memory is new and zero. */
TEST_F(fallocate, punch_and_commit)
{
	int i;

	for (i = 0; i < 20; i++) {
		gmem_fill(self->p, i + 1, LENGTH);
		test_gmem_punch(self->fd, PAGE, 3 * PAGE);
		test_gmem_commit(self->fd, 0, 2 * PAGE);
		EXPECT_EQ(NR_PAGES - 2, resident(self->fd));
		expect_bytes(i + 1, self->p, PAGE);
		expect_bytes(0, self->p + PAGE, 3 * PAGE);
	}
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
