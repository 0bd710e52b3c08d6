// SPDX-License-Identifier: GPL-2.0
/*
 * Where a measurement spends its instructions (gmem_bench -p). A timer samples the CPU
 * every 10 to 20 microseconds, which under -icount are as many thousand instructions.
 * Only samples between bench_begin() and bench_end() count. Samples of code that runs
 * with interrupts off are attributed to the place where interrupts are enabled again. A
 * measurement is repeated until there are enough samples. Its values are useless, because
 * they contain the timer's interrupts.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define PERIOD_NS 10007
#define RING_SIZE (1024 * PAGE)
#define DEPTH 32
#define ENOUGH 3000
#define LIMIT_NS 1500000000ULL
#define ROWS_SHOWN 40
#define COUNTS_MAX 8

struct symbol {
	uint64_t address;
	char name[48];
};

/**
 * struct profile - samples of a count
 * @of: the count
 * @began: start of its first measurement
 * @since: start of the current measurement
 * @samples: number of samples
 * @self: for each symbol, number of samples in it
 * @below: for each symbol, number of samples in it or in its callees
 */
struct profile {
	const struct bench_count *of;
	uint64_t began, since, samples;
	uint32_t *self, *below;
};

/* A sample with the fields that sample_type selects. */
struct sample {
	struct perf_event_header header;
	uint64_t ip, time, nr;
	uint64_t chain[DEPTH];
};

static struct perf_event_mmap_page *ring;
static int event;
static struct symbol *symbols;
static size_t nr_symbols;
static struct profile profiles[COUNTS_MAX];

static uint64_t profile_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int symbol_compare(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static void profile_symbols(void)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	unsigned long long address;
	size_t room = 400000;
	char line[512], type;

	symbols = calloc(room, sizeof(*symbols));
	while (f && symbols && nr_symbols < room && fgets(line, sizeof(line), f)) {
		struct symbol *s = &symbols[nr_symbols];

		if (sscanf(line, "%llx %c %47s", &address, &type, s->name) != 3 ||
		    !strchr("tTwW", type))
			continue;
		s->address = address;
		nr_symbols++;
	}
	if (f)
		fclose(f);
	qsort(symbols, nr_symbols, sizeof(*symbols), symbol_compare);
}

/* Return: the number of the symbol that contains an address; 0 for all of userspace. */
static size_t symbol_of(uint64_t address)
{
	size_t low = 0, high = nr_symbols, middle;

	while (high - low > 1) {
		middle = (low + high) / 2;
		if (symbols[middle].address <= address)
			low = middle;
		else
			high = middle;
	}
	return low;
}

void profile_open(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = PERIOD_NS,
		.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TIME | PERF_SAMPLE_CALLCHAIN,
		.exclude_callchain_user = 1,
		.sample_max_stack = DEPTH - 2,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC_RAW,
	};

	/* Otherwise the kernel drops samples at this rate, and not at random. */
	gmem_write_file("/proc/sys/kernel/perf_cpu_time_max_percent", "0");
	gmem_write_file("/proc/sys/kernel/perf_event_max_sample_rate", "1000000");
	event = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1,
			     PERF_FLAG_FD_CLOEXEC);
	if (event < 0)
		bench_skip("no perf events to profile with");
	ring = mmap(NULL, PAGE + RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, event, 0);
	if (ring == MAP_FAILED)
		bench_fail("mmap() of perf's ring", -errno);
	profile_symbols();
}

static struct profile *profile_of(const struct bench_count *count)
{
	struct profile *p;

	for (p = profiles; p < profiles + COUNTS_MAX; p++) {
		if (p->of == count)
			return p;
	}
	for (p = profiles; p < profiles + COUNTS_MAX && p->of; p++)
		;
	if (p == profiles + COUNTS_MAX)
		bench_fail("too many counts to profile", -ENOSPC);
	p->of = count;
	p->began = profile_now();
	p->self = calloc(nr_symbols + 1, sizeof(*p->self));
	p->below = calloc(nr_symbols + 1, sizeof(*p->below));
	return p;
}

