// SPDX-License-Identifier: GPL-2.0
/* Where RAM is in the VM's guest_memfd, and what of it a slot may cover. */
#include <errno.h>
#include <string.h>

#include "../memory/options.h"
#include "../memory/range.h"
#include "unit.h"

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
static void test_layout_packed(void)
{
	CHECK(!add(0x100, 0x110) && !add(0, 8) && !add(8, 9));
	CHECK_EQ(layout.size, 25 * PAGE);
	CHECK(classify(0x104, 0x106) == 1 && offset == 4 * PAGE);
	CHECK(classify(0, 8) == 1 && offset == 16 * PAGE);
	CHECK(classify(8, 9) == 1 && offset == 24 * PAGE);
	layout_destroy(&layout);
}

static void test_layout_add_refused(void)
{
	CHECK(!add(4, 8));
	CHECK(add(7, 9) == -EEXIST && add(4, 8) == -EEXIST);
	CHECK_EQ(add(0, 16), -EEXIST);
	CHECK(add(9, 9) == -EINVAL && add(10, 9) == -EINVAL);
	CHECK(layout_add(&layout, (struct range){ 1, PAGE }, NULL) == -EINVAL);
	CHECK_EQ(add(8, (UINT64_C(1) << 51) + 8), -EOVERFLOW);
	CHECK(layout.nr_ranges == 1 && layout.size == 4 * PAGE);
	layout_destroy(&layout);
}

static void test_layout_not_ram(void)
{
	CHECK(!add(4, 8));
	CHECK(classify(0, 4) == 0 && classify(8, 9) == 0);
	CHECK_EQ(offset, UINT64_MAX);
	layout_destroy(&layout);
}

static void test_layout_partial(void)
{
	struct error error;

	CHECK(!add(4, 8));
	CHECK(classify(3, 5) == -EINVAL && classify(7, 9) == -EINVAL);
	CHECK(layout_classify(&layout, (struct range){ 0, 16 * PAGE }, &offset,
			      &error) == -EINVAL);
	CHECK(!strcmp(error.action, "KVM guest_memfd mappings must be fully "
		      "contained in one RAM range"));
	layout_destroy(&layout);
}

/* They are adjacent for the guest, and even in the file: two ranges still. */
static void test_layout_adjacent(void)
{
	CHECK(!add(0, 4) && !add(4, 8));
	CHECK(classify(2, 6) == -EINVAL && classify(0, 8) == -EINVAL);
	CHECK(classify(0, 4) == 1 && classify(4, 8) == 1);
	layout_destroy(&layout);
}

/* layout_add() makes none like this; the check holds on its own. */
static void test_layout_ambiguous(void)
{
	struct layout_range ranges[] = {
		{ { 0, 8 * PAGE }, 0 },
		{ { 4 * PAGE, 16 * PAGE }, 8 * PAGE },
	};
	struct layout twice = { ranges, 2, 20 * PAGE };
	struct error error;

	CHECK(layout_classify(&twice, (struct range){ 5 * PAGE, 6 * PAGE },
			      &offset, &error) == -EINVAL);
	CHECK(!strcmp(error.action, "KVM guest_memfd mappings must be "
		      "contained in exactly one RAM range"));
}

static void test_split_boundaries(void)
{
	static const uint64_t starts[] = {
		0x0, 0xa0000, 0xc0000, 0xc4000, 0xc8000, 0xcc000, 0xd0000,
		0xd4000, 0xd8000, 0xdc000, 0xe0000, 0xe4000, 0xe8000, 0xec000,
		0xf0000, 0x100000, 0x40000000,
	};
	struct range pieces[SPLIT_REGIONS];

	CHECK(split_ram((struct range){ 0, 0x40000000 }, pieces) == 16);
	for (unsigned int i = 0; i < SPLIT_REGIONS; i++)
		CHECK(pieces[i].start == starts[i] &&
		      pieces[i].end == starts[i + 1]);
	CHECK(split_ram((struct range){ 0, 0x100000 }, pieces) == 15);
	CHECK(split_possible((struct range){ 0, 0x100000 }));
	CHECK(!split_possible((struct range){ 0, 0xff000 }));
	CHECK(!split_possible((struct range){ PAGE, 0x200000 }));
}

static const struct unit_test tests[] = {
	{ "layout.packed", test_layout_packed },
	{ "layout.add_refused", test_layout_add_refused },
	{ "layout.not_ram", test_layout_not_ram },
	{ "layout.partial", test_layout_partial },
	{ "layout.adjacent", test_layout_adjacent },
	{ "layout.ambiguous", test_layout_ambiguous },
	{ "split.boundaries", test_split_boundaries },
};

UNIT_TESTS(tests)
