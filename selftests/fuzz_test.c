// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel answers any sequence of calls, from any number of threads, with success or a
 * documented error, and in the end nothing is leaked.
 *
 * A run consists of rounds of a few seconds. A round is a process with threads that make
 * random calls (lib/fuzz_*.c); some rounds are killed. After each round all of its files
 * must be gone, their memory must be free, and a new file must work.
 *
 * GMEM_FUZZ_SECONDS (20) is the time of all rounds. GMEM_SEED repeats the random numbers
 * of each thread, but not their interleaving.
 */
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cgroup.h"
#include "fuzz.h"
#include "ksft.h"

#define FUZZ_TIMEOUT_S 7200
#define ROUND_MS 5000
#define HANG_MS 60000			/* no call should take that long */
#define LIMIT (192ULL << 20)		/* memory limit of a round */
#define POISON_MAX 4
#define LOST_MAX (64 * (long long)PAGE)	/* the kernel's counters lag behind */

/* All tables in one; shared memory refers to calls by their index in it */
static const struct fuzz_call *calls[FUZZ_MAX_CALLS];
static unsigned int nr_calls, weight_total;

static void calls_add(const struct fuzz_call *call)
{
	for (; call->name && nr_calls < FUZZ_MAX_CALLS; call++) {
		calls[nr_calls++] = call;
		weight_total += call->weight;
	}
}

static unsigned int calls_pick(struct fuzz_thread *t)
{
	uint64_t n = fuzz_rand(t, weight_total);
	unsigned int i;

	for (i = 0; n >= calls[i]->weight; i++)
		n -= calls[i]->weight;
	return i;
}

static bool errno_allowed(const struct fuzz_call *call, int err)
{
	const uint8_t *e = call->errnos;

	if (err > FUZZ_MAX_ERRNO)
		return false;
	for (; e && *e && *e != err; e++)
		;
	return !e || *e;
}

static void note_result(struct fuzz_shared *s, unsigned int i, long rc)
{
	int err = rc < 0 ? (int)-rc : 0;

	__atomic_fetch_add(&s->count[i].calls, 1, __ATOMIC_RELAXED);
	if (err && !errno_allowed(calls[i], err)) {
		snprintf(s->why, sizeof(s->why), "%s: errno %d (%s)",
			 calls[i]->name, err, strerror(err));
		__atomic_store_n(&s->bad, 1, __ATOMIC_RELEASE);
		return;
	}
	__atomic_fetch_add(&s->count[i].results[err], 1, __ATOMIC_RELAXED);
}

static void signal_ignore(int sig)
{
}

/* Install a handler with or without SA_RESTART, for all threads. */
static void signal_install(struct fuzz_thread *t)
{
	struct sigaction sa = {
		.sa_handler = signal_ignore,
		.sa_flags = fuzz_chance(t, 2) ? SA_RESTART : 0,
	};

	sigaction(SIGUSR1, &sa, NULL);
	/* The last signal of a round, see round_stop(). */
	sa.sa_flags = 0;
	sigaction(SIGUSR2, &sa, NULL);
}

static void one_call(struct fuzz_thread *t)
{
	unsigned int i = calls_pick(t);

	t->note->call = i;
	t->note->since_ms = ksft_now_ms();
	__atomic_store_n(&t->note->busy, true, __ATOMIC_RELEASE);
	note_result(t->fuzz->shared, i, calls[i]->fn(t));
	__atomic_store_n(&t->note->busy, false, __ATOMIC_RELEASE);
	t->note->number++;
}

static bool stopped(struct fuzz_shared *s)
{
	return __atomic_load_n(&s->stop, __ATOMIC_ACQUIRE) ||
	       __atomic_load_n(&s->bad, __ATOMIC_ACQUIRE);
}

static void *thread_main(void *arg)
{
	struct fuzz_thread *t = arg;

	t->note->tid = (pid_t)syscall(SYS_gettid);
	pthread_barrier_wait(&t->fuzz->start);
	while (!stopped(t->fuzz->shared)) {
		if (!(t->note->number % 256))
			signal_install(t);
		one_call(t);
	}
	return NULL;
}

