// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "vmm.h"

/* What KVM's own reset leaves in EDX. */
#define EDX_KVM 0x600

/**
 * struct profile - where the VMMs differ in real mode
 * @cs_first, @cs_ap: attributes of CS in the first vCPU and in the others
 * @data: attributes of ES, DS, FS and GS
 * @edx: value of EDX, unless @edx_signature
 * @ap_as_first: the APs start at the reset vector, too
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

#define PAT_LINUX UINT64_C(0x0007040600070406)
#define PAT_GCE UINT64_C(0x00070106)

static const struct profile profiles[SNP_VMM_COUNT] = {
	[SNP_VMM_QEMU] = {
		"qemu", 0x9b, 0x9b, 0x93, 0x8b, 0x93,
		true, 0, 0x1f80, 0x37f, PAT_LINUX, false,
	},
	[SNP_VMM_EC2] = {
		"ec2", 0x9a, 0x9b, 0x92, 0x83, 0x93,
		false, EDX_KVM, 0, 0, PAT_LINUX, false,
	},
	[SNP_VMM_EC2_OLD] = {
		"ec2-old", 0x9a, 0x9b, 0x92, 0x83, 0x93,
		false, 0, 0, 0, PAT_LINUX, false,
	},
	[SNP_VMM_GCE] = {
		"gce", 0x9b, 0x9b, 0x93, 0x8b, 0x93,
		false, EDX_KVM, 0, 0, PAT_GCE, false,
	},
	[SNP_VMM_KVM] = {
		"kvm", 0x9a, 0x9a, 0x92, 0x83, 0x92,
		false, EDX_KVM, 0x1f80, 0x37f, PAT_LINUX, true,
	},
	[SNP_VMM_KVM_SREGS] = {
		"kvm-sregs", 0x9a, 0x9a, 0x92, 0x83, 0x93,
		false, EDX_KVM, 0x1f80, 0x37f, PAT_LINUX, true,
	},
	[SNP_VMM_GMEMCTL] = { .name = "gmemctl", .edx_signature = true },
	[SNP_VMM_SVSM] = { .name = "svsm", .edx_signature = true },
};

static struct vmsa_segment segment(uint16_t selector, uint16_t attributes,
				   uint32_t limit, uint64_t base)
{
	return (struct vmsa_segment){ selector, attributes, limit, base };
}

/* What all of them have in common. */
static void vmsa_base(struct snp_vmsa *vmsa, uint64_t features)
{
	memset(vmsa, 0, sizeof(*vmsa));
	vmsa->gdtr = segment(0, 0, 0xffff, 0);
	vmsa->idtr = vmsa->gdtr;
	vmsa->ldtr = segment(0, 0x82, 0xffff, 0);
	vmsa->efer = 0x1000;
	vmsa->cr4 = 0x40;
	vmsa->cr0 = 0x10;
	vmsa->dr7 = 0x400;
	vmsa->dr6 = 0xffff0ff0;
	vmsa->rflags = 2;
	vmsa->g_pat = PAT_LINUX;
	vmsa->xcr0 = 1;
	vmsa->sev_features = features;
}

static void vmsa_real_mode(struct snp_vmsa *vmsa, const struct profile *profile,
			   unsigned int index, uint32_t eip, uint32_t signature)
{
	if (profile->ap_as_first)
		eip = SNP_RESET_EIP;
	vmsa->es = segment(0, profile->data, 0xffff, 0);
	vmsa->ds = vmsa->es;
	vmsa->fs = vmsa->es;
	vmsa->gs = vmsa->es;
	vmsa->cs = segment(0xf000, index ? profile->cs_ap : profile->cs_first,
			   0xffff, eip & 0xffff0000);
	vmsa->ss = segment(0, profile->ss, 0xffff, 0);
	vmsa->tr = segment(0, profile->tr, 0xffff, 0);
	vmsa->rip = eip & 0xffff;
	vmsa->rdx = profile->edx_signature ? signature : profile->edx;
	vmsa->mxcsr = profile->mxcsr;
	vmsa->x87_fcw = profile->fcw;
	vmsa->g_pat = profile->pat;
}

/*
 * 32-bit protected mode with flat segments. The FPU control word is 0 as in the
 * only published digest of an SVSM.
 */
static void vmsa_svsm(struct snp_vmsa *vmsa, uint32_t eip, uint32_t signature)
{
	vmsa->es = segment(0x10, 0xc93, 0xffffffff, 0);
	vmsa->ss = vmsa->es;
	vmsa->ds = vmsa->es;
	vmsa->fs = vmsa->es;
	vmsa->cs = segment(8, 0xc9b, 0xffffffff, 0);
	vmsa->gs = segment(0, 0x93, 0xffff, 0);
	vmsa->tr = segment(0, 0x8b, 0xffff, 0);
	vmsa->cr0 = 0x11;
	vmsa->rip = eip;
	vmsa->rdx = signature;
	vmsa->mxcsr = 0x1f80;
}

void snp_vmm_vmsa(struct snp_vmsa *vmsa, enum snp_vmm vmm, unsigned int index,
		  uint32_t eip, uint32_t signature, uint64_t features)
{
	struct snp_vcpu vcpu;

	if (vmm == SNP_VMM_GMEMCTL) {
		snp_vcpu_reset(&vcpu, eip, signature, features);
		snp_vmsa_from_vcpu(vmsa, &vcpu);
		return;
	}
	vmsa_base(vmsa, features);
	if (vmm == SNP_VMM_SVSM)
		vmsa_svsm(vmsa, eip, signature);
	else
		vmsa_real_mode(vmsa, &profiles[vmm], index, eip, signature);
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

/* A family beyond 15 is the sum of 15 and the extended family. */
uint32_t snp_vcpu_signature(unsigned int family, unsigned int model,
			    unsigned int stepping)
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

#define TYPES (sizeof(types) / sizeof(types[0]))

/* Nothing, or a version, as in EPYC-v4: the same CPU with other features. */
static bool is_version(const char *text)
{
	if (!*text)
		return true;
	return !strncasecmp(text, "-v", 2) && text[2] >= '1' &&
	       text[2] <= '9' && !text[3];
}

uint32_t snp_vcpu_type_find(const char *name)
{
	for (unsigned int i = 0; i < TYPES; i++) {
		size_t length = strlen(types[i].name);

		if (!strncasecmp(name, types[i].name, length) &&
		    is_version(name + length))
			return snp_vcpu_signature(types[i].family,
						  types[i].model,
						  types[i].stepping);
	}
	return 0;
}
