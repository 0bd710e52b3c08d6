// SPDX-License-Identifier: GPL-2.0
/*
 * Page faults and other work of the host during conversions and holes that take long. A
 * fault waits for the conversion that it has met, but not for later ones. It does not
 * block the lock of the address space. A waiting task can be frozen. Ranges without a
 * conversion are not blocked.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "cgroup.h"
#include "gmem_utils.h"
#include "hold.h"
#include "ksft.h"

#define NR_PAGES 16
#define LENGTH (NR_PAGES * PAGE)
#define BIG_LENGTH (256ULL << 20)	/* long enough to punch */
#define PROBE_LENGTH (16ULL << 20)
#define MANY (256ULL << 20)
#define TRY_MS 800			/* timeout of a conversion that is retried */
#define TRIES 4
#define START_MS 200			/* until converters wait for the page */
#define CONVERTERS 2			/* at most */
#define SLACK_MS 1000			/* bound for work that should take no time */
#define LONG_MS 8000

/**
 * struct worker - a thread that repeats an operation
 * @task: thread
 * @wait: the fixture
 * @longest: duration of the longest round, in ms
 * @rounds: number of rounds
 * @convert: arguments of a single conversion
 * @rc: result of the conversion
 */
struct worker {
	struct gmem_task task;
	struct fault_wait_data *wait;
	uint64_t longest;
	unsigned int rounds;
	struct gmem_ioctl_convert convert;
	int rc;
};

FIXTURE(fault_wait) {
	int fd;
	uint8_t *p;
	struct hold_pipe hold;
	struct gmem_task converters[CONVERTERS];
	unsigned int nr_converters;
	uint32_t timeout_ms;
	unsigned int gap_us;
	int tries;
	int rc;
	int started;
	int stop;
};

FIXTURE_SETUP(fault_wait)
{
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	gmem_fill(self->p, 'A', LENGTH);
	ASSERT_EQ(0, hold_pipe_take(&self->hold, self->p, 1));
	self->nr_converters = CONVERTERS;
	self->timeout_ms = TRY_MS;
	self->tries = 1000000;
}

static void converters_join(struct fault_wait_data *self)
{
	unsigned int i;

	__atomic_store_n(&self->stop, 1, __ATOMIC_RELEASE);
	for (i = 0; i < CONVERTERS; i++)
		gmem_task_join(&self->converters[i]);
}

FIXTURE_TEARDOWN(fault_wait)
{
	hold_pipe_drop(&self->hold);
	converters_join(self);
	munmap(self->p, LENGTH);
	close(self->fd);
}

static bool stopped(const struct fault_wait_data *self)
{
	return __atomic_load_n(&self->stop, __ATOMIC_ACQUIRE);
}

/* Like a VMM whose guest insists: retry immediately. */
static void *converter_main(void *arg)
{
	struct fault_wait_data *self = arg;
	int i;

	__atomic_store_n(&self->started, 1, __ATOMIC_RELEASE);
	for (i = 0; i < self->tries && !stopped(self); i++) {
		self->rc = gmem_convert_wait(self->fd, 0, LENGTH, PRIVATE,
					     PRESERVE, self->timeout_ms);
		if (self->gap_us)
			usleep(self->gap_us);
	}
	return NULL;
}

static void converters_start(struct fault_wait_data *self)
{
	unsigned int i;

	for (i = 0; i < self->nr_converters; i++)
		ASSERT_EQ(0, gmem_task_start(&self->converters[i], -1,
					     converter_main, self));
	while (!__atomic_load_n(&self->started, __ATOMIC_ACQUIRE))
		usleep(1000);
	usleep(START_MS * 1000);
}

static void round_done(struct worker *worker, uint64_t start)
{
	uint64_t ms = ksft_now_ms() - start;

	if (ms > worker->longest)
		worker->longest = ms;
	worker->rounds++;
}

/*
 * Take the lock of the address space for writing again and again, and keep it each time
 * while many page table entries are changed.
 */
