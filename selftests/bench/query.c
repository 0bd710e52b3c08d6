// SPDX-License-Identifier: GPL-2.0
/* QUERY of ranges with many states. */
#include <stdlib.h>

#include "bench.h"

#define RANGES GMEM_QUERY_MAX_RANGES

static void query_count(struct memory *m, struct gmem_range *ranges, const char *name,
			uint64_t expected)
{
	struct bench_count count = bench_new(name, "gmem", "range", expected);
	int found;

	while (bench_more(&count)) {
		bench_begin(&count);
		found = (int)must(gmem_query_all(m->fd, ranges, RANGES));
		bench_end(&count);
		if ((uint64_t)found != expected)
			bench_fail("number of ranges", found);
	}
	bench_report(&count);
}

void query_fragments(const struct bench_case *c)
{
	struct gmem_range *ranges = calloc(RANGES, sizeof(*ranges));
	struct memory m;
	uint64_t i;

	memory_open(&m, c->kind, 8 * SZ_2M);
	query_count(&m, ranges, "query 16 MiB, uniform", 1);
	for (i = 0; i < m.length; i += 2 * PAGE)
		must(gmem_convert(m.fd, i, PAGE, PRIVATE, PRESERVE));
	query_count(&m, ranges, "query 16 MiB, alternating", m.length / PAGE);
	must(gmem_commit(m.fd, 0, m.length));
	query_count(&m, ranges, "query 16 MiB, alternating, populated", m.length / PAGE);
	memory_close(&m);
	free(ranges);
}
