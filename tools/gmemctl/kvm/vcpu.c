// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "calls.h"
#include "cpuid.h"
#include "vcpu.h"
#include "vm.h"

/*
 * Long mode is refused by KVM unless CPUID of the vCPU says it exists. The
 * timer that follows the TSC is KVM's own, in the APIC it has in the kernel.
 */
static int vcpu_set_cpuid(struct vcpu *vcpu, struct vm *vm, struct error *error)
{
	bool deadline = vm->irqchip &&
		vm_capability(vm->fd, KVM_CAP_TSC_DEADLINE_TIMER) > 0;
	struct kvm_cpuid2 *cpuid;
	int rc = cpuid_supported(vm, &cpuid, error);

	if (rc)
		return rc;
	cpuid_set_cpu(cpuid, vcpu->index, deadline);
	rc = calls->ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid);
	if (rc)
		error_set(error, rc, "vCPU", "KVM_SET_CPUID2", NULL);
	free(cpuid);
	return rc;
}

static int vcpu_map_run(struct vcpu *vcpu, struct vm *vm, struct error *error)
{
	void *address;
	int rc;

	rc = calls->map(vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			vcpu->fd, 0, &address);
	if (rc)
		return error_set(error, rc, "vCPU", "mmap", NULL);
	vcpu->run = address;
	vcpu->run_size = vm->run_size;
	return 0;
}

/*
 * On a host kernel that found no usable TSC, KVM never enters the guest:
 * KVM_RUN tries again and again until a signal arrives.
 */
static int vcpu_check_tsc(struct vcpu *vcpu, struct error *error)
{
	int khz = calls->ioctl(vcpu->fd, KVM_GET_TSC_KHZ, NULL);

	if (khz)
		return 0;
	return error_set(error, -EOPNOTSUPP, "KVM", "use the host's TSC",
			 "the host kernel could not calibrate its TSC, and KVM "
			 "cannot run without (see dmesg): reboot, or give the "
			 "kernel argument tsc_early_khz=");
}

int vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned int index,
		struct error *error)
{
	int rc;

	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->index = index;
	vcpu->fd = calls_ioctl_value(vm->fd, KVM_CREATE_VCPU, index);
	if (vcpu->fd < 0)
		return error_set(error, vcpu->fd, "VM", "KVM_CREATE_VCPU",
				 "vCPU %u", index);
	rc = vcpu_check_tsc(vcpu, error);
	if (!rc)
		rc = vcpu_map_run(vcpu, vm, error);
	if (!rc)
		rc = vcpu_set_cpuid(vcpu, vm, error);
	if (rc)
		vcpu_destroy(vcpu);
	return rc;
}

void vcpu_destroy(struct vcpu *vcpu)
{
	if (vcpu->run)
		calls->unmap(vcpu->run, vcpu->run_size);
	if (vcpu->fd >= 0)
		calls->close(vcpu->fd);
	vcpu->run = NULL;
	vcpu->fd = -1;
}

int vcpu_run(struct vcpu *vcpu)
{
	int rc = calls->ioctl(vcpu->fd, KVM_RUN, NULL);

	if ((rc == -EFAULT || rc == -EHWPOISON) &&
	    vcpu->run->exit_reason == KVM_EXIT_MEMORY_FAULT)
		return 0;
	return rc < 0 ? rc : 0;
}

int vcpu_get_regs(struct vcpu *vcpu, struct kvm_regs *regs)
{
	return calls->ioctl(vcpu->fd, KVM_GET_REGS, regs);
}

int vcpu_set_regs(struct vcpu *vcpu, const struct kvm_regs *regs)
{
	return calls->ioctl(vcpu->fd, KVM_SET_REGS, (void *)regs);
}

int vcpu_get_sregs(struct vcpu *vcpu, struct kvm_sregs *sregs)
{
	return calls->ioctl(vcpu->fd, KVM_GET_SREGS, sregs);
}

int vcpu_set_sregs(struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
	return calls->ioctl(vcpu->fd, KVM_SET_SREGS, (void *)sregs);
}