/* Map memory, followed by an inaccessible range. */
static uint8_t *map_guarded(size_t length, size_t guard, int prot)
{
	uint8_t *p = mmap(NULL, length + guard, prot,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED || mprotect(p + length, guard, PROT_NONE))
		return NULL;
	return p;
}

static int thread_init(struct fuzz_thread *t, struct fuzz *f, int i,
		       uint64_t seed)
{
	t->fuzz = f;
	t->note = &f->shared->note[i];
	t->rng = seed + i;
	gmem_rand(&t->rng);
	t->buffer = map_guarded(PAGE, PAGE, PROT_READ | PROT_WRITE);
	t->io = map_guarded(FUZZ_IO, PAGE, PROT_READ | PROT_WRITE);
	t->readonly = map_guarded(PAGE, PAGE, PROT_READ);
	t->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->event_fd < 0)
		return -errno;
	return t->buffer && t->io && t->readonly ? 0 : -ENOMEM;
}

/* The process of a round. Exit status: 0, or an error at the start. */
static int round_main(struct fuzz_shared *s, uint64_t seed)
{
	struct rlimit none = { 0, 0 }, files = { 256, 256 };
	static struct fuzz_thread t[FUZZ_THREADS];
	struct fuzz f = { .shared = s };
	int i, k;

	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_NOFILE, &files);
	signal(SIGPIPE, SIG_IGN);
	for (k = 0; k < FUZZ_KINDS; k++)
		for (i = 0; i < FUZZ_SLOTS; i++)
			f.slot[k][i].fd = -1;
	f.arena = map_guarded(FUZZ_ARENA, FUZZ_GUARD, PROT_NONE);
	if (!f.arena)
		return 1;
	for (i = 0; i < FUZZ_THREADS; i++)
		if (thread_init(&t[i], &f, i, seed))
			return 1;
	signal_install(&t[0]);
	if (fuzz_populate(&t[0]))
		return 1;
	pthread_barrier_init(&f.start, NULL, FUZZ_THREADS);
	for (i = 0; i < FUZZ_THREADS; i++)
		if (gmem_task_start(&t[i].task, -1, thread_main, &t[i]))
			return 1;
	for (i = 0; i < FUZZ_THREADS; i++)
		gmem_task_join(&t[i].task);
	return 0;
}

static void print_stack(pid_t pid, pid_t tid)
{
	char path[64], text[4096], *line, *save;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stack", pid, tid);
	if (gmem_read_file(path, text, sizeof(text)) < 0)
		return;
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		TH_LOG("      %s", line);
}

static void print_threads(const struct fuzz_shared *s, pid_t pid)
{
	const struct fuzz_note *n;
	unsigned int i, j;

	for (i = 0; i < FUZZ_THREADS; i++) {
		n = &s->note[i];
		TH_LOG("thread %d: %s call %llu, %s, for %llu ms", n->tid,
		       n->busy ? "in" : "after",
		       (unsigned long long)n->number, calls[n->call]->name,
		       (unsigned long long)(ksft_now_ms() - n->since_ms));
		for (j = 0; j < FUZZ_ARGS; j++)
			TH_LOG("    argument %u: %#llx", j,
			       (unsigned long long)n->args.arg[j]);
		print_stack(pid, n->tid);
	}
}

/* Whether a call takes too long. */
static bool hangs(const struct fuzz_shared *s)
{
	uint64_t now = ksft_now_ms();
	unsigned int i;

	for (i = 0; i < FUZZ_THREADS; i++)
		if (__atomic_load_n(&s->note[i].busy, __ATOMIC_ACQUIRE) &&
		    now > s->note[i].since_ms + HANG_MS)
			return true;
	return false;
}

/* Wake all threads that wait in a call, until each has seen that the round is over. */
static void round_stop(struct fuzz_shared *s, pid_t pid)
{
	unsigned int i;

	__atomic_store_n(&s->stop, 1, __ATOMIC_RELEASE);
	for (i = 0; i < FUZZ_THREADS; i++)
		if (s->note[i].tid)
			syscall(SYS_tgkill, pid, s->note[i].tid, SIGUSR2);
}