static void *protector_main(void *arg)
{
	struct worker *worker = arg;
	uint8_t *p = mmap(NULL, MANY, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t start;

	ASSERT_NE(MAP_FAILED, (void *)p);
	madvise(p, MANY, MADV_NOHUGEPAGE);
	EXPECT_EQ(0, madvise(p, MANY, MADV_POPULATE_READ));
	while (!stopped(worker->wait)) {
		start = ksft_now_ms();
		EXPECT_EQ(0, mprotect(p, MANY, worker->rounds % 2 ?
					       PROT_READ : PROT_NONE));
		round_done(worker, start);
	}
	munmap(p, MANY);
	return NULL;
}

/* The kernel reads from a page that is being converted. */
static void *writer_main(void *arg)
{
	struct worker *worker = arg;
	uint64_t start;
	int fds[2];
	char byte;

	ASSERT_EQ(0, pipe(fds));
	while (!stopped(worker->wait)) {
		start = ksft_now_ms();
		EXPECT_EQ(1, write(fds[1], worker->wait->p + 5 * PAGE, 1));
		round_done(worker, start);
		EXPECT_EQ(1, read(fds[0], &byte, 1));
		EXPECT_EQ('A', byte);
	}
	close(fds[0]);
	close(fds[1]);
	return NULL;
}

/* The kernel writes to such a page. */
static void *reader_main(void *arg)
{
	struct worker *worker = arg;
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	uint64_t start;

	while (!stopped(worker->wait)) {
		start = ksft_now_ms();
		EXPECT_EQ(1, read(zero, worker->wait->p + 6 * PAGE, 1));
		round_done(worker, start);
	}
	close(zero);
	return NULL;
}

/* A user reads from it. */
static void *loader_main(void *arg)
{
	struct worker *worker = arg;
	uint64_t start;

	while (!stopped(worker->wait)) {
		start = ksft_now_ms();
		EXPECT_EQ(0, gmem_try_read(worker->wait->p + 7 * PAGE, NULL));
		round_done(worker, start);
		usleep(100);
	}
	return NULL;
}

static void worker_start(struct worker *worker, struct fault_wait_data *self,
			 void *(*fn)(void *))
{
	*worker = (struct worker){ .wait = self };
	ASSERT_EQ(0, gmem_task_start(&worker->task, -1, fn, worker));
}

static void worker_join(struct worker *worker, const char *name)
{
	gmem_task_join(&worker->task);
	TH_LOG("%s: %u rounds, the longest took %u ms", name, worker->rounds,
	       (unsigned int)worker->longest);
}

/* Run @fn while converters retry without end. */
static void beside_converters(struct fault_wait_data *self, void *(*fn)(void *),
			      uint64_t bound_ms)
{
	struct worker worker;

	converters_start(self);
	worker_start(&worker, self, fn);
	usleep(TRIES * TRY_MS * 1000);
	converters_join(self);
	EXPECT_EQ(-EAGAIN, self->rc);
	worker_join(&worker, "worker");
	EXPECT_LT(0, worker.rounds);
	EXPECT_LT(worker.longest, bound_ms);
}

/* A fault waits at most for the one conversion that it has met. */
TEST_F(fault_wait, C2_load)
{
	beside_converters(self, loader_main, TRY_MS + SLACK_MS);
}

TEST_F(fault_wait, C2_write)
{
	beside_converters(self, writer_main, TRY_MS + SLACK_MS);
}

TEST_F(fault_wait, C2_read)
{
	beside_converters(self, reader_main, TRY_MS + SLACK_MS);
}

TEST_F(fault_wait, C2_one_converter)
{
	self->nr_converters = 1;
	beside_converters(self, writer_main, TRY_MS + SLACK_MS);
}

/* The same for many short conversions. */
TEST_F(fault_wait, C2_short_conversions)
{
	self->timeout_ms = 100;
	beside_converters(self, writer_main, SLACK_MS);
}

/* The same for conversions without a timeout. */
TEST_F(fault_wait, C2_no_timeout)
{
	self->timeout_ms = 0;
	beside_converters(self, writer_main, SLACK_MS);
}

/*
 * The address space stays usable while the kernel's fault waits, even for a second
 * conversion. This happens if the fault has waited for the lock, after the first
 * conversion, longer than the VMM has waited before it retries.
 */
TEST_F(fault_wait, D9_C2_address_space_is_free)
{
	struct worker worker, protector;

	self->nr_converters = 1;
	self->timeout_ms = 1500;
	self->gap_us = 3000;
	self->tries = 3;
	worker_start(&protector, self, protector_main);
	while (!__atomic_load_n(&protector.rounds, __ATOMIC_RELAXED))
		usleep(10000);
	converters_start(self);
	worker_start(&worker, self, writer_main);
	gmem_task_join(&self->converters[0]);
	converters_join(self);
	worker_join(&worker, "write");
	worker_join(&protector, "mprotect");
	EXPECT_LT(protector.longest, SLACK_MS);
}

static void *memory_reader_main(void *arg)
{
	struct fault_wait_data *self = arg;
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	uint8_t byte = 0;

	EXPECT_EQ(1, pread(fd, &byte, 1, (off_t)(uintptr_t)self->p));
	EXPECT_EQ('A', byte);
	close(fd);
	return NULL;
}

/*
 * Callers such as readers of /proc/PID/mem and VFIO keep the lock during a fault. In this
 * case the conversion is restarted after they have got the page.
 */
TEST_F(fault_wait, C2_lock_is_kept)
{
	struct gmem_task reader = { 0 };
	uint64_t start;
	void *p;

	self->nr_converters = 1;
	self->timeout_ms = 10000;
	self->tries = 1;
	converters_start(self);
	ASSERT_EQ(0, gmem_task_start(&reader, -1, memory_reader_main, self));
	usleep(START_MS * 1000);
	start = ksft_now_ms();
	p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT_LT(ksft_now_ms() - start, SLACK_MS);
	munmap(p, PAGE);
	gmem_task_join(&reader);
	hold_pipe_drop(&self->hold);
	gmem_task_join(&self->converters[0]);
	EXPECT_EQ(0, self->rc);
	EXPECT_LT(ksft_now_ms() - start, self->timeout_ms);
}

static void *memory_readers_main(void *arg)
{
	struct fault_wait_data *self = arg;

	while (!stopped(self))
		memory_reader_main(self);
	return NULL;
}

/* A conversion that is restarted many times still has only its timeout. */
TEST_F(fault_wait, C2_lock_is_kept_all_the_time)
{
	struct gmem_task readers[2] = { 0 };
	uint64_t start = ksft_now_ms();
	struct gmem_ioctl_stat stat;

	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, gmem_task_start(&readers[i], -1, memory_readers_main, self));
	EXPECT_EQ(-EAGAIN, gmem_convert_wait(self->fd, 0, LENGTH, PRIVATE, PRESERVE, 2000));
	EXPECT_GE(ksft_now_ms() - start, 2000);
	EXPECT_LT(ksft_now_ms() - start, 2000 + SLACK_MS);
	ASSERT_EQ(0, gmem_stat(self->fd, &stat));
	EXPECT_EQ(1, stat.refused);
	__atomic_store_n(&self->stop, 1, __ATOMIC_RELEASE);
	for (int i = 0; i < 2; i++)
		gmem_task_join(&readers[i]);
}

