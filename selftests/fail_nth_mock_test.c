// SPDX-License-Identifier: GPL-2.0
/*
 * The library under fault injection: operations of a hypervisor on its range, and
 * operations of the host on a range that a guest uses.
 */
#include "sweep.h"

static void env_bind_mock(struct env *env)
{
	test_mock_bind(env->vm, GPA, env->fd, BOUND_OFFSET, BOUND_LENGTH, 0);
	env->bound = MOCK;
}

static void prepare_mock(struct env *env)
{
	env_bind_mock(env);
	env_convert(env, FIRST, LAST, PRIVATE, PRESERVE);
}

/*
 * The mock writes its answer at the end. If only this fails, the operation itself has
 * succeeded.
 */
static bool answer_lost(struct env *env, int rc, unsigned int bindings)
{
	struct gmem_ioctl_stat stat;

	if (rc != -EFAULT)
		return false;
	test_gmem_stat(env->fd, &stat);
	return stat.bindings == bindings;
}

static int run_mock_bind(struct env *env)
{
	int rc = mock_bind(env->vm, GPA, env->fd, BOUND_OFFSET, BOUND_LENGTH,
			   0);

	return answer_lost(env, rc, 1) ? 0 : rc;
}

static void done_mock_bind(struct env *env)
{
	env->bound = MOCK;
}

OP_TEST(mock_bind, .owner = MOCK, .prepare = prepare_private,
	.run = run_mock_bind, .done = done_mock_bind)

static int run_mock_unbind(struct env *env)
{
	int rc = mock_unbind(env->vm, GPA);

	return answer_lost(env, rc, 0) ? 0 : rc;
}

static void done_mock_unbind(struct env *env)
{
	env->bound = NOBODY;
}

OP_TEST(mock_unbind, .owner = MOCK, .prepare = prepare_mock,
	.run = run_mock_unbind, .done = done_mock_unbind)

/* The guest reads every page, which populates pages without memory. */
static int run_mock_read(struct env *env)
{
	unsigned int i;
	int rc = 0;

	for (i = BOUND_FIRST; !rc && i < BOUND_LAST; i++)
		rc = mock_op(env->vm, GMEM_TEST_OP_EXPECT,
			     GPA + (i - BOUND_FIRST) * PAGE, PAGE,
			     env->pages[i].value, NULL);
	return rc;
}

static void done_mock_read(struct env *env)
{
	model_commit(env, BOUND_FIRST, BOUND_LAST);
}

OP_TEST(mock_lookup, .owner = MOCK, .prepare = prepare_mock,
	.run = run_mock_read, .done = done_mock_read, .partial = true)

/* The guest has the pages in its second-stage page table when they are converted. */
static void prepare_mock_mapped(struct env *env)
{
	prepare_mock(env);
	ASSERT_EQ(0, run_mock_read(env));
	done_mock_read(env);
}

static void prepare_mock_shared(struct env *env)
{
	env_bind_mock(env);
	ASSERT_EQ(0, run_mock_read(env));
	done_mock_read(env);
}

#define MOCK_CONVERT(name, target, content)				\
	static int run_mock_##name(struct env *env)			\
	{								\
		int rc = mock_convert(env->vm, GPA, BOUND_LENGTH,	\
				      target, content);			\
									\
		if (rc == -EFAULT &&					\
		    gmem_state(env->fd, BOUND_OFFSET) == (int)(target))	\
			return 0;					\
		return rc;						\
	}								\
	static void done_mock_##name(struct env *env)			\
	{								\
		model_convert(env, BOUND_FIRST, BOUND_LAST, target,	\
			      content);					\
	}

MOCK_CONVERT(to_private, PRIVATE, PRESERVE)
MOCK_CONVERT(to_private_zero, PRIVATE, ZERO)
MOCK_CONVERT(to_shared, SHARED, PRESERVE)
MOCK_CONVERT(to_shared_zero, SHARED, ZERO)

OP_TEST(mock_private, .owner = MOCK, .prepare = prepare_mock_shared,
	.run = run_mock_to_private, .done = done_mock_to_private)
OP_TEST(mock_private_zero, .owner = MOCK, .prepare = prepare_mock_shared,
	.run = run_mock_to_private_zero, .done = done_mock_to_private_zero)
OP_TEST(mock_shared, .owner = MOCK, .prepare = prepare_mock_mapped,
	.run = run_mock_to_shared, .done = done_mock_to_shared)
OP_TEST(mock_shared_zero, .owner = MOCK, .prepare = prepare_mock_mapped,
	.run = run_mock_to_shared_zero, .done = done_mock_to_shared_zero)
/* The host converts pages that a guest has mapped. */
OP_TEST(mock_host_private, .owner = MOCK, .prepare = prepare_mock_shared,
	.run = run_to_private, .done = done_to_private)
OP_TEST(mock_host_shared, .owner = MOCK, .prepare = prepare_mock_mapped,
	.run = run_to_shared, .done = done_to_shared)
OP_TEST(mock_punch, .owner = MOCK, .prepare = prepare_mock_mapped,
	.run = run_punch, .done = done_punch)

TEST(total)
{
	sweep_total();
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
