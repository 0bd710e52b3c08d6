// SPDX-License-Identifier: GPL-2.0
/* What each vCPU says about itself. */
#include "../kvm/vcpu.h"
#include "ksft.h"

#define ALL 0xffffffff

/* Leaves, each with all bits set at first, and what is left of them. */
static const struct {
	uint32_t function, index;
	uint32_t eax, ebx, ecx, edx;
} leaves[] = {
	{ 0, 0, ALL, ALL, ALL, ALL },
	/* The host's place in its package is gone. */
	{ 1, 0, ALL, 0x0301ffff, 0xfeffffff, 0xefffffff },
	{ 4, 1, 0x00003fff, ALL, ALL, ALL },
	/* One thread, one core, one package each. */
	{ 0xb, 0, 0, 1, 0x100, 3 },
	{ 0xb, 1, 0, 1, 0x201, 3 },
	{ 0xb, 2, 0, 0, 2, 3 },
	{ 0x80000001, 0, ALL, ALL, 0xfffffffd, ALL },
	{ 0x80000008, 0, ALL, ALL, 0xffff0f00, ALL },
	{ 0x8000001e, 0, 3, 3, 0, ALL },
	{ 0x40000001, 0, ALL, ALL, ALL, ALL },
};

#define LEAVES (sizeof(leaves) / sizeof(leaves[0]))

static struct kvm_cpuid2 *cpuid;

static void start(void)
{
	cpuid = calloc(1, sizeof(*cpuid) + LEAVES * sizeof(cpuid->entries[0]));
	ASSERT_TRUE(cpuid);
	cpuid->nent = LEAVES;
	for (unsigned int i = 0; i < LEAVES; i++)
		cpuid->entries[i] = (struct kvm_cpuid_entry2){
			.function = leaves[i].function,
			.index = leaves[i].index,
			.eax = ALL, .ebx = ALL, .ecx = ALL, .edx = ALL,
		};
}

TEST_OF(cpuid, leaves)
{
	start();
	cpuid_set_cpu(cpuid, 3, false, false);
	for (unsigned int i = 0; i < LEAVES; i++) {
		EXPECT_EQ(cpuid->entries[i].eax, leaves[i].eax);
		EXPECT_EQ(cpuid->entries[i].ebx, leaves[i].ebx);
		EXPECT_EQ(cpuid->entries[i].ecx, leaves[i].ecx);
		EXPECT_EQ(cpuid->entries[i].edx, leaves[i].edx);
	}
	free(cpuid);
}

/* The timer, as it is asked for; and that there is a hypervisor. */
TEST_OF(cpuid, features)
{
	struct kvm_cpuid_entry2 *leaf;

	start();
	leaf = &cpuid->entries[1];
	cpuid_set_cpu(cpuid, 254, true, false);
	EXPECT_EQ(leaf->ebx, 0xfe01ffff);
	EXPECT_EQ(leaf->ecx, ALL);
	leaf->ecx = 0;
	cpuid_set_cpu(cpuid, 0, false, false);
	EXPECT_EQ(leaf->ebx, 0x0001ffff);
	EXPECT_EQ(leaf->ecx, 0x80000000);
	/* Nothing but the one bit, in the leaf of KVM's features. */
	for (unsigned int i = 0; i < LEAVES; i++)
		cpuid->entries[i].eax = 1;
	cpuid_set_cpu(cpuid, 0, false, false);
	EXPECT_EQ(cpuid->entries[9].eax, 1);
	cpuid_set_cpu(cpuid, 0, false, true);
	EXPECT_EQ(cpuid->entries[9].eax, 0x10001);
	EXPECT_EQ(leaf->eax, 1);
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
