/* SPDX-License-Identifier: GPL-2.0 */
/* What a vCPU says about itself: all that KVM can do, and its own number. */
#ifndef GMEMCTL_KVM_CPUID_H
#define GMEMCTL_KVM_CPUID_H

#include <stdbool.h>
#include <stdint.h>

#include "abi.h"
#include "error.h"

struct vm;

/**
 * cpuid_supported() - all features that KVM can give
 * @cpuid: out, to be freed by the caller
 */
int cpuid_supported(struct vm *vm, struct kvm_cpuid2 **cpuid,
		    struct error *error);

/**
 * cpuid_set_cpu() - make it that of one vCPU
 * @index: its number, which is its APIC ID: at most 254
 * @tsc_deadline: its APIC has a timer that follows the TSC
 *
 * KVM passes on where the host's own thread is. Each vCPU becomes a package of
 * its own with one core, and says that there is a hypervisor.
 */
void cpuid_set_cpu(struct kvm_cpuid2 *cpuid, unsigned int index,
		   bool tsc_deadline);

#endif /* GMEMCTL_KVM_CPUID_H */
