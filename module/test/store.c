// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: a store of the mock
 *
 * Private pages of a slot with GMEM_TEST_BIND_F_STORE are not in the gmem file, but here,
 * as KVM has them in its guest_memfd. They are allocated at the guest's first access, or
 * by a commit. They are assigned in the RMP when the guest gets them, and made shared and
 * freed when gmem discards them. Contents never move from or to the file, because all of
 * them are encrypted.
 *
 * Locks: &mock_slot.lock.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "internal.h"

/* Allocate a missing page of the guest. */
static struct page *mock_store_add(struct mock_slot *slot, pgoff_t index)
{
	struct page *page;
	int rc;

	lockdep_assert_held(&slot->lock);
	page = alloc_page(GFP_HIGHUSER | __GFP_ZERO | __GFP_ACCOUNT |
			  __GFP_RETRY_MAYFAIL);
	if (!page)
		return ERR_PTR(-ENOMEM);
	rc = xa_insert(&slot->pages, index, page, GFP_KERNEL_ACCOUNT);
	if (!rc)
		return page;
	__free_page(page);
	return ERR_PTR(rc);
}

static struct page *mock_store_grab(struct mock_slot *slot, pgoff_t index)
{
	struct page *page = xa_load(&slot->pages, index);

	return page ?: mock_store_add(slot, index);
}

/* Return the frame of a private page, which the guest gets. */
int mock_store_get(struct mock_slot *slot, pgoff_t index, unsigned long *pfn)
{
	struct page *page = mock_store_grab(slot, index);

	lockdep_assert_held(&slot->lock);
	if (IS_ERR(page))
		return PTR_ERR(page);
	/* The host's page was removed before: no page exists twice. */
	mock_promise(slot->vm, !gmem_count_folios(slot->binding->mapping, index,
						  index + 1));
	*pfn = page_to_pfn(page);
	return mock_rmp_assign(slot, index, *pfn);
}

void mock_store_drop(struct mock_slot *slot, pgoff_t start, pgoff_t end)
{
	unsigned long index;
	struct page *page;

	lockdep_assert_held(&slot->lock);
	mock_promise(slot->vm, mock_stage2_empty(slot, start, end));
	mock_rmp_clear(slot, start, end);
	xa_for_each_range(&slot->pages, index, page, start, end - 1) {
		xa_erase(&slot->pages, index);
		__free_page(page);
		cond_resched();
	}
}

static int mock_store_discard(struct gmem_binding *binding, pgoff_t start,
			      pgoff_t end)
{
	struct mock_slot *slot = binding->priv;

	mutex_lock(&slot->lock);
	mock_store_drop(slot, start, end);
	mutex_unlock(&slot->lock);
	return 0;
}

static int mock_store_commit(struct gmem_binding *binding, pgoff_t start,
			     pgoff_t end)
{
	struct mock_slot *slot = binding->priv;
	struct page *page;

	for (; start < end; start++) {
		if (signal_pending(current))
			return -ERESTARTSYS;
		mutex_lock(&slot->lock);
		page = mock_store_grab(slot, start);
		mutex_unlock(&slot->lock);
		if (IS_ERR(page))
			return PTR_ERR(page);
		cond_resched();
	}
	return 0;
}

static unsigned long mock_store_count(struct gmem_binding *binding,
				      pgoff_t start, pgoff_t end)
{
	struct mock_slot *slot = binding->priv;
	unsigned long index, count = 0;
	struct page *page;

	mutex_lock(&slot->lock);
	xa_for_each_range(&slot->pages, index, page, start, end - 1)
		count++;
	mutex_unlock(&slot->lock);
	return count;
}

const struct gmem_store_ops mock_store_ops = {
	.discard = mock_store_discard,
	.commit = mock_store_commit,
	.count = mock_store_count,
};
