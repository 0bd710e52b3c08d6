// SPDX-License-Identifier: GPL-2.0
/* vCPUs of x86: their registers, and their interrupt controllers. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/calls.h"
#include "abi.h"
#include "cpuid.h"
#include "exits.h"
#include "vcpu.h"
#include "vm.h"

/* Four pages below 4 GiB that Intel's KVM needs, away from RAM and devices. */
#define IDENTITY_MAP_GPA	0xfeffc000U
#define TSS_GPA			0xfeffd000U

void exit_registers(struct vcpu *vcpu, char *text, size_t size)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (vcpu_get_regs(vcpu, &regs) || vcpu_get_sregs(vcpu, &sregs)) {
		snprintf(text, size, "\n  registers cannot be read");
		return;
	}
	snprintf(text, size,
		 "\n  rip %016llx rsp %016llx rflags %08llx"
		 "\n  rax %016llx rbx %016llx rcx %016llx rdx %016llx"
		 "\n  rsi %016llx rdi %016llx rbp %016llx r8  %016llx"
		 "\n  cr0 %08llx cr2 %016llx cr3 %08llx cr4 %08llx efer %llx"
		 "\n  cs %04x base %llx ss %04x base %llx",
		 regs.rip, regs.rsp, regs.rflags, regs.rax, regs.rbx, regs.rcx,
		 regs.rdx, regs.rsi, regs.rdi, regs.rbp, regs.r8,
		 sregs.cr0, sregs.cr2, sregs.cr3, sregs.cr4, sregs.efer,
		 sregs.cs.selector, sregs.cs.base, sregs.ss.selector,
		 sregs.ss.base);
}

static int irqchip_reserve(struct vm *vm, struct error *error)
{
	uint64_t identity = IDENTITY_MAP_GPA;
	int rc;

	rc = calls->ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity);
	if (rc)
		return error_set(error, rc, "VM", "KVM_SET_IDENTITY_MAP_ADDR",
				 NULL);
	rc = calls_ioctl_value(vm->fd, KVM_SET_TSS_ADDR, TSS_GPA);
	if (rc)
		return error_set(error, rc, "VM", "KVM_SET_TSS_ADDR", NULL);
	return 0;
}

/* KVM answers at port 0x61, too, which Linux uses to calibrate its TSC. */
int irqchip_create(struct vm *vm, struct error *error)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	int rc = irqchip_reserve(vm, error);

	if (rc)
		return rc;
	rc = calls->ioctl(vm->fd, KVM_CREATE_IRQCHIP, NULL);
	if (rc)
		return error_set(error, rc == -ENOTTY ? -EOPNOTSUPP : rc, "KVM",
				 "KVM_CREATE_IRQCHIP",
				 "the host's kernel needs CONFIG_KVM_IOAPIC=y");
	rc = calls->ioctl(vm->fd, KVM_CREATE_PIT2, &pit);
	if (rc)
		return error_set(error, rc, "VM", "KVM_CREATE_PIT2", NULL);
	vm->irqchip = true;
	return 0;
}

int irqchip_set_line(struct vm *vm, unsigned int irq, bool level)
{
	struct kvm_irq_level line = { .irq = irq, .level = level };

	return calls->ioctl(vm->fd, KVM_IRQ_LINE, &line);
}

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
	if (vm->converts)
		cpuid_set_converts(cpuid);
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

int vcpu_set_sregs(struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
	return calls->ioctl(vcpu->fd, KVM_SET_SREGS, (void *)sregs);
}
