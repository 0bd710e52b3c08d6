// SPDX-License-Identifier: GPL-2.0
/*
 * The work of a VMM without conversion in place. It has memory twice, one for shared and
 * one for private pages. To preserve contents it copies them, which allocates memory on
 * the new side, and then punches out the old side. Here both sides are memfds, so that
 * the cost is the same for every kernel. Allocating and punching guest_memfd costs the
 * same.
 */
#include <string.h>

#include "bench.h"

static void discard_move(struct memory *to, struct memory *from, uint64_t length)
{
	memcpy(to->map, from->map, length);
	must(gmem_punch(from->fd, 0, length));
}

static void discard_range(uint64_t length, const char *name)
{
	struct bench_count count = bench_new(name, "discard + copy", "page",
					     length / PAGE);
	struct memory side[2];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		memory_open(&side[i], MEMORY_MEMFD, SZ_2M);
		memory_map(&side[i]);
	}
	memory_write(side[0].map, SZ_2M);
	memory_write(side[1].map + length, SZ_2M - length);
	for (i = 0; bench_more(&count); i ^= 1) {
		memory_read(side[i].map, length);
		bench_begin(&count);
		discard_move(&side[!i], &side[i], length);
		bench_end(&count);
	}
	bench_report(&count);
}

/* The part of it that only copies bytes, which depends on the processor. */
static void discard_bytes(void)
{
	struct bench_count copy = bench_new("copying pages that are there", "memcpy()",
					    "page", BLOCK_PAGES);
	struct memory a, b;

	memory_open(&a, MEMORY_MEMFD, SZ_2M);
	memory_open(&b, MEMORY_MEMFD, SZ_2M);
	memory_map(&a);
	memory_map(&b);
	memory_write(a.map, SZ_2M);
	memory_write(b.map, SZ_2M);
	while (bench_more(&copy)) {
		bench_begin(&copy);
		memcpy(b.map, a.map, SZ_2M);
		bench_end(&copy);
	}
	bench_report(&copy);
}

void discard_copy(const struct bench_case *c)
{
	discard_range(SZ_2M, "2 MiB to the other side");
	discard_range(PAGE, "one page to the other side");
	discard_bytes();
}
