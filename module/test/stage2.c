// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: the second-stage table
 *
 * The pages that the guest can reach. There is an entry for each page that it has
 * touched, with frame number, state, and whether the entry has a reference to the folio.
 * A guest access without an entry is a second-stage fault: look up, map under the slot's
 * lock, end the look-up, retry.
 *
 * No retry counter is needed as in KVM: the page does not change from gmem_lookup() to
 * gmem_lookup_put(), and before a later change invalidate_start(), which takes the same
 * lock, removes the entry.
 *
 * Locks: &mock_slot.lock, also during the guest's access to its page: it replaces the
 * TLB.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include "internal.h"

#define MOCK_ENTRY_PRIVATE	BIT(0)
#define MOCK_ENTRY_REF		BIT(1)
#define MOCK_ENTRY_SHIFT	2

static unsigned long mock_entry_pfn(unsigned long entry)
{
	return entry >> MOCK_ENTRY_SHIFT;
}

static enum gmem_state mock_entry_state(unsigned long entry)
{
	return entry & MOCK_ENTRY_PRIVATE ? GMEM_STATE_PRIVATE :
					    GMEM_STATE_SHARED;
}

static struct folio *mock_entry_folio(unsigned long entry)
{
	return page_folio(pfn_to_page(mock_entry_pfn(entry)));
}

static bool mock_slot_invalidating(struct mock_slot *slot, pgoff_t index)
{
	struct mock_invalidation *inv;

	lockdep_assert_held(&slot->lock);
	list_for_each_entry(inv, &slot->invalidations, node) {
		if (index >= inv->start && index < inv->end)
			return true;
	}
	return false;
}

/* Whether a change of the range begins before a look-up in it has ended. */
bool mock_lookup_overtaken(struct mock_slot *slot, pgoff_t start, pgoff_t end)
{
	struct mock_lookup *look;

	lockdep_assert_held(&slot->lock);
	list_for_each_entry(look, &slot->lookups, node) {
		if (look->found && look->index >= start && look->index < end)
			return true;
	}
	return false;
}

/* Check what gmem promises about a page that it returns. */
static void mock_lookup_check(struct mock_lookup *look)
{
	struct gmem_lookup *found = &look->lookup;
	struct mock_slot *slot = look->slot;
	enum gmem_state state;

	lockdep_assert_held(&slot->lock);
	gmem_query(found->binding, look->index, look->index + 1, &state);
	mock_promise(slot->vm, found->index == look->index);
	mock_promise(slot->vm, found->state == state);
	mock_promise(slot->vm, found->order == folio_order(found->folio));
	mock_promise(slot->vm, folio_page(found->folio, 0) + look->index -
		     found->folio->index == pfn_to_page(found->pfn));
	mock_promise(slot->vm, found->folio->mapping == found->binding->mapping);
	mock_promise(slot->vm, !mock_slot_invalidating(slot, look->index));
	/* The page was made shared before the host got it. */
	mock_promise(slot->vm, state == GMEM_STATE_PRIVATE ||
		     mock_own_none(slot, look->index, look->index + 1));
	mock_promise(slot->vm, !mock_rmp_is_others(found->pfn,
						   state == GMEM_STATE_PRIVATE ?
						   slot : NULL));
}

/* The guest owns a private page from now on. */
static int mock_lookup_own(struct mock_lookup *look)
{
	struct mock_slot *slot = look->slot;

	lockdep_assert_held(&slot->lock);
	mock_own_set(slot, look->index, look->index + 1);
	/* A page that has failed meanwhile stays out of the RMP. */
	if (!slot->encrypted || look->failed)
		return 0;
	return mock_rmp_assign(slot, look->index, look->lookup.pfn);
}

/*
 * Begin a look-up. It is added to the list before gmem_lookup(), so that a memory error
 * of the page is not missed.
 */
int mock_lookup_start(struct mock_slot *slot, pgoff_t index, unsigned int flags,
		      struct mock_lookup *look)
{
	int rc;

	*look = (struct mock_lookup){ .slot = slot, .index = index };
	mutex_lock(&slot->lock);
	list_add(&look->node, &slot->lookups);
	mutex_unlock(&slot->lock);

	rc = gmem_lookup(slot->binding, index, flags, &look->lookup);

	mutex_lock(&slot->lock);
	look->found = !rc;
	if (look->found) {
		mock_lookup_check(look);
		if (look->lookup.state == GMEM_STATE_PRIVATE)
			rc = mock_lookup_own(look);
	}
	if (rc)
		list_del(&look->node);
	mutex_unlock(&slot->lock);
	if (rc && look->found)
		gmem_lookup_put(&look->lookup);
	return rc;
}

void mock_lookup_end(struct mock_lookup *look)
{
	mutex_lock(&look->slot->lock);
	list_del(&look->node);
	mutex_unlock(&look->slot->lock);
	gmem_lookup_put(&look->lookup);
}

static int mock_stage2_set(struct mock_slot *slot, pgoff_t index,
			   unsigned long entry)
{
	void *old;

	lockdep_assert_held(&slot->lock);
	mock_promise(slot->vm, !mock_slot_invalidating(slot, index));
	old = xa_store(&slot->table, index, xa_mk_value(entry),
		       GFP_KERNEL_ACCOUNT);
	if (xa_is_err(old))
		return xa_err(old);
	if (!old) {
		atomic64_inc(&slot->vm->mapped);
		if (entry & MOCK_ENTRY_REF)
			folio_get(mock_entry_folio(entry));
	} else {
		/* Another vCPU was faster. */
		mock_promise(slot->vm, xa_to_value(old) == entry);
	}
	return 0;
}

