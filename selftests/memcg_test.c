// SPDX-License-Identifier: GPL-2.0
/*
 * Memory cgroups. A page stays charged to the group whose process has populated it, in
 * every store and after every conversion, and is uncharged when it is freed. At the limit
 * of a group, ioctls and fallocate() fail with ENOMEM and change nothing. Only a page
 * fault may invoke the OOM killer, which kills processes of this group only.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cgroup.h"
#include "gmem_view.h"
#include "ksft.h"
#include "kvm_utils.h"

#define NR_PAGES 64
#define LENGTH (NR_PAGES * PAGE)
#define BIG_LENGTH (16 * SZ_2M)		/* more than the limit of a group */
#define ROOM (4 * SZ_2M)		/* limit above the current charge */
#define GROUPS 4096			/* gigabytes of a sparse file */

/**
 * struct report - results of a process inside a group
 * @filled: result of filling the group up to its limit
 * @rc: result of the operation
 * @count: number of successes
 */
struct report {
	int filled;
	int rc;
	unsigned int count;
};

FIXTURE(memcg) {
	struct cgroup cg;
	struct cgroup other;
	pid_t bystander;
	long long kills;
	struct report *report;
	int vm;
	int store;
	int fd;
	uint8_t *p;
};

typedef void (*member_fn)(struct memcg_data *self);

/* Run @fn in a process inside @cg. Return: its exit status, or 128 + signal. */
static int run_in(struct memcg_data *self, const struct cgroup *cg,
		  member_fn fn)
{
	pid_t pid = fork();

	if (!pid) {
		ASSERT_EQ(0, cgroup_enter(cg));
		fn(self);
		_exit(KSFT_PASS);
	}
	return gmem_wait_pid(pid);
}

static pid_t start_bystander(const struct cgroup *cg)
{
	pid_t pid = fork();

	if (!pid) {
		ASSERT_EQ(0, cgroup_enter(cg));
		for (;;)
			pause();
	}
	return pid;
}

FIXTURE_SETUP(memcg)
{
	const char *why = cgroup_unavailable();

	if (why)
		SKIP(return, "%s", why);
	self->report = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->report);
	/* Charged to the first user */
	memset(self->report, 0, PAGE);
	self->vm = -1;
	self->store = -1;
	self->fd = -1;
	ASSERT_EQ(0, cgroup_create(&self->cg, "gmem_memcg_test"));
	ASSERT_EQ(0, cgroup_create(&self->other, "gmem_memcg_other"));
	self->bystander = start_bystander(&self->other);
	ASSERT_GT(self->bystander, 0);
	self->kills = cgroup_oom_kills();
	ASSERT_GE(self->kills, 0);
}

static void close_memory(struct memcg_data *self)
{
	if (self->p)
		munmap(self->p, BIG_LENGTH);
	close(self->fd);
	close(self->store);
	close(self->vm);
	self->p = NULL;
}

/* The OOM killer has killed only processes of the group. */
FIXTURE_TEARDOWN(memcg)
{
	close_memory(self);
	EXPECT_EQ(cgroup_oom_kills() - self->kills,
		  cgroup_key(&self->cg, "memory.events", "oom_kill"));
	EXPECT_EQ(0, waitpid(self->bystander, NULL, WNOHANG));
	EXPECT_EQ(0, kill(self->bystander, SIGKILL));
	EXPECT_EQ(128 + SIGKILL, gmem_wait_pid(self->bystander));
	EXPECT_EQ(0, cgroup_wait_uncharged(&self->cg));
	EXPECT_EQ(0, cgroup_remove(&self->other));
	EXPECT_EQ(0, cgroup_remove(&self->cg));
}

#define expect_file(pages, cg)						\
	EXPECT_EQ((long long)((pages) * PAGE),				\
		  cgroup_key_wait(cg, "memory.stat", "file",		\
				  (pages) * PAGE))

#define expect_oom_kills(n, self)					\
	EXPECT_EQ(n, cgroup_key(&(self)->cg, "memory.events", "oom_kill"))

