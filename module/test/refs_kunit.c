// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the safe refcount. Folios that are not in a file, with the references of a page
 * cache, and one more or one less.
 */
#include <kunit/test.h>
#include <linux/mm.h>

#include "../internal.h"

/* No folio here has a mapping. */
static void refs_zap(struct gmem_inode *gi, pgoff_t start, pgoff_t end)
{
}

#define gmem_views_zap refs_zap

#include "../drain.c"
#include "../refs.c"

struct refs_fixture {
	struct gmem_inode gi;
	struct gmem_holder holder;
	struct folio *folio;
	u32 expected;
};

/* Allocate a folio with the references of the page cache and of the check. */
static void refs_alloc(struct kunit *test, unsigned int order)
{
	struct refs_fixture *self = test->priv;

	self->folio = folio_alloc(GFP_KERNEL | (order ? __GFP_COMP : 0), order);
	KUNIT_ASSERT_NOT_NULL(test, self->folio);
	folio_ref_add(self->folio, folio_nr_pages(self->folio));
	self->expected = folio_nr_pages(self->folio) + 1;
	KUNIT_ASSERT_EQ(test, self->expected, folio_ref_count(self->folio));
	self->holder = (struct gmem_holder){ .index = 77 };
}

static void refs_free(struct refs_fixture *self)
{
	folio_ref_sub(self->folio, folio_nr_pages(self->folio));
	folio_put(self->folio);
}

static int refs_test_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct refs_fixture),
				   GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

/* A reference for each page and one for the check: there is no other holder. */
static void refs_safe(struct kunit *test)
{
	struct refs_fixture *self = test->priv;
	static const unsigned int orders[] = { 0, 1, 2, 4, 9 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		refs_alloc(test, orders[i]);
		KUNIT_EXPECT_TRUE(test, gmem_folio_is_safe(&self->gi, self->folio,
							   &self->holder));
		KUNIT_EXPECT_EQ(test, self->expected,
				folio_ref_count(self->folio));
		KUNIT_EXPECT_EQ(test, 0, self->holder.refs_seen);
		KUNIT_EXPECT_EQ(test, 77, self->holder.index);
		refs_free(self);
	}
}

/* One more or one less reference: not safe, and both numbers are reported. */
static void refs_held(struct kunit *test)
{
	static const unsigned int orders[] = { 0, 2, 9 };
	static const int surplus[] = { -1, 1, 2, 512 };
	struct refs_fixture *self = test->priv;
	unsigned int i;
	int extra;

	for (i = 0; i < ARRAY_SIZE(orders) * ARRAY_SIZE(surplus); i++) {
		refs_alloc(test, orders[i / ARRAY_SIZE(surplus)]);
		extra = surplus[i % ARRAY_SIZE(surplus)];
		folio_ref_add(self->folio, extra);
		KUNIT_EXPECT_FALSE(test, gmem_folio_is_safe(&self->gi,
							    self->folio,
							    &self->holder));
		KUNIT_EXPECT_EQ(test, self->expected + extra,
				self->holder.refs_seen);
		KUNIT_EXPECT_EQ(test, self->expected,
				self->holder.refs_expected);
		KUNIT_EXPECT_EQ(test, 0, self->holder.mapcount);
		KUNIT_EXPECT_FALSE(test, self->holder.pinned);
		KUNIT_EXPECT_EQ(test, 77, self->holder.index);
		/* After its end the folio is safe again. */
		folio_ref_sub(self->folio, extra);
		KUNIT_EXPECT_TRUE(test, gmem_folio_is_safe(&self->gi, self->folio,
							   &self->holder));
		refs_free(self);
	}
}

/* A pin is distinguished from other references. */
static void refs_pinned(struct kunit *test)
{
	struct refs_fixture *self = test->priv;

	refs_alloc(test, 0);
	folio_ref_add(self->folio, GUP_PIN_COUNTING_BIAS);
	KUNIT_EXPECT_FALSE(test, gmem_folio_is_safe(&self->gi, self->folio,
						    &self->holder));
	KUNIT_EXPECT_TRUE(test, self->holder.pinned);
	KUNIT_EXPECT_EQ(test, self->expected + GUP_PIN_COUNTING_BIAS,
			self->holder.refs_seen);
	folio_ref_sub(self->folio, GUP_PIN_COUNTING_BIAS);
	refs_free(self);

	refs_alloc(test, 4);
	folio_ref_inc(self->folio);
	atomic_inc(&self->folio->_pincount);
	KUNIT_EXPECT_FALSE(test, gmem_folio_is_safe(&self->gi, self->folio,
						    &self->holder));
	KUNIT_EXPECT_TRUE(test, self->holder.pinned);
	KUNIT_EXPECT_EQ(test, self->expected + 1, self->holder.refs_seen);
	atomic_dec(&self->folio->_pincount);
	folio_ref_dec(self->folio);
	refs_free(self);
}

/* While another thread has frozen the count, it cannot be judged. */
static void refs_frozen(struct kunit *test)
{
	struct refs_fixture *self = test->priv;

	refs_alloc(test, 0);
	KUNIT_ASSERT_TRUE(test, folio_ref_freeze(self->folio, self->expected));
	KUNIT_EXPECT_FALSE(test, gmem_folio_is_safe(&self->gi, self->folio,
						    &self->holder));
	KUNIT_EXPECT_EQ(test, 0, self->holder.refs_seen);
	KUNIT_EXPECT_EQ(test, self->expected, self->holder.refs_expected);
	folio_ref_unfreeze(self->folio, self->expected);
	refs_free(self);
}

static struct kunit_case gmem_refs_cases[] = {
	KUNIT_CASE(refs_safe),
	KUNIT_CASE(refs_held),
	KUNIT_CASE(refs_pinned),
	KUNIT_CASE(refs_frozen),
	{}
};

static struct kunit_suite gmem_refs_suite = {
	.name = "gmem_refs",
	.init = refs_test_init,
	.test_cases = gmem_refs_cases,
};
kunit_test_suite(gmem_refs_suite);
