// SPDX-License-Identifier: GPL-2.0
/*
 * What a VM's memory is made of: sets of page frames, memslots, guest_memfds, attributes; and
 * who has a page. What is looked at, and in which order, is kvm_set_memory_region() of
 * virt/kvm/kvm_main.c, and the binding of guest_memfds is virt/kvm/guest_memfd.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* KVM's limits: pages and number of a slot, guest addresses */
#define SLOT_PAGES_MAX ((UINT64_C(1) << 31) - 1)
#define SLOT_ID_MAX 32763
#define GPA_MAX (UINT64_C(1) << 52)

#define GMEM_FLAG_MMAP UINT64_C(1)
#define GMEM_FLAG_INIT_SHARED UINT64_C(2)

bool sim_ranges_have(const struct sim_ranges *set, uint64_t page)
{
	for (unsigned int i = 0; i < set->count; i++)
		if (page >= set->ranges[i].start && page < set->ranges[i].end)
			return true;
	return false;
}

/* Appending one that touches the last makes that longer. */
static void append(struct sim_ranges *set, uint64_t start, uint64_t end)
{
	struct sim_range *last = set->ranges + set->count - 1;

	if (start >= end)
		return;
	if (set->count && last->end == start)
		last->end = end;
	else
		set->ranges[set->count++] =
			(struct sim_range){ start, end };
}

int sim_ranges_set(struct sim_ranges *set, uint64_t start, uint64_t end, bool on)
{
	struct sim_ranges new = { 0 };
	bool done = !on;

	/* One range at most is split in two, one at most is new. */
	new.ranges = calloc(set->count + 2, sizeof(*new.ranges));
	if (!new.ranges)
		return -ENOMEM;
	for (unsigned int i = 0; i < set->count; i++) {
		const struct sim_range *old = &set->ranges[i];

		append(&new, old->start, old->end < start ? old->end : start);
		/* All that is before the new one is in the list now. */
		if (!done && old->end > start) {
			append(&new, start, end);
			done = true;
		}
		append(&new, old->start > end ? old->start : end, old->end);
	}
	if (!done)
		append(&new, start, end);
	free(set->ranges);
	*set = new;
	return 0;
}

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

