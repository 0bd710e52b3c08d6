// SPDX-License-Identifier: GPL-2.0
/*
 * GMEM_IOCTL_QUERY: ranges in order, clipped to the request, with the right state and
 * population. The cursor continues exactly where a call has ended.
 */
#include <fcntl.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "ksft.h"

#define NR_PAGES 2000
#define LENGTH (NR_PAGES * PAGE)

FIXTURE(query) {
	int fd;
	uint8_t model[NR_PAGES];	/* bit 0: state, bit 1: populated */
	struct gmem_range *ranges;
};

FIXTURE_SETUP(query)
{
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->ranges = calloc(GMEM_QUERY_MAX_RANGES, sizeof(*self->ranges));
	ASSERT_TRUE(self->ranges);
}

FIXTURE_TEARDOWN(query)
{
	free(self->ranges);
	close(self->fd);
}

static void to_private(struct query_data *self, int first, int count)
{
	int i;

	test_gmem_convert(self->fd, first * PAGE, count * PAGE, PRIVATE,
			  PRESERVE);
	for (i = first; i < first + count; i++)
		self->model[i] |= 1;
}

static void commit(struct query_data *self, int first, int count)
{
	int i;

	test_gmem_commit(self->fd, first * PAGE, count * PAGE);
	for (i = first; i < first + count; i++)
		self->model[i] |= 2;
}

/* Whether a reported range agrees with the model. */
static bool range_is_right(struct query_data *self, const struct gmem_range *r)
{
	uint64_t i, populated = 0;

	if (!r->length || r->length % PAGE || r->offset % PAGE ||
	    r->offset + r->length > LENGTH || r->store != GMEM_STORE_RESIDENT)
		return false;
	for (i = r->offset / PAGE; i < (r->offset + r->length) / PAGE; i++) {
		if ((self->model[i] & 1) != r->state)
			return false;
		populated += self->model[i] >> 1;
	}
	return populated == r->populated;
}

/*
 * Query [offset, offset + length) with space for nr ranges in each call, and compare with
 * the model. Return: the number of calls.
 */
static int walk(struct query_data *self, uint64_t offset, uint64_t length,
		uint32_t nr)
{
	struct gmem_ioctl_query q = {
		.size = sizeof(q),
		.offset = offset,
		.length = length,
		.ranges = (uintptr_t)self->ranges,
	};
	uint64_t at = offset, end = offset + length;
	uint32_t last = ~0U, i;
	int calls = 0;

	while (q.length) {
		q.nr_ranges = nr;
		ASSERT_EQ(0, gmem_ioctl(self->fd, GMEM_IOCTL_QUERY, &q));
		ASSERT_GE(q.nr_ranges, 1);
		ASSERT_LE(q.nr_ranges, nr);
		for (i = 0; i < q.nr_ranges; i++) {
			ASSERT_EQ(at, self->ranges[i].offset);
			ASSERT_TRUE(range_is_right(self, &self->ranges[i]));
			ASSERT_NE(last, self->ranges[i].state);
			last = self->ranges[i].state;
			at += self->ranges[i].length;
		}
		ASSERT_EQ(at, q.offset);
		ASSERT_EQ(end - at, q.length);
		calls++;
	}
	EXPECT_EQ(end, at);
	return calls;
}

/* A uniform file is one range, whatever its population. */
TEST_F(query, uniform)
{
	EXPECT_EQ(1, walk(self, 0, LENGTH, 8));
	commit(self, 100, 7);
	commit(self, 1000, 1);
	EXPECT_EQ(1, walk(self, 0, LENGTH, 8));
	EXPECT_EQ(1, walk(self, 0, LENGTH, 1));
	EXPECT_EQ(LENGTH, self->ranges[0].length);
	EXPECT_EQ(8, self->ranges[0].populated);
	to_private(self, 0, NR_PAGES);
	EXPECT_EQ(1, walk(self, 0, LENGTH, 8));
	EXPECT_EQ(PRIVATE, self->ranges[0].state);
	EXPECT_EQ(8, self->ranges[0].populated);
}

/* Adjacent conversions to the same state are reported as one range. */
TEST_F(query, neighbours_merge)
{
	to_private(self, 10, 5);
	to_private(self, 15, 5);
	to_private(self, 500, 30);
	to_private(self, 530, 1);
	EXPECT_EQ(1, walk(self, 0, LENGTH, 5));
	EXPECT_EQ(10 * PAGE, self->ranges[1].offset);
	EXPECT_EQ(10 * PAGE, self->ranges[1].length);
	EXPECT_EQ(500 * PAGE, self->ranges[3].offset);
	EXPECT_EQ(31 * PAGE, self->ranges[3].length);
}

/* Small arrays: the next call continues where the last one has ended. */
TEST_F(query, cursor)
{
	int i;

	for (i = 0; i < 20; i++)
		to_private(self, 90 * i + 3, 1 + i);
	commit(self, 3, 50);
	commit(self, 700, 300);
	EXPECT_EQ(41, walk(self, 0, LENGTH, 1));
	EXPECT_EQ(21, walk(self, 0, LENGTH, 2));
	EXPECT_EQ(6, walk(self, 0, LENGTH, 7));
	EXPECT_EQ(1, walk(self, 0, LENGTH, 41));
	EXPECT_EQ(1, walk(self, 0, LENGTH, GMEM_QUERY_MAX_RANGES));
}

