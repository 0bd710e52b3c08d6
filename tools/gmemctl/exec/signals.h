/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two signals that the library shares with the VMM, and that no thread of it has
 * blocked: SIGBUS, which goes on to the VMM's handler where the library has no
 * answer; and one with which a vCPU is asked how it gets on.
 */
#ifndef GMEMCTL_EXEC_SIGNALS_H
#define GMEMCTL_EXEC_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/** exec_signals_take() - have them from now on */
void exec_signals_take(void);

/** exec_signals_kick() - the signal for vCPUs, or 0: there is none */
int exec_signals_kick(void);

/**
 * exec_signals_action() - the VMM's sigaction() of SIGBUS, which is remembered
 *
 * Return: whether that was all there is to do.
 */
bool exec_signals_action(int number, const struct sigaction *action,
			 struct sigaction *old);

/**
 * exec_signals_mask() - what the VMM may block
 * @how: of sigprocmask(); nothing changes for SIG_UNBLOCK
 * @set: what it wants to, may be NULL
 * @allowed: room for another set
 *
 * Return: @set or @allowed.
 */
const sigset_t *exec_signals_mask(int how, const sigset_t *set,
				  sigset_t *allowed);

#endif /* GMEMCTL_EXEC_SIGNALS_H */
