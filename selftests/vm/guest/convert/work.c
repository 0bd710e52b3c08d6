// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that convert memory in both directions while other threads use the same memory.
 *
 * Each converter has pages of its own. It writes words for the host before it makes them
 * shared, and secret words after they have become private. Workers count in words of
 * their own in all pages, in any state, and a copier makes the kernel copy pages through
 * files.
 *
 * If a conversion loses contents ("discard"), workers and copier use only pages that are
 * not converted, and converters expect zeros.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "convert.h"

#define CONVERTERS	2
#define WORKERS		2
#define RANGE_MAX	32	/* pages in a conversion, except for the first one */
#define COPY_PAGES	16

/**
 * struct run - a run
 * @memory: the memory
 * @keeps: whether contents survive a conversion
 * @stop: set when the time is over
 * @work: the results; changed atomically
 */
struct run {
	struct memory *memory;
	bool keeps;
	bool stop;
	struct work *work;
};

/**
 * struct thread - one of the threads
 * @number: number among threads of its kind
 * @random: state of its random numbers
 * @count: of a worker: its count in each page
 */
struct thread {
	struct run *run;
	pthread_t thread;
	unsigned int number;
	uint64_t random;
	uint64_t count[PAGES];
};

static bool stopped(const struct run *run)
{
	return __atomic_load_n(&run->stop, __ATOMIC_RELAXED);
}

static void add(uint64_t *counter, uint64_t value)
{
	if (value)
		__atomic_add_fetch(counter, value, __ATOMIC_RELAXED);
}

static unsigned int random_below(struct thread *thread, unsigned int limit)
{
	thread->random = thread->random * 6364136223846793005 +
			 1442695040888963407;
	return (unsigned int)(thread->random >> 33) % limit;
}

/* Number of pages that converters use; the others are never converted. */
static unsigned int converted_pages(const struct run *run)
{
	return run->keeps ? PAGES : PAGES / 2;
}

static bool is_secret(const struct memory *memory, unsigned int page)
{
	return page_word_tag(memory->word[page]) == TAG_SECRET;
}

/* Number of pages from @page on that have the same state: the first time all, later a few. */
static unsigned int choose_count(struct thread *thread, unsigned int page,
				 unsigned int end, uint32_t generation)
{
	struct memory *memory = thread->run->memory;
	unsigned int most = end - page, count = 1;

	if (generation > 2 && most > RANGE_MAX)
		most = 1 + random_below(thread, RANGE_MAX);
	while (count < most &&
	       is_secret(memory, page + count) == is_secret(memory, page))
		count++;
	return count;
}

/* Number of words that are not zero. */
static unsigned int not_lost(const struct memory *memory, unsigned int page,
			     unsigned int count)
{
	unsigned int wrong = 0;

	while (count--)
		wrong += memory_check_word(memory, "not lost", page++, 0);
	return wrong;
}

static void convert_range(struct run *run, unsigned int page, unsigned int count,
			  uint32_t generation)
{
	struct memory *memory = run->memory;
	bool to_private = !is_secret(memory, page);
	const char *check = to_private ? "made private" : "made shared";

	if (!to_private)
		memory_write(memory, page, count, TAG_SHOWN, generation);
	if (memory_convert(memory, page, count, to_private)) {
		add(&run->work->refused, 1);
		return;
	}
	if (run->keeps)
		add(&run->work->wrong, memory_check(memory, check, page, count));
	else
		add(&run->work->wrong, not_lost(memory, page, count));
	if (to_private || !run->keeps)
		memory_write(memory, page, count,
			     to_private ? TAG_SECRET : TAG_SHOWN, generation);
}

static void *converter_main(void *data)
{
	struct thread *thread = data;
	struct run *run = thread->run;
	unsigned int own = converted_pages(run) / CONVERTERS;
	unsigned int start = thread->number * own, end = start + own;

	for (uint32_t generation = 1; !stopped(run); generation++) {
		unsigned int page = generation <= 2 ? start :
				    start + random_below(thread, own);

		convert_range(run, page, choose_count(thread, page, end,
						      generation), generation);
	}
	return NULL;
}

