// SPDX-License-Identifier: GPL-2.0
/* Memory of a device: what is mapped in it, and where the guest has it. */
#include <errno.h>
#include <unistd.h>

#include "../memory/device_memory.h"
#include "region_fake.h"
#include "unit.h"

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

static void test_device_memory_bounds(void)
{
	start();
	CHECK(!map(0, 2) && !map(6, 8));
	CHECK(map(1, 3) == -EEXIST && map(7, 9) == -EINVAL);
	CHECK(map(4, 4) == -EINVAL && map(0, 8) == -EEXIST);
	CHECK(unmap(1, 8) == -EINVAL && unmap(0, 7) == -EINVAL);
	CHECK_EQ(bar.nr_mappings, 2);
	CHECK(device_memory_map(&bar, (struct range){ 2 * PAGE, 3 * PAGE }, -1,
				0, true, NULL) == -EBADF);
	CHECK_EQ(bar.nr_mappings, 2);
	stop();
}

/* What was unmapped does not come back when the guest moves the BAR. */
static void test_device_memory_unmap(void)
{
	start();
	CHECK(!map(0, 2) && !map(2, 4) && !map(6, 8));
	CHECK(!show(16, true) && fake_said("d10-12 d12-14 d16-18 m10-18 "));
	CHECK(!unmap(2, 6) && fake_said("e12-14 ") && bar.nr_mappings == 2);
	CHECK(!show(32, false));
	CHECK(fake_said("e10-18 u10-18 d20-22r d26-28r m20-28r "));
	CHECK(!device_memory_hide(&bar, NULL) && fake_said("e20-28 u20-28 "));
	CHECK(!unmap(0, 2) && fake_said(""));
	CHECK(!show(0, true) && fake_said("d6-8 m0-8 "));
	stop();
}

/* Its fds are its own. */
static void test_device_memory_fd(void)
{
	int fd;

	start();
	fd = dup(fake.memfd);
	CHECK(!device_memory_map(&bar, (struct range){ 0, PAGE }, fd, 0, true,
				 NULL));
	close(fd);
	CHECK(!show(4, true));
	fake.reservation.base[4 * PAGE] = 3;
	CHECK(!show(8, true) && fake.reservation.base[8 * PAGE] == 3);
	stop();
}

/* A place that is taken, or outside: the guest does not have it any more. */
static void test_device_memory_refused(void)
{
	start();
	CHECK(!map(0, 2) && !show(4, true));
	CHECK(fake_region("ram", 32, 36, 255));
	CHECK(show(34, true) == -EEXIST && !bar.region);
	CHECK(show(60, true) == -EINVAL && !bar.region);
	CHECK_EQ(device_memory_show(&bar, UINT64_MAX - PAGE + 1, true, NULL),
		 -EINVAL);
	fake.log[0] = '\0';
	fake.fail = 'm';
	fake.rc = -ENOSPC;
	CHECK(show(4, true) == -ENOSPC && !bar.region);
	CHECK_EQ(fake.set.nr_regions, 1);
	CHECK(!show(4, true) && bar.region->active);
	stop();
}

static const struct unit_test tests[] = {
	{ "device_memory.bounds", test_device_memory_bounds },
	{ "device_memory.unmap", test_device_memory_unmap },
	{ "device_memory.fd", test_device_memory_fd },
	{ "device_memory.refused", test_device_memory_refused },
};

UNIT_TESTS(tests)
