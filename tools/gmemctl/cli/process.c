// SPDX-License-Identifier: GPL-2.0
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
#include <unistd.h>

#include "../kvm/threads.h"
#include "process.h"

#define INSTALLED "../lib/gmem/"	/* from where gmemctl is installed */

/*
 * The next file that is opened would have the number of one that is closed, and
 * would be read by the console, or be written to. What stands in for it is as much
 * an error to use as a closed file; by the name /dev/stdin, too, it has no end that
 * would be taken for an empty file.
 */
static int descriptors_open(void)
{
	for (int i = 0; i < 3; i++)
		if (fcntl(i, F_GETFD) < 0 && open("/", O_PATH) != i)
			return -errno;
	return 0;
}

/* Beyond `ulimit -f` a write fails, which is said; the signal would say nothing. */
static void signals_start(void)
{
	sigset_t set;

	signals_fault_set(&set);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	signal(SIGXFSZ, SIG_IGN);
}

/*
 * The thread of a vCPU that prints, as a trace does, is sent a signal again and
 * again when it has to stop; then a reader who does not read must not keep it.
 */
static bool may_wait(void)
{
	return errno != EINTR || gettid() == getpid();
}

/* Return: as a stream of fopencookie() wants it: bytes, fewer if it has failed. */
static ssize_t stream_write(void *cookie, const char *bytes, size_t size)
{
	int fd = (int)(intptr_t)cookie;
	size_t done = 0;

	while (done < size) {
		struct pollfd wait = { .fd = fd, .events = POLLOUT };
		ssize_t count = write(fd, bytes + done, size - done);

		if (count > 0)
			done += (size_t)count;
		else if (count < 0 && errno != EAGAIN && errno != EINTR)
			break;
		if (count < 0 && errno == EAGAIN && poll(&wait, 1, -1) >= 0)
			continue;
		if (count < 0 && !may_wait())
			break;
	}
	return (ssize_t)done;
}

/* Return: a stream like @stream, buffered as that is, or NULL. */
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

/*
 * O_NONBLOCK is a property of the open file, which whoever has it too can set at
 * any time.
 */
static int streams_open(void)
{
	FILE *output = stream_open(STDOUT_FILENO, isatty(STDOUT_FILENO) ?
				   _IOLBF : _IOFBF);
	FILE *errors = stream_open(STDERR_FILENO, _IONBF);

	if (!output || !errors)
		return -ENOMEM;
	stdout = output;
	stderr = errors;
	return 0;
}

int process_start(void)
{
	int rc = descriptors_open();

	signals_start();
	return rc ? rc : streams_open();
}

int process_find(const char *name, const char *built, char path[PATH_MAX],
		 struct error *error)
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
			 "beside gmemctl, or in %s from there: is all of it "
			 "installed?", INSTALLED);
}
