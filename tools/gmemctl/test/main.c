// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the tests in a process of its own, which goes on with the next test in another
 * one where a test has ended it. What is counted is in memory that all share.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

#define TIMEOUT_S 300	/* of a test; sanitizers and a busy machine are slow */

/**
 * struct progress - what is known of the run
 * @next: number of the test that runs, or will
 * @started: it has begun
 * @failed, @skips: tests, of those before
 * @checks, @failures: of the test that runs, its processes included
 * @part, @part_failures: of its parts
 * @skipped: why it has skipped something
 */
struct progress {
	unsigned int next;
	bool started;
	unsigned int failed, skips;
	unsigned int checks, failures;
	unsigned int part, part_failures;
	char skipped[512];
};

static struct unit_tests *files;
static struct progress *progress;

void unit_check(bool ok, const char *claim, const char *file, int line)
{
	progress->checks++;
	if (ok)
		return;
	progress->failures++;
	printf("# %s:%d: does not hold: %s\n", file, line, claim);
}

unsigned int unit_failures(void)
{
	return progress->failures;
}

void unit_skip(const char *reason, ...)
{
	va_list args;

	va_start(args, reason);
	vsnprintf(progress->skipped, sizeof(progress->skipped), reason, args);
	va_end(args);
	printf("# skipped: %s\n", progress->skipped);
}

void unit_part(const char *name, ...)
{
	va_list args;

	printf("    %sok %u ", progress->failures > progress->part_failures ?
	       "not " : "", ++progress->part);
	va_start(args, name);
	vprintf(name, args);
	va_end(args);
	putchar('\n');
	progress->part_failures = progress->failures;
}

void unit_register(struct unit_tests *tests)
{
	struct unit_tests **link = &files;

	/* By name: the order of constructors is the linker's affair. */
	while (*link && strcmp((*link)->tests->name, tests->tests->name) < 0)
		link = &(*link)->next;
	tests->next = *link;
	*link = tests;
}

/* The test of a number among those whose names begin so, or all; or NULL. */
static const struct unit_test *find(const char *prefix, unsigned int number)
{
	for (const struct unit_tests *file = files; file; file = file->next)
		for (unsigned int i = 0; i < file->nr; i++)
			if ((!prefix || !strncmp(file->tests[i].name, prefix,
						 strlen(prefix))) && !number--)
				return &file->tests[i];
	return NULL;
}

/* GMEM_REQUIRE=all, as of the selftests: no skip but for want of hardware. */
static bool may_skip(void)
{
	const char *require = getenv("GMEM_REQUIRE");

	return !require || strcmp(require, "all") ||
	       !strncmp(progress->skipped, "hw:", 3);
}

/* The line of a test that has come to its end. */
static void report(const struct unit_test *test)
{
	bool skip = progress->skipped[0] && !progress->checks;

	if (progress->part)
		printf("    1..%u\n", progress->part);
	if (!skip && !progress->checks) {
		progress->failures++;
		printf("# it has checked nothing\n");
	} else if (skip && !may_skip()) {
		progress->failures++;
		skip = false;
	}
	printf("%sok %u %s%s%s\n", progress->failures ? "not " : "",
	       progress->next + 1, test->name, skip ? " # SKIP " : "",
	       skip ? progress->skipped : "");
	progress->failed += !!progress->failures;
	progress->skips += skip;
}

static void begin(void)
{
	progress->checks = 0;
	progress->failures = 0;
	progress->part = 0;
	progress->part_failures = 0;
	progress->skipped[0] = '\0';
	progress->started = true;
}

static void run_all(const char *prefix)
{
	const struct unit_test *test;

	while ((test = find(prefix, progress->next))) {
		begin();
		test->run();
		report(test);
		progress->started = false;
		progress->next++;
	}
}

/* Return: how the process has ended; one that hangs is killed. */
static int watch(pid_t pid, const sigset_t *child)
{
	const struct timespec second = { .tv_sec = 1 };
	unsigned int seen = progress->next, seconds = 0;
	int status;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		sigtimedwait(child, NULL, &second);
		seconds = seen == progress->next ? seconds + 1 : 0;
		seen = progress->next;
		if (seconds == TIMEOUT_S)
			kill(pid, SIGKILL);
	}
	return status;
}

/* A test has ended the process that it runs in: that one has failed. */
static void report_dead(const char *prefix, int status)
{
	const struct unit_test *test = find(prefix, progress->next);

	if (WIFSIGNALED(status))
		printf("# the test has ended with signal %d\n", WTERMSIG(status));
	else
		printf("# the test has ended with exit code %d\n",
		       WEXITSTATUS(status));
	printf("not ok %u %s\n", progress->next + 1, test->name);
	progress->failed++;
	progress->started = false;
	progress->next++;
}

/* Return: whether one that has come to its end has left something, as ASAN says. */
static bool run_processes(const char *prefix)
{
	sigset_t child, before;
	bool leaks = false;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &before);
	while (find(prefix, progress->next)) {
		pid_t pid = fork();
		int status;

		if (!pid) {
			sigprocmask(SIG_SETMASK, &before, NULL);
			run_all(prefix);
			exit(EXIT_SUCCESS);
		}
		status = pid < 0 ? EXIT_FAILURE << 8 : watch(pid, &child);
		if (find(prefix, progress->next))
			report_dead(prefix, status);
		else
			leaks = status;
	}
	return leaks;
}

/* gmemctl_unit_test [PREFIX]: the tests whose names begin so, or all. */
int main(int argc, char **argv)
{
	const char *prefix = argc > 1 ? argv[1] : NULL;
	unsigned int count = 0;
	bool leaks;

	progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (progress == MAP_FAILED)
		return EXIT_FAILURE;
	while (find(prefix, count))
		count++;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..%u\n", count);
	leaks = run_processes(prefix);
	printf("# Totals: pass:%u fail:%u skip:%u\n",
	       count - progress->failed - progress->skips, progress->failed,
	       progress->skips);
	return progress->failed || leaks || !count;
}
