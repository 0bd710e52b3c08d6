// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the state map. Every change is made in the map and in an array with one bool for
 * each page. Both must agree on states, runs, and the number of private pages, and the
 * map must report exactly the memory that it needs.
 */
#include <kunit/test.h>
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/vmalloc.h>

#include "../state.c"

#define RANDOM_STEPS 1500
#define RANDOM_PAGES (2 * GMEM_GROUP_PAGES + 1300)

static unsigned int kunit_seed;
module_param(kunit_seed, uint, 0444);
MODULE_PARM_DESC(kunit_seed, "Seed of the random KUnit cases, 0: a new one");

static void state_change(struct kunit *test, struct gmem_state_map *map,
			 pgoff_t start, pgoff_t end, enum gmem_state target)
{
	struct gmem_state_change change = {
		.start = start,
		.end = end,
		.target = target,
	};

	KUNIT_ASSERT_EQ(test, 0, gmem_state_reserve(map, &change));
	gmem_state_apply(map, &change);
}

/* [start, end) is in @state, and its neighbours in the file are not. */
static void state_expect_run(struct kunit *test, struct gmem_state_map *map,
			     pgoff_t start, pgoff_t end, enum gmem_state state)
{
	enum gmem_state seen;

	KUNIT_EXPECT_EQ(test, end,
			gmem_state_run(map, start, map->nr_pages, &seen));
	KUNIT_EXPECT_EQ(test, state, seen);
	KUNIT_EXPECT_EQ(test, state, gmem_state_get(map, start));
	KUNIT_EXPECT_EQ(test, state, gmem_state_get(map, end - 1));
	if (start)
		KUNIT_EXPECT_NE(test, state, gmem_state_get(map, start - 1));
	if (end < map->nr_pages)
		KUNIT_EXPECT_NE(test, state, gmem_state_get(map, end));
}

static u64 state_private(struct gmem_state_map *map)
{
	return atomic64_read(&map->private_pages);
}

static enum gmem_state state_other(enum gmem_state state)
{
	return state == GMEM_STATE_SHARED ? GMEM_STATE_PRIVATE :
					    GMEM_STATE_SHARED;
}

/* A map without changes needs no memory, for any size of the file. */
static void state_initial(struct kunit *test)
{
	static const pgoff_t sizes[] = {
		1, 511, 512, 513, GMEM_GROUP_PAGES, GMEM_GROUP_PAGES + 1,
		GMEM_MAX_LENGTH >> PAGE_SHIFT,
	};
	struct gmem_state_map map;
	unsigned int i, initial;

	for (i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
		initial = i & 1;
		gmem_state_init(&map, sizes[i / 2], initial);
		state_expect_run(test, &map, 0, sizes[i / 2], initial);
		KUNIT_EXPECT_EQ(test, 0, gmem_state_bytes(&map));
		KUNIT_EXPECT_EQ(test, initial ? sizes[i / 2] : 0,
				state_private(&map));
		gmem_state_destroy(&map);
	}
}

/* A single page, at different places, in both directions. */
static void state_one_page(struct kunit *test)
{
	const pgoff_t nr = 2 * GMEM_GROUP_PAGES + 700;
	const pgoff_t places[] = {
		0, 1, 63, 64, 511, 512, GMEM_GROUP_PAGES - 1, GMEM_GROUP_PAGES,
		2 * GMEM_GROUP_PAGES - 1, 2 * GMEM_GROUP_PAGES + 511,
		2 * GMEM_GROUP_PAGES + 512, nr - 1,
	};
	struct gmem_state_map map;
	enum gmem_state initial;
	u64 private;
	int i;

	for (i = 0; i < 2 * ARRAY_SIZE(places); i++) {
		pgoff_t page = places[i / 2];

		initial = i & 1;
		gmem_state_init(&map, nr, initial);
		private = state_private(&map);
		state_change(test, &map, page, page + 1, state_other(initial));
		state_expect_run(test, &map, page, page + 1,
				 state_other(initial));
		if (page)
			state_expect_run(test, &map, 0, page, initial);
		KUNIT_EXPECT_EQ(test, private + (initial ? -1 : 1),
				state_private(&map));
		state_change(test, &map, page, page + 1, initial);
		state_expect_run(test, &map, 0, nr, initial);
		KUNIT_EXPECT_EQ(test, private, state_private(&map));
		/* The slot stays, because another change may rely on it. */
		KUNIT_EXPECT_EQ(test, GMEM_SLOT_BYTES, gmem_state_bytes(&map));
		gmem_state_destroy(&map);
	}
}

