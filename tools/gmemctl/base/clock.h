/* SPDX-License-Identifier: GPL-2.0 */
/* Time, and rates: how often something has happened in the last seconds. */
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

/** clock_now_ms() - the same in milliseconds, as poll() uses them */
static inline int64_t clock_now_ms(void)
{
	return (int64_t)(clock_now_ns() / 1000000);
}

/** RATE_SECONDS: full seconds that a rate covers, besides the current second */
#define RATE_SECONDS 5

/**
 * struct rate - number of events in each of the last seconds
 * @second: the second of an entry, of CLOCK_MONOTONIC
 * @count: events in this second
 */
struct rate {
	uint64_t second[RATE_SECONDS + 1];
	uint64_t count[RATE_SECONDS + 1];
};

/** rate_add() - count an event at @now_ns; callers serialise calls */
void rate_add(struct rate *rate, uint64_t now_ns);

/**
 * rate_per_second() - events per second in the last RATE_SECONDS
 * @start_ns: time before which there can be no events
 */
double rate_per_second(const struct rate *rate, uint64_t start_ns,
		       uint64_t now_ns);

#endif /* GMEMCTL_BASE_CLOCK_H */
