// SPDX-License-Identifier: GPL-2.0
/*
 * GMEM_CONVERT_F_RANGES: several ranges in one conversion, all or nothing, with and
 * without concurrent conversions of other threads; and the arguments that the ABI
 * refuses.
 */
#include <string.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "hold.h"
#include "ksft.h"
#include "mock.h"

#define NR_PAGES 64
#define LENGTH (NR_PAGES * PAGE)
#define GPA 0x500000000ULL

FIXTURE(ranges) {
	int fd;
	uint8_t *p;
	int done;
};

FIXTURE_SETUP(ranges)
{
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	gmem_fill(self->p, 'A', LENGTH);
}

FIXTURE_TEARDOWN(ranges)
{
	close(self->fd);
}

static struct gmem_ioctl_convert ranges_args(const struct gmem_convert_range *ranges,
					     uint32_t nr, uint32_t target)
{
	struct gmem_ioctl_convert c = {
		.flags = GMEM_CONVERT_F_RANGES,
		.target = target,
		.content = PRESERVE,
		.ranges = (uintptr_t)ranges,
		.nr_ranges = nr,
	};

	return c;
}

static int convert_ranges(int fd, const struct gmem_convert_range *ranges,
			  uint32_t nr, uint32_t target)
{
	struct gmem_ioctl_convert c = ranges_args(ranges, nr, target);

	return gmem_convert_args(fd, &c);
}

/* Pages 0-1, 8 and 16-31 */
static const struct gmem_convert_range some[] = {
	{ 0, 2 * PAGE }, { 8 * PAGE, PAGE }, { 16 * PAGE, 16 * PAGE },
};

static bool in_some(int page)
{
	return page < 2 || page == 8 || (page >= 16 && page < 32);
}

static void expect_states(int fd, uint32_t inside)
{
	for (int page = 0; page < NR_PAGES; page++)
		expect_state(in_some(page) ? inside : SHARED, fd, page * PAGE);
}

/* All ranges become private, nothing between them does, and they become shared again. */
TEST_F(ranges, there_and_back)
{
	ASSERT_EQ(0, convert_ranges(self->fd, some, 3, PRIVATE));
	expect_states(self->fd, PRIVATE);
	expect_sigbus(self->p + 8 * PAGE);
	expect_bytes('A', self->p + 9 * PAGE, 7 * PAGE);
	ASSERT_EQ(0, convert_ranges(self->fd, some, 3, SHARED));
	expect_states(self->fd, SHARED);
	expect_bytes('A', self->p, LENGTH);
}

/* A held page in the last range makes the conversion of all ranges fail, with its offset. */
TEST_F(ranges, held_in_the_last)
{
	struct gmem_ioctl_convert c = ranges_args(some, 3, PRIVATE);
	struct hold_pipe hold;

	ASSERT_EQ(0, hold_pipe_take(&hold, self->p + 20 * PAGE, PAGE));
	EXPECT_EQ(-EAGAIN, gmem_convert_args(self->fd, &c));
	EXPECT_EQ(20 * PAGE, c.error_offset);
	EXPECT_GT(c.refs_seen, c.refs_expected);
	expect_states(self->fd, SHARED);
	expect_bytes('A', self->p, LENGTH);
	hold_pipe_drop(&hold);
	EXPECT_EQ(0, gmem_convert_args(self->fd, &c));
	expect_states(self->fd, PRIVATE);
}

/* A range that has the target state already is left alone, the others are converted. */
TEST_F(ranges, some_are_done)
{
	test_gmem_convert(self->fd, 8 * PAGE, PAGE, PRIVATE, PRESERVE);
	ASSERT_EQ(0, convert_ranges(self->fd, some, 3, PRIVATE));
	expect_states(self->fd, PRIVATE);
}

/* Adjacent ranges stay two ranges; the maximum number of ranges is accepted. */
TEST_F(ranges, neighbours_and_limit)
{
	static struct gmem_convert_range many[GMEM_CONVERT_MAX_RANGES + 1];
	int fd = test_gmem_create(sizeof(many) / sizeof(many[0]) * PAGE,
				  GMEM_CREATE_F_INIT_SHARED);

	for (int i = 0; i <= GMEM_CONVERT_MAX_RANGES; i++)
		many[i] = (struct gmem_convert_range){ i * PAGE, PAGE };
	EXPECT_EQ(-EINVAL, convert_ranges(fd, many, GMEM_CONVERT_MAX_RANGES + 1,
					  PRIVATE));
	EXPECT_EQ(0, convert_ranges(fd, many, GMEM_CONVERT_MAX_RANGES, PRIVATE));
	expect_state(PRIVATE, fd, 0);
	expect_state(PRIVATE, fd, (GMEM_CONVERT_MAX_RANGES - 1) * PAGE);
	expect_state(SHARED, fd, GMEM_CONVERT_MAX_RANGES * PAGE);
	close(fd);
}

