// SPDX-License-Identifier: GPL-2.0
/* A VM on an arm64 host, and its interrupt controller. */
#include <errno.h>
#include <string.h>

#include "internal.h"

static int set_attributes(struct sim *sim, struct sim_vm *vm, uint64_t arg)
{
	if (sim->config.arm != SIM_ARM_CCA_V14)
		return -EINVAL;
	return sim_set_attributes(sim, vm, arg);
}

static int create_gic(struct sim *sim, struct sim_vm *vm)
{
	int fd;

	if (vm->arm.gic)
		return -EEXIST;
	fd = sim_fd_install(sim, SIM_GIC, vm, true);
	if (fd < 0)
		return fd;
	vm->refs++;
	vm->arm.gic = true;
	return fd;
}

static int create_device(struct sim *sim, struct sim_vm *vm, uint64_t arg)
{
	struct kvm_create_device create;
	int fd;

	if (sim_in(sim, &create, arg, sizeof(create)))
		return -EFAULT;
	if (create.type != REALM_GIC_TYPE)
		return -ENODEV;
	if (create.flags & KVM_CREATE_DEVICE_TEST)
		return 0;
	fd = create_gic(sim, vm);
	if (fd < 0)
		return fd;
	create.fd = (uint32_t)fd;
	return sim_out(sim, arg, &create, sizeof(create));
}

static int create_vcpu(struct sim *sim, struct sim_vm *vm, uint64_t id)
{
	/* The controller has a part for each. */
	if (vm->arm.gic_ready)
		return -EBUSY;
	return sim_create_vcpu(sim, vm, id);
}

static int preferred_target(struct sim *sim, uint64_t arg)
{
	struct realm_kvm_vcpu_init init = { .target = REALM_TARGET_GENERIC_V8 };

	return sim_out(sim, arg, &init, sizeof(init));
}

/* What it does not know, arm64's KVM calls invalid, where x86's says ENOTTY. */
int sim_arm_vm_ioctl(struct sim *sim, struct sim_vm *vm, unsigned long request,
		     uint64_t arg)
{
	if (vm->arm.given_up)
		return -EIO;
	switch (request) {
	case KVM_CHECK_EXTENSION:
		return sim_arm_check_extension(sim, vm, arg);
	case KVM_CREATE_VCPU:
		return create_vcpu(sim, vm, arg);
	case KVM_CREATE_DEVICE:
		return create_device(sim, vm, arg);
	case KVM_SET_USER_MEMORY_REGION:
		return sim_set_region(sim, vm, arg, false);
	case KVM_SET_USER_MEMORY_REGION2:
		return sim_set_region(sim, vm, arg, true);
	case KVM_SET_MEMORY_ATTRIBUTES:
		return set_attributes(sim, vm, arg);
	case KVM_CREATE_GUEST_MEMFD:
		return sim_create_gmem(sim, vm, arg);
	case REALM_PREFERRED_TARGET:
		return preferred_target(sim, arg);
	case REALM_POPULATE:
		return sim->config.arm == SIM_ARM_PLAIN ? -EINVAL :
		       sim_realm_populate(sim, vm, arg);
	default:
		return -EINVAL;
	}
}

static int gic_place(struct sim *sim, const struct sim_vm *vm, bool *placed,
		     uint64_t from)
{
	uint64_t gpa;

	if (sim_in(sim, &gpa, from, sizeof(gpa)))
		return -EFAULT;
	if (*placed)
		return -EEXIST;
	if (gpa % REALM_GIC_DIST_SIZE)
		return -EINVAL;
	if (gpa >= UINT64_C(1) << vm->arm.ipa_bits)
		return -E2BIG;
	*placed = true;
	return 0;
}

static int gic_init(struct sim_vm *vm)
{
	if (!vm->arm.gic_dist || !vm->arm.gic_redist)
		return -ENXIO;
	vm->arm.gic_ready = true;
	return 0;
}

int sim_arm_gic_ioctl(struct sim *sim, struct sim_vm *vm, unsigned long request,
		      uint64_t arg)
{
	struct kvm_device_attr attr;

	if (vm->arm.given_up)
		return -EIO;
	if (request != KVM_SET_DEVICE_ATTR)
		return -ENOTTY;
	if (sim_in(sim, &attr, arg, sizeof(attr)))
		return -EFAULT;
	if (attr.group == REALM_GIC_GROUP_ADDR &&
	    attr.attr == REALM_GIC_ADDR_DIST)
		return gic_place(sim, vm, &vm->arm.gic_dist, attr.addr);
	if (attr.group == REALM_GIC_GROUP_ADDR &&
	    attr.attr == REALM_GIC_ADDR_REDIST)
		return gic_place(sim, vm, &vm->arm.gic_redist, attr.addr);
	if (attr.group == REALM_GIC_GROUP_CTRL &&
	    attr.attr == REALM_GIC_CTRL_INIT)
		return gic_init(vm);
	return -ENXIO;
}
