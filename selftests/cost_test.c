// SPDX-License-Identifier: GPL-2.0
/*
 * The cost of operations in instructions. Each cost is a ratio to a memfd's first touch
 * in the same run. So a newer kernel or compiler, which makes everything slower, causes
 * no failure. The cases are those of `make bench`.
 *
 * Instructions are reproducible to 1 %, and Debian's 6.12 and 7.3 differ by 14 %. An
 * operation fails if it costs a third more. It also fails if it costs that much less:
 * then record the new cost here. Otherwise a cost of twice the new value would still
 * pass.
 */
#include <stdlib.h>

#include "bench/bench.h"
#include "ksft.h"

KSFT_COUNTS();

/* The unit is a millionth of a memfd's first touch. */
#define UNIT 1000000
#define MARGIN_PERCENT 130

static const struct bench_case memfd = { "memfd", touch_first, MEMORY_MEMFD };
static const struct bench_case gmem = { "gmem", touch_first, MEMORY_GMEM };

/* These replace those of main.c for a case that a test runs. */
void bench_skip(const char *why)
{
	ksft_skip("%s", why);
	fflush(stdout);
	_exit(KSFT_SKIP);
}

void bench_fail(const char *what, long rc)
{
	TH_LOG("%s: %ld", what, rc);
	EXPECT_EQ(0, rc);
	fflush(stdout);
	_exit(KSFT_FAIL);
}

/* Return: -1 if cheaper than recorded, 1 if more expensive, else 0. */
static int cost_judge(long long cost, long long recorded)
{
	if (cost * 100 > recorded * MARGIN_PERCENT)
		return 1;
	return cost * MARGIN_PERCENT < recorded * 100 ? -1 : 0;
}

/* The value of a row of the case that has run, in UNIT. */
static long long cost_of(const char *work, const char *who)
{
	double value = bench_value(work, who), unit = bench_value("first touch", "memfd");

	ASSERT_GT(value, 0);
	ASSERT_GT(unit, 0);
	return (long long)(value * UNIT / unit);
}

#define expect_cost(recorded, work, who) do {				\
	long long __cost = cost_of(work, who);				\
									\
	TH_LOG("%s, %s: recorded %d, now %lld", work, who, recorded, __cost); \
	EXPECT_EQ(0, cost_judge(__cost, recorded));			\
} while (0)

FIXTURE(cost) {
	int nothing;
};

FIXTURE_SETUP(cost)
{
	bench_measure_setup();
	if (!bench_counts())
		SKIP(return, KSFT_BY_DESIGN " instructions are counted in a VM with -icount");
	touch_first(&memfd);
}

FIXTURE_TEARDOWN(cost)
{
}

TEST_F(cost, first_touch)
{
	touch_first(&gmem);
	expect_cost(948000, "first touch", "gmem");
}

TEST_F(cost, repeat_mapping)
{
	touch_again(&gmem);
	expect_cost(440000, "repeat mapping, write", "gmem");
	expect_cost(92500, "repeat mapping, read", "gmem");
}

TEST_F(cost, commit)
{
	commit_both(&gmem);
	expect_cost(448000, "commit 2 MiB", "gmem");
	expect_cost(235000, "decommit 2 MiB", "gmem");
}

TEST_F(cost, convert)
{
	convert_resident(&gmem);
	expect_cost(104000, "2 MiB to private, mapped", "gmem");
	expect_cost(22700, "2 MiB to private, not mapped", "gmem");
	expect_cost(985, "2 MiB to shared, not mapped", "gmem");
}

TEST_F(cost, convert_one)
{
	convert_one(&gmem);
	expect_cost(1110000, "one page to private, mapped", "gmem");
	expect_cost(671000, "one page to shared, mapped", "gmem");
}

TEST_F(cost, convert_many)
{
	pattern_convert(&gmem);
	expect_cost(708000, "256 pages, a call each: every other one", "gmem");
	expect_cost(553000, "256 pages, one call: every other one", "gmem");
}

TEST_F(cost, empty)
{
	sparse_empty(&gmem);
	expect_cost(194000, "1 TiB to private, not populated", "gmem");
}

TEST_F(cost, view)
{
	view_convert(&gmem);
	expect_cost(140000, "2 MiB to private and filled, mapped", "gmem view");
	expect_cost(19100, "2 MiB to shared and filled, mapped", "gmem view");
	expect_cost(17300, "2 MiB filled", "gmem view");
}

TEST_F(cost, view_one)
{
	view_one(&gmem);
	expect_cost(1600000, "one page to private and filled, mapped", "gmem view");
	expect_cost(961000, "one page to shared and filled, mapped", "gmem view");
}

TEST_F(cost, held)
{
	held_convert(&gmem);
	expect_cost(4730000, "EAGAIN: last page of 2 MiB is pinned", "gmem");
	held_beside(&gmem);
	expect_cost(813000, "one page to private, while 64 wait for another", "gmem");
}

TEST_F(cost, query)
{
	query_fragments(&gmem);
	expect_cost(167000, "query 16 MiB, alternating", "gmem");
}

/* cost_judge() itself: the same cost, a bit more, twice as much, half as much. */
TEST(guard)
{
	EXPECT_EQ(0, cost_judge(100, 100));
	EXPECT_EQ(0, cost_judge(115, 100));
	EXPECT_EQ(0, cost_judge(87, 100));
	EXPECT_EQ(1, cost_judge(200, 100));
	EXPECT_EQ(-1, cost_judge(50, 100));
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
