// SPDX-License-Identifier: GPL-2.0
/*
 * Memslots. What is looked at, and in which order, is kvm_set_memory_region() of
 * virt/kvm/kvm_main.c, and the binding of guest_memfds is virt/kvm/guest_memfd.c.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

/* KVM's limits: pages and number of a slot, guest addresses */
#define SLOT_PAGES_MAX ((UINT64_C(1) << 31) - 1)
#define SLOT_ID_MAX 32763
#define GPA_MAX (UINT64_C(1) << 52)

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

struct sim_slot *sim_slot_find(struct sim_vm *vm, uint64_t gpa)
{
	for (int i = 0; i < SIM_SLOTS; i++) {
		struct sim_slot *slot = &vm->slots[i];

		if (slot->size && gpa >= slot->gpa &&
		    gpa - slot->gpa < slot->size)
			return slot;
	}
	return NULL;
}

static struct sim_slot *slot_by_id(struct sim_vm *vm, uint32_t id)
{
	for (int i = 0; i < SIM_SLOTS; i++)
		if (vm->slots[i].size && vm->slots[i].id == id)
			return &vm->slots[i];
	return NULL;
}

static struct sim_slot *slot_free(struct sim_vm *vm)
{
	for (int i = 0; i < SIM_SLOTS; i++)
		if (!vm->slots[i].size)
			return &vm->slots[i];
	return NULL;
}

/* Linux 6.12 knows the flag only for VMs with private memory. */
static bool flags_are_valid(const struct sim *sim, const struct sim_vm *vm,
			    uint32_t flags)
{
	if (!(flags & KVM_MEM_GUEST_MEMFD))
		return !(flags & ~(KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY));
	return flags == KVM_MEM_GUEST_MEMFD && !sim->config.no_gmem &&
	       (sim_is_7_3(sim) || sim_has_private(vm));
}

static bool wraps(uint64_t start, uint64_t size)
{
	return start + size < start;
}

static int region_check(const struct sim *sim, const struct sim_vm *vm,
			const struct kvm_userspace_memory_region2 *region)
{
	uint64_t user_max = (UINT64_C(1) << (sim->config.la57 ? 56 : 47)) -
			    SIM_PAGE;
	uint64_t size = region->memory_size;

	if (!flags_are_valid(sim, vm, region->flags))
		return -EINVAL;
	if (size % SIM_PAGE || region->guest_phys_addr % SIM_PAGE ||
	    region->userspace_addr % SIM_PAGE)
		return -EINVAL;
	if (size > user_max || region->userspace_addr > user_max - size)
		return -EINVAL;
	if (region->flags & KVM_MEM_GUEST_MEMFD &&
	    (region->guest_memfd_offset % SIM_PAGE ||
	     wraps(region->guest_memfd_offset, size)))
		return -EINVAL;
	if (region->slot > SLOT_ID_MAX || wraps(region->guest_phys_addr, size))
		return -EINVAL;
	return size / SIM_PAGE > SLOT_PAGES_MAX ? -EINVAL : 0;
}

static bool gmem_is_bound(struct sim_vm *vm, const struct sim_gmem *gmem,
			  uint64_t offset, uint64_t size)
{
	for (int i = 0; i < SIM_SLOTS; i++) {
		const struct sim_slot *slot = &vm->slots[i];

		if (slot->size && slot->gmem == gmem &&
		    overlap(slot->offset, slot->size, offset, size))
			return true;
	}
	return false;
}

static int region_bind(struct sim *sim, struct sim_vm *vm,
		       const struct kvm_userspace_memory_region2 *region,
		       struct sim_gmem **gmem)
{
	int number = (int)region->guest_memfd;
	struct sim_fd *fd = sim_fd(sim, number);

	/* Other files of the process cannot be guest_memfds. */
	if (!fd)
		return sim_process_has_file(number) ? -EINVAL : -EBADF;
	if (fd->kind != SIM_GMEM)
		return -EINVAL;
	*gmem = fd->object;
	if ((*gmem)->vm != vm || region->guest_memfd_offset +
	    region->memory_size > (*gmem)->size)
		return -EINVAL;
	/* Here Linux 6.12 looks; 7.3 looks last. */
	if (!sim_is_7_3(sim) &&
	    gmem_is_bound(vm, *gmem, region->guest_memfd_offset,
			  region->memory_size))
		return -EINVAL;
	return 0;
}

