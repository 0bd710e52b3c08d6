// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: methods
 *
 * The methods that gmem calls. Each does what a hypervisor has to do, slowly or with
 * errors according to the knobs, and checks what <linux/gmem.h> promises about the call.
 *
 * Locks: called with gmem's range lock held; take &mock_slot.lock.
 */
#include <linux/slab.h>

#include "internal.h"

/* Return: the slot of a binding, for a call about a range of it. */
static struct mock_slot *mock_method_slot(struct gmem_binding *binding,
					  pgoff_t start, pgoff_t end)
{
	struct mock_slot *slot = binding->priv;

	mock_promise(slot->vm, start < end && start >= binding->start &&
		     end <= binding->end);
	mock_promise(slot->vm, binding->start == slot->start &&
		     binding->end == slot->start + slot->nr_pages);
	mock_promise(slot->vm, !slot->released);
	return slot;
}

static struct mock_invalidation *mock_invalidation_find(struct mock_slot *slot,
							pgoff_t start,
							pgoff_t end)
{
	struct mock_invalidation *inv;

	lockdep_assert_held(&slot->lock);
	list_for_each_entry(inv, &slot->invalidations, node) {
		if (inv->start < end && start < inv->end)
			return inv;
	}
	return NULL;
}

/* A change happens inside an invalidation, with no page mapped or looked up. */
static void mock_method_check_held(struct mock_slot *slot, pgoff_t start,
				   pgoff_t end)
{
	struct mock_invalidation *inv;

	inv = mock_invalidation_find(slot, start, end);
	if (mock_promise(slot->vm, inv))
		mock_promise(slot->vm, inv->start <= start && inv->end >= end);
	mock_promise(slot->vm, mock_stage2_empty(slot, start, end));
	mock_promise(slot->vm, !mock_lookup_overtaken(slot, start, end));
}

static void mock_invalidate_start(struct gmem_binding *binding, pgoff_t start,
				  pgoff_t end)
{
	struct mock_slot *slot = mock_method_slot(binding, start, end);
	struct mock_invalidation *inv;

	/* This method must not fail. */
	inv = kzalloc_obj(*inv, GFP_KERNEL | __GFP_NOFAIL);
	inv->start = start;
	inv->end = end;

	mutex_lock(&slot->lock);
	mock_promise(slot->vm, !mock_invalidation_find(slot, start, end));
	mock_promise(slot->vm, !mock_lookup_overtaken(slot, start, end));
	list_add(&inv->node, &slot->invalidations);
	atomic64_inc(&slot->vm->open);
	mock_stage2_zap(slot, start, end);
	/* No later method reports what happens to pages in the file. */
	if (slot->leaving && !slot->store)
		mock_rmp_clear(slot, start, end);
	mutex_unlock(&slot->lock);
	mock_knob_call(slot->vm, GMEM_TEST_INVALIDATE_START, NULL);
}

static void mock_invalidate_end(struct gmem_binding *binding, pgoff_t start,
				pgoff_t end)
{
	struct mock_slot *slot = mock_method_slot(binding, start, end);
	struct mock_invalidation *inv;

	mock_knob_call(slot->vm, GMEM_TEST_INVALIDATE_END, NULL);
	mutex_lock(&slot->lock);
	mock_method_check_held(slot, start, end);
	mock_own_check(slot, binding, start, end);
	mock_rmp_check(slot, binding, start, end);
	inv = mock_invalidation_find(slot, start, end);
	if (mock_promise(slot->vm, inv && inv->start == start &&
			 inv->end == end)) {
		list_del(&inv->node);
		kfree(inv);
		atomic64_dec(&slot->vm->open);
	}
	mutex_unlock(&slot->lock);
}

static int mock_check(struct gmem_binding *binding, pgoff_t start, pgoff_t end,
		      const struct gmem_conversion *conv, pgoff_t *error_index)
{
	struct mock_slot *slot = mock_method_slot(binding, start, end);
	unsigned long pages = end - start;
	enum gmem_state state;
	int rc;

	mock_promise(slot->vm, conv->start <= start && end <= conv->end);
	mock_promise(slot->vm, gmem_query(binding, start, end, &state) == end &&
		     state != conv->target);
	rc = mock_knob_call(slot->vm, GMEM_TEST_CHECK, &pages);
	if (rc)
		*error_index = start + min(pages, end - start - 1);
	return rc;
}

