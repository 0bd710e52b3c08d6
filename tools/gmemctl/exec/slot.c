// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "exec.h"
#include "report.h"

#define PAGE UINT64_C(4096)

const struct exec_slot *exec_slot_find(const struct exec_vm *vm, unsigned int space, uint64_t gpa)
{
	for (unsigned int i = 0; i < vm->nr_slots; i++) {
		const struct exec_slot *slot = &vm->slots[i];

		if (exec_slot_space(slot) == space && gpa >= slot->gpa &&
		    gpa - slot->gpa < slot->size)
			return slot;
	}
	return NULL;
}

static int visit_state(const struct gmem_range *range, void *data)
{
	*(bool *)data = range->state == GMEM_STATE_PRIVATE;
	return 0;
}

bool exec_slot_private(const struct exec_slot *slot, uint64_t gpa)
{
	uint64_t offset = slot->offset + (gpa - slot->gpa) / PAGE * PAGE;
	bool private = false;

	gmem_query(slot->memory->fd, offset, PAGE, visit_state, &private);
	return private;
}

/*
 * Find the file and offset of the slot's memory
 *
 * Return: 0; -ENOENT if it is not one contiguous part of one file.
 */
static int slot_place(const struct exec_slot *slot, struct exec_place *first)
{
	uint64_t end = slot->address + slot->size;
	struct exec_place place;
	int rc = exec_place_find(slot->address, first);

	if (rc || !first->shared || !first->file.inode)
		return -ENOENT;
	first->offset += slot->address - first->start;
	for (place = *first; place.end < end;) {
		uint64_t at = place.end;

		if (exec_place_find(at, &place) || place.start != at ||
		    !exec_file_id_equal(place.file, first->file) ||
		    place.offset != first->offset + (at - slot->address))
			return -ENOENT;
	}
	return 0;
}

/* Map the view of a slot. Return: 0; -ENOENT: the memory is not gmem's; another -errno. */
static int slot_map(struct exec_slot *slot)
{
	struct exec_place place;
	int rc = slot_place(slot, &place);

	if (rc)
		return rc;
	slot->memory = exec_memory_get(place.file);
	if (!slot->memory)
		return -ENOENT;
	slot->offset = place.offset;
	rc = calls->map(slot->size, PROT_NONE, MAP_SHARED,
			slot->memory->view_fd, slot->offset, &slot->view);
	if (rc)
		exec_memory_put(slot->memory);
	return rc;
}

static void slot_unmap(struct exec_slot *slot)
{
	calls->unmap(slot->view, slot->size);
	exec_memory_put(slot->memory);
}

/*
 * Note that the VMM enables or disables the log of dirty pages. End the holes when a save
 * starts, so that zeros that the VMM reads during the save are noticed.
 */
static void slot_log(const struct exec_slot *slot, uint32_t before, uint32_t flags)
{
	if (!((before ^ flags) & KVM_MEM_LOG_DIRTY_PAGES))
		return;
	exec_save_slots(flags & KVM_MEM_LOG_DIRTY_PAGES ? 1 : -1);
	if (flags & KVM_MEM_LOG_DIRTY_PAGES)
		exec_holes_fill(slot->memory, slot->offset, slot->size);
}

static void slot_remove(struct exec_vm *vm, struct exec_slot *slot)
{
	struct exec_slot gone = *slot;

	slot_log(slot, slot->flags, 0);
	*slot = vm->slots[vm->nr_slots - 1];
	__atomic_store_n(&vm->nr_slots, vm->nr_slots - 1, __ATOMIC_RELAXED);
	slot_unmap(&gone);
}

void exec_slots_drop(struct exec_vm *vm)
{
	exec_remotes_drop();
	while (vm->nr_slots)
		slot_remove(vm, vm->slots);
	free(vm->slots);
}

/* The argument that KVM gets instead of @arg. */
union region {
	struct kvm_userspace_memory_region one;
	struct kvm_userspace_memory_region2 two;
};

static int tell_kvm(struct exec_vm *vm, unsigned long request, const void *arg,
		    const struct exec_slot *slot)
{
	union region region;

	if (!slot)
		return calls->ioctl(vm->fd, request, (void *)arg);
	memcpy(&region, arg, request == KVM_SET_USER_MEMORY_REGION ?
	       sizeof(region.one) : sizeof(region.two));
	/* The members up to this one are the same in both. */
	region.one.userspace_addr = (uintptr_t)slot->view;
	return calls->ioctl(vm->fd, request, &region);
}

