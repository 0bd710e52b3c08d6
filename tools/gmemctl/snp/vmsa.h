/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VMSA page: the registers with which a vCPU starts. One per vCPU is part
 * of the launch digest, so that the digest depends on who programs the vCPU.
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
 * struct snp_vmsa - the page, as the AMD manual (volume 2, appendix B) and the
 *	kernel's struct sev_es_save_area lay it out
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

/* sev_features: SNP is active. KVM sets it by itself. */
#define SNP_FEATURE_ACTIVE UINT64_C(1)
/* The TSC is the guest's own. */
#define SNP_FEATURE_SECURE_TSC (UINT64_C(1) << 9)

/* The reset vector of the first vCPU */
#define SNP_RESET_EIP UINT32_C(0xfffffff0)

/**
 * struct snp_vcpu - a vCPU as KVM's ioctls have set it
 * @pat: MSR 0x277
 * @features: of KVM_SEV_INIT2, with SNP_FEATURE_ACTIVE
 */
struct snp_vcpu {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_fpu fpu;
	uint64_t xcr0;
	uint64_t pat;
	uint64_t features;
};

/** snp_vmsa_features() - sev_features of a page, at any alignment */
uint64_t snp_vmsa_features(const uint8_t page[SNP_PAGE_SIZE]);

/**
 * snp_vmsa_from_vcpu() - what KVM makes of a vCPU when it measures it
 *
 * The transform of Linux 6.10 and newer for VMs of type KVM_X86_SNP_VM: EFER.SVME
 * and CR4.MCE are set, CR0.CD and NW cleared, segment attributes packed, the FPU
 * copied.
 */
void snp_vmsa_from_vcpu(struct snp_vmsa *vmsa, const struct snp_vcpu *vcpu);

/**
 * snp_vcpu_from_vmsa() - what KVM has to be told to measure this page
 * @page: at any alignment
 *
 * KVM makes the page by itself. State that it cannot be told, such as debug
 * registers, a VMPL, or MSRs of system calls, is not in @vcpu.
 *
 * Return: 0; -EOPNOTSUPP if KVM would measure another page, with @at set to the
 * first byte that is not the same.
 */
int snp_vcpu_from_vmsa(struct snp_vcpu *vcpu, const uint8_t page[SNP_PAGE_SIZE], size_t *at);

/**
 * snp_vcpu_reset() - how gmemctl programs a vCPU that starts in the firmware
 * @eip: SNP_RESET_EIP, or where the firmware wants its APs
 * @signature: CPUID leaf 1 EAX, which a CPU has in EDX after reset
 *
 * Every register that gets into the VMSA has a value of its own here, none is
 * left to KVM. They are QEMU's, so that the digests are the same.
 */
void snp_vcpu_reset(struct snp_vcpu *vcpu, uint32_t eip, uint32_t signature, uint64_t features);

/**
 * enum snp_vmm - who launches
 * @SNP_VMM_QEMU: QEMU on Linux 6.10 or newer
 * @SNP_VMM_EC2: Amazon EC2, as sev-snp-measure 0.0.13 and newer describe it
 * @SNP_VMM_EC2_OLD: the same with EDX 0, as older descriptions have it
 * @SNP_VMM_GCE: Google Compute Engine
 * @SNP_VMM_KVM: a VMM that sets no register
 * @SNP_VMM_KVM_SREGS: one that does KVM_GET_SREGS and KVM_SET_SREGS
 * @SNP_VMM_GMEMCTL: gmemctl: snp_vcpu_reset()
 * @SNP_VMM_SVSM: QEMU with an SVSM: all vCPUs start in it, in protected mode
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

/** snp_vmm_name() - as on the command line */
const char *snp_vmm_name(enum snp_vmm vmm);

/** snp_vmm_find() - by name. Return: the VMM, or -ENOENT. */
int snp_vmm_find(const char *name);

/** snp_vmm_wants_signature() - whether the VMSA has the CPU's signature in it */
bool snp_vmm_wants_signature(enum snp_vmm vmm);

/**
 * snp_vmm_vmsa() - the VMSA that one VMM gives to a vCPU
 * @index: 0 for the first vCPU; an AP of SNP_VMM_KVM starts where the first does
 * @eip: SNP_RESET_EIP, where the firmware wants its APs, or the SVSM's entry
 */
void snp_vmm_vmsa(struct snp_vmsa *vmsa, enum snp_vmm vmm, unsigned int index,
		  uint32_t eip, uint32_t signature, uint64_t features);

/** snp_vcpu_signature() - what CPUID leaf 1 has in EAX */
uint32_t snp_vcpu_signature(unsigned int family, unsigned int model, unsigned int stepping);

/** snp_vcpu_type_find() - signature of a CPU model, by QEMU's name, or 0 */
uint32_t snp_vcpu_type_find(const char *name);

#endif /* GMEMCTL_SNP_VMSA_H */
