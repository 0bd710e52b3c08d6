// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "page_states.h"
#include "private_runs.h"

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
