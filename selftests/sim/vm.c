// SPDX-License-Identifier: GPL-2.0
/* A VM: its life, its vCPUs and its capabilities. */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

struct sim_vm *sim_vm_new(unsigned long type)
{
	struct sim_vm *vm = calloc(1, sizeof(*vm));

	if (!vm)
		return NULL;
	vm->refs = 1;
	vm->type = type;
	vm->need_init = type > KVM_X86_SW_PROTECTED_VM;
	vm->sev_fd = -1;
	return vm;
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

	sim_lint(sim, vm->need_init,
		 "a vCPU is created before INIT2: INIT2 is refused for ever");
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
	sim_plan_vcpu(sim, vcpu);
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

static int private_memory(struct sim *sim, struct sim_vm *vm,
			  unsigned long request, uint64_t arg)
{
	if (sim->config.no_gmem)
		return -ENOTTY;
	return request == KVM_CREATE_GUEST_MEMFD ?
	       sim_create_gmem(sim, vm, arg) : sim_set_attributes(sim, vm, arg);
}

int sim_vm_ioctl(struct sim *sim, struct sim_vm *vm, unsigned long request,
		 uint64_t arg)
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
		return sim_set_region(sim, vm, arg, false);
	case KVM_SET_USER_MEMORY_REGION2:
		return sim_set_region(sim, vm, arg, true);
	case KVM_SET_MEMORY_ATTRIBUTES:
	case KVM_CREATE_GUEST_MEMFD:
		return private_memory(sim, vm, request, arg);
	case KVM_MEMORY_ENCRYPT_OP:
		return sim_encrypt_op(sim, vm, arg);
	default:
		return -ENOTTY;
	}
}
