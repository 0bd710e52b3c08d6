// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <termios.h>
#include <unistd.h>

#include "terminal.h"

/*
 * Signals that end the process at once. Those that ask it to end are waited for
 * where the machine runs.
 */
static const int fatal_signals[] = {
	SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS,
};

#define FATAL_SIGNALS (sizeof(fatal_signals) / sizeof(fatal_signals[0]))

/* For the handler, which has no argument of its own. */
static struct termios saved;
static int raw_fd = -1;
static struct sigaction old_actions[FATAL_SIGNALS];

/* The action was reset when this was entered, so raising it ends the process. */
static void fatal_handler(int number)
{
	int fd = raw_fd;

	if (fd >= 0)
		tcsetattr(fd, TCSANOW, &saved);
	raise(number);
}

static void signals_take(void)
{
	struct sigaction action = {
		.sa_handler = fatal_handler,
		.sa_flags = SA_RESETHAND | SA_NODEFER,
	};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < FATAL_SIGNALS; i++)
		sigaction(fatal_signals[i], &action, &old_actions[i]);
}

static void signals_restore(void)
{
	for (size_t i = 0; i < FATAL_SIGNALS; i++)
		sigaction(fatal_signals[i], &old_actions[i], NULL);
}

int terminal_raw(int fd)
{
	struct termios raw;
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
	if (!tcsetattr(fd, TCSANOW, &raw))
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

void terminal_restore(void)
{
	if (raw_fd < 0)
		return;
	tcsetattr(raw_fd, TCSANOW, &saved);
	raw_fd = -1;
	signals_restore();
}
