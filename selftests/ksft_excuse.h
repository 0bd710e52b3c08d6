/* SPDX-License-Identifier: GPL-2.0 */
/* What is not a test's fault, for ksft.h and for libraries that know of it. */
#ifndef KSFT_EXCUSE_H
#define KSFT_EXCUSE_H

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

/**
 * struct ksft_excuse - why a test that fails is run once more
 * @why: the reason, empty: there is none
 * @lost_ms: of the test's time, by ksft_time_lost(), in milliseconds
 */
struct ksft_excuse {
	char why[128];
	uint64_t lost_ms;
};

/*
 * Of the test that runs, shared by all its processes. Weak: a library has it, too, and
 * finds NULL where there is no ksft.h.
 */
struct ksft_excuse *ksft_excuse __attribute__((weak));

/* The test, should it fail, is run once more, which is shown; then it counts. */
static inline void ksft_excuse_set(const char *why)
{
	if (ksft_excuse)
		snprintf(ksft_excuse->why, sizeof(ksft_excuse->why), "%s", why);
}

/*
 * So many milliseconds do not count, neither for the test nor for the program: init
 * looks for this line (vm/init/program.c).
 */
static inline void ksft_time_lost(uint64_t ms, const char *why)
{
	if (ksft_excuse)
		__atomic_fetch_add(&ksft_excuse->lost_ms, ms, __ATOMIC_RELAXED);
	dprintf(STDOUT_FILENO, "# time lost: %llu ms: %s\n",
		(unsigned long long)ms, why);
}

#endif /* KSFT_EXCUSE_H */
