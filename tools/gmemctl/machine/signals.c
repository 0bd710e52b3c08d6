// SPDX-License-Identifier: GPL-2.0
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "signals.h"

static const int end_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

/* A signal that is ignored is still reported by a signalfd. */
static bool is_ignored(int number)
{
	struct sigaction action;

	return !sigaction(number, NULL, &action) &&
	       action.sa_handler == SIG_IGN;
}

void signals_end_set(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < sizeof(end_signals) / sizeof(*end_signals); i++)
		if (!is_ignored(end_signals[i]))
			sigaddset(set, end_signals[i]);
}

void signals_fault_set(sigset_t *set)
{
	static const int faults[] = {
		SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP,
	};

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		sigaddset(set, faults[i]);
}

void signals_hold(struct signals_held *before)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;

	sigemptyset(&ignore.sa_mask);
	sigaction(SIGPIPE, &ignore, &before->pipe);
	signals_end_set(&set);
	/* A machine that is to end must not be stopped by its terminal. */
	sigaddset(&set, SIGTTOU);
	sigaddset(&set, SIGTTIN);
	pthread_sigmask(SIG_BLOCK, &set, &before->mask);
}

/* A machine that has ended has to be taken down in order, not by the signal. */
void signals_release(const struct signals_held *before)
{
	static const struct timespec now;
	sigset_t set;

	signals_end_set(&set);
	while (sigtimedwait(&set, NULL, &now) > 0)
		;
	pthread_sigmask(SIG_SETMASK, &before->mask, NULL);
	sigaction(SIGPIPE, &before->pipe, NULL);
}
