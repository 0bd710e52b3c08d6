// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>

#include "../base/calls.h"
#include "cpuid.h"
#include "vm.h"

#define ENTRIES 256

/* Leaf 1 */
#define EBX_CPUS_SHIFT		16
#define EBX_APIC_ID_SHIFT	24
#define EBX_KEEP		0x0000ffffU
#define ECX_TSC_DEADLINE	(1U << 24)
#define ECX_HYPERVISOR		(1U << 31)
#define EDX_HTT			(1U << 28)

/* Leaf 4: threads in EAX[25:14], cores in EAX[31:26] */
#define CACHE_KEEP		0x00003fffU

/* KVM's own leaf of features, where it does not play another hypervisor first */
#define LEAF_KVM_FEATURES	0x40000001U

/* Leaf 0xb and 0x1f: type of a level in ECX[15:8] */
#define LEVEL_SMT		0x100U
#define LEVEL_CORE		0x200U

/* AMD's leaf 0x80000001 */
#define ECX_CMP_LEGACY		(1U << 1)

/* Leaf 0x80000008: address bits of the CPU, and of its guests where fewer */
#define LEAF_ADDRESSES		0x80000008U
#define EAX_BITS		0x000000ffU
#define EAX_GUEST_BITS_SHIFT	16
/* AMD's */
#define ECX_CORES		0x0000f0ffU

int cpuid_supported(struct vm *vm, struct kvm_cpuid2 **cpuid,
		    struct error *error)
{
	struct kvm_cpuid2 *found;
	int rc;

	found = calloc(1, sizeof(*found) + ENTRIES * sizeof(found->entries[0]));
	if (!found)
		return error_set(error, -ENOMEM, "vCPU", "allocate", NULL);
	found->nent = ENTRIES;
	rc = calls->ioctl(vm->kvm_fd, KVM_GET_SUPPORTED_CPUID, found);
	if (!rc) {
		*cpuid = found;
		return 0;
	}
	free(found);
	return error_set(error, rc, KVM_DEVICE_PATH, "KVM_GET_SUPPORTED_CPUID",
			 NULL);
}

unsigned int cpuid_address_bits(const struct kvm_cpuid2 *cpuid)
{
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		uint32_t eax = cpuid->entries[i].eax;
		uint32_t guest = eax >> EAX_GUEST_BITS_SHIFT & EAX_BITS;

		if (cpuid->entries[i].function == LEAF_ADDRESSES)
			return guest ? guest : eax & EAX_BITS;
	}
	return 0;
}

static void set_features(struct kvm_cpuid_entry2 *entry, unsigned int index,
			 bool tsc_deadline)
{
	entry->ebx = (entry->ebx & EBX_KEEP) | 1U << EBX_CPUS_SHIFT |
		     index << EBX_APIC_ID_SHIFT;
	entry->ecx |= ECX_HYPERVISOR;
	entry->ecx &= ~ECX_TSC_DEADLINE;
	if (tsc_deadline)
		entry->ecx |= ECX_TSC_DEADLINE;
	entry->edx &= ~EDX_HTT;
}

/* One thread per core, one core per package; deeper levels do not exist. */
static void set_topology(struct kvm_cpuid_entry2 *entry, unsigned int index)
{
	entry->eax = 0;
	entry->ebx = entry->index < 2;
	entry->ecx = entry->index;
	if (entry->index < 2)
		entry->ecx |= entry->index ? LEVEL_CORE : LEVEL_SMT;
	entry->edx = index;
}

static void set_entry(struct kvm_cpuid_entry2 *entry, unsigned int index,
		      bool tsc_deadline)
{
	switch (entry->function) {
	case 0x00000001:
		set_features(entry, index, tsc_deadline);
		break;
	case 0x00000004:
		entry->eax &= CACHE_KEEP;
		break;
	case 0x0000000b:
	case 0x0000001f:
		set_topology(entry, index);
		break;
	case 0x80000001:
		entry->ecx &= ~ECX_CMP_LEGACY;
		break;
	case LEAF_ADDRESSES:
		entry->ecx &= ~ECX_CORES;
		break;
	case 0x8000001d:
		entry->eax &= CACHE_KEEP;
		break;
	case 0x8000001e:
		entry->eax = index;
		entry->ebx = index;
		entry->ecx = 0;
		break;
	}
}

void cpuid_set_cpu(struct kvm_cpuid2 *cpuid, unsigned int index,
		   bool tsc_deadline)
{
	for (uint32_t i = 0; i < cpuid->nent; i++)
		set_entry(&cpuid->entries[i], index, tsc_deadline);
}

void cpuid_set_converts(struct kvm_cpuid2 *cpuid)
{
	for (uint32_t i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == LEAF_KVM_FEATURES)
			cpuid->entries[i].eax |= 1U << KVM_FEATURE_HC_MAP_GPA_RANGE;
}
