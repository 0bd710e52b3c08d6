/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A lock that a signal handler can take: whoever has it gets no signals, and touches
 * no guest memory.
 */
#ifndef GMEMCTL_EXEC_SPIN_H
#define GMEMCTL_EXEC_SPIN_H

#include <sched.h>
#include <signal.h>
#include <stdbool.h>

/**
 * struct exec_spin - the lock, zero at the start
 * @taken: see there
 */
struct exec_spin {
	bool taken;
};

static inline void exec_spin_lock(struct exec_spin *spin, sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, before);
	while (__atomic_test_and_set(&spin->taken, __ATOMIC_ACQUIRE))
		sched_yield();
}

static inline void exec_spin_unlock(struct exec_spin *spin,
				    const sigset_t *before)
{
	__atomic_clear(&spin->taken, __ATOMIC_RELEASE);
	sigprocmask(SIG_SETMASK, before, NULL);
}

#endif /* GMEMCTL_EXEC_SPIN_H */
