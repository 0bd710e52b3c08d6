// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: ranges. Byte ranges of ioctls become page ranges, overlapping ranges are granted
 * in the order of their requests, and page faults wait for ranges in transit.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "../gate.c"
#include "../ioctl.c"
#include "../range.c"

#define LENGTH (16 * PAGE_SIZE)
#define NR_WAITERS 4
#define NR_PLACES 12

/* Set up the part of an inode that range locks use. */
static int range_test_init(struct kunit *test)
{
	struct gmem_inode *gi = kunit_kzalloc(test, sizeof(*gi), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, gi);
	inode_init_once(&gi->vfs_inode);
	gi->vfs_inode.i_mapping = &gi->vfs_inode.i_data;
	i_size_write(&gi->vfs_inode, LENGTH);
	gmem_ranges_init(&gi->ranges);
	gmem_gates_init(gi);
	test->priv = gi;
	return 0;
}

static int range_take(struct gmem_inode *gi, struct gmem_range_lock *range,
		      pgoff_t start, pgoff_t end)
{
	gmem_range_init(range, start, end);
	return gmem_range_lock(gi, range);
}

/* Queue a range without waiting. */
static void range_queue(struct gmem_inode *gi, struct gmem_range_lock *range,
			pgoff_t start, pgoff_t end)
{
	gmem_range_init(range, start, end);
	gmem_range_enqueue(gi, range);
}

/* Number of ranges of the file that are granted or waiting. */
static unsigned int range_queued(struct gmem_inode *gi)
{
	struct gmem_range_lock *range;
	unsigned int count = 0;

	spin_lock(&gi->ranges.lock);
	gmem_for_each_range(range, &gi->ranges, 0, ULONG_MAX)
		count++;
	spin_unlock(&gi->ranges.lock);
	return count;
}

/* The results of gmem_ucmd_range() for all kinds of ranges. */
static void ucmd_range(struct kunit *test)
{
	static const struct {
		u64 offset, length;
		int rc;
	} cases[] = {
		{ 0, PAGE_SIZE, 0 },
		{ 0, LENGTH, 0 },
		{ LENGTH - PAGE_SIZE, PAGE_SIZE, 0 },
		{ 0, 0, -EINVAL },
		{ LENGTH, 0, -EINVAL },
		{ 1, PAGE_SIZE, -EINVAL },
		{ PAGE_SIZE - 1, PAGE_SIZE, -EINVAL },
		{ 0, PAGE_SIZE + 1, -EINVAL },
		{ 0, PAGE_SIZE - 1, -EINVAL },
		{ 0, LENGTH + PAGE_SIZE, -EINVAL },
		{ LENGTH, PAGE_SIZE, -EINVAL },
		{ PAGE_SIZE, LENGTH, -EINVAL },
		{ LENGTH - 1, 1, -EINVAL },
		{ 1ULL << 63, 1ULL << 62, -EINVAL },
		{ 0, -PAGE_SIZE, -EINVAL },
		{ -PAGE_SIZE, PAGE_SIZE, -EOVERFLOW },
		{ 1ULL << 63, 1ULL << 63, -EOVERFLOW },
		{ -1ULL, 1, -EOVERFLOW },
		{ 1, -1ULL, -EOVERFLOW },
		{ -1ULL, -1ULL, -EOVERFLOW },
	};
	struct gmem_inode *gi = test->priv;
	pgoff_t start, end;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		start = 100;
		end = 100;
		KUNIT_EXPECT_EQ_MSG(test, cases[i].rc,
				    gmem_ucmd_range(gi, cases[i].offset,
						    cases[i].length, &start,
						    &end),
				    "case %u", i);
		if (cases[i].rc)
			continue;
		KUNIT_EXPECT_EQ(test, cases[i].offset / PAGE_SIZE, start);
		KUNIT_EXPECT_EQ(test, cases[i].length / PAGE_SIZE, end - start);
	}
}

