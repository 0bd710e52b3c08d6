// SPDX-License-Identifier: GPL-2.0
#include <cpuid.h>
#include <inttypes.h>
#include <stdio.h>

#include "../base/calls.h"
#include "diagnose.h"
#include "report.h"
#include "slot.h"

#define SVM_FEATURES		0x8000000a
#define SVM_DECODE_ASSISTS	(1U << 7)

bool exec_decodes(void)
{
	unsigned int eax = 0, ebx = 0, ecx = 0, edx = 0;

	return __get_cpuid(SVM_FEATURES, &eax, &ebx, &ecx, &edx) &&
	       edx & SVM_DECODE_ASSISTS;
}

static bool is_private(const struct exec_vcpu *vcpu, uint64_t gpa)
{
	const struct exec_slot *slot;
	bool private;

	pthread_rwlock_rdlock(&vcpu->vm->lock);
	slot = exec_slot_find(vcpu->vm, 0, gpa);
	private = slot && exec_slot_private(slot, gpa);
	pthread_rwlock_unlock(&vcpu->vm->lock);
	return private;
}

/* Page tables that KVM cannot read lead it nowhere, as those that have no entry do. */
void exec_where(const struct exec_vcpu *vcpu, struct exec_where *where)
{
	struct kvm_translation translation = { 0 };
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	*where = (struct exec_where){ 0 };
	if (calls->ioctl(vcpu->fd, KVM_GET_REGS, &regs) ||
	    calls->ioctl(vcpu->fd, KVM_GET_SREGS, &sregs))
		return;
	where->rip = regs.rip;
	translation.linear_address = sregs.cs.base + regs.rip;
	where->private = __atomic_load_n(&vcpu->vm->private, __ATOMIC_RELAXED);
	if (calls->ioctl(vcpu->fd, KVM_TRANSLATE, &translation))
		return;
	where->mapped = translation.valid;
	where->gpa = translation.physical_address;
	if (where->mapped)
		where->private = is_private(vcpu, where->gpa);
}

void exec_diagnose(const struct exec_vcpu *vcpu, const char *what, uint64_t gpa)
{
	struct exec_where where;
	char text[128];

	exec_where(vcpu, &where);
	if (!where.mapped)
		snprintf(text, sizeof(text), ", for which it %s", where.private ?
			 "cannot read the page tables" : "finds no page");
	else
		snprintf(text, sizeof(text), " at guest address 0x%" PRIx64 ", which "
			 "is %s", where.gpa, where.private ? "private" : "shared");
	exec_say("vCPU %u: %s 0x%" PRIx64 ". Its instruction pointer is 0x%" PRIx64
		 "%s. KVM emulates no instruction in private memory, nor with "
		 "operands or page tables there: keep these shared, or have the "
		 "guest do without emulated instructions (x2APIC, port I/O)",
		 vcpu->id, what, gpa, where.rip, text);
}

void exec_diagnose_internal(const struct exec_vcpu *vcpu)
{
	struct exec_where where;

	if (vcpu->run->internal.suberror != KVM_INTERNAL_ERROR_EMULATION)
		return;
	exec_where(vcpu, &where);
	if (where.private)
		exec_diagnose(vcpu, "KVM cannot emulate the instruction at",
			      where.mapped ? where.gpa : where.rip);
}
