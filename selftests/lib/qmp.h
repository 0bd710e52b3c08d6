/* SPDX-License-Identifier: GPL-2.0 */
/* A QEMU's monitor for programs (QMP), on a Unix socket. */
#ifndef QMP_H
#define QMP_H

#include <stdbool.h>
#include <stddef.h>

/* Return: a connection that takes commands, or -1. */
int qmp_open(const char *path);

/*
 * A command, JSON of one line, and its answer, without what QEMU tells of itself in
 * between. Return: whether QEMU has done it; not if it has gone, or says nothing.
 */
bool qmp_ask(int fd, const char *command, char *answer, size_t size);

/* Return: whether QEMU has told of itself, or does so now, by a line with that in it. */
bool qmp_event(int fd, const char *what);

#endif /* QMP_H */
