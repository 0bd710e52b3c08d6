// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cpuid_page.h"

/* Size of the XSAVE area without extended features */
#define XSAVE_SIZE_BASE 0x240
#define XCR0_X87 1

/**
 * struct mask - bits of a function that are taken away
 */
struct mask {
	uint32_t function, index;
	uint32_t eax, ebx, ecx, edx;
};

static const struct mask masks[] = {
	/* TSC_DEADLINE: a timer of KVM's own */
	{ 0x1, 0, 0, 0, 1U << 24, 0 },
	/* TSC_ADJUST; and all about speculation, that the guest cannot control */
	{ 0x7, 0, 0, 1U << 1, 0, UINT32_MAX },
	/* VIRT_SSBD */
	{ 0x80000008, 0, 0, 1U << 25, 0, 0 },
	/* SMM_CTL, and what KVM makes up in ECX */
	{ 0x80000021, 0, 1U << 9, 0, UINT32_MAX, 0 },
};

static void entry_mask(struct snp_cpuid_entry *entry)
{
	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		const struct mask *mask = &masks[i];

		if (entry->eax_in != mask->function ||
		    entry->ecx_in != mask->index)
			continue;
		entry->eax &= ~mask->eax;
		entry->ebx &= ~mask->ebx;
		entry->ecx &= ~mask->ecx;
		entry->edx &= ~mask->edx;
	}
}

/* KVM says how large the area is now; the firmware, what XCR0 1 needs. */
static void entry_set_xsave(struct snp_cpuid_entry *entry)
{
	if (entry->eax_in != 0xd || entry->ecx_in > 1)
		return;
	entry->xcr0_in = XCR0_X87;
	entry->ebx = XSAVE_SIZE_BASE;
}

static struct snp_cpuid_entry entry_make(const struct kvm_cpuid_entry2 *from)
{
	struct snp_cpuid_entry entry = {
		.eax_in = from->function,
		.ecx_in = from->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX ?
			  from->index : 0,
		.eax = from->eax, .ebx = from->ebx,
		.ecx = from->ecx, .edx = from->edx,
	};

	entry_set_xsave(&entry);
	entry_mask(&entry);
	return entry;
}

static bool entry_is_zero(const struct snp_cpuid_entry *entry)
{
	return !entry->eax && !entry->ebx && !entry->ecx && !entry->edx;
}

int snp_cpuid_page_build(struct snp_cpuid_page *page,
			 const struct kvm_cpuid2 *cpuid, struct error *error)
{
	memset(page, 0, sizeof(*page));
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct snp_cpuid_entry entry = entry_make(&cpuid->entries[i]);

		if (entry_is_zero(&entry))
			continue;
		if (page->count == SNP_CPUID_ENTRIES)
			return error_set(error, -E2BIG, "CPUID page", "build",
					 "it has room for %d entries, and KVM "
					 "has more", SNP_CPUID_ENTRIES);
		page->entries[page->count++] = entry;
	}
	return 0;
}

static unsigned int compare_entry(const struct snp_cpuid_entry *given,
				  const struct snp_cpuid_entry *wanted,
				  snp_cpuid_change_fn tell, void *data)
{
	static const char *const names[] = { "EAX", "EBX", "ECX", "EDX" };
	const uint32_t *from = &given->eax, *to = &wanted->eax;
	unsigned int changes = 0;
	char text[96];

	for (int i = 0; i < 4; i++) {
		if (from[i] == to[i])
			continue;
		changes++;
		snprintf(text, sizeof(text), "leaf 0x%x.%u %s: 0x%08x is to be "
			 "0x%08x", given->eax_in, given->ecx_in, names[i],
			 from[i], to[i]);
		if (tell)
			tell(data, text);
	}
	return changes;
}

unsigned int snp_cpuid_page_compare(const struct snp_cpuid_page *given,
				    const struct snp_cpuid_page *wanted,
				    snp_cpuid_change_fn tell, void *data)
{
	unsigned int changes = 0;

	for (uint32_t i = 0; i < given->count && i < SNP_CPUID_ENTRIES; i++)
		changes += compare_entry(&given->entries[i], &wanted->entries[i],
					 tell, data);
	return changes;
}

/* Where a vCPU is: each has its own, and the guest asks KVM for it. */
static bool is_topology(uint32_t function)
{
	return function == 0xb || function == 0x1f || function == 0x8000001e;
}

/* EBX has the APIC ID in leaf 1, and the size of the area in leaf 0xd. */
static void entry_apply(struct kvm_cpuid_entry2 *entry,
			const struct snp_cpuid_entry *from)
{
	entry->eax = from->eax;
	entry->ecx = from->ecx;
	entry->edx = from->edx;
	if (from->eax_in != 0x1 && from->eax_in != 0xd)
		entry->ebx = from->ebx;
}

void snp_cpuid_page_apply(const struct snp_cpuid_page *page,
			  struct kvm_cpuid2 *cpuid)
{
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct snp_cpuid_entry now = entry_make(&cpuid->entries[i]);

		for (uint32_t j = 0; j < page->count; j++)
			if (page->entries[j].eax_in == now.eax_in &&
			    page->entries[j].ecx_in == now.ecx_in &&
			    !is_topology(now.eax_in))
				entry_apply(&cpuid->entries[i],
					    &page->entries[j]);
	}
}
