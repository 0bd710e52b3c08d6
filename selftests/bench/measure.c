// SPDX-License-Identifier: GPL-2.0
/*
 * Counting. In a VM of QEMU with -icount shift=0 the time stamp counter advances by one
 * with each instruction of the guest, in the kernel and in userspace. So a difference of
 * two readings is a number of instructions. It is exact, because QEMU updates the counter
 * before RDTSC. CLOCK_MONOTONIC_RAW is derived from the same counter by a multiplication
 * with the frequency that the kernel assumes, so it is less exact.
 *
 * measure_loop() finds out which of them to use. A loop of a million iterations has two
 * million instructions. If the counter advances by 2 000 000 and a small constant,
 * instructions are counted. On all other machines values are nanoseconds.
 *
 * A string instruction (rep movsb) counts as one instruction for each iteration.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

#include "bench.h"

#define LOOPS 1000000ULL

static bool counts, profiles;
static uint64_t empty, empty_own;

static uint64_t measure_tsc(void)
{
	uint64_t tsc;

	_mm_lfence();
	tsc = __rdtsc();
	_mm_lfence();
	return tsc;
}

static uint64_t measure_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t measure_ns(void)
{
	return measure_clock(CLOCK_MONOTONIC_RAW);
}

/* The same counter, but only while the thread has the CPU. */
static uint64_t measure_own(void)
{
	return measure_clock(CLOCK_THREAD_CPUTIME_ID);
}

static uint64_t measure_loop(uint64_t (*now)(void))
{
	uint64_t n = LOOPS, since = now();

	asm volatile("1: dec %0\n\tjnz 1b" : "+r" (n));
	return now() - since;
}

/* The least of some values, because an interrupt may have increased the others. */
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
	empty_own = measure_best(measure_own, false);
	printf("# measure: %s\n", bench_measure_name());
	printf("# measure: a loop of %llu instructions: %llu by the TSC, %llu by the clock\n",
	       2 * LOOPS, (unsigned long long)tsc, (unsigned long long)ns);
}

void bench_profile(void)
{
	profiles = true;
	profile_open();
}

bool bench_profiles(void)
{
	return profiles;
}

bool bench_counts(void)
{
	return counts;
}

const char *bench_measure_name(void)
{
	return counts ? "instructions" : "ns";
}

uint64_t bench_now(void)
{
	return counts ? measure_tsc() : measure_ns();
}

struct bench_count bench_new(const char *name, const char *peer, const char *unit,
			     uint64_t units)
{
	return (struct bench_count){
		.name = name,
		.peer = peer,
		.unit = unit,
		.units = units,
		.repeats = BENCH_REPEATS,
	};
}

/* The first measurement only fills the kernel's caches. */
bool bench_more(const struct bench_count *count)
{
	if (count->nr < count->repeats + 1)
		return true;
	return profiles && profile_more(count);
}

void bench_begin(struct bench_count *count)
{
	if (profiles)
		profile_begin(count);
	count->began = count->own ? measure_own() : bench_now();
}

void bench_end(struct bench_count *count)
{
	uint64_t value = (count->own ? measure_own() : bench_now()) - count->began;
	uint64_t less = count->own ? empty_own : empty;

	if (profiles)
		profile_end(count);
	value = value > less ? value - less : 0;
	count->values[count->nr++ % count->repeats] = value;
}

static int measure_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Printed rows, for bench_value(). */
static struct {
	char name[64], peer[32];
	double value;
} rows[BENCH_ROWS];
static unsigned int nr_rows;

static void measure_row(const char *name, const char *peer, const char *unit,
			double value, double spread)
{
	if (nr_rows < BENCH_ROWS) {
		snprintf(rows[nr_rows].name, sizeof(rows[0].name), "%s", name);
		snprintf(rows[nr_rows].peer, sizeof(rows[0].peer), "%s", peer);
		rows[nr_rows++].value = value;
	}
	printf("# bench: %s | %s | %s | %.3f | %.2f\n", name, peer, unit, value, spread);
}

double bench_value(const char *name, const char *peer)
{
	unsigned int i;

	for (i = 0; i < nr_rows; i++) {
		if (!strcmp(rows[i].name, name) && !strcmp(rows[i].peer, peer))
			return rows[i].value;
	}
	return -1;
}

/*
 * Print the lower quartile, because a timer interrupt increases a few of the
 * measurements. The spread is the larger distance from there to the least value or to the
 * median.
 */
void bench_report(struct bench_count *count)
{
	unsigned int nr = count->nr < count->repeats ? count->nr : count->repeats;
	uint64_t *v = count->values, low, value, high;

	if (profiles) {
		profile_report(count);
		return;
	}
	qsort(v, nr, sizeof(*v), measure_compare);
	low = v[0];
	value = v[nr / 4];
	high = v[nr / 2];
	if (high - value < value - low)
		high = value + (value - low);
	measure_row(count->name, count->peer, count->unit,
		    (double)value / (double)count->units,
		    value ? 100.0 * (double)(high - value) / (double)value : 0);
}

void bench_report_value(const char *name, const char *peer, const char *unit,
			double value)
{
	measure_row(name, peer, unit, value, 0);
}
