// SPDX-License-Identifier: GPL-2.0
/* What this process has inherited, made fit for use; and where it lies. */
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

#define INSTALLED "../lib/gmem/"	/* from where gmemctl is installed */

/* Of process_end_when(): how often it looks, and how often no byte may have gone then */
#define TICK_US		500000
#define TICKS_IDLE	2

static bool (*is_over)(void);

/* Return: as a stream of fopencookie() wants it: bytes, fewer if it has failed. */
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
		 * The thread of a vCPU that prints, as a trace does, is sent a signal again
		 * and again when it has to stop; then a reader who does not read must not
		 * keep it.
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

int process_start(void)
{
	FILE *output, *errors;
	sigset_t set;
	int rc = 0;

	/*
	 * The next file that is opened would have the number of one that is closed, and
	 * would be read by the console, or be written to. What stands in for it is as much
	 * an error to use as a closed file; by the name /dev/stdin, too, it has no end that
	 * would be taken for an empty file.
	 */
	for (int i = 0; !rc && i < 3; i++)
		if (fcntl(i, F_GETFD) < 0 && open("/", O_PATH) != i)
			rc = -errno;
	/* Beyond `ulimit -f` a write fails, which is said; the signal would say nothing. */
	signals_fault_set(&set);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	signal(SIGXFSZ, SIG_IGN);
	if (rc)
		return rc;
	/*
	 * O_NONBLOCK is a property of the open file, which whoever has it too can set at
	 * any time.
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
	/* Without SA_RESTART: it is to interrupt a write. */
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
			 "beside gmemctl, or in %s from there: is all of it "
			 "installed?", INSTALLED);
}
