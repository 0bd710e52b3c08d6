// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "terminal.h"

/* For the handlers, which have no argument of their own. */
static struct termios saved, raw;
static int raw_fd = -1;
static struct sigaction old_actions[NSIG];

/*
 * A job in the background that sets a terminal is stopped by SIGTTOU, unless it
 * has that blocked, as signals_hold() and the handlers have.
 */
static bool in_foreground(int fd)
{
	pid_t group = tcgetpgrp(fd);

	/* A terminal that is not the controlling one is nobody else's. */
	return group < 0 || group == getpgrp();
}

/* Whether it is as terminal_raw() has set it; c_cflag is the driver's to adapt. */
static bool is_raw(int fd)
{
	struct termios now;

	return !tcgetattr(fd, &now) && now.c_iflag == raw.c_iflag &&
	       now.c_oflag == raw.c_oflag && now.c_lflag == raw.c_lflag;
}

/*
 * In the background it is put back only if nobody has changed it since: a shell
 * that has taken it has set it to its own liking. Async-signal-safe.
 */
static void put_back(int fd)
{
	if (in_foreground(fd) || is_raw(fd))
		tcsetattr(fd, TCSANOW, &saved);
}

/*
 * The action was reset when this was entered, so raising it ends the process, as
 * it would have without the terminal.
 */
static void fatal_handler(int number)
{
	int fd = raw_fd;

	if (fd >= 0)
		put_back(fd);
	raise(number);
}

/* A shell has had the terminal while this process was stopped. */
static void continue_handler(int number)
{
	int fd = raw_fd, code = errno;

	(void)number;
	if (fd >= 0 && in_foreground(fd))
		tcsetattr(fd, TCSANOW, &raw);
	errno = code;
}

/* Whether the default action of a signal is another than to end the process */
static bool is_harmless(int number)
{
	switch (number) {
	case SIGCHLD:
	case SIGCONT:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
	case SIGURG:
	case SIGWINCH:
		return true;
	default:
		return false;
	}
}

/*
 * All signals up to the last real-time one; what somebody handles, or has had
 * ignored, stays so. SIGKILL, SIGSTOP and the C library's own cannot be set.
 */
static void signals_take(void)
{
	struct sigaction action = {
		.sa_handler = fatal_handler,
		.sa_flags = SA_RESETHAND | SA_NODEFER,
	};
	struct sigaction go_on = {
		.sa_handler = continue_handler,
		.sa_flags = SA_RESTART,
	};

	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGTTOU);
	go_on.sa_mask = action.sa_mask;
	for (int i = 1; i < NSIG; i++) {
		if (sigaction(i, NULL, &old_actions[i]))
			continue;
		if (i == SIGCONT)
			sigaction(i, &go_on, NULL);
		else if (!is_harmless(i) &&
			 old_actions[i].sa_handler == SIG_DFL)
			sigaction(i, &action, NULL);
	}
}

static void signals_restore(void)
{
	for (int i = 1; i < NSIG; i++)
		if (i == SIGCONT || !is_harmless(i))
			sigaction(i, &old_actions[i], NULL);
}

int terminal_raw(int fd)
{
	int rc;

	if (raw_fd >= 0)
		return -EBUSY;
	if (!isatty(fd))
		return 0;
	if (tcgetattr(fd, &saved))
		return -errno;
	raw = saved;
	cfmakeraw(&raw);
	/* The output is for other writers of this terminal, too. */
	raw.c_oflag |= OPOST | ONLCR;
	signals_take();
	raw_fd = fd;
	if (!in_foreground(fd) || !tcsetattr(fd, TCSANOW, &raw))
		return 0;
	rc = -errno;
	raw_fd = -1;
	signals_restore();
	return rc;
}

bool terminal_is_raw(void)
{
	return raw_fd >= 0;
}

bool terminal_take(void)
{
	int fd = raw_fd;

	if (fd < 0)
		return true;
	if (!in_foreground(fd))
		return false;
	if (!is_raw(fd))
		tcsetattr(fd, TCSANOW, &raw);
	return true;
}

void terminal_restore(void)
{
	sigset_t stop, before;

	if (raw_fd < 0)
		return;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &stop, &before);
	put_back(raw_fd);
	raw_fd = -1;
	signals_restore();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}
