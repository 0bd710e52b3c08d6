// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "../gmem/gmem.h"
#include "page_states.h"

/**
 * struct walk - a walk of gmem's ranges
 * @gpa: of the page at offset 0 of the fd, modulo 2^64
 * @run: what is to be visited once the next differs; empty: nothing
 * @private: its state
 */
struct walk {
	uint64_t gpa;
	struct range run;
	bool private;
	int (*visit)(struct range run, bool private, void *data);
	void *data;
};

/* Neighbours may be alike where a call of gmem's has ended between them. */
static int walk_range(const struct gmem_range *range, void *data)
{
	struct walk *walk = data;
	bool private = range->state == GMEM_STATE_PRIVATE;
	struct range run = { walk->gpa + range->offset,
			     walk->gpa + range->offset + range->length };
	int rc = 0;

	if (range_size(walk->run) && walk->private == private) {
		walk->run.end = run.end;
		return 0;
	}
	if (range_size(walk->run))
		rc = walk->visit(walk->run, walk->private, walk->data);
	walk->run = run;
	walk->private = private;
	return rc;
}

static int walk_view(const struct guest_memory *memory, unsigned int index,
		     struct range ram, struct walk *walk)
{
	uint64_t offset = view_offset(&memory->views[index], ram);
	int rc;

	walk->gpa = ram.start - offset;
	rc = gmem_query(memory->backings[index].fd, offset, range_size(ram),
			walk_range, walk);
	if (!rc && range_size(walk->run))
		rc = walk->visit(walk->run, walk->private, walk->data);
	return rc;
}

static int walk_told(const struct guest_memory *memory, struct range ram,
		     struct walk *walk)
{
	const struct guest_memfd *memfd = &memory->memfd;
	struct range run = { ram.start, ram.start };
	int rc = 0;

	while (!rc && run.start < ram.end) {
		bool private = guest_memfd_is_private(memfd, run.start);

		do {
			run.end += RANGE_PAGE_SIZE;
		} while (run.end < ram.end &&
			 guest_memfd_is_private(memfd, run.end) == private);
		rc = walk->visit(run, private, walk->data);
		run.start = run.end;
	}
	return rc;
}

int page_states(const struct guest_memory *memory, struct range ram,
		int (*visit)(struct range run, bool private, void *data),
		void *data)
{
	struct walk walk = { .visit = visit, .data = data };

	for (unsigned int i = 0; i < memory->nr_views; i++)
		if (view_find(&memory->views[i], ram))
			return walk_view(memory, i, ram, &walk);
	if (memory->memfd.fd < 0)
		return visit(ram, false, data);
	return walk_told(memory, ram, &walk);
}

static int note_state(struct range run, bool private, void *data)
{
	(void)run;
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
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < memory->config->nr_requests; i++) {
		const struct memory_request *request =
			&memory->config->requests[i];
		struct gmem_ioctl_stat stat;

		if (i < memory->nr_views && memory->views[i].fd >= 0) {
			if (!gmem_stat(memory->backings[i].fd, &stat))
				bytes += stat.private_pages * RANGE_PAGE_SIZE;
			continue;
		}
		for (unsigned int j = 0; j < request->nr_ranges; j++)
			page_states(memory, request->ranges[j], add_private,
				    &bytes);
	}
	return bytes;
}
