// SPDX-License-Identifier: GPL-2.0
/*
 * Every operation on a gmem fd under fault injection, with and without a binding to KVM's
 * guest_memfd.
 */
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sweep.h"

/* The device and the fd itself */

static int run_info(struct env *env)
{
	struct gmem_ioctl_info info = { .size = sizeof(info) };

	return gmem_ioctl(env->dev, GMEM_IOCTL_INFO, &info);
}

OP_TEST(info, .run = run_info)

static int run_create(struct env *env)
{
	struct gmem_ioctl_create c = {
		.size = sizeof(c),
		.length = LENGTH,
		.fd_flags = O_CLOEXEC,
	};
	int rc = gmem_ioctl(env->dev, GMEM_IOCTL_CREATE, &c);

	if (!rc)
		close(c.out_fd);
	return rc;
}

OP_TEST(create, .run = run_create)

static int run_open(struct env *env)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", env->fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

OP_TEST(open_again, .run = run_open)

static int run_query(struct env *env)
{
	struct gmem_range ranges[NR_PAGES];
	struct gmem_ioctl_query q = {
		.size = sizeof(q),
		.length = LENGTH,
		.ranges = (uintptr_t)ranges,
		.nr_ranges = NR_PAGES,
	};

	return gmem_ioctl(env->fd, GMEM_IOCTL_QUERY, &q);
}

static void prepare_bound(struct env *env)
{
	env_bind_store(env);
	env_convert(env, FIRST, LAST, PRIVATE, PRESERVE);
}

OP_TEST(query, .owner = STORE, .prepare = prepare_bound, .run = run_query)

static int run_stat(struct env *env)
{
	struct gmem_ioctl_stat stat;

	return gmem_stat(env->fd, &stat);
}

OP_TEST(stat, .owner = STORE, .prepare = prepare_bound, .run = run_stat)

/* Closing the last reference succeeds, whatever fails inside. */
static void prepare_release(struct env *env)
{
	struct gmem_ioctl_stat stat;

	prepare_bound(env);
	env->sparse = test_gmem_create(LENGTH, 0);
	test_gmem_commit(env->sparse, 0, LENGTH);
	test_gmem_convert(env->sparse, PAGE, PAGE, SHARED, PRESERVE);
	test_gmem_bind(env->sparse, 0, PAGE, env->store, 0);
	test_gmem_stat(env->sparse, &stat);
	ASSERT_EQ(1, stat.store_pages);
}

static int run_release(struct env *env)
{
	int fd = env->sparse;

	env->sparse = -1;
	return fd < 0 || !close(fd) ? 0 : -errno;
}

OP_TEST(release, .owner = STORE, .prepare = prepare_release, .run = run_release)

/* Mappings */

static int run_mmap(struct env *env)
{
	void *p = gmem_map(env->fd, 0, LENGTH);

	if (p == MAP_FAILED)
		return -errno;
	munmap(p, LENGTH);
	return 0;
}

OP_TEST(mmap, .run = run_mmap)

/* A page fault without memory is retried: the program sees no error. */
static int run_fault(struct env *env)
{
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++)
		if (gmem_try_read(env->p + i * PAGE, NULL))
			return -EFAULT;
	return 0;
}

static void done_commit(struct env *env)
{
	model_commit(env, 0, NR_PAGES);
}

static void check_no_error(struct env *env, int rc)
{
	EXPECT_EQ(0, rc);
}

OP_TEST(fault, .run = run_fault, .done = done_commit, .check = check_no_error)

/* The kernel writes zeros to pages that are zero. */
static int run_fault_kernel(struct env *env)
{
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++)
		if (!env->pages[i].populated &&
		    read(env->zero, env->p + i * PAGE, 1) != 1)
			return -errno;
	return 0;
}

OP_TEST(fault_kernel, .run = run_fault_kernel, .done = done_commit,
	.partial = true)

static int run_mbind(struct env *env)
{
	unsigned long nodes = 1;

	return syscall(SYS_mbind, env->p + RANGE_OFFSET, RANGE_LENGTH,
		       MPOL_BIND, &nodes, 64, 0) ? -errno : 0;
}

OP_TEST(mbind, .run = run_mbind)

/* fallocate() */

static int run_commit(struct env *env)
{
	return gmem_commit(env->fd, 0, LENGTH);
}

OP_TEST(commit, .prepare = prepare_private, .run = run_commit,
	.done = done_commit, .partial = true)
OP_TEST(commit_bound, .owner = STORE, .prepare = prepare_bound,
	.run = run_commit, .done = done_commit, .partial = true)