static void on_alarm(int sig __ksft_unused)
{
}

static void *convert_args_main(void *arg)
{
	struct worker *worker = arg;

	worker->rc = gmem_convert_args(worker->wait->fd, &worker->convert);
	return NULL;
}

/*
 * A restarted conversion can wait behind another one. A signal then ends it, with the
 * rest of its timeout.
 */
TEST_F(fault_wait, C2_lock_is_kept_and_a_signal)
{
	struct gmem_ioctl_convert convert = { .length = LENGTH, .target = PRIVATE,
					      .timeout_ms = 60000 };
	struct worker worker = { .wait = self, .convert = convert };
	struct sigaction sa = { .sa_handler = on_alarm };

	ASSERT_EQ(0, sigaction(SIGUSR1, &sa, NULL));
	ASSERT_EQ(0, gmem_task_start(&worker.task, -1, convert_args_main, &worker));
	usleep(START_MS * 1000);
	self->nr_converters = 1;
	self->timeout_ms = 60000;
	self->tries = 1;
	converters_start(self);
	memory_reader_main(self);
	usleep(1000000);
	pthread_kill(worker.task.thread, SIGUSR1);
	gmem_task_join(&worker.task);
	EXPECT_EQ(-EINTR, worker.rc);
	EXPECT_GT(worker.convert.timeout_ms, 0);
	EXPECT_LE(worker.convert.timeout_ms, 59000);
	hold_pipe_drop(&self->hold);
	gmem_task_join(&self->converters[0]);
	EXPECT_EQ(0, self->rc);
}

