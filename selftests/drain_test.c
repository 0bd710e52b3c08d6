// SPDX-License-Identifier: GPL-2.0
/*
 * A CPU that is not to be had: a real-time task runs there and never sleeps, as the
 * vCPU of a guest on an isolated CPU does. The kernel's caches of that CPU cannot be
 * drained then. A conversion may fail because of it; it has to end, has to die when
 * it is killed, and is not in the way of other files.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "hold.h"
#include "ksft.h"

#define NR_PAGES 16
#define LENGTH (NR_PAGES * PAGE)
#define HELD 3
#define HOG_MS 20000			/* at most */
#define BOUND_MS 4000			/* for what should take no time */
#define RT_RUNTIME "/proc/sys/kernel/sched_rt_runtime_us"

/**
 * struct result - how a conversion of another process has ended
 * @rc: of CONVERT
 * @done: whether it has
 */
struct result {
	int rc;
	int done;
};

FIXTURE(drain) {
	int here;
	int there;
	int fd;
	int other;
	uint8_t *p;
	uint8_t *q;
	struct hold_pipe hold;
	struct hold_pipe other_hold;
	struct result *result;
	struct gmem_task hog;
	int hogging;
	int stop;
	uint8_t *fill;
	char runtime[32];
	char server[96];
	char server_runtime[32];
};

/* The first and the last CPU that this process may use. */
static bool find_cpus(struct drain_data *self)
{
	cpu_set_t set;
	int cpu;

	self->here = -1;
	self->there = -1;
	if (sched_getaffinity(0, sizeof(set), &set))
		return false;
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &set))
			continue;
		if (self->here < 0)
			self->here = cpu;
		self->there = cpu;
	}
	return self->here != self->there;
}

/* Real-time tasks may have all of the time, and leave none to others. */
static void throttling_off(struct drain_data *self)
{
	ASSERT_LT(0, gmem_read_file(RT_RUNTIME, self->runtime,
				    sizeof(self->runtime)));
	ASSERT_EQ(0, gmem_write_file(RT_RUNTIME, "-1"));
	snprintf(self->server, sizeof(self->server),
		 "/sys/kernel/debug/sched/fair_server/cpu%d/runtime", self->there);
	if (gmem_read_file(self->server, self->server_runtime,
			   sizeof(self->server_runtime)) > 0)
		EXPECT_EQ(0, gmem_write_file(self->server, "0"));
}

static void throttling_on(struct drain_data *self)
{
	if (self->server_runtime[0])
		gmem_write_file(self->server, self->server_runtime);
	gmem_write_file(RT_RUNTIME, self->runtime);
}

static uint8_t *new_memory(int *fd, struct hold_pipe *hold)
{
	uint8_t *p;

	*fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	p = test_gmem_map(*fd, 0, LENGTH);
	gmem_fill(p, 'A', LENGTH);
	ASSERT_EQ(0, hold_pipe_take(hold, p + HELD * PAGE, 1));
	return p;
}

FIXTURE_SETUP(drain)
{
	ASSERT_TRUE(find_cpus(self));
	ASSERT_EQ(0, gmem_pin_cpu(self->here));
	self->result = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->result);
	self->p = new_memory(&self->fd, &self->hold);
	self->q = new_memory(&self->other, &self->other_hold);
	throttling_off(self);
}

static void hog_stop(struct drain_data *self)
{
	__atomic_store_n(&self->stop, 1, __ATOMIC_RELEASE);
	gmem_task_join(&self->hog);
}

FIXTURE_TEARDOWN(drain)
{
	hog_stop(self);
	throttling_on(self);
	hold_pipe_drop(&self->hold);
	hold_pipe_drop(&self->other_hold);
	/* Whatever was in the way is gone. */
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes('A', self->p, LENGTH);
	close(self->fd);
	close(self->other);
}

static void *hog_main(void *arg)
{
	struct sched_param param = { .sched_priority = 50 };
	struct drain_data *self = arg;
	uint64_t end;

	if (sched_setscheduler(0, SCHED_FIFO, &param))
		return NULL;
	if (self->fill)
		gmem_fill(self->fill, 'A', LENGTH);
	__atomic_store_n(&self->hogging, 1, __ATOMIC_RELEASE);
	end = ksft_now_ms() + HOG_MS;
	while (!__atomic_load_n(&self->stop, __ATOMIC_ACQUIRE) &&
	       ksft_now_ms() < end)
		;
	return NULL;
}

