/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small KTAP harness with the macro names of the kernel's kselftest harness.
 *
 * Each test runs in a child with a process group and a timeout of its own. A crash, a
 * SIGBUS or a hang is one "not ok", and the program continues. A test that checks nothing
 * fails. Processes that a test leaves behind are killed and reaped before the next test
 * starts.
 *
 * ASSERT_* ends the test, EXPECT_* continues. Both can be used in threads and in forked
 * children of a test. There ASSERT_* ends the thread or child, and the failure counts for
 * the test.
 *
 * A program may have tests in several files. All of them include this file, and one has
 * TEST_HARNESS_MAIN. Common objects are weak, so that the linker keeps one of each.
 *
 * Arguments: names of tests to run (default: all), or -l to list them. If no test has the
 * name, all tests whose names begin with it.
 *
 * Environment:
 *   GMEM_REQUIRE=all  a SKIP is a failure, unless its reason starts with
 *                     "unsupported-by-design:"
 *   GMEM_SEED=N       seed of ksft_seed(); random when not set
 */
#ifndef KSFT_H
#define KSFT_H

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include "ksft_excuse.h"

enum { KSFT_PASS = 0, KSFT_FAIL = 1, KSFT_SKIP = 4 };

#ifndef KSFT_TIMEOUT_S
#define KSFT_TIMEOUT_S	120
#endif
#define KSFT_BY_DESIGN	"unsupported-by-design:"

struct ksft_test {
	const char *name;
	void (*run)(void);
	int timeout_s;
	struct ksft_test *next;
};

/*
 * Shared by the harness, the test's child and its descendants. @part_failed is the value
 * of @failed at the end of the last part.
 */
struct ksft_result {
	unsigned int failed;
	int skipped;
	unsigned int checks;
	unsigned int parts, part_failed;
	char why[256];
	char folder[32];
	struct ksft_excuse excuse;
};

/*
 * A line of its own in a program whose threads have to run on several CPUs at the same
 * time: KSFT_NEEDS_CPUS(2). With fewer CPUs the program is skipped. vm/initramfs.sh
 * searches for this line, because some kernels have two VMs, one of them with a single
 * CPU.
 */
#define KSFT_NEEDS_CPUS(count)						\
	static __attribute__((constructor)) void ksft_needs_cpus(void)	\
	{								\
		ksft_cpus = (count);					\
	}

/*
 * A line of its own in a program that counts instructions: KSFT_COUNTS(). vm/initramfs.sh
 * searches for it: a VM in which instructions can be counted runs only such programs.
 */
#define KSFT_COUNTS() _Static_assert(1, "")

#define __ksft_unused __attribute__((unused))
#define __ksft_one __attribute__((weak))

long ksft_cpus __ksft_one = 1;
struct ksft_test *ksft_first __ksft_one;
struct ksft_test **ksft_last __ksft_one = &ksft_first;
struct ksft_result *ksft_result __ksft_one;
sigjmp_buf ksft_env __ksft_one;
pid_t ksft_pid __ksft_one;

static __ksft_unused __attribute__((format(printf, 1, 2)))
void ksft_log(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	dprintf(STDOUT_FILENO, "# %s\n", line);
}

static __ksft_unused __attribute__((noreturn)) void ksft_abort(void)
{
	if (getpid() != ksft_pid)
		_exit(KSFT_FAIL);
	if (syscall(SYS_gettid) != ksft_pid)
		pthread_exit(NULL);
	siglongjmp(ksft_env, 1);
}

static inline void ksft_count(void)
{
	__atomic_fetch_add(&ksft_result->checks, 1, __ATOMIC_RELAXED);
}

static inline void ksft_set_failed(void)
{
	__atomic_fetch_add(&ksft_result->failed, 1, __ATOMIC_RELAXED);
}

static __ksft_unused const char *ksft_value(char *buf, size_t size, long long v)
{
	if (v < 0 && v >= -200)
		snprintf(buf, size, "%lld (%s)", v, strerror((int)-v));
	else
		snprintf(buf, size, "%lld (%#llx)", v, (unsigned long long)v);
	return buf;
}

