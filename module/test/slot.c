// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: slots
 *
 * A slot is a range of a gmem file that is bound to a VM at a guest address.
 *
 * A slot is removed in this order: look-ups of guests no longer find it, its holds end,
 * its second-stage entries are removed, gmem_unbind() is called. After that no method
 * runs.
 *
 * Locks: &mock_vm.slots_lock; methods do not take it.
 */
#include <linux/bitmap.h>
#include <linux/file.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "internal.h"

u64 mock_slot_gpa(struct mock_slot *slot, pgoff_t index)
{
	return (slot->gfn + (index - slot->start)) << PAGE_SHIFT;
}

/* Return: the slot at @gpa, and the page index in its file, or NULL. */
struct mock_slot *mock_slot_find(struct mock_vm *vm, u64 gpa, pgoff_t *index)
{
	u64 gfn = gpa >> PAGE_SHIFT;
	struct mock_slot *slot;

	lockdep_assert_held(&vm->slots_lock);
	list_for_each_entry(slot, &vm->slots, node) {
		if (gfn < slot->gfn || gfn - slot->gfn >= slot->nr_pages)
			continue;
		*index = slot->start + (gfn - slot->gfn);
		return slot;
	}
	return NULL;
}

static bool mock_slot_overlaps(struct mock_vm *vm, u64 gfn,
			       unsigned long nr_pages)
{
	struct mock_slot *slot;

	lockdep_assert_held(&vm->slots_lock);
	list_for_each_entry(slot, &vm->slots, node) {
		if (slot->gfn < gfn + nr_pages &&
		    gfn < slot->gfn + slot->nr_pages)
			return true;
	}
	return false;
}

static struct mock_slot *mock_slot_alloc(struct mock_vm *vm,
					 const struct gmem_test_bind *cmd)
{
	struct mock_slot *slot;

	slot = kzalloc_obj(*slot, GFP_KERNEL_ACCOUNT);
	if (!slot)
		return NULL;
	slot->vm = vm;
	slot->gfn = cmd->gpa >> PAGE_SHIFT;
	slot->start = cmd->offset >> PAGE_SHIFT;
	slot->nr_pages = cmd->length >> PAGE_SHIFT;
	slot->refs = cmd->flags & GMEM_TEST_BIND_F_REFS;
	slot->encrypted = cmd->flags & GMEM_TEST_BIND_F_ENCRYPTED;
	slot->store = cmd->flags & GMEM_TEST_BIND_F_STORE;
	mutex_init(&slot->lock);
	xa_init(&slot->table);
	xa_init(&slot->assigned);
	xa_init(&slot->pages);
	INIT_LIST_HEAD(&slot->lookups);
	INIT_LIST_HEAD(&slot->invalidations);
	slot->owned = bitmap_zalloc(slot->nr_pages, GFP_KERNEL_ACCOUNT);
	if (!slot->owned) {
		kfree(slot);
		return NULL;
	}
	return slot;
}

static void mock_slot_free(struct mock_slot *slot)
{
	WARN_ON(!xa_empty(&slot->table));
	WARN_ON(!xa_empty(&slot->assigned));
	WARN_ON(!xa_empty(&slot->pages));
	WARN_ON(!list_empty(&slot->lookups));
	WARN_ON(!list_empty(&slot->invalidations));
	xa_destroy(&slot->table);
	bitmap_free(slot->owned);
	kfree(slot);
}

