// SPDX-License-Identifier: GPL-2.0
/* A guest may pass any three numbers to KVM_HC_MAP_GPA_RANGE. */
#include "../kvm/slot.h"
#include "ksft.h"

#define MIB (UINT64_C(1) << 20)

/* Two neighbours out of order, a gap, one more, and one without private memory. */
static const struct slot_table table = {
	.slots = {
		{ .gpa = 2 * MIB, .size = 2 * MIB, .used = true },
		{ .gpa = 0, .size = 2 * MIB, .used = true },
		{ .gpa = 8 * MIB, .size = 2 * MIB, .used = true },
		{ .gpa = 10 * MIB, .size = 2 * MIB, .guest_memfd = -1,
		  .used = true },
		{ .gpa = 4 * MIB, .size = 4 * MIB, .used = false },
	},
};

static int try(uint64_t gpa, uint64_t pages, uint64_t attributes,
	       struct map_gpa *map)
{
	const uint64_t args[3] = { gpa, pages, attributes };
	const char *why = NULL;
	int rc;

	memset(map, 0xff, sizeof(*map));
	rc = map_gpa_check(&table, args, map, &why);
	EXPECT_TRUE(!rc || (why && *why));
	return rc;
}

TEST_OF(map_gpa, good)
{
	struct map_gpa map;

	EXPECT_FALSE(try(0x1000, 3, 0x10, &map));
	EXPECT_EQ(map.gpa, 0x1000);
	EXPECT_EQ(map.size, 0x3000);
	EXPECT_TRUE(map.to_private);
	EXPECT_FALSE(try(0, 512, 0x01, &map));
	EXPECT_EQ(map.gpa, 0);
	EXPECT_EQ(map.size, 2 * MIB);
	EXPECT_FALSE(map.to_private);
	EXPECT_FALSE(try(0, 1, 0x12, &map));
	EXPECT_TRUE(map.to_private);
}

TEST_OF(map_gpa, bad_range)
{
	struct map_gpa map;

	EXPECT_EQ(try(0x1001, 1, 0x10, &map), -EINVAL);
	EXPECT_EQ(try(0x1800, 1, 0x10, &map), -EINVAL);
	EXPECT_EQ(try(0x1000, 0, 0x10, &map), -EINVAL);
	EXPECT_EQ(try(0x1000, UINT64_C(1) << 52, 0x10, &map), -EINVAL);
	EXPECT_EQ(try(0x1000, UINT64_MAX, 0x10, &map), -EINVAL);
	EXPECT_EQ(try(~UINT64_C(0xfff), 2, 0x10, &map), -EINVAL);
	/* The last byte of the address space is a range that ends at 0. */
	EXPECT_LT(try(~UINT64_C(0xfff), 1, 0x10, &map), 0);
}

TEST_OF(map_gpa, bad_attributes)
{
	struct map_gpa map;

	for (unsigned int bit = 0; bit < 64; bit++) {
		bool known = bit <= 1 || bit == 4;

		EXPECT_EQ(!try(0, 1, UINT64_C(1) << bit, &map), known);
	}
	EXPECT_EQ(try(0, 1, 0x13, &map), -EINVAL);
	EXPECT_EQ(try(0, 1, 0x30, &map), -EINVAL);
	EXPECT_EQ(try(0, 1, 0xf0, &map), -EINVAL);
}

TEST_OF(map_gpa, coverage)
{
	struct map_gpa map;

	EXPECT_FALSE(try(0, 1024, 0x10, &map));
	EXPECT_FALSE(try(2 * MIB - 0x1000, 2, 0x10, &map));
	EXPECT_EQ(try(4 * MIB - 0x1000, 2, 0x10, &map), -EFAULT);
	EXPECT_EQ(try(4 * MIB, 1, 0x10, &map), -EFAULT);
	EXPECT_EQ(try(8 * MIB, 512, 0x10, &map), 0);
	EXPECT_EQ(try(8 * MIB, 513, 0x10, &map), -EFAULT);
	EXPECT_EQ(try(10 * MIB, 1, 0x10, &map), -EFAULT);
	EXPECT_EQ(try(0, 4096, 0x10, &map), -EFAULT);
}
