// SPDX-License-Identifier: GPL-2.0
/* Page faults of the host on memory that is not populated, and on memory that is. */
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "hold.h"

/* The kernel allocates and clears each page. */
void touch_first(const struct bench_case *c)
{
	struct bench_count count = bench_new("first touch", memory_names[c->kind],
					     "page", BLOCK_PAGES);
	struct memory m;

	while (bench_more(&count)) {
		memory_open(&m, c->kind, SZ_2M);
		memory_map(&m);
		bench_begin(&count);
		memory_write(m.map, SZ_2M);
		bench_end(&count);
		memory_close(&m);
	}
	bench_report(&count);
}

static void touch_mapped(const struct bench_case *c, const char *name, bool write)
{
	struct bench_count count = bench_new(name, memory_names[c->kind], "page",
					     BLOCK_PAGES);
	struct memory m;

	memory_open(&m, c->kind, SZ_2M);
	memory_map(&m);
	memory_write(m.map, SZ_2M);
	memory_unmap(&m);
	while (bench_more(&count)) {
		memory_map(&m);
		bench_begin(&count);
		if (write)
			memory_write(m.map, SZ_2M);
		else
			memory_read(m.map, SZ_2M);
		bench_end(&count);
		memory_unmap(&m);
	}
	bench_report(&count);
	memory_close(&m);
}

/* Populated memory in a new mapping. */
void touch_again(const struct bench_case *c)
{
	touch_mapped(c, "repeat mapping, write", true);
	touch_mapped(c, "repeat mapping, read", false);
}

/*
 * The time that the kernel needs to unmap pages that stay in their file, which is a part
 * of a conversion.
 */
void touch_unmap(const struct bench_case *c)
{
	struct bench_count count = bench_new("unmap 2 MiB", memory_names[c->kind], "page",
					     BLOCK_PAGES);
	struct memory m;

	memory_open(&m, c->kind, SZ_2M);
	memory_map(&m);
	while (bench_more(&count)) {
		memory_write(m.map, SZ_2M);
		bench_begin(&count);
		must(madvise(m.map, SZ_2M, MADV_DONTNEED));
		bench_end(&count);
	}
	bench_report(&count);
	memory_close(&m);
}

static void touch_wait(void *arg)
{
	const int *fd = arg;

	must(gmem_convert_wait(*fd, 0, PAGE, PRIVATE, PRESERVE, 60000));
}

static void touch_elsewhere(struct memory *m, const char *name)
{
	struct bench_count count = bench_new(name, "gmem", "page", BLOCK_PAGES);

	/* The other process runs from time to time, to check the page. */
	count.own = true;
	while (bench_more(&count)) {
		must(gmem_punch(m->fd, SZ_2M, SZ_2M));
		bench_begin(&count);
		memory_write(m->map + SZ_2M, SZ_2M);
		bench_end(&count);
	}
	bench_report(&count);
}

/*
 * Page faults in a file, another page of which is being converted all the time: a pipe
 * holds that page, and the conversion waits for it in another process.
 */
void touch_beside(const struct bench_case *c)
{
	int *fd = helper_shared(sizeof(*fd));
	struct hold_pipe pipe;
	struct helper helper;
	struct memory m;

	memory_open(&m, c->kind, 2 * SZ_2M);
	*fd = m.fd;
	helper_start(&helper);
	memory_map(&m);
	memory_write(m.map, PAGE);
	touch_elsewhere(&m, "first touch elsewhere, no conversion");
	must(hold_pipe_take(&pipe, m.map, PAGE));
	helper_ask(&helper, touch_wait, fd);
	must(gmem_wait_sleeping(helper.pid, 10000));
	touch_elsewhere(&m, "first touch elsewhere, beside a conversion");
	hold_pipe_drop(&pipe);
	helper_wait(&helper);
	memory_close(&m);
}
