// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "access.h"

/**
 * struct walk - a walk over the page states of a range
 * @gpa: guest address of offset 0 of the fd, modulo 2^64
 */
struct walk {
	uint64_t gpa;
	int (*visit)(struct range run, bool private, void *data);
	void *data;
};

static int runs_add(struct private_runs *runs, struct range range)
{
	struct range *ranges = runs->ranges;

	/* Double the array when it is full, because there may be thousands of ranges. */
	if (!(runs->count & (runs->count - 1))) {
		ranges = reallocarray(ranges, runs->count ? 2 * runs->count : 1,
				      sizeof(*ranges));
		if (!ranges)
			return -ENOMEM;
		runs->ranges = ranges;
	}
	ranges[runs->count++] = range;
	return 0;
}

static int visit_run(struct range run, bool private, void *data)
{
	return private ? runs_add(data, run) : 0;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *first = a, *second = b;

	return first->start < second->start ? -1 : first->start > second->start;
}

int private_runs_find(struct private_runs *runs,
		      const struct guest_memory *memory, bool stay,
		      const char *action, struct error *error)
{
	const struct layout *layout = &memory->memfd.layout;
	int rc = 0;

	memset(runs, 0, sizeof(*runs));
	for (unsigned int i = 0; !rc && i < layout->nr_ranges; i++)
		if (!stay || !guest_memory_view_of(memory, &layout->ranges[i]))
			rc = page_states(memory, layout->ranges[i].range, visit_run, runs);
	if (rc)
		return error_set(error, rc, "guest memory", action, NULL);
	/* Requests may have any order, but a description is sorted. */
	if (runs->count)
		qsort(runs->ranges, runs->count, sizeof(struct range),
		      compare_ranges);
	if (!memory->config->guest_memfd || !runs->count)
		return 0;
	return error_set(error, -EOPNOTSUPP, "guest memory", action,
			 "its contents are in the guest_memfd, which belongs to "
			 "its VM: use kind=gmem-store alone");
}

void private_runs_free(struct private_runs *runs)
{
	free(runs->ranges);
	memset(runs, 0, sizeof(*runs));
}

int private_runs_share(struct private_runs *runs, struct guest_memory *memory,
		       const char *action, struct error *error)
{
	char why[256] = "";
	int rc = 0;

	while (!rc && runs->shared < runs->count) {
		rc = guest_memory_convert(memory, runs->ranges[runs->shared],
					  false, why, sizeof(why));
		runs->shared += !rc;
	}
	if (rc)
		return error_set(error, rc, "guest memory", action, "%s%s", why,
				 rc == -EPERM ? ": without the guest's consent "
				 "its contents do not leave private memory" :
				 "");
	return 0;
}

int private_runs_make(const struct range *ranges, uint32_t count,
		      struct guest_memory *memory, struct error *error)
{
	char why[256] = "";
	int rc = 0;

	for (uint32_t i = 0; !rc && i < count; i++)
		rc = guest_memory_convert(memory, ranges[i], true, why, sizeof(why));
	return rc ? error_set(error, rc, "guest memory",
			      "make ranges private again", "%s", why) : 0;
}

int private_runs_restore(struct private_runs *runs, struct guest_memory *memory,
			 struct error *error)
{
	int rc, first = 0;

	while (runs->shared) {
		rc = private_runs_make(&runs->ranges[--runs->shared], 1, memory,
				       first ? NULL : error);
		first = first ? first : rc;
	}
	return first;
}

static int walk_range(const struct gmem_range *range, void *data)
{
	const struct walk *walk = data;
	uint64_t start = walk->gpa + range->offset;

	return walk->visit((struct range){ start, start + range->length },
			   range->state == GMEM_STATE_PRIVATE, walk->data);
}

static int walk_told(const struct page_map *private, const struct layout_range *ram,
		     struct range range, const struct walk *walk)
{
	uint64_t gpa = ram->range.start - ram->offset;
	uint64_t end = (range.end - gpa) / RANGE_PAGE_SIZE;
	uint64_t page = (range.start - gpa) / RANGE_PAGE_SIZE, next;
	bool value;
	int rc = 0;

