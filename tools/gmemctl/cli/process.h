/* SPDX-License-Identifier: GPL-2.0 */
/* What this process has inherited, made fit for use. */
#ifndef GMEMCTL_CLI_PROCESS_H
#define GMEMCTL_CLI_PROCESS_H

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

#endif /* GMEMCTL_CLI_PROCESS_H */
