/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VMSA page: the initial registers of a vCPU. The launch digest includes one for each vCPU, so
 * it depends on the VMM that sets the registers.
 */
#ifndef GMEMCTL_SNP_VMSA_H
#define GMEMCTL_SNP_VMSA_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest.h"

struct vmsa_segment {
	uint16_t selector;
	uint16_t attributes;
	uint32_t limit;
	uint64_t base;
};

/**
 * struct snp_vmsa - the page, with the layout of the AMD manual (volume 2, appendix B) and of the
 *	kernel's struct sev_es_save_area
 */
struct snp_vmsa {
	struct vmsa_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint64_t pl_ssp[4];
	uint64_t u_cet;
	uint8_t reserved_c8[2];
	uint8_t vmpl;
	uint8_t cpl;
	uint8_t reserved_cc[4];
	uint64_t efer;
	uint8_t reserved_d8[104];
	uint64_t xss, cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint64_t dr[4];
	uint64_t dr_mask[4];
	uint8_t reserved_1c0[24];
	uint64_t rsp, s_cet, ssp, isst_address, rax;
	uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip, cr2;
	uint8_t reserved_248[32];
	uint64_t g_pat;
	uint8_t reserved_270[120];
	uint32_t pkru, tsc_aux;
	uint8_t reserved_2f0[24];
	uint64_t rcx, rdx, rbx, reserved_320, rbp, rsi, rdi;
	uint64_t r8_r15[8];
	uint8_t reserved_380[48];
	uint64_t sev_features;
	uint8_t reserved_3b8[48];
	uint64_t xcr0;
	uint8_t reserved_3f0[16];
	uint64_t x87_dp;
	uint32_t mxcsr;
	uint16_t x87_ftw, x87_fsw, x87_fcw, x87_fop, x87_ds, x87_cs;
	uint64_t x87_rip;
	uint8_t x87[80];
	uint8_t xmm[256];
	uint8_t ymm[256];
	uint8_t unused[2448];
};

_Static_assert(sizeof(struct snp_vmsa) == SNP_PAGE_SIZE, "VMSA");
_Static_assert(offsetof(struct snp_vmsa, tr) == 0x90, "VMSA");
_Static_assert(offsetof(struct snp_vmsa, vmpl) == 0xca, "VMSA");
_Static_assert(offsetof(struct snp_vmsa, efer) == 0xd0, "VMSA");
_Static_assert(offsetof(struct snp_vmsa, xss) == 0x140, "VMSA");
_Static_assert(offsetof(struct snp_vmsa, rip) == 0x178, "VMSA");
_Static_assert(offsetof(struct snp_vmsa, rsp) == 0x1d8, "VMSA");
_Static_assert(offsetof(struct snp_vmsa, rax) == 0x1f8, "VMSA");
_Static_assert(offsetof(struct snp_vmsa, star) == 0x200, "VMSA");
_Static_assert(offsetof(struct snp_vmsa, cr2) == 0x240, "VMSA");
_Static_assert(offsetof(struct snp_vmsa, g_pat) == 0x268, "VMSA");
_Static_assert(offsetof(struct snp_vmsa, pkru) == 0x2e8, "VMSA");
_Static_assert(offsetof(struct snp_vmsa, rcx) == 0x308, "VMSA");
_Static_assert(offsetof(struct snp_vmsa, rbp) == 0x328, "VMSA");
_Static_assert(offsetof(struct snp_vmsa, r8_r15) == 0x340, "VMSA");
_Static_assert(offsetof(struct snp_vmsa, sev_features) == 0x3b0, "VMSA");
_Static_assert(offsetof(struct snp_vmsa, xcr0) == 0x3e8, "VMSA");
_Static_assert(offsetof(struct snp_vmsa, x87_dp) == 0x400, "VMSA");
_Static_assert(offsetof(struct snp_vmsa, mxcsr) == 0x408, "VMSA");
_Static_assert(offsetof(struct snp_vmsa, x87_fcw) == 0x410, "VMSA");
_Static_assert(offsetof(struct snp_vmsa, x87) == 0x420, "VMSA");
_Static_assert(offsetof(struct snp_vmsa, xmm) == 0x470, "VMSA");
_Static_assert(offsetof(struct snp_vmsa, ymm) == 0x570, "VMSA");

/* sev_features: SNP is active. KVM sets this bit itself. */
#define SNP_FEATURE_ACTIVE UINT64_C(1)
/* sev_features: secure TSC */
#define SNP_FEATURE_SECURE_TSC (UINT64_C(1) << 9)

/* The reset vector of the first vCPU */
#define SNP_RESET_EIP UINT32_C(0xfffffff0)

