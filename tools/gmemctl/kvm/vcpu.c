// SPDX-License-Identifier: GPL-2.0
/* vCPUs of x86: their registers, and their interrupt controllers. */
#include <asm/svm.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/calls.h"
#include "abi.h"
#include "vcpu.h"
#include "vm.h"

/* Four pages below 4 GiB that KVM needs on Intel CPUs, outside of RAM and devices. */
#define IDENTITY_MAP_GPA	0xfeffc000U
#define TSS_GPA			0xfeffd000U

#define ENTRIES 256

#define CPUID_BYTES 2

/* Data of KVM_INTERNAL_ERROR_EMULATION: flags, then the exit code. */
#define DATA_FLAGS 0
#define DATA_EXIT_CODE 1

/* Leaf 1 */
#define EBX_CPUS_SHIFT		16
#define EBX_APIC_ID_SHIFT	24
#define EBX_KEEP		0x0000ffffU
#define ECX_TSC_DEADLINE	(1U << 24)
#define ECX_HYPERVISOR		(1U << 31)
#define EDX_HTT			(1U << 28)

/* Leaf 4: threads in EAX[25:14], cores in EAX[31:26] */
#define CACHE_KEEP		0x00003fffU

/* KVM's own leaf of features, unless it emulates another hypervisor at 0x40000000 */
#define LEAF_KVM_FEATURES	0x40000001U

/* Leaves 0xb and 0x1f: type of a level in ECX[15:8] */
#define LEVEL_SMT		0x100U
#define LEVEL_CORE		0x200U

/* AMD's leaf 0x80000001 */
#define ECX_CMP_LEGACY		(1U << 1)

/* Leaf 0x80000008: address bits of the CPU, and of its guests if they have fewer */
#define LEAF_ADDRESSES		0x80000008U
#define EAX_BITS		0x000000ffU
#define EAX_GUEST_BITS_SHIFT	16
/* AMD only */
#define ECX_CORES		0x0000f0ffU

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

/* With KVM_PIT_SPEAKER_DUMMY KVM emulates port 0x61, with which Linux calibrates the TSC. */
int irqchip_create(struct vm *vm, struct error *error)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	uint64_t identity = IDENTITY_MAP_GPA;
	int rc = calls->ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity);

	if (rc)
		return error_set(error, rc, "VM", "KVM_SET_IDENTITY_MAP_ADDR",
				 NULL);
	rc = calls_ioctl_value(vm->fd, KVM_SET_TSS_ADDR, TSS_GPA);
	if (rc)
		return error_set(error, rc, "VM", "KVM_SET_TSS_ADDR", NULL);
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

int cpuid_supported(struct vm *vm, struct kvm_cpuid2 **cpuid,
		    struct error *error)
{
	struct kvm_cpuid2 *found;
	int rc;

	found = calloc(1, sizeof(*found) + ENTRIES * sizeof(found->entries[0]));
	if (!found)
		return error_set(error, -ENOMEM, "vCPU", "allocate", NULL);
	found->nent = ENTRIES;
	rc = calls->ioctl(vm->kvm_fd, KVM_GET_SUPPORTED_CPUID, found);
	if (!rc) {
		*cpuid = found;
		return 0;
	}
	free(found);
	return error_set(error, rc, KVM_DEVICE_PATH, "KVM_GET_SUPPORTED_CPUID",
			 NULL);
}

unsigned int cpuid_address_bits(const struct kvm_cpuid2 *cpuid)
{
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		uint32_t eax = cpuid->entries[i].eax;
		uint32_t guest = eax >> EAX_GUEST_BITS_SHIFT & EAX_BITS;

		if (cpuid->entries[i].function == LEAF_ADDRESSES)
			return guest ? guest : eax & EAX_BITS;
	}
	return 0;
}

static void set_features(struct kvm_cpuid_entry2 *entry, unsigned int index,
			 bool tsc_deadline)
{
	entry->ebx = (entry->ebx & EBX_KEEP) | 1U << EBX_CPUS_SHIFT |
		     index << EBX_APIC_ID_SHIFT;
	entry->ecx |= ECX_HYPERVISOR;
	entry->ecx &= ~ECX_TSC_DEADLINE;
	if (tsc_deadline)
		entry->ecx |= ECX_TSC_DEADLINE;
	entry->edx &= ~EDX_HTT;
}