/* A block: uniform, a bitmap from either end and from the middle, uniform again. */
static void state_block(struct kunit *test)
{
	static const struct {
		unsigned int start, end;
	} steps[] = { { 0, 1 }, { 511, 512 }, { 100, 300 }, { 1, 100 },
		      { 300, 511 } };
	const u64 table = GMEM_GROUP_BLOCKS * sizeof(void *);
	struct gmem_state_map map;
	unsigned int i, pages = 0;

	gmem_state_init(&map, GMEM_GROUP_PAGES, GMEM_STATE_SHARED);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		state_change(test, &map, 512 + steps[i].start,
			     512 + steps[i].end, GMEM_STATE_PRIVATE);
		pages += steps[i].end - steps[i].start;
		KUNIT_EXPECT_EQ(test, pages, state_private(&map));
		KUNIT_EXPECT_EQ(test, table + (pages < 512 ? 64 : 0),
				gmem_state_bytes(&map));
	}
	state_expect_run(test, &map, 512, 1024, GMEM_STATE_PRIVATE);
	/* Pages that are in the target state already change nothing. */
	state_change(test, &map, 600, 700, GMEM_STATE_PRIVATE);
	KUNIT_EXPECT_EQ(test, table, gmem_state_bytes(&map));
	/* Over the edges of two uniform blocks, and a block that has the target state */
	state_change(test, &map, 500, 1030, GMEM_STATE_PRIVATE);
	state_expect_run(test, &map, 500, 1030, GMEM_STATE_PRIVATE);
	KUNIT_EXPECT_EQ(test, table + 128, gmem_state_bytes(&map));
	state_change(test, &map, 0, 2048, GMEM_STATE_SHARED);
	KUNIT_EXPECT_EQ(test, 0, gmem_state_bytes(&map));
	KUNIT_EXPECT_EQ(test, 0, state_private(&map));
	gmem_state_destroy(&map);
}

/* A group: absent, table, value, table, absent; with a short last block. */
static void state_group(struct kunit *test)
{
	const pgoff_t nr = GMEM_GROUP_PAGES + 513;
	struct gmem_state_map map;

	gmem_state_init(&map, nr, GMEM_STATE_PRIVATE);
	/* The whole group at once: a value in a slot, no table */
	state_change(test, &map, 0, nr, GMEM_STATE_SHARED);
	KUNIT_EXPECT_EQ(test, 2 * GMEM_SLOT_BYTES, gmem_state_bytes(&map));
	KUNIT_EXPECT_EQ(test, 0, state_private(&map));
	/* The last group has two blocks, of which the last has one page. */
	state_change(test, &map, nr - 1, nr, GMEM_STATE_PRIVATE);
	KUNIT_EXPECT_EQ(test, 2 * GMEM_SLOT_BYTES + 2 * sizeof(void *),
			gmem_state_bytes(&map));
	state_expect_run(test, &map, nr - 1, nr, GMEM_STATE_PRIVATE);
	state_change(test, &map, nr - 513, nr - 1, GMEM_STATE_PRIVATE);
	KUNIT_EXPECT_EQ(test, 2 * GMEM_SLOT_BYTES, gmem_state_bytes(&map));
	KUNIT_EXPECT_EQ(test, 513, state_private(&map));
	/* Bitmaps in both groups, which a single change of everything frees */
	state_change(test, &map, GMEM_GROUP_PAGES - 3, GMEM_GROUP_PAGES + 3,
		     GMEM_STATE_PRIVATE);
	state_change(test, &map, GMEM_GROUP_PAGES + 5, GMEM_GROUP_PAGES + 9,
		     GMEM_STATE_SHARED);
	KUNIT_EXPECT_GT(test, gmem_state_bytes(&map), 2 * GMEM_SLOT_BYTES);
	state_change(test, &map, 0, nr, GMEM_STATE_PRIVATE);
	KUNIT_EXPECT_EQ(test, 0, gmem_state_bytes(&map));
	KUNIT_EXPECT_TRUE(test, xa_empty(&map.groups));
	KUNIT_EXPECT_EQ(test, nr, state_private(&map));
	gmem_state_destroy(&map);
}

