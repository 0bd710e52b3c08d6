// SPDX-License-Identifier: GPL-2.0
/*
 * The test harness itself: a test that fails, crashes, hangs, checks nothing or skips is
 * reported accordingly, and later tests still run.
 *
 * The program runs itself with SAMPLE in the environment. Only then sample tests
 * misbehave.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "gmem_utils.h"
#include "ksft.h"

static bool sample(void)
{
	return getenv("SAMPLE");
}

/* End a sample that need not misbehave. */
#define SAMPLE_ONLY() do {						\
	if (!sample()) {						\
		EXPECT_FALSE(sample());					\
		return;							\
	}								\
} while (0)

TEST(sample_pass)
{
	EXPECT_EQ(1, 1);
}

TEST(sample_empty)
{
	SAMPLE_ONLY();
}

TEST(sample_expect)
{
	SAMPLE_ONLY();
	EXPECT_EQ(1, 2);
	TH_LOG("goes on");
}

TEST(sample_assert)
{
	SAMPLE_ONLY();
	ASSERT_EQ(-EAGAIN, -EINVAL);
	TH_LOG("goes on");
}

TEST(sample_values)
{
	SAMPLE_ONLY();
	EXPECT_FALSE(-ENOMEM);
	EXPECT_STREQ("one\nline", NULL);
	EXPECT_STRSTR("a haystack", "needle");
	EXPECT_MEMEQ("same.", "same!", 5);
}

TEST(sample_same)
{
	SAMPLE_ONLY();
	EXPECT_FALSE(0);
	EXPECT_STREQ("a", "a");
	EXPECT_STRSTR("a haystack", "hay");
	EXPECT_MEMEQ("same.", "same!", 4);
}

TEST(sample_parts)
{
	SAMPLE_ONLY();
	EXPECT_TRUE(true);
	ksft_part("the %s", "first");
	EXPECT_TRUE(false);
	ksft_part("second");
	ksft_part("third");
}

TEST(sample_folder)
{
	char path[64];
	FILE *file;

	SAMPLE_ONLY();
	snprintf(path, sizeof(path), "%s/sub", ksft_folder());
	EXPECT_FALSE(mkdir(path, 0700));
	strcat(path, "/file");
	file = fopen(path, "w");
	EXPECT_TRUE(file);
	TH_LOG("folder %s.", ksft_folder());
	raise(SIGKILL);
}

TEST(sample_crash)
{
	SAMPLE_ONLY();
	EXPECT_TRUE(true);
	raise(SIGSEGV);
}

TEST_TIMEOUT(sample_hang, 1)
{
	SAMPLE_ONLY();
	EXPECT_TRUE(true);
	if (!fork())
		pause();
	pause();
}

TEST(sample_child)
{
	pid_t pid;

	SAMPLE_ONLY();
	EXPECT_TRUE(true);
	pid = fork();
	if (!pid) {
		ASSERT_TRUE(false);
		_exit(0);
	}
	gmem_wait_pid(pid);
}

static void *failing_thread(void *arg __ksft_unused)
{
	ASSERT_TRUE(false);
	return NULL;
}

TEST(sample_thread)
{
	struct gmem_task task = { 0 };

	SAMPLE_ONLY();
	EXPECT_EQ(0, gmem_task_start(&task, -1, failing_thread, NULL));
	gmem_task_join(&task);
}

TEST(sample_skip)
{
	SAMPLE_ONLY();
	SKIP(return, "no such thing");
}

TEST(sample_skip_by_design)
{
	SAMPLE_ONLY();
	SKIP(return, KSFT_BY_DESIGN " no such thing");
}

/* Runs of the samples with an excuse, counted over all processes. */
static int *excused_runs;