static int mock_slot_check(const struct gmem_test_bind *cmd)
{
	u64 end;

	if (cmd->flags & ~(GMEM_TEST_BIND_F_ENCRYPTED | GMEM_TEST_BIND_F_REFS |
			   GMEM_TEST_BIND_F_STORE) ||
	    cmd->__pad || cmd->reserved)
		return -EINVAL;
	if (cmd->flags & GMEM_TEST_BIND_F_STORE &&
	    !(cmd->flags & GMEM_TEST_BIND_F_ENCRYPTED))
		return -EINVAL;
	if (!PAGE_ALIGNED(cmd->offset) || !PAGE_ALIGNED(cmd->length) ||
	    !PAGE_ALIGNED(cmd->gpa) || !cmd->length ||
	    cmd->length > GMEM_TEST_SLOT_MAX)
		return -EINVAL;
	if (check_add_overflow(cmd->gpa, cmd->length, &end) ||
	    check_add_overflow(cmd->offset, cmd->length, &end))
		return -EOVERFLOW;
	return 0;
}

static int mock_slot_add(struct mock_vm *vm, const struct gmem_test_bind *cmd,
			 struct file *file)
{
	struct mock_slot *slot;
	int rc;

	lockdep_assert_held_write(&vm->slots_lock);
	if (vm->nr_slots == GMEM_TEST_SLOTS)
		return -ENOSPC;
	if (mock_slot_overlaps(vm, cmd->gpa >> PAGE_SHIFT,
			       cmd->length >> PAGE_SHIFT))
		return -EEXIST;
	slot = mock_slot_alloc(vm, cmd);
	if (!slot)
		return -ENOMEM;

	slot->binding = gmem_bind(file, slot->start,
				  slot->start + slot->nr_pages,
				  slot->store ? &mock_ops_with_store : &mock_ops,
				  slot, slot->encrypted ? GMEM_BIND_ENCRYPTED : 0);
	if (IS_ERR(slot->binding)) {
		rc = PTR_ERR(slot->binding);
		mock_slot_free(slot);
		return rc;
	}
	list_add_tail(&slot->node, &vm->slots);
	WRITE_ONCE(vm->nr_slots, vm->nr_slots + 1);
	return 0;
}

int mock_slot_bind(struct mock_vm *vm, void *arg)
{
	struct gmem_test_bind *cmd = arg;
	struct file *file;
	int rc;

	rc = mock_slot_check(cmd);
	if (rc)
		return rc;
	file = fget(cmd->fd);
	if (!file)
		return -EBADF;
	rc = down_write_killable(&vm->slots_lock);
	if (!rc) {
		rc = mock_slot_add(vm, cmd, file);
		up_write(&vm->slots_lock);
	}
	fput(file);
	return rc;
}

void mock_slot_remove(struct mock_slot *slot, bool late)
{
	struct mock_vm *vm = slot->vm;

	lockdep_assert_held_write(&vm->slots_lock);
	list_del(&slot->node);
	WRITE_ONCE(vm->nr_slots, vm->nr_slots - 1);

	if (!late)
		mock_holds_drop(vm, slot);
	mutex_lock(&slot->lock);
	mock_stage2_zap(slot, slot->start, slot->start + slot->nr_pages);
	slot->leaving = true;
	mutex_unlock(&slot->lock);
	gmem_unbind(slot->binding);

	mock_promise(vm, slot->released);
	mutex_lock(&slot->lock);
	mock_store_drop(slot, slot->start, slot->start + slot->nr_pages);
	mutex_unlock(&slot->lock);
	mock_slot_free(slot);
}

int mock_slot_unbind(struct mock_vm *vm, void *arg)
{
	struct gmem_test_unbind *cmd = arg;
	struct mock_slot *slot;
	pgoff_t index;
	int rc;

	if (cmd->flags & ~GMEM_TEST_UNBIND_F_LATE || !PAGE_ALIGNED(cmd->gpa))
		return -EINVAL;
	rc = down_write_killable(&vm->slots_lock);
	if (rc)
		return rc;
	slot = mock_slot_find(vm, cmd->gpa, &index);
	if (slot && index == slot->start)
		mock_slot_remove(slot, cmd->flags & GMEM_TEST_UNBIND_F_LATE);
	else
		rc = -ENXIO;
	up_write(&vm->slots_lock);
	return rc;
}
