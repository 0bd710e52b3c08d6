// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: what gmem_guest.ko makes private. A small host replaces KVM, and 4096 pages
 * replace the guest's memory: half of it belongs to the kernel, then comes ZONE_MOVABLE
 * with some reserved pages.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/gfp.h>

#include "../guest/private.c"
#include "../guest/ranges.c"

#define HOST_PAGES 4096UL
#define HOST_MOVABLE 2048UL
#define HOST_RESERVED 3000UL
#define HOST_RESERVED_END 3100UL
#define HOST_MAY (HOST_PAGES - HOST_MOVABLE - (HOST_RESERVED_END - HOST_RESERVED))

/* The pages that the host has made private, and those that it refuses. */
static struct {
	DECLARE_BITMAP(private, HOST_PAGES);
	unsigned long refused;		/* this page is refused */
	int refusal;			/* with this errno */
	unsigned int refusals;		/* this many times */
	unsigned int calls;
	int devices;
} host;

int gmem_guest_convert(unsigned long pfn, unsigned long pages, bool to_private)
{
	host.calls++;
	if (host.refusals && host.refused >= pfn && host.refused < pfn + pages) {
		host.refusals--;
		return host.refusal;
	}
	if (to_private)
		bitmap_set(host.private, pfn, pages);
	else
		bitmap_clear(host.private, pfn, pages);
	return 0;
}

int gmem_guest_page_may(unsigned long pfn)
{
	if (pfn >= HOST_PAGES)
		return -ENXIO;
	if (pfn < HOST_MOVABLE || (pfn >= HOST_RESERVED && pfn < HOST_RESERVED_END))
		return -EPERM;
	return 0;
}

int gmem_guest_ranges_ram(struct gmem_guest_ranges *ranges)
{
	*ranges = (struct gmem_guest_ranges){ 1, { { 0, HOST_PAGES } } };
	return 0;
}

int gmem_guest_devices_check(void)
{
	return host.devices;
}

static unsigned long host_private(void)
{
	return bitmap_weight(host.private, HOST_PAGES);
}

static int guest_test_init(struct kunit *test)
{
	struct gmem_guest_want *want = kunit_kzalloc(test, sizeof(*want), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, want);
	test->priv = want;
	memset(&host, 0, sizeof(host));
	return 0;
}

static void guest_test_exit(struct kunit *test)
{
	host.refusals = 0;
	gmem_guest_private_end();
	gmem_guest_private_free();
}

static void guest_parse(struct kunit *test)
{
	struct gmem_guest_want *want = test->priv;
	struct gmem_guest_ranges *ranges = &want->private;

	KUNIT_EXPECT_EQ(test, 0, gmem_guest_ranges_parse("0x1000-0x3000,16384-20480\n", ranges));
	KUNIT_ASSERT_EQ(test, 2, ranges->count);
	KUNIT_EXPECT_EQ(test, 1, ranges->range[0].start);
	KUNIT_EXPECT_EQ(test, 3, ranges->range[0].end);
	KUNIT_EXPECT_EQ(test, 4, ranges->range[1].start);
	KUNIT_EXPECT_EQ(test, 5, ranges->range[1].end);
	KUNIT_EXPECT_EQ(test, 0, gmem_guest_ranges_parse("none\n", ranges));
	KUNIT_EXPECT_EQ(test, 0, ranges->count);
	KUNIT_EXPECT_EQ(test, 0, gmem_guest_ranges_parse("", ranges));
}

static void guest_parse_bad(struct kunit *test)
{
	static const struct {
		const char *text;
		int rc;
	} bad[] = {
		{ "\n", -EINVAL }, { "-", -EINVAL }, { "0-", -EINVAL }, { "-4096", -EINVAL },
		{ "0", -EINVAL }, { "4096", -EINVAL }, { "4096-4096", -EINVAL },
		{ "8192-4096", -EINVAL }, { "0-4097", -EINVAL }, { "1-4096", -EINVAL },
		{ "0-4096,", -EINVAL }, { ",0-4096", -EINVAL }, { "0-4096-8192", -EINVAL },
		{ "0 -4096", -EINVAL }, { "a-b", -EINVAL }, { "0x-0x1000", -EINVAL },
		{ "0-0x10000000000000000", -ERANGE }, { "0-4K", -EINVAL },
	};
	struct gmem_guest_want *want = test->priv;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, bad[i].rc,
				    gmem_guest_ranges_parse(bad[i].text, &want->private),
				    "%s", bad[i].text);
}

static void guest_parse_many(struct kunit *test)
{
	struct gmem_guest_want *want = test->priv;
	char text[16 * (GMEM_GUEST_RANGES + 1)] = "";

	for (unsigned int i = 0; i < GMEM_GUEST_RANGES; i++)
		strlcat(text, i ? ",0-4096" : "0-4096", sizeof(text));
	KUNIT_EXPECT_EQ(test, 0, gmem_guest_ranges_parse(text, &want->private));
	KUNIT_EXPECT_EQ(test, GMEM_GUEST_RANGES, want->private.count);
	strlcat(text, ",0-4096", sizeof(text));
	KUNIT_EXPECT_EQ(test, -E2BIG, gmem_guest_ranges_parse(text, &want->private));
}

