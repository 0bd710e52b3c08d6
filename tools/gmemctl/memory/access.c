// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "../base/calls.h"
#include "access.h"
#include "page_states.h"

static int stop_at_private(struct range run, bool private, void *data)
{
	(void)run;
	(void)data;
	return private;
}

static bool is_ram(const struct guest_memory *memory, uint64_t gpa, uint64_t size,
		   bool shared)
{
	/* Of an empty range, the byte that it is at. */
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
 * gmem refuses what is private itself. Memory that discards reads as zeros there,
 * which would be taken for something that the guest has written.
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
