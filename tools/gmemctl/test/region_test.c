// SPDX-License-Identifier: GPL-2.0
/* Which regions may overlap, which of them are seen, and what is left of both
 * after a failure.
 */
#include <errno.h>
#include <string.h>

#include "../memory/probe.h"
#include "region_fake.h"
#include "ksft.h"

#define PAGE RANGE_PAGE_SIZE

static int add(uint8_t priority, uint64_t start, uint64_t end,
	       struct region **out)
{
	return region_add(&fake.set, "test", (struct range){ start, end },
			  priority, REGION_RAM, out, NULL);
}

/* The sequence of upstream's test_region_overlap, step by step. */
static void test_region_overlap(void)
{
	struct region *first, *low, *other;

	fake_start();
	EXPECT_FALSE(add(1, 0x1000, 0x3000, &first));
	EXPECT_EQ(add(0, 0x2000, 0x4000, &other), -EEXIST);
	EXPECT_FALSE(add(0, 0x1000, 0x3000, &low));
	EXPECT_FALSE(region_remove(&fake.set, first, NULL));
	EXPECT_EQ(add(1, 0x2000, 0x4000, &other), -EEXIST);
	EXPECT_EQ(add(1, 0x2000, 0x3000, &other), -EEXIST);
	EXPECT_FALSE(add(1, 0x0, 0x10000, &other));
	EXPECT_FALSE(region_remove(&fake.set, low, NULL));
	EXPECT_EQ(add(0, 0x0, 0x20000, &other), -EEXIST);
	EXPECT_FALSE(add(0, 0x1000, 0x8000, &other));
	EXPECT_EQ(other->id, 4);
	EXPECT_EQ(fake.set.nr_regions, 2);
	fake_stop();
}

TEST_OF(region, add)
{
	struct region *region;
	struct error error;

	fake_start();
	EXPECT_EQ(add(0, 0x1000, 0x1000, &region), -EINVAL);
	EXPECT_EQ(add(0, 0x2000, 0x1000, &region), -EINVAL);
	EXPECT_EQ(add(0, 0x1, 0x1000, &region), -EINVAL);
	EXPECT_EQ(add(0, 0x0, FAKE_SIZE + PAGE, &region), -EINVAL);
	EXPECT_FALSE(fake.set.nr_regions);
	region = fake_region("ram", 0, 4, 255);
	EXPECT_TRUE(region);
	EXPECT_EQ(region->id, 1);
	EXPECT_EQ(region_add(&fake.set, "bar", (struct range){ 0x3000, 0x5000 }, 0, REGION_DEVICE,
			     &region, &error), -EEXIST);
	EXPECT_STREQ(error.action, "memory region bar overlaps with existing region ram");
	/* Of equal priority: the same place or none of it. */
	EXPECT_FALSE(fake_region("half", 0, 2, 255));
	EXPECT_FALSE(fake_region("more", 0, 5, 255));
	EXPECT_FALSE(fake_region("inside", 1, 2, 255));
	EXPECT_TRUE(fake_region("same", 0, 4, 255));
	EXPECT_EQ(fake.set.nr_regions, 2);
	fake_stop();
}

/* A device is seen where RAM is not mapped, and only there. */
TEST_OF(region, priority)
{
	struct region *ram, *device, *next;

	fake_start();
	fake_attach();
	ram = fake_region("ram", 0, 8, 255);
	device = fake_region("device", 2, 4, 0);
	next = fake_region("next", 4, 6, 0);
	EXPECT_FALSE(fake_map(device, true));
	EXPECT_TRUE(fake_said("m2-4 "));
	EXPECT_FALSE(fake_map(ram, true));
	EXPECT_TRUE(fake_said("e2-4 u2-4 m0-8 "));
	EXPECT_TRUE(ram->active);
	EXPECT_TRUE(device->mapped);
	EXPECT_FALSE(device->active);
	EXPECT_FALSE(fake_map(next, false));
	EXPECT_TRUE(fake_said(""));
	EXPECT_FALSE(fake_map(ram, true));
	EXPECT_TRUE(fake_said(""));
	EXPECT_FALSE(fake_unmap(ram));
	EXPECT_TRUE(fake_said("e0-8 u0-8 m2-4 m4-6r "));
	EXPECT_TRUE(device->active);
	EXPECT_TRUE(next->active);
	EXPECT_FALSE(ram->mapped);
	EXPECT_FALSE(fake_unmap(device));
	EXPECT_TRUE(fake_said("e2-4 u2-4 "));
	EXPECT_FALSE(fake_unmap(device));
	EXPECT_TRUE(fake_said(""));
	fake_stop();
}

