// SPDX-License-Identifier: GPL-2.0
/*
 * gmem_bench [-p] [CASE...]: the cost of gmem's operations, compared with alternatives.
 *
 * Each case is a process of its own. A row is a line
 *
 *	# bench: WORK | WHO | UNIT | VALUE | SPREAD
 *
 * VALUE is the lower quartile of all measurements for one UNIT; SPREAD is its distance to
 * the least value or the median, in per cent. The line "# measure:" names what VALUE
 * counts. With -p gmem_bench shows where time is spent, see profile.c.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum { BENCH_FAILED = 1, BENCH_SKIPPED = 4 };

static const struct bench_case cases[] = {
	{ "touch.first.memfd", touch_first, MEMORY_MEMFD },
	{ "touch.first.gmem", touch_first, MEMORY_GMEM },
	{ "touch.first.anon", touch_first, MEMORY_ANON },
	{ "touch.first.secret", touch_first, MEMORY_SECRET },
	{ "touch.first.guest_memfd", touch_first, MEMORY_GUEST_MEMFD },
	{ "touch.again.memfd", touch_again, MEMORY_MEMFD },
	{ "touch.again.gmem", touch_again, MEMORY_GMEM },
	{ "touch.again.guest_memfd", touch_again, MEMORY_GUEST_MEMFD },
	{ "touch.unmap.memfd", touch_unmap, MEMORY_MEMFD },
	{ "touch.unmap.gmem", touch_unmap, MEMORY_GMEM },
	{ "touch.beside", touch_beside, MEMORY_GMEM },
	{ "commit.memfd", commit_both, MEMORY_MEMFD },
	{ "commit.gmem", commit_both, MEMORY_GMEM },
	{ "commit.guest_memfd", commit_both, MEMORY_GUEST_MEMFD },
	{ "convert.resident", convert_resident, MEMORY_GMEM },
	{ "convert.one", convert_one, MEMORY_GMEM },
	{ "convert.sizes", convert_sizes, MEMORY_GMEM },
	{ "convert.huge", convert_huge, MEMORY_GMEM },
	{ "sparse.convert", sparse_convert, MEMORY_GMEM },
	{ "sparse.empty", sparse_empty, MEMORY_GMEM },
	{ "pattern", pattern_convert, MEMORY_GMEM },
	{ "held", held_convert, MEMORY_GMEM },
	{ "held.beside", held_beside, MEMORY_GMEM },
	{ "query", query_fragments, MEMORY_GMEM },
	{ "state", state_bytes, MEMORY_GMEM },
	{ "view.convert", view_convert, MEMORY_GMEM },
	{ "view.huge", view_huge, MEMORY_GMEM },
	{ "view.one", view_one, MEMORY_GMEM },
	{ "store", store_convert, MEMORY_GMEM },
	{ "discard", discard_copy, MEMORY_MEMFD },
	{ "window", window_io, MEMORY_GMEM },
	{ "guest.view", guest_view, MEMORY_GMEM },
	{ "guest.huge", guest_view_huge, MEMORY_GMEM },
	{ "guest.store", guest_store, MEMORY_GMEM },
	{ "guest.discard", guest_discard, MEMORY_MEMFD },
	{ "thread.convert", thread_convert, MEMORY_GMEM },
	{ "thread.fault", thread_fault, MEMORY_GMEM },
};

void bench_skip(const char *why)
{
	printf("# skip: %s\n", why);
	fflush(stdout);
	_exit(BENCH_SKIPPED);
}

void bench_fail(const char *what, long rc)
{
	printf("# fail: %s: %ld (%s)\n", what, rc, strerror((int)-rc));
	fflush(stdout);
	_exit(BENCH_FAILED);
}

static bool profile;

/* Return: the result of the case: 0, BENCH_SKIPPED or another exit code. */
static int case_run(const struct bench_case *c)
{
	int status;
	pid_t pid;

	printf("# case: %s\n", c->name);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (profile)
			bench_profile();
		c->run(c);
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return BENCH_FAILED;
	if (WIFSIGNALED(status)) {
		printf("# fail: %s: %s\n", c->name, strsignal(WTERMSIG(status)));
		return BENCH_FAILED;
	}
	return WEXITSTATUS(status);
}

static bool case_wanted(const struct bench_case *c, char **patterns)
{
	bool wanted = !*patterns;

	for (; *patterns; patterns++)
		wanted |= !fnmatch(*patterns, c->name, 0);
	return wanted;
}

int main(int argc, char **argv)
{
	unsigned int i, failed = 0, ran = 0;
	int rc;

	profile = argc > 1 && !strcmp(argv[1], "-p");
	argv += profile;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (gmem_unavailable()) {
		printf("# fail: %s\n", gmem_unavailable());
		return BENCH_FAILED;
	}
	bench_measure_setup();
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (!case_wanted(&cases[i], argv + 1))
			continue;
		rc = case_run(&cases[i]);
		ran++;
		failed += rc && rc != BENCH_SKIPPED;
	}
	if (!ran)
		printf("# fail: no such case\n");
	printf("# end: %u cases, %u failed\n", ran, failed);
	return failed || !ran ? BENCH_FAILED : 0;
}
