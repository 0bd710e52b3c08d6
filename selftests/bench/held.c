// SPDX-License-Identifier: GPL-2.0
/* Conversions that fail because a page of the range is held. */
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "bench.h"
#include "hold.h"

static void held_count(struct memory *m, uint64_t length, const char *name)
{
	struct bench_count count = bench_new(name, "gmem", "call", 1);
	int rc;

	/* The conversion sleeps to give the holder time. */
	count.own = true;
	while (bench_more(&count)) {
		bench_begin(&count);
		rc = gmem_convert(m->fd, 0, length, PRIVATE, PRESERVE);
		bench_end(&count);
		if (rc != -EAGAIN)
			bench_fail("conversion of a held page", rc);
	}
	bench_report(&count);
}

static void held_pinned(struct memory *m, uint64_t length, const char *text)
{
	struct hold_uring uring;
	char name[64];

	if (hold_uring_open(&uring)) {
		printf("# skip: no io_uring\n");
		return;
	}
	must(hold_uring_register(&uring, m->map + length - PAGE, PAGE));
	snprintf(name, sizeof(name), "EAGAIN: last page of %s is pinned", text);
	held_count(m, length, name);
	hold_uring_close(&uring);
}

static void held_referenced(struct memory *m, uint64_t length, uint64_t offset,
			    const char *text, const char *which)
{
	struct hold_pipe pipe;
	char name[64];

	must(hold_pipe_take(&pipe, m->map + offset, PAGE));
	snprintf(name, sizeof(name), "EAGAIN: %s page of %s is in a pipe", which, text);
	held_count(m, length, name);
	hold_pipe_drop(&pipe);
}

void held_convert(const struct bench_case *c)
{
	static const struct {
		const char *text;
		uint64_t length;
	} ranges[] = { { "2 MiB", SZ_2M }, { "64 MiB", 32 * SZ_2M } };
	struct memory m;
	unsigned int i;

	memory_open(&m, c->kind, ranges[1].length);
	memory_map(&m);
	for (i = 0; i < 2; i++) {
		memory_write(m.map, ranges[i].length);
		held_pinned(&m, ranges[i].length, ranges[i].text);
		held_referenced(&m, ranges[i].length, 0, ranges[i].text, "first");
		held_referenced(&m, ranges[i].length, ranges[i].length - PAGE,
				ranges[i].text, "last");
	}
	memory_close(&m);
}

#define WAITERS	64
#define WAIT_MS	60000

static void *held_wait(void *arg)
{
	struct memory *m = arg;

	gmem_convert_wait(m->fd, 0, PAGE, PRIVATE, PRESERVE, WAIT_MS);
	return NULL;
}

static void held_elsewhere(struct memory *m, const char *name)
{
	struct bench_count count = bench_new(name, "gmem", "call", 1);

	count.own = true;
	while (bench_more(&count)) {
		bench_begin(&count);
		must(gmem_convert(m->fd, SZ_2M, PAGE, PRIVATE, PRESERVE));
		bench_end(&count);
		must(gmem_convert(m->fd, SZ_2M, PAGE, SHARED, PRESERVE));
		/* A thread that the call has woken goes to sleep before the next call. */
		sched_yield();
	}
	bench_report(&count);
}

/* Convert a page while conversions of another page wait. */
void held_beside(const struct bench_case *c)
{
	struct gmem_task waiters[WAITERS] = {};
	struct hold_pipe pipe;
	struct memory m;
	unsigned int i;

	memory_open(&m, c->kind, 2 * SZ_2M);
	memory_map(&m);
	memory_write(m.map, PAGE);
	memory_write(m.map + SZ_2M, PAGE);
	memory_unmap(&m);
	held_elsewhere(&m, "one page to private");
	memory_map(&m);
	must(hold_pipe_take(&pipe, m.map, PAGE));
	for (i = 0; i < WAITERS; i++)
		must(gmem_task_start(&waiters[i], -1, held_wait, &m));
	usleep(100000);
	held_elsewhere(&m, "one page to private, while 64 wait for another");
	hold_pipe_drop(&pipe);
	for (i = 0; i < WAITERS; i++)
		gmem_task_join(&waiters[i]);
	memory_close(&m);
}