static int mock_stage2_map(struct mock_lookup *look)
{
	struct mock_slot *slot = look->slot;
	unsigned long entry = look->lookup.pfn << MOCK_ENTRY_SHIFT;

	lockdep_assert_held(&slot->lock);
	if (look->failed)
		return -EHWPOISON;
	if (look->lookup.state == GMEM_STATE_PRIVATE)
		entry |= MOCK_ENTRY_PRIVATE;
	if (slot->refs)
		entry |= MOCK_ENTRY_REF;
	return mock_stage2_set(slot, look->index, entry);
}

/*
 * A private page that is not in the file. gmem does not keep it unchanged during a
 * look-up, so the slot's lock does. If a change is faster, the next look-up waits.
 */
static int mock_stage2_fault_store(struct mock_slot *slot, pgoff_t index)
{
	enum gmem_state state;
	unsigned long pfn;
	int rc;

	rc = mock_knob_call(slot->vm, GMEM_TEST_MAP, NULL);
	if (rc)
		return rc;
	mutex_lock(&slot->lock);
	gmem_query(slot->binding, index, index + 1, &state);
	if (state == GMEM_STATE_PRIVATE && !mock_slot_invalidating(slot, index))
		rc = mock_store_get(slot, index, &pfn);
	else
		rc = -EAGAIN;
	if (!rc) {
		mock_own_set(slot, index, index + 1);
		rc = mock_stage2_set(slot, index, pfn << MOCK_ENTRY_SHIFT |
						  MOCK_ENTRY_PRIVATE);
	}
	mutex_unlock(&slot->lock);
	return rc == -EAGAIN ? 0 : rc;
}

static int mock_stage2_fault(struct mock_slot *slot, pgoff_t index)
{
	struct mock_lookup look;
	int rc;

	rc = mock_lookup_start(slot, index, 0, &look);
	if (rc == -EOPNOTSUPP && slot->store)
		return mock_stage2_fault_store(slot, index);
	if (rc)
		return rc;
	rc = mock_knob_call(slot->vm, GMEM_TEST_MAP, NULL);
	if (!rc) {
		mutex_lock(&slot->lock);
		rc = mock_stage2_map(&look);
		mutex_unlock(&slot->lock);
	}
	mock_lookup_end(&look);
	return rc;
}

/* Remove the entries of the range. */
void mock_stage2_zap(struct mock_slot *slot, pgoff_t start, pgoff_t end)
{
	unsigned long index;
	void *entry;

	lockdep_assert_held(&slot->lock);
	xa_for_each_range(&slot->table, index, entry, start, end - 1) {
		xa_erase(&slot->table, index);
		atomic64_dec(&slot->vm->mapped);
		if (xa_to_value(entry) & MOCK_ENTRY_REF)
			folio_put(mock_entry_folio(xa_to_value(entry)));
		cond_resched();
	}
}

bool mock_stage2_empty(struct mock_slot *slot, pgoff_t start, pgoff_t end)
{
	unsigned long index = start;

	lockdep_assert_held(&slot->lock);
	return !xa_find(&slot->table, &index, end - 1, XA_PRESENT);
}

/* While a page is mapped, it stays in the file and in its state. */
static void mock_entry_check(struct mock_slot *slot, pgoff_t index,
			     unsigned long entry)
{
	struct folio *folio = mock_entry_folio(entry);
	enum gmem_state state;

	lockdep_assert_held(&slot->lock);
	gmem_query(slot->binding, index, index + 1, &state);
	mock_promise(slot->vm, mock_entry_state(entry) == state);
	if (!slot->store || state == GMEM_STATE_SHARED)
		mock_promise(slot->vm,
			     folio->mapping == slot->binding->mapping);
	mock_promise(slot->vm, !mock_slot_invalidating(slot, index));
}

static bool mock_entry_allows(unsigned long entry, u32 flags)
{
	if (entry & MOCK_ENTRY_PRIVATE)
		return !(flags & GMEM_TEST_F_SHARED);
	return !(flags & GMEM_TEST_F_PRIVATE);
}

/* Access the page by its entry; -ENOENT if there is none. */
static int mock_stage2_try(struct mock_slot *slot, pgoff_t index, u32 flags,
			   unsigned int offset, unsigned int length,
			   mock_access_fn fn, void *data)
{
	struct mock_chunk chunk = {
		.gpa = mock_slot_gpa(slot, index) + offset,
		.length = length,
	};
	unsigned long entry;
	void *value, *page;
	int rc;

	lockdep_assert_held(&slot->lock);
	value = xa_load(&slot->table, index);
	if (!value)
		return -ENOENT;
	entry = xa_to_value(value);
	mock_entry_check(slot, index, entry);
	if (!mock_entry_allows(entry, flags))
		return -EACCES;

	page = kmap_local_page(pfn_to_page(mock_entry_pfn(entry)));
	chunk.at = page + offset;
	rc = fn(&chunk, data);
	kunmap_local(page);
	return rc;
}

/* The guest accesses @length bytes at @offset of a page. */
int mock_stage2_access(struct mock_slot *slot, pgoff_t index, u32 flags,
		       unsigned int offset, unsigned int length,
		       mock_access_fn fn, void *data)
{
	int rc;

	for (;;) {
		mutex_lock(&slot->lock);
		rc = mock_stage2_try(slot, index, flags, offset, length, fn,
				     data);
		mutex_unlock(&slot->lock);
		if (rc != -ENOENT)
			return rc;
		rc = mock_stage2_fault(slot, index);
		if (rc)
			return rc;
		/* Conversions may have been faster again and again. */
		if (signal_pending(current))
			return -EINTR;
	}
}