#define expect_limit_was_hit(self)					\
	EXPECT_LT(0, cgroup_key(&(self)->cg, "memory.events", "max"))

static void open_memory(struct memcg_data *self, uint32_t flags)
{
	self->fd = test_gmem_create(BIG_LENGTH, flags);
	self->p = test_gmem_map(self->fd, 0, BIG_LENGTH);
}

static bool open_store(struct memcg_data *self)
{
	const char *why = kvm_store_unavailable();

	if (why)
		SKIP(return false, "%s", why);
	self->store = test_kvm_store(BIG_LENGTH, &self->vm);
	return true;
}

/* Write different contents to each page. */
static void touch(struct memcg_data *self)
{
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++)
		gmem_fill(self->p + i * PAGE, i + 1, PAGE);
}

static void expect_contents(struct memcg_data *self)
{
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++)
		expect_bytes(i + 1, self->p + i * PAGE, PAGE);
}

static void to_private(struct memcg_data *self)
{
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
}

static void to_shared(struct memcg_data *self)
{
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
}

/* Without a store: a conversion does not change the charge, freeing memory does. */
TEST_F(memcg, resident)
{
	open_memory(self, GMEM_CREATE_F_INIT_SHARED);
	EXPECT_EQ(0, run_in(self, &self->cg, touch));
	expect_file(NR_PAGES, &self->cg);
	to_private(self);
	EXPECT_EQ(0, run_in(self, &self->other, to_shared));
	expect_file(NR_PAGES, &self->cg);
	expect_file(0, &self->other);
	expect_contents(self);
	test_gmem_punch(self->fd, 0, 16 * PAGE);
	expect_file(NR_PAGES - 16, &self->cg);
	test_gmem_convert(self->fd, 0, 32 * PAGE, PRIVATE, ZERO);
	expect_file(NR_PAGES - 32, &self->cg);
	close_memory(self);
	expect_file(0, &self->cg);
	EXPECT_EQ(0, cgroup_wait_uncharged(&self->cg));
}

/* Pages move to the store and back by a process of another group. */
TEST_F(memcg, hand_over)
{
	int round;

	if (!open_store(self))
		return;
	open_memory(self, GMEM_CREATE_F_INIT_SHARED);
	EXPECT_EQ(0, run_in(self, &self->cg, touch));
	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	for (round = 0; round < 3; round++) {
		EXPECT_EQ(0, run_in(self, &self->other, to_private));
		expect_file(NR_PAGES, &self->cg);
		expect_file(0, &self->other);
		EXPECT_EQ(0, run_in(self, &self->other, to_shared));
		expect_file(NR_PAGES, &self->cg);
		expect_file(0, &self->other);
		expect_contents(self);
	}
	to_private(self);
	test_gmem_punch(self->fd, 0, 16 * PAGE);
	expect_file(NR_PAGES - 16, &self->cg);
	test_gmem_convert(self->fd, 16 * PAGE, 16 * PAGE, SHARED, ZERO);
	expect_file(NR_PAGES - 32, &self->cg);
	close_memory(self);
	expect_file(0, &self->cg);
	EXPECT_EQ(0, cgroup_wait_uncharged(&self->cg));
}

/*
 * Pages that BIND moves keep their charge, and so do pages that UNBIND leaves in the
 * store.
 */
TEST_F(memcg, bind)
{
	if (!open_store(self))
		return;
	open_memory(self, GMEM_CREATE_F_INIT_SHARED);
	EXPECT_EQ(0, run_in(self, &self->cg, touch));
	to_private(self);
	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	expect_file(NR_PAGES, &self->cg);
	test_gmem_unbind(self->fd, 0, LENGTH);
	expect_file(NR_PAGES, &self->cg);
	close(self->store);
	self->store = -1;
	expect_file(0, &self->cg);
}

static void commit_small(struct memcg_data *self)
{
	test_gmem_commit(self->fd, 0, LENGTH);
}

/*
 * Pages committed in the store are charged to the committer, also after they become
 * shared.
 */
