/* SPDX-License-Identifier: GPL-2.0 */
/* The signals that end a machine, or would, over several runs of its vCPUs. */
#ifndef GMEMCTL_MACHINE_SIGNALS_H
#define GMEMCTL_MACHINE_SIGNALS_H

#include <signal.h>

/**
 * struct signals_held - how this thread handled signals before
 * @mask: signals blocked
 * @pipe: action of SIGPIPE
 */
struct signals_held {
	sigset_t mask;
	struct sigaction pipe;
};

/**
 * signals_end_set() - SIGINT, SIGTERM, SIGHUP and SIGQUIT
 *
 * But none that is ignored: nohup does that with SIGHUP, and a shell with SIGINT
 * and SIGQUIT of its jobs in the background.
 */
void signals_end_set(sigset_t *set);

/**
 * signals_fault_set() - what a thread gets for what it has done itself
 *
 * Where one of them is blocked it ends the process without its handler.
 */
void signals_fault_set(sigset_t *set);

/**
 * signals_hold() - have signals that end a machine wait for its next run
 *
 * Every other thread has to have them blocked. SIGPIPE is ignored: a write that
 * nobody reads fails with EPIPE. SIGTTOU and SIGTTIN are blocked: the terminal of
 * others can be written to, and put back.
 */
void signals_hold(struct signals_held *before);

/** signals_release() - as before; what has come too late for a run is used up */
void signals_release(const struct signals_held *before);

#endif /* GMEMCTL_MACHINE_SIGNALS_H */