/* A cancelled change leaves nothing, and does not affect others. */
static void state_cancel(struct kunit *test)
{
	struct gmem_state_change part = {
		.start = 10,
		.end = GMEM_GROUP_PAGES + 10,
		.target = GMEM_STATE_PRIVATE,
	};
	struct gmem_state_change other = {
		.start = 100 + GMEM_GROUP_PAGES,
		.end = 3 * GMEM_GROUP_PAGES,
		.target = GMEM_STATE_PRIVATE,
	};
	struct gmem_state_map map;

	gmem_state_init(&map, 3 * GMEM_GROUP_PAGES, GMEM_STATE_SHARED);
	KUNIT_ASSERT_EQ(test, 0, gmem_state_reserve(&map, &part));
	KUNIT_ASSERT_EQ(test, 0, gmem_state_reserve(&map, &other));
	KUNIT_EXPECT_EQ(test, 0, gmem_state_bytes(&map));
	state_expect_run(test, &map, 0, 3 * GMEM_GROUP_PAGES,
			 GMEM_STATE_SHARED);
	gmem_state_cancel(&map, &part);
	gmem_state_apply(&map, &other);
	state_expect_run(test, &map, other.start, other.end,
			 GMEM_STATE_PRIVATE);
	KUNIT_EXPECT_EQ(test, other.end - other.start, state_private(&map));
	/* A cancelled change of a whole group keeps the existing entry. */
	other.start = 2 * GMEM_GROUP_PAGES;
	other.target = GMEM_STATE_SHARED;
	KUNIT_ASSERT_EQ(test, 0, gmem_state_reserve(&map, &other));
	gmem_state_cancel(&map, &other);
	KUNIT_EXPECT_EQ(test, GMEM_STATE_PRIVATE,
			gmem_state_get(&map, 3 * GMEM_GROUP_PAGES - 1));
	state_change(test, &map, 0, 3 * GMEM_GROUP_PAGES, GMEM_STATE_SHARED);
	KUNIT_EXPECT_EQ(test, 0, gmem_state_bytes(&map));
	KUNIT_EXPECT_EQ(test, 0, state_private(&map));
	gmem_state_destroy(&map);
}

/* The largest file: its edges, the whole file, and back. */
static void state_16_tib(struct kunit *test)
{
	const pgoff_t nr = GMEM_MAX_LENGTH >> PAGE_SHIFT;
	const u64 groups = nr >> GMEM_GROUP_SHIFT;
	struct gmem_state_map map;

	gmem_state_init(&map, nr, GMEM_STATE_SHARED);
	state_change(test, &map, nr - 1, nr, GMEM_STATE_PRIVATE);
	state_expect_run(test, &map, nr - 1, nr, GMEM_STATE_PRIVATE);
	state_change(test, &map, 0, 1, GMEM_STATE_PRIVATE);
	state_expect_run(test, &map, 1, nr - 1, GMEM_STATE_SHARED);
	KUNIT_EXPECT_EQ(test, 2, state_private(&map));

	state_change(test, &map, 0, nr, GMEM_STATE_PRIVATE);
	state_expect_run(test, &map, 0, nr, GMEM_STATE_PRIVATE);
	KUNIT_EXPECT_EQ(test, nr, state_private(&map));
	KUNIT_EXPECT_EQ(test, groups * GMEM_SLOT_BYTES, gmem_state_bytes(&map));

	state_change(test, &map, nr / 2 - 1, nr / 2 + 1, GMEM_STATE_SHARED);
	state_expect_run(test, &map, nr / 2 - 1, nr / 2 + 1, GMEM_STATE_SHARED);
	state_expect_run(test, &map, nr / 2 + 1, nr, GMEM_STATE_PRIVATE);
	state_change(test, &map, 0, nr, GMEM_STATE_SHARED);
	KUNIT_EXPECT_EQ(test, 0, state_private(&map));
	KUNIT_EXPECT_EQ(test, 0, gmem_state_bytes(&map));
	KUNIT_EXPECT_TRUE(test, xa_empty(&map.groups));
	gmem_state_destroy(&map);
}

