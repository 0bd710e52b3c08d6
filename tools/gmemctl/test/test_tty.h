/* SPDX-License-Identifier: GPL-2.0 */
/* Pseudo terminals for tests. */
#ifndef GMEMCTL_TEST_TEST_TTY_H
#define GMEMCTL_TEST_TEST_TTY_H

#include <stdbool.h>

/**
 * test_tty_open() - a terminal that is nobody's controlling one
 * @master: out: its other end, or -1
 *
 * Return: the terminal, or -1: the running test has been skipped.
 */
int test_tty_open(int *master);

/** test_tty_is_raw() - no lines, no echo, no signals from keys */
bool test_tty_is_raw(int fd);

#endif /* GMEMCTL_TEST_TEST_TTY_H */
