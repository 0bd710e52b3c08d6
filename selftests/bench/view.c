// SPDX-License-Identifier: GPL-2.0
/*
 * Conversions of memory that has a view. If the process that calls CONVERT has the view,
 * as a VMM does, CONVERT fills the view again, or has not removed its pages. If another
 * process converts, the view loses its pages in both directions, and VIEW_POPULATE fills
 * it again.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "gmem_view.h"
#include "kvm_vm.h"

/**
 * struct view_work - memory with a view, and its measurements
 * @memory: the memory
 * @view: the view fd
 * @map: its mapping
 * @huge: the view maps 2 MiB by one entry
 * @length: length of the converted range
 * @target: state to convert it to
 * @count: the current one of @counts
 * @counts: conversions to private, and to shared
 */
struct view_work {
	struct memory memory;
	int view;
	uint8_t *map;
	bool huge;
	uint64_t length;
	uint32_t target;
	struct bench_count *count;
	struct bench_count counts[2];
};

static void view_do(void *arg)
{
	struct view_work *work = arg;

	bench_begin(work->count);
	must(gmem_convert(work->memory.fd, 0, work->length, work->target, PRESERVE));
	bench_end(work->count);
}

static void view_open(struct view_work *work)
{
	const char *why = gmem_view_unavailable();

	if (why)
		bench_skip(why);
	work->view = (int)must(gmem_view(work->memory.fd, 0, SZ_2M));
	work->map = gmem_view_map(work->view, 0, SZ_2M);
	if (work->map == MAP_FAILED)
		bench_fail("mmap()", -errno);
	memory_map(&work->memory);
	if (!work->huge)
		memory_scatter(&work->memory);
	else if (!memory_gather(&work->memory))
		bench_skip("no 2 MiB in one piece");
	must(gmem_view_populate(work->view, work->map, SZ_2M, 0));
}

static void view_close(struct view_work *work)
{
	munmap(work->map, SZ_2M);
	close(work->view);
	memory_close(&work->memory);
}

/* Convert the whole range in one call of the process that has the view, like a VMM. */
static void view_whole(uint64_t length, bool mapped, bool huge, const char *to_private,
		       const char *to_shared)
{
	struct view_work work = { .length = length, .huge = huge };
	struct bench_count *private = &work.counts[0], *shared = &work.counts[1];

	*private = bench_new(to_private, "gmem view", "page", length / PAGE);
	*shared = bench_new(to_shared, "gmem view", "page", length / PAGE);
	memory_open(&work.memory, MEMORY_GMEM, SZ_2M);
	view_open(&work);
	if (!mapped)
		memory_unmap(&work.memory);
	while (bench_more(shared)) {
		if (mapped)
			memory_write(work.memory.map, length);
		work.target = PRIVATE;
		work.count = private;
		view_do(&work);
		work.target = SHARED;
		work.count = shared;
		view_do(&work);
	}
	bench_report(private);
	bench_report(shared);
	view_close(&work);
}

/* Another process converts, and the process that has the view fills it again. */
static void view_parts(uint64_t length, const char *to_private, const char *to_shared,
		       const char *refill)
{
	struct view_work *work = helper_shared(sizeof(*work));
	struct bench_count count[2];
	struct helper helper;
	unsigned int i;

	work->counts[0] = bench_new(to_private, "gmem view", "page", length / PAGE);
	work->counts[1] = bench_new(to_shared, "gmem view", "page", length / PAGE);
	for (i = 0; i < 2; i++)
		count[i] = bench_new(refill, "gmem view", "page", length / PAGE);
	work->length = length;
	memory_open(&work->memory, MEMORY_GMEM, SZ_2M);
	helper_start(&helper);
	view_open(work);
	while (bench_more(&count[1])) {
		memory_write(work->memory.map, length);
		for (i = 0; i < 2; i++) {
			work->target = i ? SHARED : PRIVATE;
			work->count = &work->counts[i];
			helper_run(&helper, view_do, work);
			bench_begin(&count[i]);
			must(gmem_view_populate(work->view, work->map, length, NOALLOC));
			bench_end(&count[i]);
		}
	}
	bench_report(&work->counts[0]);
	bench_report(&work->counts[1]);
	bench_report(&count[0]);
	view_close(work);
}

void view_convert(const struct bench_case *c)
{
	view_whole(SZ_2M, true, false, "2 MiB to private and filled, mapped",
		   "2 MiB to shared and filled, mapped");
	view_whole(SZ_2M, false, false, "2 MiB to private and filled, not mapped",
		   "2 MiB to shared and filled, not mapped");
	view_parts(SZ_2M, "2 MiB to private by another process, mapped",
		   "2 MiB to shared by another process, mapped", "2 MiB filled");
}

/* 2 MiB that KVM maps by one entry, and one page of them. */
void view_huge(const struct bench_case *c)
{
	view_whole(SZ_2M, true, true, "2 MiB to private and filled, one entry",
		   "2 MiB to shared and filled, one entry");
	view_whole(PAGE, true, true, "one page to private and filled, of one entry",
		   "one page to shared and filled, of one entry");
}

void view_one(const struct bench_case *c)
{
	view_whole(PAGE, true, false, "one page to private and filled, mapped",
		   "one page to shared and filled, mapped");
	view_whole(PAGE, false, false, "one page to private and filled, not mapped",
		   "one page to shared and filled, not mapped");
	view_parts(PAGE, "one page to private by another process, mapped",
		   "one page to shared by another process, mapped", "one page filled");
}
