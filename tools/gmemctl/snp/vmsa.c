// SPDX-License-Identifier: GPL-2.0
/* Save areas of vCPUs (VMSAs), and their contents with each VMM. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

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

/* Pack a segment as svm_set_segment() of KVM does. The limit is not scaled by G. */
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

/* Segments, for which a VMSA and KVM's registers have different forms */
static const struct {
	size_t vmsa, kvm;
} segments[] = {
#define SEGMENT(vmsa, kvm) { offsetof(struct snp_vmsa, vmsa), offsetof(struct kvm_sregs, kvm) }
	SEGMENT(es, es), SEGMENT(cs, cs), SEGMENT(ss, ss), SEGMENT(ds, ds), SEGMENT(fs, fs),
	SEGMENT(gs, gs), SEGMENT(ldtr, ldt), SEGMENT(tr, tr),
#undef SEGMENT
};

#define SEGMENTS (sizeof(segments) / sizeof(segments[0]))

/* 64-bit registers, which have the same form in both */
static const struct {
	size_t vmsa, vcpu;
} registers[] = {
#define REGISTER(vmsa, vcpu) { offsetof(struct snp_vmsa, vmsa), offsetof(struct snp_vcpu, vcpu) }
	REGISTER(rax, regs.rax), REGISTER(rbx, regs.rbx), REGISTER(rcx, regs.rcx),
	REGISTER(rdx, regs.rdx), REGISTER(rsi, regs.rsi), REGISTER(rdi, regs.rdi),
	REGISTER(rsp, regs.rsp), REGISTER(rbp, regs.rbp), REGISTER(r8_r15[0], regs.r8),
	REGISTER(r8_r15[1], regs.r9), REGISTER(r8_r15[2], regs.r10),
	REGISTER(r8_r15[3], regs.r11), REGISTER(r8_r15[4], regs.r12),
	REGISTER(r8_r15[5], regs.r13), REGISTER(r8_r15[6], regs.r14),
	REGISTER(r8_r15[7], regs.r15), REGISTER(rip, regs.rip), REGISTER(rflags, regs.rflags),
	REGISTER(cr0, sregs.cr0), REGISTER(cr2, sregs.cr2), REGISTER(cr3, sregs.cr3),
	REGISTER(cr4, sregs.cr4), REGISTER(efer, sregs.efer),
	REGISTER(gdtr.base, sregs.gdt.base), REGISTER(idtr.base, sregs.idt.base),
	REGISTER(xcr0, xcr0), REGISTER(g_pat, pat), REGISTER(sev_features, features),
#undef REGISTER
};

#define REGISTERS (sizeof(registers) / sizeof(registers[0]))

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
	for (size_t i = 0; i < SEGMENTS; i++)
		*(struct vmsa_segment *)((char *)vmsa + segments[i].vmsa) =
			segment_pack((const void *)((const char *)&vcpu->sregs + segments[i].kvm));
	for (size_t i = 0; i < REGISTERS; i++)
		memcpy((char *)vmsa + registers[i].vmsa,
		       (const char *)vcpu + registers[i].vcpu, sizeof(uint64_t));
	vmsa->gdtr.limit = vcpu->sregs.gdt.limit;
	vmsa->idtr.limit = vcpu->sregs.idt.limit;
	vmsa->cpl = vcpu->sregs.ss.dpl & 3;
	vmsa->efer |= EFER_SVME;
	vmsa->cr0 &= ~(CR0_CD | CR0_NW);
	vmsa->cr4 |= CR4_MCE;
	/* Bit 1 of RFLAGS is always set. */
	vmsa->rflags |= RFLAGS_RESET;
	/* KVM refuses to measure a vCPU that is being debugged. */
	vmsa->dr6 = DR6_RESET;
	vmsa->dr7 = DR7_RESET;
	vmsa_set_fpu(vmsa, &vcpu->fpu);
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