/* Two ranges overlap exactly if they have a page in common. */
static void range_overlap(struct kunit *test)
{
	struct gmem_range_lock range = {};
	pgoff_t start, end, page;
	bool common;

	for (range.start = 0; range.start < 6; range.start++)
		for (range.end = range.start + 1; range.end < 7; range.end++)
			for (start = 0; start < 6; start++)
				for (end = start + 1; end < 7; end++) {
					common = false;
					for (page = start; page < end; page++)
						common |= page >= range.start &&
							  page < range.end;
					gmem_range_init(&range, range.start,
							range.end);
					KUNIT_EXPECT_EQ(test, common,
							gmem_range_overlaps(&range,
									    start,
									    end));
				}
}

/* Overlapping ranges are granted in order; a range that overlaps no other does not wait. */
static void range_order(struct kunit *test)
{
	struct gmem_inode *gi = test->priv;
	struct gmem_range_lock a, b, c, d;

	KUNIT_ASSERT_EQ(test, 0, range_take(gi, &a, 0, 10));
	range_queue(gi, &b, 5, 15);
	range_queue(gi, &c, 12, 20);
	range_queue(gi, &d, 20, 30);
	KUNIT_EXPECT_TRUE(test, gmem_range_granted(&a));
	KUNIT_EXPECT_FALSE(test, gmem_range_granted(&b));
	/* Its pages are free, but @b came first and waits for some of them. */
	KUNIT_EXPECT_FALSE(test, gmem_range_granted(&c));
	KUNIT_EXPECT_TRUE(test, gmem_range_granted(&d));

	gmem_range_unlock(gi, &a);
	KUNIT_EXPECT_TRUE(test, gmem_range_granted(&b));
	KUNIT_EXPECT_FALSE(test, gmem_range_granted(&c));
	gmem_range_unlock(gi, &b);
	KUNIT_EXPECT_TRUE(test, gmem_range_granted(&c));
	gmem_range_unlock(gi, &c);
	gmem_range_unlock(gi, &d);
	KUNIT_EXPECT_EQ(test, 0, range_queued(gi));
}

/* A range that gives up waiting does not block others any more. */
static void range_give_up(struct kunit *test)
{
	struct gmem_inode *gi = test->priv;
	struct gmem_range_lock a, b, c;

	KUNIT_ASSERT_EQ(test, 0, range_take(gi, &a, 0, 2));
	range_queue(gi, &b, 1, 4);
	range_queue(gi, &c, 3, 5);
	KUNIT_EXPECT_FALSE(test, gmem_range_granted(&c));
	gmem_range_unlock(gi, &b);
	KUNIT_EXPECT_TRUE(test, gmem_range_granted(&c));
	gmem_range_unlock(gi, &c);
	gmem_range_unlock(gi, &a);
	KUNIT_EXPECT_EQ(test, 0, range_queued(gi));
}

struct range_waiter {
	struct gmem_inode *gi;
	struct gmem_range_lock range;
	atomic_t *turn;
	int number;
	int came;
	struct completion done;
};

static int range_waiter_fn(void *data)
{
	struct range_waiter *w = data;

	gmem_range_init(&w->range, 0, 4);
	gmem_range_lock_wait(w->gi, &w->range);
	w->came = atomic_fetch_inc(w->turn);
	gmem_range_unlock(w->gi, &w->range);
	complete(&w->done);
	return 0;
}

/* Sleeping threads are woken in the order of their requests. */
static void range_threads(struct kunit *test)
{
	struct gmem_inode *gi = test->priv;
	struct range_waiter *w;
	struct gmem_range_lock range;
	struct task_struct *task;
	atomic_t turn = ATOMIC_INIT(0);
	int i, tries;

	w = kunit_kcalloc(test, NR_WAITERS, sizeof(*w), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, w);
	KUNIT_ASSERT_EQ(test, 0, range_take(gi, &range, 2, 3));
	for (i = 0; i < NR_WAITERS; i++) {
		w[i].gi = gi;
		w[i].turn = &turn;
		init_completion(&w[i].done);
		task = kthread_run(range_waiter_fn, &w[i], "gmem_range/%d", i);
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
		for (tries = 0; tries < 5000; tries++) {
			if (range_queued(gi) == i + 2)
				break;
			usleep_range(500, 1000);
		}
		KUNIT_EXPECT_EQ(test, i + 2, range_queued(gi));
	}
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&turn));
	gmem_range_unlock(gi, &range);
	for (i = 0; i < NR_WAITERS; i++) {
		wait_for_completion(&w[i].done);
		KUNIT_EXPECT_EQ(test, i, w[i].came);
	}
	KUNIT_EXPECT_EQ(test, 0, range_queued(gi));
}