static bool gpa_is_used(struct sim_vm *vm, const struct sim_slot *but,
			uint64_t gpa, uint64_t size)
{
	for (int i = 0; i < SIM_SLOTS; i++) {
		const struct sim_slot *slot = &vm->slots[i];

		if (slot->size && slot != but &&
		    overlap(slot->gpa, slot->size, gpa, size))
			return true;
	}
	return false;
}

/*
 * On arm64 a VM has as many bits of addresses as it was created with, and only
 * a realm can have private memory: of others the host maps the guest_memfd.
 */
static int arch_check(const struct sim *sim, const struct sim_vm *vm,
		      const struct kvm_userspace_memory_region2 *region,
		      const struct sim_gmem *gmem)
{
	uint64_t end = region->guest_phys_addr + region->memory_size;

	if (!sim->config.arm)
		return end > GPA_MAX ? -EINVAL : 0;
	if (end > UINT64_C(1) << vm->arm.ipa_bits)
		return -EFAULT;
	return gmem && !vm->arm.is_realm && !gmem->flags ? -EINVAL : 0;
}

static int slot_create(struct sim *sim, struct sim_vm *vm,
		       const struct kvm_userspace_memory_region2 *region)
{
	uint64_t offset = region->guest_memfd_offset;
	struct sim_slot *slot = slot_free(vm);
	struct sim_gmem *gmem = NULL;
	int rc = 0;

	if (gpa_is_used(vm, NULL, region->guest_phys_addr, region->memory_size))
		return -EEXIST;
	if (region->flags & KVM_MEM_GUEST_MEMFD)
		rc = region_bind(sim, vm, region, &gmem);
	if (rc)
		return rc;
	rc = arch_check(sim, vm, region, gmem);
	if (rc)
		return rc;
	if (gmem && gmem_is_bound(vm, gmem, offset, region->memory_size))
		return -EEXIST;
	if (!slot)
		return -ENOMEM;
	*slot = (struct sim_slot){
		.id = region->slot, .flags = region->flags,
		.gpa = region->guest_phys_addr, .size = region->memory_size,
		.uaddr = region->userspace_addr, .gmem = gmem, .bound = gmem,
		.offset = gmem ? offset : 0,
	};
	return 0;
}

/* What is backed by a guest_memfd can only be deleted, others can be moved. */
static int slot_change(struct sim_vm *vm, struct sim_slot *slot,
		       const struct kvm_userspace_memory_region2 *region)
{
	uint32_t fixed = KVM_MEM_READONLY | KVM_MEM_GUEST_MEMFD;

	if (region->flags & KVM_MEM_GUEST_MEMFD ||
	    region->userspace_addr != slot->uaddr ||
	    region->memory_size != slot->size ||
	    (region->flags ^ slot->flags) & fixed)
		return -EINVAL;
	if (region->guest_phys_addr != slot->gpa) {
		if (gpa_is_used(vm, slot, region->guest_phys_addr, slot->size))
			return -EEXIST;
		if (region->guest_phys_addr + slot->size > GPA_MAX)
			return -EINVAL;
	}
	slot->gpa = region->guest_phys_addr;
	slot->flags = region->flags;
	return 0;
}

int sim_set_region(struct sim *sim, struct sim_vm *vm, uint64_t arg, bool v2)
{
	struct kvm_userspace_memory_region2 region = { 0 };
	size_t size = v2 ? sizeof(region) :
			   sizeof(struct kvm_userspace_memory_region);
	struct sim_slot *slot;
	int rc;

	if (sim_in(sim, &region, arg, size))
		return -EFAULT;
	if (!v2 && region.flags & KVM_MEM_GUEST_MEMFD)
		return -EINVAL;
	rc = region_check(sim, vm, &region);
	if (rc)
		return rc;
	slot = slot_by_id(vm, region.slot);
	if (region.memory_size)
		return slot ? slot_change(vm, slot, &region) :
			      slot_create(sim, vm, &region);
	if (!slot)
		return -EINVAL;
	memset(slot, 0, sizeof(*slot));
	return 0;
}
