// SPDX-License-Identifier: GPL-2.0
/* Which regions may overlap, which of them are seen, and what is left of both
 * after a failure.
 */
#include <errno.h>
#include <string.h>

#include "../memory/probe.h"
#include "region_fake.h"
#include "unit.h"

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
	CHECK(!add(1, 0x1000, 0x3000, &first));
	CHECK_EQ(add(0, 0x2000, 0x4000, &other), -EEXIST);
	CHECK(!add(0, 0x1000, 0x3000, &low));
	CHECK(!region_remove(&fake.set, first, NULL));
	CHECK_EQ(add(1, 0x2000, 0x4000, &other), -EEXIST);
	CHECK_EQ(add(1, 0x2000, 0x3000, &other), -EEXIST);
	CHECK(!add(1, 0x0, 0x10000, &other));
	CHECK(!region_remove(&fake.set, low, NULL));
	CHECK_EQ(add(0, 0x0, 0x20000, &other), -EEXIST);
	CHECK(!add(0, 0x1000, 0x8000, &other));
	CHECK(other->id == 4 && fake.set.nr_regions == 2);
	fake_stop();
}

static void test_region_add(void)
{
	struct region *region;
	struct error error;

	fake_start();
	CHECK_EQ(add(0, 0x1000, 0x1000, &region), -EINVAL);
	CHECK_EQ(add(0, 0x2000, 0x1000, &region), -EINVAL);
	CHECK_EQ(add(0, 0x1, 0x1000, &region), -EINVAL);
	CHECK_EQ(add(0, 0x0, FAKE_SIZE + PAGE, &region), -EINVAL);
	CHECK(!fake.set.nr_regions);
	region = fake_region("ram", 0, 4, 255);
	CHECK(region && region->id == 1);
	CHECK(region_add(&fake.set, "bar", (struct range){ 0x3000, 0x5000 }, 0,
			 REGION_DEVICE, &region, &error) == -EEXIST);
	CHECK_STR(error.action,
		  "memory region bar overlaps with existing region ram");
	/* Of equal priority: the same place or none of it. */
	CHECK(!fake_region("half", 0, 2, 255) && !fake_region("more", 0, 5, 255));
	CHECK(!fake_region("inside", 1, 2, 255));
	CHECK(fake_region("same", 0, 4, 255) && fake.set.nr_regions == 2);
	fake_stop();
}

/* A device is seen where RAM is not mapped, and only there. */
static void test_region_priority(void)
{
	struct region *ram, *device, *next;

	fake_start();
	fake_attach();
	ram = fake_region("ram", 0, 8, 255);
	device = fake_region("device", 2, 4, 0);
	next = fake_region("next", 4, 6, 0);
	CHECK(!fake_map(device, true) && fake_said("m2-4 "));
	CHECK(!fake_map(ram, true) && fake_said("e2-4 u2-4 m0-8 "));
	CHECK(ram->active && device->mapped && !device->active);
	CHECK(!fake_map(next, false) && fake_said(""));
	CHECK(!fake_map(ram, true) && fake_said(""));
	CHECK(!fake_unmap(ram) && fake_said("e0-8 u0-8 m2-4 m4-6r "));
	CHECK(device->active && next->active && !ram->mapped);
	CHECK(!fake_unmap(device) && fake_said("e2-4 u2-4 "));
	CHECK(!fake_unmap(device) && fake_said(""));
	fake_stop();
}

/* Of two at the same place with the same priority the older one is seen. */
static void test_region_equal(void)
{
	struct region *first, *second;

	fake_start();
	fake_attach();
	first = fake_region("first", 0, 2, 7);
	second = fake_region("second", 0, 2, 7);
	CHECK(!fake_map(second, true) && second->active);
	CHECK(!fake_map(first, true) && first->active && !second->active);
	CHECK(!fake_map(second, false) && first->active && !second->active);
	CHECK(fake_said("m0-2 e0-2 u0-2 m0-2 "));
	CHECK(!region_remove(&fake.set, first, NULL) && second->active);
	CHECK(fake_said("e0-2 u0-2 m0-2r "));
	fake_stop();
}

/* Other parameters take effect through a new slot. */
static void test_region_params(void)
{
	struct region *ram;

	fake_start();
	fake_attach();
	CHECK(!probe_start_segv());
	ram = fake_region("ram", 0, 2, 255);
	CHECK(!fake_memory(ram, 0, 2, fake.memfd));
	CHECK(!fake_map(ram, true) && fake_said("d0-2 m0-2 "));
	CHECK(!probe_write(fake.reservation.base, 0x5a));
	CHECK(!fake_map(ram, false) && fake_said("e0-2 u0-2 d0-2r m0-2r "));
	CHECK_EQ(probe_write(fake.reservation.base, 1), -EFAULT);
	CHECK_EQ(fake.reservation.base[0], 0x5a);
	CHECK(!fake_map(ram, true) && !probe_write(fake.reservation.base, 1));
	probe_stop();
	fake_stop();
}

/* What cannot be had back must not go for a moment, let alone for good. */
static void test_region_anonymous(void)
{
	struct region *ram, *over;

	fake_start();
	ram = fake_region("ram", 0, 2, 7);
	over = fake_region("over", 0, 4, 8);
	CHECK(!fake_memory(ram, 0, 2, -1));
	CHECK(!fake_map(ram, true));
	fake.reservation.base[PAGE] = 0x5a;
	CHECK_EQ(fake_map(ram, false), -EBUSY);
	CHECK_EQ(fake_map(over, true), -EBUSY);
	CHECK_EQ(fake_unmap(ram), -EBUSY);
	CHECK(ram->active && ram->params.writable && !over->mapped);
	CHECK_EQ(fake.reservation.base[PAGE], 0x5a);
	CHECK(!region_remove(&fake.set, ram, NULL));
	CHECK(!fake_map(over, true) && over->active);
	fake_stop();
}