/* One thread per core, one core per package; deeper levels do not exist. */
static void set_topology(struct kvm_cpuid_entry2 *entry, unsigned int index)
{
	entry->eax = 0;
	entry->ebx = entry->index < 2;
	entry->ecx = entry->index;
	if (entry->index < 2)
		entry->ecx |= entry->index ? LEVEL_CORE : LEVEL_SMT;
	entry->edx = index;
}

static void set_entry(struct kvm_cpuid_entry2 *entry, unsigned int index,
		      bool tsc_deadline, bool converts)
{
	switch (entry->function) {
	case 0x00000001:
		set_features(entry, index, tsc_deadline);
		break;
	case 0x00000004:
	case 0x8000001d:
		entry->eax &= CACHE_KEEP;
		break;
	case 0x0000000b:
	case 0x0000001f:
		set_topology(entry, index);
		break;
	case LEAF_KVM_FEATURES:
		if (converts)
			entry->eax |= 1U << KVM_FEATURE_HC_MAP_GPA_RANGE;
		break;
	case 0x80000001:
		entry->ecx &= ~ECX_CMP_LEGACY;
		break;
	case LEAF_ADDRESSES:
		entry->ecx &= ~ECX_CORES;
		break;
	case 0x8000001e:
		entry->eax = index;
		entry->ebx = index;
		entry->ecx = 0;
		break;
	}
}

void cpuid_set_cpu(struct kvm_cpuid2 *cpuid, unsigned int index,
		   bool tsc_deadline, bool converts)
{
	for (uint32_t i = 0; i < cpuid->nent; i++)
		set_entry(&cpuid->entries[i], index, tsc_deadline, converts);
}

/*
 * KVM refuses long mode unless the CPUID of the vCPU has it. The TSC deadline timer exists
 * only with KVM's in-kernel APIC.
 */
static int vcpu_set_cpuid(struct vcpu *vcpu, struct vm *vm, struct error *error)
{
	bool deadline = vm->irqchip &&
		vm_capability(vm->fd, KVM_CAP_TSC_DEADLINE_TIMER) > 0;
	struct kvm_cpuid2 *cpuid;
	int rc = cpuid_supported(vm, &cpuid, error);

	if (rc)
		return rc;
	cpuid_set_cpu(cpuid, vcpu->index, deadline, vm->converts);
	rc = calls->ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid);
	if (rc)
		error_set(error, rc, "vCPU", "KVM_SET_CPUID2", NULL);
	free(cpuid);
	return rc;
}

int vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned int index,
		struct error *error)
{
	int rc = vcpu_open(vcpu, vm, index, error);

	if (rc)
		return rc;
	/*
	 * If the host kernel has no usable TSC, KVM never enters the guest: KVM_RUN
	 * loops until a signal arrives.
	 */
	if (calls->ioctl(vcpu->fd, KVM_GET_TSC_KHZ, NULL))
		rc = vcpu_set_cpuid(vcpu, vm, error);
	else
		rc = error_set(error, -EOPNOTSUPP, "KVM", "use the host's TSC",
			       "the host kernel could not calibrate its TSC, and KVM "
			       "cannot run without (see dmesg): reboot, or give the "
			       "kernel argument tsc_early_khz=");
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

bool step_over_cpuid(int fd, const struct kvm_run *run)
{
	struct kvm_regs regs;

	/* If flags are set, data[] has instruction bytes where the exit code would be. */
	if (run->internal.suberror != KVM_INTERNAL_ERROR_EMULATION ||
	    run->internal.ndata <= DATA_EXIT_CODE || run->internal.data[DATA_FLAGS] ||
	    run->internal.data[DATA_EXIT_CODE] != SVM_EXIT_CPUID)
		return false;
	if (calls->ioctl(fd, KVM_GET_REGS, &regs))
		return false;
	regs.rip += CPUID_BYTES;
	return !calls->ioctl(fd, KVM_SET_REGS, &regs);
}
