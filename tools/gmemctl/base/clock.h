/* SPDX-License-Identifier: GPL-2.0 */
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

#endif /* GMEMCTL_BASE_CLOCK_H */