TEST_F(memcg, commit_in_store)
{
	if (!open_store(self))
		return;
	open_memory(self, 0);
	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	EXPECT_EQ(0, run_in(self, &self->cg, commit_small));
	expect_file(NR_PAGES, &self->cg);
	to_shared(self);
	expect_file(NR_PAGES, &self->cg);
	expect_bytes(0, self->p, LENGTH);
	close_memory(self);
	expect_file(0, &self->cg);
}

/* The group is removed first: its pages stay, and keep it only until they are freed. */
TEST_F(memcg, group_goes_first)
{
	long long dying = cgroup_dying();
	const char *why = kvm_store_unavailable();
	int tries;

	open_memory(self, GMEM_CREATE_F_INIT_SHARED);
	EXPECT_EQ(0, run_in(self, &self->cg, touch));
	ASSERT_EQ(0, cgroup_remove(&self->cg));
	if (!why && open_store(self))
		test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	to_private(self);
	EXPECT_EQ(0, run_in(self, &self->other, to_shared));
	expect_contents(self);
	to_private(self);
	close_memory(self);
	for (tries = 0; tries < 400 && cgroup_dying() > dying; tries++)
		usleep(50000);
	EXPECT_LE(cgroup_dying(), dying);
	ASSERT_EQ(0, cgroup_create(&self->cg, "gmem_memcg_test"));
}

static void set_limit(struct memcg_data *self, uint64_t room)
{
	long long now = cgroup_read(&self->cg, "memory.current");

	ASSERT_GE(now, 0);
	ASSERT_EQ(0, cgroup_write(&self->cg, "memory.max", now + room));
}

static void lift_limit(struct memcg_data *self)
{
	ASSERT_EQ(0, cgroup_write(&self->cg, "memory.max", CGROUP_NO_LIMIT));
}

/* Write a number to each page; a process in the group is killed before the end. */
static void touch_big(struct memcg_data *self)
{
	uint64_t i;

	for (i = 0; i < BIG_LENGTH / PAGE; i++)
		*(uint64_t *)(self->p + i * PAGE) = i + 1;
}

/* After the process was killed in the middle, the memory can be used as before. */
static void expect_usable(struct memcg_data *self)
{
	long long populated = gmem_populated(self->fd, 0, BIG_LENGTH);
	long long i;

	EXPECT_LT(0, populated);
	EXPECT_LT(populated, (long long)(BIG_LENGTH / PAGE));
	test_gmem_convert(self->fd, 0, BIG_LENGTH, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, 0, BIG_LENGTH, SHARED, PRESERVE);
	EXPECT_EQ(populated, gmem_populated(self->fd, 0, BIG_LENGTH));
	/* The last page may have been populated, but not written. */
	for (i = 0; i < populated - 1; i++)
		EXPECT_EQ(i + 1, *(uint64_t *)(self->p + i * PAGE));
	test_gmem_punch(self->fd, 0, BIG_LENGTH);
}

/* A page fault at the limit: the OOM killer kills the process that has the fault. */
TEST_F(memcg, limit_fault)
{
	open_memory(self, GMEM_CREATE_F_INIT_SHARED);
	set_limit(self, ROOM);
	EXPECT_EQ(128 + SIGKILL, run_in(self, &self->cg, touch_big));
	expect_oom_kills(1, self);
	expect_usable(self);
}

/* Read numbers from a pipe, so that the kernel writes to the pages. */
static void read_big(struct memcg_data *self)
{
	uint64_t i, number;
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	for (i = 0; i < BIG_LENGTH / PAGE; i++) {
		number = i + 1;
		ASSERT_EQ(8, write(fds[1], &number, sizeof(number)));
		ASSERT_EQ(8, read(fds[0], self->p + i * PAGE, sizeof(number)));
	}
}

/* The same for a page fault of the kernel in a system call. */
TEST_F(memcg, limit_system_call)
{
	open_memory(self, GMEM_CREATE_F_INIT_SHARED);
	set_limit(self, ROOM);
	EXPECT_EQ(128 + SIGKILL, run_in(self, &self->cg, read_big));
	expect_oom_kills(1, self);
	expect_usable(self);
}

