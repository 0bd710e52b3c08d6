// SPDX-License-Identifier: GPL-2.0
/* Memslots, guest_memfds and memory attributes. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define GMEM_FLAG_MMAP 1
/* KVM's limits on a slot */
#define SLOT_PAGES_MAX ((UINT64_C(1) << 31) - 1)
#define GPA_MAX (UINT64_C(1) << 52)
/* A simulated guest_memfd has one byte for each page. */
#define GMEM_SIZE_MAX (UINT64_C(1) << 36)

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

static int region_check(const struct kvm_userspace_memory_region2 *region)
{
	bool gmem = region->flags & KVM_MEM_GUEST_MEMFD;
	uint64_t valid = KVM_MEM_GUEST_MEMFD |
			 (gmem ? 0 : KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY);

	if (region->flags & ~valid)
		return -EINVAL;
	if (region->memory_size % SIM_PAGE || region->guest_phys_addr % SIM_PAGE ||
	    region->userspace_addr % SIM_PAGE)
		return -EINVAL;
	if (gmem && (region->guest_memfd_offset % SIM_PAGE ||
		     region->guest_memfd_offset + region->memory_size <
		     region->guest_memfd_offset))
		return -EINVAL;
	if (region->slot >= SIM_SLOTS)
		return -EINVAL;
	if (region->guest_phys_addr + region->memory_size <
	    region->guest_phys_addr ||
	    region->guest_phys_addr + region->memory_size > GPA_MAX)
		return -EINVAL;
	return region->memory_size / SIM_PAGE > SLOT_PAGES_MAX ? -EINVAL : 0;
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
		return fcntl(number, F_GETFD) < 0 ? -EBADF : -EINVAL;
	if (fd->kind != SIM_GMEM)
		return -EINVAL;
	*gmem = fd->object;
	if ((*gmem)->vm != vm || region->guest_memfd_offset +
	    region->memory_size > (*gmem)->size)
		return -EINVAL;
	if (gmem_is_bound(vm, *gmem, region->guest_memfd_offset,
			  region->memory_size))
		return sim_is_7_3(sim) ? -EEXIST : -EINVAL;
	return 0;
}

static int slot_add(struct sim *sim, struct sim_vm *vm,
		    const struct kvm_userspace_memory_region2 *region,
		    struct sim_slot *old)
{
	struct sim_gmem *gmem = NULL;
	struct sim_slot *slot = old;
	int rc = 0;

	for (int i = 0; i < SIM_SLOTS; i++) {
		const struct sim_slot *other = &vm->slots[i];

		if (!other->size && !slot)
			slot = &vm->slots[i];
		if (other->size && other != old &&
		    overlap(other->gpa, other->size, region->guest_phys_addr,
			    region->memory_size))
			return -EEXIST;
	}
	if (!slot)
		return -EINVAL;
	if (region->flags & KVM_MEM_GUEST_MEMFD)
		rc = region_bind(sim, vm, region, &gmem);
	if (rc)
		return rc;
	*slot = (struct sim_slot){
		.id = region->slot, .gpa = region->guest_phys_addr,
		.size = region->memory_size, .uaddr = region->userspace_addr,
		.gmem = gmem, .bound = gmem,
		.offset = region->guest_memfd_offset,
	};
	return 0;
}

static int slot_set(struct sim *sim, struct sim_vm *vm,
		    const struct kvm_userspace_memory_region2 *region)
{
	struct sim_slot *old = slot_by_id(vm, region->slot);
	int rc = region_check(region);

	if (rc)
		return rc;
	if (!region->memory_size) {
		if (!old)
			return -EINVAL;
		memset(old, 0, sizeof(*old));
		return 0;
	}
	/* What is backed by a guest_memfd can only be deleted. */
	if (old && (old->bound || region->flags & KVM_MEM_GUEST_MEMFD))
		return -EINVAL;
	if (old && (old->size != region->memory_size ||
		    old->uaddr != region->userspace_addr))
		return -EINVAL;
	return slot_add(sim, vm, region, old);
}

int sim_set_region(struct sim *sim, struct sim_vm *vm, uint64_t arg, bool v2)
{
	struct kvm_userspace_memory_region2 region = { 0 };
	size_t size = v2 ? sizeof(region) :
			   sizeof(struct kvm_userspace_memory_region);

	if (sim_in(sim, &region, arg, size))
		return -EFAULT;
	if (!v2 && region.flags & KVM_MEM_GUEST_MEMFD)
		return -EINVAL;
	return slot_set(sim, vm, &region);
}

int sim_set_attributes(struct sim *sim, struct sim_vm *vm, uint64_t arg)
{
	uint64_t supported = sim_has_private(vm) ?
			     KVM_MEMORY_ATTRIBUTE_PRIVATE : 0;
	struct kvm_memory_attributes attributes;

	if (sim_in(sim, &attributes, arg, sizeof(attributes)))
		return -EFAULT;
	if (attributes.flags || attributes.attributes & ~supported)
		return -EINVAL;
	if (!attributes.size ||
	    attributes.address + attributes.size < attributes.address)
		return -EINVAL;
	if (attributes.address % SIM_PAGE || attributes.size % SIM_PAGE)
		return -EINVAL;
	return sim_private_set(vm, attributes.address / SIM_PAGE,
			       (attributes.address + attributes.size) / SIM_PAGE,
			       attributes.attributes);
}

static struct sim_gmem *gmem_new(struct sim_vm *vm, uint64_t size,
				 uint64_t flags)
{
	struct sim_gmem *gmem = calloc(1, sizeof(*gmem));

	if (!gmem)
		return NULL;
	gmem->assigned = calloc(size / SIM_PAGE, 1);
	if (!gmem->assigned) {
		free(gmem);
		return NULL;
	}
	gmem->refs = 1;
	gmem->vm = vm;
	gmem->size = size;
	gmem->flags = flags;
	vm->refs++;
	return gmem;
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
	/* MMAP came with 7.3; INIT_SHARED is not for VMs with private memory. */
	if (create.flags & ~(sim_is_7_3(sim) ? GMEM_FLAG_MMAP : UINT64_C(0)))
		return -EINVAL;
	if ((int64_t)create.size <= 0 || create.size % SIM_PAGE)
		return -EINVAL;
	if (create.size > GMEM_SIZE_MAX)
		return -ENOMEM;
	gmem = gmem_new(vm, create.size, create.flags);
	if (!gmem)
		return -ENOMEM;
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
	free(gmem->assigned);
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
	if (rc || offset >= gmem->size)
		return rc;
	if (length > gmem->size - offset)
		length = gmem->size - offset;
	memset(gmem->assigned + offset / SIM_PAGE, 0, length / SIM_PAGE);
	return 0;
}