static void hog_start(struct drain_data *self)
{
	uint64_t end = ksft_now_ms() + 10000;

	ASSERT_EQ(0, gmem_task_start(&self->hog, self->there, hog_main, self));
	while (!__atomic_load_n(&self->hogging, __ATOMIC_ACQUIRE) &&
	       ksft_now_ms() < end)
		usleep(10000);
	ASSERT_TRUE(self->hogging);
}

/* A process that converts all of @fd. */
static pid_t convert_start(struct drain_data *self, int fd, uint32_t timeout_ms)
{
	pid_t pid;

	self->result->done = 0;
	pid = fork();
	if (!pid) {
		self->result->rc = gmem_convert_wait(fd, 0, LENGTH, PRIVATE,
						     PRESERVE, timeout_ms);
		__atomic_store_n(&self->result->done, 1, __ATOMIC_RELEASE);
		_exit(0);
	}
	return pid;
}

/* Whether a process has gone in time; one that has not is left to the harness. */
static bool ends_soon(pid_t pid)
{
	uint64_t end = ksft_now_ms() + BOUND_MS;

	while (ksft_now_ms() < end) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return true;
		usleep(10000);
	}
	return false;
}

static void expect_refused(struct drain_data *self, int fd)
{
	pid_t pid = convert_start(self, fd, 0);

	EXPECT_TRUE(ends_soon(pid));
	EXPECT_TRUE(__atomic_load_n(&self->result->done, __ATOMIC_ACQUIRE));
	if (self->result->done)
		EXPECT_EQ(-EAGAIN, self->result->rc);
	else
		kill(pid, SIGKILL);
}

/* Without the task: the same at once. */
TEST_F(drain, D3_idle)
{
	expect_refused(self, self->fd);
	expect_refused(self, self->other);
}

/* A page is held, and no draining can change that. */
TEST_F(drain, D3_held_page)
{
	hog_start(self);
	expect_refused(self, self->fd);
}

/* A converter that still hopes can be killed. */
TEST_F(drain, D3_killed)
{
	pid_t pid;

	hog_start(self);
	pid = convert_start(self, self->fd, 60000);
	usleep(1000000);
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_TRUE(ends_soon(pid));
}

/* A converter that waits is not in the way of one of another file. */
TEST_F(drain, D3_other_file)
{
	pid_t first;

	hog_start(self);
	first = convert_start(self, self->fd, 60000);
	usleep(500000);
	expect_refused(self, self->other);
	kill(first, SIGKILL);
	EXPECT_TRUE(ends_soon(first));
}

/*
 * The last to touch the memory was that CPU: its batch holds references. The
 * conversion succeeds or says EAGAIN, soon; and succeeds when the CPU is idle.
 */
TEST_F(drain, D3_last_touched_there)
{
	int fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	pid_t pid;

	self->fill = test_gmem_map(fd, 0, LENGTH);
	hog_start(self);
	pid = convert_start(self, fd, 0);
	EXPECT_TRUE(ends_soon(pid));
	EXPECT_TRUE(self->result->done);
	if (self->result->done)
		EXPECT_TRUE(!self->result->rc || self->result->rc == -EAGAIN);
	hog_stop(self);
	EXPECT_EQ(0, gmem_convert(fd, 0, LENGTH, PRIVATE, PRESERVE));
	test_gmem_convert(fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes('A', self->fill, LENGTH);
	close(fd);
}

/* A timeout is kept, more or less. */
TEST_F(drain, D3_timeout)
{
	uint64_t start = ksft_now_ms();
	pid_t pid;

	hog_start(self);
	pid = convert_start(self, self->fd, 500);
	EXPECT_TRUE(ends_soon(pid));
	EXPECT_TRUE(self->result->done);
	EXPECT_LE(500, ksft_now_ms() - start);
	if (self->result->done)
		EXPECT_EQ(-EAGAIN, self->result->rc);
	else
		kill(pid, SIGKILL);
}

KSFT_NEEDS_CPUS(2)
TEST_HARNESS_MAIN_IF(gmem_unavailable())
