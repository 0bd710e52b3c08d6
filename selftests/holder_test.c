// SPDX-License-Identifier: GPL-2.0
/*
 * GMEM_IOCTL_HOLDER finds held pages one by one, with the same numbers as a conversion,
 * and changes nothing. pins_test compares the numbers for each way to hold a page.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/time.h>

#include "gmem_utils.h"
#include "hold.h"
#include "ksft.h"

#define NR_PAGES 1024
#define LENGTH (NR_PAGES * PAGE)

FIXTURE(holder) {
	int fd;
	uint8_t *p;
};

FIXTURE_SETUP(holder)
{
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	gmem_fill(self->p, 'A', LENGTH);
}

FIXTURE_TEARDOWN(holder)
{
	munmap(self->p, LENGTH);
	close(self->fd);
}

static void expect_none(int fd, uint64_t offset, uint64_t length, uint32_t flags)
{
	struct gmem_ioctl_holder h = { .flags = flags, .offset = offset, .length = length };

	EXPECT_EQ(0, gmem_holder(fd, &h));
	EXPECT_EQ(offset + length, h.offset);
	EXPECT_EQ(0, h.length);
	EXPECT_EQ(0, h.refs_seen);
	EXPECT_EQ(0, h.refs_expected);
	EXPECT_EQ(0, h.mapcount);
	EXPECT_EQ(0, h.out_flags);
}

/* The first held page from page @from on is @page, with this number of extra references. */
static void expect_page(int fd, int from, int page, uint32_t refs, uint32_t mapcount,
			uint32_t flags)
{
	struct gmem_ioctl_holder h = {
		.flags = flags,
		.offset = from * PAGE,
		.length = LENGTH - from * PAGE,
	};

	EXPECT_EQ(0, gmem_holder(fd, &h));
	EXPECT_EQ(page * PAGE, h.offset);
	EXPECT_EQ(LENGTH - page * PAGE, h.length);
	EXPECT_EQ(2, h.refs_expected);
	EXPECT_EQ(2 + refs, h.refs_seen);
	EXPECT_EQ(mapcount, h.mapcount);
	EXPECT_EQ(0, h.out_flags);
}

/* Pages that were just touched are in batches of the kernel, and do not count as held. */
TEST_F(holder, nobody)
{
	expect_none(self->fd, 0, LENGTH, 0);
	munmap(self->p + LENGTH / 2, LENGTH / 2);
	expect_none(self->fd, LENGTH / 2, LENGTH / 2, GMEM_HOLDER_F_MAPPED);
}

/* All held pages in ascending order, including the first and the last page. */
TEST_F(holder, one_after_the_other)
{
	static const int pages[] = { 0, 1, 511, 512, 700, NR_PAGES - 1 };
	struct hold_pipe pipes[6];
	int i, from = 0;

	for (i = 0; i < 6; i++)
		ASSERT_EQ(0, hold_pipe_take(&pipes[i], self->p + pages[i] * PAGE, PAGE));
	for (i = 0; i < 6; i++) {
		expect_page(self->fd, from, pages[i], 1, 1, 0);
		from = pages[i] + 1;
	}
	expect_none(self->fd, 2 * PAGE, 509 * PAGE, 0);
	for (i = 5; i >= 0; i--) {
		expect_page(self->fd, 0, 0, 1, 1, 0);
		hold_pipe_drop(&pipes[i]);
	}
	expect_none(self->fd, 0, LENGTH, 0);
}

/* With the flag mapped pages are reported, too, each with the number of its mappings. */
TEST_F(holder, mapped)
{
	uint8_t *again = test_gmem_map(self->fd, 0, LENGTH);

	munmap(self->p, LENGTH);
	expect_none(self->fd, 0, LENGTH, GMEM_HOLDER_F_MAPPED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	self->p[5 * PAGE] = 'B';
	expect_page(self->fd, 0, 5, 0, 1, GMEM_HOLDER_F_MAPPED);
	again[5 * PAGE] = 'C';
	again[900 * PAGE] = 'C';
	expect_page(self->fd, 0, 5, 0, 2, GMEM_HOLDER_F_MAPPED);
	expect_page(self->fd, 6, 900, 0, 1, GMEM_HOLDER_F_MAPPED);
	expect_none(self->fd, 0, LENGTH, 0);
	munmap(again, LENGTH);
}

/* A private page has no holder, even if it was mapped before. */
TEST_F(holder, private)
{
	struct hold_pipe pipe;

	ASSERT_EQ(0, hold_pipe_take(&pipe, self->p + 9 * PAGE, PAGE));
	test_gmem_convert(self->fd, 0, 9 * PAGE, PRIVATE, PRESERVE);
	expect_none(self->fd, 0, 9 * PAGE, GMEM_HOLDER_F_MAPPED);
	expect_page(self->fd, 0, 9, 1, 1, 0);
	hold_pipe_drop(&pipe);
}

/* HOLDER does not change mappings, states, contents or counters. */
TEST_F(holder, nothing_changes)
{
	struct gmem_ioctl_stat before, after;
	struct hold_pipe pipe;
	int ro;
	char path[64];

	ASSERT_EQ(0, hold_pipe_take(&pipe, self->p + 9 * PAGE, PAGE));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->fd);
	ro = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(ro, 0);
	ASSERT_EQ(0, gmem_stat(self->fd, &before));
	expect_page(ro, 0, 9, 1, 1, 0);
	expect_page(ro, 0, 0, 0, 1, GMEM_HOLDER_F_MAPPED);
	ASSERT_EQ(0, gmem_stat(self->fd, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
	expect_bytes('A', self->p, LENGTH);
	hold_pipe_drop(&pipe);
	close(ro);
}

static void on_alarm(int sig)
{
}

/*
 * A call that is interrupted by signals again and again continues where it was, also at
 * the end: a walk checks for signals after each batch of pages.
 */
TEST_F(holder, restarted)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	struct itimerval often = { .it_interval.tv_usec = 500, .it_value.tv_usec = 500 };
	int i, failed = 0;

	expect_none(self->fd, 0, LENGTH, 0);
	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &often, NULL));
	for (i = 0; i < 5000 && !failed; i++) {
		struct gmem_ioctl_holder h = { .length = LENGTH };

		failed = gmem_holder(self->fd, &h);
		if (!failed)
			failed = h.offset == LENGTH && !h.length ? 0 : -EPROTO;
	}
	often = (struct itimerval){ .it_value.tv_usec = 0 };
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &often, NULL));
	EXPECT_EQ(0, failed);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