static __attribute__((constructor)) void excused_setup(void)
{
	excused_runs = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

TEST(sample_excused)
{
	SAMPLE_ONLY();
	ksft_excuse_set("bad luck");
	EXPECT_EQ(2, ++*excused_runs);
}

TEST(sample_excused_twice)
{
	SAMPLE_ONLY();
	ksft_excuse_set("bad luck");
	EXPECT_EQ(3, ++*excused_runs);
}

/* The excuse is set by a child, before the test hangs. */
TEST_TIMEOUT(sample_excused_hang, 1)
{
	SAMPLE_ONLY();
	EXPECT_TRUE(true);
	if (++*excused_runs == 2)
		return;
	if (!fork())
		ksft_excuse_set("bad luck");
	pause();
}

/* Takes longer than its timeout, unless lost time is not counted. */
TEST_TIMEOUT(sample_time_lost, 1)
{
	SAMPLE_ONLY();
	usleep(700000);
	ksft_time_lost(700, "bad luck");
	usleep(700000);
	EXPECT_TRUE(true);
}

TEST_OF(topic, name)
{
	SAMPLE_ONLY();
	EXPECT_TRUE(true);
	printf("printed, and ");
	puts("not lost");
	raise(SIGKILL);
}

TEST_OF(topic, name_longer)
{
	SAMPLE_ONLY();
	EXPECT_TRUE(true);
}

FIXTURE(sample) {
	int value;
};

FIXTURE_SETUP(sample)
{
	self->value = 1;
}

FIXTURE_TEARDOWN(sample)
{
	TH_LOG("teardown %d", self->value);
}

TEST_F(sample, fixture)
{
	SAMPLE_ONLY();
	self->value = 2;
	ASSERT_TRUE(false);
}

/* Run samples. Return: the exit status. @out: the output. */
static int run_samples(char *const argv[], const char *require, char *out,
		       size_t size)
{
	size_t have = 0;
	ssize_t n;
	int fds[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(fds));
	pid = fork();
	if (!pid) {
		setenv("SAMPLE", "1", 1);
		setenv("GMEM_REQUIRE", require, 1);
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		execv("/proc/self/exe", argv);
		_exit(127);
	}
	close(fds[1]);
	while (have < size - 1 &&
	       (n = read(fds[0], out + have, size - 1 - have)) > 0)
		have += n;
	out[have] = '\0';
	close(fds[0]);
	return gmem_wait_pid(pid);
}

static int run_sample(const char *name, const char *require, char *out,
		      size_t size)
{
	char *argv[] = { "ksft_test", (char *)(uintptr_t)name, NULL };

	return run_samples(argv, require, out, size);
}

/* Every kind of failure is "not ok" with the reason, and exit status 1. */
TEST(failures_are_reported)
{
	static const struct { const char *name, *line, *why; } bad[] = {
		{ "sample_empty", "\nnot ok 1 sample_empty\n", "checked nothing" },
		{ "sample_expect", "\nnot ok 1 sample_expect\n", "goes on" },
		{ "sample_assert", "\nnot ok 1 sample_assert\n", "-11 (Resource" },
		{ "sample_crash", "\nnot ok 1 sample_crash\n", "signal 11" },
		{ "sample_hang", "\nnot ok 1 sample_hang\n", "no end after 1 s" },
		{ "sample_child", "\nnot ok 1 sample_child\n", "expected false" },
		{ "sample_thread", "\nnot ok 1 sample_thread\n", "expected false" },
		{ "sample.fixture", "\nnot ok 1 sample.fixture\n", "teardown 2" },
		{ "topic.name", "\nnot ok 1 topic.name\n", "printed, and not lost\n" },
	};
	char out[4096];
	size_t i;

	if (sample())
		SKIP(return, "the samples only");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_EQ(KSFT_FAIL, run_sample(bad[i].name, "", out,
						sizeof(out)));
		EXPECT_TRUE(strstr(out, "KTAP version 1\n1..1\n"));
		EXPECT_TRUE(strstr(out, bad[i].line));
		EXPECT_TRUE(strstr(out, bad[i].why));
		if (strstr(bad[i].name, "assert"))
			EXPECT_FALSE(strstr(out, "goes on"));
	}
}

/* Exit status 0 for success, 4 for skips, and 1 if skips are not allowed. */
TEST(skips_are_reported)
{
	char out[4096];

	if (sample())
		SKIP(return, "the samples only");
	EXPECT_EQ(KSFT_PASS, run_sample("sample_pass", "all", out, sizeof(out)));
	EXPECT_TRUE(strstr(out, "\nok 1 sample_pass\n"));
	EXPECT_EQ(KSFT_SKIP, run_sample("sample_skip", "", out, sizeof(out)));
	EXPECT_TRUE(strstr(out, "\nok 1 sample_skip # SKIP no such thing\n"));
	EXPECT_EQ(KSFT_FAIL, run_sample("sample_skip", "all", out,
					sizeof(out)));
	EXPECT_TRUE(strstr(out, "\nnot ok 1 sample_skip\n"));
	EXPECT_EQ(KSFT_SKIP, run_sample("sample_skip_by_design", "all", out,
					sizeof(out)));
	EXPECT_TRUE(strstr(out, "\nok 1 sample_skip_by_design # SKIP "));
}

