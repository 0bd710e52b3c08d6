/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Run an operation again and again, so that in turn each of its allocations and of its
 * copies from or to user memory fails, until one run has no fault. Each run succeeds, or
 * fails with ENOMEM or EFAULT. After an error the state, population and contents of all
 * pages are unchanged, and the same operation succeeds when it is repeated. In the end no
 * memory and no fd is leaked.
 *
 * Included once by a program, like ksft.h: an OP_TEST() is a test.
 */
#ifndef SWEEP_H
#define SWEEP_H

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cgroup.h"
#include "fail_nth.h"
#include "gmem_utils.h"
#include "ksft.h"
#include "kvm_utils.h"
#include "mock.h"

#define NR_PAGES 40
#define LENGTH (NR_PAGES * PAGE)
/* The converted range. It begins before the bound range, and ends after it. */
#define FIRST 2
#define LAST 34
#define RANGE_OFFSET (FIRST * PAGE)
#define RANGE_LENGTH ((LAST - FIRST) * PAGE)
#define BOUND_FIRST 6
#define BOUND_LAST 26
#define BOUND_OFFSET (BOUND_FIRST * PAGE)
#define BOUND_LENGTH ((BOUND_LAST - BOUND_FIRST) * PAGE)
#define GPA (1ULL << 32)	/* of the bound range, for guests of the mock */
#define MAX_RUNS 1000

enum owner { NOBODY, STORE, MOCK };

/**
 * struct page - the model of a page
 * @state: enum gmem_state
 * @populated: has memory
 * @value: value of all of its bytes
 */
struct page {
	uint32_t state;
	bool populated;
	uint8_t value;
};

/**
 * struct env - memory to run an operation on, and a model of it
 * @dev: /dev/gmem
 * @vm: KVM's VM, or the mock's
 * @store: guest_memfd, or -1
 * @fd: the memory
 * @p: its mapping
 * @sparse: a large file, or -1
 * @zero: /dev/zero
 * @view: a view of the memory or of @sparse, or -1
 * @v: its mapping
 * @v_length: length of @v
 * @bound: owner of the bound range
 * @pages: the model
 */
struct env {
	int dev;
	int vm;
	int store;
	int fd;
	uint8_t *p;
	int sparse;
	int zero;
	int view;
	uint8_t *v;
	uint64_t v_length;
	enum owner bound;
	struct page pages[NR_PAGES];
};

/**
 * struct op - an operation
 * @name: name in the log
 * @owner: whose VM the operation needs
 * @prepare: runs without faults; may be NULL
 * @run: runs with faults; returns 0 or a negative errno
 * @done: update the model after success; may be NULL
 * @check: further checks after success or an error; may be NULL
 * @partial: pages that were populated before an error stay populated
 */
struct op {
	const char *name;
	enum owner owner;
	void (*prepare)(struct env *env);
	int (*run)(struct env *env);
	void (*done)(struct env *env);
	void (*check)(struct env *env, int rc);
	bool partial;
};

struct counts {
	unsigned int runs;
	unsigned int faults;
	unsigned int enomem;
	unsigned int efault;
};

/*
 * Counts of all operations. Shared memory: each operation runs in a process of its own.
 */
static struct counts *total;

static __attribute__((constructor)) void total_create(void)
{
	total = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
}

static __ksft_unused
void model_convert(struct env *env, unsigned int first, unsigned int last,
		   uint32_t target, uint32_t content)
{
	struct page *page;

	for (page = &env->pages[first]; page < &env->pages[last]; page++) {
		if (page->state == target)
			continue;
		page->state = target;
		if (content == ZERO)
			*page = (struct page){ .state = target };
	}
}

static __ksft_unused
void model_commit(struct env *env, unsigned int first, unsigned int last)
{
	for (; first < last; first++)
		env->pages[first].populated = true;
}

static __ksft_unused
void model_punch(struct env *env, unsigned int first, unsigned int last)
{
	for (; first < last; first++)
		env->pages[first] = (struct page){
			.state = env->pages[first].state,
		};
}

/* Most pages have memory with different contents; some have none. */
static void env_open(struct env *env)
{
	unsigned int i;

	env->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	env->p = test_gmem_map(env->fd, 0, LENGTH);
	env->store = -1;
	env->sparse = -1;
	env->view = -1;
	env->v = NULL;
	env->bound = NOBODY;
	memset(env->pages, 0, sizeof(env->pages));
	for (i = 0; i < NR_PAGES; i++) {
		if (i % 5 == 4)
			continue;
		env->pages[i].value = 0x40 + i;
		env->pages[i].populated = true;
		gmem_fill(env->p + i * PAGE, 0x40 + i, PAGE);
	}
}

