// SPDX-License-Identifier: GPL-2.0
/* Memory behind regions, and DMA targets that are told of it. */
#include <errno.h>
#include <string.h>

#include "region_fake.h"
#include "unit.h"

#define PAGE RANGE_PAGE_SIZE

static int remove_memory(struct region *region, uint64_t start, uint64_t end)
{
	struct range range = { start * PAGE, end * PAGE };

	return region_remove_mappings(&fake.set, region, range, NULL);
}

static void test_region_mappings_bounds(void)
{
	struct region *ram;

	fake_start();
	ram = fake_region("ram", 4, 8, 255);
	CHECK_EQ(fake_memory(ram, 0, 5, fake.memfd), -EINVAL);
	CHECK_EQ(fake_memory(ram, 2, 2, fake.memfd), -EINVAL);
	CHECK_EQ(fake_memory(ram, 3, 2, fake.memfd), -EINVAL);
	CHECK(!fake_memory(ram, 1, 3, fake.memfd));
	CHECK_EQ(fake_memory(ram, 0, 2, fake.memfd), -EEXIST);
	CHECK_EQ(fake_memory(ram, 1, 3, fake.memfd), -EEXIST);
	CHECK(!fake_memory(ram, 3, 4, fake.memfd) && ram->nr_mappings == 2);
	CHECK_EQ(remove_memory(ram, 0, 2), -EINVAL);
	CHECK(remove_memory(ram, 2, 4) == -EINVAL && ram->nr_mappings == 2);
	CHECK(!remove_memory(ram, 0, 1) && ram->nr_mappings == 2);
	CHECK(!remove_memory(ram, 0, 3) && ram->nr_mappings == 1);
	CHECK_EQ(ram->mappings[0].range.start, 3 * PAGE);
	fake_stop();
}

/* Mappings come and go while the region is seen; partitions keep their slot. */
static void test_region_mappings_live(void)
{
	struct region *ram;

	fake_start();
	fake_attach();
	ram = fake_region("ram", 4, 8, 255);
	CHECK(!fake_map(ram, true) && fake_said("m4-8 "));
	CHECK(!fake_memory(ram, 1, 3, fake.memfd) && fake_said("d5-7 "));
	CHECK(reservation_find(&fake.reservation, 5 * PAGE));
	CHECK(!reservation_find(&fake.reservation, 4 * PAGE));
	CHECK(!remove_memory(ram, 0, 4) && fake_said("e5-7 "));
	CHECK(!reservation_find(&fake.reservation, 5 * PAGE));
	/* While it is not seen nobody is told. */
	CHECK(!fake_unmap(ram) && fake_said("e4-8 u4-8 "));
	CHECK(!fake_memory(ram, 1, 3, fake.memfd) && fake_said(""));
	CHECK(!remove_memory(ram, 1, 3) && fake_said(""));
	fake_stop();
}

static void test_region_mappings_contents(void)
{
	struct region *ram, *device;

	fake_start();
	ram = fake_region("ram", 0, 4, 255);
	device = fake_region("device", 1, 2, 0);
	CHECK(!fake_memory(ram, 0, 4, fake.memfd));
	CHECK(!fake_memory(device, 0, 1, -1));
	CHECK(!fake_map(ram, true));
	memset(fake.reservation.base, 0x5a, 4 * PAGE);
	CHECK(!fake_map(device, true) && !fake_unmap(ram));
	CHECK_EQ(fake.reservation.base[PAGE], 0);
	CHECK(!region_remove(&fake.set, device, NULL) && !fake_map(ram, true));
	CHECK_EQ(fake.reservation.base[PAGE], 0x5a);
	fake_stop();
}

/* A target that refuses one mapping has none of the region afterwards. */
static void test_region_target_refuses(void)
{
	struct region *ram;

	fake_start();
	fake_attach();
	ram = fake_region("ram", 0, 4, 255);
	CHECK(!fake_map(ram, true) && fake_said("m0-4 "));
	fake.fail = 'd';
	fake.rc = -ENOMEM;
	CHECK_EQ(fake_memory(ram, 0, 2, fake.memfd), -ENOMEM);
	CHECK(fake_said("d0-2 ") && !ram->nr_mappings);
	CHECK(!reservation_find(&fake.reservation, 0));
	CHECK(!fake_unmap(ram) && fake_said("e0-4 u0-4 "));
	CHECK(!fake_memory(ram, 0, 2, fake.memfd));
	CHECK(!fake_memory(ram, 2, 4, fake.memfd));
	fake.fail = 'd';
	CHECK(fake_map(ram, true) == -ENOMEM && fake_said("d0-2 "));
	CHECK(!fake_map(ram, true) && fake_said("d0-2 d2-4 m0-4 "));
	fake_stop();
}