OP_TEST(punch, .prepare = prepare_private, .run = run_punch, .done = done_punch)
OP_TEST(punch_bound, .owner = STORE, .prepare = prepare_bound, .run = run_punch,
	.done = done_punch)

/* CONVERT */

/* The state map has a table already, and the range has pages of both states. */
static void prepare_mixed(struct env *env)
{
	unsigned int i;

	for (i = 0; i < NR_PAGES; i += 2)
		env_convert(env, i, i + 1, PRIVATE, PRESERVE);
}

OP_TEST(private, .run = run_to_private, .done = done_to_private)
OP_TEST(private_mixed, .prepare = prepare_mixed, .run = run_to_private,
	.done = done_to_private)
OP_TEST(private_zero, .run = run_to_private_zero, .done = done_to_private_zero)
OP_TEST(shared, .prepare = prepare_private, .run = run_to_shared,
	.done = done_to_shared)
OP_TEST(shared_zero, .prepare = prepare_private, .run = run_to_shared_zero,
	.done = done_to_shared_zero)
OP_TEST(private_bound, .owner = STORE, .prepare = env_bind_store,
	.run = run_to_private, .done = done_to_private)
OP_TEST(private_bound_zero, .owner = STORE, .prepare = env_bind_store,
	.run = run_to_private_zero, .done = done_to_private_zero)
OP_TEST(shared_bound, .owner = STORE, .prepare = prepare_bound,
	.run = run_to_shared, .done = done_to_shared)
OP_TEST(shared_bound_zero, .owner = STORE, .prepare = prepare_bound,
	.run = run_to_shared_zero, .done = done_to_shared_zero)

/* From the middle of a gigabyte to the middle of another one, a terabyte further on */
#define SPARSE_LENGTH (2 * SZ_1T)
#define SPARSE_FIRST (SZ_1G / 2 + 3 * PAGE)

static void prepare_sparse(struct env *env)
{
	env->sparse = test_gmem_create(SPARSE_LENGTH, 0);
}

static int run_sparse(struct env *env)
{
	return gmem_convert(env->sparse, SPARSE_FIRST, SZ_1T, SHARED, PRESERVE);
}

static void check_sparse(struct env *env, int rc)
{
	struct gmem_ioctl_stat stat;
	struct gmem_range ranges[3];

	test_gmem_stat(env->sparse, &stat);
	EXPECT_EQ((SPARSE_LENGTH - (rc ? 0 : SZ_1T)) / PAGE,
		  stat.private_pages);
	EXPECT_EQ(rc ? 1 : 3, gmem_query_all(env->sparse, ranges, 3));
	EXPECT_EQ(PRIVATE, ranges[0].state);
	if (rc)
		return;
	EXPECT_EQ(SPARSE_FIRST, ranges[1].offset);
	EXPECT_EQ(SZ_1T, ranges[1].length);
	EXPECT_EQ(SHARED, ranges[1].state);
}

OP_TEST(sparse, .prepare = prepare_sparse, .run = run_sparse,
	.check = check_sparse)

/* BIND and UNBIND */

static void prepare_store(struct env *env)
{
	env->store = kvm_create_guest_memfd(env->vm, LENGTH, 0);
	ASSERT_GE(env->store, 0);
}

static void prepare_store_mixed(struct env *env)
{
	prepare_store(env);
	env_convert(env, FIRST, 10, PRIVATE, PRESERVE);
	env_convert(env, 14, LAST, PRIVATE, PRESERVE);
}

static int run_bind(struct env *env)
{
	return gmem_bind(env->fd, BOUND_OFFSET, BOUND_LENGTH, env->store,
			 BOUND_OFFSET);
}

static void done_bind(struct env *env)
{
	env->bound = STORE;
}

OP_TEST(bind, .owner = STORE, .prepare = prepare_store, .run = run_bind,
	.done = done_bind)
OP_TEST(bind_contents, .owner = STORE, .prepare = prepare_store_mixed,
	.run = run_bind, .done = done_bind)

static int run_unbind(struct env *env)
{
	return gmem_unbind(env->fd, BOUND_OFFSET, BOUND_LENGTH);
}

/* Private pages stay in the store. */
static void done_unbind(struct env *env)
{
	unsigned int i;

	for (i = BOUND_FIRST; i < BOUND_LAST; i++)
		if (in_store(env, i))
			model_punch(env, i, i + 1);
	env->bound = NOBODY;
}

OP_TEST(unbind, .owner = STORE, .prepare = prepare_bound, .run = run_unbind,
	.done = done_unbind)

TEST(total)
{
	sweep_total();
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