/* A test with an excuse is run once more, but not a third time. */
TEST(excuses_count_once)
{
	char out[4096];

	if (sample())
		SKIP(return, "the samples only");
	EXPECT_EQ(KSFT_PASS, run_sample("sample_excused", "all", out, sizeof(out)));
	EXPECT_TRUE(strstr(out, "\n# sample_excused: once more: bad luck\n"));
	EXPECT_TRUE(strstr(out, "\n# time lost: "));
	EXPECT_TRUE(strstr(out, "\nok 1 sample_excused\n"));
	EXPECT_EQ(KSFT_PASS, run_sample("sample_excused_hang", "all", out,
					sizeof(out)));
	EXPECT_TRUE(strstr(out, "\nok 1 sample_excused_hang\n"));
	EXPECT_EQ(KSFT_FAIL, run_sample("sample_excused_twice", "all", out,
					sizeof(out)));
	EXPECT_TRUE(strstr(out, "\nnot ok 1 sample_excused_twice\n"));
}

/* The timeout is extended by the lost time; init reads the line. */
TEST(lost_time_does_not_count)
{
	char out[4096];

	if (sample())
		SKIP(return, "the samples only");
	EXPECT_EQ(KSFT_PASS, run_sample("sample_time_lost", "all", out,
					sizeof(out)));
	EXPECT_TRUE(strstr(out, "\n# time lost: 700 ms: bad luck\n"));
}

/* A failure does not prevent the next test from running. */
TEST(program_goes_on)
{
	char *argv[] = { "ksft_test", "sample_crash", "sample_pass", NULL };
	char out[4096];

	if (sample())
		SKIP(return, "the samples only");
	EXPECT_EQ(KSFT_FAIL, run_samples(argv, "", out, sizeof(out)));
	EXPECT_TRUE(strstr(out, "\n1..2\n"));
	EXPECT_TRUE(strstr(out, "\nok 1 sample_pass\n"));
	EXPECT_TRUE(strstr(out, "\nnot ok 2 sample_crash\n"));
	EXPECT_TRUE(strstr(out, "pass:1 fail:1"));
}

/* Compared values are shown on one line. */
TEST(values_are_shown)
{
	char out[4096];

	if (sample())
		SKIP(return, "the samples only");
	EXPECT_EQ(KSFT_FAIL, run_sample("sample_values", "", out, sizeof(out)));
	EXPECT_STRSTR(out, "!(-ENOMEM): -12 (Cannot allocate memory), 0 (0);");
	EXPECT_STRSTR(out, " \"one\\nline\", NULL\n");
	EXPECT_STRSTR(out, ": \"a haystack\", \"needle\"\n");
	EXPECT_STRSTR(out, ": at 4 of 5, 0x2e, 0x21\n");
	EXPECT_EQ(KSFT_PASS, run_sample("sample_same", "", out, sizeof(out)));
}

/* A part can fail alone; then its test fails, too. */
TEST(parts_are_counted)
{
	char out[4096];

	if (sample())
		SKIP(return, "the samples only");
	EXPECT_EQ(KSFT_FAIL, run_sample("sample_parts", "", out, sizeof(out)));
	EXPECT_STRSTR(out, "\n    ok 1 the first\n");
	EXPECT_STRSTR(out, "\n    not ok 2 second\n    ok 3 third\n    1..3\nnot ok 1 ");
}

/* The test's directory is removed however the test ends. */
TEST(folder_goes)
{
	char out[4096], *folder, *end;

	if (sample())
		SKIP(return, "the samples only");
	EXPECT_EQ(KSFT_FAIL, run_sample("sample_folder", "", out, sizeof(out)));
	folder = strstr(out, "folder /tmp/");
	ASSERT_TRUE(folder);
	folder += strlen("folder ");
	end = strchr(folder, '.');
	ASSERT_TRUE(end);
	*end = '\0';
	EXPECT_NE(0, access(folder, F_OK));
	EXPECT_EQ(ENOENT, errno);
}

/* A prefix selects all tests whose names begin with it, unless it is a name itself. */
TEST(names_begin_so)
{
	char out[4096];

	if (sample())
		SKIP(return, "the samples only");
	EXPECT_EQ(KSFT_FAIL, run_sample("topic.", "", out, sizeof(out)));
	EXPECT_STRSTR(out, "\nok 2 topic.name_longer\n");
	EXPECT_EQ(KSFT_FAIL, run_sample("topic.name", "", out, sizeof(out)));
	EXPECT_STRSTR(out, "\n1..1\n");
}

/* An unknown name is an error, not an empty success. */
TEST(unknown_name)
{
	char out[4096];

	if (sample())
		SKIP(return, "the samples only");
	EXPECT_EQ(KSFT_FAIL, run_sample("no_such_test", "", out, sizeof(out)));
	EXPECT_TRUE(strstr(out, "\n1..0\n"));
}

TEST_HARNESS_MAIN
