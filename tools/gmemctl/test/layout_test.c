// SPDX-License-Identifier: GPL-2.0
/* Where RAM is in the VM's guest_memfd, and what of it a slot may cover. */
#include "../memory/options.h"
#include "ksft.h"

#define PAGE RANGE_PAGE_SIZE

static struct layout layout;
static struct error error;

/* A request of two ranges, and one of a third. */
static int create(struct range first, struct range second, struct range third)
{
	struct range ranges[] = { first, second, third };
	struct memory_request requests[] = {
		{ .ranges = ranges, .nr_ranges = 2 },
		{ .ranges = &ranges[2], .nr_ranges = 1 },
	};
	struct memory_config config = { .requests = requests, .nr_requests = 2 };

	return layout_create(&layout, &config, &error);
}

static struct range pages(uint64_t start, uint64_t end)
{
	return (struct range){ start * PAGE, end * PAGE };
}

static int find(uint64_t start, uint64_t end)
{
	const struct layout_range *ram = layout_find(&layout, pages(start, end));

	return ram ? (int)(ram - layout.ranges) : -1;
}

/* With a gap: packed in the order they came. Neighbours are two ranges still. */
TEST_OF(layout, packed)
{
	EXPECT_FALSE(create(pages(0x100, 0x110), pages(0, 8), pages(8, 9)));
	EXPECT_EQ(layout.size, 25 * PAGE);
	EXPECT_EQ(layout.ranges[1].offset, 16 * PAGE);
	EXPECT_EQ(layout.ranges[1].part, 16 * PAGE);
	EXPECT_EQ(layout.ranges[2].offset, 24 * PAGE);
	EXPECT_EQ(layout.ranges[2].part, 0);
	EXPECT_EQ(layout.ranges[2].request, layout.ranges[1].request + 1);
	EXPECT_EQ(find(0x104, 0x106), 0);
	EXPECT_EQ(find(0, 8), 1);
	EXPECT_EQ(find(8, 9), 2);
	EXPECT_EQ(find(7, 9), -1);
	EXPECT_EQ(find(9, 10), -1);
	EXPECT_EQ(find(0x10f, 0x111), -1);
	EXPECT_EQ(find(0, 0x200), -1);
	EXPECT_EQ(find(UINT64_MAX / PAGE, 0), -1);
	EXPECT_EQ(find(4, 4), -1);
	layout_destroy(&layout);
}

TEST_OF(layout, refused)
{
	static const struct {
		struct range range;
		int rc;
		const char *action;
	} cases[] = {
		{ { 7 * PAGE, 9 * PAGE }, -EEXIST, "RAM ranges overlap" },
		{ { 4 * PAGE, 8 * PAGE }, -EEXIST, "RAM ranges overlap" },
		{ { 0, 16 * PAGE }, -EEXIST, "RAM ranges overlap" },
		{ { 9 * PAGE, (UINT64_C(1) << 63) + 8 * PAGE }, -EOVERFLOW, "too much RAM in all" },
	};

	ksft_for_each(c, cases) {
		EXPECT_EQ(create(pages(4, 8), pages(8, 9), c->range), c->rc);
		EXPECT_STREQ(error.action, c->action);
		EXPECT_FALSE(layout.ranges);
	}
}
