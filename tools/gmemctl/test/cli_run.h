/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Runs of gmemctl as a user types them, in a folder of the test's own. The program is the
 * one next to this one.
 */
#ifndef GMEMCTL_TEST_CLI_RUN_H
#define GMEMCTL_TEST_CLI_RUN_H

#include <stdbool.h>
#include <stddef.h>

/* Its path */
extern char cli_program[4096];

/** cli_init() - go to the folder. Where gmemctl is not built, that is the end of the test. */
void cli_init(void);

/**
 * cli_run() - run `gmemctl snp` with these arguments
 *
 * They are words of the shell, so that one may redirect. What gmemctl says goes
 * to the file "out".
 *
 * Return: the exit code, or -1 after a signal.
 */
int cli_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** cli_shell() - run a command of the shell in the folder. Return: as above. */
int cli_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** cli_write() - make a file in the folder */
void cli_write(const char *name, const void *data, size_t size);

/**
 * cli_has() - whether the JSON object in "out" has a value
 * @object: the member that @key is in; NULL: the outermost object
 */
bool cli_has(const char *object, const char *key, const char *value);

/** cli_says() - whether "out" has this text in it */
bool cli_says(const char *text);

/**
 * cli_did() - run as cli_run() does. Return: whether the exit code is @code, and @says is
 *	in "out"
 */
bool cli_did(int code, const char *says, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** cli_write_firmware() - what build_firmware() makes of build_sections, "fw" */
void cli_write_firmware(void);

/** cli_write_key() - a private key, "key.pem" */
void cli_write_key(void);

/** cli_get() - a value of the JSON object in "out", or "" */
const char *cli_get(const char *object, const char *key, char *value, size_t size);

#endif /* GMEMCTL_TEST_CLI_RUN_H */