/* Two targets: what the first was told is taken back. */
static void test_region_target_second(void)
{
	struct dma_target second;
	struct region *ram;

	fake_start();
	fake_attach();
	second = fake.target;
	CHECK(!region_set_add_target(&fake.set, &second, NULL));
	ram = fake_region("ram", 0, 4, 255);
	CHECK(!fake_map(ram, true) && fake_said("m0-4 "));
	fake.fail = 'd';
	fake.pass = 1;
	fake.rc = -EIO;
	CHECK(fake_memory(ram, 0, 2, fake.memfd) == -EIO && !ram->nr_mappings);
	CHECK(fake_said("d0-2 d0-2 e0-2 "));
	CHECK(!fake_memory(ram, 0, 2, fake.memfd) && fake_said("d0-2 d0-2 "));
	fake_stop();
}

/* Memory of a device is no loss to a target that cannot have it. */
static void test_region_target_device(void)
{
	struct region *device;

	fake_start();
	fake_attach();
	device = fake_region("device", 0, 2, 0);
	CHECK(!fake_memory(device, 0, 2, fake.memfd));
	fake.fail = 'd';
	fake.rc = -EINVAL;
	CHECK(!fake_map(device, true) && device->active);
	CHECK(fake_said("d0-2 m0-2 "));
	fake_stop();
}

static void test_region_target_replay(void)
{
	struct region *low, *high;

	fake_start();
	low = fake_region("low", 0, 4, 255);
	high = fake_region("high", 8, 12, 255);
	CHECK(!fake_memory(low, 0, 4, fake.memfd) && !fake_map(low, true));
	CHECK(!fake_memory(high, 0, 1, -1) &&
	      !fake_memory(high, 2, 4, fake.memfd));
	CHECK(!fake_map(high, true));
	CHECK(!region_set_add_target(&fake.set, &fake.target, NULL));
	CHECK(fake_said("d0-4 d8-9 da-c "));
	region_set_remove_target(&fake.set, &fake.target);
	CHECK(fake_said("e0-4 e8-c "));
	CHECK(!fake_unmap(low) && fake_said(""));
	fake.fail = 'd';
	fake.rc = -ENODEV;
	CHECK_EQ(region_set_add_target(&fake.set, &fake.target, NULL), -ENODEV);
	CHECK(fake_said("d8-9 ") && !fake.set.nr_targets);
	/* The second mapping of the second region: all of it is undone. */
	CHECK(!fake_map(low, true));
	fake.fail = 'd';
	fake.pass = 2;
	CHECK_EQ(region_set_add_target(&fake.set, &fake.target, NULL), -ENODEV);
	CHECK(fake_said("d0-4 d8-9 da-c e8-9 e0-4 "));
	fake_stop();
}

/* Anonymous memory and a target that works with files only: one or the other. */
static void test_region_target_needs_fd(void)
{
	struct region *ram;
	struct error error;
	struct mapping mapping = { .range = { 0, PAGE }, .fd = -1,
				   .page_size = PAGE, .node = -1 };

	fake_start();
	fake.target.needs_fd = true;
	ram = fake_region("ram", 0, 4, 255);
	CHECK(!fake_memory(ram, 0, 2, -1));
	CHECK_EQ(region_set_add_target(&fake.set, &fake.target, &error),
		 -EINVAL);
	CHECK_STR(error.action,
		  "cannot register a DMA mapper that requires a backing fd");
	CHECK(!remove_memory(ram, 0, 4));
	CHECK(!region_set_add_target(&fake.set, &fake.target, &error));
	CHECK_EQ(region_add_mapping(&fake.set, ram, &mapping, &error), -EINVAL);
	CHECK(!strcmp(error.action, "cannot add a mapping with no backing fd: a "
		      "registered DMA mapper requires one"));
	CHECK(!fake_memory(ram, 0, 2, fake.memfd));
	fake_stop();
}

static const struct unit_test tests[] = {
	{ "region.mappings_bounds", test_region_mappings_bounds },
	{ "region.mappings_live", test_region_mappings_live },
	{ "region.mappings_contents", test_region_mappings_contents },
	{ "region.target_refuses", test_region_target_refuses },
	{ "region.target_device", test_region_target_device },
	{ "region.target_replay", test_region_target_replay },
	{ "region.target_needs_fd", test_region_target_needs_fd },
	{ "region.target_second", test_region_target_second },
};

UNIT_TESTS(tests)
