/* SPDX-License-Identifier: GPL-2.0 */
#ifndef GMEMCTL_EXEC_CPUID_H
#define GMEMCTL_EXEC_CPUID_H

#include "vm.h"

/**
 * exec_cpuid_set() - KVM_SET_CPUID2, and the guest finds KVM_FEATURE_HC_MAP_GPA_RANGE
 *
 * Where the VMM offers it KVM's leaves at all, and conversions are answered. The bit
 * is a VMM's to set, for it is a VMM that answers; here that is the library.
 *
 * Return: KVM's answer, or a negative errno.
 */
int exec_cpuid_set(const struct exec_vcpu *vcpu, const void *arg);

#endif /* GMEMCTL_EXEC_CPUID_H */
