// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a binding: what it waits for, and what it does not wait for. And a memory
 * error, of which the hypervisor is notified when nobody uses the page any more.
 */
#include <fcntl.h>
#include <unistd.h>

#include "cgroup.h"
#include "gmem_utils.h"
#include "hold.h"
#include "ksft.h"
#include "mock.h"
#include "poison.h"

#define NR_PAGES 8
#define LENGTH (NR_PAGES * PAGE)
#define GPA 0x300000000ULL
#define AT(page) (GPA + (page) * PAGE)
#define NR_CONVERTERS 4

FIXTURE(unbind) {
	int vm;
	int fd;
	uint8_t *p;
};

FIXTURE_SETUP(unbind)
{
	self->vm = test_mock_create();
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	gmem_fill(self->p, 'A', LENGTH);
	test_mock_bind(self->vm, GPA, self->fd, 0, LENGTH, 0);
	expect_guest('A', self->vm, GPA, LENGTH);
}

FIXTURE_TEARDOWN(unbind)
{
	expect_mock_kept(self->vm);
	close(self->vm);
	close(self->fd);
}

struct caller {
	struct gmem_task task;
	int vm;
	int fd;
	int rc;
	int done;
};

static void *convert_main(void *arg)
{
	struct caller *caller = arg;

	caller->rc = gmem_convert_wait(caller->fd, 0, LENGTH, PRIVATE, PRESERVE,
				       GMEM_CONVERT_TIMEOUT_MAX);
	__atomic_store_n(&caller->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void *unbind_main(void *arg)
{
	struct caller *caller = arg;

	caller->rc = mock_unbind(caller->vm, GPA);
	__atomic_store_n(&caller->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* Unbind does not wait for conversions of a pinned page. */
TEST_F(unbind, converters_make_haste)
{
	struct caller converters[NR_CONVERTERS] = {};
	struct hold_pipe hold;
	uint64_t start;
	int i;

	ASSERT_EQ(0, hold_pipe_take(&hold, self->p, PAGE));
	for (i = 0; i < NR_CONVERTERS; i++) {
		converters[i].fd = self->fd;
		ASSERT_EQ(0, gmem_task_start(&converters[i].task, -1,
					     convert_main, &converters[i]));
	}
	usleep(300000);
	EXPECT_FALSE(__atomic_load_n(&converters[0].done, __ATOMIC_ACQUIRE));
	start = ksft_now_ms();
	test_mock_unbind(self->vm, GPA);
	EXPECT_LT(ksft_now_ms() - start, 10000);

	hold_pipe_drop(&hold);
	for (i = 0; i < NR_CONVERTERS; i++) {
		gmem_task_join(&converters[i].task);
		EXPECT_TRUE(!converters[i].rc || converters[i].rc == -EAGAIN);
	}
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
}

/* A process in @cg populates memory, which takes long. */
static pid_t start_committer(const struct cgroup *cg, int fd, uint64_t length)
{
	pid_t pid = fork();

	if (!pid) {
		ASSERT_EQ(0, cgroup_enter(cg));
		gmem_commit(fd, 0, length);
		_exit(KSFT_PASS);
	}
	return pid;
}

/* Unbind does not wait for commit, which sleeps often above memory.high. */
TEST_F(unbind, committers_make_haste)
{
	struct caller unbinder = { .vm = test_mock_create() };
	uint64_t length = 8 * SZ_2M, start;
	struct cgroup cg;
	pid_t pid;
	int i;

	if (cgroup_unavailable())
		SKIP(return, "%s", cgroup_unavailable());
	unbinder.fd = test_gmem_create(length, GMEM_CREATE_F_INIT_SHARED);
	test_mock_bind(unbinder.vm, GPA, unbinder.fd, 0, length, 0);
	ASSERT_EQ(0, cgroup_create(&cg, "gmem_unbind_test"));
	ASSERT_EQ(0, cgroup_write(&cg, "memory.high", SZ_2M));
	pid = start_committer(&cg, unbinder.fd, length);
	ASSERT_GT(pid, 0);
	for (i = 0; i < 300 && cgroup_key(&cg, "memory.events", "high") < 10; i++)
		usleep(100000);
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	start = ksft_now_ms();
	ASSERT_EQ(0, gmem_task_start(&unbinder.task, -1, unbind_main, &unbinder));
	while (!__atomic_load_n(&unbinder.done, __ATOMIC_ACQUIRE) &&
	       ksft_now_ms() - start < 30000)
		usleep(10000);
	EXPECT_LT(ksft_now_ms() - start, 10000);

	kill(pid, SIGKILL);
	gmem_wait_pid(pid);
	gmem_task_join(&unbinder.task);
	EXPECT_EQ(0, unbinder.rc);
	close(unbinder.vm);
	close(unbinder.fd);
	EXPECT_EQ(0, cgroup_wait_uncharged(&cg));
	EXPECT_EQ(0, cgroup_remove(&cg));
}

/* While a slow release() runs, the range can be used again. */
TEST_F(unbind, release_holds_nobody_up)
{
	struct caller unbinder = { .vm = self->vm };

	ASSERT_EQ(0, mock_slow(self->vm, GMEM_TEST_GONE, 3000));
	ASSERT_EQ(0, gmem_task_start(&unbinder.task, -1, unbind_main, &unbinder));
	ASSERT_EQ(0, mock_wait_calls(self->vm, GMEM_TEST_GONE, 1));
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes('A', self->p, LENGTH);
	EXPECT_FALSE(__atomic_load_n(&unbinder.done, __ATOMIC_ACQUIRE));
	gmem_task_join(&unbinder.task);
	EXPECT_EQ(0, unbinder.rc);
}

/* The task that is hit by the error has a pending signal, but has to wait. */
TEST_F(unbind, error_waits_for_look_up)
{
	const char *why = poison_unavailable();
	struct poison_signal signal;
	uint64_t pfn = gmem_pfn(self->p + 3 * PAGE);
	uint64_t start;

	if (why)
		SKIP(return, "%s", why);
	test_mock_hold(self->vm, AT(3), 0, 700);
	start = ksft_now_ms();
	EXPECT_EQ(0, poison_mapped(self->p + 3 * PAGE, &signal));
	EXPECT_GE(ksft_now_ms() - start, 500);
	EXPECT_EQ(1, mock_calls(self->vm, GMEM_TEST_ERROR));
	EXPECT_EQ(-EHWPOISON, mock_hold(self->vm, AT(3), 0, 100));
	expect_guest('A', self->vm, GPA, 3 * PAGE);
	test_gmem_punch(self->fd, 3 * PAGE, PAGE);
	poison_undo(pfn);
}

KSFT_NEEDS_CPUS(2)
TEST_HARNESS_MAIN_IF(mock_unavailable())
