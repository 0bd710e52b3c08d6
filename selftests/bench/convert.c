// SPDX-License-Identifier: GPL-2.0
/* Conversions of memory that stays where it is, without a view. */
#include "bench.h"

static void convert_both(struct memory *m, uint64_t length, bool mapped,
			 struct bench_count *to_private, struct bench_count *to_shared)
{
	while (to_private->nr < BENCH_REPEATS + 1) {
		if (mapped)
			memory_write(m->map, length);
		bench_begin(to_private);
		must(gmem_convert(m->fd, 0, length, PRIVATE, PRESERVE));
		bench_end(to_private);
		bench_begin(to_shared);
		must(gmem_convert(m->fd, 0, length, SHARED, PRESERVE));
		bench_end(to_shared);
	}
	bench_report(to_private);
	bench_report(to_shared);
}

static void convert_range(uint64_t length, bool mapped, const char *to_private,
			  const char *to_shared)
{
	struct bench_count private = {
		.name = to_private,
		.peer = "gmem",
		.unit = "page",
		.units = length / PAGE,
	};
	struct bench_count shared = private;
	struct memory m;

	shared.name = to_shared;
	memory_open(&m, MEMORY_GMEM, SZ_2M);
	memory_map(&m);
	memory_write(m.map, SZ_2M);
	if (!mapped)
		memory_unmap(&m);
	convert_both(&m, length, mapped, &private, &shared);
	memory_close(&m);
}

void convert_resident(const struct bench_case *c)
{
	(void)c;
	convert_range(SZ_2M, true, "2 MiB to private, mapped", "2 MiB to shared, mapped");
	convert_range(SZ_2M, false, "2 MiB to private, not mapped",
		      "2 MiB to shared, not mapped");
}

void convert_one(const struct bench_case *c)
{
	(void)c;
	convert_range(PAGE, true, "one page to private, mapped",
		      "one page to shared, mapped");
	convert_range(PAGE, false, "one page to private, not mapped",
		      "one page to shared, not mapped");
}