struct sim_slot *sim_slot_find(struct sim_vm *vm, uint64_t gpa)
{
	for (int i = 0; i < SIM_SLOTS; i++) {
		struct sim_slot *slot = &vm->slots[i];

		if (slot->size && gpa >= slot->gpa && gpa - slot->gpa < slot->size)
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

/* Linux 6.12 knows the flag only for VMs with private memory. */
static bool flags_are_valid(const struct sim *sim, const struct sim_vm *vm, uint32_t flags)
{
	if (!(flags & KVM_MEM_GUEST_MEMFD))
		return !(flags & ~(KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY));
	return flags == KVM_MEM_GUEST_MEMFD && !sim->config.no_gmem &&
	       (sim_is_7_3(sim) || sim_has_private(vm));
}

static int region_check(const struct sim *sim, const struct sim_vm *vm,
			const struct kvm_userspace_memory_region2 *region)
{
	uint64_t user_max = (UINT64_C(1) << (sim->config.la57 ? 56 : 47)) - SIM_PAGE;
	uint64_t size = region->memory_size;

	if (!flags_are_valid(sim, vm, region->flags))
		return -EINVAL;
	if (size % SIM_PAGE || region->guest_phys_addr % SIM_PAGE ||
	    region->userspace_addr % SIM_PAGE)
		return -EINVAL;
	if (size > user_max || region->userspace_addr > user_max - size)
		return -EINVAL;
	if (region->flags & KVM_MEM_GUEST_MEMFD && (region->guest_memfd_offset % SIM_PAGE ||
						    region->guest_memfd_offset + size < size))
		return -EINVAL;
	if (region->slot > SLOT_ID_MAX || region->guest_phys_addr + size < size)
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
		       const struct kvm_userspace_memory_region2 *region, struct sim_gmem **gmem)
{
	int number = (int)region->guest_memfd;
	struct sim_fd *fd = sim_fd(sim, number);

	/* Other files of the process cannot be guest_memfds. */
	if (!fd)
		return sim_process_has_file(number) ? -EINVAL : -EBADF;
	if (fd->kind != SIM_GMEM)
		return -EINVAL;
	*gmem = fd->object;
	if ((*gmem)->vm != vm || region->guest_memfd_offset + region->memory_size > (*gmem)->size)
		return -EINVAL;
	/* Here Linux 6.12 looks; 7.3 looks last. */
	if (!sim_is_7_3(sim) && gmem_is_bound(vm, *gmem, region->guest_memfd_offset,
					      region->memory_size))
		return -EINVAL;
	return 0;
}

static bool gpa_is_used(struct sim_vm *vm, const struct sim_slot *but, uint64_t gpa, uint64_t size)
{
	for (int i = 0; i < SIM_SLOTS; i++) {
		const struct sim_slot *slot = &vm->slots[i];

		if (slot->size && slot != but && overlap(slot->gpa, slot->size, gpa, size))
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
	struct sim_slot *slot = vm->slots;
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
	while (slot < vm->slots + SIM_SLOTS && slot->size)
		slot++;
	if (slot == vm->slots + SIM_SLOTS)
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

	if (region->flags & KVM_MEM_GUEST_MEMFD || region->userspace_addr != slot->uaddr ||
	    region->memory_size != slot->size || (region->flags ^ slot->flags) & fixed)
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

int sim_set_region(struct sim *sim, struct sim_vm *vm, unsigned long request, uint64_t arg)
{
	struct kvm_userspace_memory_region2 region = { 0 };
	bool v2 = request == KVM_SET_USER_MEMORY_REGION2;
	size_t size = v2 ? sizeof(region) : sizeof(struct kvm_userspace_memory_region);
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
		return slot ? slot_change(vm, slot, &region) : slot_create(sim, vm, &region);
	if (!slot)
		return -EINVAL;
	memset(slot, 0, sizeof(*slot));
	return 0;
}

int sim_set_attributes(struct sim *sim, struct sim_vm *vm, uint64_t arg)
{
	uint64_t supported = sim_has_private(vm) ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0;
	struct kvm_memory_attributes attributes;

	if (sim_in(sim, &attributes, arg, sizeof(attributes)))
		return -EFAULT;
	if (attributes.flags || attributes.attributes & ~supported)
		return -EINVAL;
	if (!attributes.size || attributes.address + attributes.size < attributes.address)
		return -EINVAL;
	if (attributes.address % SIM_PAGE || attributes.size % SIM_PAGE)
		return -EINVAL;
	return sim_ranges_set(&vm->private, attributes.address / SIM_PAGE,
			      (attributes.address + attributes.size) / SIM_PAGE,
			      attributes.attributes);
}

/* Both came with 7.3; INIT_SHARED is not for VMs with private memory. */
static uint64_t valid_flags(const struct sim *sim, const struct sim_vm *vm)
{
	if (!sim_is_7_3(sim))
		return 0;
	return GMEM_FLAG_MMAP | (sim_has_private(vm) ? 0 : GMEM_FLAG_INIT_SHARED);
}

int sim_create_gmem(struct sim *sim, struct sim_vm *vm, uint64_t arg)
{
	struct kvm_create_guest_memfd create;
	struct sim_gmem *gmem;
	int fd;

	if (sim_in(sim, &create, arg, sizeof(create)))
		return -EFAULT;
	sim_lint(sim, create.flags && vm->type == KVM_X86_SNP_VM,
		 "a guest_memfd for SNP with flags");
	if (create.flags & ~valid_flags(sim, vm))
		return -EINVAL;
	if ((int64_t)create.size <= 0 || create.size % SIM_PAGE)
		return -EINVAL;
	gmem = calloc(1, sizeof(*gmem));
	if (!gmem)
		return -ENOMEM;
	*gmem = (struct sim_gmem){
		.refs = 1, .vm = vm, .size = create.size, .flags = create.flags,
	};
	vm->refs++;
	fd = sim_fd_install(sim, SIM_GMEM, gmem, true);
	if (fd < 0)
		sim_gmem_put(sim, gmem);
	return fd;
}

void sim_gmem_put(struct sim *sim, struct sim_gmem *gmem)
{
	struct sim_vm *vm = gmem->vm;

	if (--gmem->refs)
		return;
	for (int i = 0; i < SIM_SLOTS; i++)
		if (vm->slots[i].gmem == gmem)
			vm->slots[i].gmem = NULL;
	free(gmem->assigned.ranges);
	free(gmem);
	sim_vm_put(sim, vm);
}

/* The guest_memfd of a range that fallocate() takes */
static int fallocate_check(struct sim *sim, int fd, uint64_t offset,
			   uint64_t length, struct sim_gmem **gmem)
{
	const struct sim_fd *found = sim_fd(sim, fd);

	if (!found)
		return -EBADF;
	if (found->kind != SIM_GMEM)
		return -ENODEV;
	*gmem = found->object;
	return !length || offset % SIM_PAGE || length % SIM_PAGE ||
	       offset + length < offset ? -EINVAL : 0;
}

/* Pages are there from the beginning. */
int sim_allocate(struct sim *sim, int fd, uint64_t offset, uint64_t length)
{
	struct sim_gmem *gmem;
	int rc = fallocate_check(sim, fd, offset, length, &gmem);

	if (!rc && offset + length > gmem->size)
		rc = -EINVAL;
	sim_trace_call(sim, "allocate", fd, rc);
	return rc;
}

int sim_punch(struct sim *sim, int fd, uint64_t offset, uint64_t length)
{
	struct sim_gmem *gmem;
	int rc = fallocate_check(sim, fd, offset, length, &gmem);

	sim_trace_call(sim, "punch hole", fd, rc);
	return rc ? rc : sim_ranges_set(&gmem->assigned, offset / SIM_PAGE,
					(offset + length) / SIM_PAGE, false);
}

bool sim_vm_is_private(struct sim *sim, int fd, uint64_t gpa)
{
	struct sim_vm *vm = sim_find_vm(sim, fd);

	return vm && sim_ranges_have(&vm->private, gpa / SIM_PAGE);
}

/* The guest_memfd that has the page, and which one of it that is */
static struct sim_gmem *find_page(struct sim *sim, int fd, uint64_t gpa, uint64_t *page)
{
	struct sim_vm *vm = sim_find_vm(sim, fd);
	struct sim_slot *slot = vm ? sim_slot_find(vm, gpa) : NULL;

	if (!slot || !slot->gmem)
		return NULL;
	*page = sim_slot_page(slot, gpa);
	return slot->gmem;
}

int sim_touch(struct sim *sim, int vm, uint64_t gpa)
{
	uint64_t page;
	struct sim_gmem *gmem = find_page(sim, vm, gpa, &page);

	if (!gmem || !sim_vm_is_private(sim, vm, gpa))
		return -EFAULT;
	return sim_ranges_set(&gmem->assigned, page, page + 1, true);
}

bool sim_is_guests(struct sim *sim, int vm, uint64_t gpa)
{
	uint64_t page;
	const struct sim_gmem *gmem = find_page(sim, vm, gpa, &page);

	return gmem && sim_ranges_have(&gmem->assigned, page);
}