void snp_vcpu_reset(struct snp_vcpu *vcpu, uint32_t eip, uint32_t signature, uint64_t features)
{
	struct kvm_sregs *sregs = &vcpu->sregs;
	/* Writable data, accessed, as after KVM_SET_SREGS. KVM's reset leaves it not accessed. */
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

int snp_vcpu_from_vmsa(struct snp_vcpu *vcpu, const uint8_t page[SNP_PAGE_SIZE], size_t *at)
{
	struct snp_vmsa vmsa;

	memcpy(&vmsa, page, sizeof(vmsa));
	memset(vcpu, 0, sizeof(*vcpu));
	for (size_t i = 0; i < SEGMENTS; i++)
		*(struct kvm_segment *)((char *)&vcpu->sregs + segments[i].kvm) =
			segment_unpack((const void *)((const char *)&vmsa + segments[i].vmsa));
	for (size_t i = 0; i < REGISTERS; i++)
		memcpy((char *)vcpu + registers[i].vcpu,
		       (const char *)&vmsa + registers[i].vmsa, sizeof(uint64_t));
	vcpu->sregs.gdt.limit = (uint16_t)vmsa.gdtr.limit;
	vcpu->sregs.idt.limit = (uint16_t)vmsa.idtr.limit;
	/* KVM sets both itself, and refuses EFER.SVME from userspace. */
	vcpu->sregs.cr4 &= ~CR4_MCE;
	vcpu->sregs.efer &= ~EFER_SVME;
	vcpu->fpu.fcw = vmsa.x87_fcw;
	vcpu->fpu.mxcsr = vmsa.mxcsr;
	snp_vmsa_from_vcpu(&vmsa, vcpu);
	for (*at = 0; *at < sizeof(vmsa); (*at)++)
		if (((const uint8_t *)&vmsa)[*at] != page[*at])
			return -EOPNOTSUPP;
	return 0;
}

/* EDX after KVM's own reset. */
#define EDX_KVM 0x600

/**
 * struct profile - differences between VMMs in real mode
 * @cs_first, @cs_ap: attributes of CS in the first vCPU and in the others
 * @data: attributes of ES, DS, FS and GS
 * @edx: value of EDX, unless @edx_signature
 * @ap_as_first: APs start at the reset vector, too
 */
struct profile {
	const char *name;
	uint16_t cs_first, cs_ap, ss, tr, data;
	bool edx_signature;
	uint32_t edx;
	uint32_t mxcsr;
	uint16_t fcw;
	uint64_t pat;
	bool ap_as_first;
};

#define PAT_GCE UINT64_C(0x00070106)

static const struct profile profiles[SNP_VMM_COUNT] = {
	[SNP_VMM_QEMU] = {
		"qemu", 0x9b, 0x9b, 0x93, 0x8b, 0x93,
		true, 0, 0x1f80, 0x37f, PAT_RESET, false,
	},
	[SNP_VMM_EC2] = {
		"ec2", 0x9a, 0x9b, 0x92, 0x83, 0x93,
		false, EDX_KVM, 0, 0, PAT_RESET, false,
	},
	[SNP_VMM_EC2_OLD] = {
		"ec2-old", 0x9a, 0x9b, 0x92, 0x83, 0x93,
		false, 0, 0, 0, PAT_RESET, false,
	},
	[SNP_VMM_GCE] = {
		"gce", 0x9b, 0x9b, 0x93, 0x8b, 0x93,
		false, EDX_KVM, 0, 0, PAT_GCE, false,
	},
	[SNP_VMM_KVM] = {
		"kvm", 0x9a, 0x9a, 0x92, 0x83, 0x92,
		false, EDX_KVM, 0x1f80, 0x37f, PAT_RESET, true,
	},
	[SNP_VMM_KVM_SREGS] = {
		"kvm-sregs", 0x9a, 0x9a, 0x92, 0x83, 0x93,
		false, EDX_KVM, 0x1f80, 0x37f, PAT_RESET, true,
	},
	[SNP_VMM_GMEMCTL] = { .name = "gmemctl", .edx_signature = true },
	[SNP_VMM_SVSM] = { .name = "svsm", .edx_signature = true },
};

static void vmsa_real_mode(struct snp_vmsa *vmsa, const struct profile *profile, unsigned int index)
{
	vmsa->es.attributes = profile->data;
	vmsa->ds = vmsa->es;
	vmsa->fs = vmsa->es;
	vmsa->gs = vmsa->es;
	vmsa->cs.attributes = index ? profile->cs_ap : profile->cs_first;
	vmsa->ss.attributes = profile->ss;
	vmsa->tr.attributes = profile->tr;
	if (!profile->edx_signature)
		vmsa->rdx = profile->edx;
	vmsa->mxcsr = profile->mxcsr;
	vmsa->x87_fcw = profile->fcw;
	vmsa->g_pat = profile->pat;
}

/*
 * 32-bit protected mode with flat segments. The FPU control word is 0 as in the
 * only published digest of an SVSM.
 */
static void vmsa_svsm(struct snp_vmsa *vmsa, uint32_t eip)
{
	vmsa->es = (struct vmsa_segment){ 0x10, 0xc93, 0xffffffff, 0 };
	vmsa->ss = vmsa->es;
	vmsa->ds = vmsa->es;
	vmsa->fs = vmsa->es;
	vmsa->cs = (struct vmsa_segment){ 8, 0xc9b, 0xffffffff, 0 };
	vmsa->cr0 = 0x11;
	vmsa->rip = eip;
	vmsa->x87_fcw = 0;
}

/* Start from gmemctl's own VMSA, and change what the VMM does differently. */
void snp_vmm_vmsa(struct snp_vmsa *vmsa, enum snp_vmm vmm, unsigned int index,
		  uint32_t eip, uint32_t signature, uint64_t features)
{
	const struct profile *profile = &profiles[vmm];
	struct snp_vcpu vcpu;

	snp_vcpu_reset(&vcpu, profile->ap_as_first ? SNP_RESET_EIP : eip, signature, features);
	snp_vmsa_from_vcpu(vmsa, &vcpu);
	if (vmm == SNP_VMM_SVSM)
		vmsa_svsm(vmsa, eip);
	else if (vmm != SNP_VMM_GMEMCTL)
		vmsa_real_mode(vmsa, profile, index);
}

const char *snp_vmm_name(enum snp_vmm vmm)
{
	return profiles[vmm].name;
}

int snp_vmm_find(const char *name)
{
	for (int i = 0; i < SNP_VMM_COUNT; i++)
		if (!strcasecmp(profiles[i].name, name))
			return i;
	return -ENOENT;
}

bool snp_vmm_wants_signature(enum snp_vmm vmm)
{
	return profiles[vmm].edx_signature;
}

/* A family above 15 is the sum of 15 and the extended family. */
uint32_t snp_vcpu_signature(unsigned int family, unsigned int model, unsigned int stepping)
{
	unsigned int extended = family > 0xf ? family - 0xf : 0;
	unsigned int base = family > 0xf ? 0xf : family;

	return (extended & 0xff) << 20 | (model >> 4 & 0xf) << 16 | base << 8 |
	       (model & 0xf) << 4 | (stepping & 0xf);
}

static const struct {
	const char *name;
	uint8_t family, model, stepping;
} types[] = {
	{ "EPYC",	 23, 0x01, 2 },
	{ "EPYC-IBPB",	 23, 0x01, 2 },
	{ "EPYC-Rome",	 23, 0x31, 0 },
	{ "EPYC-Milan",	 25, 0x01, 1 },
	{ "EPYC-Genoa",	 25, 0x11, 0 },
	{ "EPYC-Turin",	 26, 0x00, 0 },
};

uint32_t snp_vcpu_type_find(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		size_t length = strlen(types[i].name);
		const char *version = name + length;

		if (strncasecmp(name, types[i].name, length))
			continue;
		/* As in EPYC-v4: the same CPU with other features */
		if (!*version || (!strncasecmp(version, "-v", 2) && version[2] >= '1' &&
				  version[2] <= '9' && !version[3]))
			return snp_vcpu_signature(types[i].family, types[i].model,
						  types[i].stepping);
	}
	return 0;
}