/* A refused slot: the device that made way is seen again. */
static void test_region_map_fails(void)
{
	struct region *ram, *device;

	fake_start();
	fake_attach();
	ram = fake_region("ram", 0, 8, 255);
	device = fake_region("device", 2, 4, 0);
	CHECK(!fake_memory(ram, 0, 8, fake.memfd) && !fake_map(device, true));
	CHECK(fake_said("m2-4 "));
	fake.fail = 'm';
	fake.rc = -ENOSPC;
	CHECK_EQ(fake_map(ram, true), -ENOSPC);
	CHECK(fake_said("e2-4 u2-4 d0-8 m0-8 e0-8 m2-4 "));
	CHECK(!ram->mapped && !ram->active && device->active);
	CHECK(!reservation_find(&fake.reservation, 0));
	/* Nothing of it sticks. */
	CHECK(!fake_map(ram, true) && ram->active && !device->active);
	fake.log[0] = '\0';
	fake.fail = 'm';
	CHECK_EQ(fake_map(ram, false), -ENOSPC);
	CHECK(ram->active && ram->params.writable);
	CHECK(fake_said("e0-8 u0-8 d0-8r m0-8r e0-8 d0-8 m0-8 "));
	fake_stop();
}

/* Two partitions: what the first has taken goes when the second refuses. */
static void test_region_partitions(void)
{
	struct partition alias;
	struct region *ram;

	fake_start();
	ram = fake_region("ram", 0, 2, 255);
	alias = fake.partition;
	CHECK(!region_set_add_partition(&fake.set, &alias, NULL));
	CHECK(!region_set_add_partition(&fake.set, &fake.partition, NULL));
	alias.pin = true;
	fake.fail = 'p';
	fake.rc = -ENOMEM;
	CHECK(fake_map(ram, true) == -ENOMEM && !ram->mapped);
	CHECK(fake_said("m0-2 p0-2 u0-2 "));
	fake.fail = 'm';
	fake.pass = 1;
	CHECK(fake_map(ram, true) == -ENOMEM && !ram->mapped);
	CHECK(fake_said("m0-2 p0-2 m0-2 u0-2 "));
	CHECK(!fake_map(ram, true) && fake_said("m0-2 p0-2 m0-2 "));
	CHECK(!fake_unmap(ram) && fake_said("u0-2 u0-2 "));
	fake_stop();
}

/* Partitions that come late get what is there; one that refuses gets nothing. */
static void test_region_late_partition(void)
{
	struct region *low, *high;

	fake_start();
	low = fake_region("low", 0, 2, 255);
	high = fake_region("high", 4, 6, 255);
	fake_region("hidden", 4, 5, 0);
	CHECK(!fake_map(low, true) && !fake_map(high, false));
	fake.partition.pin = true;
	fake.fail = 'p';
	fake.rc = -EPERM;
	CHECK_EQ(region_set_add_partition(&fake.set, &fake.partition, NULL),
		 -EPERM);
	CHECK(fake_said("m0-2 p0-2 u0-2 ") && !fake.set.nr_partitions);
	CHECK(!region_set_add_partition(&fake.set, &fake.partition, NULL));
	CHECK(fake_said("m0-2 p0-2 m4-6r p4-6 "));
	region_set_remove_partition(&fake.set, &fake.partition);
	CHECK(fake_said("u0-2 u4-6 "));
	region_set_remove_partition(&fake.set, &fake.partition);
	CHECK(fake_said("") && !fake_unmap(low) && fake_said(""));
	fake_stop();
}

static void test_region_offset(void)
{
	struct region *ram;
	struct error error;

	fake_start();
	ram = fake_region("ram", 1, 3, 255);
	fake.partition.offset = 0x100 * PAGE;
	CHECK(!region_set_add_partition(&fake.set, &fake.partition, NULL));
	CHECK(!fake_map(ram, true) && fake_said("m101-103 "));
	CHECK(!fake_unmap(ram) && fake_said("u101-103 "));
	fake.partition.offset = -2 * PAGE;
	CHECK(region_map(&fake.set, ram, &(struct region_params){ 0 }, &error) ==
	      -ERANGE);
	CHECK_STR(error.action, "failed to map range to partition");
	CHECK(fake_said("") && !ram->mapped);
	fake_stop();
}

/* A guest runs without what could not be prefetched. */
static void test_region_prefetch(void)
{
	struct region_params params = { .writable = true, .prefetch = true };
	struct region *ram;

	fake_start();
	ram = fake_region("ram", 0, 2, 255);
	CHECK(!region_set_add_partition(&fake.set, &fake.partition, NULL));
	fake.fail = 'f';
	fake.rc = -ENOMEM;
	CHECK(!region_map(&fake.set, ram, &params, NULL) && ram->active);
	CHECK(fake_said("m0-2 f0-2 "));
	CHECK_EQ(fake.partition.prefetch_rc, -ENOMEM);
	fake_stop();
}

static const struct unit_test tests[] = {
	{ "region.overlap", test_region_overlap },
	{ "region.add", test_region_add },
	{ "region.priority", test_region_priority },
	{ "region.equal", test_region_equal },
	{ "region.params", test_region_params },
	{ "region.anonymous", test_region_anonymous },
	{ "region.map_fails", test_region_map_fails },
	{ "region.partitions", test_region_partitions },
	{ "region.late_partition", test_region_late_partition },
	{ "region.offset", test_region_offset },
	{ "region.prefetch", test_region_prefetch },
};

UNIT_TESTS(tests)
