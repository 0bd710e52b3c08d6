// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>

#include "../base/clock.h"
#include "ksft.h"

#define S UINT64_C(1000000000)

static bool is(double rate, double expected)
{
	return rate > expected - 0.001 && rate < expected + 0.001;
}

/* Looking changes nothing, and what is long past does not count. */
TEST_OF(rate, window)
{
	struct rate rate = { { 0 }, { 0 } };

	EXPECT_TRUE(is(rate_per_second(&rate, 100 * S, 100 * S), 0));
	for (uint64_t i = 0; i < 100; i++)
		rate_add(&rate, 100 * S + i * S / 10);
	/* 50 in five seconds, and 5 in half a one. */
	EXPECT_TRUE(is(rate_per_second(&rate, 100 * S, 109 * S + S / 2), 60 / 5.5));
	EXPECT_TRUE(is(rate_per_second(&rate, 100 * S, 109 * S + S / 2), 60 / 5.5));
	EXPECT_TRUE(is(rate_per_second(&rate, 100 * S, 112 * S), 30 / 5.0));
	EXPECT_TRUE(is(rate_per_second(&rate, 100 * S, 115 * S), 0));
	rate_add(&rate, 115 * S);
	EXPECT_TRUE(is(rate_per_second(&rate, 100 * S, 116 * S), 1 / 5.0));
}

/* A VM that is young has no seconds in which nothing could happen. */
TEST_OF(rate, young)
{
	struct rate rate = { { 0 }, { 0 } };
	uint64_t start = 50 * S + S / 4;

	rate_add(&rate, start);
	rate_add(&rate, start + S / 2);
	EXPECT_TRUE(is(rate_per_second(&rate, start, start + S), 2));
	EXPECT_TRUE(is(rate_per_second(&rate, start, start), 0));
	/* Nor has a machine that is. */
	rate = (struct rate){ { 0 }, { 0 } };
	rate_add(&rate, S / 2);
	EXPECT_TRUE(is(rate_per_second(&rate, 0, S), 1));
}
