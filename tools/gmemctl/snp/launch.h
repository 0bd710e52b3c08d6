/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The launch of an SNP guest: from a new VM to one whose memory and vCPUs the
 * firmware has measured and taken. Each step is one function, in this order; a
 * step out of order is refused before KVM hears of it, and after a failure that
 * cannot be repaired nothing more is sent to KVM.
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
 * snp_cpuid_page_build() - make a page of what a vCPU's CPUID says
 *
 * What the firmware is known not to accept is left out: features that KVM
 * emulates, and those of speculation that a guest cannot use. Entries that are
 * all zero are left out, too: a guest takes what is not there for zero.
 *
 * Return: 0; -E2BIG for more than SNP_CPUID_ENTRIES entries.
 */
int snp_cpuid_page_build(struct snp_cpuid_page *page,
			 const struct kvm_cpuid2 *cpuid, struct error *error);

#define SNP_HOST_DATA_SIZE 32
#define SNP_GHCB_VERSION 2

/**
 * struct snp_launch_config - what to launch; all of it has to outlive the launch
 * @image: firmware, vCPUs; its VMM is SNP_VMM_GMEMCTL, it has no SVSM; with a
 *	signature of 0 the CPU's own is taken. Or an IGVM file, whose parameter areas
 *	are filled in before snp_launch_populate().
 * @policy: what the firmware is to enforce
 * @id_block: or NULL; then there is no @id_auth
 * @id_auth: its signatures
 * @host_data: SNP_HOST_DATA_SIZE bytes for the attestation report, or NULL
 * @vcek_disabled: reports are not to be signed by the VCEK
 * @certs: certificates for the guest, @certs_size bytes in the form of the GHCB
 *	specification; NULL: the guest's requests are not to come to the VMM
 * @cpuid_strict: fail if the firmware corrects the CPUID page; else what it wants
 *	is told, and taken
 * @step: told of each step when it is done, in a word or two, and of details; may be NULL
 * @pages: told the same of a step that has added pages, in numbers; may be NULL
 * @data: for @step
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
 * enum snp_launch_state - how far a launch is
 * @SNP_LAUNCH_CLOSED: nothing has been done, or all is over
 * @SNP_LAUNCH_READY: checked and predicted, /dev/sev is open
 * @SNP_LAUNCH_INITED: KVM knows that it is an SNP VM
 * @SNP_LAUNCH_STARTED: the firmware knows the guest
 * @SNP_LAUNCH_POPULATED: all memory is in the guest
 * @SNP_LAUNCH_FINISHED: it can run
 * @SNP_LAUNCH_FAILED: it never will
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
 * struct snp_launch - a launch going on
 * @config: as given
 * @vm: the VM
 * @sev_fd: /dev/sev; KVM sends commands to this number of this process as long
 *	as the guest lives, also those that the guest asks for
 * @state: see enum snp_launch_state
 * @image: of @config, with the CPU's signature
 * @plan: what is added to memory
 * @predicted: the digest that the firmware will have computed
 * @cpuid: the page as the firmware has taken it
 * @corrections: registers that it wanted otherwise
 * @calls: SNP_LAUNCH_UPDATE so far
 * @retries: of them, those that KVM wanted to have repeated
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
 * snp_launch_open() - check everything that can be checked, predict, and open
 *	/dev/sev
 * @vm: of type KVM_X86_SNP_VM; nothing is done to it
 *
 * ID block, ID authentication, policy and features are checked here: later a
 * mistake would cost the VM. snp_launch_close() works in any case.
 *
 * Return: 0; -EINVAL or -EBADMSG for what is wrong with @config; -EOPNOTSUPP for
 * what this KVM lacks; what open() says.
 */
int snp_launch_open(struct snp_launch *launch, const struct snp_launch_config *config,
		    struct vm *vm, struct error *error);

/** snp_launch_init() - KVM_SEV_INIT2; before vCPUs are created */
int snp_launch_init(struct snp_launch *launch, struct error *error);

/**
 * snp_launch_start() - check memory, and have the firmware create the guest
 *
 * Return: 0; -EFAULT if the guest's memory does not have the addresses of all that
 * is to be added: its slots have to be there; what KVM says.
 */
int snp_launch_start(struct snp_launch *launch, struct error *error);

/**
 * snp_launch_populate() - add all pages
 * @memory: of the VM, attached. What is added becomes private where it is not.
 * @vcpu: the first one; the CPUID page says what its CPUID is
 *
 * Return: 0; -EIO and others of KVM.
 */
int snp_launch_populate(struct snp_launch *launch, struct guest_memory *memory,
			struct vcpu *vcpu, struct error *error);

/**
 * snp_launch_finish() - set the vCPUs, and hand the guest to the firmware
 * @vcpus: all of the VM, in the order of their creation
 *
 * After a failure the VM cannot be used for anything any more.
 */
int snp_launch_finish(struct snp_launch *launch, struct vcpu *vcpus, struct error *error);

/** snp_launch_close() - close /dev/sev; the vCPUs have to be gone */
void snp_launch_close(struct snp_launch *launch);

/* For the files of this library */

/* launch_vcpu.c */

/**
 * snp_launch_vcpu() - set the registers that get into the VMSA, and see that KVM
 *	has them as they were meant
 */
int snp_launch_vcpu(struct snp_launch *launch, struct vcpu *vcpu, struct error *error);

/** snp_launch_get_cpuid() - what KVM holds for a vCPU; to be freed */
int snp_launch_get_cpuid(struct vcpu *vcpu, struct kvm_cpuid2 **cpuid, struct error *error);

#endif /* GMEMCTL_SNP_LAUNCH_H */
