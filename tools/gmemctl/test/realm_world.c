// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "realm_world.h"
#include "ksft.h"

#define GIC_DIST UINT64_C(0x08000000)
#define GIC_REDIST UINT64_C(0x080a0000)

static void lint(void *context, const char *message)
{
	struct realm_world *world = context;

	(void)message;
	world->lints++;
}

void realm_world_init(struct realm_world *world, enum sim_arm arm)
{
	memset(world, 0, sizeof(*world));
	world->host = (struct sim_config){
		.arm = arm, .lint = lint, .lint_context = world,
	};
	world->type = REALM_VM_TYPE | 40;
	world->kvm = -1;
	world->vm = -1;
	world->gmem = -1;
	world->vcpu = -1;
	world->gic = -1;
	world->source = aligned_alloc(REALM_WORLD_PAGE, REALM_WORLD_SIZE);
	memset(world->source, 0x5a, REALM_WORLD_SIZE);
}

void realm_world_free(struct realm_world *world)
{
	sim_destroy(world->sim);
	free(world->source);
}

int realm_world_ioctl(struct realm_world *world, int fd, unsigned long request,
		      void *arg)
{
	return sim_ioctl(world->sim, fd, request, arg);
}

void realm_world_host(struct realm_world *world)
{
	if (world->sim)
		return;
	world->sim = sim_create(&world->host);
	world->kvm = sim_open(world->sim, KVM_DEVICE_PATH, O_RDWR);
	EXPECT_GE(world->kvm, 0);
}

void realm_world_vm(struct realm_world *world)
{
	realm_world_host(world);
	if (world->vm >= 0)
		return;
	world->vm = realm_world_ioctl(world, world->kvm, KVM_CREATE_VM,
				      (void *)world->type);
	EXPECT_GE(world->vm, 0);
}

static int set_slot(struct realm_world *world)
{
	struct kvm_userspace_memory_region2 region = {
		.flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = REALM_WORLD_GPA,
		.memory_size = REALM_WORLD_SIZE,
		.userspace_addr = (uint64_t)world->source,
		.guest_memfd = (uint32_t)world->gmem,
	};

	return realm_world_ioctl(world, world->vm, KVM_SET_USER_MEMORY_REGION2,
				 &region);
}

void realm_world_memory(struct realm_world *world)
{
	struct kvm_create_guest_memfd create = { .size = REALM_WORLD_SIZE };

	realm_world_vm(world);
	if (world->gmem >= 0)
		return;
	world->gmem = realm_world_ioctl(world, world->vm,
					KVM_CREATE_GUEST_MEMFD, &create);
	EXPECT_GE(world->gmem, 0);
	EXPECT_FALSE(set_slot(world));
	EXPECT_FALSE(realm_world_private(world, 0, REALM_WORLD_PRIVATE, true));
}

void realm_world_vcpu(struct realm_world *world)
{
	void *run;

	realm_world_vm(world);
	if (world->vcpu >= 0)
		return;
	world->vcpu = realm_world_ioctl(world, world->vm, KVM_CREATE_VCPU, NULL);
	EXPECT_GE(world->vcpu, 0);
	EXPECT_FALSE(sim_map(world->sim, world->vcpu, REALM_WORLD_PAGE, &run));
	world->run = run;
}

static int gic_set(struct realm_world *world, uint32_t group, uint64_t attr,
		   const uint64_t *value)
{
	struct kvm_device_attr argument = {
		.group = group, .attr = attr, .addr = (uintptr_t)value,
	};

	return realm_world_ioctl(world, world->gic, KVM_SET_DEVICE_ATTR,
				 &argument);
}

void realm_world_gic(struct realm_world *world)
{
	struct kvm_create_device create = { .type = REALM_GIC_TYPE };
	const uint64_t dist = GIC_DIST, redist = GIC_REDIST;

	realm_world_vm(world);
	if (world->gic >= 0)
		return;
	EXPECT_FALSE(realm_world_ioctl(world, world->vm, KVM_CREATE_DEVICE, &create));
	world->gic = (int)create.fd;
	EXPECT_FALSE(gic_set(world, REALM_GIC_GROUP_ADDR, REALM_GIC_ADDR_DIST, &dist));
	EXPECT_FALSE(gic_set(world, REALM_GIC_GROUP_ADDR, REALM_GIC_ADDR_REDIST, &redist));
	EXPECT_FALSE(gic_set(world, REALM_GIC_GROUP_CTRL, REALM_GIC_CTRL_INIT, NULL));
}

void realm_world_ready(struct realm_world *world)
{
	realm_world_memory(world);
	realm_world_vcpu(world);
	EXPECT_FALSE(realm_world_vcpu_init(world, 1U << REALM_VCPU_PSCI_0_2));
	realm_world_gic(world);
}

int realm_world_again(struct realm_world *world)
{
	return realm_world_ioctl(world, world->vm, REALM_POPULATE,
				 &world->args);
}

int realm_world_populate(struct realm_world *world, unsigned int page,
			 unsigned int pages, uint32_t flags)
{
	world->args = (struct realm_kvm_populate){
		.base = REALM_WORLD_GPA + page * UINT64_C(4096),
		.size = pages * UINT64_C(4096),
		.source = (uint64_t)world->source, .flags = flags,
	};
	return realm_world_again(world);
}

int realm_world_private(struct realm_world *world, unsigned int page,
			unsigned int pages, bool private)
{
	struct kvm_memory_attributes attributes = {
		.address = REALM_WORLD_GPA + page * UINT64_C(4096),
		.size = pages * UINT64_C(4096),
		.attributes = private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0,
	};

	return realm_world_ioctl(world, world->vm, KVM_SET_MEMORY_ATTRIBUTES,
				 &attributes);
}

int realm_world_vcpu_init(struct realm_world *world, uint32_t features)
{
	struct realm_kvm_vcpu_init init = {
		.target = REALM_TARGET_GENERIC_V8, .features = { features },
	};

	return realm_world_ioctl(world, world->vcpu, REALM_VCPU_INIT, &init);
}

int realm_world_run(struct realm_world *world, bool immediate_exit)
{
	world->run->immediate_exit = immediate_exit;
	return realm_world_ioctl(world, world->vcpu, KVM_RUN, NULL);
}
