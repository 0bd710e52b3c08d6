/* SPDX-License-Identifier: GPL-2.0 */
/* Programs that are run with the simulator loaded before the C library. */
#ifndef GMEMCTL_TEST_PRELOAD_H
#define GMEMCTL_TEST_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>

/**
 * preload_run() - run a program to its end
 * @program: its name beside the running one, or NULL: this program itself
 * @arguments: without the name; NULL ends them
 * @settings: variables of the simulator, "NAME=VALUE" without the prefix; NULL
 *	ends them
 * @output: what it writes to standard output and error, cut at @size
 *
 * Return: its wait status, or a negative errno.
 */
int preload_run(const char *program, const char *const *arguments,
		const char *const *settings, char *output, size_t size);

/* What gmemctl has said the last time */
extern char preload_said[65536];

/** preload_gmemctl() - the same of gmemctl. Return: its exit code, or -1. */
int preload_gmemctl(const char *const *arguments, const char *const *settings);

#define GMEMCTL(...) preload_gmemctl((const char *const[]){ __VA_ARGS__, NULL }, NULL)

/** preload_inside() - whether the running program was started so */
bool preload_inside(void);

/**
 * preload_self() - run the test @name with the simulator loaded, and hold what
 *	it says against it
 */
void preload_self(const char *name);

#endif /* GMEMCTL_TEST_PRELOAD_H */
