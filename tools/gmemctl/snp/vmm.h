/* SPDX-License-Identifier: GPL-2.0 */
/* How the VMMs program the vCPUs that they launch. */
#ifndef GMEMCTL_SNP_VMM_H
#define GMEMCTL_SNP_VMM_H

#include <stdbool.h>

#include "vmsa.h"

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
uint32_t snp_vcpu_signature(unsigned int family, unsigned int model,
			    unsigned int stepping);

/** snp_vcpu_type_find() - signature of a CPU model, by QEMU's name, or 0 */
uint32_t snp_vcpu_type_find(const char *name);

#endif /* GMEMCTL_SNP_VMM_H */
