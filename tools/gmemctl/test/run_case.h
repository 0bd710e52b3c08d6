/* SPDX-License-Identifier: GPL-2.0 */
/* Runs of gmemctl as a user types them, in the strict simulator. */
#ifndef GMEMCTL_TEST_RUN_CASE_H
#define GMEMCTL_TEST_RUN_CASE_H

#include <stddef.h>

/**
 * struct run_case - one run
 * @command: its arguments, separated by spaces
 * @settings: of the simulator, likewise
 * @code: exit code
 * @says: what its output has in it
 */
struct run_case {
	const char *command;
	const char *settings;
	int code;
	const char *says;
};

/** run_cases() - all of them, each with a claim of the running test */
void run_cases(const struct run_case *cases, size_t count);

#define RUN_CASES(cases) run_cases(cases, sizeof(cases) / sizeof((cases)[0]))

#endif /* GMEMCTL_TEST_RUN_CASE_H */
