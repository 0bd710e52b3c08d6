/* SPDX-License-Identifier: GPL-2.0 */
/* Failures that are not a test's fault, for ksft.h and for libraries that detect them. */
#ifndef KSFT_EXCUSE_H
#define KSFT_EXCUSE_H

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

/**
 * struct ksft_excuse - why a failed test is run once more
 * @why: the reason; empty if there is none
 * @lost_ms: sum of ksft_time_lost() in this test, in milliseconds
 */
struct ksft_excuse {
	char why[128];
	uint64_t lost_ms;
};

/*
 * The excuse of the running test, shared by all of its processes. The symbol is weak,
 * because a library contains it, too; without ksft.h it is NULL.
 */
struct ksft_excuse *ksft_excuse __attribute__((weak));

/* If the test fails, it is run once more, and the log says so. The second result counts. */
static inline void ksft_excuse_set(const char *why)
{
	if (ksft_excuse)
		snprintf(ksft_excuse->why, sizeof(ksft_excuse->why), "%s", why);
}

/*
 * Do not count this number of milliseconds, neither for the test nor for the program.
 * init parses this line (vm/init/program.c).
 */
static inline void ksft_time_lost(uint64_t ms, const char *why)
{
	if (ksft_excuse)
		__atomic_fetch_add(&ksft_excuse->lost_ms, ms, __ATOMIC_RELAXED);
	dprintf(STDOUT_FILENO, "# time lost: %llu ms: %s\n",
		(unsigned long long)ms, why);
}

#endif /* KSFT_EXCUSE_H */
