/* SPDX-License-Identifier: GPL-2.0 */
/* What a vCPU says about itself: all that KVM can do, and its own number. */
#ifndef GMEMCTL_KVM_CPUID_H
#define GMEMCTL_KVM_CPUID_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/error.h"
#include "abi.h"

struct vm;

/**
 * cpuid_supported() - all features that KVM can give
 * @cpuid: out, to be freed by the caller
 */
int cpuid_supported(struct vm *vm, struct kvm_cpuid2 **cpuid,
		    struct error *error);

/**
 * cpuid_address_bits() - how many bits a guest's physical address has
 *
 * GuestPhysAddrSize of leaf 0x80000008, EAX[23:16], where KVM says it, since
 * nested paging may map fewer than the CPU has; else PhysAddrSize, EAX[7:0].
 *
 * Return: 0 if it is not said.
 */
unsigned int cpuid_address_bits(const struct kvm_cpuid2 *cpuid);

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

/**
 * cpuid_set_converts() - have it say that the guest can convert memory
 *
 * KVM does not know whether its VMM answers KVM_HC_MAP_GPA_RANGE, so the VMM has to set
 * KVM_FEATURE_HC_MAP_GPA_RANGE itself.
 */
void cpuid_set_converts(struct kvm_cpuid2 *cpuid);

#endif /* GMEMCTL_KVM_CPUID_H */
