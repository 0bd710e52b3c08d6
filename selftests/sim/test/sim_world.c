// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>

#include "base/calls.h"
#include "sim_world.h"
#include "ksft.h"

#define POLICY 0x30000

void world_init(struct world *world, enum sim_profile profile)
{
	memset(world, 0, sizeof(*world));
	world->host.profile = profile;
	world->host.asids = 8;
	world->type = KVM_X86_SNP_VM;
	world->kvm = -1;
	world->sev = -1;
	world->vm = -1;
	world->vcpu = -1;
	world->gmem = -1;
	world->gic = -1;
	world->source = aligned_alloc(WORLD_PAGE, WORLD_PAGES * WORLD_PAGE);
	for (int i = 0; i < WORLD_PAGES; i++)
		memset(world->source + i * WORLD_PAGE, i, WORLD_PAGE);
}

/* Files of the system stay open: the process of the case ends now. */
void world_free(struct world *world)
{
	sim_destroy(world->sim);
	free(world->source);
}

void world_fail(struct world *world, enum sim_event event, unsigned int nth, uint32_t error)
{
	EXPECT_LT(world->kvm, 0);
	EXPECT_LT(world->nr_faults, WORLD_FAULTS);
	world->faults[world->nr_faults++] =
		(struct world_fault){ event, nth, error };
}

int world_agree(struct world *world, int rc)
{
	if (!world->nr_agreed++)
		world->agreed = rc;
	EXPECT_EQ(rc, world->agreed);
	return rc;
}

int world_open(struct world *world, const char *path, int flags)
{
	return world->sim ? sim_open(world->sim, path, flags) : calls_system.open(path, flags);
}

int world_close(struct world *world, int fd)
{
	return world->sim ? sim_close(world->sim, fd) : calls_system.close(fd);
}

int world_ioctl(struct world *world, int fd, unsigned long request, void *arg)
{
	return world->sim ? sim_ioctl(world->sim, fd, request, arg) :
			    calls_system.ioctl(fd, request, arg);
}

static void world_create(struct world *world)
{
	if (world->system) {
		world->system(world);
		return;
	}
	world->sim = sim_create(&world->host);
	for (unsigned int i = 0; i < world->nr_faults; i++)
		EXPECT_FALSE(sim_fail(world->sim, world->faults[i].event, world->faults[i].nth,
				      world->faults[i].error));
}

void world_host(struct world *world)
{
	if (world->kvm >= 0)
		return;
	world_create(world);
	world->kvm = world_open(world, KVM_DEVICE_PATH, O_RDWR);
	EXPECT_GE(world->kvm, 0);
	if (world->host.no_snp)
		return;
	world->sev = world_open(world, SNP_DEVICE_PATH, O_RDWR);
	EXPECT_GE(world->sev, 0);
}

void world_vm(struct world *world)
{
	world_host(world);
	if (world->vm >= 0)
		return;
	world->vm = world_ioctl(world, world->kvm, KVM_CREATE_VM, (void *)world->type);
	EXPECT_GE(world->vm, 0);
}

void world_inited(struct world *world)
{
	world_vm(world);
	EXPECT_FALSE(world_init2(world, 0, 0, 0));
}

void world_memory(struct world *world)
{
	world_vm(world);
	if (world->gmem >= 0)
		return;
	world->gmem = world_gmem(world, WORLD_PAGES * WORLD_PAGE, 0);
	EXPECT_GE(world->gmem, 0);
	EXPECT_FALSE(world_slot(world, 0, world->base, WORLD_PAGES * WORLD_PAGE,
				world->gmem, 0));
	EXPECT_FALSE(world_attributes(world, world->base, WORLD_PRIVATE * WORLD_PAGE,
				      KVM_MEMORY_ATTRIBUTE_PRIVATE, 0));
}

void world_vcpu(struct world *world)
{
	world_vm(world);
	world->vcpu = world_ioctl(world, world->vm, KVM_CREATE_VCPU, NULL);
	EXPECT_GE(world->vcpu, 0);
}

void world_started(struct world *world)
{
	world_inited(world);
	EXPECT_FALSE(world_start(world, POLICY));
}

void world_ready(struct world *world)
{
	world_started(world);
	world_memory(world);
	world_vcpu(world);
}

void world_finished(struct world *world)
{
	world_ready(world);
	EXPECT_FALSE(world_finish(world));
}

int world_op(struct world *world, uint32_t id, void *data)
{
	world->cmd = (struct snp_kvm_cmd){
		.id = id, .data = (uint64_t)data,
		.sev_fd = (uint32_t)world->sev,
	};
	return world_ioctl(world, world->vm, KVM_MEMORY_ENCRYPT_OP, &world->cmd);
}

int world_init2(struct world *world, uint64_t features, uint32_t flags, uint16_t ghcb)
{
	struct snp_kvm_init2 init = {
		.vmsa_features = features, .flags = flags, .ghcb_version = ghcb,
	};

	return world_op(world, SNP_KVM_INIT2, &init);
}

int world_start(struct world *world, uint64_t policy)
{
	struct snp_kvm_launch_start start = { .policy = policy };

	return world_op(world, SNP_KVM_LAUNCH_START, &start);
}

int world_finish(struct world *world)
{
	struct snp_kvm_launch_finish finish = { 0 };

	return world_op(world, SNP_KVM_LAUNCH_FINISH, &finish);
}

int world_update_again(struct world *world)
{
	return world_op(world, SNP_KVM_LAUNCH_UPDATE, &world->update);
}

int world_update(struct world *world, uint8_t type, uint64_t gfn, uint64_t pages)
{
	world->update = (struct snp_kvm_launch_update){
		.gfn_start = gfn, .uaddr = (uint64_t)world->source,
		.len = pages * WORLD_PAGE, .type = type,
	};
	return world_update_again(world);
}

int world_attributes(struct world *world, uint64_t address, uint64_t size,
		     uint64_t attributes, uint64_t flags)
{
	struct kvm_memory_attributes arg = {
		.address = address, .size = size, .attributes = attributes,
		.flags = flags,
	};

	return world_ioctl(world, world->vm, KVM_SET_MEMORY_ATTRIBUTES, &arg);
}

int world_slot(struct world *world, uint32_t slot, uint64_t gpa, uint64_t size,
	       int gmem, uint64_t offset)
{
	struct kvm_userspace_memory_region2 region = {
		.slot = slot, .flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = gpa, .memory_size = size,
		.userspace_addr = (uint64_t)world->source,
		.guest_memfd_offset = offset, .guest_memfd = (uint32_t)gmem,
	};

	return world_ioctl(world, world->vm, KVM_SET_USER_MEMORY_REGION2, &region);
}

int world_gmem(struct world *world, uint64_t size, uint64_t flags)
{
	struct kvm_create_guest_memfd create = { .size = size, .flags = flags };

	return world_ioctl(world, world->vm, KVM_CREATE_GUEST_MEMFD, &create);
}
