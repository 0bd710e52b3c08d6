// SPDX-License-Identifier: GPL-2.0
/* What each vCPU says about itself. */
#include <stdlib.h>

#include "../kvm/cpuid.h"
#include "unit.h"

#define ENTRIES 9

static struct kvm_cpuid2 *cpuid;

static void start(void)
{
	static const struct { uint32_t function, index; } leaves[ENTRIES] = {
		{ 0, 0 }, { 1, 0 }, { 4, 1 }, { 0xb, 0 }, { 0xb, 1 },
		{ 0xb, 2 }, { 0x80000001, 0 }, { 0x80000008, 0 },
		{ 0x8000001e, 0 },
	};

	cpuid = calloc(1, sizeof(*cpuid) + ENTRIES * sizeof(cpuid->entries[0]));
	CHECK(cpuid);
	if (!cpuid)
		return;
	cpuid->nent = ENTRIES;
	for (unsigned int i = 0; i < ENTRIES; i++)
		cpuid->entries[i] = (struct kvm_cpuid_entry2){
			.function = leaves[i].function,
			.index = leaves[i].index,
			.eax = 0xffffffff, .ebx = 0xffffffff,
			.ecx = 0xffffffff, .edx = 0xffffffff,
		};
}

/* The host's place in its package is gone; the rest of the leaves is left. */
static void test_cpuid_features(void)
{
	struct kvm_cpuid_entry2 *leaf;

	start();
	if (!cpuid)
		return;
	leaf = &cpuid->entries[1];
	cpuid_set_cpu(cpuid, 5, true);
	CHECK_EQ(leaf->ebx, 0x0501ffff);
	CHECK(leaf->ecx == 0xffffffff && leaf->edx == 0xefffffff);
	CHECK_EQ(leaf->eax, 0xffffffff);
	cpuid_set_cpu(cpuid, 254, false);
	CHECK(leaf->ebx == 0xfe01ffff && leaf->ecx == 0xfeffffff);
	leaf->ecx = 0;
	cpuid_set_cpu(cpuid, 0, false);
	CHECK(leaf->ebx == 0x0001ffff && leaf->ecx == 0x80000000);
	CHECK_EQ(cpuid->entries[0].eax, 0xffffffff);
	free(cpuid);
}

/* One thread, one core, one package each. */
static void test_cpuid_topology(void)
{
	struct kvm_cpuid_entry2 *leaf;

	start();
	if (!cpuid)
		return;
	leaf = cpuid->entries;
	cpuid_set_cpu(cpuid, 3, false);
	CHECK(leaf[2].eax == 0x00003fff && leaf[2].ebx == 0xffffffff);
	CHECK(!leaf[3].eax && leaf[3].ebx == 1 && leaf[3].ecx == 0x100 &&
	      leaf[3].edx == 3);
	CHECK(!leaf[4].eax && leaf[4].ebx == 1 && leaf[4].ecx == 0x201 &&
	      leaf[4].edx == 3);
	CHECK(!leaf[5].ebx && leaf[5].ecx == 2 && leaf[5].edx == 3);
	CHECK(leaf[6].ecx == 0xfffffffd && leaf[6].edx == 0xffffffff);
	CHECK(!(leaf[7].ecx & 0xff) && leaf[7].eax == 0xffffffff);
	CHECK(leaf[8].eax == 3 && (leaf[8].ebx & 0xff) == 3 && !leaf[8].ecx);
	free(cpuid);
}

/* C22: what a guest can address, where that is less than what the CPU can. */
static void test_cpuid_address_bits(void)
{
	struct kvm_cpuid_entry2 *leaf;

	start();
	if (!cpuid)
		return;
	leaf = &cpuid->entries[7];
	leaf->eax = 0x3030;
	CHECK_EQ(cpuid_address_bits(cpuid), 48);
	leaf->eax = 0x303934;
	CHECK_EQ(cpuid_address_bits(cpuid), 48);
	leaf->eax = 0x343934;
	CHECK_EQ(cpuid_address_bits(cpuid), 52);
	leaf->function = 0x80000007;
	CHECK(!cpuid_address_bits(cpuid));
	free(cpuid);
}

static const struct unit_test tests[] = {
	{ "cpuid.features", test_cpuid_features },
	{ "cpuid.topology", test_cpuid_topology },
	{ "cpuid.C22_address_bits", test_cpuid_address_bits },
};

UNIT_TESTS(tests)
