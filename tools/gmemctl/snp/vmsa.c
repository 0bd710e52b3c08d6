// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "../base/bytes.h"
#include "vmsa.h"

#define EFER_SVME (UINT64_C(1) << 12)
#define CR0_NW (UINT64_C(1) << 29)
#define CR0_CD (UINT64_C(1) << 30)
#define CR4_MCE (UINT64_C(1) << 6)
#define CR0_ET UINT64_C(0x10)
#define DR6_RESET UINT64_C(0xffff0ff0)
#define DR7_RESET UINT64_C(0x400)
#define RFLAGS_RESET UINT64_C(2)
#define PAT_RESET UINT64_C(0x0007040600070406)
#define MXCSR_RESET UINT32_C(0x1f80)
#define FCW_RESET UINT16_C(0x37f)

/* As svm_set_segment() packs them. The limit is not scaled by G. */
static struct vmsa_segment segment_pack(const struct kvm_segment *segment)
{
	return (struct vmsa_segment){
		.selector = segment->selector,
		.attributes = (uint16_t)((segment->type & 0xf) |
					 (segment->s & 1) << 4 |
					 (segment->dpl & 3) << 5 |
					 (segment->present && !segment->unusable) << 7 |
					 (segment->avl & 1) << 8 |
					 (segment->l & 1) << 9 |
					 (segment->db & 1) << 10 |
					 (segment->g & 1) << 11),
		.limit = segment->limit,
		.base = segment->base,
	};
}

static struct vmsa_segment table_pack(const struct kvm_dtable *table)
{
	return (struct vmsa_segment){
		.limit = table->limit,
		.base = table->base,
	};
}

static void vmsa_set_segments(struct snp_vmsa *vmsa,
			      const struct kvm_sregs *sregs)
{
	vmsa->es = segment_pack(&sregs->es);
	vmsa->cs = segment_pack(&sregs->cs);
	vmsa->ss = segment_pack(&sregs->ss);
	vmsa->ds = segment_pack(&sregs->ds);
	vmsa->fs = segment_pack(&sregs->fs);
	vmsa->gs = segment_pack(&sregs->gs);
	vmsa->gdtr = table_pack(&sregs->gdt);
	vmsa->ldtr = segment_pack(&sregs->ldt);
	vmsa->idtr = table_pack(&sregs->idt);
	vmsa->tr = segment_pack(&sregs->tr);
	vmsa->cpl = sregs->ss.dpl & 3;
}

static void vmsa_set_control(struct snp_vmsa *vmsa,
			     const struct kvm_sregs *sregs)
{
	vmsa->efer = sregs->efer | EFER_SVME;
	vmsa->cr0 = sregs->cr0 & ~(CR0_CD | CR0_NW);
	vmsa->cr2 = sregs->cr2;
	vmsa->cr3 = sregs->cr3;
	vmsa->cr4 = sregs->cr4 | CR4_MCE;
	/* KVM refuses to measure a vCPU that is being debugged. */
	vmsa->dr6 = DR6_RESET;
	vmsa->dr7 = DR7_RESET;
}

static void vmsa_set_general(struct snp_vmsa *vmsa, const struct kvm_regs *regs)
{
	vmsa->rax = regs->rax;
	vmsa->rbx = regs->rbx;
	vmsa->rcx = regs->rcx;
	vmsa->rdx = regs->rdx;
	vmsa->rsi = regs->rsi;
	vmsa->rdi = regs->rdi;
	vmsa->rsp = regs->rsp;
	vmsa->rbp = regs->rbp;
	vmsa->r8_r15[0] = regs->r8;
	vmsa->r8_r15[1] = regs->r9;
	vmsa->r8_r15[2] = regs->r10;
	vmsa->r8_r15[3] = regs->r11;
	vmsa->r8_r15[4] = regs->r12;
	vmsa->r8_r15[5] = regs->r13;
	vmsa->r8_r15[6] = regs->r14;
	vmsa->r8_r15[7] = regs->r15;
	vmsa->rip = regs->rip;
	/* Bit 1 is always set, whatever is asked for. */
	vmsa->rflags = regs->rflags | RFLAGS_RESET;
}

static void vmsa_set_fpu(struct snp_vmsa *vmsa, const struct kvm_fpu *fpu)
{
	vmsa->mxcsr = fpu->mxcsr;
	vmsa->x87_ftw = fpu->ftwx;
	vmsa->x87_fsw = fpu->fsw;
	vmsa->x87_fcw = fpu->fcw;
	vmsa->x87_fop = fpu->last_opcode;
	vmsa->x87_rip = fpu->last_ip;
	vmsa->x87_dp = fpu->last_dp;
	/* Eight mantissas, then eight pairs of sign and exponent. */
	for (unsigned int i = 0; i < 8; i++) {
		memcpy(vmsa->x87 + i * 8, fpu->fpr[i], 8);
		memcpy(vmsa->x87 + 64 + i * 2, fpu->fpr[i] + 8, 2);
	}
	memcpy(vmsa->xmm, fpu->xmm, sizeof(vmsa->xmm));
}

uint64_t snp_vmsa_features(const uint8_t page[SNP_PAGE_SIZE])
{
	return bytes_get64(page + offsetof(struct snp_vmsa, sev_features));
}

void snp_vmsa_from_vcpu(struct snp_vmsa *vmsa, const struct snp_vcpu *vcpu)
{
	memset(vmsa, 0, sizeof(*vmsa));
	vmsa_set_segments(vmsa, &vcpu->sregs);
	vmsa_set_control(vmsa, &vcpu->sregs);
	vmsa_set_general(vmsa, &vcpu->regs);
	vmsa_set_fpu(vmsa, &vcpu->fpu);
	vmsa->xcr0 = vcpu->xcr0;
	vmsa->g_pat = vcpu->pat;
	vmsa->sev_features = vcpu->features;
}

