// SPDX-License-Identifier: GPL-2.0
/*
 * More memory is committed than the machine has. The committer gets ENOMEM or is killed.
 * The kernel logs no allocation failure, and other processes are unaffected.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "gmem_utils.h"
#include "ksft.h"

#define BYSTANDER (16ULL << 20)		/* bytes that it uses at first, and later again */
#define HUGEPAGES "/proc/sys/vm/nr_hugepages"
#define BOOST "/proc/sys/vm/watermark_boost_factor"
#define LEAVE_PAGES 128			/* memory left for the test, in huge pages */
#define COMMIT_MS 240000

/**
 * struct report - results of the processes of a test
 * @rc: result of fallocate()
 * @done: whether fallocate() has returned
 * @grow: asks the bystander to use more memory
 * @grown: set when it does
 */
struct report {
	int rc;
	int done;
	int grow;
	int grown;
};

FIXTURE(overcommit) {
	struct report *report;
	pid_t bystander;
	pid_t committer;
	int log;
	long long hugepages;
	long long boost;
};

static void set_oom_score(pid_t pid, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	ASSERT_EQ(0, gmem_write_file(path, text));
}

static bool flag(int *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static bool wait_flag(int *p, int timeout_ms)
{
	uint64_t end = ksft_now_ms() + timeout_ms;

	while (!flag(p) && ksft_now_ms() < end)
		usleep(10000);
	return flag(p);
}

static uint8_t *anonymous(void)
{
	uint8_t *p = mmap(NULL, BYSTANDER, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, (void *)p);
	gmem_fill(p, 0x5b, BYSTANDER);
	return p;
}

/* An ordinary program: it uses some memory, and later a little more. */
static void bystander_main(struct overcommit_data *self)
{
	uint8_t *p;

	set_oom_score(getpid(), "0");
	p = anonymous();
	__atomic_store_n(&self->report->grown, 1, __ATOMIC_RELEASE);
	wait_flag(&self->report->grow, 2 * COMMIT_MS);
	expect_bytes(0x5b, anonymous(), BYSTANDER);
	expect_bytes(0x5b, p, BYSTANDER);
	__atomic_store_n(&self->report->grown, 2, __ATOMIC_RELEASE);
	for (;;)
		pause();
}

/* Commit too much, and do not free it. */
static void committer_main(struct overcommit_data *self)
{
	int fd = gmem_create(SZ_1T, GMEM_CREATE_F_INIT_SHARED);

	set_oom_score(getpid(), "0");
	self->report->rc = gmem_commit(fd, 0, SZ_1T);
	__atomic_store_n(&self->report->done, 1, __ATOMIC_RELEASE);
	for (;;)
		pause();
}

static pid_t start(struct overcommit_data *self,
		   void (*fn)(struct overcommit_data *self))
{
	pid_t pid = fork();

	if (!pid) {
		fn(self);
		_exit(KSFT_FAIL);
	}
	return pid;
}

static long long file_number(const char *path)
{
	char text[32];

	return gmem_read_file(path, text, sizeof(text)) < 0 ?
		       -1 : strtoll(text, NULL, 10);
}

static void set_number(const char *path, long long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", number);
	if (number >= 0)
		gmem_write_file(path, text);
}

/*
 * Huge pages use most of the memory, without zeroing it. Turn the watermark boost off:
 * otherwise the kernel takes this for fragmentation, and keeps back more memory for a
 * while than is left.
 */
static void take_most_memory(struct overcommit_data *self)
{
	long long all;

	self->boost = file_number(BOOST);
	set_number(BOOST, self->boost < 0 ? -1 : 0);
	self->hugepages = file_number(HUGEPAGES);
	if (self->hugepages < 0)
		return;
	all = (long long)sysconf(_SC_AVPHYS_PAGES) / 512;
	if (all <= LEAVE_PAGES)
		return;
	set_number(HUGEPAGES, all - LEAVE_PAGES);
	TH_LOG("%lld huge pages of %lld taken", file_number(HUGEPAGES), all);
}

static void give_memory_back(const struct overcommit_data *self)
{
	set_number(HUGEPAGES, self->hugepages);
	set_number(BOOST, self->boost);
}

FIXTURE_SETUP(overcommit)
{
	self->report = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->report);
	self->log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ASSERT_GE(self->log, 0);
	ASSERT_NE(-1, lseek(self->log, 0, SEEK_END));
	/* Do not kill the harness or the test. */
	set_oom_score(getpid(), "-1000");
	set_oom_score(getppid(), "-1000");
	self->bystander = start(self, bystander_main);
	ASSERT_TRUE(wait_flag(&self->report->grown, 60000));
	take_most_memory(self);
}

FIXTURE_TEARDOWN(overcommit)
{
	kill(self->bystander, SIGKILL);
	kill(self->committer, SIGKILL);
	gmem_wait_pid(self->bystander);
	gmem_wait_pid(self->committer);
	give_memory_back(self);
	set_oom_score(getppid(), "0");
	close(self->log);
}

/*
 * Return: the number of lines with this text in the kernel's log since the start of the
 * test.
 */
static unsigned int count_log(int log, const char *what)
{
	unsigned int found = 0;
	char record[8192];
	ssize_t n;

	while ((n = read(log, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		record[n > 0 ? n : 0] = '\0';
		if (n > 0 && strstr(record, what))
			found++;
		errno = 0;
	}
	return found;
}

/* The committer gets ENOMEM or is killed. */
static void expect_committer_pays(struct overcommit_data *self)
{
	uint64_t end = ksft_now_ms() + COMMIT_MS;
	siginfo_t info = { 0 };

	while (!flag(&self->report->done) && ksft_now_ms() < end) {
		if (!waitid(P_PID, self->committer, &info,
			    WEXITED | WNOHANG | WNOWAIT) && info.si_pid)
			break;
		usleep(10000);
	}
	if (flag(&self->report->done)) {
		EXPECT_EQ(-ENOMEM, self->report->rc);
	} else {
		EXPECT_EQ(self->committer, info.si_pid);
		EXPECT_EQ(SIGKILL, info.si_status);
	}
}

TEST_F_TIMEOUT(overcommit, C4_commit_more_than_there_is, 400)
{
	long long kills = cgroup_oom_kills();

	self->committer = start(self, committer_main);
	expect_committer_pays(self);
	/* The bystander gets memory that is free, or that was taken from the committer. */
	__atomic_store_n(&self->report->grow, 1, __ATOMIC_RELEASE);
	while (self->report->grown < 2 && !waitpid(self->bystander, NULL, WNOHANG))
		usleep(10000);
	EXPECT_EQ(2, self->report->grown);
	TH_LOG("%lld tasks were killed", cgroup_oom_kills() - kills);
	EXPECT_EQ(0, count_log(self->log, "page allocation failure"));
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