/* Of two at the same place with the same priority the older one is seen. */
TEST_OF(region, equal)
{
	struct region *first, *second;

	fake_start();
	fake_attach();
	first = fake_region("first", 0, 2, 7);
	second = fake_region("second", 0, 2, 7);
	EXPECT_FALSE(fake_map(second, true));
	EXPECT_TRUE(second->active);
	EXPECT_FALSE(fake_map(first, true));
	EXPECT_TRUE(first->active);
	EXPECT_FALSE(second->active);
	EXPECT_FALSE(fake_map(second, false));
	EXPECT_TRUE(first->active);
	EXPECT_FALSE(second->active);
	EXPECT_TRUE(fake_said("m0-2 e0-2 u0-2 m0-2 "));
	EXPECT_FALSE(region_remove(&fake.set, first, NULL));
	EXPECT_TRUE(second->active);
	EXPECT_TRUE(fake_said("e0-2 u0-2 m0-2r "));
	fake_stop();
}

/* Other parameters take effect through a new slot. */
TEST_OF(region, params)
{
	struct region *ram;

	fake_start();
	fake_attach();
	EXPECT_FALSE(probe_start_segv());
	ram = fake_region("ram", 0, 2, 255);
	EXPECT_FALSE(fake_memory(ram, 0, 2, fake.memfd));
	EXPECT_FALSE(fake_map(ram, true));
	EXPECT_TRUE(fake_said("d0-2 m0-2 "));
	EXPECT_FALSE(probe_write(fake.reservation.base, 0x5a));
	EXPECT_FALSE(fake_map(ram, false));
	EXPECT_TRUE(fake_said("e0-2 u0-2 d0-2r m0-2r "));
	EXPECT_EQ(probe_write(fake.reservation.base, 1), -EFAULT);
	EXPECT_EQ(fake.reservation.base[0], 0x5a);
	EXPECT_FALSE(fake_map(ram, true));
	EXPECT_FALSE(probe_write(fake.reservation.base, 1));
	probe_stop();
	fake_stop();
}

/* What cannot be had back must not go for a moment, let alone for good. */
TEST_OF(region, anonymous)
{
	struct region *ram, *over;

	fake_start();
	ram = fake_region("ram", 0, 2, 7);
	over = fake_region("over", 0, 4, 8);
	EXPECT_FALSE(fake_memory(ram, 0, 2, -1));
	EXPECT_FALSE(fake_map(ram, true));
	fake.reservation.base[PAGE] = 0x5a;
	EXPECT_EQ(fake_map(ram, false), -EBUSY);
	EXPECT_EQ(fake_map(over, true), -EBUSY);
	EXPECT_EQ(fake_unmap(ram), -EBUSY);
	EXPECT_TRUE(ram->active);
	EXPECT_TRUE(ram->params.writable);
	EXPECT_FALSE(over->mapped);
	EXPECT_EQ(fake.reservation.base[PAGE], 0x5a);
	EXPECT_FALSE(region_remove(&fake.set, ram, NULL));
	EXPECT_FALSE(fake_map(over, true));
	EXPECT_TRUE(over->active);
	fake_stop();
}

/* A refused slot: the device that made way is seen again. */
TEST_OF(region, map_fails)
{
	struct region *ram, *device;

	fake_start();
	fake_attach();
	ram = fake_region("ram", 0, 8, 255);
	device = fake_region("device", 2, 4, 0);
	EXPECT_FALSE(fake_memory(ram, 0, 8, fake.memfd));
	EXPECT_FALSE(fake_map(device, true));
	EXPECT_TRUE(fake_said("m2-4 "));
	fake.fail = 'm';
	fake.rc = -ENOSPC;
	EXPECT_EQ(fake_map(ram, true), -ENOSPC);
	EXPECT_TRUE(fake_said("e2-4 u2-4 d0-8 m0-8 e0-8 m2-4 "));
	EXPECT_FALSE(ram->mapped);
	EXPECT_FALSE(ram->active);
	EXPECT_TRUE(device->active);
	EXPECT_FALSE(reservation_find(&fake.reservation, 0));
	/* Nothing of it sticks. */
	EXPECT_FALSE(fake_map(ram, true));
	EXPECT_TRUE(ram->active);
	EXPECT_FALSE(device->active);
	fake.log[0] = '\0';
	fake.fail = 'm';
	EXPECT_EQ(fake_map(ram, false), -ENOSPC);
	EXPECT_TRUE(ram->active);
	EXPECT_TRUE(ram->params.writable);
	EXPECT_TRUE(fake_said("e0-8 u0-8 d0-8r m0-8r e0-8 d0-8 m0-8 "));
	fake_stop();
}