/*
 * Populate memory of a process before it fills its group. Otherwise its next page fault
 * would kill it.
 */
static void hold_own_memory(struct memcg_data *self)
{
	char stack[16384];

	/* The test itself keeps the mapping. */
	if (self->p)
		ASSERT_EQ(0, munmap(self->p, BIG_LENGTH));
	gmem_fill(stack, 1, sizeof(stack));
	ASSERT_EQ(sizeof(stack), gmem_differs(stack, 1, sizeof(stack)));
	ASSERT_EQ(0, mlockall(MCL_CURRENT | MCL_FUTURE));
}

static void commit_big(struct memcg_data *self)
{
	hold_own_memory(self);
	self->report->rc = gmem_commit(self->fd, 0, BIG_LENGTH);
}

/* fallocate() at the limit: ENOMEM. Pages up to the limit are populated. */
static void limit_commit(struct memcg_data *self, uint32_t flags)
{
	long long populated;

	open_memory(self, flags);
	set_limit(self, ROOM);
	EXPECT_EQ(0, run_in(self, &self->cg, commit_big));
	EXPECT_EQ(-ENOMEM, self->report->rc);
	expect_oom_kills(0, self);
	expect_limit_was_hit(self);
	populated = gmem_populated(self->fd, 0, BIG_LENGTH);
	EXPECT_LT(0, populated);
	EXPECT_LT(populated, (long long)(BIG_LENGTH / PAGE));
	lift_limit(self);
	EXPECT_EQ(0, run_in(self, &self->cg, commit_big));
	EXPECT_EQ(0, self->report->rc);
	expect_file(BIG_LENGTH / PAGE, &self->cg);
}

TEST_F(memcg, limit_commit_shared)
{
	limit_commit(self, GMEM_CREATE_F_INIT_SHARED);
}

TEST_F(memcg, limit_commit_private)
{
	limit_commit(self, 0);
}

/*
 * A commit in KVM's guest_memfd is an allocation of KVM. It may invoke the OOM killer,
 * but only for this group, and the binding can be used as before.
 */
TEST_F(memcg, limit_commit_in_store)
{
	int status;

	if (!open_store(self))
		return;
	open_memory(self, 0);
	test_gmem_bind(self->fd, 0, BIG_LENGTH, self->store, 0);
	set_limit(self, ROOM);
	status = run_in(self, &self->cg, commit_big);
	EXPECT_TRUE(status == 128 + SIGKILL ||
		    (!status && self->report->rc == -ENOMEM));
	expect_limit_was_hit(self);
	EXPECT_LT(gmem_populated(self->fd, 0, BIG_LENGTH),
		  (long long)(BIG_LENGTH / PAGE));
	lift_limit(self);
	EXPECT_EQ(0, run_in(self, &self->cg, commit_big));
	test_gmem_convert(self->fd, 0, BIG_LENGTH, SHARED, PRESERVE);
	expect_bytes(0, self->p, BIG_LENGTH);
}

/* Commit pages of another file until no page can be charged. */
static void fill_group(struct memcg_data *self)
{
	int filler = test_gmem_create(BIG_LENGTH, 0);
	uint64_t offset;
	int rc = 0;

	hold_own_memory(self);
	for (offset = 0; !rc && offset < BIG_LENGTH; offset += PAGE)
		rc = gmem_commit(filler, offset, PAGE);
	self->report->filled = rc;
}

/* Run @fn in a full group. */
static void run_filled(struct memcg_data *self, member_fn fn)
{
	memset(self->report, 0, sizeof(*self->report));
	set_limit(self, ROOM);
	EXPECT_EQ(0, run_in(self, &self->cg, fn));
	EXPECT_EQ(-ENOMEM, self->report->filled);
	expect_oom_kills(0, self);
	expect_limit_was_hit(self);
	lift_limit(self);
}

static void create_filled(struct memcg_data *self)
{
	int fd;

	fill_group(self);
	do {
		fd = gmem_create(PAGE, 0);
		self->report->count++;
	} while (fd >= 0 && self->report->count < 1000);
	self->report->rc = fd;
}

