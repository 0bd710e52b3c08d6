// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/calls.h"
#include "region_fake.h"
#include "ksft.h"

#define PAGE RANGE_PAGE_SIZE

struct region_fake fake;

static int fake_say(char call, struct range range, bool readonly)
{
	size_t used = strlen(fake.log);

	snprintf(fake.log + used, sizeof(fake.log) - used, "%c%llx-%llx%s ",
		 call, (unsigned long long)(range.start / PAGE),
		 (unsigned long long)(range.end / PAGE), readonly ? "r" : "");
	if (call != fake.fail || fake.pass--)
		return 0;
	fake.pass = 0;
	fake.fail = 0;
	return fake.rc;
}

static int fake_partition_map(void *data, const struct partition_range *range,
			      struct error *error)
{
	int rc = fake_say('m', (struct range){ range->gpa,
					       range->gpa + range->size },
			  !range->params.writable);

	(void)data;
	EXPECT_EQ(range->host, fake.reservation.base + range->gpa);
	if (rc)
		error_set(error, rc, "partition", "map", "the test wants it");
	return rc;
}

static int fake_partition_unmap(void *data, uint64_t gpa, uint64_t size)
{
	(void)data;
	return fake_say('u', (struct range){ gpa, gpa + size }, false);
}

static int fake_partition_prefetch(void *data, uint64_t gpa, uint64_t size)
{
	(void)data;
	return fake_say('f', (struct range){ gpa, gpa + size }, false);
}

const struct partition_ops fake_partition_ops = {
	.map		= fake_partition_map,
	.unmap		= fake_partition_unmap,
	.prefetch	= fake_partition_prefetch,
};

static int fake_dma_map(void *data, const struct dma_mapping *mapping)
{
	(void)data;
	EXPECT_EQ(mapping->host, fake.reservation.base + mapping->range.start);
	return fake_say('d', mapping->range, !mapping->writable);
}

static int fake_dma_unmap(void *data, struct range range)
{
	(void)data;
	return fake_say('e', range, false);
}

static const struct dma_ops fake_dma_ops = {
	.map	= fake_dma_map,
	.unmap	= fake_dma_unmap,
};

void fake_start(void)
{
	calls = &calls_system;
	memset(&fake, 0, sizeof(fake));
	EXPECT_FALSE(reservation_create(&fake.reservation, FAKE_SIZE, 0));
	region_set_init(&fake.set, &fake.reservation);
	fake.partition.ops = &fake_partition_ops;
	fake.partition.reservation = &fake.reservation;
	fake.target.ops = &fake_dma_ops;
	fake.memfd = calls_system.memfd("test", FAKE_SIZE);
	EXPECT_GE(fake.memfd, 0);
}

void fake_stop(void)
{
	region_set_destroy(&fake.set);
	reservation_destroy(&fake.reservation);
	close(fake.memfd);
}

void fake_attach(void)
{
	EXPECT_FALSE(region_set_add_target(&fake.set, &fake.target, NULL));
	EXPECT_FALSE(region_set_add_partition(&fake.set, &fake.partition, NULL));
}

bool fake_said(const char *expected)
{
	bool said = !strcmp(fake.log, expected);

	if (!said)
		printf("# expected: %s\n# log:      %s\n", expected, fake.log);
	fake.log[0] = '\0';
	return said;
}

struct region *fake_region(const char *name, uint64_t start, uint64_t end)
{
	struct region *region = NULL;

	region_add(&fake.set, name, (struct range){ start * PAGE, end * PAGE },
		   &region, NULL);
	return region;
}

int fake_memory(struct region *region, uint64_t start, uint64_t end, int fd)
{
	struct mapping mapping = {
		.range = { start * PAGE, end * PAGE },
		.fd = fd,
		.fd_offset = region->range.start + start * PAGE,
		.page_size = PAGE,
		.writable = true,
		.node = -1,
	};

	return region_add_mapping(&fake.set, region, &mapping, NULL);
}

int fake_map(struct region *region, bool writable)
{
	struct region_params params = { .writable = writable };

	return region_map(&fake.set, region, &params, NULL);
}