static uint64_t own_cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/*
 * A signal does not end a system call that waits for its page, because such a call cannot
 * be restarted. It does not make the call spin either.
 */
TEST_F(fault_wait, D4_system_call_under_signals)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct timeval tv = { .tv_usec = 5000 };
	struct itimerval timer = { .it_interval = tv, .it_value = tv };
	uint64_t start, cpu;
	sigset_t set;
	int fds[2];
	char byte;

	self->nr_converters = 1;
	self->timeout_ms = 2000;
	self->tries = 1;
	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(0, sigaction(SIGALRM, &sa, NULL));
	/* Block the signal in the converter. */
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	converters_start(self);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	start = ksft_now_ms();
	cpu = own_cpu_ms();
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &timer, NULL));
	EXPECT_EQ(1, write(fds[1], self->p + 5 * PAGE, 1));
	cpu = own_cpu_ms() - cpu;
	TH_LOG("%u ms of CPU in %u ms", (unsigned int)cpu,
	       (unsigned int)(ksft_now_ms() - start));
	EXPECT_LT(cpu, self->timeout_ms / 3);
	timer = (struct itimerval){ 0 };
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &timer, NULL));
	EXPECT_EQ(1, read(fds[0], &byte, 1));
	EXPECT_EQ('A', byte);
	close(fds[0]);
	close(fds[1]);
}

static long long frozen(const struct cgroup *cg)
{
	return cgroup_key(cg, "cgroup.events", "frozen");
}

/* Freeze or thaw the group. Return: the time in ms; LONG_MS if it does not happen. */
static uint64_t freeze(const struct cgroup *cg, uint64_t freeze)
{
	uint64_t start = ksft_now_ms();

	ASSERT_EQ(0, cgroup_write(cg, "cgroup.freeze", freeze));
	while (ksft_now_ms() - start < LONG_MS / 2) {
		if (frozen(cg) == (long long)freeze)
			return ksft_now_ms() - start;
		usleep(10000);
	}
	return LONG_MS;
}

/* What a task in the frozen group does. */
typedef int (*frozen_fn)(struct fault_wait_data *self);

static int frozen_write(struct fault_wait_data *self)
{
	int fds[2];

	return pipe(fds) || write(fds[1], self->p + 5 * PAGE, 1) != 1;
}

static int frozen_load(struct fault_wait_data *self)
{
	uint8_t byte = 0;

	return gmem_try_read(self->p + 7 * PAGE, &byte) || byte != 'A';
}

static void expect_freezes(struct fault_wait_data *self, frozen_fn fn)
{
	struct cgroup cg;
	uint64_t ms;
	pid_t pid;

	if (cgroup_unavailable())
		SKIP(return, "%s", cgroup_unavailable());
	ASSERT_EQ(0, cgroup_create(&cg, "gmem_fault_wait_test"));
	self->nr_converters = 1;
	self->timeout_ms = LONG_MS;
	self->tries = 1;
	converters_start(self);
	pid = fork();
	if (!pid) {
		hold_pipe_drop(&self->hold);
		ASSERT_EQ(0, cgroup_enter(&cg));
		_exit(fn(self));
	}
	usleep(500000);
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	ms = freeze(&cg, 1);
	TH_LOG("frozen after %u ms", (unsigned int)ms);
	EXPECT_LT(ms, 2 * SLACK_MS);
	EXPECT_LT(freeze(&cg, 0), 2 * SLACK_MS);
	hold_pipe_drop(&self->hold);
	/* The result of the conversion determines the state of the page. */
	converters_join(self);
	if (!self->rc)
		EXPECT_NE(0, gmem_wait_pid(pid));
	else
		EXPECT_EQ(0, gmem_wait_pid(pid));
	EXPECT_EQ(0, cgroup_remove(&cg));
}

