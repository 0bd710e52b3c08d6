// SPDX-License-Identifier: GPL-2.0
/* /dev/kvm, and a VM: its life, its vCPUs and its capabilities. */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

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

int sim_check_extension(struct sim *sim, uint64_t capability)
{
	bool private = !sim->config.no_gmem && (sim->config.sw_protected || !sim->config.no_snp);
	const uint32_t *without = sim->config.without;
	int types = 0;

	for (; *without; without++)
		if (*without == capability)
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
		for (int type = 0; type <= KVM_X86_SNP_VM; type++)
			types |= vm_type_supported(sim, (uint64_t)type) << type;
		return types;
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
		value = sim_features(sim);
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
	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return -ENOMEM;
	vm->refs = 1;
	vm->type = sim->config.arm ? 0 : (unsigned long)type;
	vm->need_init = vm->type > KVM_X86_SW_PROTECTED_VM;
	vm->sev_fd = -1;
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

void sim_vm_put(struct sim *sim, struct sim_vm *vm)
{
	if (--vm->refs)
		return;
	for (unsigned int i = 0; i < vm->nr_vcpus; i++)
		sim_vcpu_free(sim, vm->vcpus[i]);
	if (vm->is_snp)
		sim->asids_used--;
	free(vm->private.ranges);
	free(vm);
}

int sim_create_vcpu(struct sim *sim, struct sim_vm *vm, uint64_t id)
{
	struct sim_vcpu *vcpu;
	int fd;

	sim_lint(sim, vm->need_init, "a vCPU is created before INIT2: INIT2 is refused for ever");
	if (id >= SIM_VCPUS || vm->nr_vcpus == SIM_VCPUS)
		return -EINVAL;
	for (unsigned int i = 0; i < vm->nr_vcpus; i++)
		if (vm->vcpus[i]->id == id)
			return -EEXIST;
	vcpu = sim_vcpu_new(vm, (uint32_t)id);
	if (!vcpu)
		return -ENOMEM;
	fd = sim_fd_install(sim, SIM_VCPU, vcpu, true);
	if (fd < 0) {
		sim_vcpu_free(sim, vcpu);
		return fd;
	}
	/* There is room for the whole plan. */
	for (unsigned int i = 0; i < sim->nr_plan; i++)
		if (sim->plan[i].vcpu == id)
			vcpu->exits[vcpu->nr_exits++] = sim->plan[i].exit;
	vm->vcpus[vm->nr_vcpus++] = vcpu;
	vm->refs++;
	return fd;
}

static int enable_cap(struct sim *sim, uint64_t arg)
{
	struct kvm_enable_cap cap;

	if (sim_in(sim, &cap, arg, sizeof(cap)))
		return -EFAULT;
	if (cap.flags || cap.cap != KVM_CAP_EXIT_HYPERCALL)
		return -EINVAL;
	return cap.args[0] & ~(UINT64_C(1) << KVM_HC_MAP_GPA_RANGE) ? -EINVAL : 0;
}

int sim_vm_ioctl(struct sim *sim, struct sim_vm *vm, unsigned long request, uint64_t arg)
{
	switch (request) {
	case KVM_CHECK_EXTENSION:
		return sim_check_extension(sim, arg);
	case KVM_CREATE_VCPU:
		return sim_create_vcpu(sim, vm, arg);
	case KVM_ENABLE_CAP:
		return enable_cap(sim, arg);
	case KVM_CREATE_IRQCHIP:
	case KVM_CREATE_PIT2:
	case KVM_SET_TSS_ADDR:
	case KVM_SET_IDENTITY_MAP_ADDR:
	case KVM_IRQ_LINE:
		return 0;
	case KVM_SET_USER_MEMORY_REGION:
	case KVM_SET_USER_MEMORY_REGION2:
		return sim_set_region(sim, vm, request, arg);
	case KVM_SET_MEMORY_ATTRIBUTES:
		return sim_check_extension(sim, KVM_CAP_MEMORY_ATTRIBUTES) ?
			       sim_set_attributes(sim, vm, arg) : -ENOTTY;
	case KVM_CREATE_GUEST_MEMFD:
		return sim->config.no_gmem ? -ENOTTY : sim_create_gmem(sim, vm, arg);
	case KVM_MEMORY_ENCRYPT_OP:
		return sim_encrypt_op(sim, vm, arg);
	default:
		return -ENOTTY;
	}
}