/* I7: with a bitmap in every block at most 1.2 bits for each page are used. */
static void state_worst_case(struct kunit *test)
{
	const pgoff_t nr = 2 * GMEM_GROUP_PAGES;
	struct gmem_state_map map;
	pgoff_t page;

	gmem_state_init(&map, nr, GMEM_STATE_SHARED);
	for (page = 1; page < nr; page += GMEM_BLOCK_PAGES)
		state_change(test, &map, page, page + 1, GMEM_STATE_PRIVATE);
	KUNIT_EXPECT_EQ(test, nr / GMEM_BLOCK_PAGES, state_private(&map));
	KUNIT_EXPECT_GE(test, gmem_state_bytes(&map), nr / BITS_PER_BYTE);
	KUNIT_EXPECT_LE(test, gmem_state_bytes(&map) * BITS_PER_BYTE,
			nr + nr / 5);
	gmem_state_destroy(&map);
}

/* The map, and its expected contents. */
struct state_model {
	struct gmem_state_map map;
	struct rnd_state rnd;
	bool *private;
	u64 nr_private;
};

static u32 model_random(struct state_model *m, u32 below)
{
	return prandom_u32_state(&m->rnd) % below;
}

/*
 * A random range, which often ends at a multiple of a power of two. Large ranges are
 * rare, because the array is slow.
 */
static void model_range(struct state_model *m, pgoff_t *start, pgoff_t *end)
{
	static const u32 sizes[] = { 1, 3, 64, 512, 1000, 2000 };
	static const u32 units[] = { 1, 1, 64, 512 };
	u32 unit = units[model_random(m, ARRAY_SIZE(units))];
	u32 size = sizes[model_random(m, ARRAY_SIZE(sizes))];

	if (!model_random(m, 64))
		size = GMEM_GROUP_PAGES;
	if (!model_random(m, 64))
		unit = GMEM_GROUP_PAGES;
	*start = rounddown(model_random(m, RANDOM_PAGES), unit);
	*end = min_t(pgoff_t, *start + 1 + model_random(m, size), RANDOM_PAGES);
	*end = min_t(pgoff_t, roundup(*end, unit), RANDOM_PAGES);
}

/* Only this thread uses the array, and sanitizers would make these loops very slow. */
static __no_kcsan __no_sanitize_address
void model_set(struct state_model *m, pgoff_t start, pgoff_t end, bool private)
{
	for (; start < end; start++) {
		m->nr_private += private - m->private[start];
		m->private[start] = private;
	}
}

static void model_apply(struct state_model *m, struct gmem_state_change *change)
{
	gmem_state_apply(&m->map, change);
	model_set(m, change->start, change->end,
		  change->target == GMEM_STATE_PRIVATE);
}

static __no_kcsan __no_sanitize_address
pgoff_t model_run(struct state_model *m, pgoff_t page, pgoff_t end)
{
	bool private = m->private[page];

	while (++page < end && m->private[page] == private)
		;
	return page;
}

