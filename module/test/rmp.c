// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: the RMP of encrypted slots
 *
 * Does what KVM's hooks of guest_memfd do on an SNP host. A frame is assigned to the
 * guest before the guest gets it as a private page, and is made shared again before it
 * gets another user. On SNP a missing step would make the host's next access fault. Here
 * the mock counts a violation as soon as it can notice.
 *
 * A frame is found by its number, in any VM or file, and by the page of the slot to which
 * it was assigned.
 *
 * Locks: &mock_slot.lock, except for mock_rmp_is_others().
 */
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "internal.h"

/* The slot that has a frame, by frame number */
static DEFINE_XARRAY(mock_rmp);

/* Whether a frame is assigned to a guest, but not to that of @slot, which may be NULL. */
bool mock_rmp_is_others(unsigned long pfn, const struct mock_slot *slot)
{
	const struct mock_slot *owner = xa_load(&mock_rmp, pfn);

	return owner && owner != slot;
}

/* The guest gets a private page. Does what KVM's gmem_prepare does. */
int mock_rmp_assign(struct mock_slot *slot, pgoff_t index, unsigned long pfn)
{
	void *old = xa_load(&slot->assigned, index);
	int rc;

	lockdep_assert_held(&slot->lock);
	if (old) {
		/* Otherwise the old frame would stay assigned, and be unusable. */
		mock_promise(slot->vm, xa_to_value(old) == pfn);
		return 0;
	}
	rc = xa_insert(&mock_rmp, pfn, slot, GFP_KERNEL_ACCOUNT);
	mock_promise(slot->vm, rc != -EBUSY);
	if (rc)
		return rc;
	rc = xa_err(xa_store(&slot->assigned, index, xa_mk_value(pfn),
			     GFP_KERNEL_ACCOUNT));
	if (rc)
		xa_erase(&mock_rmp, pfn);
	return rc;
}

/* The host gets frames back. Does what KVM's gmem_invalidate does. */
void mock_rmp_clear(struct mock_slot *slot, pgoff_t start, pgoff_t end)
{
	unsigned long index;
	void *entry;

	lockdep_assert_held(&slot->lock);
	xa_for_each_range(&slot->assigned, index, entry, start, end - 1) {
		xa_erase(&slot->assigned, index);
		xa_erase(&mock_rmp, xa_to_value(entry));
	}
}

/* Return: the frame that a private page has now, or 0. */
static unsigned long mock_rmp_frame(struct mock_slot *slot,
				    struct gmem_binding *binding, pgoff_t index)
{
	struct folio *folio;
	struct page *page;
	unsigned long pfn = 0;

	if (slot->store) {
		page = xa_load(&slot->pages, index);
		return page ? page_to_pfn(page) : 0;
	}
	/* Take no reference, because a conversion may be checking the reference count. */
	rcu_read_lock();
	folio = xa_load(&binding->mapping->i_pages, index);
	if (folio && !xa_is_value(folio))
		pfn = folio_pfn(folio) + (index - folio->index);
	rcu_read_unlock();
	return pfn;
}

/* Called after a change of the range: assigned pages are private and have their frames. */
void mock_rmp_check(struct mock_slot *slot, struct gmem_binding *binding,
		    pgoff_t start, pgoff_t end)
{
	enum gmem_state state;
	unsigned long index;
	void *entry;

	lockdep_assert_held(&slot->lock);
	xa_for_each_range(&slot->assigned, index, entry, start, end - 1) {
		gmem_query(binding, index, index + 1, &state);
		mock_promise(slot->vm, state == GMEM_STATE_PRIVATE);
		mock_promise(slot->vm, xa_to_value(entry) ==
			     mock_rmp_frame(slot, binding, index));
	}
}
