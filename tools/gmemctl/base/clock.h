/* SPDX-License-Identifier: GPL-2.0 */
/* How often something happens, lately: whoever looks, and how often. */
#ifndef GMEMCTL_BASE_CLOCK_H
#define GMEMCTL_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/** clock_now_ns() - CLOCK_MONOTONIC */
static inline uint64_t clock_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) +
	       (uint64_t)now.tv_nsec;
}

/** clock_now_ms() - the same, for what poll() takes */
static inline int64_t clock_now_ms(void)
{
	return (int64_t)(clock_now_ns() / 1000000);
}

/** RATE_SECONDS: what a rate is about, with what has passed of this second */
#define RATE_SECONDS 5

/**
 * struct rate - events by the second
 * @second: since when they count, of CLOCK_MONOTONIC
 * @count: events in it
 */
struct rate {
	uint64_t second[RATE_SECONDS + 1];
	uint64_t count[RATE_SECONDS + 1];
};

/** rate_add() - it has happened, at @now_ns; callers take turns */
void rate_add(struct rate *rate, uint64_t now_ns);

/**
 * rate_per_second() - how often it has happened in the last RATE_SECONDS
 * @start_ns: when it could have happened first
 */
double rate_per_second(const struct rate *rate, uint64_t start_ns,
		       uint64_t now_ns);

#endif /* GMEMCTL_BASE_CLOCK_H */
