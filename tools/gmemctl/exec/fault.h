/* SPDX-License-Identifier: GPL-2.0 */
/* KVM_RUN that fails with EFAULT: the view does not have a page. */
#ifndef GMEMCTL_EXEC_FAULT_H
#define GMEMCTL_EXEC_FAULT_H

#include "vm.h"

/** exec_fault_watch() - have this thread watched, before it first runs a vCPU */
void exec_fault_watch(const struct exec_vcpu *vcpu);

/**
 * exec_fault_answer() - put what was missing into the view
 *
 * Return: 0: run it again; -EFAULT: it is none of ours, or there is no progress,
 * and that was said.
 */
int exec_fault_answer(const struct exec_vcpu *vcpu);

/**
 * exec_fault_last() - the last page fault of a vCPU on this thread
 * @count: page faults since it is watched
 *
 * Return: whether there was one.
 */
bool exec_fault_last(const struct exec_vcpu *vcpu, uint64_t *gpa,
		     uint64_t *count);

#endif /* GMEMCTL_EXEC_FAULT_H */
