// SPDX-License-Identifier: GPL-2.0
/* Page faults of the host: at memory that is not there yet, and at memory that is. */
#include "bench.h"

/* Each page is allocated and cleared. */
void touch_first(const struct bench_case *c)
{
	struct bench_count count = {
		.name = "first touch",
		.peer = memory_names[c->kind],
		.unit = "page",
		.units = BLOCK_PAGES,
	};
	struct memory m;

	while (count.nr < BENCH_REPEATS + 1) {
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
	struct bench_count count = {
		.name = name,
		.peer = memory_names[c->kind],
		.unit = "page",
		.units = BLOCK_PAGES,
	};
	struct memory m;

	memory_open(&m, c->kind, SZ_2M);
	memory_map(&m);
	memory_write(m.map, SZ_2M);
	memory_unmap(&m);
	while (count.nr < BENCH_REPEATS + 1) {
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

/* Memory that is populated, in a new mapping. */
void touch_again(const struct bench_case *c)
{
	touch_mapped(c, "repeat mapping, write", true);
	touch_mapped(c, "repeat mapping, read", false);
}
