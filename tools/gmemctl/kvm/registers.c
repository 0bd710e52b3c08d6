// SPDX-License-Identifier: GPL-2.0
/* The registers of an x86 vCPU, for a person. */
#include <stdio.h>
#include <string.h>

#include "exits.h"

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

void exit_report(struct vcpu *vcpu, char *text, size_t size)
{
	size_t used;

	exit_describe(vcpu, text, size);
	used = strnlen(text, size);
	exit_registers(vcpu, text + used, size - used);
}
