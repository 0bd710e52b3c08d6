// SPDX-License-Identifier: GPL-2.0
/*
 * GMEM_IOCTL_CONVERT that waits for a held page: the timeout, signals, and page faults
 * during the wait.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "hold.h"
#include "ksft.h"

#define NR_PAGES 8
#define LENGTH (NR_PAGES * PAGE)
#define LONG_MS 30000

FIXTURE(wait) {
	int fd;
	uint8_t *p;
	struct hold_pipe hold;
	struct gmem_task task;
	volatile pid_t tid;
	volatile int rc;
	volatile int done;
	uint32_t timeout_ms;
};

FIXTURE_SETUP(wait)
{
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	gmem_fill(self->p, 'A', LENGTH);
	ASSERT_EQ(0, hold_pipe_take(&self->hold, self->p + 2 * PAGE, PAGE));
	self->timeout_ms = LONG_MS;
}

FIXTURE_TEARDOWN(wait)
{
	hold_pipe_drop(&self->hold);
	gmem_task_join(&self->task);
	close(self->fd);
}

static void *convert_thread(void *arg)
{
	struct wait_data *self = arg;

	self->tid = (pid_t)syscall(SYS_gettid);
	self->rc = gmem_convert_wait(self->fd, 0, LENGTH, PRIVATE, PRESERVE,
				     self->timeout_ms);
	self->done = 1;
	return NULL;
}

/* Start a thread that converts, and waits for the held page. */
static void start_converter(struct wait_data *self)
{
	ASSERT_EQ(0, gmem_task_start(&self->task, -1, convert_thread, self));
	while (!self->tid)
		usleep(1000);
	usleep(100000);
	EXPECT_FALSE(self->done);
}

static void expect_all(struct wait_data *self, uint32_t state)
{
	struct gmem_range r;

	ASSERT_EQ(0, gmem_query_one(self->fd, 0, LENGTH, &r));
	EXPECT_EQ(LENGTH, r.length);
	EXPECT_EQ(state, r.state);
}

/* The page is released in time: the conversion succeeds well before the timeout. */
TEST_F(wait, holder_lets_go)
{
	uint64_t start = ksft_now_ms();

	start_converter(self);
	usleep(300000);
	EXPECT_FALSE(self->done);
	hold_pipe_drop(&self->hold);
	gmem_task_join(&self->task);
	EXPECT_EQ(0, self->rc);
	EXPECT_LT(ksft_now_ms() - start, LONG_MS);
	expect_all(self, PRIVATE);
	expect_sigbus(self->p);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes('A', self->p, LENGTH);
}

/* The page is not released: EAGAIN after the timeout, with the offset of the page. */
TEST_F(wait, timeout_expires)
{
	struct gmem_ioctl_convert c = { .length = LENGTH, .target = PRIVATE,
					.timeout_ms = 400 };
	uint64_t start = ksft_now_ms();

	EXPECT_EQ(-EAGAIN, gmem_convert_args(self->fd, &c));
	/* Jiffies lag behind on a CPU whose timer interrupt is late. */
	EXPECT_GE(ksft_now_ms() - start, 350);
	EXPECT_LT(ksft_now_ms() - start, 20000);
	EXPECT_EQ(2 * PAGE, c.error_offset);
	EXPECT_EQ(3, c.refs_seen);
	EXPECT_EQ(2, c.refs_expected);
	expect_all(self, SHARED);
	expect_bytes('A', self->p, LENGTH);
}

/* Without a timeout the call does not wait. */
TEST_F(wait, no_timeout)
{
	uint64_t start = ksft_now_ms();

	test_err_gmem_convert(EAGAIN, self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	EXPECT_LT(ksft_now_ms() - start, 15000);
}

/* Conversions to shared, or to the current state, do not wait. */
TEST_F(wait, nothing_to_wait_for)
{
	uint64_t start = ksft_now_ms();

	EXPECT_EQ(0, gmem_convert_wait(self->fd, 0, LENGTH, SHARED, PRESERVE,
				       LONG_MS));
	EXPECT_EQ(0, gmem_convert_wait(self->fd, 0, 2 * PAGE, PRIVATE, PRESERVE,
				       LONG_MS));
	EXPECT_EQ(0, gmem_convert_wait(self->fd, 0, 2 * PAGE, SHARED, ZERO,
				       LONG_MS));
	EXPECT_LT(ksft_now_ms() - start, LONG_MS / 2);
}

static void on_signal(int sig __ksft_unused)
{
}

static void catch_signal(int sig)
{
	struct sigaction sa = { .sa_handler = on_signal };

	ASSERT_EQ(0, sigaction(sig, &sa, NULL));
}

/* A signal ends the wait: EINTR, nothing has changed. */
TEST_F(wait, interrupted)
{
	catch_signal(SIGUSR1);
	start_converter(self);
	while (!self->done) {
		pthread_kill(self->task.thread, SIGUSR1);
		usleep(20000);
	}
	gmem_task_join(&self->task);
	EXPECT_EQ(-EINTR, self->rc);
	expect_all(self, SHARED);
	expect_bytes('A', self->p, LENGTH);
	hold_pipe_drop(&self->hold);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
}

/* Raise SIGALRM every @us microseconds, like a profiler; 0: stop. */
static void alarms(int flags, int us)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };
	struct timeval tv = { .tv_usec = us };
	struct itimerval timer = { .it_interval = tv, .it_value = tv };

	ASSERT_EQ(0, sigaction(SIGALRM, &sa, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &timer, NULL));
}

