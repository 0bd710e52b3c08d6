/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A terminal that passes every key on. There is one per process at most, and it
 * is put back however the process ends, short of SIGKILL and of the two signals
 * below SIGRTMIN that the C library keeps to itself.
 */
#ifndef GMEMCTL_MACHINE_TERMINAL_H
#define GMEMCTL_MACHINE_TERMINAL_H

#include <stdbool.h>

/**
 * terminal_raw() - no echo, no lines, no signals from keys
 *
 * A job in the background leaves the terminal to whom it belongs, and has it raw
 * from terminal_take() on, or from when it is continued in the foreground.
 *
 * Return: 0, also if @fd is no terminal, which is left alone; -EBUSY if one is
 * raw already; another negative errno.
 */
int terminal_raw(int fd);

/** terminal_is_raw() - whether there is a terminal to put back */
bool terminal_is_raw(void);

/**
 * terminal_take() - before input is waited for, with SIGTTOU blocked
 *
 * Return: whether keys are for this process, and then the terminal is raw; not
 * while it is a job in the background.
 */
bool terminal_take(void);

/**
 * terminal_restore() - as it was before; nothing if there is none
 *
 * A job in the background does not take it from somebody who has changed it.
 */
void terminal_restore(void);

#endif /* GMEMCTL_MACHINE_TERMINAL_H */
