/* SPDX-License-Identifier: GPL-2.0 */
#ifndef GMEMCTL_KVM_STEP_H
#define GMEMCTL_KVM_STEP_H

#include <stdbool.h>

#include "abi.h"

/**
 * step_over_cpuid() - step over a CPUID that KVM has carried out
 * @fd: the vCPU
 * @run: its exit, KVM_EXIT_INTERNAL_ERROR
 *
 * AMD's CPUs without NRIPS do not report where the next instruction is, so KVM reads the one it has
 * carried out to learn its length. It cannot if that is in private memory, and exits with the
 * result in the registers already. CPUID is the one such instruction that programs execute. It
 * has two bytes; a prefix would be lost on it, and no compiler emits one.
 *
 * The exit code that this relies on is debug data of KVM's, the same from Linux 5.15 to 7.3
 * (prepare_emulation_failure_exit() in arch/x86/kvm/x86.c).
 *
 * Return: whether the vCPU can be run again.
 */
bool step_over_cpuid(int fd, const struct kvm_run *run);

#endif /* GMEMCTL_KVM_STEP_H */
