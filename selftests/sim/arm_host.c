// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/kvm of an arm64 host. Linux 7.3, arch/arm64/kvm/arm.c, with the patches
 * 13 to 16 of version 14 of the CCA series where there are realms.
 */
#include <errno.h>

#include "internal.h"

#define IPA_BITS 48

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

static int create_vm(struct sim *sim, uint64_t type)
{
	bool realm = type & REALM_VM_TYPE;
	struct sim_vm *vm;
	int bits, fd;

	/* Protected VMs are pKVM's, which this host does not run. */
	if (type & ~(REALM_VM_IPA_MASK | REALM_VM_TYPE) ||
	    (realm && !has_realms(sim)))
		return -EINVAL;
	bits = ipa_bits(sim, type, realm);
	if (bits < 0)
		return bits;
	vm = sim_vm_new(0);
	if (!vm)
		return -ENOMEM;
	vm->arm.is_realm = realm;
	vm->arm.ipa_bits = (unsigned int)bits;
	fd = sim_fd_install(sim, SIM_VM, vm, true);
	if (fd < 0)
		sim_vm_put(sim, vm);
	return fd;
}

int sim_arm_kvm_ioctl(struct sim *sim, unsigned long request, uint64_t arg)
{
	switch (request) {
	case KVM_GET_API_VERSION:
		return arg ? -EINVAL : KVM_API_VERSION;
	case KVM_CREATE_VM:
		return create_vm(sim, arg);
	case KVM_CHECK_EXTENSION:
		return sim_arm_check_extension(sim, NULL, arg);
	case KVM_GET_VCPU_MMAP_SIZE:
		return arg ? -EINVAL : SIM_RUN_SIZE;
	default:
		return -EINVAL;
	}
}