static pgoff_t range_transit_in(struct gmem_inode *gi, pgoff_t start,
				pgoff_t end)
{
	struct gmem_gate *gate = gmem_gate_of(gi, start);
	pgoff_t page;

	down_read(&gate->lock);
	page = gmem_range_next_transit(gi, start, end);
	up_read(&gate->lock);
	return page;
}

/* The first page in transit, for every range and two marks. */
static void range_transit(struct kunit *test)
{
	struct gmem_inode *gi = test->priv;
	struct gmem_range_lock a, b, c;
	pgoff_t start, end, page;

	KUNIT_ASSERT_EQ(test, 0, range_take(gi, &a, 10, 12));
	KUNIT_ASSERT_EQ(test, 0, range_take(gi, &b, 3, 6));
	KUNIT_ASSERT_EQ(test, 0, range_take(gi, &c, 0, 2));
	KUNIT_EXPECT_EQ(test, 16, range_transit_in(gi, 0, 16));
	gmem_range_hold_faults(gi, &a);
	gmem_range_hold_faults(gi, &b);

	for (start = 0; start < 15; start++)
		for (end = start + 1; end < 16; end++) {
			for (page = start; page < end; page++)
				if ((page >= 10 && page < 12) ||
				    (page >= 3 && page < 6))
					break;
			KUNIT_EXPECT_EQ(test, page,
					range_transit_in(gi, start, end));
		}

	gmem_range_unlock(gi, &b);
	KUNIT_EXPECT_EQ(test, 10, range_transit_in(gi, 0, 16));
	gmem_range_unlock(gi, &a);
	gmem_range_unlock(gi, &c);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&gmem_gate_of(gi, 0)->shut));
	KUNIT_EXPECT_EQ(test, 16, range_transit_in(gi, 0, 16));
}

/* Which gates belong to ranges, and that each opened gate is closed again. */
static void range_gates(struct kunit *test)
{
	const pgoff_t block = 1UL << GMEM_BLOCK_SHIFT;
	const struct {
		struct gmem_span span;
		unsigned long gates;
	} cases[] = {
		{ { 0, 1 }, BIT(0) },
		{ { block - 1, block }, BIT(0) },
		{ { block - 1, block + 1 }, BIT(0) | BIT(1) },
		{ { 31 * block, 33 * block }, BIT(31) | BIT(0) },
		{ { block, 32 * block }, GMEM_ALL_GATES & ~BIT(0) },
		{ { block, 33 * block }, GMEM_ALL_GATES },
		{ { 5 * block, ULONG_MAX }, GMEM_ALL_GATES },
	};
	const struct gmem_span both[] = { { 0, 1 }, { 64 * block, 66 * block } };
	struct gmem_inode *gi = test->priv;
	struct gmem_range_lock a, b;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ(test, cases[i].gates, gmem_gates_of(&cases[i].span, 1));
	KUNIT_EXPECT_EQ(test, BIT(0) | BIT(1), gmem_gates_of(both, 2));

	KUNIT_ASSERT_EQ(test, 0, range_take(gi, &a, block - 1, block));
	KUNIT_ASSERT_EQ(test, 0, range_take(gi, &b, block, block + 1));
	gmem_range_hold_faults(gi, &b);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&gi->gates[0].shut));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&gi->gates[1].shut));
	gmem_range_hold_faults(gi, &a);
	gmem_range_unlock(gi, &b);
	for (i = 0; i < GMEM_NR_GATES; i++)
		KUNIT_EXPECT_EQ(test, !i, atomic_read(&gi->gates[i].shut));
	gmem_range_unlock(gi, &a);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&gi->gates[0].shut));
}

