// SPDX-License-Identifier: GPL-2.0
/*
 * Two signals that the library shares with the VMM, and that no thread of the VMM may
 * block: SIGBUS, which is passed on to the VMM's handler if the library cannot handle it;
 * and one that makes a vCPU leave KVM_RUN, for the watch of fault.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>

#include "exec.h"
#include "report.h"

/* @theirs: the VMM's action for SIGBUS */
static struct {
	struct exec_spin lock;
	struct sigaction theirs;
	bool taken;
	int kick;
} signals;

/* Call exec_next(), because our own pthread_sigmask() does not block both signals. */
void exec_spin_lock(struct exec_spin *spin, sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	exec_next()->pthread_sigmask(SIG_SETMASK, &all, before);
	while (__atomic_test_and_set(&spin->taken, __ATOMIC_ACQUIRE))
		sched_yield();
}

void exec_spin_unlock(struct exec_spin *spin, const sigset_t *before)
{
	__atomic_clear(&spin->taken, __ATOMIC_RELEASE);
	exec_next()->pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* Do what the VMM's action would do. A fault repeats by itself, another SIGBUS is raised again. */
static void pass_on(int number, siginfo_t *info, void *context)
{
	const struct sigaction fallback = { .sa_handler = SIG_DFL };
	struct sigaction action;
	sigset_t before;

	exec_spin_lock(&signals.lock, &before);
	action = signals.theirs;
	exec_spin_unlock(&signals.lock, &before);
	if (action.sa_flags & SA_SIGINFO) {
		action.sa_sigaction(number, info, context);
	} else if (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN) {
		if (action.sa_handler == SIG_IGN && info->si_code <= 0)
			return;
		exec_next()->sigaction(number, &fallback, NULL);
		if (info->si_code <= 0)
			raise(number);
	} else {
		action.sa_handler(number);
	}
}

static void on_bus(int number, siginfo_t *info, void *context)
{
	int before = errno;

	if (info->si_code != BUS_ADRERR || !exec_hole_make((uintptr_t)info->si_addr))
		pass_on(number, info, context);
	errno = before;
}

static void on_kick(int number)
{
}

/* Take an unused real-time signal. KVM_RUN returns EINTR in spite of SA_RESTART. */
static void take_kick(void)
{
	struct sigaction action = { .sa_handler = on_kick, .sa_flags = SA_RESTART };
	struct sigaction there;

	for (int number = SIGRTMAX - 1; number >= SIGRTMIN; number--) {
		if (exec_next()->sigaction(number, NULL, &there) || there.sa_handler != SIG_DFL)
			continue;
		exec_next()->sigaction(number, &action, NULL);
		signals.kick = number;
		return;
	}
}

static void take(void)
{
	struct sigaction action = {
		.sa_sigaction = on_bus,
		.sa_flags = SA_SIGINFO | SA_ONSTACK,
	};

	sigfillset(&action.sa_mask);
	take_kick();
	if (exec_next()->sigaction(SIGBUS, &action, &signals.theirs))
		exec_say("cannot install the handler of SIGBUS: error %d", errno);
	__atomic_store_n(&signals.taken, true, __ATOMIC_RELEASE);
}

void exec_signals_take(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	sigset_t set;

	pthread_once(&once, take);
	sigemptyset(&set);
	sigaddset(&set, SIGBUS);
	if (signals.kick)
		sigaddset(&set, signals.kick);
	exec_next()->pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

int exec_signals_kick(void)
{
	return signals.kick;
}

bool exec_signals_action(int number, const struct sigaction *action, struct sigaction *old)
{
	struct sigaction new;
	sigset_t before;

	if (number != SIGBUS || !__atomic_load_n(&signals.taken, __ATOMIC_ACQUIRE))
		return false;
	if (action)
		new = *action;
	exec_spin_lock(&signals.lock, &before);
	if (old)
		*old = signals.theirs;
	if (action)
		signals.theirs = new;
	exec_spin_unlock(&signals.lock, &before);
	return true;
}

/*
 * Leave out SIGBUS even before it is taken, because QEMU blocks all signals in its threads,
 * and a thread inherits the mask of the one that starts it.
 */
const sigset_t *exec_signals_mask(int how, const sigset_t *set, sigset_t *allowed)
{
	if (!set || how == SIG_UNBLOCK)
		return set;
	*allowed = *set;
	sigdelset(allowed, SIGBUS);
	if (signals.kick)
		sigdelset(allowed, signals.kick);
	return allowed;
}