/* A random page in which no contents are lost. */
static unsigned int choose_page(struct thread *thread)
{
	unsigned int first = thread->run->keeps ? 0 :
			     converted_pages(thread->run);

	return first + random_below(thread, PAGES - first);
}

/* Check that a worker's counter has the worker's count. */
static void check_count(const struct thread *thread, unsigned int page,
			const char *check)
{
	const struct run *run = thread->run;
	const volatile uint64_t *word = memory_page(run->memory, page) +
					thread->number;
	uint64_t found = *word;

	if (found == thread->count[page])
		return;
	wrong_tell(run->memory, check, page, thread->number, found,
		   thread->count[page]);
	add(&run->work->wrong, 1);
}

static void *worker_main(void *data)
{
	struct thread *thread = data;
	struct run *run = thread->run;

	for (unsigned int i = 0; i < PAGES; i++)
		thread->count[i] = memory_page(run->memory, i)[thread->number];
	while (!stopped(run)) {
		unsigned int page = choose_page(thread);
		volatile uint64_t *word = memory_page(run->memory, page) +
					  thread->number;

		check_count(thread, page, "worker");
		*word = ++thread->count[page];
		add(&run->work->touches, 1);
	}
	return NULL;
}

/* Number of words in a copy that have never been in its page. */
static unsigned int copy_check(const struct memory *memory, const uint64_t *copy,
			       unsigned int page)
{
	unsigned int wrong = 0;

	for (unsigned int i = PAGE_COUNTERS; i < PAGE_WORDS; i++) {
		if (page_word_copied(copy[i], page))
			continue;
		wrong_tell(memory, "copy", page, i, copy[i],
			   memory->word[page]);
		wrong++;
	}
	return wrong;
}

static void *copier_main(void *data)
{
	struct thread *thread = data;
	struct run *run = thread->run;
	int from = open("/copy", O_RDWR | O_CREAT | O_TRUNC, 0600);
	uint64_t copy[PAGE_WORDS];

	while (!stopped(run)) {
		unsigned int page = choose_page(thread);
		off_t at = random_below(thread, COPY_PAGES) * PAGE_BYTES;

		memset(copy, 0, sizeof(copy));
		if (pwrite(from, memory_page(run->memory, page), PAGE_BYTES,
			   at) != PAGE_BYTES ||
		    pread(from, copy, PAGE_BYTES, at) != PAGE_BYTES) {
			printf("gmem-guest: wrong: copy: page %u: %m\n", page);
			add(&run->work->wrong, 1);
		}
		add(&run->work->wrong, copy_check(run->memory, copy, page));
		add(&run->work->copies, 1);
	}
	close(from);
	return NULL;
}

static void start(struct thread *thread, struct run *run, unsigned int number,
		  void *(*main)(void *))
{
	thread->run = run;
	thread->number = number;
	thread->random = (uint64_t)(uintptr_t)main + number;
	if (pthread_create(&thread->thread, NULL, main, thread)) {
		perror("gmem-guest: thread");
		exit(1);
	}
}

/* After all threads have stopped, each counter has the count of its worker. */
static void check_counts(struct run *run, const struct thread *workers)
{
	for (unsigned int i = 0; i < WORKERS; i++)
		for (unsigned int page = 0; page < PAGES; page++)
			if (run->keeps || page >= converted_pages(run))
				check_count(&workers[i], page, "count");
}

void work_run(struct memory *memory, unsigned int ms, bool keeps,
	      struct work *work)
{
	static struct thread threads[WORKERS + CONVERTERS + 1];
	struct run run = { .memory = memory, .keeps = keeps, .work = work };
	struct timespec time = { ms / 1000, ms % 1000 * 1000000L };
	unsigned int count = 0;

	for (unsigned int i = 0; i < WORKERS; i++)
		start(&threads[count++], &run, i, worker_main);
	for (unsigned int i = 0; i < CONVERTERS; i++)
		start(&threads[count++], &run, i, converter_main);
	start(&threads[count++], &run, 0, copier_main);
	nanosleep(&time, NULL);
	__atomic_store_n(&run.stop, true, __ATOMIC_RELAXED);
	while (count)
		pthread_join(threads[--count].thread, NULL);
	check_counts(&run, threads);
	work->wrong += memory_check(memory, "quiet", 0, PAGES);
}