/* Signals restart the call, with the rest of the timeout and not with all of it. */
TEST_F(wait, D6_timeout_under_signals)
{
	uint64_t start = ksft_now_ms();
	uint64_t took;
	int rc;

	alarms(SA_RESTART, 1000);
	rc = gmem_convert_wait(self->fd, 0, LENGTH, PRIVATE, PRESERVE, 100);
	took = ksft_now_ms() - start;
	alarms(SA_RESTART, 0);
	TH_LOG("took %u ms", (unsigned int)took);
	EXPECT_EQ(-EAGAIN, rc);
	EXPECT_GE(took, 50);
	EXPECT_LT(took, 3000);
	expect_all(self, SHARED);
	expect_bytes('A', self->p, LENGTH);
}

/* The remaining time is never longer than the timeout was. */
TEST_F(wait, D6_time_left)
{
	uint64_t end = ksft_now_ms() + 3000;
	unsigned int interrupted = 0, grown = 0;
	struct gmem_ioctl_convert c;
	uint32_t timeout_ms;
	int rc;

	alarms(0, 1000);
	for (timeout_ms = 1; ksft_now_ms() < end && interrupted < 100;
	     timeout_ms = timeout_ms % 16 + 1) {
		c = (struct gmem_ioctl_convert){ .length = LENGTH,
						 .target = PRIVATE,
						 .timeout_ms = timeout_ms };
		rc = gmem_convert_args(self->fd, &c);
		interrupted += rc == -EINTR;
		grown += c.timeout_ms > timeout_ms;
	}
	alarms(0, 0);
	EXPECT_LE(10, interrupted);
	EXPECT_EQ(0, grown);
}

static void *drop_later(void *arg)
{
	struct wait_data *self = arg;

	usleep(500000);
	hold_pipe_drop(&self->hold);
	return NULL;
}

/* With the longest timeout the remaining time is never too long to be accepted. */
TEST_F(wait, D6_longest_timeout_under_signals)
{
	int rc;

	ASSERT_EQ(0, gmem_task_start(&self->task, -1, drop_later, self));
	alarms(SA_RESTART, 1000);
	rc = gmem_convert_wait(self->fd, 0, LENGTH, PRIVATE, PRESERVE,
			       GMEM_CONVERT_TIMEOUT_MAX);
	alarms(SA_RESTART, 0);
	EXPECT_EQ(0, rc);
	gmem_task_join(&self->task);
}

/* A converter that is killed while it waits leaves the range unchanged. */
TEST_F(wait, killed)
{
	pid_t pid = fork();

	if (!pid)
		_exit(-gmem_convert_wait(self->fd, 0, LENGTH, PRIVATE, PRESERVE,
					 LONG_MS));
	ASSERT_EQ(0, gmem_wait_sleeping(pid, 10000));
	usleep(50000);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(128 + SIGKILL, gmem_wait_pid(pid));
	expect_all(self, SHARED);
	expect_bytes('A', self->p, LENGTH);
	hold_pipe_drop(&self->hold);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes('A', self->p, LENGTH);
}

static void *touch_thread(void *arg)
{
	struct wait_data *self = arg;

	self->tid = (pid_t)syscall(SYS_gettid);
	self->rc = gmem_try_read(self->p + 5 * PAGE, NULL);
	self->done = 1;
	return NULL;
}

/* A page fault in the range waits for the conversion. If that fails, it gets the page ... */
TEST_F(wait, fault_waits_then_gets_the_page)
{
	struct wait_data touch = { .p = self->p };
	struct gmem_ioctl_stat stat;

	self->timeout_ms = 5000;
	start_converter(self);
	ASSERT_EQ(0, gmem_task_start(&touch.task, -1, touch_thread, &touch));
	gmem_task_join(&touch.task);
	EXPECT_EQ(0, touch.rc);
	gmem_task_join(&self->task);
	EXPECT_EQ(-EAGAIN, self->rc);
	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(1, stat.refused);
	EXPECT_GE(stat.faults_waited, 1);
	expect_bytes('A', self->p, LENGTH);
}