/* Refused without any change: wrong order, overlap, alignment, end, pointers. */
TEST_F(ranges, refused)
{
	static const struct {
		struct gmem_convert_range ranges[2];
		int err;
	} cases[] = {
		{ { { 8 * PAGE, PAGE }, { 0, PAGE } }, EINVAL },
		{ { { 0, 2 * PAGE }, { PAGE, PAGE } }, EINVAL },
		{ { { 0, PAGE }, { 0, PAGE } }, EINVAL },
		{ { { 0, PAGE }, { 8 * PAGE, 0 } }, EINVAL },
		{ { { 0, PAGE }, { 8 * PAGE + 1, PAGE } }, EINVAL },
		{ { { 0, PAGE }, { 8 * PAGE, PAGE + 1 } }, EINVAL },
		{ { { 0, PAGE }, { LENGTH, PAGE } }, EINVAL },
		{ { { 0, PAGE }, { LENGTH - PAGE, 2 * PAGE } }, EINVAL },
		{ { { 0, PAGE }, { -PAGE, 2 * PAGE } }, EOVERFLOW },
	};
	struct gmem_ioctl_convert c;

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		EXPECT_EQ(-cases[i].err, convert_ranges(self->fd, cases[i].ranges,
							2, PRIVATE));
	EXPECT_EQ(-EINVAL, convert_ranges(self->fd, some, 0, PRIVATE));
	EXPECT_EQ(-EFAULT, convert_ranges(self->fd, NULL, 1, PRIVATE));
	EXPECT_EQ(-EFAULT, convert_ranges(self->fd, (void *)-16UL, 2, PRIVATE));
	c = ranges_args(some, 3, PRIVATE);
	c.length = PAGE;
	EXPECT_EQ(-EINVAL, gmem_convert_args(self->fd, &c));
	c = ranges_args(some, 3, PRIVATE);
	c.offset = PAGE;
	EXPECT_EQ(-EINVAL, gmem_convert_args(self->fd, &c));
	for (int page = 0; page < NR_PAGES; page++)
		expect_state(SHARED, self->fd, page * PAGE);
	expect_bytes('A', self->p, LENGTH);
}

/* A hypervisor refuses the last range: the conversion of the others is undone. */
TEST_F(ranges, undone_in_a_hypervisor)
{
	int vm;

	if (mock_unavailable())
		SKIP(return, "%s", mock_unavailable());
	vm = test_mock_create();
	test_mock_bind(vm, GPA, self->fd, 0, LENGTH, 0);
	ASSERT_EQ(0, mock_fail(vm, GMEM_TEST_MAKE_PRIVATE, 3, EIO, 4));
	EXPECT_EQ(-EIO, convert_ranges(self->fd, some, 3, PRIVATE));
	expect_states(self->fd, SHARED);
	expect_bytes('A', self->p, LENGTH);
	EXPECT_EQ(0, convert_ranges(self->fd, some, 3, PRIVATE));
	expect_states(self->fd, PRIVATE);
	expect_guest('A', vm, GPA, LENGTH);
	expect_mock_kept(vm);
	close(vm);
}

static const struct gmem_convert_range even[] = {
	{ 0, 8 * PAGE }, { 32 * PAGE, 8 * PAGE },
};
static const struct gmem_convert_range odd[] = {
	{ 4 * PAGE, 8 * PAGE }, { 28 * PAGE, 8 * PAGE },
};

static void *odd_thread(void *arg)
{
	struct ranges_data *self = arg;

	while (!__atomic_load_n(&self->done, __ATOMIC_RELAXED)) {
		convert_ranges(self->fd, odd, 2, PRIVATE);
		convert_ranges(self->fd, odd, 2, SHARED);
	}
	return NULL;
}

/* Two threads convert interleaved ranges, and one of them also all pages: no deadlock. */
TEST_F(ranges, crossing)
{
	struct gmem_task task;

	ASSERT_EQ(0, gmem_task_start(&task, -1, odd_thread, self));
	for (int i = 0; i < 300; i++) {
		EXPECT_EQ(0, convert_ranges(self->fd, even, 2, PRIVATE));
		EXPECT_EQ(0, convert_ranges(self->fd, even, 2, SHARED));
		EXPECT_EQ(0, gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE));
	}
	__atomic_store_n(&self->done, 1, __ATOMIC_RELAXED);
	gmem_task_join(&task);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes('A', self->p, LENGTH);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
