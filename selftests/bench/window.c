// SPDX-License-Identifier: GPL-2.0
/*
 * A window of 64 KiB that a guest shares for each I/O, like swiotlb: it becomes shared,
 * the host writes to it, and it becomes private again.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "gmem_view.h"

#define WINDOW (16 * PAGE)
#define NAME "I/O through a window of 64 KiB"

static void window_gmem(void)
{
	struct bench_count count = bench_new(NAME, "gmem view", "page", WINDOW / PAGE);
	struct memory m;
	uint8_t *map;
	int view;

	memory_open(&m, MEMORY_GMEM, SZ_2M);
	memory_map(&m);
	memory_write(m.map, SZ_2M);
	view = (int)must(gmem_view(m.fd, 0, SZ_2M));
	map = gmem_view_map(view, 0, SZ_2M);
	if (map == MAP_FAILED)
		bench_fail("mmap()", -errno);
	must(gmem_view_populate(view, map, SZ_2M, 0));
	must(gmem_convert(m.fd, 0, SZ_2M, PRIVATE, PRESERVE));
	while (bench_more(&count)) {
		bench_begin(&count);
		must(gmem_convert(m.fd, SZ_2M / 2, WINDOW, SHARED, PRESERVE));
		memory_write(m.map + SZ_2M / 2, WINDOW);
		must(gmem_convert(m.fd, SZ_2M / 2, WINDOW, PRIVATE, PRESERVE));
		bench_end(&count);
	}
	bench_report(&count);
	munmap(map, SZ_2M);
	close(view);
	memory_close(&m);
}

static void window_move(struct memory *to, struct memory *from)
{
	memcpy(to->map, from->map, WINDOW);
	must(gmem_punch(from->fd, 0, WINDOW));
}

static void window_discard(void)
{
	struct bench_count count = bench_new(NAME, "discard + copy", "page",
					     WINDOW / PAGE);
	struct memory shared, private;

	memory_open(&shared, MEMORY_MEMFD, SZ_2M);
	memory_open(&private, MEMORY_MEMFD, SZ_2M);
	memory_map(&shared);
	memory_map(&private);
	memory_write(private.map, SZ_2M);
	while (bench_more(&count)) {
		bench_begin(&count);
		window_move(&shared, &private);
		memory_write(shared.map, WINDOW);
		window_move(&private, &shared);
		bench_end(&count);
	}
	bench_report(&count);
	memory_close(&shared);
	memory_close(&private);
}

void window_io(const struct bench_case *c)
{
	if (gmem_view_unavailable())
		bench_skip(gmem_view_unavailable());
	window_gmem();
	window_discard();
}
