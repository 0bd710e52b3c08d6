// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/kvm of an arm64 host, a VM with its interrupt controller, and its vCPUs. Linux 7.3,
 * arch/arm64/kvm/arm.c, with the patches 13 to 16 of version 14 of the CCA series where there
 * are realms.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

#define IPA_BITS 48
#define FEATURES_MAX 10

static bool has_realms(const struct sim *sim)
{
	return sim->config.arm == SIM_ARM_CCA_V14;
}

/* The few capabilities of the architecture that a realm's VM still has */
static bool realm_may_have(uint64_t capability)
{
	switch (capability) {
	case KVM_CAP_IRQCHIP:
	case KVM_CAP_ARM_PSCI:
	case KVM_CAP_ARM_PSCI_0_2:
	case KVM_CAP_NR_VCPUS:
	case KVM_CAP_MAX_VCPUS:
	case KVM_CAP_MAX_VCPU_ID:
	case KVM_CAP_ARM_VM_IPA_SIZE:
	case REALM_CAP_RMI:
		return true;
	default:
		return false;
	}
}

static int arch_extension(const struct sim *sim, uint64_t capability)
{
	switch (capability) {
	case KVM_CAP_IRQCHIP:
	case KVM_CAP_ARM_PSCI:
	case KVM_CAP_ARM_PSCI_0_2:
	case KVM_CAP_ONE_REG:
	case KVM_CAP_DEVICE_CTRL:
	case KVM_CAP_IMMEDIATE_EXIT:
		return 1;
	case KVM_CAP_NR_VCPUS:
	case KVM_CAP_MAX_VCPUS:
	case KVM_CAP_MAX_VCPU_ID:
		return SIM_VCPUS;
	case KVM_CAP_NR_MEMSLOTS:
		return SIM_SLOTS;
	case KVM_CAP_ARM_VM_IPA_SIZE:
		return IPA_BITS;
	/* Some kernels have something else of that number. */
	case REALM_CAP_RMI:
		return has_realms(sim) || sim->config.arm == SIM_ARM_OTHER;
	default:
		return 0;
	}
}

int sim_arm_check_extension(const struct sim *sim, const struct sim_vm *vm,
			    uint64_t capability)
{
	switch (capability) {
	case KVM_CAP_USER_MEMORY:
	case KVM_CAP_USER_MEMORY2:
	case KVM_CAP_GUEST_MEMFD:
		return 1;
	/* On /dev/kvm: what some VM could have */
	case KVM_CAP_MEMORY_ATTRIBUTES:
		return sim->config.arm == SIM_ARM_CCA_V14 &&
		       (!vm || vm->arm.is_realm) ?
		       KVM_MEMORY_ATTRIBUTE_PRIVATE : 0;
	default:
		break;
	}
	if (vm && vm->arm.is_realm && !realm_may_have(capability))
		return 0;
	return arch_extension(sim, capability);
}

static int ipa_bits(const struct sim *sim, uint64_t type, bool realm)
{
	unsigned int limit = IPA_BITS;
	unsigned int bits = type & REALM_VM_IPA_MASK;

	if (realm && sim->config.ipa_bits)
		limit = sim->config.ipa_bits;
	if (!bits)
		bits = REALM_IPA_BITS_DEFAULT;
	return bits > limit || bits < REALM_IPA_BITS_MIN ? -EINVAL : (int)bits;
}

int sim_arm_vm_type(const struct sim *sim, uint64_t type, struct sim_arm_vm *arm)
{
	int bits;

	arm->is_realm = type & REALM_VM_TYPE;
	/* Protected VMs are pKVM's, which this host does not run. */
	if (type & ~(REALM_VM_IPA_MASK | REALM_VM_TYPE) ||
	    (arm->is_realm && !has_realms(sim)))
		return -EINVAL;
	bits = ipa_bits(sim, type, arm->is_realm);
	if (bits < 0)
		return bits;
	arm->ipa_bits = (unsigned int)bits;
	return 0;
}

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

/* Of the features, only those that matter for a realm are looked at. */
static int init(struct sim *sim, struct sim_vcpu *vcpu, uint64_t arg)
{
	struct realm_kvm_vcpu_init init;

	if (sim_in(sim, &init, arg, sizeof(init)))
		return -EFAULT;
	if (init.target != REALM_TARGET_GENERIC_V8)
		return -EINVAL;
	if (init.features[0] >> FEATURES_MAX)
		return -ENOENT;
	for (int i = 1; i < 7; i++)
		if (init.features[i])
			return -ENOENT;
	if (init.features[0] & 1U << REALM_VCPU_EL1_32BIT)
		return -EINVAL;
	vcpu->arm.features = init.features[0];
	vcpu->arm.initialized = true;
	return 0;
}

/* Of a realm, nothing but these can be set. */
static uint64_t *find_reg(struct sim_vcpu *vcpu, uint64_t id)
{
	uint64_t number = (id - REALM_REG_X(0)) / 2;

	if (id == REALM_REG_PC)
		return &vcpu->arm.pc;
	if (id >= REALM_REG_X(0) && !(id % 2) && number < REALM_REG_X_COUNT)
		return &vcpu->arm.x[number];
	return NULL;
}

static int one_reg(struct sim *sim, struct sim_vcpu *vcpu,
		   unsigned long request, uint64_t arg)
{
	struct kvm_one_reg reg;
	uint64_t *value;

	if (!vcpu->arm.initialized)
		return -ENOEXEC;
	if (sim_in(sim, &reg, arg, sizeof(reg)))
		return -EFAULT;
	value = find_reg(vcpu, reg.id);
	if (!value)
		return vcpu->vm->arm.is_realm ? -EINVAL : -ENOENT;
	if (request == KVM_GET_ONE_REG)
		return sim_out(sim, reg.addr, value, sizeof(*value));
	return sim_in(sim, value, reg.addr, sizeof(*value));
}

/*
 * A realm is activated by the first run, also by one that is to end at once.
 * One that could not be is dead, which is found where the vCPU is entered.
 */
static int run(struct sim *sim, struct sim_vcpu *vcpu)
{
	struct sim_vm *vm = vcpu->vm;
	int rc;

	if (!vcpu->arm.initialized)
		return -ENOEXEC;
	if (vm->arm.gic && (!vm->arm.gic_dist || !vm->arm.gic_redist)) {
		vm->arm.given_up = true;
		return -ENXIO;
	}
	if (vm->arm.is_realm) {
		rc = sim_realm_activate(sim, vm);
		if (rc)
			return rc;
		if (vm->arm.state == SIM_REALM_DEAD &&
		    !vcpu->run->immediate_exit)
			return -EINVAL;
	}
	return sim_run_next(sim, vcpu);
}

int sim_arm_vcpu_ioctl(struct sim *sim, struct sim_vcpu *vcpu,
		       unsigned long request, uint64_t arg)
{
	if (vcpu->vm->arm.given_up)
		return -EIO;
	switch (request) {
	case KVM_RUN:
		return arg ? -EINVAL : run(sim, vcpu);
	case REALM_VCPU_INIT:
		return init(sim, vcpu, arg);
	case KVM_SET_ONE_REG:
	case KVM_GET_ONE_REG:
		return one_reg(sim, vcpu, request, arg);
	default:
		return -EINVAL;
	}
}
