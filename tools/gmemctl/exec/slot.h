/* SPDX-License-Identifier: GPL-2.0 */
/* The slots of a VM: what the VMM says, and what KVM is told. */
#ifndef GMEMCTL_EXEC_SLOT_H
#define GMEMCTL_EXEC_SLOT_H

#include "vm.h"

/**
 * exec_slot_set() - KVM_SET_USER_MEMORY_REGION, or the second one
 * @arg: as the VMM gives it; stays as it is
 *
 * A slot whose memory is the VMM's mapping of a gmem fd gets a mapping of the view
 * instead. All others are passed on.
 *
 * Return: KVM's answer, or a negative errno.
 */
int exec_slot_set(struct exec_vm *vm, unsigned long request, const void *arg);

/** exec_slots_drop() - the VM goes */
void exec_slots_drop(struct exec_vm *vm);

/** exec_slots_fill() - have in the views what is populated, before a vCPU runs */
void exec_slots_fill(struct exec_vm *vm);

/**
 * exec_slot_find() - the slot of an address space that has @gpa, or NULL
 *
 * The caller has the lock of the VM.
 */
const struct exec_slot *exec_slot_find(const struct exec_vm *vm,
				       unsigned int space, uint64_t gpa);

/** exec_slot_space() - the address space of a slot: 1 is that of SMM */
static inline unsigned int exec_slot_space(const struct exec_slot *slot)
{
	return slot->id >> 16;
}

/** exec_slot_private() - whether the page is; false for what cannot be asked */
bool exec_slot_private(const struct exec_slot *slot, uint64_t gpa);

#endif /* GMEMCTL_EXEC_SLOT_H */
