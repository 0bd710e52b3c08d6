// SPDX-License-Identifier: GPL-2.0
#include <pthread.h>
#include <stddef.h>
#include <time.h>

#include "signals.h"

void signals_end_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGQUIT);
}

void signals_hold(struct signals_held *before)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;

	sigemptyset(&ignore.sa_mask);
	sigaction(SIGPIPE, &ignore, &before->pipe);
	sigaction(SIGXFSZ, &ignore, &before->size);
	signals_end_set(&set);
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
	sigaction(SIGXFSZ, &before->size, NULL);
}
