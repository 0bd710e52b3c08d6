// SPDX-License-Identifier: GPL-2.0
/* A vCPU on an arm64 host. */
#include <errno.h>

#include "internal.h"

#define FEATURES_MAX 10

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