/*
 * A kernel access waits for the conversion as long as a user's. Its wait is bounded only
 * while a hypervisor is called, and there is none.
 */
TEST_F(wait, kernel_waits_then_gets_the_page)
{
	uint64_t start = ksft_now_ms();
	char byte = 0;
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	self->timeout_ms = 23000;
	start_converter(self);
	EXPECT_EQ(1, write(fds[1], self->p, 1));
	EXPECT_GE(ksft_now_ms() - start, 20000);
	EXPECT_EQ(1, read(fds[0], &byte, 1));
	EXPECT_EQ('A', byte);
	gmem_task_join(&self->task);
	EXPECT_EQ(-EAGAIN, self->rc);
	close(fds[0]);
	close(fds[1]);
}

/* ... and SIGBUS if it succeeds. */
TEST_F(wait, fault_waits_then_gets_sigbus)
{
	struct wait_data touch = { .p = self->p };
	struct gmem_ioctl_stat stat;

	start_converter(self);
	ASSERT_EQ(0, gmem_task_start(&touch.task, -1, touch_thread, &touch));
	usleep(500000);
	EXPECT_FALSE(touch.done);
	EXPECT_FALSE(self->done);
	hold_pipe_drop(&self->hold);
	gmem_task_join(&self->task);
	gmem_task_join(&touch.task);
	EXPECT_EQ(0, self->rc);
	EXPECT_EQ(SIGBUS, touch.rc);
	test_gmem_stat(self->fd, &stat);
	EXPECT_GE(stat.faults_waited, 1);
	EXPECT_GE(stat.faults_refused, 1);
}

/* A task that waits in such a page fault can be killed. */
TEST_F(wait, fault_waiting_is_killable)
{
	uint64_t start = ksft_now_ms();
	pid_t pid;

	start_converter(self);
	pid = fork();
	if (!pid)
		_exit(gmem_try_read(self->p + 5 * PAGE, NULL));
	usleep(300000);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(128 + SIGKILL, gmem_wait_pid(pid));
	EXPECT_LT(ksft_now_ms() - start, LONG_MS / 2);
	EXPECT_FALSE(self->done);
}

/* Pages outside of the range stay usable while a conversion waits. */
TEST_F(wait, others_go_on)
{
	int fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	uint8_t *q = test_gmem_map(fd, 0, LENGTH);
	struct gmem_ioctl_stat stat;
	uint64_t start;

	start_converter(self);
	start = ksft_now_ms();
	gmem_fill(q, 1, LENGTH);
	test_gmem_convert(fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_gmem_stat(self->fd, &stat);
	expect_state(SHARED, self->fd, 0);
	EXPECT_LT(ksft_now_ms() - start, LONG_MS / 2);
	EXPECT_FALSE(self->done);
}

/* A second conversion waits behind the first one only as long as that one's timeout. */
TEST_F(wait, second_converter)
{
	uint64_t start;
	int rc;

	self->timeout_ms = 2000;
	start_converter(self);
	start = ksft_now_ms();
	rc = gmem_convert_wait(self->fd, 4 * PAGE, PAGE, PRIVATE, PRESERVE,
			       LONG_MS);
	EXPECT_EQ(0, rc);
	EXPECT_LT(ksft_now_ms() - start, LONG_MS);
	gmem_task_join(&self->task);
	EXPECT_EQ(-EAGAIN, self->rc);
	expect_state(PRIVATE, self->fd, 4 * PAGE);
	expect_state(SHARED, self->fd, 0);
	expect_bytes('A', self->p, 4 * PAGE);
}

/* A second converter that waits for the first one can be interrupted. */
TEST_F(wait, second_converter_interrupted)
{
	struct wait_data second = { .fd = self->fd, .timeout_ms = 0 };

	catch_signal(SIGUSR1);
	start_converter(self);
	ASSERT_EQ(0, gmem_task_start(&second.task, -1, convert_thread,
				     &second));
	usleep(200000);
	while (!second.done) {
		pthread_kill(second.task.thread, SIGUSR1);
		usleep(20000);
	}
	gmem_task_join(&second.task);
	EXPECT_TRUE(second.rc == -EINTR || second.rc == -EAGAIN);
	EXPECT_FALSE(self->done);
	expect_all(self, SHARED);
}

/* The last reference to the file can go away while a conversion waits. */
TEST_F(wait, fd_closed_meanwhile)
{
	start_converter(self);
	close(self->fd);
	munmap(self->p, LENGTH);
	usleep(100000);
	hold_pipe_drop(&self->hold);
	gmem_task_join(&self->task);
	EXPECT_EQ(0, self->rc);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
