// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "../base/calls.h"
#include "access.h"
#include "page_states.h"

/* How much of @range, from its start on, is in one range of RAM of a request. */
static uint64_t covered_by(const struct memory_request *request, struct range range)
{
	for (unsigned int i = 0; i < request->nr_ranges; i++) {
		struct range ram = request->ranges[i];

		if (ram.start <= range.start && range.start < ram.end)
			return range_size(range_clip(range, ram));
	}
	return 0;
}

/* Whether there is RAM at @range.start; as much of it as is in one range. */
static uint64_t covered_by_any(const struct guest_memory *memory,
			       struct range range)
{
	uint64_t size = 0;

	for (unsigned int i = 0; !size && i < memory->config->nr_requests; i++)
		size = covered_by(&memory->config->requests[i], range);
	return size;
}

typedef bool (*part_fn)(const struct guest_memory *memory, struct range part);

/* Whether all of it is RAM, and each part in one range of RAM is as @fits says. */
static bool each_part(const struct guest_memory *memory, uint64_t gpa,
		      uint64_t size, part_fn fits)
{
	struct range rest = { gpa, gpa + size };

	if (rest.end < gpa)
		return false;
	do {
		/* Of an empty range, the byte that it is at. */
		struct range look = { rest.start, rest.end + !size };
		uint64_t covered = covered_by_any(memory, look);
		struct range part = { rest.start, rest.start + covered };

		if (!covered || !fits(memory, part))
			return false;
		rest.start += covered;
	} while (rest.start < rest.end);
	return true;
}

static bool any_part(const struct guest_memory *memory, struct range part)
{
	(void)memory;
	(void)part;
	return true;
}

static int stop_at_private(struct range run, bool private, void *data)
{
	(void)run;
	(void)data;
	return private;
}

static bool shared_part(const struct guest_memory *memory, struct range part)
{
	struct range pages = {
		part.start & ~(RANGE_PAGE_SIZE - 1),
		(part.end + RANGE_PAGE_SIZE - 1) & ~(RANGE_PAGE_SIZE - 1),
	};

	return !page_states(memory, pages, stop_at_private, NULL);
}

bool access_is_ram(const struct guest_memory *memory, uint64_t gpa, uint64_t size)
{
	return each_part(memory, gpa, size, any_part);
}

bool access_is_shared(const struct guest_memory *memory, uint64_t gpa,
		      uint64_t size)
{
	return each_part(memory, gpa, size, shared_part);
}

/*
 * gmem refuses what is private itself. Memory that discards reads as zeros there,
 * which would be taken for something that the guest has written.
 */
static bool may_access(const struct guest_memory *memory, uint64_t gpa,
		       size_t size)
{
	return memory->memfd.fd >= 0 ? access_is_shared(memory, gpa, size) :
				       access_is_ram(memory, gpa, size);
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