/* Freeze, like docker pause, while a system call waits for a conversion. */
TEST_F(fault_wait, C3_freeze_system_call)
{
	expect_freezes(self, frozen_write);
}

TEST_F(fault_wait, C3_freeze_load)
{
	expect_freezes(self, frozen_load);
}

/**
 * struct toucher - page faults in one range during work on another one
 * @task: thread
 * @p: unpopulated pages
 * @length: bytes
 * @stop: set to end the thread
 * @faults: number of page faults
 */
struct toucher {
	struct gmem_task task;
	uint8_t *p;
	uint64_t length;
	int stop;
	unsigned int faults;
};

static void *toucher_main(void *arg)
{
	struct toucher *toucher = arg;
	uint64_t at;

	for (at = 0; at < toucher->length &&
	     !__atomic_load_n(&toucher->stop, __ATOMIC_ACQUIRE); at += PAGE) {
		if (gmem_try_write(toucher->p + at, 1))
			break;
		__atomic_fetch_add(&toucher->faults, 1, __ATOMIC_RELEASE);
		usleep(1000);
	}
	return NULL;
}

/* Run @work on the start of a file, and page faults in its second half. */
static void beside_work(int fd, uint64_t length,
			int (*work)(int fd, uint64_t offset, uint64_t length))
{
	struct toucher toucher = {
		.p = test_gmem_map(fd, BIG_LENGTH, BIG_LENGTH),
		.length = BIG_LENGTH,
	};
	unsigned int faults;
	uint64_t start, took;

	ASSERT_EQ(0, gmem_task_start(&toucher.task, -1, toucher_main, &toucher));
	usleep(100000);
	faults = __atomic_load_n(&toucher.faults, __ATOMIC_ACQUIRE);
	start = ksft_now_ms();
	EXPECT_EQ(0, work(fd, 0, length));
	took = ksft_now_ms() - start;
	faults = __atomic_load_n(&toucher.faults, __ATOMIC_ACQUIRE) - faults;
	__atomic_store_n(&toucher.stop, 1, __ATOMIC_RELEASE);
	gmem_task_join(&toucher.task);
	TH_LOG("took %u ms, %u faults meanwhile", (unsigned int)took, faults);
	/* Virtual CPUs that take turns on one CPU switch ten times a second. */
	EXPECT_GE(faults, took / 200);
	munmap(toucher.p, BIG_LENGTH);
}

/* As much as can be committed in one or two seconds, at most BIG_LENGTH. */
static uint64_t length_for(int fd)
{
	uint64_t start = ksft_now_ms(), took, length;

	test_gmem_commit(fd, 0, PROBE_LENGTH);
	took = ksft_now_ms() - start;
	test_gmem_punch(fd, 0, PROBE_LENGTH);
	length = PROBE_LENGTH * 2000 / (took + 1) / PAGE * PAGE;
	return length < BIG_LENGTH ? length : BIG_LENGTH;
}

/* Committing or punching a large range does not block the neighbouring one. */
TEST_TIMEOUT(D5_commit_and_hole, 300)
{
	int fd = test_gmem_create(2 * BIG_LENGTH, GMEM_CREATE_F_INIT_SHARED);
	uint64_t length = length_for(fd);

	beside_work(fd, length, gmem_commit);
	beside_work(fd, length, gmem_punch);
	EXPECT_EQ(0, gmem_populated(fd, 0, length));
	close(fd);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
