/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Runs of gmemctl as a user types them, in a folder of their own. The program is
 * the one next to this one.
 */
#ifndef GMEMCTL_TEST_CLI_RUN_H
#define GMEMCTL_TEST_CLI_RUN_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct cli - a folder to run gmemctl in
 * @program: its path
 * @dir: the folder
 */
struct cli {
	char program[4096];
	char dir[64];
};

/** cli_init() - make the folder; false where gmemctl is not built */
bool cli_init(struct cli *cli);
void cli_free(struct cli *cli);

/**
 * cli_run() - run `gmemctl snp` with these arguments
 *
 * They are words of the shell, so that one may redirect. What gmemctl says goes
 * to the file "out".
 *
 * Return: the exit code, or -1 after a signal.
 */
int cli_run(struct cli *cli, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** cli_shell() - run a command of the shell in the folder. Return: as above. */
int cli_shell(struct cli *cli, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** cli_write() - make a file in the folder */
void cli_write(struct cli *cli, const char *name, const void *data,
	       size_t size);

/**
 * cli_has() - whether the JSON object in "out" has a value
 * @object: the member that @key is in; NULL: the outermost object
 */
bool cli_has(struct cli *cli, const char *object, const char *key,
	     const char *value);

/** cli_says() - whether "out" has this text in it */
bool cli_says(struct cli *cli, const char *text);

/** cli_get() - a value of the JSON object in "out", or "" */
const char *cli_get(struct cli *cli, const char *object, const char *key,
		    char *value, size_t size);

#endif /* GMEMCTL_TEST_CLI_RUN_H */
