// SPDX-License-Identifier: GPL-2.0
/* Conversions of memory without a view and without a store. */
#include <stdio.h>

#include "bench.h"

/*
 * Convert the first @length bytes to private and to shared. Without a timeout the kernel
 * first looks for pinned pages.
 */
static void convert_both(struct memory *m, uint64_t length, bool mapped,
			 uint32_t timeout_ms, struct bench_count *to_private,
			 struct bench_count *to_shared)
{
	while (bench_more(to_shared)) {
		if (mapped)
			memory_write(m->map, length);
		bench_begin(to_private);
		must(gmem_convert_wait(m->fd, 0, length, PRIVATE, PRESERVE, timeout_ms));
		bench_end(to_private);
		bench_begin(to_shared);
		must(gmem_convert(m->fd, 0, length, SHARED, PRESERVE));
		bench_end(to_shared);
	}
	bench_report(to_private);
	bench_report(to_shared);
}

static void convert_range(uint64_t length, bool mapped, uint32_t timeout_ms,
			  const char *to_private, const char *to_shared)
{
	struct bench_count private = bench_new(to_private, "gmem", "page", length / PAGE);
	struct bench_count shared = bench_new(to_shared, "gmem", "page", length / PAGE);
	struct memory m;

	memory_open(&m, MEMORY_GMEM, SZ_2M);
	memory_map(&m);
	memory_write(m.map, SZ_2M);
	if (!mapped)
		memory_unmap(&m);
	convert_both(&m, length, mapped, timeout_ms, &private, &shared);
	memory_close(&m);
}

void convert_resident(const struct bench_case *c)
{
	convert_range(SZ_2M, true, 0, "2 MiB to private, mapped",
		      "2 MiB to shared, mapped");
	convert_range(SZ_2M, false, 0, "2 MiB to private, not mapped",
		      "2 MiB to shared, not mapped");
	convert_range(SZ_2M, false, 1000, "2 MiB to private with a timeout, not mapped",
		      "2 MiB to shared with a timeout, not mapped");
}

void convert_one(const struct bench_case *c)
{
	convert_range(PAGE, true, 0, "one page to private, mapped",
		      "one page to shared, mapped");
	convert_range(PAGE, false, 0, "one page to private, not mapped",
		      "one page to shared, not mapped");
}

static void convert_size(const char *name, uint64_t length, unsigned int repeats)
{
	struct bench_count count[2];
	char names[2][64];
	struct memory m;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		snprintf(names[i], sizeof(names[i]), "%s to %s, populated", name,
			 i ? "shared" : "private");
		count[i] = bench_new(names[i], "gmem", "page", length / PAGE);
		count[i].repeats = repeats;
	}
	memory_open(&m, MEMORY_GMEM, length);
	must(gmem_commit(m.fd, 0, length));
	convert_both(&m, length, false, 0, &count[0], &count[1]);
	memory_close(&m);
}

/* Conversions of ranges of different sizes. */
void convert_sizes(const struct bench_case *c)
{
	convert_size("4 KiB", PAGE, BENCH_REPEATS);
	convert_size("64 KiB", 16 * PAGE, BENCH_REPEATS);
	convert_size("2 MiB", SZ_2M, BENCH_REPEATS);
	convert_size("32 MiB", 16 * SZ_2M, BENCH_FEW);
}

void convert_huge(const struct bench_case *c)
{
	convert_size("1 GiB", SZ_1G, BENCH_FEW);
}
