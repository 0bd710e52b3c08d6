// SPDX-License-Identifier: GPL-2.0
/* What x86's vCPUs have besides. */
#include <errno.h>
#include <stdlib.h>

#include "../base/calls.h"
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

	rc = vcpu_open(vcpu, vm, index, error);
	if (rc)
		return rc;
	rc = vcpu_check_tsc(vcpu, error);
	if (!rc)
		rc = vcpu_set_cpuid(vcpu, vm, error);
	if (rc)
		vcpu_destroy(vcpu);
	return rc;
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

int vcpu_translate(struct vcpu *vcpu, struct kvm_translation *translation)
{
	return calls->ioctl(vcpu->fd, KVM_TRANSLATE, translation);
}

int vcpu_set_sregs(struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
	return calls->ioctl(vcpu->fd, KVM_SET_SREGS, (void *)sregs);
}
