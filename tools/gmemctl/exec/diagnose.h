/* SPDX-License-Identifier: GPL-2.0 */
/* Why KVM cannot go on with a guest that has private memory, in words. */
#ifndef GMEMCTL_EXEC_DIAGNOSE_H
#define GMEMCTL_EXEC_DIAGNOSE_H

#include "vm.h"

/**
 * struct exec_where - where a vCPU is
 * @rip: its instruction pointer
 * @gpa: where that is, if @mapped
 * @mapped: KVM could walk the guest's page tables
 * @private: KVM cannot read the instruction, or the page tables that lead to it
 */
struct exec_where {
	uint64_t rip;
	uint64_t gpa;
	bool mapped;
	bool private;
};

/** exec_where() - where a vCPU is that is not in KVM_RUN */
void exec_where(const struct exec_vcpu *vcpu, struct exec_where *where);

/**
 * exec_diagnose() - say why the VM ends
 * @what: the first half of the sentence
 * @gpa: the address it is about
 */
void exec_diagnose(const struct exec_vcpu *vcpu, const char *what,
		   uint64_t gpa);

/**
 * exec_diagnose_internal() - the same for KVM_EXIT_INTERNAL_ERROR
 *
 * Nothing is said about what has nothing to do with private memory.
 */
void exec_diagnose_internal(const struct exec_vcpu *vcpu);

/** exec_decodes() - whether the CPU tells KVM the instruction that has faulted */
bool exec_decodes(void);

#endif /* GMEMCTL_EXEC_DIAGNOSE_H */