static void guest_movable(struct kunit *test)
{
	struct gmem_guest_want *want = test->priv;

	want->movable = true;
	KUNIT_EXPECT_EQ(test, 0, gmem_guest_private_set(want));
	KUNIT_EXPECT_EQ(test, HOST_MAY, host_private());
	KUNIT_EXPECT_EQ(test, HOST_MAY, gmem_guest_private_pages());
	KUNIT_EXPECT_FALSE(test, test_bit(HOST_MOVABLE - 1, host.private));
	KUNIT_EXPECT_FALSE(test, test_bit(HOST_RESERVED, host.private));
	KUNIT_EXPECT_TRUE(test, gmem_guest_private_in(HOST_RESERVED - 1, HOST_RESERVED_END));
	KUNIT_EXPECT_FALSE(test, gmem_guest_private_in(HOST_RESERVED, HOST_RESERVED_END));
	/* The same request again changes nothing. */
	host.calls = 0;
	KUNIT_EXPECT_EQ(test, 0, gmem_guest_private_set(want));
	KUNIT_EXPECT_EQ(test, 0, host.calls);
	KUNIT_EXPECT_EQ(test, 0, gmem_guest_private_end());
	KUNIT_EXPECT_EQ(test, 0, host_private());
	KUNIT_EXPECT_EQ(test, 0, gmem_guest_private_pages());
}

static void guest_shared(struct kunit *test)
{
	struct gmem_guest_want *want = test->priv;

	want->movable = true;
	want->shared = (struct gmem_guest_ranges){ 2, { { 0, 2100 }, { 2090, 2110 } } };
	KUNIT_EXPECT_EQ(test, 0, gmem_guest_private_set(want));
	KUNIT_EXPECT_EQ(test, HOST_MAY - 62, host_private());
	want->shared = (struct gmem_guest_ranges){ 1, { { 4000, 4001 } } };
	KUNIT_EXPECT_EQ(test, 0, gmem_guest_private_set(want));
	KUNIT_EXPECT_EQ(test, HOST_MAY - 1, host_private());
	KUNIT_EXPECT_FALSE(test, test_bit(4000, host.private));
	KUNIT_EXPECT_EQ(test, HOST_MAY - 1, gmem_guest_private_pages());
}

/* Given ranges: each is changed as a whole, or none is. */
static void guest_named(struct kunit *test)
{
	struct gmem_guest_want *want = test->priv;

	want->private = (struct gmem_guest_ranges){ 2, { { 2048, 2050 }, { 2049, 2060 } } };
	KUNIT_EXPECT_EQ(test, 0, gmem_guest_private_set(want));
	KUNIT_EXPECT_EQ(test, 12, host_private());
	want->private.range[1] = (struct gmem_guest_range){ 2990, 3001 };
	KUNIT_EXPECT_EQ(test, -EPERM, gmem_guest_private_set(want));
	want->private.range[1] = (struct gmem_guest_range){ 4000, 4097 };
	KUNIT_EXPECT_EQ(test, -ENXIO, gmem_guest_private_set(want));
	KUNIT_EXPECT_EQ(test, 12, host_private());
	/* Pages of the kernel are no error where they stay shared. */
	want->private.range[1] = (struct gmem_guest_range){ 2990, 3001 };
	want->shared = (struct gmem_guest_ranges){ 1, { { 3000, 3001 } } };
	KUNIT_EXPECT_EQ(test, 0, gmem_guest_private_set(want));
	KUNIT_EXPECT_EQ(test, 12, host_private());
	KUNIT_EXPECT_TRUE(test, test_bit(2999, host.private));
}

static void guest_refused(struct kunit *test)
{
	struct gmem_guest_want *want = test->priv;
	int rc[] = { -EINVAL, -EOPNOTSUPP, -EIO };

	want->private = (struct gmem_guest_ranges){ 1, { { 2048, 2050 } } };
	KUNIT_ASSERT_EQ(test, 0, gmem_guest_private_set(want));
	want->movable = true;
	host.refused = 4095;
	for (unsigned int i = 0; i < ARRAY_SIZE(rc); i++) {
		host.refusal = rc[i];
		host.refusals = 1;
		KUNIT_EXPECT_EQ(test, rc[i], gmem_guest_private_set(want));
		KUNIT_EXPECT_EQ(test, 2, host_private());
		KUNIT_EXPECT_EQ(test, 2, gmem_guest_private_pages());
	}
}

