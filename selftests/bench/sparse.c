// SPDX-License-Identifier: GPL-2.0
/* Large files with little memory. */
#include <stdio.h>

#include "bench.h"

static const struct {
	const char *name;
	uint64_t length;
} sizes[] = {
	{ "1 GiB", SZ_1G },
	{ "32 GiB", 32 * SZ_1G },
	{ "1 TiB", SZ_1T },
};

#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static void sparse_back(int fd, uint64_t offset, uint64_t length, const char *name,
			const char *unit, uint64_t units)
{
	struct bench_count count = bench_new(name, "gmem", unit, units);

	while (bench_more(&count)) {
		bench_begin(&count);
		must(gmem_convert(fd, offset, length, PRIVATE, PRESERVE));
		bench_end(&count);
		must(gmem_convert(fd, offset, length, SHARED, PRESERVE));
	}
	bench_report(&count);
}

/* The same work in files of different sizes: the last 2 MiB are populated. */
void sparse_convert(const struct bench_case *c)
{
	struct memory m;
	unsigned int i;
	char name[64];

	for (i = 0; i < SIZES; i++) {
		memory_open(&m, c->kind, sizes[i].length);
		must(gmem_commit(m.fd, m.length - SZ_2M, SZ_2M));
		snprintf(name, sizeof(name), "2 MiB to private, in a file of %s",
			 sizes[i].name);
		sparse_back(m.fd, m.length - SZ_2M, SZ_2M, name, "page", BLOCK_PAGES);
		memory_close(&m);
	}
}

/* Convert a whole file that has no memory. */
void sparse_empty(const struct bench_case *c)
{
	struct memory m;
	unsigned int i;
	char name[64];

	for (i = 0; i < SIZES; i++) {
		memory_open(&m, c->kind, sizes[i].length);
		snprintf(name, sizeof(name), "%s to private, not populated",
			 sizes[i].name);
		sparse_back(m.fd, 0, m.length, name, "GiB", m.length / SZ_1G);
		memory_close(&m);
	}
}
