// SPDX-License-Identifier: GPL-2.0
/* guest_memfds and memory attributes. */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

#define GMEM_FLAG_MMAP UINT64_C(1)
#define GMEM_FLAG_INIT_SHARED UINT64_C(2)

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
	return sim_ranges_set(&vm->private, attributes.address / SIM_PAGE,
			      (attributes.address + attributes.size) / SIM_PAGE,
			      attributes.attributes);
}

static struct sim_gmem *gmem_new(struct sim_vm *vm, uint64_t size,
				 uint64_t flags)
{
	struct sim_gmem *gmem = calloc(1, sizeof(*gmem));

	if (!gmem)
		return NULL;
	gmem->refs = 1;
	gmem->vm = vm;
	gmem->size = size;
	gmem->flags = flags;
	vm->refs++;
	return gmem;
}

/* Both came with 7.3; INIT_SHARED is not for VMs with private memory. */
static uint64_t valid_flags(const struct sim *sim, const struct sim_vm *vm)
{
	if (!sim_is_7_3(sim))
		return 0;
	return GMEM_FLAG_MMAP | (sim_has_private(vm) ? 0 :
				 GMEM_FLAG_INIT_SHARED);
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
