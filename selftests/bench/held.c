// SPDX-License-Identifier: GPL-2.0
/* Conversions that give up, because somebody holds a page of the range. */
#include <stdio.h>
#include <unistd.h>

#include "bench.h"
#include "hold.h"

static void held_count(struct memory *m, uint64_t length, const char *name)
{
	struct bench_count count = bench_new(name, "gmem", "call", 1);
	int rc;

	/* It gives the holder a moment. */
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
