// SPDX-License-Identifier: GPL-2.0
/*
 * Threads on CPUs of their own, measured by the clock: instructions say nothing about
 * work on several CPUs. A loop that shares nothing shows how much the machine itself
 * gains by more CPUs.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

#define THREADS_MAX 4
#define ROUNDS 20
#define LOOP 2000000UL
#define FAULTS 2048

struct thread_group;
typedef void (*thread_fn)(struct thread_group *group, unsigned int number);

/**
 * struct thread_group - threads that do the same work
 * @memory: their memory, 2 MiB for each thread
 * @fn: a round of the work
 * @start: barrier before the first round
 * @sleeps: number of times that the threads have slept
 * @stop: set to end threads that run without a limit
 */
struct thread_group {
	struct memory memory;
	thread_fn fn;
	pthread_barrier_t start;
	long sleeps;
	int stop;
};

struct thread {
	struct thread_group *group;
	unsigned int number;
	struct gmem_task task;
};

/* Return: the CPU of a thread; -1 if there are too few. */
static int thread_cpu(unsigned int number)
{
	cpu_set_t set;
	int cpu;

	if (sched_getaffinity(0, sizeof(set), &set))
		return -1;
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &set) && !number--)
			return cpu;
	}
	return -1;
}

static void thread_need(unsigned int nr)
{
	if (bench_counts())
		bench_skip("threads are measured by the clock");
	if (thread_cpu(nr - 1) < 0)
		bench_skip("not enough CPUs");
}

static void thread_loop(struct thread_group *group, unsigned int number)
{
	unsigned long n = LOOP;

	asm volatile("1: dec %0\n\tjnz 1b" : "+r" (n));
}

static void thread_there_and_back(struct thread_group *group, unsigned int number)
{
	uint64_t at = number * SZ_2M;

	must(gmem_convert(group->memory.fd, at, SZ_2M, PRIVATE, PRESERVE));
	must(gmem_convert(group->memory.fd, at, SZ_2M, SHARED, PRESERVE));
}

static void *thread_main(void *arg)
{
	struct thread *thread = arg;
	struct thread_group *group = thread->group;
	struct rusage before, after;
	unsigned int i;

	pthread_barrier_wait(&group->start);
	getrusage(RUSAGE_THREAD, &before);
	for (i = 0; i < ROUNDS; i++)
		group->fn(group, thread->number);
	getrusage(RUSAGE_THREAD, &after);
	__atomic_fetch_add(&group->sleeps, after.ru_nvcsw - before.ru_nvcsw,
			   __ATOMIC_RELAXED);
	pthread_barrier_wait(&group->start);
	return NULL;
}

/* Measure the time of a round, if @nr threads run ROUNDS rounds each. */
static void thread_rounds(struct thread_group *group, unsigned int nr, const char *what)
{
	struct bench_count count;
	struct thread threads[THREADS_MAX];
	unsigned int i;
	char name[64];

	snprintf(name, sizeof(name), "%s, %u thread%s", what, nr, nr == 1 ? "" : "s");
	count = bench_new(name, "gmem", "round", (uint64_t)nr * ROUNDS);
	group->sleeps = 0;
	while (bench_more(&count)) {
		pthread_barrier_init(&group->start, NULL, nr + 1);
		for (i = 0; i < nr; i++) {
			threads[i] = (struct thread){ .group = group, .number = i };
			must(gmem_task_start(&threads[i].task, thread_cpu(i), thread_main,
					     &threads[i]));
		}
		pthread_barrier_wait(&group->start);
		bench_begin(&count);
		pthread_barrier_wait(&group->start);
		bench_end(&count);
		for (i = 0; i < nr; i++)
			gmem_task_join(&threads[i].task);
		pthread_barrier_destroy(&group->start);
	}
	bench_report(&count);
	snprintf(name, sizeof(name), "%s, %u thread%s: sleeps", what, nr,
		 nr == 1 ? "" : "s");
	bench_report_value(name, "gmem", "round", (double)group->sleeps /
			   (double)((count.repeats + 1) * nr * ROUNDS));
}

/* Each thread converts its own 2 MiB to private and to shared. */
void thread_convert(const struct bench_case *c)
{
	struct thread_group group = { 0 };
	unsigned int nr;

	thread_need(2);
	memory_open(&group.memory, c->kind, THREADS_MAX * SZ_2M);
	must(gmem_commit(group.memory.fd, 0, group.memory.length));
	for (nr = 1; nr <= THREADS_MAX && thread_cpu(nr - 1) >= 0; nr *= 2) {
		group.fn = thread_loop;
		thread_rounds(&group, nr, "a loop");
		group.fn = thread_there_and_back;
		thread_rounds(&group, nr, "2 MiB there and back");
	}
	memory_close(&group.memory);
}

static int fault_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void fault_report(const char *which, const char *beside, uint64_t value)
{
	char name[64];

	snprintf(name, sizeof(name), "fault elsewhere, %s: %s", which, beside);
	bench_report_value(name, "gmem", "page", (double)value);
}

/* Measure FAULTS first touches, one by one. */
static void fault_times(struct memory *m, const char *beside)
{
	uint64_t *times = calloc(FAULTS, sizeof(*times));
	volatile uint8_t *at = m->map + SZ_2M;
	uint64_t since;
	unsigned int i;

	must(gmem_punch(m->fd, SZ_2M, FAULTS * PAGE));
	for (i = 0; i < FAULTS; i++) {
		since = bench_now();
		at[i * PAGE] = 1;
		times[i] = bench_now() - since;
	}
	qsort(times, FAULTS, sizeof(*times), fault_compare);
	fault_report("median", beside, times[FAULTS / 2]);
	fault_report("99 of 100", beside, times[FAULTS * 99 / 100]);
	free(times);
}

static void *fault_converter(void *arg)
{
	struct thread_group *group = arg;

	while (!__atomic_load_n(&group->stop, __ATOMIC_ACQUIRE))
		thread_there_and_back(group, 0);
	return NULL;
}

/* Page faults in one part of a file, during conversions of another part. */
void thread_fault(const struct bench_case *c)
{
	struct thread_group group = { 0 };
	struct memory *m = &group.memory;
	struct gmem_task task = { 0 };

	thread_need(2);
	must(gmem_pin_cpu(thread_cpu(0)));
	memory_open(m, c->kind, SZ_2M + FAULTS * PAGE);
	memory_map(m);
	memory_write(m->map, SZ_2M);
	fault_times(m, "no conversion");
	/* Use the next CPU number: thread_cpu() sees only one CPU after the pinning above. */
	must(gmem_task_start(&task, thread_cpu(0) + 1, fault_converter, &group));
	fault_times(m, "conversions");
	__atomic_store_n(&group.stop, 1, __ATOMIC_RELEASE);
	gmem_task_join(&task);
	memory_close(m);
}
