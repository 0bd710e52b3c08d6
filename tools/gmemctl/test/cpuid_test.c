// SPDX-License-Identifier: GPL-2.0
/* What each vCPU says about itself. */
#include <stdlib.h>

#include "../kvm/vcpu.h"
#include "ksft.h"

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
	ASSERT_TRUE(cpuid);
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
TEST_OF(cpuid, features)
{
	struct kvm_cpuid_entry2 *leaf;

	start();
	leaf = &cpuid->entries[1];
	cpuid_set_cpu(cpuid, 5, true, false);
	EXPECT_EQ(leaf->ebx, 0x0501ffff);
	EXPECT_EQ(leaf->ecx, 0xffffffff);
	EXPECT_EQ(leaf->edx, 0xefffffff);
	EXPECT_EQ(leaf->eax, 0xffffffff);
	cpuid_set_cpu(cpuid, 254, false, false);
	EXPECT_EQ(leaf->ebx, 0xfe01ffff);
	EXPECT_EQ(leaf->ecx, 0xfeffffff);
	leaf->ecx = 0;
	cpuid_set_cpu(cpuid, 0, false, false);
	EXPECT_EQ(leaf->ebx, 0x0001ffff);
	EXPECT_EQ(leaf->ecx, 0x80000000);
	EXPECT_EQ(cpuid->entries[0].eax, 0xffffffff);
	free(cpuid);
}

/* Nothing but the one bit, in the leaf of KVM's features. */
TEST_OF(cpuid, converts)
{
	start();
	cpuid->entries[2].function = 0x40000001;
	for (unsigned int i = 0; i < ENTRIES; i++)
		cpuid->entries[i].eax = 1;
	cpuid_set_cpu(cpuid, 0, false, false);
	EXPECT_EQ(cpuid->entries[2].eax, 1);
	cpuid_set_cpu(cpuid, 0, false, true);
	EXPECT_EQ(cpuid->entries[2].eax, 0x10001);
	EXPECT_EQ(cpuid->entries[1].eax, 1);
	free(cpuid);
}

/* One thread, one core, one package each. */
TEST_OF(cpuid, topology)
{
	struct kvm_cpuid_entry2 *leaf;

	start();
	leaf = cpuid->entries;
	cpuid_set_cpu(cpuid, 3, false, false);
	EXPECT_EQ(leaf[2].eax, 0x00003fff);
	EXPECT_EQ(leaf[2].ebx, 0xffffffff);
	EXPECT_FALSE(leaf[3].eax);
	EXPECT_EQ(leaf[3].ebx, 1);
	EXPECT_EQ(leaf[3].ecx, 0x100);
	EXPECT_EQ(leaf[3].edx, 3);
	EXPECT_FALSE(leaf[4].eax);
	EXPECT_EQ(leaf[4].ebx, 1);
	EXPECT_EQ(leaf[4].ecx, 0x201);
	EXPECT_EQ(leaf[4].edx, 3);
	EXPECT_FALSE(leaf[5].ebx);
	EXPECT_EQ(leaf[5].ecx, 2);
	EXPECT_EQ(leaf[5].edx, 3);
	EXPECT_EQ(leaf[6].ecx, 0xfffffffd);
	EXPECT_EQ(leaf[6].edx, 0xffffffff);
	EXPECT_FALSE(leaf[7].ecx & 0xff);
	EXPECT_EQ(leaf[7].eax, 0xffffffff);
	EXPECT_EQ(leaf[8].eax, 3);
	EXPECT_EQ((leaf[8].ebx & 0xff), 3);
	EXPECT_FALSE(leaf[8].ecx);
	free(cpuid);
}

/* C22: what a guest can address, where that is less than what the CPU can. */
TEST_OF(cpuid, C22_address_bits)
{
	struct kvm_cpuid_entry2 *leaf;

	start();
	leaf = &cpuid->entries[7];
	leaf->eax = 0x3030;
	EXPECT_EQ(cpuid_address_bits(cpuid), 48);
	leaf->eax = 0x303934;
	EXPECT_EQ(cpuid_address_bits(cpuid), 48);
	leaf->eax = 0x343934;
	EXPECT_EQ(cpuid_address_bits(cpuid), 52);
	leaf->function = 0x80000007;
	EXPECT_FALSE(cpuid_address_bits(cpuid));
	free(cpuid);
}
