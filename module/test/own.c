// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: whose page is it
 *
 * A bit for each page that is the hypervisor's: it was made private, or looked up
 * as a private page, and was not made shared since. What the bits say and what
 * gmem says must agree whenever a change is over.
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

/* A change of the range is over: no shared page is the hypervisor's. */
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
