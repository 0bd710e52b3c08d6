/* SPDX-License-Identifier: GPL-2.0 */
/* What this process has inherited, made fit for use; and where it lies. */
#ifndef GMEMCTL_CLI_PROCESS_H
#define GMEMCTL_CLI_PROCESS_H

#include <limits.h>

#include "../base/error.h"

/**
 * process_start() - before anything else is opened, or is said
 *
 * Standard input, output and error are open files afterwards, signals of faults
 * are not blocked, a write beyond RLIMIT_FSIZE fails with EFBIG, and what is written
 * to stdout and stderr waits for its reader, also where the file has O_NONBLOCK.
 *
 * Return: 0 or a negative errno.
 */
int process_start(void);

/**
 * process_find() - a file that belongs to gmemctl
 * @name: of the file
 * @built: where it is built, from the folder of gmemctl on: "" or "folder/"
 * @path: out: its path, there or where it is installed
 *
 * Return: 0, or a negative errno with @error set.
 */
int process_find(const char *name, const char *built, char path[PATH_MAX], struct error *error);

#endif /* GMEMCTL_CLI_PROCESS_H */
