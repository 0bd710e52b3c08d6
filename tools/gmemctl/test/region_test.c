// SPDX-License-Identifier: GPL-2.0
/* Regions that are seen, and what is left of them after a failure. */
#include <errno.h>
#include <string.h>

#include "region_fake.h"
#include "ksft.h"

#define PAGE RANGE_PAGE_SIZE

static int add(uint64_t start, uint64_t end)
{
	struct region *region;

	return region_add(&fake.set, "test", (struct range){ start, end },
			  &region, NULL);
}

TEST_OF(region, add)
{
	struct region *region;
	struct error error;

	fake_start();
	EXPECT_EQ(add(0x1000, 0x1000), -EINVAL);
	EXPECT_EQ(add(0x2000, 0x1000), -EINVAL);
	EXPECT_EQ(add(0x1, 0x1000), -EINVAL);
	EXPECT_EQ(add(0x0, FAKE_SIZE + PAGE), -EINVAL);
	EXPECT_FALSE(fake.set.nr_regions);
	EXPECT_TRUE(fake_region("ram", 2, 4));
	EXPECT_EQ(region_add(&fake.set, "more", (struct range){ 0x3000, 0x5000 }, &region, &error),
		  -EEXIST);
	EXPECT_STREQ(error.action, "memory region more overlaps with existing region ram");
	EXPECT_FALSE(fake_region("half", 2, 3));
	EXPECT_FALSE(fake_region("around", 0, 6));
	EXPECT_FALSE(fake_region("same", 2, 4));
	EXPECT_TRUE(fake_region("below", 0, 2));
	EXPECT_TRUE(fake_region("above", 4, 6));
	EXPECT_EQ(fake.set.nr_regions, 3);
	fake_stop();
}

TEST_OF(region, map)
{
	struct region *ram;

	fake_start();
	fake_attach();
	ram = fake_region("ram", 0, 2);
	EXPECT_FALSE(fake_memory(ram, 0, 2, fake.memfd));
	EXPECT_TRUE(fake_said(""));
	EXPECT_FALSE(reservation_find(&fake.reservation, 0));
	EXPECT_FALSE(fake_map(ram, true));
	EXPECT_TRUE(fake_said("d0-2 m0-2 "));
	EXPECT_TRUE(ram->active);
	fake.reservation.base[PAGE] = 0x5a;
	/* Once is enough, and it stays as it is. */
	EXPECT_FALSE(fake_map(ram, false));
	EXPECT_TRUE(fake_said(""));
	EXPECT_TRUE(ram->params.writable);
	EXPECT_EQ(fake.reservation.base[PAGE], 0x5a);
	fake_stop();
}

/* A refused slot: nothing of it sticks. */
TEST_OF(region, map_fails)
{
	struct region *ram;

	fake_start();
	fake_attach();
	ram = fake_region("ram", 0, 8);
	EXPECT_FALSE(fake_memory(ram, 0, 8, fake.memfd));
	fake.fail = 'm';
	fake.rc = -ENOSPC;
	EXPECT_EQ(fake_map(ram, true), -ENOSPC);
	EXPECT_TRUE(fake_said("d0-8 m0-8 e0-8 "));
	EXPECT_TRUE(!ram->active);
	EXPECT_FALSE(reservation_find(&fake.reservation, 0));
	EXPECT_FALSE(fake_map(ram, true));
	EXPECT_TRUE(ram->active);
	fake_stop();
}

/* Two partitions: what the first has taken goes when the second refuses. */
TEST_OF(region, partitions)
{
	struct partition first;
	struct region *ram;

	fake_start();
	ram = fake_region("ram", 0, 2);
	first = fake.partition;
	EXPECT_FALSE(region_set_add_partition(&fake.set, &first, NULL));
	EXPECT_FALSE(region_set_add_partition(&fake.set, &fake.partition, NULL));
	fake.fail = 'm';
	fake.pass = 1;
	fake.rc = -ENOMEM;
	EXPECT_EQ(fake_map(ram, true), -ENOMEM);
	EXPECT_TRUE(!ram->active);
	EXPECT_TRUE(fake_said("m0-2 m0-2 u0-2 "));
	EXPECT_FALSE(fake_map(ram, true));
	EXPECT_TRUE(fake_said("m0-2 m0-2 "));
	fake_stop();
}

/* Partitions that come late get what is there; one that refuses gets nothing. */
TEST_OF(region, late_partition)
{
	struct region *low, *high;

	fake_start();
	low = fake_region("low", 0, 2);
	high = fake_region("high", 4, 6);
	fake_region("hidden", 6, 8);
	EXPECT_FALSE(fake_map(low, true));
	EXPECT_FALSE(fake_map(high, false));
	fake.fail = 'm';
	fake.pass = 1;
	fake.rc = -EPERM;
	EXPECT_EQ(region_set_add_partition(&fake.set, &fake.partition, NULL), -EPERM);
	EXPECT_TRUE(fake_said("m0-2 m4-6r u0-2 "));
	EXPECT_FALSE(fake.set.nr_partitions);
	EXPECT_FALSE(region_set_add_partition(&fake.set, &fake.partition, NULL));
	EXPECT_TRUE(fake_said("m0-2 m4-6r "));
	region_set_remove_partition(&fake.set, &fake.partition);
	EXPECT_TRUE(fake_said("u0-2 u4-6 "));
	region_set_remove_partition(&fake.set, &fake.partition);
	EXPECT_TRUE(fake_said(""));
	fake_stop();
}

/* A guest runs without what could not be prefetched. */
TEST_OF(region, prefetch)
{
	struct region_params params = { .writable = true, .prefetch = true };
	struct region *ram;

	fake_start();
	ram = fake_region("ram", 0, 2);
	EXPECT_FALSE(region_set_add_partition(&fake.set, &fake.partition, NULL));
	fake.fail = 'f';
	fake.rc = -ENOMEM;
	EXPECT_FALSE(region_map(&fake.set, ram, &params, NULL));
	EXPECT_TRUE(ram->active);
	EXPECT_TRUE(fake_said("m0-2 f0-2 "));
	EXPECT_EQ(fake.partition.prefetch_rc, -ENOMEM);
	fake_stop();
}