/* Add a new slot, or try a change that KVM refuses: of address or size. */
static int slot_add(struct exec_vm *vm, unsigned long request, const void *arg,
		    struct exec_slot *new)
{
	unsigned int room = vm->room ? 2 * vm->room : 16;
	struct exec_slot *slots = vm->slots;
	int rc;

	if (vm->nr_slots == vm->room) {
		slots = reallocarray(vm->slots, room, sizeof(*slots));
		if (slots) {
			vm->slots = slots;
			vm->room = room;
		}
	}
	rc = slots ? exec_holes_prepare() : -ENOMEM;
	if (!rc)
		rc = slot_map(new);
	if (rc == -ENOENT)
		return tell_kvm(vm, request, arg, NULL);
	if (rc) {
		exec_say("slot %u: cannot map the view: %s", new->id, strerror(-rc));
		return rc;
	}
	exec_signals_take();
	rc = tell_kvm(vm, request, arg, new);
	if (rc) {
		slot_unmap(new);
		return rc;
	}
	new->fresh = true;
	slot_log(new, 0, new->flags);
	/* The gmem fd may come from another VMM, with private pages of the same guest. */
	if (exec_memory_private(new->memory))
		__atomic_store_n(&vm->private, true, __ATOMIC_RELAXED);
	vm->slots[vm->nr_slots] = *new;
	__atomic_store_n(&vm->nr_slots, vm->nr_slots + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&vm->fresh, true, __ATOMIC_RELEASE);
	return 0;
}

static int slot_set(struct exec_vm *vm, unsigned long request, const void *arg,
		    struct exec_slot *new)
{
	struct exec_slot *old = NULL;
	int rc;

	for (unsigned int i = 0; i < vm->nr_slots; i++)
		if (vm->slots[i].id == new->id)
			old = &vm->slots[i];
	if (old && !new->size) {
		rc = tell_kvm(vm, request, arg, NULL);
		if (!rc)
			slot_remove(vm, old);
		return rc;
	}
	/* Only flags or the guest address change: keep the mapping. */
	if (old && old->address == new->address && old->size == new->size) {
		rc = tell_kvm(vm, request, arg, old);
		if (rc)
			return rc;
		slot_log(old, old->flags, new->flags);
		old->flags = new->flags;
		old->gpa = new->gpa;
		return 0;
	}
	/* A slot with a guest_memfd has private memory of KVM's own, and gets no view. */
	if (!new->size || new->flags & KVM_MEM_GUEST_MEMFD)
		return tell_kvm(vm, request, arg, NULL);
	return slot_add(vm, request, arg, new);
}

int exec_slot_set(struct exec_vm *vm, unsigned long request, const void *arg)
{
	const struct kvm_userspace_memory_region *region = arg;
	struct exec_slot new = {
		.id = region->slot,
		.flags = region->flags,
		.gpa = region->guest_phys_addr,
		.size = region->memory_size,
		.address = region->userspace_addr,
	};
	bool before = exec_vm_has_views(vm);
	int rc;

	pthread_rwlock_wrlock(&vm->lock);
	rc = slot_set(vm, request, arg, &new);
	/* Drop connections that were told of the old slots, even those made during the call. */
	exec_remotes_drop();
	pthread_rwlock_unlock(&vm->lock);
	if (!before && exec_vm_has_views(vm))
		exec_control_start();
	return rc;
}

/* Put populated pages into new views. A page that is missing there is added by a fault. */
void exec_slots_fill(struct exec_vm *vm)
{
	if (!__atomic_load_n(&vm->fresh, __ATOMIC_ACQUIRE))
		return;
	pthread_rwlock_wrlock(&vm->lock);
	for (unsigned int i = 0; i < vm->nr_slots; i++) {
		struct exec_slot *slot = &vm->slots[i];
		uint64_t pages = 0;

		if (slot->fresh)
			gmem_view_populate(slot->memory->view_fd, GMEM_VIEW_POPULATE_F_NOALLOC,
					   slot->view, slot->size, &pages);
		slot->fresh = false;
		exec_count(&exec_counters.pages, pages);
	}
	__atomic_store_n(&vm->fresh, false, __ATOMIC_RELEASE);
	pthread_rwlock_unlock(&vm->lock);
}
