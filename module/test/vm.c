// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: mock VMs
 *
 * A VM has a list of slots, a list of holds, and counters. It ends with its file, and
 * then checks that nothing is left.
 *
 * Locks: &mock_vm.slots_lock.
 */
#include <linux/slab.h>

#include "internal.h"

struct mock_vm *mock_vm_create(void)
{
	struct mock_vm *vm;

	vm = kzalloc_obj(*vm, GFP_KERNEL_ACCOUNT);
	if (!vm)
		return NULL;
	init_rwsem(&vm->slots_lock);
	INIT_LIST_HEAD(&vm->slots);
	INIT_LIST_HEAD(&vm->holds);
	spin_lock_init(&vm->knobs_lock);
	return vm;
}

void mock_vm_destroy(struct mock_vm *vm)
{
	struct mock_slot *slot, *next;

	/* The VM has no other user any more, but removing a slot requires the lock. */
	down_write(&vm->slots_lock);
	list_for_each_entry_safe(slot, next, &vm->slots, node)
		mock_slot_remove(slot, false);
	up_write(&vm->slots_lock);
	mock_holds_drop(vm, NULL);

	WARN_ON(vm->nr_slots || vm->nr_holds);
	WARN_ON(atomic64_read(&vm->mapped) || atomic64_read(&vm->open));
	kfree(vm);
}

int mock_vm_count(struct mock_vm *vm, void *arg)
{
	struct gmem_test_count *cmd = arg;

	mock_knob_count(vm, cmd);
	cmd->slots = READ_ONCE(vm->nr_slots);
	cmd->held = READ_ONCE(vm->nr_holds);
	cmd->mapped = atomic64_read(&vm->mapped);
	cmd->open = atomic64_read(&vm->open);
	cmd->violations = atomic64_read(&vm->violations);
	return 0;
}
