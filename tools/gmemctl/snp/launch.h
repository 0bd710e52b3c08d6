/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The launch of an SNP guest. It starts with a new VM, and ends when the firmware has measured its
 * memory and vCPUs. Each step is a function, in the order of this file. A step out of order is
 * refused without a call of KVM. After a failure that cannot be repaired nothing more is sent to
 * KVM.
 */
#ifndef GMEMCTL_SNP_LAUNCH_H
#define GMEMCTL_SNP_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/error.h"
#include "../kvm/abi.h"
#include "../kvm/vcpu.h"
#include "../kvm/vm.h"
#include "../memory/guest_memory.h"
#include "abi.h"
#include "id_block.h"
#include "measure.h"

struct kvm_cpuid2;

/**
 * snp_cpuid_page_build() - build the CPUID page from the CPUID of a vCPU
 *
 * Bits that the firmware is known to refuse are cleared: features that KVM emulates, and controls
 * of speculation that a guest cannot use. Entries with only zeros are left out: a guest reads
 * missing entries as zeros.
 *
 * Return: 0; -E2BIG for more than SNP_CPUID_ENTRIES entries.
 */
int snp_cpuid_page_build(struct snp_cpuid_page *page,
			 const struct kvm_cpuid2 *cpuid, struct error *error);

#define SNP_HOST_DATA_SIZE 32
#define SNP_GHCB_VERSION 2

/**
 * struct snp_launch_config - what to launch; it must outlive the launch, with all that it points to
 * @image: firmware and vCPUs, with the VMM SNP_VMM_GMEMCTL, and without an SVSM. With signature 0
 *	that of the host's CPU is used. Or an IGVM file, whose parameter areas are filled
 *	before snp_launch_populate().
 * @policy: guest policy
 * @id_block: the ID block; NULL: there is none, and no @id_auth
 * @id_auth: signatures of the ID block
 * @host_data: SNP_HOST_DATA_SIZE bytes for the attestation report, or NULL
 * @vcek_disabled: the VCEK must not sign reports
 * @certs: certificates for the guest, @certs_size bytes in the format of the GHCB specification;
 *	NULL: requests of the guest for certificates do not cause exits
 * @cpuid_strict: fail if the firmware corrects the CPUID page; otherwise report the corrections,
 *	and use them
 * @step: called when a step is done, with its name and details; may be NULL
 * @pages: called after @step for a step that has added pages; may be NULL
 * @data: for @step and @pages
 */
struct snp_launch_config {
	struct snp_image image;
	uint64_t policy;
	const struct snp_id_block *id_block;
	const struct snp_id_auth *id_auth;
	const uint8_t *host_data;
	bool vcek_disabled;
	const uint8_t *certs;
	size_t certs_size;
	bool cpuid_strict;
	void (*step)(void *data, const char *step, const char *text);
	void (*pages)(void *data, const struct snp_run *run, const char *type, unsigned int calls);
	void *data;
};

/**
 * enum snp_launch_state - the state of a launch
 * @SNP_LAUNCH_CLOSED: not opened, or closed
 * @SNP_LAUNCH_READY: the configuration is checked, the digest predicted, and /dev/sev open
 * @SNP_LAUNCH_INITED: KVM has initialised the VM for SNP
 * @SNP_LAUNCH_STARTED: the firmware has created the guest
 * @SNP_LAUNCH_POPULATED: all pages are added
 * @SNP_LAUNCH_FINISHED: the guest can run
 * @SNP_LAUNCH_FAILED: a step has failed, and the guest can never run
 */
enum snp_launch_state {
	SNP_LAUNCH_CLOSED,
	SNP_LAUNCH_READY,
	SNP_LAUNCH_INITED,
	SNP_LAUNCH_STARTED,
	SNP_LAUNCH_POPULATED,
	SNP_LAUNCH_FINISHED,
	SNP_LAUNCH_FAILED,
};

/**
 * struct snp_launch - a launch
 * @config: the configuration
 * @vm: the VM
 * @sev_fd: /dev/sev. As long as the guest lives, KVM sends commands to the file that has this
 *	number in this process, also on requests of the guest.
 * @state: see enum snp_launch_state
 * @image: image of @config, with the CPU's signature
 * @plan: the pages that are added
 * @predicted: the digest that the firmware has to compute
 * @cpuid: the CPUID page, as the firmware has accepted it
 * @corrections: number of registers that the firmware has corrected
 * @calls: number of calls of SNP_LAUNCH_UPDATE
 * @retries: number of these calls that repeat one which has failed with EAGAIN or EINTR
 */
struct snp_launch {
	const struct snp_launch_config *config;
	struct vm *vm;
	int sev_fd;
	enum snp_launch_state state;
	struct snp_image image;
	struct snp_plan *plan;
	struct snp_measurement predicted;
	struct snp_cpuid_page *cpuid;
	unsigned int corrections;
	unsigned int calls;
	unsigned int retries;
};

/**
 * snp_launch_open() - check the configuration, predict the digest, and open /dev/sev
 * @vm: a VM of type KVM_X86_SNP_VM, which is not changed
 *
 * ID block, ID authentication, policy and features are checked here, because a later failure costs
 * the VM. snp_launch_close() can be called afterwards, also after a failure.
 *
 * Return: 0; -EINVAL or -EBADMSG for an invalid @config; -EOPNOTSUPP if KVM lacks something;
 * -ENOMEM; an error of open().
 */
int snp_launch_open(struct snp_launch *launch, const struct snp_launch_config *config,
		    struct vm *vm, struct error *error);

/** snp_launch_init() - KVM_SEV_INIT2; called before vCPUs are created */
int snp_launch_init(struct snp_launch *launch, struct error *error);

/**
 * snp_launch_start() - check the memory, and let the firmware create the guest
 *
 * The slots of the guest must exist.
 *
 * Return: 0; -EFAULT if a page that is to be added has no place in private memory; an error of KVM.
 */
int snp_launch_start(struct snp_launch *launch, struct error *error);

/**
 * snp_launch_populate() - add all pages
 * @memory: memory of the VM, attached. Pages that are added become private first.
 * @vcpu: the first vCPU, whose CPUID is in the CPUID page
 *
 * Return: 0; -EIO or another error of KVM.
 */
int snp_launch_populate(struct snp_launch *launch, struct guest_memory *memory,
			struct vcpu *vcpu, struct error *error);

/**
 * snp_launch_finish() - set the registers of the vCPUs, and finish the launch
 * @vcpus: all vCPUs, in the order of their creation
 *
 * After a failure the VM cannot be used any more.
 */
int snp_launch_finish(struct snp_launch *launch, struct vcpu *vcpus, struct error *error);

/** snp_launch_close() - close /dev/sev, and free; called after the vCPUs are destroyed */
void snp_launch_close(struct snp_launch *launch);

/* Shared by the files of this library */

/* launch_vcpu.c */

/**
 * snp_launch_vcpu() - set the measured registers of a vCPU, and check that KVM has kept them
 */
int snp_launch_vcpu(struct snp_launch *launch, struct vcpu *vcpu, struct error *error);

/** snp_launch_get_cpuid() - get the CPUID of a vCPU from KVM; the caller frees it */
int snp_launch_get_cpuid(struct vcpu *vcpu, struct kvm_cpuid2 **cpuid, struct error *error);

#endif /* GMEMCTL_SNP_LAUNCH_H */
