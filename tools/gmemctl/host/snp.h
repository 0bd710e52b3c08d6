/* SPDX-License-Identifier: GPL-2.0 */
/* What is looked at for a launch of an SEV-SNP guest; within host/ only. */
#ifndef GMEMCTL_HOST_SNP_H
#define GMEMCTL_HOST_SNP_H

#include "../snp/abi.h"
#include "host.h"

/**
 * struct snp_host - what one look at a host has found so far
 * @family: the CPU's
 * @cpu: it has SEV-SNP
 * @firmware: the firmware has answered: @status
 * @kvm: /dev/kvm, or a negative errno
 * @sev: /dev/sev, or a negative errno
 * @secure_tsc: the CPU has it
 * @vmsa_features: KVM's, or 0
 */
struct snp_host {
	const struct host *host;
	unsigned int family;
	bool cpu;
	bool firmware;
	bool secure_tsc;
	uint64_t vmsa_features;
	struct snp_sev_snp_status status;
	int kvm;
	int sev;
};

/* snp_platform.c */
void snp_host_cpu(struct snp_host *snp, struct host_check *check);
void snp_host_features(struct snp_host *snp, struct host_check *check);
void snp_host_c_bit(struct snp_host *snp, struct host_check *check);
void snp_host_asids(struct snp_host *snp, struct host_check *check);
void snp_host_vmpls(struct snp_host *snp, struct host_check *check);
void snp_host_syscfg(struct snp_host *snp, struct host_check *check);
void snp_host_rmp(struct snp_host *snp, struct host_check *check);
void snp_host_sev_device(struct snp_host *snp, struct host_check *check);
void snp_host_firmware(struct snp_host *snp, struct host_check *check);
void snp_host_alias_check(struct snp_host *snp, struct host_check *check);
void snp_host_tcb(struct snp_host *snp, struct host_check *check);
void snp_host_memlock(struct snp_host *snp, struct host_check *check);
void snp_host_module(struct snp_host *snp, struct host_check *check);
void snp_host_gmem_device(struct snp_host *snp, struct host_check *check);
void snp_host_views(struct snp_host *snp, struct host_check *check);

#endif /* GMEMCTL_HOST_SNP_H */
