// SPDX-License-Identifier: GPL-2.0
/* Memory slots, and the attributes of their pages. */
#include <errno.h>
#include <stddef.h>

#include "../base/calls.h"
#include "abi.h"
#include "slot.h"
#include "vm.h"

/*
 * Bits 1:0 are a hint for the page size; 3 is reserved, and the count is in 4 KiB pages in
 * any case. Bits 7:4 are the encryption status, of which 0 and 1 are defined.
 */
#define MAP_GPA_SIZE_MASK	UINT64_C(0x03)
#define MAP_GPA_SIZE_RESERVED	UINT64_C(0x03)
#define MAP_GPA_STATUS_MASK	UINT64_C(0xf0)
#define MAP_GPA_STATUS_SHARED	UINT64_C(0x00)
#define MAP_GPA_STATUS_PRIVATE	UINT64_C(0x10)

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

int map_gpa_parse(const uint64_t args[3], struct map_gpa *out, const char **why)
{
	uint64_t gpa = args[0], pages = args[1], attributes = args[2];
	uint64_t size = pages << GUEST_PAGE_SHIFT;
	uint64_t status = attributes & MAP_GPA_STATUS_MASK;
	const char *wrong = NULL;

	if (gpa & (GUEST_PAGE_SIZE - 1))
		wrong = "unaligned address";
	else if (!pages)
		wrong = "no pages";
	else if (pages > UINT64_MAX >> GUEST_PAGE_SHIFT)
		wrong = "size overflows";
	else if (gpa + size < gpa)
		wrong = "range wraps";
	else if (attributes & ~(MAP_GPA_SIZE_MASK | MAP_GPA_STATUS_MASK))
		wrong = "unknown attribute bits";
	else if ((attributes & MAP_GPA_SIZE_MASK) == MAP_GPA_SIZE_RESERVED)
		wrong = "unknown page size";
	else if (status != MAP_GPA_STATUS_SHARED && status != MAP_GPA_STATUS_PRIVATE)
		wrong = "unknown encryption status";
	if (wrong) {
		*why = wrong;
		return -EINVAL;
	}
	*out = (struct map_gpa){ gpa, size, status == MAP_GPA_STATUS_PRIVATE };
	return 0;
}

int map_gpa_check(const struct slot_table *table, const uint64_t args[3],
		  struct map_gpa *out, const char **why)
{
	struct map_gpa map;
	int rc = map_gpa_parse(args, &map, why);

	if (rc)
		return rc;
	if (!slot_covers_private(table, map.gpa, map.size)) {
		*why = "no private memory in all of the range";
		return -EFAULT;
	}
	*out = map;
	return 0;
}

int vm_set_private(struct vm *vm, uint64_t gpa, uint64_t size, bool private)
{
	struct kvm_memory_attributes attributes = {
		.address = gpa,
		.size = size,
		.attributes = private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0,
	};

	return calls->ioctl(vm->fd, KVM_SET_MEMORY_ATTRIBUTES, &attributes);
}