/* A page fault waits for marked ranges; a kernel's page fault has a timeout. */
static void range_busy(struct kunit *test)
{
	struct gmem_inode *gi = test->priv;
	struct gmem_range_lock a, waits;

	KUNIT_ASSERT_EQ(test, 0, range_take(gi, &a, 4, 8));
	range_queue(gi, &waits, 6, 10);
	KUNIT_EXPECT_FALSE(test, gmem_range_busy(gi, 4));
	gmem_range_hold_faults(gi, &a);
	KUNIT_EXPECT_FALSE(test, gmem_range_busy(gi, 3));
	KUNIT_EXPECT_TRUE(test, gmem_range_busy(gi, 4));
	KUNIT_EXPECT_TRUE(test, gmem_range_busy(gi, 7));
	KUNIT_EXPECT_FALSE(test, gmem_range_busy(gi, 8));
	KUNIT_EXPECT_EQ(test, 0, gmem_range_wait(gi, 8, 0));
	KUNIT_EXPECT_EQ(test, 0, gmem_range_wait(gi, 8, FAULT_FLAG_USER));

	KUNIT_EXPECT_FALSE(test, gmem_range_stuck(gi, 4));
	gmem_range_enter_store(gi, &a);
	KUNIT_EXPECT_FALSE(test, gmem_range_stuck(gi, 4));
	a.store_call = jiffies - GMEM_STORE_WAIT;
	KUNIT_EXPECT_TRUE(test, gmem_range_stuck(gi, 7));
	KUNIT_EXPECT_FALSE(test, gmem_range_stuck(gi, 8));
	gmem_range_enter_store(gi, &a);
	KUNIT_EXPECT_FALSE(test, gmem_range_stuck(gi, 7));

	gmem_range_unlock(gi, &a);
	KUNIT_EXPECT_FALSE(test, gmem_range_busy(gi, 4));
	KUNIT_EXPECT_EQ(test, 0, gmem_range_wait(gi, 4, FAULT_FLAG_USER));
	gmem_range_unlock(gi, &waits);
}

struct fault_waiter {
	struct gmem_inode *gi;
	unsigned int flags;
	int rc;
	bool over;
	struct completion started, done;
};

static int fault_waiter_fn(void *data)
{
	struct fault_waiter *w = data;

	complete(&w->started);
	w->rc = gmem_range_wait(w->gi, 5, w->flags);
	WRITE_ONCE(w->over, true);
	complete(&w->done);
	return 0;
}

/* A page fault waits until the range is unlocked, and not less. */
static void range_fault_waits(struct kunit *test)
{
	static const unsigned int flags[] = {
		0, FAULT_FLAG_USER, FAULT_FLAG_USER | FAULT_FLAG_INTERRUPTIBLE,
	};
	struct gmem_inode *gi = test->priv;
	struct gmem_range_lock range;
	struct fault_waiter w = { .gi = gi };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		KUNIT_ASSERT_EQ(test, 0, range_take(gi, &range, 5, 6));
		gmem_range_hold_faults(gi, &range);
		w.flags = flags[i];
		w.over = false;
		init_completion(&w.started);
		init_completion(&w.done);
		KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(fault_waiter_fn, &w,
							    "gmem_fault")));
		wait_for_completion(&w.started);
		msleep(20);
		KUNIT_EXPECT_FALSE(test, READ_ONCE(w.over));
		gmem_range_unlock(gi, &range);
		wait_for_completion(&w.done);
		KUNIT_EXPECT_EQ(test, 0, w.rc);
	}
}