/* Ranges are clipped to the request at both ends. */
TEST_F(query, clipped)
{
	static const int cuts[] = { 0, 1, 511, 512, 513, 600, 1023, 1024, 1999 };
	size_t i, j;

	to_private(self, 400, 300);
	commit(self, 505, 20);
	for (i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		EXPECT_EQ(1, walk(self, cuts[i] * PAGE, PAGE, 4));
		for (j = i + 1; j < sizeof(cuts) / sizeof(cuts[0]); j++)
			EXPECT_EQ(1, walk(self, cuts[i] * PAGE,
					  (cuts[j] - cuts[i]) * PAGE, 4));
		EXPECT_EQ(1, walk(self, cuts[i] * PAGE,
				  (NR_PAGES - cuts[i]) * PAGE, 4));
	}
}

/* Every page differs from its neighbour, over several blocks, with small arrays. */
TEST_F(query, alternating)
{
	int i;

	for (i = 0; i < NR_PAGES; i += 2)
		to_private(self, i, 1);
	for (i = 0; i < NR_PAGES; i += 100)
		commit(self, i, 3);
	EXPECT_EQ(1, walk(self, 0, LENGTH, NR_PAGES));
	EXPECT_EQ(NR_PAGES / 16, walk(self, 0, LENGTH, 16));
	EXPECT_EQ(NR_PAGES, walk(self, 0, LENGTH, 1));
}

/* Random states and population against the model. */
TEST_F(query, random)
{
	uint64_t rng = ksft_seed();
	int n, first, count;

	for (n = 0; n < 200; n++) {
		first = gmem_rand(&rng) % NR_PAGES;
		count = 1 + gmem_rand(&rng) % 20;
		if (count > NR_PAGES - first)
			count = NR_PAGES - first;
		if (n % 2)
			to_private(self, first, count);
		else
			commit(self, first, count);
	}
	walk(self, 0, LENGTH, 1 + gmem_rand(&rng) % 10);
	walk(self, 0, LENGTH, GMEM_QUERY_MAX_RANGES);
	first = gmem_rand(&rng) % NR_PAGES;
	walk(self, first * PAGE, (NR_PAGES - first) * PAGE, 3);
}

/* A few populated pages in 16 TiB are found quickly. */
TEST_F(query, sparse)
{
	static const uint64_t at[] = { SZ_2M, SZ_1G - PAGE, SZ_1T,
				       7 * SZ_1T + 5 * PAGE,
				       GMEM_LENGTH_MAX - PAGE };
	int fd = test_gmem_create(GMEM_LENGTH_MAX, GMEM_CREATE_F_INIT_SHARED);
	uint64_t start = ksft_now_ms();
	int i, n;

	for (i = 0; i < 5; i++) {
		test_gmem_convert(fd, at[i], PAGE, PRIVATE, PRESERVE);
		test_gmem_commit(fd, at[i], PAGE);
	}
	n = gmem_query_all(fd, self->ranges, 16);
	ASSERT_EQ(10, n);
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(at[i], self->ranges[2 * i + 1].offset);
		EXPECT_EQ(PAGE, self->ranges[2 * i + 1].length);
		EXPECT_EQ(PRIVATE, self->ranges[2 * i + 1].state);
		EXPECT_EQ(1, self->ranges[2 * i + 1].populated);
		EXPECT_EQ(0, self->ranges[2 * i].populated);
	}
	EXPECT_LT(ksft_now_ms() - start, 60000);
}

/* Entries after the returned number are not written. */
TEST_F(query, array_tail_untouched)
{
	struct gmem_range *r = self->ranges;

	to_private(self, 5, 5);
	memset(r, 0xc5, 8 * sizeof(*r));
	EXPECT_EQ(1, walk(self, 0, LENGTH, 8));
	expect_bytes(0xc5, r + 3, 5 * sizeof(*r));
}

/* Entries may be larger than the kernel's structure: the unknown part reads zero. */
TEST_F(query, larger_entries)
{
	struct {
		struct gmem_range range;
		uint64_t later[3];
	} entries[4];
	struct gmem_ioctl_query q = {
		.size = sizeof(q),
		.length = 8 * PAGE,
		.ranges = (uintptr_t)entries,
		.nr_ranges = 3,
		.entry_size = sizeof(entries[0]),
	};
	int fd = test_gmem_create(8 * PAGE, GMEM_CREATE_F_INIT_SHARED);

	test_gmem_convert(fd, 2 * PAGE, PAGE, PRIVATE, PRESERVE);
	memset(entries, 0xee, sizeof(entries));
	ASSERT_EQ(0, gmem_ioctl(fd, GMEM_IOCTL_QUERY, &q));
	ASSERT_EQ(3, q.nr_ranges);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(i == 1 ? PRIVATE : SHARED, entries[i].range.state);
		EXPECT_EQ(0, entries[i].later[0] | entries[i].later[1] |
			     entries[i].later[2]);
	}
	EXPECT_EQ(2 * PAGE, entries[1].range.offset);
	EXPECT_EQ(0xeeeeeeeeeeeeeeeeULL, entries[3].range.offset);
	close(fd);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
