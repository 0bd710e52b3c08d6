// SPDX-License-Identifier: GPL-2.0
/* Attributes, guest_memfds and memslots: what KVM says without SNP, too. */
#include <errno.h>

#include "sim_cases.h"
#include "ksft.h"

#define PRIVATE KVM_MEMORY_ATTRIBUTE_PRIVATE

static int attr_flags(struct world *world)
{
	int results[7];

	world_vm(world);
	results[0] = world_attributes(world, 0, 0x1000, PRIVATE, 1);
	results[1] = world_attributes(world, 0, 0, PRIVATE, 0);
	results[2] = world_attributes(world, 0x10, 0x1000, PRIVATE, 0);
	results[3] = world_attributes(world, 0, 0x1001, PRIVATE, 0);
	results[4] = world_attributes(world, -0x1000ULL, 0x2000, PRIVATE, 0);
	results[5] = world_attributes(world, 0, 0x1000, PRIVATE << 1, 0);
	results[6] = world_attributes(world, 0, 0x1000, 1, 0);
	EXPECT_FALSE(world_attributes(world, 0, 0x1000, PRIVATE, 0));
	/* A kernel does not say. */
	if (world->sim) {
		EXPECT_TRUE(sim_vm_is_private(world->sim, world->vm, 0xfff));
		EXPECT_FALSE(sim_vm_is_private(world->sim, world->vm, 0x1000));
	}
	return sim_agree(results, 7);
}

static int attr_def(struct world *world)
{
	world_host(world);
	world->vm = world_ioctl(world, world->kvm, KVM_CREATE_VM, NULL);
	return world_attributes(world, 0, 0x1000, PRIVATE, 0);
}

static int gmem_size(struct world *world)
{
	int results[3];

	world_vm(world);
	results[0] = world_gmem(world, 0, 0);
	results[1] = world_gmem(world, 0x1001, 0);
	results[2] = world_gmem(world, UINT64_C(1) << 63, 0);
	return sim_agree(results, 3);
}

static int gmem_flags(struct world *world)
{
	int results[2];

	world_vm(world);
	results[0] = world_gmem(world, 0x1000, 2);
	results[1] = world_gmem(world, 0x1000, 3);
	return sim_agree(results, 2);
}

static int gmem_flags_mmap(struct world *world)
{
	int fd;

	world_vm(world);
	fd = world_gmem(world, 0x1000, 1);
	return fd < 0 ? fd : 0;
}

static int slot_badfd(struct world *world)
{
	world_vm(world);
	return world_slot(world, 0, 0, 0x1000, -1, 0);
}

static int slot_otherfd(struct world *world)
{
	int results[5], gmem, first;

	world_vm(world);
	gmem = world_gmem(world, 0x2000, 0);
	results[0] = world_slot(world, 0, 0, 0x1000, world->kvm, 0);
	results[1] = world_slot(world, 0, 0, 0x1000, 0, 0);
	results[2] = world_slot(world, 0, 0, 0x3000, gmem, 0);
	results[3] = world_slot(world, 0, 0, 0x1000, gmem, 0x2000);
	first = world->vm;
	world->vm = -1;
	world_vm(world);
	results[4] = world_slot(world, 0, 0, 0x1000, gmem, 0);
	world->vm = first;
	EXPECT_FALSE(world_slot(world, 0, 0, 0x2000, gmem, 0));
	return sim_agree(results, 5);
}

static int slot_overlap_gmem(struct world *world)
{
	world_memory(world);
	return world_slot(world, 1, 0x100000, 0x1000, world->gmem, 0x1000);
}

static int slot_overlap_gpa(struct world *world)
{
	int gmem;

	world_memory(world);
	gmem = world_gmem(world, 0x1000, 0);
	return world_slot(world, 1, 0x1000, 0x1000, gmem, 0);
}

static int slot_modify(struct world *world)
{
	int gmem, rc;

	world_memory(world);
	gmem = world_gmem(world, 0x1000, 0);
	rc = world_slot(world, 0, 0x100000, 0x1000, gmem, 0);
	/* Deleted, it can be made anew. */
	EXPECT_FALSE(world_slot(world, 0, 0, 0, -1, 0));
	EXPECT_FALSE(world_slot(world, 0, 0x100000, 0x1000, gmem, 0));
	return rc;
}

static int slot_v1(struct world *world)
{
	struct kvm_userspace_memory_region region = {
		.flags = KVM_MEM_GUEST_MEMFD, .memory_size = 0x1000,
		.userspace_addr = (uint64_t)world->source,
	};

	world_vm(world);
	return world_ioctl(world, world->vm, KVM_SET_USER_MEMORY_REGION,
			 &region);
}

const struct sim_case sim_cases_memory[] = {
	{ "attr-flags", attr_flags, BOTH_ON(SIM_NEEDS_PRIVATE, -EINVAL) },
	{ "attr-def", attr_def, BOTH_ON(SIM_NEEDS_PRIVATE, -EINVAL) },
	{ "gmem-size", gmem_size, BOTH_ON(SIM_NEEDS_PRIVATE, -EINVAL) },
	{ "gmem-flags", gmem_flags, BOTH_ON(SIM_NEEDS_PRIVATE, -EINVAL) },
	{ "gmem-flags-mmap", gmem_flags_mmap,
	  EACH_ON(SIM_NEEDS_PRIVATE, -EINVAL, 0) },
	{ "slot-badfd", slot_badfd, BOTH_ON(SIM_NEEDS_PRIVATE, -EBADF) },
	{ "slot-otherfd", slot_otherfd, BOTH_ON(SIM_NEEDS_PRIVATE, -EINVAL) },
	{ "slot-overlap-gmem", slot_overlap_gmem,
	  EACH_ON(SIM_NEEDS_PRIVATE, -EINVAL, -EEXIST) },
	{ "slot-overlap-gpa", slot_overlap_gpa,
	  BOTH_ON(SIM_NEEDS_PRIVATE, -EEXIST) },
	{ "slot-modify", slot_modify, BOTH_ON(SIM_NEEDS_PRIVATE, -EINVAL) },
	{ "slot-v1", slot_v1, BOTH_ON(SIM_NEEDS_NOTHING, -EINVAL) },
};

const unsigned int sim_cases_memory_count =
	sizeof(sim_cases_memory) / sizeof(sim_cases_memory[0]);
