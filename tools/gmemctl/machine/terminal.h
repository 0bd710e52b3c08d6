/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A terminal that passes every key on. There is one per process at most, and it
 * is put back however the process ends, short of SIGKILL.
 */
#ifndef GMEMCTL_MACHINE_TERMINAL_H
#define GMEMCTL_MACHINE_TERMINAL_H

#include <stdbool.h>

/**
 * terminal_raw() - no echo, no lines, no signals from keys
 *
 * Return: 0, also if @fd is no terminal, which is left alone; -EBUSY if one is
 * raw already; another negative errno.
 */
int terminal_raw(int fd);

/** terminal_is_raw() - whether there is a terminal to put back */
bool terminal_is_raw(void);

/** terminal_restore() - as it was before; nothing if there is none */
void terminal_restore(void);

#endif /* GMEMCTL_MACHINE_TERMINAL_H */
