/* SPDX-License-Identifier: GPL-2.0 */
/* QEMU's machine protocol (QMP), on a Unix socket. */
#ifndef QMP_H
#define QMP_H

#include <stdbool.h>
#include <stddef.h>

/* Return: a connection that accepts commands, or -1. */
int qmp_open(const char *path);

/*
 * Send a command, a line of JSON, and read its answer. Events before the answer are
 * skipped. Return: whether QEMU has executed it; false also if QEMU has ended or does not
 * answer.
 */
bool qmp_ask(int fd, const char *command, char *answer, size_t size);

/* Return: whether QEMU has sent an event whose line contains @what, or does so now. */
bool qmp_event(int fd, const char *what);

#endif /* QMP_H */