/* Walk the runs of a range like QUERY. Return: false, with a message, if a run differs. */
static bool model_agrees(struct kunit *test, struct state_model *m,
			 pgoff_t start, pgoff_t end)
{
	enum gmem_state state;
	pgoff_t next, expected;

	for (; start < end; start = next) {
		expected = model_run(m, start, end);
		next = gmem_state_run(&m->map, start, end, &state);
		if (next == expected && state == m->private[start])
			continue;
		KUNIT_FAIL(test, "page %lu: state %u up to %lu, expected %u up to %lu",
			   start, state, next, m->private[start], expected);
		return false;
	}
	KUNIT_EXPECT_EQ(test, m->nr_private, state_private(&m->map));
	return m->nr_private == state_private(&m->map);
}

/* Two changes of disjoint ranges in random order; one may be cancelled. */
static bool model_step(struct kunit *test, struct state_model *m)
{
	struct gmem_state_change a, b;
	bool overlap;

	model_range(m, &a.start, &a.end);
	model_range(m, &b.start, &b.end);
	a.target = model_random(m, 2);
	b.target = model_random(m, 2);
	overlap = a.start < b.end && b.start < a.end;

	KUNIT_ASSERT_EQ(test, 0, gmem_state_reserve(&m->map, &a));
	if (overlap) {
		model_apply(m, &a);
		return model_agrees(test, m, a.start, a.end);
	}
	KUNIT_ASSERT_EQ(test, 0, gmem_state_reserve(&m->map, &b));
	if (model_random(m, 4))
		model_apply(m, &b);
	else
		gmem_state_cancel(&m->map, &b);
	model_apply(m, &a);
	return model_agrees(test, m, a.start, a.end) &&
	       model_agrees(test, m, b.start, b.end);
}

static void model_run_steps(struct kunit *test, struct state_model *m)
{
	struct gmem_state_change all = {
		.end = RANDOM_PAGES,
		.target = m->map.initial,
	};
	unsigned int step;

	for (step = 0; step < RANDOM_STEPS; step++) {
		if (!model_step(test, m))
			return;
		if (!(step % 256) && !model_agrees(test, m, 0, RANDOM_PAGES))
			return;
		cond_resched();
	}
	model_agrees(test, m, 0, RANDOM_PAGES);
	KUNIT_ASSERT_EQ(test, 0, gmem_state_reserve(&m->map, &all));
	model_apply(m, &all);
	model_agrees(test, m, 0, RANDOM_PAGES);
	KUNIT_EXPECT_EQ(test, 0, gmem_state_bytes(&m->map));
	KUNIT_EXPECT_TRUE(test, xa_empty(&m->map.groups));
}

static void state_random(struct kunit *test)
{
	u32 seed = kunit_seed ? kunit_seed : get_random_u32() | 1;
	struct state_model m = {};

	kunit_info(test, "kunit_seed=%u\n", seed);
	prandom_seed_state(&m.rnd, seed);
	m.private = vmalloc(RANDOM_PAGES * sizeof(*m.private));
	KUNIT_ASSERT_NOT_NULL(test, m.private);
	gmem_state_init(&m.map, RANDOM_PAGES, seed >> 1 & 1);
	memset(m.private, m.map.initial, RANDOM_PAGES);
	m.nr_private = m.map.initial ? RANDOM_PAGES : 0;
	model_run_steps(test, &m);
	gmem_state_destroy(&m.map);
	vfree(m.private);
}

static struct kunit_case gmem_state_cases[] = {
	KUNIT_CASE(state_initial),
	KUNIT_CASE(state_one_page),
	KUNIT_CASE(state_block),
	KUNIT_CASE(state_group),
	KUNIT_CASE(state_cancel),
	KUNIT_CASE(state_16_tib),
	KUNIT_CASE(state_worst_case),
	KUNIT_CASE_SLOW(state_random),
	{}
};

static struct kunit_suite gmem_state_suite = {
	.name = "gmem_state",
	.test_cases = gmem_state_cases,
};
kunit_test_suite(gmem_state_suite);