static void env_close(struct env *env)
{
	if (env->bound == MOCK)
		test_mock_unbind(env->vm, GPA);
	if (env->v)
		munmap(env->v, env->v_length);
	if (env->view >= 0)
		close(env->view);
	munmap(env->p, LENGTH);
	close(env->fd);
	if (env->store >= 0)
		close(env->store);
	if (env->sparse >= 0)
		close(env->sparse);
}

static __ksft_unused void env_bind_store(struct env *env)
{
	env->store = kvm_create_guest_memfd(env->vm, LENGTH, 0);
	ASSERT_GE(env->store, 0);
	test_gmem_bind(env->fd, BOUND_OFFSET, BOUND_LENGTH, env->store,
		       BOUND_OFFSET);
	env->bound = STORE;
}

static __ksft_unused
void env_convert(struct env *env, unsigned int first, unsigned int last,
		 uint32_t target, uint32_t content)
{
	test_gmem_convert(env->fd, first * PAGE, (last - first) * PAGE, target,
			  content);
	model_convert(env, first, last, target, content);
}

static bool in_store(struct env *env, unsigned int i)
{
	return env->bound == STORE && i >= BOUND_FIRST && i < BOUND_LAST &&
	       env->pages[i].state == PRIVATE;
}

static void expect_states(struct env *env)
{
	struct gmem_range ranges[NR_PAGES];
	int nr = gmem_query_all(env->fd, ranges, NR_PAGES);
	uint64_t offset;
	int i;

	ASSERT_LT(0, nr);
	for (i = 0; i < nr; i++)
		for (offset = 0; offset < ranges[i].length; offset += PAGE)
			EXPECT_EQ(env->pages[(ranges[i].offset + offset) / PAGE].state,
				  ranges[i].state);
}

static void expect_stat(struct env *env, bool partial)
{
	unsigned int resident = 0, store = 0, private = 0, i;
	struct gmem_ioctl_stat stat;

	for (i = 0; i < NR_PAGES; i++) {
		store += env->pages[i].populated && in_store(env, i);
		resident += env->pages[i].populated && !in_store(env, i);
		private += env->pages[i].state == PRIVATE;
	}
	test_gmem_stat(env->fd, &stat);
	EXPECT_EQ(private, stat.private_pages);
	EXPECT_EQ(env->bound != NOBODY, stat.bindings);
	EXPECT_EQ(0, stat.poisoned_pages);
	if (partial) {
		EXPECT_LE(resident, stat.resident_pages);
		EXPECT_LE(store, stat.store_pages);
	} else {
		EXPECT_EQ(resident, stat.resident_pages);
		EXPECT_EQ(store, stat.store_pages);
	}
}

/* Check all pages. Shared pages without memory are not accessed. */
static void expect_model(struct env *env, bool partial)
{
	unsigned int i;

	expect_states(env);
	expect_stat(env, partial);
	for (i = 0; i < NR_PAGES; i++)
		if (env->pages[i].state == SHARED && env->pages[i].populated)
			expect_bytes(env->pages[i].value, env->p + i * PAGE,
				     PAGE);
}

/* Check the contents of all pages, also of private ones and of those without memory. */
static void expect_contents(struct env *env)
{
	unsigned int i;

	test_gmem_convert(env->fd, 0, LENGTH, SHARED, PRESERVE);
	for (i = 0; i < NR_PAGES; i++)
		expect_bytes(env->pages[i].value, env->p + i * PAGE, PAGE);
}

/* Return: the number of the next fd. It is the same as before if no fd was leaked. */
static int next_fd(void)
{
	int fd = dup(STDOUT_FILENO);

	close(fd);
	return fd;
}

static void expect_outcome(const struct op *op, struct env *env, int rc)
{
	if (!rc && op->done)
		op->done(env);
	expect_model(env, rc && op->partial);
	if (op->check)
		op->check(env, rc);
}

/*
 * Run once. Return: whether the nth operation was reached, so that a fault was injected.
 */
static bool run_once(const struct op *op, struct env *env, int nth_fd,
		     unsigned int nth, struct counts *counts)
{
	int rc, hit, before;

	env_open(env);
	if (op->prepare)
		op->prepare(env);
	before = next_fd();
	ASSERT_EQ(0, fail_nth_arm(nth_fd, nth));
	rc = op->run(env);
	hit = fail_nth_disarm(nth_fd);
	ASSERT_GE(hit, 0);
	EXPECT_TRUE(!rc || (hit && (rc == -ENOMEM || rc == -EFAULT)));
	if (rc && rc != -ENOMEM && rc != -EFAULT)
		TH_LOG("%s: fault %u: %s", op->name, nth, strerror(-rc));
	EXPECT_EQ(before, next_fd());
	expect_outcome(op, env, rc);
	if (rc) {
		EXPECT_EQ(0, op->run(env));
		expect_outcome(op, env, 0);
	}
	expect_contents(env);
	env_close(env);

	counts->runs++;
	counts->faults += hit;
	counts->enomem += rc == -ENOMEM;
	counts->efault += rc == -EFAULT;
	return hit;
}