static __ksft_unused void ksft_fail(const char *file, int line, const char *what,
				    long long a, long long b)
{
	int saved_errno = errno;
	char left[96], right[96];

	ksft_set_failed();
	ksft_log("%s:%d: expected %s: %s, %s; errno %d (%s)", file, line, what,
		 ksft_value(left, sizeof(left), a),
		 ksft_value(right, sizeof(right), b), saved_errno,
		 strerror(saved_errno));
}

/* The text on one line, truncated if it is long. */
static __ksft_unused const char *ksft_text(char *buf, size_t size, const char *text)
{
	size_t used = 0;

	if (!text)
		return "NULL";
	buf[used++] = '"';
	for (; *text && used < size - 6; text++) {
		if (*text == '\n')
			buf[used++] = '\\';
		buf[used++] = *text == '\n' ? 'n' : *text;
	}
	strcpy(buf + used, *text ? "...\"" : "\"");
	return buf;
}

/* Return: whether the claim about two strings holds. */
static __ksft_unused bool ksft_check_text(bool holds, const char *file, int line,
					  const char *what, const char *a, const char *b)
{
	char left[560], right[280];

	ksft_count();
	if (holds)
		return true;
	ksft_set_failed();
	ksft_log("%s:%d: expected %s: %s, %s", file, line, what,
		 ksft_text(left, sizeof(left), a), ksft_text(right, sizeof(right), b));
	return false;
}

