// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: owners of pages
 *
 * A bit for each page that the hypervisor owns: it was made private, or looked up as
 * private, and was not made shared since. After each change these bits and gmem's states
 * must agree.
 *
 * Locks: &mock_slot.lock.
 */
#include <linux/bitmap.h>

#include "internal.h"

bool mock_own_all(struct mock_slot *slot, pgoff_t start, pgoff_t end)
{
	lockdep_assert_held(&slot->lock);
	return find_next_zero_bit(slot->owned, end - slot->start,
				  start - slot->start) == end - slot->start;
}

bool mock_own_none(struct mock_slot *slot, pgoff_t start, pgoff_t end)
{
	lockdep_assert_held(&slot->lock);
	return find_next_bit(slot->owned, end - slot->start,
			     start - slot->start) == end - slot->start;
}

void mock_own_set(struct mock_slot *slot, pgoff_t start, pgoff_t end)
{
	lockdep_assert_held(&slot->lock);
	bitmap_set(slot->owned, start - slot->start, end - start);
}

void mock_own_clear(struct mock_slot *slot, pgoff_t start, pgoff_t end)
{
	lockdep_assert_held(&slot->lock);
	bitmap_clear(slot->owned, start - slot->start, end - start);
}

/* Called after a change of the range: the hypervisor owns no shared page. */
void mock_own_check(struct mock_slot *slot, struct gmem_binding *binding,
		    pgoff_t start, pgoff_t end)
{
	enum gmem_state state;
	pgoff_t next;

	lockdep_assert_held(&slot->lock);
	for (; start < end; start = next) {
		next = gmem_query(binding, start, end, &state);
		if (!mock_promise(slot->vm, next > start && next <= end))
			break;
		if (state == GMEM_STATE_SHARED)
			mock_promise(slot->vm, mock_own_none(slot, start, next));
	}
}