/* A page that is held for a moment is retried, but not without end. */
static void guest_busy(struct kunit *test)
{
	struct gmem_guest_want *want = test->priv;

	want->movable = true;
	host.refused = 2500;
	host.refusal = -EAGAIN;
	host.refusals = GMEM_GUEST_TRIES - 1;
	KUNIT_EXPECT_EQ(test, 0, gmem_guest_private_set(want));
	KUNIT_EXPECT_EQ(test, HOST_MAY, host_private());
	KUNIT_EXPECT_EQ(test, 0, gmem_guest_private_end());
	host.refusals = GMEM_GUEST_TRIES;
	KUNIT_EXPECT_EQ(test, -EAGAIN, gmem_guest_private_set(want));
	KUNIT_EXPECT_EQ(test, 0, host_private());
	KUNIT_EXPECT_EQ(test, 0, gmem_guest_private_pages());
}

/* Pages that the host does not make shared are still recorded as private. */
static void guest_kept(struct kunit *test)
{
	struct gmem_guest_want *want = test->priv;

	want->movable = true;
	KUNIT_ASSERT_EQ(test, 0, gmem_guest_private_set(want));
	host.refused = 2500;
	host.refusal = -EINVAL;
	host.refusals = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, gmem_guest_private_end());
	KUNIT_EXPECT_NE(test, 0, host_private());
	KUNIT_EXPECT_EQ(test, host_private(), gmem_guest_private_pages());
	KUNIT_EXPECT_TRUE(test, gmem_guest_private_in(2500, 2501));
	KUNIT_EXPECT_EQ(test, 0, gmem_guest_private_end());
	KUNIT_EXPECT_EQ(test, 0, host_private());
}

/* A page of the host has failed: all others are converted. */
static void guest_poison(struct kunit *test)
{
	struct gmem_guest_want *want = test->priv;

	want->movable = true;
	host.refused = 2500;
	host.refusal = -EHWPOISON;
	host.refusals = UINT_MAX;
	KUNIT_EXPECT_EQ(test, 0, gmem_guest_private_set(want));
	KUNIT_EXPECT_EQ(test, HOST_MAY - 1, host_private());
	KUNIT_EXPECT_FALSE(test, test_bit(2500, host.private));
	KUNIT_EXPECT_EQ(test, 0, gmem_guest_private_end());
	KUNIT_EXPECT_EQ(test, 0, host_private());
}

/* Private memory cannot go offline; memory that goes offline cannot become private. */
static void guest_offline(struct kunit *test)
{
	struct gmem_guest_want *want = test->priv;

	KUNIT_EXPECT_TRUE(test, gmem_guest_private_leave(2048, 2304));
	want->movable = true;
	KUNIT_EXPECT_EQ(test, 0, gmem_guest_private_set(want));
	KUNIT_EXPECT_EQ(test, HOST_MAY - 256, host_private());
	KUNIT_EXPECT_FALSE(test, gmem_guest_private_leave(2300, 2310));
	gmem_guest_private_left();
	KUNIT_EXPECT_EQ(test, 0, gmem_guest_private_set(want));
	KUNIT_EXPECT_EQ(test, HOST_MAY, host_private());
}

static void guest_devices(struct kunit *test)
{
	struct gmem_guest_want *want = test->priv;

	host.devices = -EBUSY;
	KUNIT_EXPECT_EQ(test, 0, gmem_guest_private_set(want));
	want->movable = true;
	KUNIT_EXPECT_EQ(test, -EBUSY, gmem_guest_private_set(want));
	KUNIT_EXPECT_EQ(test, 0, host.calls);
}

static void guest_show(struct kunit *test)
{
	struct gmem_guest_want *want = test->priv;
	char *buffer = (char *)get_zeroed_page(GFP_KERNEL);
	int length;

	KUNIT_ASSERT_NOT_NULL(test, buffer);
	KUNIT_EXPECT_EQ(test, 0, gmem_guest_private_show(buffer));
	want->movable = true;
	KUNIT_EXPECT_EQ(test, 0, gmem_guest_private_set(want));
	length = gmem_guest_private_show(buffer);
	KUNIT_EXPECT_STREQ(test, buffer, "0x800000-0xbb8000,0xc1c000-0x1000000");
	KUNIT_EXPECT_EQ(test, strlen(buffer), length);
	free_page((unsigned long)buffer);
}

static struct kunit_case guest_cases[] = {
	KUNIT_CASE(guest_parse),
	KUNIT_CASE(guest_parse_bad),
	KUNIT_CASE(guest_parse_many),
	KUNIT_CASE(guest_movable),
	KUNIT_CASE(guest_shared),
	KUNIT_CASE(guest_named),
	KUNIT_CASE(guest_refused),
	KUNIT_CASE(guest_busy),
	KUNIT_CASE(guest_kept),
	KUNIT_CASE(guest_poison),
	KUNIT_CASE(guest_offline),
	KUNIT_CASE(guest_devices),
	KUNIT_CASE(guest_show),
	{}
};

static struct kunit_suite guest_suite = {
	.name = "gmem_guest",
	.init = guest_test_init,
	.exit = guest_test_exit,
	.test_cases = guest_cases,
};
kunit_test_suite(guest_suite);