static void counts_add(struct counts *sum, const struct counts *counts)
{
	sum->runs += counts->runs;
	sum->faults += counts->faults;
	sum->enomem += counts->enomem;
	sum->efault += counts->efault;
}

static void counts_log(const char *name, const struct counts *counts)
{
	TH_LOG("%s: %u runs, %u faults, of which ended in ENOMEM %u, EFAULT %u",
	       name, counts->runs, counts->faults, counts->enomem,
	       counts->efault);
}

/* Runs in a process in the memory cgroup. */
static void sweep_runs(const struct op *op)
{
	int nth_fd = fail_nth_open();
	struct counts counts = { 0 };
	struct env env = { .vm = -1 };
	unsigned int nth = 1;

	ASSERT_GE(nth_fd, 0);
	if (op->owner == STORE)
		env.vm = kvm_create_vm();
	else if (op->owner == MOCK)
		env.vm = test_mock_create();
	env.dev = gmem_open_dev();
	env.zero = open("/dev/zero", O_RDONLY);
	while (nth <= MAX_RUNS && run_once(op, &env, nth_fd, nth, &counts))
		nth++;
	EXPECT_LE(nth, MAX_RUNS);
	if (op->owner == MOCK)
		expect_mock_kept(env.vm);
	counts_log(op->name, &counts);
	counts_add(total, &counts);
}

/* Return: NULL, or why the operation cannot be swept. */
static const char *sweep_unavailable(const struct op *op)
{
	const char *why = fail_nth_unavailable();

	if (!why)
		why = cgroup_unavailable();
	if (!why && op->owner == STORE)
		why = kvm_store_unavailable();
	if (!why && op->owner == MOCK)
		why = mock_unavailable();
	return why;
}

/* Memory that a run has leaked is still charged to the group at the end. */
static void sweep(const struct op *op)
{
	const char *why = sweep_unavailable(op);
	struct cgroup cg;
	pid_t pid;

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, cgroup_create(&cg, "gmem_fail_nth_test"));
	pid = fork();
	if (!pid) {
		ASSERT_EQ(0, cgroup_enter(&cg));
		sweep_runs(op);
		_exit(KSFT_PASS);
	}
	EXPECT_EQ(0, gmem_wait_pid(pid));
	EXPECT_EQ(0, cgroup_wait_uncharged(&cg));
	EXPECT_EQ(0, cgroup_remove(&cg));
}

#define OP_TEST(op_name, ...)						\
	static const struct op op_name##_op = {				\
		.name = #op_name,					\
		__VA_ARGS__						\
	};								\
	TEST_TIMEOUT(op_name, 300)					\
	{								\
		sweep(&op_name##_op);					\
	}

/* Operations of the host that work with every owner of the bound range */

static __ksft_unused void prepare_private(struct env *env)
{
	env_convert(env, FIRST, LAST, PRIVATE, PRESERVE);
}

static __ksft_unused int run_punch(struct env *env)
{
	return gmem_punch(env->fd, RANGE_OFFSET, RANGE_LENGTH);
}

static __ksft_unused void done_punch(struct env *env)
{
	model_punch(env, FIRST, LAST);
}

#define CONVERT(name, target, content)					\
	static __ksft_unused int run_##name(struct env *env)				\
	{								\
		return gmem_convert(env->fd, RANGE_OFFSET, RANGE_LENGTH,	\
				    target, content);			\
	}								\
	static __ksft_unused void done_##name(struct env *env)			\
	{								\
		model_convert(env, FIRST, LAST, target, content);	\
	}

CONVERT(to_private, PRIVATE, PRESERVE)
CONVERT(to_private_zero, PRIVATE, ZERO)
CONVERT(to_shared, SHARED, PRESERVE)
CONVERT(to_shared_zero, SHARED, ZERO)

/* Print the sums at the end of a program. */
static void sweep_total(void)
{
	const char *why = fail_nth_unavailable();

	if (why)
		SKIP(return, "%s", why);
	counts_log("total", total);
	EXPECT_LT(0, total->faults);
	EXPECT_LT(0, total->enomem);
	EXPECT_LT(0, total->efault);
}

#endif /* SWEEP_H */
