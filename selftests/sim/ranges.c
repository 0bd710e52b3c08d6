// SPDX-License-Identifier: GPL-2.0
/* Sets of page frames: sorted, disjoint ranges. */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

bool sim_ranges_have(const struct sim_ranges *set, uint64_t page)
{
	for (unsigned int i = 0; i < set->count; i++)
		if (page >= set->ranges[i].start && page < set->ranges[i].end)
			return true;
	return false;
}

/* Appending one that touches the last makes that longer. */
static void append(struct sim_ranges *set, uint64_t start, uint64_t end)
{
	struct sim_range *last = set->ranges + set->count - 1;

	if (start >= end)
		return;
	if (set->count && last->end == start)
		last->end = end;
	else
		set->ranges[set->count++] =
			(struct sim_range){ start, end };
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t greater(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

int sim_ranges_set(struct sim_ranges *set, uint64_t start, uint64_t end, bool on)
{
	struct sim_ranges new = { 0 };
	bool done = !on;

	/* One range at most is split in two, one at most is new. */
	new.ranges = calloc(set->count + 2, sizeof(*new.ranges));
	if (!new.ranges)
		return -ENOMEM;
	for (unsigned int i = 0; i < set->count; i++) {
		const struct sim_range *old = &set->ranges[i];

		append(&new, old->start, lesser(old->end, start));
		/* All that is before the new one is in the list now. */
		if (!done && old->end > start) {
			append(&new, start, end);
			done = true;
		}
		append(&new, greater(old->start, end), old->end);
	}
	if (!done)
		append(&new, start, end);
	free(set->ranges);
	*set = new;
	return 0;
}
