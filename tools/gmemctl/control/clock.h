/* SPDX-License-Identifier: GPL-2.0 */
#ifndef GMEMCTL_CONTROL_CLOCK_H
#define GMEMCTL_CONTROL_CLOCK_H

#include <stdint.h>
#include <time.h>

/** control_now_ns() - CLOCK_MONOTONIC */
static inline uint64_t control_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) +
	       (uint64_t)now.tv_nsec;
}

#endif /* GMEMCTL_CONTROL_CLOCK_H */
