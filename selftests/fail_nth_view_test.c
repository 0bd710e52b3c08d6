// SPDX-License-Identifier: GPL-2.0
/*
 * Views under fault injection: creating, mapping and populating them, and operations that
 * remove pages from them and fill them again. The only effect of a fault may be that
 * pages are missing in the view.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "gmem_view.h"
#include "sweep.h"

static int run_view(struct env *env)
{
	int view = gmem_view(env->fd, RANGE_OFFSET, RANGE_LENGTH);

	if (view < 0)
		return view;
	close(view);
	return 0;
}

static void check_views(struct env *env, int rc)
{
	struct gmem_ioctl_stat stat;

	test_gmem_stat(env->fd, &stat);
	EXPECT_EQ(env->view >= 0, stat.views);
	EXPECT_EQ(!!env->v, stat.view_mappings);
}

OP_TEST(view, .run = run_view, .check = check_views)

static void open_view(struct env *env)
{
	env->view = test_gmem_view(env->fd, 0, LENGTH);
}

static int run_map(struct env *env)
{
	void *v = gmem_view_map(env->view, 0, LENGTH);

	if (v == MAP_FAILED)
		return -errno;
	munmap(v, LENGTH);
	return 0;
}

OP_TEST(map, .prepare = open_view, .run = run_map, .check = check_views)

static void map_view(struct env *env)
{
	open_view(env);
	env->v = test_gmem_view_map(env->view, 0, LENGTH);
	env->v_length = LENGTH;
}

/* Map a view with shared and private pages. */
static void map_view_mixed(struct env *env)
{
	map_view(env);
	env_convert(env, FIRST, LAST / 2, PRIVATE, PRESERVE);
}

static int populate(struct env *env, uint32_t flags)
{
	long long rc = gmem_view_populate(env->view, env->v, env->v_length, flags);

	return rc < 0 ? (int)rc : 0;
}

static int run_populate(struct env *env)
{
	return populate(env, 0);
}

static int run_populate_noalloc(struct env *env)
{
	return populate(env, NOALLOC);
}

static void done_populate(struct env *env)
{
	model_commit(env, 0, NR_PAGES);
}

/* Pages in the view are accessible according to their state. @all: no page is missing. */
static void expect_view(struct env *env, bool all)
{
	unsigned int i;
	uint8_t value;
	int sig;

	for (i = 0; i < NR_PAGES; i++) {
		sig = gmem_try_read(env->v + i * PAGE, &value);
		if (env->pages[i].state == PRIVATE)
			EXPECT_EQ(SIGSEGV, sig);
		else if (!sig)
			EXPECT_EQ(env->pages[i].value, value);
		else
			EXPECT_FALSE(all && env->pages[i].populated);
	}
}

static void check_populated(struct env *env, int rc)
{
	expect_view(env, !rc);
}

OP_TEST(populate, .prepare = map_view, .run = run_populate,
	.done = done_populate, .check = check_populated, .partial = true)
OP_TEST(populate_mixed, .prepare = map_view_mixed, .run = run_populate,
	.done = done_populate, .check = check_populated, .partial = true)
OP_TEST(populate_noalloc, .prepare = map_view_mixed,
	.run = run_populate_noalloc, .check = check_populated)

static void prepare_shared(struct env *env)
{
	map_view(env);
	ASSERT_EQ(0, populate(env, NOALLOC));
}

static void prepare_private_view(struct env *env)
{
	prepare_shared(env);
	prepare_private(env);
}

/* Missing pages can be populated. */
static void check_refilled(struct env *env, int rc)
{
	expect_view(env, false);
	EXPECT_LE(0, populate(env, NOALLOC));
	expect_view(env, true);
}

OP_TEST(to_private, .prepare = prepare_shared, .run = run_to_private,
	.done = done_to_private, .check = check_refilled)
OP_TEST(to_private_zero, .prepare = prepare_shared, .run = run_to_private_zero,
	.done = done_to_private_zero, .check = check_refilled)
OP_TEST(to_shared, .prepare = prepare_private_view, .run = run_to_shared,
	.done = done_to_shared, .check = check_refilled)
OP_TEST(to_shared_zero, .prepare = prepare_private_view,
	.run = run_to_shared_zero, .done = done_to_shared_zero,
	.check = check_refilled)
OP_TEST(punch, .prepare = prepare_private_view, .run = run_punch,
	.done = done_punch, .check = check_refilled)

/* Blocks that are mapped by one entry each, in memory of their own */

#define BLOCKS_LENGTH (2 * SZ_2M)

static void map_blocks(struct env *env)
{
	env->sparse = test_gmem_create(BLOCKS_LENGTH, GMEM_CREATE_F_INIT_SHARED);
	env->view = test_gmem_view(env->sparse, 0, BLOCKS_LENGTH);
	env->v = test_gmem_view_map(env->view, 0, BLOCKS_LENGTH);
	env->v_length = BLOCKS_LENGTH;
}

static void check_blocks(struct env *env, int rc)
{
	if (!rc)
		expect_bytes(0, env->v, BLOCKS_LENGTH);
}

OP_TEST(populate_blocks, .prepare = map_blocks, .run = run_populate,
	.check = check_blocks)

static void prepare_blocks(struct env *env)
{
	map_blocks(env);
	ASSERT_EQ(0, populate(env, 0));
}

/* Convert a page in the middle: all others have to be filled again. */
static int run_split(struct env *env)
{
	return gmem_convert(env->sparse, 5 * PAGE, PAGE, PRIVATE, PRESERVE);
}

static void check_split(struct env *env, int rc)
{
	EXPECT_LE(0, populate(env, NOALLOC));
	expect_bytes(0, env->v, 5 * PAGE);
	expect_bytes(0, env->v + 6 * PAGE, BLOCKS_LENGTH - 6 * PAGE);
	EXPECT_EQ(rc ? 0 : SIGSEGV, gmem_try_read(env->v + 5 * PAGE, NULL));
}

OP_TEST(split, .prepare = prepare_blocks, .run = run_split, .check = check_split)

TEST(total)
{
	sweep_total();
}

static const char *unmet(void)
{
	const char *why = gmem_unavailable();

	return why ? why : gmem_view_unavailable();
}

TEST_HARNESS_MAIN_IF(unmet())
