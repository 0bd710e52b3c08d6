// SPDX-License-Identifier: GPL-2.0
/* Where RAM is in the VM's guest_memfd, and what of it a slot may cover. */
#include <errno.h>
#include <string.h>

#include "../memory/options.h"
#include "../memory/range.h"
#include "ksft.h"

#define PAGE RANGE_PAGE_SIZE

static struct layout layout;
static uint64_t offset;

static int add(uint64_t start, uint64_t end)
{
	return layout_add(&layout, (struct range){ start * PAGE, end * PAGE },
			  NULL);
}

static int classify(uint64_t start, uint64_t end)
{
	offset = UINT64_MAX;
	return layout_classify(&layout,
			       (struct range){ start * PAGE, end * PAGE },
			       &offset, NULL);
}

/* Two ranges with a gap: packed in the order they came. */
TEST_OF(layout, packed)
{
	EXPECT_FALSE(add(0x100, 0x110));
	EXPECT_FALSE(add(0, 8));
	EXPECT_FALSE(add(8, 9));
	EXPECT_EQ(layout.size, 25 * PAGE);
	EXPECT_EQ(classify(0x104, 0x106), 1);
	EXPECT_EQ(offset, 4 * PAGE);
	EXPECT_EQ(classify(0, 8), 1);
	EXPECT_EQ(offset, 16 * PAGE);
	EXPECT_EQ(classify(8, 9), 1);
	EXPECT_EQ(offset, 24 * PAGE);
	layout_destroy(&layout);
}

TEST_OF(layout, add_refused)
{
	EXPECT_FALSE(add(4, 8));
	EXPECT_EQ(add(7, 9), -EEXIST);
	EXPECT_EQ(add(4, 8), -EEXIST);
	EXPECT_EQ(add(0, 16), -EEXIST);
	EXPECT_EQ(add(9, 9), -EINVAL);
	EXPECT_EQ(add(10, 9), -EINVAL);
	EXPECT_EQ(layout_add(&layout, (struct range){ 1, PAGE }, NULL), -EINVAL);
	EXPECT_EQ(add(8, (UINT64_C(1) << 51) + 8), -EOVERFLOW);
	EXPECT_EQ(layout.nr_ranges, 1);
	EXPECT_EQ(layout.size, 4 * PAGE);
	layout_destroy(&layout);
}

TEST_OF(layout, not_ram)
{
	EXPECT_FALSE(add(4, 8));
	EXPECT_EQ(classify(0, 4), 0);
	EXPECT_EQ(classify(8, 9), 0);
	EXPECT_EQ(offset, UINT64_MAX);
	layout_destroy(&layout);
}

TEST_OF(layout, partial)
{
	struct error error;

	EXPECT_FALSE(add(4, 8));
	EXPECT_EQ(classify(3, 5), -EINVAL);
	EXPECT_EQ(classify(7, 9), -EINVAL);
	EXPECT_EQ(layout_classify(&layout, (struct range){ 0, 16 * PAGE }, &offset, &error),
		  -EINVAL);
	EXPECT_STREQ(error.action,
		     "KVM guest_memfd mappings must be fully contained in one RAM range");
	layout_destroy(&layout);
}

/* They are adjacent for the guest, and even in the file: two ranges still. */
TEST_OF(layout, adjacent)
{
	EXPECT_FALSE(add(0, 4));
	EXPECT_FALSE(add(4, 8));
	EXPECT_EQ(classify(2, 6), -EINVAL);
	EXPECT_EQ(classify(0, 8), -EINVAL);
	EXPECT_EQ(classify(0, 4), 1);
	EXPECT_EQ(classify(4, 8), 1);
	layout_destroy(&layout);
}

/* layout_add() makes none like this; the check holds on its own. */
TEST_OF(layout, ambiguous)
{
	struct layout_range ranges[] = {
		{ { 0, 8 * PAGE }, 0 },
		{ { 4 * PAGE, 16 * PAGE }, 8 * PAGE },
	};
	struct layout twice = { ranges, 2, 20 * PAGE };
	struct error error;

	EXPECT_EQ(layout_classify(&twice, (struct range){ 5 * PAGE, 6 * PAGE }, &offset, &error),
		  -EINVAL);
	EXPECT_STREQ(error.action,
		     "KVM guest_memfd mappings must be contained in exactly one RAM range");
}