/* Watch a round until it ends, is killed or hangs. */
static int round_watch(struct fuzz_shared *s, pid_t pid, uint64_t end_ms,
		       bool kill_it)
{
	uint64_t last = end_ms + HANG_MS + 5000;
	int status;

	for (;;) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			break;
		if (ksft_now_ms() > end_ms && kill_it)
			kill(pid, SIGKILL);
		else if (ksft_now_ms() > end_ms)
			round_stop(s, pid);
		if (hangs(s) || ksft_now_ms() > last) {
			print_threads(s, pid);
			return -ETIMEDOUT;
		}
		usleep(20000);
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

/* Return: the number of live files, by the lines in debugfs; 0 without debugfs. */
static int live_files(void)
{
	static char text[65536];
	int lines = 0, rc;
	char *p;

	rc = gmem_read_file("/sys/kernel/debug/gmem/files", text, sizeof(text));
	if (rc < 0)
		return 0;
	for (p = text; *p; p++)
		lines += *p == '\n';
	return lines - 1;
}

/* A worker may drop the last reference to a file. */
static int live_files_wait(int want)
{
	int i, n = live_files();

	for (i = 0; i < 500 && n > want; i++) {
		usleep(20000);
		n = live_files();
	}
	return n;
}

/* Check that a new file works. */
static void expect_works(void)
{
	int fd = test_gmem_create(8 * PAGE, GMEM_CREATE_F_INIT_SHARED);
	uint8_t *p = test_gmem_map(fd, 0, 8 * PAGE);

	test_gmem_commit(fd, 0, 8 * PAGE);
	gmem_fill(p, 0x5a, 8 * PAGE);
	ASSERT_EQ(0, gmem_convert_wait(fd, 0, 8 * PAGE, PRIVATE, PRESERVE,
				       20000));
	expect_sigbus(p);
	test_gmem_convert(fd, 0, 8 * PAGE, SHARED, PRESERVE);
	expect_bytes(0x5a, p, 8 * PAGE);
	test_gmem_punch(fd, 0, 8 * PAGE);
	expect_bytes(0, p, 8 * PAGE);
	munmap(p, 8 * PAGE);
	EXPECT_EQ(0, close(fd));
}

struct fuzz_run {
	struct fuzz_shared *shared;
	struct cgroup group;
	bool grouped;
	uint64_t rng;
	unsigned int rounds, killed, out_of_memory;
};

/* Return: whether the run can continue. */
static bool one_round(struct fuzz_run *run, uint64_t end_ms)
{
	struct fuzz_shared *s = run->shared;
	uint64_t seed = gmem_rand(&run->rng), now = ksft_now_ms();
	bool kill_it = !(gmem_rand(&run->rng) % 3);
	uint64_t round_end = now + ROUND_MS < end_ms ? now + ROUND_MS : end_ms;
	int files = live_files(), status;
	pid_t pid;

	__atomic_store_n(&s->stop, 0, __ATOMIC_RELEASE);
	memset(s->note, 0, sizeof(s->note));
	pid = fork();
	if (!pid) {
		if (run->grouped && cgroup_enter(&run->group))
			_exit(1);
		_exit(round_main(s, seed));
	}
	ASSERT_GT(pid, 0);
	status = round_watch(s, pid, round_end, kill_it);
	run->rounds++;
	run->killed += kill_it;
	if (status == 128 + SIGKILL && !kill_it) {
		/*
		 * Only the OOM killer sends SIGKILL here, for the memory limit of the
		 * group.
		 */
		run->out_of_memory++;
		EXPECT_TRUE(run->grouped);
	} else if (!kill_it || status != 128 + SIGKILL) {
		EXPECT_EQ(0, status);
		if (status)
			print_threads(s, pid);
	}
	if (s->bad)
		TH_LOG("%s", s->why);
	EXPECT_FALSE(s->bad);
	EXPECT_EQ(files, live_files_wait(files));
	expect_works();
	if (ksft_result->failed)
		TH_LOG("round %u, seed %llu, status %d", run->rounds,
		       (unsigned long long)seed, status);
	return !ksft_result->failed;
}

static void report_call(const char *name, const struct fuzz_count *count)
{
	char line[400];
	int i, len;

	len = snprintf(line, sizeof(line), "%-14s %8llu: ok %llu", name,
		       (unsigned long long)count->calls,
		       (unsigned long long)count->results[0]);
	for (i = 1; i <= FUZZ_MAX_ERRNO && len < 360; i++)
		if (count->results[i])
			len += snprintf(line + len, sizeof(line) - len,
					", %s %llu", strerrorname_np(i),
					(unsigned long long)count->results[i]);
	TH_LOG("%s", line);
}

static void report(const struct fuzz_run *run, unsigned int seconds)
{
	struct fuzz_count total = { 0 };
	unsigned int i, j;

	for (i = 0; i < nr_calls; i++) {
		report_call(calls[i]->name, &run->shared->count[i]);
		total.calls += run->shared->count[i].calls;
		for (j = 0; j <= FUZZ_MAX_ERRNO; j++)
			total.results[j] += run->shared->count[i].results[j];
	}
	report_call("total", &total);
	TH_LOG("%llu calls in %u s, %u rounds, %u of them killed, %u out of memory",
	       (unsigned long long)total.calls, seconds, run->rounds,
	       run->killed, run->out_of_memory);
	EXPECT_GT(total.results[0], 0);
	EXPECT_GT(total.calls, total.results[0]);
}

static unsigned int fuzz_seconds(void)
{
	const char *env = getenv("GMEM_FUZZ_SECONDS");
	unsigned long seconds = env ? strtoul(env, NULL, 10) : 0;

	return seconds ? (unsigned int)seconds : 20;
}

static void group_create(struct fuzz_run *run)
{
	const char *why = cgroup_unavailable();

	if (why) {
		TH_LOG("without a limit and a count of memory: %s", why);
		return;
	}
	ASSERT_EQ(0, cgroup_create(&run->group, "gmem-fuzz"));
	ASSERT_EQ(0, cgroup_write(&run->group, "memory.max", LIMIT));
	run->grouped = true;
}

/*
 * Charged memory that the kernel cannot free, for instance pages without a file after a
 * lost reference.
 */
static long long group_lost(const struct cgroup *cg)
{
	long long lost = 0;
	int tries;

	for (tries = 0; tries < 20; tries++) {
		lost = cgroup_drained(cg) -
		       cgroup_key(cg, "memory.stat", "kernel");
		if (lost <= LOST_MAX)
			break;
		usleep(250000);
	}
	return lost;
}

/* Poisoned memory stays charged: it cannot be freed. */
static void group_remove(struct fuzz_run *run)
{
	uint64_t failed = (POISON_MAX - run->shared->poison_left) * PAGE;

	if (!run->grouped)
		return;
	EXPECT_LE(cgroup_key_wait(&run->group, "memory.stat", "file", 0),
		  failed);
	EXPECT_LE(group_lost(&run->group), LOST_MAX);
	EXPECT_EQ(0, cgroup_remove(&run->group));
}

TEST_TIMEOUT(everything, FUZZ_TIMEOUT_S)
{
	struct fuzz_run run = { .rng = ksft_seed() };
	unsigned int seconds = fuzz_seconds();
	uint64_t end_ms;

	calls_add(fuzz_ioctls);
	calls_add(fuzz_calls);
	run.shared = mmap(NULL, sizeof(*run.shared), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, run.shared);
	/* Allocate it here, so that it is not charged to the group of a round. */
	memset(run.shared, 0, sizeof(*run.shared));
	run.shared->poison_left = POISON_MAX;
	group_create(&run);
	expect_works();
	end_ms = ksft_now_ms() + seconds * 1000ULL;
	while (ksft_now_ms() < end_ms && one_round(&run, end_ms))
		;
	/* Print no report after a failure, so that the failure is printed last. */
	if (!ksft_result->failed)
		report(&run, seconds);
	group_remove(&run);
}

KSFT_NEEDS_CPUS(2)
TEST_HARNESS_MAIN_IF(gmem_unavailable())
