// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/calls.h"
#include "cpuid.h"

/* KVM's leaves may come after those of another hypervisor that it plays. */
#define LEAVES_START	0x40000000U
#define LEAVES_STEP	0x100U
#define LEAVES_END	0x40010000U
#define ENTRIES_MAX	1024U

static bool is_kvm(const struct kvm_cpuid_entry2 *entry)
{
	uint32_t name[3] = { entry->ebx, entry->ecx, entry->edx };

	return entry->function >= LEAVES_START &&
	       entry->function < LEAVES_END &&
	       !(entry->function % LEAVES_STEP) &&
	       !memcmp(name, "KVMKVMKVM\0\0\0", sizeof(name));
}

static void add_feature(struct kvm_cpuid2 *cpuid)
{
	uint32_t leaf = 0;

	for (uint32_t i = 0; i < cpuid->nent; i++)
		if (is_kvm(&cpuid->entries[i]))
			leaf = cpuid->entries[i].function + 1;
	for (uint32_t i = 0; leaf && i < cpuid->nent; i++)
		if (cpuid->entries[i].function == leaf)
			cpuid->entries[i].eax |= 1U << KVM_FEATURE_HC_MAP_GPA_RANGE;
}

int exec_cpuid_set(const struct exec_vcpu *vcpu, const void *arg)
{
	const struct kvm_cpuid2 *theirs = arg;
	struct kvm_cpuid2 *ours;
	size_t size;
	int rc;

	if (!vcpu->vm->answers || theirs->nent > ENTRIES_MAX)
		return calls->ioctl(vcpu->fd, KVM_SET_CPUID2, (void *)arg);
	size = sizeof(*ours) + theirs->nent * sizeof(ours->entries[0]);
	ours = malloc(size);
	if (!ours)
		return -ENOMEM;
	memcpy(ours, theirs, size);
	add_feature(ours);
	rc = calls->ioctl(vcpu->fd, KVM_SET_CPUID2, ours);
	free(ours);
	return rc;
}