/* Several ranges of one task are granted together, and before later requests. */
static void range_several(struct kunit *test)
{
	static const struct gmem_span spans[] = { { 0, 2 }, { 8, 10 } };
	struct gmem_inode *gi = test->priv;
	struct gmem_range_lock two, hull, other, between;

	KUNIT_ASSERT_EQ(test, 0, range_take(gi, &other, 7, 9));
	gmem_range_init_spans(&two, spans, 2);
	gmem_range_enqueue(gi, &two);
	range_queue(gi, &hull, 0, 10);
	range_queue(gi, &between, 2, 7);
	KUNIT_EXPECT_FALSE(test, gmem_range_granted(&two));
	KUNIT_EXPECT_FALSE(test, gmem_range_conflicts(&two, &between));
	KUNIT_EXPECT_TRUE(test, gmem_range_conflicts(&hull, &two));
	gmem_range_unlock(gi, &other);
	KUNIT_EXPECT_TRUE(test, gmem_range_granted(&two));
	KUNIT_EXPECT_FALSE(test, gmem_range_granted(&hull));

	gmem_range_hold_faults(gi, &two);
	KUNIT_EXPECT_TRUE(test, gmem_range_busy(gi, 1));
	KUNIT_EXPECT_FALSE(test, gmem_range_busy(gi, 5));
	KUNIT_EXPECT_TRUE(test, gmem_range_busy(gi, 9));
	KUNIT_EXPECT_EQ(test, 8, range_transit_in(gi, 2, 100));
	gmem_range_unlock(gi, &two);
	KUNIT_EXPECT_FALSE(test, gmem_range_busy(gi, 1));
	KUNIT_EXPECT_TRUE(test, gmem_range_granted(&hull));
	gmem_range_unlock(gi, &hull);
	gmem_range_unlock(gi, &between);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&gmem_gate_of(gi, 0)->shut));
}

/* A range that blocks an urgent request is told so, until that request gives up. */
static void range_urgent(struct kunit *test)
{
	struct gmem_inode *gi = test->priv;
	struct gmem_range_lock held, waits, urgent, later, beside;

	KUNIT_ASSERT_EQ(test, 0, range_take(gi, &held, 0, 4));
	KUNIT_ASSERT_EQ(test, 0, range_take(gi, &beside, 8, 9));
	range_queue(gi, &waits, 2, 6);
	gmem_range_init(&urgent, 3, 8);
	urgent.urgent = true;
	gmem_range_enqueue(gi, &urgent);
	range_queue(gi, &later, 3, 5);
	KUNIT_EXPECT_TRUE(test, gmem_range_wanted(&held));
	KUNIT_EXPECT_TRUE(test, gmem_range_wanted(&waits));
	KUNIT_EXPECT_FALSE(test, gmem_range_wanted(&beside));
	KUNIT_EXPECT_FALSE(test, gmem_range_wanted(&later));

	gmem_range_dequeue(gi, &urgent);
	KUNIT_EXPECT_FALSE(test, gmem_range_wanted(&held));
	KUNIT_EXPECT_FALSE(test, gmem_range_wanted(&waits));

	gmem_range_hold_faults(gi, &held);
	gmem_range_hurry(gi, 3);
	KUNIT_EXPECT_TRUE(test, gmem_range_wanted(&held));
	KUNIT_EXPECT_FALSE(test, gmem_range_wanted(&waits));
	gmem_range_unlock(gi, &held);
	gmem_range_dequeue(gi, &waits);
	KUNIT_EXPECT_TRUE(test, gmem_range_granted(&later));
	gmem_range_unlock(gi, &later);
	gmem_range_unlock(gi, &beside);
	KUNIT_EXPECT_EQ(test, 0, range_queued(gi));
}

static int range_bystander_fn(void *data)
{
	struct range_waiter *w = data;

	gmem_range_init(&w->range, 2, 6);
	w->came = gmem_range_lock(w->gi, &w->range);
	if (!w->came)
		gmem_range_unlock(w->gi, &w->range);
	complete(&w->done);
	return 0;
}

