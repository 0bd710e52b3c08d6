// SPDX-License-Identifier: GPL-2.0
/*
 * A CPU that runs only a real-time task which never sleeps, like the vCPU of a guest on
 * an isolated CPU. Then the kernel cannot drain its caches of that CPU. A conversion may
 * fail because of this. But it has to end, can be killed, and does not block other files.
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
#define BOUND_MS 4000			/* bound for calls that should take no time */
#define RT_RUNTIME "/proc/sys/kernel/sched_rt_runtime_us"

/**
 * struct result - how a conversion of another process has ended
 * @rc: result of CONVERT
 * @done: whether CONVERT has returned
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

/* Allow real-time tasks to use all of the CPU time. */
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
	/* After the test nothing stops a conversion. */
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

/* Start a process that converts the whole file @fd. */
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

/* Whether a process ends in time. The harness kills one that does not. */
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

/* Without the real-time task: immediate success. */
TEST_F(drain, D3_idle)
{
	expect_refused(self, self->fd);
	expect_refused(self, self->other);
}

/* A page is held, which draining cannot change. */
TEST_F(drain, D3_held_page)
{
	hog_start(self);
	expect_refused(self, self->fd);
}

/* A converter that waits can be killed. */
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

/* A converter that waits does not block the conversion of another file. */
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
 * The busy CPU was the last to access the memory, so its batch holds references. The
 * conversion soon succeeds or returns EAGAIN. It succeeds when the CPU is idle again.
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

/* The timeout is roughly kept. */
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
