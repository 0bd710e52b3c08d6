// SPDX-License-Identifier: GPL-2.0
/* Which pages are private, as far as this process knows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

static int runs_add(struct private_runs *runs, struct range range)
{
	struct range *ranges = runs->ranges;

	/* Room for a power of two; the list may be of thousands. */
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

/* The private runs of one request. */
static int runs_find(struct private_runs *runs,
		     const struct guest_memory *memory, unsigned int index)
{
	const struct memory_request *request = &memory->config->requests[index];
	int rc = 0;

	for (unsigned int i = 0; !rc && i < request->nr_ranges; i++)
		rc = page_states(memory, request->ranges[i], visit_run, runs);
	return rc;
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
	int rc = 0;

	memset(runs, 0, sizeof(*runs));
	for (unsigned int i = 0; !rc && i < memory->nr_backings; i++)
		if (!stay || memory->views[i].fd < 0)
			rc = runs_find(runs, memory, i);
	if (rc)
		return error_set(error, rc, "guest memory", action, NULL);
	/* Requests may come in any order, a description is in order. */
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

int private_runs_restore(struct private_runs *runs, struct guest_memory *memory,
			 struct error *error)
{
	char why[256] = "";
	int rc, first = 0;

	while (runs->shared) {
		rc = guest_memory_convert(memory, runs->ranges[--runs->shared],
					  true, why, sizeof(why));
		if (rc && !first)
			first = error_set(error, rc, "guest memory",
					  "make private what was private",
					  "%s", why);
	}
	return first;
}

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
