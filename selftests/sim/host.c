// SPDX-License-Identifier: GPL-2.0
/* /dev/kvm */
#include <errno.h>

#include "internal.h"

#define FEATURE_DEBUG_SWAP (UINT64_C(1) << 5)
#define FEATURE_SECURE_TSC (UINT64_C(1) << 9)
/* SMT, the bit that is always one, DEBUG, SINGLE_SOCKET and newer ones */
#define POLICY_BITS_7_3 (UINT64_C(0xffff) | 1 << 16 | 1 << 17 | 1 << 19 | \
			 1 << 20 | 1 << 21 | 1 << 22 | 1 << 23 | 1 << 24 | \
			 1 << 25)

static bool vm_type_supported(const struct sim *sim, uint64_t type)
{
	if (type == KVM_X86_DEFAULT_VM)
		return true;
	if (sim->config.no_gmem)
		return false;
	if (type == KVM_X86_SW_PROTECTED_VM)
		return sim->config.sw_protected;
	/* SEV and SEV-ES come with SNP; they are not simulated further. */
	return !sim->config.no_snp && type >= 2 && type <= KVM_X86_SNP_VM;
}

static int vm_types(const struct sim *sim)
{
	int types = 0;

	for (int type = 0; type <= KVM_X86_SNP_VM; type++)
		types |= vm_type_supported(sim, (uint64_t)type) << type;
	return types;
}

static bool is_taken_away(const struct sim *sim, uint64_t capability)
{
	const uint32_t *without = sim->config.without;

	while (*without && *without != capability)
		without++;
	return *without;
}

int sim_check_extension(struct sim *sim, uint64_t capability)
{
	bool private = !sim->config.no_gmem &&
		       (sim->config.sw_protected || !sim->config.no_snp);

	if (is_taken_away(sim, capability))
		return 0;
	switch (capability) {
	case KVM_CAP_USER_MEMORY:
	case KVM_CAP_USER_MEMORY2:
	case KVM_CAP_MEMORY_FAULT_INFO:
	case KVM_CAP_IMMEDIATE_EXIT:
	case KVM_CAP_EXT_CPUID:
	case KVM_CAP_IRQCHIP:
	case KVM_CAP_TSC_DEADLINE_TIMER:
	case KVM_CAP_PRE_FAULT_MEMORY:
		return 1;
	case KVM_CAP_NR_VCPUS:
	case KVM_CAP_MAX_VCPUS:
		return SIM_VCPUS;
	case KVM_CAP_NR_MEMSLOTS:
		return SIM_SLOTS;
	case KVM_CAP_EXIT_HYPERCALL:
		return 1 << KVM_HC_MAP_GPA_RANGE;
	case KVM_CAP_MEMORY_ATTRIBUTES:
		return private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0;
	case KVM_CAP_GUEST_MEMFD:
		return private;
	case KVM_CAP_VM_TYPES:
		return vm_types(sim);
	default:
		return 0;
	}
}

static int get_attr(struct sim *sim, uint64_t arg)
{
	struct kvm_device_attr attr;
	uint64_t value;

	if (sim_in(sim, &attr, arg, sizeof(attr)))
		return -EFAULT;
	if (sim->config.no_snp || attr.flags || attr.group != SNP_KVM_GROUP_SEV)
		return -ENXIO;
	if (attr.attr == SNP_KVM_ATTR_VMSA_FEATURES)
		value = FEATURE_DEBUG_SWAP |
			(sim_is_7_3(sim) ? FEATURE_SECURE_TSC : 0);
	else if (attr.attr == SNP_KVM_ATTR_POLICY_BITS && sim_is_7_3(sim))
		value = POLICY_BITS_7_3;
	else if (attr.attr == SNP_KVM_ATTR_REQ_CERTS && sim_is_7_3(sim))
		value = 1;
	else
		return -ENXIO;
	return sim_out(sim, attr.addr, &value, sizeof(value));
}

static int create_vm(struct sim *sim, uint64_t type)
{
	struct sim_arm_vm arm = { 0 };
	struct sim_vm *vm;
	int fd, rc = 0;

	if (sim->config.arm)
		rc = sim_arm_vm_type(sim, type, &arm);
	else if (!vm_type_supported(sim, type))
		rc = -EINVAL;
	if (rc)
		return rc;
	vm = sim_vm_new(sim->config.arm ? 0 : (unsigned long)type);
	if (!vm)
		return -ENOMEM;
	vm->arm = arm;
	fd = sim_fd_install(sim, SIM_VM, vm, true);
	if (fd < 0)
		sim_vm_put(sim, vm);
	return fd;
}

int sim_kvm_ioctl(struct sim *sim, unsigned long request, uint64_t arg)
{
	switch (request) {
	case KVM_GET_API_VERSION:
		return arg ? -EINVAL : KVM_API_VERSION;
	case KVM_CREATE_VM:
		return create_vm(sim, arg);
	case KVM_CHECK_EXTENSION:
		return sim->config.arm ? sim_arm_check_extension(sim, NULL, arg) :
					 sim_check_extension(sim, arg);
	case KVM_GET_VCPU_MMAP_SIZE:
		return arg ? -EINVAL : SIM_RUN_SIZE;
	case KVM_GET_SUPPORTED_CPUID:
		return sim->config.arm ? -EINVAL : sim_cpuid_supported(sim, arg);
	case KVM_GET_DEVICE_ATTR:
		return sim->config.arm ? -EINVAL : get_attr(sim, arg);
	default:
		return -EINVAL;
	}
}
