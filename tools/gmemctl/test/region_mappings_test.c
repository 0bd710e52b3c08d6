// SPDX-License-Identifier: GPL-2.0
/* Memory behind regions, and DMA targets that are told of it. */
#include <errno.h>
#include <string.h>

#include "region_fake.h"
#include "ksft.h"

#define PAGE RANGE_PAGE_SIZE

TEST_OF(region, mappings_bounds)
{
	struct region *ram;

	fake_start();
	ram = fake_region("ram", 4, 8);
	EXPECT_EQ(fake_memory(ram, 0, 5, fake.memfd), -EINVAL);
	EXPECT_EQ(fake_memory(ram, 2, 2, fake.memfd), -EINVAL);
	EXPECT_EQ(fake_memory(ram, 3, 2, fake.memfd), -EINVAL);
	EXPECT_FALSE(fake_memory(ram, 1, 3, fake.memfd));
	EXPECT_EQ(fake_memory(ram, 0, 2, fake.memfd), -EEXIST);
	EXPECT_EQ(fake_memory(ram, 1, 3, fake.memfd), -EEXIST);
	EXPECT_FALSE(fake_memory(ram, 3, 4, fake.memfd));
	EXPECT_EQ(ram->nr_mappings, 2);
	EXPECT_FALSE(fake_map(ram, true));
	EXPECT_EQ(fake_memory(ram, 0, 1, fake.memfd), -EINVAL);
	EXPECT_TRUE(reservation_find(&fake.reservation, 5 * PAGE));
	EXPECT_FALSE(reservation_find(&fake.reservation, 4 * PAGE));
	fake_stop();
}

/* A target that refuses one mapping has none of the region afterwards. */
TEST_OF(region, target_refuses)
{
	struct region *ram;

	fake_start();
	fake_attach();
	ram = fake_region("ram", 0, 4);
	EXPECT_FALSE(fake_memory(ram, 0, 2, fake.memfd));
	EXPECT_FALSE(fake_memory(ram, 2, 4, fake.memfd));
	fake.fail = 'd';
	fake.rc = -ENOMEM;
	EXPECT_EQ(fake_map(ram, true), -ENOMEM);
	EXPECT_TRUE(fake_said("d0-2 "));
	EXPECT_FALSE(reservation_find(&fake.reservation, 0));
	fake.fail = 'd';
	fake.pass = 1;
	EXPECT_EQ(fake_map(ram, true), -ENOMEM);
	EXPECT_TRUE(fake_said("d0-2 d2-4 e0-2 "));
	EXPECT_FALSE(fake_map(ram, true));
	EXPECT_TRUE(fake_said("d0-2 d2-4 m0-4 "));
	fake_stop();
}

/* Two targets: what the first was told is taken back. */
TEST_OF(region, target_second)
{
	struct dma_target second;
	struct region *ram;

	fake_start();
	fake_attach();
	second = fake.target;
	EXPECT_FALSE(region_set_add_target(&fake.set, &second, NULL));
	ram = fake_region("ram", 0, 4);
	EXPECT_FALSE(fake_memory(ram, 0, 2, fake.memfd));
	fake.fail = 'd';
	fake.pass = 1;
	fake.rc = -EIO;
	EXPECT_EQ(fake_map(ram, true), -EIO);
	EXPECT_TRUE(!ram->active);
	EXPECT_TRUE(fake_said("d0-2 d0-2 e0-2 "));
	EXPECT_FALSE(fake_map(ram, true));
	EXPECT_TRUE(fake_said("d0-2 d0-2 m0-4 "));
	fake_stop();
}

TEST_OF(region, target_replay)
{
	struct region *low, *high;

	fake_start();
	low = fake_region("low", 0, 4);
	high = fake_region("high", 8, 12);
	EXPECT_FALSE(fake_memory(low, 0, 4, fake.memfd));
	EXPECT_FALSE(fake_memory(high, 0, 1, -1));
	EXPECT_FALSE(fake_memory(high, 2, 4, fake.memfd));
	EXPECT_FALSE(fake_map(high, true));
	/* What is not seen is nobody's business. */
	EXPECT_FALSE(region_set_add_target(&fake.set, &fake.target, NULL));
	EXPECT_TRUE(fake_said("d8-9 da-c "));
	region_set_remove_target(&fake.set, &fake.target);
	EXPECT_TRUE(fake_said("e8-c "));
	fake.fail = 'd';
	fake.rc = -ENODEV;
	EXPECT_EQ(region_set_add_target(&fake.set, &fake.target, NULL), -ENODEV);
	EXPECT_TRUE(fake_said("d8-9 "));
	EXPECT_FALSE(fake.set.nr_targets);
	/* The second mapping of the second region: all of it is undone. */
	EXPECT_FALSE(fake_map(low, true));
	fake.fail = 'd';
	fake.pass = 2;
	EXPECT_EQ(region_set_add_target(&fake.set, &fake.target, NULL), -ENODEV);
	EXPECT_TRUE(fake_said("d0-4 d8-9 da-c e8-9 e0-4 "));
	fake_stop();
}

/* Anonymous memory and a target that works with files only: one or the other. */
TEST_OF(region, target_needs_fd)
{
	struct mapping mapping = { .range = { 0, PAGE }, .fd = -1,
				   .page_size = PAGE, .node = -1 };
	struct region *ram;
	struct error error;

	fake_start();
	fake.target.needs_fd = true;
	ram = fake_region("ram", 0, 4);
	EXPECT_FALSE(fake_memory(ram, 0, 2, -1));
	EXPECT_EQ(region_set_add_target(&fake.set, &fake.target, &error), -EINVAL);
	EXPECT_STREQ(error.action, "cannot register a DMA mapper that requires a backing fd");
	fake_stop();
	fake_start();
	fake.target.needs_fd = true;
	ram = fake_region("ram", 0, 4);
	EXPECT_FALSE(region_set_add_target(&fake.set, &fake.target, &error));
	EXPECT_EQ(region_add_mapping(&fake.set, ram, &mapping, &error), -EINVAL);
	EXPECT_STREQ(error.action, "cannot add a mapping with no backing fd: "
		     "a registered DMA mapper requires one");
	EXPECT_FALSE(fake_memory(ram, 0, 2, fake.memfd));
	fake_stop();
}