/**
 * struct snp_vcpu - the registers of a vCPU, as set by KVM's ioctls
 * @pat: MSR 0x277
 * @features: features of KVM_SEV_INIT2, with SNP_FEATURE_ACTIVE
 */
struct snp_vcpu {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_fpu fpu;
	uint64_t xcr0;
	uint64_t pat;
	uint64_t features;
};

/** snp_vmsa_features() - get sev_features of a page, which need not be aligned */
uint64_t snp_vmsa_features(const uint8_t page[SNP_PAGE_SIZE]);

/**
 * snp_vmsa_from_vcpu() - build the VMSA that KVM measures for a vCPU
 *
 * This is what Linux 6.10 and newer do for VMs of type KVM_X86_SNP_VM: they set EFER.SVME and
 * CR4.MCE, clear CR0.CD and NW, pack the attributes of segments, and copy the FPU.
 */
void snp_vmsa_from_vcpu(struct snp_vmsa *vmsa, const struct snp_vcpu *vcpu);

/**
 * snp_vcpu_from_vmsa() - get the registers with which KVM measures a given VMSA
 * @page: the VMSA, which need not be aligned
 * @at: out: after -EOPNOTSUPP, offset of the first byte that differs
 *
 * KVM builds the page itself. @vcpu does not have state that cannot be set for that, such as debug
 * registers, a VMPL, or MSRs of system calls.
 *
 * Return: 0; -EOPNOTSUPP if KVM would measure another page.
 */
int snp_vcpu_from_vmsa(struct snp_vcpu *vcpu, const uint8_t page[SNP_PAGE_SIZE], size_t *at);

/**
 * snp_vcpu_reset() - get the registers of gmemctl for a vCPU that starts in the firmware
 * @eip: SNP_RESET_EIP, or the address at which the firmware starts APs
 * @signature: CPUID leaf 1 EAX, which is in EDX after a reset
 *
 * It sets every measured register, and relies on no value of KVM's. The values are those of QEMU,
 * so the digests are the same.
 */
void snp_vcpu_reset(struct snp_vcpu *vcpu, uint32_t eip, uint32_t signature, uint64_t features);

/**
 * enum snp_vmm - the VMM of a launch
 * @SNP_VMM_QEMU: QEMU on Linux 6.10 or newer
 * @SNP_VMM_EC2: Amazon EC2, as described by sev-snp-measure 0.0.13 and newer
 * @SNP_VMM_EC2_OLD: the same with EDX 0, as in older descriptions
 * @SNP_VMM_GCE: Google Compute Engine
 * @SNP_VMM_KVM: a VMM that sets no register
 * @SNP_VMM_KVM_SREGS: a VMM that calls KVM_GET_SREGS and KVM_SET_SREGS
 * @SNP_VMM_GMEMCTL: gmemctl, see snp_vcpu_reset()
 * @SNP_VMM_SVSM: QEMU with an SVSM, in which all vCPUs start, in protected mode
 */
enum snp_vmm {
	SNP_VMM_QEMU,
	SNP_VMM_EC2,
	SNP_VMM_EC2_OLD,
	SNP_VMM_GCE,
	SNP_VMM_KVM,
	SNP_VMM_KVM_SREGS,
	SNP_VMM_GMEMCTL,
	SNP_VMM_SVSM,
	SNP_VMM_COUNT,
};

/** snp_vmm_name() - name of a VMM for --vmm */
const char *snp_vmm_name(enum snp_vmm vmm);

/** snp_vmm_find() - find a VMM by its name. Return: the VMM, or -ENOENT. */
int snp_vmm_find(const char *name);

/** snp_vmm_wants_signature() - whether the VMSA includes the CPU's signature */
bool snp_vmm_wants_signature(enum snp_vmm vmm);

/**
 * snp_vmm_vmsa() - build the VMSA of a vCPU of a VMM
 * @index: 0 for the first vCPU; with SNP_VMM_KVM all vCPUs start where the first one does
 * @eip: SNP_RESET_EIP, the address at which the firmware starts APs, or the entry of the SVSM
 */
void snp_vmm_vmsa(struct snp_vmsa *vmsa, enum snp_vmm vmm, unsigned int index,
		  uint32_t eip, uint32_t signature, uint64_t features);

/** snp_vcpu_signature() - build the value of CPUID leaf 1 EAX */
uint32_t snp_vcpu_signature(unsigned int family, unsigned int model, unsigned int stepping);

/** snp_vcpu_type_find() - get the signature of a CPU model by QEMU's name; 0: unknown */
uint32_t snp_vcpu_type_find(const char *name);

#endif /* GMEMCTL_SNP_VMSA_H */