/* Count each function once, even if it is several times in the call chain. */
static void profile_add(struct profile *p, const struct sample *s)
{
	size_t seen[DEPTH], symbol;
	unsigned int nr = 0, i, k;

	p->samples++;
	p->self[symbol_of(s->ip)]++;
	for (i = 0; i < s->nr && i < DEPTH; i++) {
		/* A marker of the next entries, not an address */
		if (s->chain[i] >= PERF_CONTEXT_MAX)
			continue;
		symbol = symbol_of(s->chain[i]);
		for (k = 0; k < nr && seen[k] != symbol; k++)
			;
		if (k < nr)
			continue;
		seen[nr++] = symbol;
		p->below[symbol]++;
	}
}

static void profile_copy(void *to, uint64_t at, size_t size)
{
	const uint8_t *data = (const uint8_t *)ring + PAGE;
	size_t i;

	for (i = 0; i < size; i++)
		((uint8_t *)to)[i] = data[(at + i) % RING_SIZE];
}

/* Read all samples. Those within the measurement are added to the profile. */
static void profile_drain(struct profile *p, uint64_t end)
{
	uint64_t head = __atomic_load_n(&ring->data_head, __ATOMIC_ACQUIRE);
	uint64_t at = ring->data_tail;
	struct sample s;
	size_t size;

	while (at < head) {
		profile_copy(&s.header, at, sizeof(s.header));
		size = s.header.size < sizeof(s) ? s.header.size : sizeof(s);
		profile_copy(&s, at, size);
		if (p && s.header.type == PERF_RECORD_SAMPLE && s.time > p->since &&
		    s.time < end)
			profile_add(p, &s);
		at += s.header.size;
	}
	__atomic_store_n(&ring->data_tail, at, __ATOMIC_RELEASE);
}

/*
 * Start at a random time, with a random period. Otherwise the timer would sample the same
 * few places of work that always takes the same time, as it does under -icount.
 */
void profile_begin(const struct bench_count *count)
{
	struct profile *p = profile_of(count);
	unsigned long n = 1 + (unsigned long)rand() % (2 * PERIOD_NS);
	uint64_t period = PERIOD_NS + (uint64_t)rand() % PERIOD_NS;

	if (ioctl(event, PERF_EVENT_IOC_PERIOD, &period))
		bench_fail("PERF_EVENT_IOC_PERIOD", -errno);
	asm volatile("1: dec %0\n\tjnz 1b" : "+r" (n));
	profile_drain(NULL, 0);
	p->since = profile_now();
}

void profile_end(const struct bench_count *count)
{
	profile_drain(profile_of(count), profile_now());
}

bool profile_more(const struct bench_count *count)
{
	const struct profile *p = profile_of(count);

	return p->samples < ENOUGH && profile_now() - p->began < LIMIT_NS;
}

static void profile_line(const struct profile *p, size_t symbol)
{
	double all = (double)p->samples / 100;

	printf("# profile: %5.1f %5.1f  %s\n", p->self[symbol] / all,
	       p->below[symbol] / all, symbol ? symbols[symbol].name : "(user)");
}

/*
 * Print the functions with the most samples: per cent in the function, and with its
 * callees.
 */
void profile_report(const struct bench_count *count)
{
	struct profile *p = profile_of(count);
	unsigned int shown;
	size_t i, most;

	printf("# profile: %s | %s: %llu samples; in it, with what it calls\n", count->name,
	       count->peer, (unsigned long long)p->samples);
	for (shown = 0; shown < ROWS_SHOWN && p->samples; shown++) {
		for (most = i = 0; i < nr_symbols; i++) {
			if (p->below[i] > p->below[most])
				most = i;
		}
		if (p->below[most] * 100ULL < p->samples)
			break;
		profile_line(p, most);
		p->below[most] = 0;
	}
	free(p->self);
	free(p->below);
	*p = (struct profile){ 0 };
}