	for (; !rc && page < end; page = next) {
		next = page_map_run(private, page, end, &value);
		rc = walk->visit((struct range){ gpa + page * RANGE_PAGE_SIZE,
						 gpa + next * RANGE_PAGE_SIZE },
				 value, walk->data);
	}
	return rc;
}

int page_states(const struct guest_memory *memory, struct range range,
		int (*visit)(struct range run, bool private, void *data),
		void *data)
{
	const struct layout_range *ram = layout_find(&memory->memfd.layout, range);
	struct walk walk = { .visit = visit, .data = data };

	if (ram && guest_memory_view_of(memory, ram)) {
		walk.gpa = ram->range.start - ram->part;
		return gmem_query(guest_memory_backing(memory, ram)->fd, range.start - walk.gpa,
				  range_size(range), walk_range, &walk);
	}
	if (ram && memory->memfd.fd >= 0)
		return walk_told(&memory->memfd.private, ram, range, &walk);
	return visit(range, false, data);
}

static int note_state(struct range run, bool private, void *data)
{
	*(bool *)data = private;
	return 0;
}

bool page_is_private(const struct guest_memory *memory, uint64_t gpa)
{
	uint64_t start = gpa - gpa % RANGE_PAGE_SIZE;
	bool private = false;

	page_states(memory, (struct range){ start, start + RANGE_PAGE_SIZE },
		    note_state, &private);
	return private;
}

static int add_private(struct range run, bool private, void *data)
{
	if (private)
		*(uint64_t *)data += range_size(run);
	return 0;
}

uint64_t page_states_private(const struct guest_memory *memory)
{
	const struct layout *layout = &memory->memfd.layout;
	struct gmem_ioctl_stat stat;
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < memory->nr_backings; i++)
		if (memory->backings[i].view.fd >= 0 && !gmem_stat(memory->backings[i].fd, &stat))
			bytes += stat.private_pages * RANGE_PAGE_SIZE;
	for (unsigned int i = 0; i < layout->nr_ranges; i++)
		if (!guest_memory_view_of(memory, &layout->ranges[i]))
			page_states(memory, layout->ranges[i].range, add_private, &bytes);
	return bytes;
}

static int stop_at_private(struct range run, bool private, void *data)
{
	return private;
}

static bool is_ram(const struct guest_memory *memory, uint64_t gpa, uint64_t size,
		   bool shared)
{
	/* For an empty range, check the byte at its start. */
	struct range rest = { gpa, gpa + size + !size };

	if (rest.end <= rest.start)
		return false;
	while (rest.start < rest.end) {
		const struct layout_range *ram =
			layout_find(&memory->memfd.layout,
				    (struct range){ rest.start, rest.start + 1 });
		struct range part;

		if (!ram)
			return false;
		part = range_clip(rest, ram->range);
		rest.start = part.end;
		part.start &= ~(RANGE_PAGE_SIZE - 1);
		part.end = (part.end + RANGE_PAGE_SIZE - 1) & ~(RANGE_PAGE_SIZE - 1);
		if (shared && page_states(memory, part, stop_at_private, NULL))
			return false;
	}
	return true;
}

bool access_is_ram(const struct guest_memory *memory, uint64_t gpa, uint64_t size)
{
	return is_ram(memory, gpa, size, false);
}

bool access_is_shared(const struct guest_memory *memory, uint64_t gpa,
		      uint64_t size)
{
	return is_ram(memory, gpa, size, true);
}

/*
 * With gmem, access to a private page fails. With a guest_memfd, the shared side of a private
 * page reads as zeros, which would be taken for data of the guest: so check the state here.
 */
static bool may_access(const struct guest_memory *memory, uint64_t gpa,
		       size_t size)
{
	return is_ram(memory, gpa, size, memory->memfd.fd >= 0);
}

int access_read(const struct guest_memory *memory, uint64_t gpa, void *to,
		size_t size)
{
	if (!may_access(memory, gpa, size))
		return -EFAULT;
	return calls->peek(to, memory->reservation.base + gpa, size) ? -EFAULT : 0;
}

int access_write(const struct guest_memory *memory, uint64_t gpa,
		 const void *from, size_t size)
{
	if (!may_access(memory, gpa, size))
		return -EFAULT;
	return calls->poke(memory->reservation.base + gpa, from, size) ? -EFAULT : 0;
}