/* A range that waits for a holder without urgency does not block an urgent request. */
static void range_urgent_passes(struct kunit *test)
{
	struct gmem_inode *gi = test->priv;
	struct range_waiter *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	struct gmem_range_lock held, urgent;
	int tries;

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->gi = gi;
	init_completion(&w->done);
	KUNIT_ASSERT_EQ(test, 0, range_take(gi, &held, 0, 3));
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(range_bystander_fn, w, "gmem_range")));
	for (tries = 0; tries < 5000 && range_queued(gi) < 2; tries++)
		usleep_range(500, 1000);
	gmem_range_init(&urgent, 5, 8);
	/* Does not wait for @held, which shares no page with it. */
	gmem_range_lock_wait(gi, &urgent);
	KUNIT_EXPECT_FALSE(test, gmem_range_wanted(&held));
	gmem_range_unlock(gi, &held);
	gmem_range_unlock(gi, &urgent);
	wait_for_completion(&w->done);
	KUNIT_EXPECT_EQ(test, 0, w->came);
	KUNIT_EXPECT_EQ(test, 0, range_queued(gi));
}

/* A lock, and the order of its request. */
struct range_place {
	struct gmem_range_lock range;
	struct gmem_span spans[3];
	unsigned int came;
};

/* Up to three spans of one or two pages, so that locks are interleaved. */
static void range_place_init(struct range_place *place, unsigned int came)
{
	unsigned int nr = 1 + get_random_u32_below(3), i;
	pgoff_t page = get_random_u32_below(6);

	for (i = 0; i < nr; i++) {
		place->spans[i].start = page;
		page += 1 + get_random_u32_below(2);
		place->spans[i].end = page;
		page += 1 + get_random_u32_below(3);
	}
	gmem_range_init_spans(&place->range, place->spans, nr);
	place->came = came;
}

static bool range_places_share(const struct range_place *a, const struct range_place *b)
{
	unsigned int i, j;

	for (i = 0; i < a->range.nr_spans; i++)
		for (j = 0; j < b->range.nr_spans; j++)
			if (a->spans[i].start < b->spans[j].end &&
			    b->spans[j].start < a->spans[i].end)
				return true;
	return false;
}

/* A lock is granted exactly if it shares no page with an earlier lock that still exists. */
static void range_places_check(struct kunit *test, const struct range_place *places)
{
	unsigned int i, j, before;

	for (i = 0; i < NR_PLACES; i++) {
		if (!places[i].came)
			continue;
		before = 0;
		for (j = 0; j < NR_PLACES; j++)
			before += places[j].came && places[j].came < places[i].came &&
				  range_places_share(&places[i], &places[j]);
		KUNIT_EXPECT_EQ(test, before, places[i].range.before);
		KUNIT_EXPECT_EQ(test, !before, gmem_range_granted(&places[i].range));
	}
}

/* Locks are added and removed at random, granted and waiting ones. */
static void range_random(struct kunit *test)
{
	struct gmem_inode *gi = test->priv;
	struct range_place *places, *place;
	unsigned int i;

	places = kunit_kcalloc(test, NR_PLACES, sizeof(*places), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, places);
	for (i = 1; i < 2000; i++) {
		place = &places[get_random_u32_below(NR_PLACES)];
		if (place->came) {
			place->came = 0;
			gmem_range_dequeue(gi, &place->range);
		} else {
			range_place_init(place, i);
			gmem_range_enqueue(gi, &place->range);
		}
		range_places_check(test, places);
	}
	for (i = 0; i < NR_PLACES; i++) {
		if (places[i].came)
			gmem_range_dequeue(gi, &places[i].range);
	}
	KUNIT_EXPECT_EQ(test, 0, range_queued(gi));
}

static struct kunit_case gmem_range_cases[] = {
	KUNIT_CASE(ucmd_range),
	KUNIT_CASE(range_overlap),
	KUNIT_CASE(range_order),
	KUNIT_CASE(range_several),
	KUNIT_CASE(range_give_up),
	KUNIT_CASE(range_urgent),
	KUNIT_CASE(range_urgent_passes),
	KUNIT_CASE(range_random),
	KUNIT_CASE(range_threads),
	KUNIT_CASE(range_transit),
	KUNIT_CASE(range_gates),
	KUNIT_CASE(range_busy),
	KUNIT_CASE(range_fault_waits),
	{}
};

static struct kunit_suite gmem_range_suite = {
	.name = "gmem_range",
	.init = range_test_init,
	.test_cases = gmem_range_cases,
};
kunit_test_suite(gmem_range_suite);