static inline bool ksft_same_text(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

static inline bool ksft_has_text(const char *text, const char *part)
{
	return text && strstr(text, part);
}

/* Return: whether the bytes are equal; prints the first ones that differ. */
static __ksft_unused bool ksft_check_bytes(const char *file, int line, const char *what,
					   const void *a, const void *b, size_t size)
{
	const unsigned char *left = a, *right = b;
	size_t i = 0;

	ksft_count();
	while (i < size && left[i] == right[i])
		i++;
	if (i == size)
		return true;
	ksft_set_failed();
	ksft_log("%s:%d: expected %s: at %zu of %zu, 0x%02x, 0x%02x", file, line, what, i,
		 size, left[i], right[i]);
	return false;
}

/* Wait for the end of a child. Return: its exit code, or the negative number of a signal. */
static __ksft_unused int ksft_wait(pid_t pid)
{
	int status = 0;

	ksft_count();
	if (waitpid(pid, &status, 0) != pid) {
		ksft_set_failed();
		ksft_log("waitpid: %s", strerror(errno));
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* A directory for the test. It is deleted with all contents after the test. */
static __ksft_unused const char *ksft_folder(void)
{
	char *folder = ksft_result->folder;

	if (!*folder) {
		strcpy(folder, "/tmp/ksft-XXXXXX");
		if (!mkdtemp(folder)) {
			ksft_set_failed();
			ksft_log("%s: mkdtemp: %s", folder, strerror(errno));
		}
	}
	return folder;
}

static int ksft_remove_one(const char *path, const struct stat *info __ksft_unused,
			   int type __ksft_unused, struct FTW *where __ksft_unused)
{
	return remove(path);
}

static void ksft_remove_folder(void)
{
	if (*ksft_result->folder)
		nftw(ksft_result->folder, ksft_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/*
 * End a part of the running test: prints a line below that of the test. The part has
 * failed if a check since the previous part has failed.
 */
static __ksft_unused __attribute__((format(printf, 1, 2)))
void ksft_part(const char *fmt, ...)
{
	unsigned int failed = __atomic_load_n(&ksft_result->failed, __ATOMIC_RELAXED);
	char name[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	dprintf(STDOUT_FILENO, "    %sok %u %s\n",
		failed != ksft_result->part_failed ? "not " : "", ++ksft_result->parts, name);
	ksft_result->part_failed = failed;
}

static __ksft_unused __attribute__((format(printf, 1, 2)))
void ksft_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ksft_result->why, sizeof(ksft_result->why), fmt, ap);
	va_end(ap);
	ksft_result->skipped = 1;
}

#define __KSFT_CHECK(a, op, b, text, fatal) do {			\
	long long __ksft_a = (long long)(a);				\
	long long __ksft_b = (long long)(b);				\
									\
	ksft_count();							\
	if (!(__ksft_a op __ksft_b)) {					\
		ksft_fail(__FILE__, __LINE__, text,			\
			  __ksft_a, __ksft_b);				\
		if (fatal)						\
			ksft_abort();					\
	}								\
} while (0)

#define __KSFT_TEXT(holds, a, is, b, fatal) do {			\
	const char *__ksft_a = (a);					\
	const char *__ksft_b = (b);					\
									\
	if (!ksft_check_text(holds(__ksft_a, __ksft_b), __FILE__,	\
			     __LINE__, #a is #b, __ksft_a, __ksft_b) &&	\
	    (fatal))							\
		ksft_abort();						\
} while (0)

#define ASSERT_EQ(a, b)		__KSFT_CHECK(a, ==, b, #a " == " #b, true)
#define ASSERT_NE(a, b)		__KSFT_CHECK(a, !=, b, #a " != " #b, true)
#define ASSERT_LT(a, b)		__KSFT_CHECK(a, <, b, #a " < " #b, true)
#define ASSERT_LE(a, b)		__KSFT_CHECK(a, <=, b, #a " <= " #b, true)
#define ASSERT_GT(a, b)		__KSFT_CHECK(a, >, b, #a " > " #b, true)
#define ASSERT_GE(a, b)		__KSFT_CHECK(a, >=, b, #a " >= " #b, true)
#define ASSERT_TRUE(x)		__KSFT_CHECK(!!(x), ==, 1, #x, true)
#define ASSERT_FALSE(x)		__KSFT_CHECK(x, ==, 0, "!(" #x ")", true)
#define ASSERT_STREQ(a, b)						\
	__KSFT_TEXT(ksft_same_text, a, " is ", b, true)
#define EXPECT_EQ(a, b)		__KSFT_CHECK(a, ==, b, #a " == " #b, false)
#define EXPECT_NE(a, b)		__KSFT_CHECK(a, !=, b, #a " != " #b, false)
#define EXPECT_LT(a, b)		__KSFT_CHECK(a, <, b, #a " < " #b, false)
#define EXPECT_LE(a, b)		__KSFT_CHECK(a, <=, b, #a " <= " #b, false)
#define EXPECT_GT(a, b)		__KSFT_CHECK(a, >, b, #a " > " #b, false)
#define EXPECT_GE(a, b)		__KSFT_CHECK(a, >=, b, #a " >= " #b, false)
#define EXPECT_TRUE(x)		__KSFT_CHECK(!!(x), ==, 1, #x, false)
#define EXPECT_FALSE(x)		__KSFT_CHECK(x, ==, 0, "!(" #x ")", false)
#define EXPECT_STREQ(a, b)						\
	__KSFT_TEXT(ksft_same_text, a, " is ", b, false)
/* @text contains @part. */
#define EXPECT_STRSTR(text, part)					\
	__KSFT_TEXT(ksft_has_text, text, " has ", part, false)
#define EXPECT_MEMEQ(a, b, size)					\
	ksft_check_bytes(__FILE__, __LINE__, #a " is " #b, a, b, size)

/* SKIP(return, "reason"): not in a forked child of a test. */
#define SKIP(statement, ...) do {					\
	ksft_skip(__VA_ARGS__);						\
	statement;							\
} while (0)

/* Visit each element of an array by a pointer. */
#define ksft_for_each(item, array)					\
	for (__typeof__(&(array)[0]) item = (array);			\
	     item < (array) + sizeof(array) / sizeof((array)[0]); item++)

#define TH_LOG(...)		ksft_log(__VA_ARGS__)

#define __KSFT_REGISTER(test_name, runner, secs)			\
	static __attribute__((constructor)) void runner##_register(void) \
	{								\
		static struct ksft_test test = {			\
			.name = test_name,				\
			.run = runner,					\
			.timeout_s = secs,				\
		};							\
									\
		*ksft_last = &test;					\
		ksft_last = &test.next;					\
	}

#define __KSFT_TEST(test, name, secs)					\
	static void test##_body(void);					\
	static void test##_run(void)					\
	{								\
		if (!sigsetjmp(ksft_env, 1))				\
			test##_body();					\
	}								\
	__KSFT_REGISTER(name, test##_run, secs)				\
	static void test##_body(void)

#define TEST_TIMEOUT(test, secs) __KSFT_TEST(test, #test, secs)
#define TEST(test)		TEST_TIMEOUT(test, KSFT_TIMEOUT_S)
/* With the name "topic.test", for programs with tests of many things. */
#define TEST_OF(topic, test)						\
	__KSFT_TEST(topic##_##test, #topic "." #test, KSFT_TIMEOUT_S)

#define FIXTURE(f)		struct f##_data
#define FIXTURE_SETUP(f)						\
	static void f##_setup(struct f##_data *self __ksft_unused)
#define FIXTURE_TEARDOWN(f)						\
	static void f##_teardown(struct f##_data *self __ksft_unused)

#define TEST_F_TIMEOUT(f, test, secs)					\
	static void f##_##test##_body(struct f##_data *self);		\
	static void f##_##test##_run(void)				\
	{								\
		static struct f##_data self;				\
		volatile bool ready = false;				\
									\
		if (!sigsetjmp(ksft_env, 1)) {				\
			f##_setup(&self);				\
			ready = !ksft_result->skipped;			\
			if (ready)					\
				f##_##test##_body(&self);		\
		}							\
		if (ready && !sigsetjmp(ksft_env, 1))			\
			f##_teardown(&self);				\
	}								\
	__KSFT_REGISTER(#f "." #test, f##_##test##_run, secs)		\
	static void f##_##test##_body(struct f##_data *self __ksft_unused)

#define TEST_F(f, test)		TEST_F_TIMEOUT(f, test, KSFT_TIMEOUT_S)

static __ksft_unused uint64_t ksft_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The seed of this run, which is printed with the plan. */
static __ksft_unused uint64_t ksft_seed(void)
{
	static uint64_t seed;
	const char *env = getenv("GMEM_SEED");
	struct timespec ts;

	if (!seed && env)
		seed = strtoull(env, NULL, 0);
	if (!seed) {
		clock_gettime(CLOCK_REALTIME, &ts);
		seed = ((uint64_t)ts.tv_sec << 20 ^ ts.tv_nsec ^ getpid()) | 1;
	}
	return seed;
}

static void ksft_print_file(const char *path)
{
	char buf[4096], *line, *save;
	FILE *f = fopen(path, "r");

	if (!f)
		return;
	buf[fread(buf, 1, sizeof(buf) - 1, f)] = '\0';
	fclose(f);
	for (line = strtok_r(buf, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		ksft_log("  %s", line);
}

/*
 * Print where a hanging task of the test is: the kernel stack of each thread. A running
 * thread has none; then its CPU times show whether it runs as a guest (proc(5): stat).
 */
static void ksft_print_stacks(pid_t pid)
{
	char path[300];
	struct dirent *de;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (de = readdir(dir))) {
		if (de->d_name[0] == '.')
			continue;
		ksft_log("task %s:", de->d_name);
		snprintf(path, sizeof(path), "/proc/%d/task/%s/stat", pid,
			 de->d_name);
		ksft_print_file(path);
		snprintf(path, sizeof(path), "/proc/%d/task/%s/stack", pid,
			 de->d_name);
		ksft_print_file(path);
	}
	if (dir)
		closedir(dir);
}

/* Lost time is not counted. */
static bool ksft_wait_pidfd(int pidfd, int timeout_ms)
{
	struct pollfd pfd = { .fd = pidfd, .events = POLLIN };
	uint64_t *lost = &ksft_result->excuse.lost_ms;
	uint64_t before = __atomic_load_n(lost, __ATOMIC_RELAXED);
	uint64_t start = ksft_now_ms(), end, now;

	for (;;) {
		end = start + timeout_ms +
		      __atomic_load_n(lost, __ATOMIC_RELAXED) - before;
		now = ksft_now_ms();
		if (now >= end)
			return false;
		if (poll(&pfd, 1, (int)(end - now)) == 1)
			return true;
	}
}

/* Kill and reap processes that the test has left, its process group first. */
static void ksft_reap(pid_t group)
{
	uint64_t end = ksft_now_ms() + 20000;
	pid_t pid;

	kill(-group, SIGKILL);
	while (ksft_now_ms() < end) {
		pid = waitpid(-1, NULL, WNOHANG);
		if (pid < 0)
			return;
		if (!pid)
			usleep(2000);
	}
	ksft_set_failed();
	ksft_log("a process of the test does not die");
}

static void ksft_judge(const struct ksft_test *t, pid_t pid, int pidfd)
{
	siginfo_t info = { 0 };

	if (!ksft_wait_pidfd(pidfd, t->timeout_s * 1000)) {
		ksft_set_failed();
		ksft_log("%s: no end after %d s", t->name, t->timeout_s);
		ksft_print_stacks(pid);
		kill(-pid, SIGKILL);
		if (!ksft_wait_pidfd(pidfd, 20000))
			ksft_log("%s: cannot be killed", t->name);
		return;
	}
	if (waitid(P_PIDFD, pidfd, &info, WEXITED)) {
		ksft_set_failed();
		ksft_log("%s: waitid: %s", t->name, strerror(errno));
	} else if (info.si_code != CLD_EXITED) {
		ksft_set_failed();
		ksft_log("%s: killed by signal %d (%s)", t->name,
			 info.si_status, strsignal(info.si_status));
	} else if (info.si_status) {
		ksft_set_failed();
		ksft_log("%s: exit status %d", t->name, info.si_status);
	} else if (!ksft_result->checks && !ksft_result->skipped) {
		ksft_set_failed();
		ksft_log("%s: checked nothing", t->name);
	}
}

static int ksft_report(const struct ksft_test *t, unsigned int n)
{
	const char *require = getenv("GMEM_REQUIRE");
	bool strict = require && !strcmp(require, "all");

	if (!ksft_result->failed && ksft_result->skipped && strict &&
	    strncmp(ksft_result->why, KSFT_BY_DESIGN, strlen(KSFT_BY_DESIGN))) {
		ksft_log("%s: may not be skipped here: %s", t->name,
			 ksft_result->why);
		ksft_set_failed();
	}
	if (ksft_result->parts)
		dprintf(STDOUT_FILENO, "    1..%u\n", ksft_result->parts);
	if (ksft_result->failed) {
		dprintf(STDOUT_FILENO, "not ok %u %s\n", n, t->name);
		return KSFT_FAIL;
	}
	if (ksft_result->skipped) {
		dprintf(STDOUT_FILENO, "ok %u %s # SKIP %s\n", n, t->name,
			ksft_result->why);
		return KSFT_SKIP;
	}
	dprintf(STDOUT_FILENO, "ok %u %s\n", n, t->name);
	return KSFT_PASS;
}

/* Print the duration of a slow test. */
static void ksft_print_time(const struct ksft_test *t, uint64_t ms)
{
	if (ms >= 1000)
		ksft_log("%s: took %d.%d s", t->name, (int)(ms / 1000),
			 (int)(ms / 100 % 10));
}

/* In a build with ASAN memory that the test has not freed is a failure. */
static void ksft_check_leaks(void)
{
#ifdef __SANITIZE_ADDRESS__
	if (__lsan_do_recoverable_leak_check())
		ksft_set_failed();
#endif
}

static __attribute__((noreturn)) void ksft_child(const struct ksft_test *t)
{
	ksft_pid = getpid();
	setpgid(0, 0);
	/*
	 * Background jobs and nohup may have ignored these signals, which tests do not
	 * expect.
	 */
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	errno = 0;
	t->run();
	ksft_check_leaks();
	_exit(KSFT_PASS);
}

static void ksft_try(const struct ksft_test *t)
{
	int pidfd;
	pid_t pid;

	memset(ksft_result, 0, sizeof(*ksft_result));
	pid = fork();
	if (!pid)
		ksft_child(t);
	if (pid > 0)
		setpgid(pid, pid);
	pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	if (pidfd < 0) {
		ksft_set_failed();
		ksft_log("%s: cannot start: %s", t->name, strerror(errno));
	} else {
		ksft_judge(t, pid, pidfd);
		close(pidfd);
	}
	if (pid > 0)
		ksft_reap(pid);
	ksft_remove_folder();
}

static int ksft_run_one(const struct ksft_test *t, unsigned int n)
{
	uint64_t start = ksft_now_ms();

	ksft_try(t);
	if (ksft_result->failed && ksft_result->excuse.why[0]) {
		ksft_log("%s: once more: %s", t->name, ksft_result->excuse.why);
		ksft_time_lost(ksft_now_ms() - start, ksft_result->excuse.why);
		ksft_try(t);
	}
	ksft_print_time(t, ksft_now_ms() - start);
	return ksft_report(t, n);
}

static bool ksft_is_name(const char *name)
{
	const struct ksft_test *t = ksft_first;

	while (t && strcmp(t->name, name))
		t = t->next;
	return t;
}

/* Whether an argument selects this test. */
static bool ksft_meant(const struct ksft_test *t, const char *argument)
{
	size_t length = strlen(argument);

	if (strncmp(t->name, argument, length))
		return false;
	return !t->name[length] || !ksft_is_name(argument);
}

static bool ksft_selected(const struct ksft_test *t, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (ksft_meant(t, argv[i]))
			return true;
	return argc < 2;
}

/* Skip the whole program, because its precondition is not met. */
static int ksft_unmet(const char *why)
{
	const char *require = getenv("GMEM_REQUIRE");

	if (require && !strcmp(require, "all")) {
		dprintf(STDOUT_FILENO, "Bail out! %s\n", why);
		return KSFT_FAIL;
	}
	dprintf(STDOUT_FILENO, "1..0 # SKIP %s\n", why);
	return KSFT_SKIP;
}

static int ksft_run_all(int argc, char **argv)
{
	unsigned int total = 0, n = 0, count[KSFT_SKIP + 1] = { 0 };
	struct ksft_test *t;

	for (t = ksft_first; t; t = t->next)
		total += ksft_selected(t, argc, argv);
	dprintf(STDOUT_FILENO, "1..%u\n", total);
	ksft_log("GMEM_SEED=%llu", (unsigned long long)ksft_seed());
	for (t = ksft_first; t; t = t->next)
		if (ksft_selected(t, argc, argv))
			count[ksft_run_one(t, ++n)]++;
	ksft_log("Totals: pass:%u fail:%u xfail:0 xpass:0 skip:%u error:0",
		 count[KSFT_PASS], count[KSFT_FAIL], count[KSFT_SKIP]);
	if (count[KSFT_FAIL] || !total)
		return KSFT_FAIL;
	return count[KSFT_PASS] ? KSFT_PASS : KSFT_SKIP;
}

/* @unmet: NULL, or why no test of this program can run. */
static __ksft_unused int ksft_main(int argc, char **argv, const char *unmet)
{
	struct ksft_test *t;

	/*
	 * Flush each line: a test may be killed, and its processes must not print a copy
	 * of buffered output.
	 */
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && !strcmp(argv[1], "-l")) {
		for (t = ksft_first; t; t = t->next)
			dprintf(STDOUT_FILENO, "%s\n", t->name);
		return KSFT_PASS;
	}
	dprintf(STDOUT_FILENO, "KTAP version 1\n");
	if (sysconf(_SC_NPROCESSORS_ONLN) < ksft_cpus)
		unmet = "fewer CPUs than it needs";
	if (unmet)
		return ksft_unmet(unmet);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	ksft_result = mmap(NULL, sizeof(*ksft_result), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ksft_result == MAP_FAILED) {
		dprintf(STDOUT_FILENO, "Bail out! mmap: %s\n", strerror(errno));
		return KSFT_FAIL;
	}
	ksft_excuse = &ksft_result->excuse;
	return ksft_run_all(argc, argv);
}

#define TEST_HARNESS_MAIN_IF(unmet)					\
	int main(int argc, char **argv)					\
	{								\
		return ksft_main(argc, argv, unmet);			\
	}

#define TEST_HARNESS_MAIN	TEST_HARNESS_MAIN_IF(NULL)

#endif /* KSFT_H */
