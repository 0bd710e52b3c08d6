// SPDX-License-Identifier: GPL-2.0
/*
 * The firmware's check of the CPUID page: a guest must not be told of features
 * that the CPU does not have. This CPU lacks what QEMU has to mask on real ones.
 */
#include <string.h>

#include "internal.h"

/**
 * struct rule - what a CPUID function may have at most
 * @ecx_in: of which sub-function
 */
struct rule {
	uint32_t eax_in, ecx_in;
	uint32_t eax, ebx, ecx, edx;
};

#define ALL UINT32_MAX
/* SPEC_CTRL, STIBP, FLUSH_L1D, ARCH_CAPABILITIES, CORE_CAPABILITIES, SSBD */
#define SPECULATION (0x3fu << 26)

static const struct rule rules[] = {
	/* TSC deadline timer */
	{ 0x1, 0, ALL, ALL, ~(1u << 24), ALL },
	/* TSC_ADJUST */
	{ 0x7, 0, ALL, ~(1u << 1), ALL, ~SPECULATION },
	/* VIRT_SSBD */
	{ 0x80000008, 0, ALL, ~(1u << 25), ALL, ALL },
	{ 0x80000021, 0, ~(1u << 9), ALL, 0, ALL },
};

static bool entry_correct(const struct sim *sim, struct snp_cpuid_entry *entry)
{
	struct snp_cpuid_entry before = *entry;

	for (unsigned int i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct rule *rule = &rules[i];

		if (entry->eax_in != rule->eax_in ||
		    entry->ecx_in != rule->ecx_in)
			continue;
		entry->eax &= rule->eax;
		entry->ebx &= rule->ebx;
		entry->ecx &= rule->ecx;
		entry->edx &= rule->edx;
	}
	for (unsigned int i = 0; i < sim->config.nr_cpuid; i++) {
		const struct sim_cpuid_value *given = &sim->config.cpuid[i];
		uint32_t *registers = &entry->eax;

		if (entry->eax_in == given->leaf && entry->ecx_in == given->index)
			registers[given->reg] &= sim_cpuid_cpu(given);
	}
	return !memcmp(&before, entry, sizeof(before));
}

/* Return: whether the page is right; else it is as the firmware wants it. */
bool sim_cpuid_check(const struct sim *sim, uint8_t bytes[SIM_PAGE])
{
	struct snp_cpuid_page page;
	bool right = true;

	memcpy(&page, bytes, sizeof(page));
	if (page.count > SNP_CPUID_ENTRIES)
		return false;
	for (uint32_t i = 0; i < page.count; i++)
		right &= entry_correct(sim, &page.entries[i]);
	memcpy(bytes, &page, sizeof(page));
	return right;
}
