// SPDX-License-Identifier: GPL-2.0
/* Sets up inherited descriptors, streams and signals of this process, and finds its files. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "../kvm/threads.h"
#include "command.h"

#define INSTALLED "../lib/gmem/"	/* relative to the folder of gmemctl */

/* process_end_when(): interval of its checks, and checks without output until it gives up */
#define TICK_US		500000
#define TICKS_IDLE	2

static bool (*is_over)(void);

/* Return: number of bytes written, fewer after an error, as fopencookie() requires. */
static ssize_t stream_write(void *cookie, const char *bytes, size_t size)
{
	static bool given_up[STDERR_FILENO + 1];
	int fd = (int)(intptr_t)cookie;
	unsigned int idle = 0;
	size_t done = 0;

	while (done < size && !given_up[fd]) {
		struct pollfd wait = { .fd = fd, .events = POLLOUT };
		ssize_t count = write(fd, bytes + done, size - done);

		if (count > 0) {
			done += (size_t)count;
			idle = 0;
		} else if (count < 0 && errno != EAGAIN && errno != EINTR) {
			break;
		}
		if (count < 0 && errno == EAGAIN && poll(&wait, 1, -1) >= 0)
			continue;
		/*
		 * A vCPU's thread that prints, such as with --trace, gets repeated signals when
		 * it has to stop. Then it must not wait for a reader that does not read.
		 */
		if (count < 0 && errno == EINTR && gettid() != getpid())
			break;
		if (count < 0 && errno == EINTR && is_over && is_over() && ++idle > TICKS_IDLE)
			given_up[fd] = true;
	}
	if (given_up[fd])
		errno = ETIME;
	return (ssize_t)done;
}

/* Return: a stream for @fd with this mode of buffering, or NULL. */
static FILE *stream_open(int fd, int buffering)
{
	static const cookie_io_functions_t functions = {
		.write = stream_write,
	};
	FILE *stream = fopencookie((void *)(intptr_t)fd, "w", functions);

	if (stream)
		setvbuf(stream, NULL, buffering, BUFSIZ);
	return stream;
}

int process_start(void)
{
	FILE *output, *errors;
	sigset_t set;
	int rc = 0;

	/*
	 * If a standard descriptor is closed, the next opened file would get its number, and
	 * the console would use that file. So open / with O_PATH in its place: reads and writes
	 * fail as with a closed descriptor. /dev/stdin fails, too, and is not an empty file.
	 */
	for (int i = 0; !rc && i < 3; i++)
		if (fcntl(i, F_GETFD) < 0 && open("/", O_PATH) != i)
			rc = -errno;
	/* Ignore SIGXFSZ, so that a write beyond `ulimit -f` returns EFBIG, which is reported. */
	signals_fault_set(&set);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	signal(SIGXFSZ, SIG_IGN);
	if (rc)
		return rc;
	/*
	 * Use streams that handle EAGAIN: another process that has the same open file can set
	 * O_NONBLOCK at any time.
	 */
	output = stream_open(STDOUT_FILENO, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF);
	errors = stream_open(STDERR_FILENO, _IONBF);
	if (!output || !errors)
		return -ENOMEM;
	stdout = output;
	stderr = errors;
	return 0;
}

static void tick(int number)
{
}

void process_end_when(bool (*over)(void))
{
	static const struct itimerval every = { { .tv_usec = TICK_US }, { .tv_usec = TICK_US } };
	/* Without SA_RESTART, so that the signal interrupts a write. */
	static const struct sigaction action = { .sa_handler = tick };
	sigset_t set;

	is_over = over;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigaction(SIGALRM, &action, NULL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
}

int process_find(const char *name, const char *built, char path[PATH_MAX], struct error *error)
{
	const char *const places[] = { built, INSTALLED };
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (length < 0)
		return error_set(error, -errno, "/proc/self/exe", "read", NULL);
	self[length] = '\0';
	slash = strrchr(self, '/');
	for (size_t i = 0; slash && i < sizeof(places) / sizeof(places[0]); i++) {
		if (snprintf(path, PATH_MAX, "%.*s/%s%s", (int)(slash - self), self,
			     places[i], name) < PATH_MAX && !access(path, R_OK))
			return 0;
	}
	return error_set(error, -ENOENT, name, "find",
			 "it is neither beside gmemctl nor in %s relative to it: is gmemctl "
			 "fully installed?", INSTALLED);
}