static struct kvm_segment segment_reset(uint8_t type, bool system)
{
	return (struct kvm_segment){
		.limit = 0xffff,
		.type = type,
		.present = 1,
		.s = !system,
	};
}

void snp_vcpu_reset(struct snp_vcpu *vcpu, uint32_t eip, uint32_t signature,
		    uint64_t features)
{
	struct kvm_sregs *sregs = &vcpu->sregs;
	/* Writable data, accessed: what SET_SREGS gives, unlike KVM's reset. */
	const struct kvm_segment data = segment_reset(3, false);

	memset(vcpu, 0, sizeof(*vcpu));
	sregs->es = data;
	sregs->ss = data;
	sregs->ds = data;
	sregs->fs = data;
	sregs->gs = data;
	sregs->cs = segment_reset(0xb, false);
	sregs->cs.selector = 0xf000;
	sregs->cs.base = eip & 0xffff0000;
	sregs->ldt = segment_reset(2, true);
	sregs->tr = segment_reset(0xb, true);
	sregs->gdt.limit = 0xffff;
	sregs->idt.limit = 0xffff;
	sregs->cr0 = CR0_ET;
	vcpu->regs.rip = eip & 0xffff;
	vcpu->regs.rflags = RFLAGS_RESET;
	vcpu->regs.rdx = signature;
	vcpu->fpu.fcw = FCW_RESET;
	vcpu->fpu.mxcsr = MXCSR_RESET;
	vcpu->xcr0 = 1;
	vcpu->pat = PAT_RESET;
	vcpu->features = features;
}

static struct kvm_segment segment_unpack(const struct vmsa_segment *segment)
{
	uint16_t attributes = segment->attributes;

	return (struct kvm_segment){
		.base = segment->base,
		.limit = segment->limit,
		.selector = segment->selector,
		.type = attributes & 0xf,
		.s = attributes >> 4 & 1,
		.dpl = attributes >> 5 & 3,
		.present = attributes >> 7 & 1,
		.avl = attributes >> 8 & 1,
		.l = attributes >> 9 & 1,
		.db = attributes >> 10 & 1,
		.g = attributes >> 11 & 1,
	};
}

static void sregs_unpack(struct kvm_sregs *sregs, const struct snp_vmsa *vmsa)
{
	sregs->es = segment_unpack(&vmsa->es);
	sregs->cs = segment_unpack(&vmsa->cs);
	sregs->ss = segment_unpack(&vmsa->ss);
	sregs->ds = segment_unpack(&vmsa->ds);
	sregs->fs = segment_unpack(&vmsa->fs);
	sregs->gs = segment_unpack(&vmsa->gs);
	sregs->ldt = segment_unpack(&vmsa->ldtr);
	sregs->tr = segment_unpack(&vmsa->tr);
	sregs->gdt.base = vmsa->gdtr.base;
	sregs->gdt.limit = (uint16_t)vmsa->gdtr.limit;
	sregs->idt.base = vmsa->idtr.base;
	sregs->idt.limit = (uint16_t)vmsa->idtr.limit;
	sregs->cr0 = vmsa->cr0;
	sregs->cr2 = vmsa->cr2;
	sregs->cr3 = vmsa->cr3;
	/* Set by KVM, which does not take EFER.SVME from others. */
	sregs->cr4 = vmsa->cr4 & ~CR4_MCE;
	sregs->efer = vmsa->efer & ~EFER_SVME;
}

static void regs_unpack(struct kvm_regs *regs, const struct snp_vmsa *vmsa)
{
	*regs = (struct kvm_regs){
		.rax = vmsa->rax, .rbx = vmsa->rbx, .rcx = vmsa->rcx,
		.rdx = vmsa->rdx, .rsi = vmsa->rsi, .rdi = vmsa->rdi,
		.rsp = vmsa->rsp, .rbp = vmsa->rbp,
		.r8 = vmsa->r8_r15[0], .r9 = vmsa->r8_r15[1],
		.r10 = vmsa->r8_r15[2], .r11 = vmsa->r8_r15[3],
		.r12 = vmsa->r8_r15[4], .r13 = vmsa->r8_r15[5],
		.r14 = vmsa->r8_r15[6], .r15 = vmsa->r8_r15[7],
		.rip = vmsa->rip, .rflags = vmsa->rflags,
	};
}

int snp_vcpu_from_vmsa(struct snp_vcpu *vcpu, const uint8_t page[SNP_PAGE_SIZE],
		       size_t *at)
{
	struct snp_vmsa vmsa;

	memcpy(&vmsa, page, sizeof(vmsa));
	memset(vcpu, 0, sizeof(*vcpu));
	sregs_unpack(&vcpu->sregs, &vmsa);
	regs_unpack(&vcpu->regs, &vmsa);
	vcpu->fpu.fcw = vmsa.x87_fcw;
	vcpu->fpu.mxcsr = vmsa.mxcsr;
	vcpu->xcr0 = vmsa.xcr0;
	vcpu->pat = vmsa.g_pat;
	vcpu->features = vmsa.sev_features;
	snp_vmsa_from_vcpu(&vmsa, vcpu);
	for (*at = 0; *at < sizeof(vmsa); (*at)++)
		if (((const uint8_t *)&vmsa)[*at] != page[*at])
			return -EOPNOTSUPP;
	return 0;
}
