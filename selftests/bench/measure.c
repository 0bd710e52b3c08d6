// SPDX-License-Identifier: GPL-2.0
/*
 * Counting. In a VM of QEMU with -icount shift=0 the time stamp counter advances by one
 * with each instruction of the guest, kernel and user alike, so that a difference of it is
 * a number of instructions. It is exact: QEMU settles its account before it executes
 * RDTSC. CLOCK_MONOTONIC_RAW shows the same counter by way of a multiplication with the
 * frequency that the kernel believes in, so it is exact only as far as that is.
 *
 * measure_loop() tells which of them holds: a loop of a million iterations is two million
 * instructions. By the counter it is 2 000 000 and a constant few of them, each time; on
 * any other machine it is something else, and then values are nanoseconds.
 *
 * A string instruction (rep movsb) counts one for each round.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <x86intrin.h>

#include "bench.h"

#define LOOPS 1000000ULL

static bool counts;
static uint64_t empty;

static uint64_t measure_tsc(void)
{
	uint64_t tsc;

	_mm_lfence();
	tsc = __rdtsc();
	_mm_lfence();
	return tsc;
}

static uint64_t measure_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t measure_loop(uint64_t (*now)(void))
{
	uint64_t n = LOOPS, since = now();

	asm volatile("1: dec %0\n\tjnz 1b" : "+r" (n));
	return now() - since;
}

/* The best of some, for an interrupt may have come in between. */
static uint64_t measure_best(uint64_t (*now)(void), bool loop)
{
	uint64_t best = ~0ULL, value, since;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		since = now();
		value = loop ? measure_loop(now) : now() - since;
		best = value < best ? value : best;
	}
	return best;
}

void bench_measure_setup(void)
{
	uint64_t tsc = measure_best(measure_tsc, true);
	uint64_t ns = measure_best(measure_ns, true);

	counts = tsc >= 2 * LOOPS && tsc < 2 * LOOPS + 100;
	empty = measure_best(bench_now, false);
	printf("# measure: %s\n", bench_measure_name());
	printf("# measure: a loop of %llu instructions: %llu by the TSC, %llu by CLOCK_MONOTONIC_RAW; nothing: %llu\n",
	       2 * LOOPS, (unsigned long long)tsc, (unsigned long long)ns,
	       (unsigned long long)empty);
}

const char *bench_measure_name(void)
{
	return counts ? "instructions" : "ns";
}

uint64_t bench_now(void)
{
	return counts ? measure_tsc() : measure_ns();
}

void bench_begin(struct bench_count *count)
{
	count->began = bench_now();
}

/* The first time is for the caches of the kernel. */
void bench_end(struct bench_count *count)
{
	uint64_t value = bench_now() - count->began;

	value = value > empty ? value - empty : 0;
	count->values[count->nr % BENCH_REPEATS] = value;
	count->nr++;
}

static int measure_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * The median, and how far apart the middle half of the values is: a timer interrupt hits
 * one measurement in some, and is not what is asked for.
 */
void bench_report(struct bench_count *count)
{
	unsigned int nr = count->nr < BENCH_REPEATS ? count->nr : BENCH_REPEATS;
	uint64_t *v = count->values;
	double median, spread;

	qsort(v, nr, sizeof(*v), measure_compare);
	median = (double)v[nr / 2];
	spread = median > 0 ? 100.0 * (double)(v[nr * 3 / 4] - v[nr / 4]) / median : 0;
	printf("# bench: %s | %s | %s | %.1f | %.2f\n", count->name, count->peer,
	       count->unit, median / (double)count->units, spread);
}

void bench_report_value(const char *name, const char *peer, const char *unit,
			double value)
{
	printf("# bench: %s | %s | %s | %.1f | 0\n", name, peer, unit, value);
}
