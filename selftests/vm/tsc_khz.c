// SPDX-License-Identifier: GPL-2.0
/*
 * Print the rate of this host's time stamp counter in kHz. QEMU's emulated CPUs have the
 * same counter. A kernel that measures it on a busy host can be wrong by any factor.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define WHILE_NS 200000000
#define TRIES 100

struct sample {
	uint64_t ns;
	uint64_t tsc;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The most exact of many readings: the one that has taken the shortest time. */
static struct sample sample(void)
{
	struct sample best = { 0 };
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = now_ns(), tsc = __rdtsc(), took = now_ns() - before;

		if (took >= least)
			continue;
		least = took;
		best = (struct sample){ before + took / 2, tsc };
	}
	return best;
}

int main(void)
{
	struct timespec pause = { .tv_nsec = WHILE_NS };
	struct sample first = sample(), last;

	nanosleep(&pause, NULL);
	last = sample();
	printf("%.0f\n", (double)(last.tsc - first.tsc) * 1e6 /
	       (double)(last.ns - first.ns));
	return 0;
}
