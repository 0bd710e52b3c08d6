// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID as KVM has it: what it supports on a Milan, in short, and what was set
 * for a vCPU. And the firmware's check of the CPUID page: a guest must not be
 * told of features that the CPU does not have. Leaves 1, 7, 0x80000008 and
 * 0x80000021 have some that this CPU lacks: what QEMU has to mask on real ones.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

#define INDEXED KVM_CPUID_FLAG_SIGNIFCANT_INDEX

static const struct kvm_cpuid_entry2 milan[] = {
	{ 0x0, 0, 0, 0x10, 0x68747541, 0x444d4163, 0x69746e65, { 0 } },
	{ 0x1, 0, 0, 0x00a00f11, 0x00010800, 0xf7fa3223, 0x178bfbff, { 0 } },
	{ 0x7, 0, INDEXED, 0, 0x219c97ab, 0x0040069c, 0xac000010, { 0 } },
	{ 0xb, 0, INDEXED, 0, 1, 0x100, 0, { 0 } },
	{ 0xb, 1, INDEXED, 0, 1, 0x201, 0, { 0 } },
	{ 0xd, 0, INDEXED, 0x207, 0x340, 0x988, 0, { 0 } },
	{ 0xd, 1, INDEXED, 0xf, 0x340, 0x1800, 0, { 0 } },
	{ 0xd, 2, INDEXED, 0x100, 0x240, 0, 0, { 0 } },
	{ 0x80000000, 0, 0, 0x80000021, 0x68747541, 0x444d4163, 0x69746e65,
	  { 0 } },
	{ 0x80000001, 0, 0, 0x00a00f11, 0, 0x00c003f3, 0x2fd3fbff, { 0 } },
	{ 0x80000008, 0, 0, 0x00003030, 0x0e00d205, 0, 0, { 0 } },
	{ 0x8000001e, 0, 0, 0, 0, 0, 0, { 0 } },
	{ 0x80000021, 0, 0, 0x00000245, 0, 0, 0, { 0 } },
};

#define MILAN (sizeof(milan) / sizeof(milan[0]))
_Static_assert(MILAN + SIM_CPUID_VALUES <= SIM_CPUID, "a vCPU takes what KVM supports");

/* The entry of a leaf, or @count. */
static uint32_t find(const struct kvm_cpuid_entry2 *entries, uint32_t count,
		     const struct sim_cpuid_value *given)
{
	uint32_t i = 0;

	while (i < count && (entries[i].function != given->leaf ||
			     entries[i].index != given->index))
		i++;
	return i;
}

static int put(struct sim *sim, uint64_t arg,
	       const struct kvm_cpuid_entry2 *entries, uint32_t count)
{
	struct kvm_cpuid2 header;

	if (sim_in(sim, &header, arg, sizeof(header)))
		return -EFAULT;
	if (header.nent < count)
		return -E2BIG;
	header.nent = count;
	if (sim_out(sim, arg, &header, sizeof(header)))
		return -EFAULT;
	return sim_out(sim, arg + sizeof(header), entries, count * sizeof(*entries));
}

int sim_cpuid_supported(struct sim *sim, uint64_t arg)
{
	struct kvm_cpuid_entry2 entries[SIM_CPUID] = { 0 };
	uint32_t count = MILAN;

	memcpy(entries, milan, sizeof(milan));
	for (unsigned int i = 0; i < sim->config.nr_cpuid; i++) {
		const struct sim_cpuid_value *given = &sim->config.cpuid[i];
		uint32_t at = find(entries, count, given);

		if (at == count) {
			entries[count].function = given->leaf;
			entries[count].index = given->index;
			entries[count++].flags = INDEXED;
		}
		(&entries[at].eax)[given->reg] = given->value;
	}
	return put(sim, arg, entries, count);
}

int sim_cpuid_get(struct sim *sim, const struct sim_vcpu *vcpu, uint64_t arg)
{
	return put(sim, arg, vcpu->cpuid, vcpu->nr_cpuid);
}

int sim_cpuid_set(struct sim *sim, struct sim_vcpu *vcpu, uint64_t arg)
{
	struct kvm_cpuid_entry2 entries[SIM_CPUID];
	struct kvm_cpuid2 header;

	if (sim_in(sim, &header, arg, sizeof(header)))
		return -EFAULT;
	if (header.nent > SIM_CPUID)
		return -E2BIG;
	if (sim_in(sim, entries, arg + sizeof(header), header.nent * sizeof(entries[0])))
		return -EFAULT;
	memcpy(vcpu->cpuid, entries, header.nent * sizeof(entries[0]));
	vcpu->nr_cpuid = header.nent;
	return 0;
}


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

		if (entry->eax_in != rule->eax_in || entry->ecx_in != rule->ecx_in)
			continue;
		entry->eax &= rule->eax;
		entry->ebx &= rule->ebx;
		entry->ecx &= rule->ecx;
		entry->edx &= rule->edx;
	}
	for (unsigned int i = 0; i < sim->config.nr_cpuid; i++) {
		const struct sim_cpuid_value *given = &sim->config.cpuid[i];
		uint32_t at = find(milan, MILAN, given);

		/* What the CPU has, whatever KVM says */
		if (entry->eax_in == given->leaf && entry->ecx_in == given->index)
			(&entry->eax)[given->reg] &=
				at < MILAN ? (&milan[at].eax)[given->reg] : 0;
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
