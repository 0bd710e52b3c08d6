// SPDX-License-Identifier: GPL-2.0
/* Which page frames have the attribute PRIVATE: sorted, disjoint ranges. */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

bool sim_private_get(const struct sim_vm *vm, uint64_t gfn)
{
	for (unsigned int i = 0; i < vm->nr_private; i++)
		if (gfn >= vm->private[i].start && gfn < vm->private[i].end)
			return true;
	return false;
}

/**
 * struct builder - a new list of ranges; appending one that touches the last
 *	makes that longer
 */
struct builder {
	struct sim_range *ranges;
	unsigned int count;
};

static void append(struct builder *builder, uint64_t start, uint64_t end)
{
	struct sim_range *last = builder->ranges + builder->count - 1;

	if (start >= end)
		return;
	if (builder->count && last->end == start)
		last->end = end;
	else
		builder->ranges[builder->count++] =
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

int sim_private_set(struct sim_vm *vm, uint64_t start, uint64_t end, bool on)
{
	struct builder new = { 0 };
	bool done = !on;

	/* One range at most is split in two, one at most is new. */
	new.ranges = calloc(vm->nr_private + 2, sizeof(*new.ranges));
	if (!new.ranges)
		return -ENOMEM;
	for (unsigned int i = 0; i < vm->nr_private; i++) {
		const struct sim_range *old = &vm->private[i];

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
	free(vm->private);
	vm->private = new.ranges;
	vm->nr_private = new.count;
	return 0;
}
