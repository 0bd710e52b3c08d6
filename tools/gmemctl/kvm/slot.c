// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stddef.h>

#include "../base/calls.h"
#include "abi.h"
#include "slot.h"
#include "vm.h"

static int slot_set(struct vm *vm, unsigned int number, const struct slot *slot,
		    uint64_t size)
{
	struct kvm_userspace_memory_region2 region = {
		.slot = number,
		.guest_phys_addr = slot->gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)(slot->view ? slot->view :
					      (uint8_t *)slot->host),
	};

	if (slot->readonly)
		region.flags = KVM_MEM_READONLY;
	if (slot->guest_memfd >= 0) {
		region.flags |= KVM_MEM_GUEST_MEMFD;
		region.guest_memfd = (uint32_t)slot->guest_memfd;
		region.guest_memfd_offset = slot->guest_memfd_offset;
	}
	return calls->ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION2, &region);
}

int slot_add(struct vm *vm, const struct slot *slot, struct error *error)
{
	unsigned int number;
	int rc;

	if (slot->readonly && slot->guest_memfd >= 0)
		return error_set(error, -EINVAL, "VM", "add a memory slot",
				 "KVM has no read-only slots with guest_memfd: "
				 "read-write, or not mapped at all");
	for (number = 0; number < SLOT_MAX; number++)
		if (!vm->slots.slots[number].used)
			break;
	if (number == SLOT_MAX)
		return error_set(error, -ENOSPC, "VM", "add a memory slot",
				 "at most %d slots", SLOT_MAX);
	rc = slot_set(vm, number, slot, slot->size);
	if (rc)
		return error_set(error, rc, "VM", "KVM_SET_USER_MEMORY_REGION2",
				 "gpa 0x%llx, size 0x%llx, guest_memfd %d",
				 (unsigned long long)slot->gpa,
				 (unsigned long long)slot->size,
				 slot->guest_memfd);
	vm->slots.slots[number] = *slot;
	vm->slots.slots[number].used = true;
	return (int)number;
}

int slot_remove(struct vm *vm, unsigned int number)
{
	struct slot *slot;
	int rc;

	if (number >= SLOT_MAX || !vm->slots.slots[number].used)
		return -ENOENT;
	slot = &vm->slots.slots[number];
	rc = slot_set(vm, number, slot, 0);
	if (!rc)
		slot->used = false;
	return rc;
}

const struct slot *slot_find(const struct slot_table *table, uint64_t gpa)
{
	for (unsigned int i = 0; i < SLOT_MAX; i++) {
		const struct slot *slot = &table->slots[i];

		if (slot->used && gpa >= slot->gpa &&
		    gpa - slot->gpa < slot->size)
			return slot;
	}
	return NULL;
}

bool slot_covers_private(const struct slot_table *table, uint64_t gpa,
			 uint64_t size)
{
	while (size) {
		const struct slot *slot = slot_find(table, gpa);
		uint64_t covered;

		if (!slot || (slot->guest_memfd < 0 && !slot->view))
			return false;
		covered = slot->size - (gpa - slot->gpa);
		if (covered >= size)
			return true;
		gpa += covered;
		size -= covered;
	}
	return true;
}