static int mock_make_private(struct gmem_binding *binding, pgoff_t start,
			     pgoff_t end, enum gmem_content content,
			     pgoff_t *done)
{
	struct mock_slot *slot = mock_method_slot(binding, start, end);
	unsigned long pages = end - start;
	enum gmem_state state;
	int rc;

	mock_promise(slot->vm, gmem_query(binding, start, end, &state) == end &&
		     state == GMEM_STATE_SHARED);
	mock_promise(slot->vm, !slot->encrypted || content == GMEM_CONTENT_ZERO);
	rc = mock_knob_call(slot->vm, GMEM_TEST_MAKE_PRIVATE, &pages);
	mutex_lock(&slot->lock);
	mock_method_check_held(slot, start, end);
	mock_promise(slot->vm, mock_own_none(slot, start, end));
	mock_own_set(slot, start, start + pages);
	mutex_unlock(&slot->lock);
	*done = start + pages;
	return rc;
}

static void mock_undo_private(struct gmem_binding *binding, pgoff_t start,
			      pgoff_t end)
{
	struct mock_slot *slot = mock_method_slot(binding, start, end);

	mock_knob_call(slot->vm, GMEM_TEST_UNDO_PRIVATE, NULL);
	mutex_lock(&slot->lock);
	mock_method_check_held(slot, start, end);
	mock_promise(slot->vm, mock_own_all(slot, start, end));
	mock_own_clear(slot, start, end);
	mutex_unlock(&slot->lock);
}

static int mock_make_shared(struct gmem_binding *binding, pgoff_t start,
			    pgoff_t end, enum gmem_content content,
			    pgoff_t *done)
{
	struct mock_slot *slot = mock_method_slot(binding, start, end);
	unsigned long pages = end - start;
	enum gmem_state state;
	int rc;

	mock_promise(slot->vm, gmem_query(binding, start, end, &state) == end &&
		     state == GMEM_STATE_PRIVATE);
	mock_promise(slot->vm, !slot->encrypted || content == GMEM_CONTENT_ZERO);
	rc = mock_knob_call(slot->vm, GMEM_TEST_MAKE_SHARED, &pages);
	mutex_lock(&slot->lock);
	mock_method_check_held(slot, start, end);
	mock_own_clear(slot, start, start + pages);
	/* Pages in a store are cleared when they are discarded. */
	if (!slot->store && pages)
		mock_rmp_clear(slot, start, start + pages);
	mutex_unlock(&slot->lock);
	*done = start + pages;
	return rc;
}

/* The previous owners of the pages are unknown: the hypervisor may own all of them. */
static void mock_undo_shared(struct gmem_binding *binding, pgoff_t start,
			     pgoff_t end)
{
	struct mock_slot *slot = mock_method_slot(binding, start, end);

	mock_knob_call(slot->vm, GMEM_TEST_UNDO_SHARED, NULL);
	mutex_lock(&slot->lock);
	mock_method_check_held(slot, start, end);
	mock_promise(slot->vm, mock_own_none(slot, start, end));
	mock_own_set(slot, start, end);
	mutex_unlock(&slot->lock);
}

/* A look-up in flight must not map the page afterwards. */
static void mock_error(struct gmem_binding *binding, pgoff_t index)
{
	struct mock_slot *slot = mock_method_slot(binding, index, index + 1);
	struct mock_lookup *look;

	mock_knob_call(slot->vm, GMEM_TEST_ERROR, NULL);
	mutex_lock(&slot->lock);
	list_for_each_entry(look, &slot->lookups, node) {
		if (look->index == index)
			look->failed = true;
	}
	mock_stage2_zap(slot, index, index + 1);
	/* The page leaves the file, and is not used again. */
	mock_rmp_clear(slot, index, index + 1);
	mutex_unlock(&slot->lock);
}

static void mock_release(struct gmem_binding *binding)
{
	struct mock_slot *slot = mock_method_slot(binding, binding->start,
						  binding->end);

	mock_knob_call(slot->vm, GMEM_TEST_GONE, NULL);
	mutex_lock(&slot->lock);
	mock_promise(slot->vm, list_empty(&slot->invalidations));
	mock_promise(slot->vm, list_empty(&slot->lookups));
	slot->released = true;
	mutex_unlock(&slot->lock);
}

#define MOCK_METHODS						\
	.owner = THIS_MODULE,					\
	.invalidate_start = mock_invalidate_start,		\
	.invalidate_end = mock_invalidate_end,			\
	.check = mock_check,					\
	.make_private = mock_make_private,			\
	.undo_private = mock_undo_private,			\
	.make_shared = mock_make_shared,			\
	.undo_shared = mock_undo_shared,			\
	.error = mock_error,					\
	.release = mock_release

const struct gmem_ops mock_ops = {
	MOCK_METHODS,
};

/* Private pages are in memory of the mock. */
const struct gmem_ops mock_ops_with_store = {
	MOCK_METHODS,
	.store = &mock_store_ops,
};
