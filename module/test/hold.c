// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: holding pages
 *
 * Look-ups that last, and references that a hypervisor must not keep: a conversion must
 * find both. Each ends after a timeout, because a thread that waits for a page cannot
 * release it.
 *
 * The code that removes a hold from the list, with mock_holds_lock held, also ends it:
 * the timeout, GMEM_TEST_RELEASE, or the end of the slot.
 *
 * Locks: mock_holds_lock, then &mock_slot.lock.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "internal.h"

#define MOCK_HOLDS_MAX 64

static DEFINE_MUTEX(mock_holds_lock);
static struct workqueue_struct *mock_holds_wq;

int mock_hold_init(void)
{
	mock_holds_wq = alloc_workqueue("gmem_test", GMEM_WQ_PERCPU, 0);
	return mock_holds_wq ? 0 : -ENOMEM;
}

void mock_hold_exit(void)
{
	destroy_workqueue(mock_holds_wq);
}

static void mock_hold_end(struct mock_hold *hold)
{
	lockdep_assert_held(&mock_holds_lock);
	list_del_init(&hold->node);
	WRITE_ONCE(hold->vm->nr_holds, hold->vm->nr_holds - 1);
	if (hold->folio)
		folio_put(hold->folio);
	else
		mock_lookup_end(&hold->look);
}

static void mock_hold_timeout(struct work_struct *work)
{
	struct mock_hold *hold = container_of(to_delayed_work(work),
					      struct mock_hold, timeout);
	bool ours;

	mutex_lock(&mock_holds_lock);
	ours = !list_empty(&hold->node);
	if (ours)
		mock_hold_end(hold);
	mutex_unlock(&mock_holds_lock);
	/* Otherwise it is freed by the thread that waits for this work. */
	if (ours)
		kfree(hold);
}

/* The hold may end at any time after it was added. */
static int mock_hold_add(struct mock_vm *vm, struct mock_hold *hold,
			 struct gmem_test_hold *cmd)
{
	mutex_lock(&mock_holds_lock);
	if (vm->nr_holds == MOCK_HOLDS_MAX) {
		mutex_unlock(&mock_holds_lock);
		return -ENOSPC;
	}
	WRITE_ONCE(vm->nr_holds, vm->nr_holds + 1);
	if (!++vm->next_hold)
		vm->next_hold++;
	hold->id = vm->next_hold;
	cmd->id = hold->id;
	list_add_tail(&hold->node, &vm->holds);
	queue_delayed_work(mock_holds_wq, &hold->timeout,
			   msecs_to_jiffies(cmd->timeout_ms));
	mutex_unlock(&mock_holds_lock);
	return 0;
}

static int mock_hold_start(struct mock_hold *hold, pgoff_t index,
			   struct gmem_test_hold *cmd)
{
	unsigned int flags = 0;
	int rc;

	if (cmd->flags & GMEM_TEST_HOLD_F_NOWAIT)
		flags |= GMEM_LOOKUP_NOWAIT;
	if (cmd->flags & GMEM_TEST_HOLD_F_NOALLOC)
		flags |= GMEM_LOOKUP_NOALLOC;
	rc = mock_lookup_start(hold->slot, index, flags, &hold->look);
	if (rc)
		return rc;

	cmd->state = hold->look.lookup.state;
	cmd->order = hold->look.lookup.order;
	cmd->pfn = hold->look.lookup.pfn;
	if (cmd->flags & GMEM_TEST_HOLD_F_REF) {
		hold->slot = NULL;
		hold->folio = hold->look.lookup.folio;
		folio_get(hold->folio);
		mock_lookup_end(&hold->look);
	}
	return 0;
}

static int mock_hold_page(struct mock_vm *vm, struct mock_slot *slot,
			  pgoff_t index, struct gmem_test_hold *cmd)
{
	struct mock_hold *hold;
	int rc;

	hold = kzalloc_obj(*hold, GFP_KERNEL_ACCOUNT);
	if (!hold)
		return -ENOMEM;
	hold->vm = vm;
	hold->slot = slot;
	INIT_DELAYED_WORK(&hold->timeout, mock_hold_timeout);
	rc = mock_hold_start(hold, index, cmd);
	if (rc)
		goto err_free;
	rc = mock_hold_add(vm, hold, cmd);
	if (rc)
		goto err_end;
	return 0;

err_end:
	if (hold->folio)
		folio_put(hold->folio);
	else
		mock_lookup_end(&hold->look);
err_free:
	kfree(hold);
	return rc;
}

int mock_hold(struct mock_vm *vm, void *arg)
{
	struct gmem_test_hold *cmd = arg;
	struct mock_slot *slot;
	pgoff_t index;
	int rc;

	if (cmd->flags & ~(GMEM_TEST_HOLD_F_NOWAIT | GMEM_TEST_HOLD_F_NOALLOC |
			   GMEM_TEST_HOLD_F_REF))
		return -EINVAL;
	if (!PAGE_ALIGNED(cmd->gpa) || cmd->id || !cmd->timeout_ms ||
	    cmd->timeout_ms > GMEM_TEST_DELAY_MAX)
		return -EINVAL;
	rc = down_read_killable(&vm->slots_lock);
	if (rc)
		return rc;
	slot = mock_slot_find(vm, cmd->gpa, &index);
	rc = slot ? mock_hold_page(vm, slot, index, cmd) : -ENXIO;
	up_read(&vm->slots_lock);
	return rc;
}

/*
 * Remove and return the hold with this id; if @id is 0, the first one of this slot, or of
 * any slot if @slot is NULL.
 */
static struct mock_hold *mock_hold_take(struct mock_vm *vm, u32 id,
					struct mock_slot *slot)
{
	struct mock_hold *hold, *found = NULL;

	mutex_lock(&mock_holds_lock);
	list_for_each_entry(hold, &vm->holds, node) {
		if (id ? hold->id == id : !slot || hold->slot == slot) {
			found = hold;
			break;
		}
	}
	if (found)
		mock_hold_end(found);
	mutex_unlock(&mock_holds_lock);
	return found;
}

static void mock_hold_free(struct mock_hold *hold)
{
	cancel_delayed_work_sync(&hold->timeout);
	kfree(hold);
}

int mock_hold_release(struct mock_vm *vm, void *arg)
{
	struct gmem_test_release *cmd = arg;
	struct mock_hold *hold;

	if (!cmd->id)
		return -ENOENT;
	hold = mock_hold_take(vm, cmd->id, NULL);
	if (!hold)
		return -ENOENT;
	mock_hold_free(hold);
	return 0;
}

/* End the look-ups of a slot that is removed. If @slot is NULL, end all holds of the VM. */
void mock_holds_drop(struct mock_vm *vm, struct mock_slot *slot)
{
	struct mock_hold *hold;

	while ((hold = mock_hold_take(vm, 0, slot)))
		mock_hold_free(hold);
}
