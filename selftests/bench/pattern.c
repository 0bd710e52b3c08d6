// SPDX-License-Identifier: GPL-2.0
/* Many single pages in different orders, converted by one call each or by one call. */
#include <string.h>

#include "bench.h"

#define PAGES 256

/* Pages of 2 MiB, in the order in which they are converted */
static uint64_t pages[PAGES];

static void pattern_shuffle(void)
{
	uint64_t seed = 1, other, page;
	unsigned int i;

	for (i = PAGES - 1; i; i--) {
		other = gmem_rand(&seed) % (i + 1);
		page = pages[i];
		pages[i] = pages[other];
		pages[other] = page;
	}
}

static void pattern_each(int fd)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		must(gmem_convert(fd, pages[i] * PAGE, PAGE, PRIVATE, PRESERVE));
}

static void pattern_all(int fd)
{
	struct gmem_convert_range ranges[PAGES];
	struct gmem_ioctl_convert args = {
		.flags = GMEM_CONVERT_F_RANGES,
		.target = PRIVATE,
		.ranges = (uintptr_t)ranges,
		.nr_ranges = PAGES,
	};
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		ranges[i] = (struct gmem_convert_range){ pages[i] * PAGE, PAGE };
	must(gmem_convert_args(fd, &args));
}

static void pattern_run(struct memory *m, const char *name, void (*convert)(int fd))
{
	struct bench_count count = bench_new(name, "gmem", "page", PAGES);

	while (bench_more(&count)) {
		bench_begin(&count);
		convert(m->fd);
		bench_end(&count);
		must(gmem_convert(m->fd, 0, SZ_2M, SHARED, PRESERVE));
	}
	bench_report(&count);
}

void pattern_convert(const struct bench_case *c)
{
	struct memory m;
	unsigned int i;

	memory_open(&m, c->kind, SZ_2M);
	must(gmem_commit(m.fd, 0, SZ_2M));
	for (i = 0; i < PAGES; i++)
		pages[i] = i;
	pattern_run(&m, "256 pages, a call each: neighbours", pattern_each);
	pattern_run(&m, "256 pages, one call: neighbours", pattern_all);
	for (i = 0; i < PAGES; i++)
		pages[i] = 2 * i;
	pattern_run(&m, "256 pages, a call each: every other one", pattern_each);
	pattern_run(&m, "256 pages, one call: every other one", pattern_all);
	pattern_shuffle();
	pattern_run(&m, "256 pages, a call each: in any order", pattern_each);
	memory_close(&m);
}