/*
 * CREATE at the limit. The kernel's allocators of inode, dentry and file invoke the OOM
 * killer, like for open().
 */
TEST_F(memcg, limit_create)
{
	int status;

	set_limit(self, ROOM);
	status = run_in(self, &self->cg, create_filled);
	EXPECT_EQ(-ENOMEM, self->report->filled);
	EXPECT_TRUE(status == 128 + SIGKILL ||
		    (!status && self->report->rc == -ENOMEM));
	expect_limit_was_hit(self);
}

/* Convert a page in each gigabyte, which needs a table for each of them. */
static void convert_each_group(struct memcg_data *self)
{
	int rc = 0;

	fill_group(self);
	while (!rc && self->report->count < GROUPS) {
		rc = gmem_convert(self->fd, self->report->count * SZ_1G, PAGE,
				  PRIVATE, PRESERVE);
		self->report->count += !rc;
	}
	self->report->rc = rc;
}

/* The state map cannot grow: the page that needs a new table keeps its state. */
TEST_F(memcg, limit_state_map)
{
	struct gmem_ioctl_stat stat;
	unsigned int i;

	self->fd = test_gmem_create(GROUPS * SZ_1G, GMEM_CREATE_F_INIT_SHARED);
	run_filled(self, convert_each_group);
	EXPECT_EQ(-ENOMEM, self->report->rc);
	EXPECT_LT(self->report->count, GROUPS);
	for (i = 0; i <= self->report->count; i++)
		expect_state(i < self->report->count ? PRIVATE : SHARED,
			     self->fd, i * SZ_1G);
	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(self->report->count, stat.private_pages);
	EXPECT_EQ(1, stat.refused);
	test_gmem_convert(self->fd, i * SZ_1G, PAGE, PRIVATE, PRESERVE);
}

static void convert_sparse(struct memcg_data *self)
{
	fill_group(self);
	self->report->rc = gmem_convert(self->fd, PAGE,
					GMEM_LENGTH_MAX - 2 * PAGE, PRIVATE,
					PRESERVE);
}

/* One call that needs more than the limit allows changes nothing. */
TEST_F(memcg, limit_sparse)
{
	struct gmem_ioctl_stat stat;
	struct gmem_range range;

	self->fd = test_gmem_create(GMEM_LENGTH_MAX, GMEM_CREATE_F_INIT_SHARED);
	run_filled(self, convert_sparse);
	EXPECT_EQ(-ENOMEM, self->report->rc);
	EXPECT_EQ(1, gmem_query_all(self->fd, &range, 1));
	EXPECT_EQ(SHARED, range.state);
	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(0, stat.private_pages);
	test_gmem_convert(self->fd, PAGE, GMEM_LENGTH_MAX - 2 * PAGE, PRIVATE,
			  PRESERVE);
}

/* Convert to the initial state of the file, for which the state map needs no memory. */
static void convert_filled(struct memcg_data *self)
{
	struct gmem_ioctl_stat stat;
	uint32_t target = PRIVATE;

	fill_group(self);
	test_gmem_stat(self->fd, &stat);
	if (stat.create_flags & GMEM_CREATE_F_INIT_SHARED)
		target = SHARED;
	self->report->rc = gmem_convert(self->fd, 0, BIG_LENGTH, target,
					PRESERVE);
}

static void open_shared(struct memcg_data *self, uint32_t flags)
{
	open_memory(self, flags);
	test_gmem_convert(self->fd, 0, BIG_LENGTH, SHARED, PRESERVE);
	EXPECT_EQ(0, run_in(self, &self->cg, touch));
}

/* A conversion allocates no pages, so it cannot fail. */
static void limit_convert(struct memcg_data *self, uint32_t moved)
{
	struct gmem_ioctl_stat stat;

	run_filled(self, convert_filled);
	EXPECT_EQ(0, self->report->rc);
	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(moved, stat.moved_pages);
	EXPECT_EQ(NR_PAGES, stat.resident_pages + stat.store_pages);
	expect_file(NR_PAGES, &self->cg);
	test_gmem_convert(self->fd, 0, BIG_LENGTH, SHARED, PRESERVE);
	expect_contents(self);
}

