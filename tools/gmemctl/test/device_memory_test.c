// SPDX-License-Identifier: GPL-2.0
/* Memory of a device: what is mapped in it, and where the guest has it. */
#include <errno.h>
#include <unistd.h>

#include "../memory/device_memory.h"
#include "region_fake.h"
#include "ksft.h"

#define PAGE RANGE_PAGE_SIZE

static struct device_memory bar;

static int map(uint64_t first, uint64_t end)
{
	return device_memory_map(&bar, (struct range){ first * PAGE,
						       end * PAGE },
				 fake.memfd, first * PAGE, true, NULL);
}

static int unmap(uint64_t first, uint64_t end)
{
	return device_memory_unmap(&bar, (struct range){ first * PAGE,
							 end * PAGE }, NULL);
}

static int show(uint64_t page, bool writable)
{
	return device_memory_show(&bar, page * PAGE, writable, NULL);
}

static void start(void)
{
	fake_start();
	fake_attach();
	device_memory_init(&bar, &fake.set, "bar", 8 * PAGE);
}

static void stop(void)
{
	device_memory_destroy(&bar);
	fake_stop();
}

TEST_OF(device_memory, bounds)
{
	start();
	EXPECT_FALSE(map(0, 2));
	EXPECT_FALSE(map(6, 8));
	EXPECT_EQ(map(1, 3), -EEXIST);
	EXPECT_EQ(map(7, 9), -EINVAL);
	EXPECT_EQ(map(4, 4), -EINVAL);
	EXPECT_EQ(map(0, 8), -EEXIST);
	EXPECT_EQ(unmap(1, 8), -EINVAL);
	EXPECT_EQ(unmap(0, 7), -EINVAL);
	EXPECT_EQ(bar.nr_mappings, 2);
	EXPECT_EQ(device_memory_map(&bar, (struct range){ 2 * PAGE, 3 * PAGE }, -1, 0, true, NULL),
		  -EBADF);
	EXPECT_EQ(bar.nr_mappings, 2);
	stop();
}

/* What was unmapped does not come back when the guest moves the BAR. */
TEST_OF(device_memory, unmap)
{
	start();
	EXPECT_FALSE(map(0, 2));
	EXPECT_FALSE(map(2, 4));
	EXPECT_FALSE(map(6, 8));
	EXPECT_FALSE(show(16, true));
	EXPECT_TRUE(fake_said("d10-12 d12-14 d16-18 m10-18 "));
	EXPECT_FALSE(unmap(2, 6));
	EXPECT_TRUE(fake_said("e12-14 "));
	EXPECT_EQ(bar.nr_mappings, 2);
	EXPECT_FALSE(show(32, false));
	EXPECT_TRUE(fake_said("e10-18 u10-18 d20-22r d26-28r m20-28r "));
	EXPECT_FALSE(device_memory_hide(&bar, NULL));
	EXPECT_TRUE(fake_said("e20-28 u20-28 "));
	EXPECT_FALSE(unmap(0, 2));
	EXPECT_TRUE(fake_said(""));
	EXPECT_FALSE(show(0, true));
	EXPECT_TRUE(fake_said("d6-8 m0-8 "));
	stop();
}

/* Its fds are its own. */
TEST_OF(device_memory, fd)
{
	int fd;

	start();
	fd = dup(fake.memfd);
	EXPECT_FALSE(device_memory_map(&bar, (struct range){ 0, PAGE }, fd, 0, true, NULL));
	close(fd);
	EXPECT_FALSE(show(4, true));
	fake.reservation.base[4 * PAGE] = 3;
	EXPECT_FALSE(show(8, true));
	EXPECT_EQ(fake.reservation.base[8 * PAGE], 3);
	stop();
}

/* A place that is taken, or outside: the guest does not have it any more. */
TEST_OF(device_memory, refused)
{
	start();
	EXPECT_FALSE(map(0, 2));
	EXPECT_FALSE(show(4, true));
	EXPECT_TRUE(fake_region("ram", 32, 36, 255));
	EXPECT_EQ(show(34, true), -EEXIST);
	EXPECT_FALSE(bar.region);
	EXPECT_EQ(show(60, true), -EINVAL);
	EXPECT_FALSE(bar.region);
	EXPECT_EQ(device_memory_show(&bar, UINT64_MAX - PAGE + 1, true, NULL), -EINVAL);
	fake.log[0] = '\0';
	fake.fail = 'm';
	fake.rc = -ENOSPC;
	EXPECT_EQ(show(4, true), -ENOSPC);
	EXPECT_FALSE(bar.region);
	EXPECT_EQ(fake.set.nr_regions, 1);
	EXPECT_FALSE(show(4, true));
	EXPECT_TRUE(bar.region->active);
	stop();
}