/* Two partitions: what the first has taken goes when the second refuses. */
TEST_OF(region, partitions)
{
	struct partition alias;
	struct region *ram;

	fake_start();
	ram = fake_region("ram", 0, 2, 255);
	alias = fake.partition;
	EXPECT_FALSE(region_set_add_partition(&fake.set, &alias, NULL));
	EXPECT_FALSE(region_set_add_partition(&fake.set, &fake.partition, NULL));
	alias.pin = true;
	fake.fail = 'p';
	fake.rc = -ENOMEM;
	EXPECT_EQ(fake_map(ram, true), -ENOMEM);
	EXPECT_FALSE(ram->mapped);
	EXPECT_TRUE(fake_said("m0-2 p0-2 u0-2 "));
	fake.fail = 'm';
	fake.pass = 1;
	EXPECT_EQ(fake_map(ram, true), -ENOMEM);
	EXPECT_FALSE(ram->mapped);
	EXPECT_TRUE(fake_said("m0-2 p0-2 m0-2 u0-2 "));
	EXPECT_FALSE(fake_map(ram, true));
	EXPECT_TRUE(fake_said("m0-2 p0-2 m0-2 "));
	EXPECT_FALSE(fake_unmap(ram));
	EXPECT_TRUE(fake_said("u0-2 u0-2 "));
	fake_stop();
}

/* Partitions that come late get what is there; one that refuses gets nothing. */
TEST_OF(region, late_partition)
{
	struct region *low, *high;

	fake_start();
	low = fake_region("low", 0, 2, 255);
	high = fake_region("high", 4, 6, 255);
	fake_region("hidden", 4, 5, 0);
	EXPECT_FALSE(fake_map(low, true));
	EXPECT_FALSE(fake_map(high, false));
	fake.partition.pin = true;
	fake.fail = 'p';
	fake.rc = -EPERM;
	EXPECT_EQ(region_set_add_partition(&fake.set, &fake.partition, NULL), -EPERM);
	EXPECT_TRUE(fake_said("m0-2 p0-2 u0-2 "));
	EXPECT_FALSE(fake.set.nr_partitions);
	EXPECT_FALSE(region_set_add_partition(&fake.set, &fake.partition, NULL));
	EXPECT_TRUE(fake_said("m0-2 p0-2 m4-6r p4-6 "));
	region_set_remove_partition(&fake.set, &fake.partition);
	EXPECT_TRUE(fake_said("u0-2 u4-6 "));
	region_set_remove_partition(&fake.set, &fake.partition);
	EXPECT_TRUE(fake_said(""));
	EXPECT_FALSE(fake_unmap(low));
	EXPECT_TRUE(fake_said(""));
	fake_stop();
}

TEST_OF(region, offset)
{
	struct region *ram;
	struct error error;

	fake_start();
	ram = fake_region("ram", 1, 3, 255);
	fake.partition.offset = 0x100 * PAGE;
	EXPECT_FALSE(region_set_add_partition(&fake.set, &fake.partition, NULL));
	EXPECT_FALSE(fake_map(ram, true));
	EXPECT_TRUE(fake_said("m101-103 "));
	EXPECT_FALSE(fake_unmap(ram));
	EXPECT_TRUE(fake_said("u101-103 "));
	fake.partition.offset = -2 * PAGE;
	EXPECT_EQ(region_map(&fake.set, ram, &(struct region_params){ 0 }, &error), -ERANGE);
	EXPECT_STREQ(error.action, "failed to map range to partition");
	EXPECT_TRUE(fake_said(""));
	EXPECT_FALSE(ram->mapped);
	fake_stop();
}

/* A guest runs without what could not be prefetched. */
TEST_OF(region, prefetch)
{
	struct region_params params = { .writable = true, .prefetch = true };
	struct region *ram;

	fake_start();
	ram = fake_region("ram", 0, 2, 255);
	EXPECT_FALSE(region_set_add_partition(&fake.set, &fake.partition, NULL));
	fake.fail = 'f';
	fake.rc = -ENOMEM;
	EXPECT_FALSE(region_map(&fake.set, ram, &params, NULL));
	EXPECT_TRUE(ram->active);
	EXPECT_TRUE(fake_said("m0-2 f0-2 "));
	EXPECT_EQ(fake.partition.prefetch_rc, -ENOMEM);
	fake_stop();
}

TEST_OF(region, overlap)
{
	test_region_overlap();
}
