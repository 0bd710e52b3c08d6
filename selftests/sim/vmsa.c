// SPDX-License-Identifier: GPL-2.0
/*
 * The VMSA that KVM makes of a vCPU. Written byte by byte at the offsets of the
 * AMD manual, and not with the structure of snp/vmsa.h: a mistake there is to
 * show here.
 */
#include <string.h>

#include "base/bytes.h"
#include "internal.h"

static void put_segment(uint8_t *at, const struct kvm_segment *segment)
{
	unsigned int attributes = (segment->type & 15u) |
				  (segment->s & 1u) << 4 |
				  (segment->dpl & 3u) << 5 |
				  (segment->avl & 1u) << 8 |
				  (segment->l & 1u) << 9 |
				  (segment->db & 1u) << 10 |
				  (segment->g & 1u) << 11;

	if (segment->present && !segment->unusable)
		attributes |= 1u << 7;
	bytes_put16(at, segment->selector);
	bytes_put16(at + 2, (uint16_t)attributes);
	bytes_put32(at + 4, segment->limit);
	bytes_put64(at + 8, segment->base);
}

static void put_table(uint8_t *at, const struct kvm_dtable *table)
{
	bytes_put32(at + 4, table->limit);
	bytes_put64(at + 8, table->base);
}

static void put_sregs(uint8_t *page, const struct kvm_sregs *sregs)
{
	put_segment(page + 0x00, &sregs->es);
	put_segment(page + 0x10, &sregs->cs);
	put_segment(page + 0x20, &sregs->ss);
	put_segment(page + 0x30, &sregs->ds);
	put_segment(page + 0x40, &sregs->fs);
	put_segment(page + 0x50, &sregs->gs);
	put_table(page + 0x60, &sregs->gdt);
	put_segment(page + 0x70, &sregs->ldt);
	put_table(page + 0x80, &sregs->idt);
	put_segment(page + 0x90, &sregs->tr);
	page[0xcb] = sregs->ss.dpl & 3;
	/* SVM needs EFER.SVME; a guest's CR4.MCE is the host's. */
	bytes_put64(page + 0xd0, sregs->efer | 0x1000);
	bytes_put64(page + 0x148, sregs->cr4 | 0x40);
	bytes_put64(page + 0x150, sregs->cr3);
	/* KVM runs guests with caches on. */
	bytes_put64(page + 0x158, sregs->cr0 & ~UINT64_C(0x60000000));
	bytes_put64(page + 0x160, 0x400);
	bytes_put64(page + 0x168, 0xffff0ff0);
	bytes_put64(page + 0x240, sregs->cr2);
}

static void put_regs(uint8_t *page, const struct kvm_regs *regs)
{
	const uint64_t high[8] = {
		regs->r8, regs->r9, regs->r10, regs->r11,
		regs->r12, regs->r13, regs->r14, regs->r15,
	};

	bytes_put64(page + 0x170, regs->rflags | 2);
	bytes_put64(page + 0x178, regs->rip);
	bytes_put64(page + 0x1d8, regs->rsp);
	bytes_put64(page + 0x1f8, regs->rax);
	bytes_put64(page + 0x308, regs->rcx);
	bytes_put64(page + 0x310, regs->rdx);
	bytes_put64(page + 0x318, regs->rbx);
	bytes_put64(page + 0x328, regs->rbp);
	bytes_put64(page + 0x330, regs->rsi);
	bytes_put64(page + 0x338, regs->rdi);
	for (int i = 0; i < 8; i++)
		bytes_put64(page + 0x340 + i * 8, high[i]);
}

/* @fx is laid out as by FXSAVE. */
static void put_fpu(uint8_t *page, const uint8_t *fx)
{
	memcpy(page + 0x400, fx + 16, 8);
	memcpy(page + 0x408, fx + 24, 4);
	memcpy(page + 0x40c, fx + 4, 2);
	memcpy(page + 0x40e, fx + 2, 2);
	memcpy(page + 0x410, fx, 2);
	memcpy(page + 0x412, fx + 6, 2);
	memcpy(page + 0x418, fx + 8, 8);
	for (int i = 0; i < 8; i++) {
		memcpy(page + 0x420 + i * 8, fx + 32 + i * 16, 8);
		memcpy(page + 0x460 + i * 2, fx + 40 + i * 16, 2);
	}
	memcpy(page + 0x470, fx + 160, 256);
}

void sim_vmsa(const struct sim_vcpu *vcpu, uint8_t page[SIM_PAGE])
{
	memset(page, 0, SIM_PAGE);
	put_sregs(page, &vcpu->sregs);
	put_regs(page, &vcpu->regs);
	put_fpu(page, vcpu->fx);
	sim_msrs_put(vcpu, page);
	bytes_put64(page + 0x3b0, vcpu->vm->features | 1);
	bytes_put64(page + 0x3e8, vcpu->xcr0);
}