TEST_F(memcg, limit_to_private)
{
	open_shared(self, 0);
	limit_convert(self, 0);
}

TEST_F(memcg, limit_to_shared)
{
	open_shared(self, GMEM_CREATE_F_INIT_SHARED);
	to_private(self);
	limit_convert(self, 0);
}

/* Moving pages to the store needs a placeholder for a short time, which always succeeds. */
TEST_F(memcg, limit_hand_over)
{
	if (!open_store(self))
		return;
	open_shared(self, 0);
	test_gmem_bind(self->fd, 0, BIG_LENGTH, self->store, 0);
	limit_convert(self, NR_PAGES);
}

TEST_F(memcg, limit_take_back)
{
	if (!open_store(self))
		return;
	open_shared(self, GMEM_CREATE_F_INIT_SHARED);
	test_gmem_bind(self->fd, 0, BIG_LENGTH, self->store, 0);
	to_private(self);
	limit_convert(self, 2 * NR_PAGES);
}

static void bind_filled(struct memcg_data *self)
{
	fill_group(self);
	self->report->rc = gmem_bind(self->fd, 0, LENGTH, self->store, 0);
}

/* BIND with contents to move: all or nothing. */
TEST_F(memcg, limit_bind)
{
	struct gmem_ioctl_stat stat;
	int rc;

	if (!open_store(self))
		return;
	open_memory(self, GMEM_CREATE_F_INIT_SHARED);
	EXPECT_EQ(0, run_in(self, &self->cg, touch));
	to_private(self);
	run_filled(self, bind_filled);
	rc = self->report->rc;
	EXPECT_TRUE(!rc || rc == -ENOMEM);
	TH_LOG("at the limit: %s", rc ? strerror(-rc) : "went through");
	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(!rc, stat.bindings);
	EXPECT_EQ(rc ? 0 : NR_PAGES, stat.store_pages);
	EXPECT_EQ(NR_PAGES, stat.store_pages + stat.resident_pages);
	EXPECT_EQ(NR_PAGES, stat.private_pages);
	to_shared(self);
	expect_contents(self);
}

#define THREADS 1000

struct askers {
	pthread_barrier_t all;
	int view;
};

static void *asker_main(void *arg)
{
	struct askers *askers = arg;
	struct gmem_ioctl_view_fault fault;

	EXPECT_EQ(-EAGAIN, gmem_view_fault(askers->view, &fault));
	pthread_barrier_wait(&askers->all);
	return NULL;
}

/* All of them at a time: who asks for the first time has those who are gone forgotten. */
static void ask_for_faults(struct memcg_data *self)
{
	struct askers askers = { .view = test_gmem_view(self->fd, 0, PAGE) };
	static pthread_t threads[THREADS];
	pthread_attr_t attr;
	int i;

	pthread_barrier_init(&askers.all, NULL, THREADS);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 8 * PAGE);
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], &attr, asker_main, &askers));
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

/*
 * VIEW_FAULT remembers a thread for no longer than the process has the view. What else is left
 * is a few pages of each CPU.
 */
TEST_F(memcg, view_fault)
{
	struct gmem_ioctl_info info;
	long long kernel = 0;
	int tries;

	ASSERT_EQ(0, gmem_info(&info));
	if (!(info.features & GMEM_FEATURE_VIEW_FAULT))
		SKIP(return, KSFT_BY_DESIGN " no gmem_kvm");
	open_memory(self, GMEM_CREATE_F_INIT_SHARED);
	EXPECT_EQ(0, run_in(self, &self->cg, ask_for_faults));
	for (tries = 0; tries < 50; tries++) {
		kernel = cgroup_key(&self->cg, "memory.stat", "kernel");
		if (kernel < THREADS * 250)
			break;
		usleep(100000);
	}
	TH_LOG("%lld bytes", kernel);
	EXPECT_LT(kernel, THREADS * 250);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
