// SPDX-License-Identifier: GPL-2.0
/* A child with a deadline, whose two outputs are read line by line. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

#define LINE_MAX_LEN	4000
#define KILL_WAIT_MS	20000
#define LINGER_MS	2000

struct stream {
	int fd;
	size_t len;
	char line[LINE_MAX_LEN + 1];
};

int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void stream_flush(struct stream *s, bool is_stderr, spawn_line_fn fn,
			 void *ctx)
{
	s->line[s->len] = '\0';
	s->len = 0;
	fn(ctx, is_stderr, s->line);
}

/* Read available output. A line that is too long is passed on in pieces. */
static void stream_read(struct stream *s, bool is_stderr, spawn_line_fn fn,
			void *ctx)
{
	char buf[4096];
	ssize_t n, i;

	n = read(s->fd, buf, sizeof(buf));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	for (i = 0; i < n; i++) {
		if (buf[i] != '\n')
			s->line[s->len++] = buf[i] ? buf[i] : '?';
		if (buf[i] == '\n' || s->len == LINE_MAX_LEN)
			stream_flush(s, is_stderr, fn, ctx);
	}
	if (n > 0)
		return;
	if (s->len)
		stream_flush(s, is_stderr, fn, ctx);
	close(s->fd);
	s->fd = -1;
}

static void child_exec(char *const argv[], int out, int err)
{
	int null = open("/dev/null", O_RDWR);

	setsid();
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	if (chdir("/tmp"))
		_exit(127);
	execv(argv[0], argv);
	_exit(127);
}

static pid_t child_start(char *const argv[], struct stream *s)
{
	int out[2], err[2];
	pid_t pid;

	if (pipe2(out, O_CLOEXEC))
		return -errno;
	if (pipe2(err, O_CLOEXEC)) {
		close(out[0]);
		close(out[1]);
		return -EMFILE;
	}
	pid = fork();
	if (!pid)
		child_exec(argv, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	s[0].fd = out[0];
	s[1].fd = err[0];
	return pid < 0 ? -EAGAIN : pid;
}

/* Reap all children, including orphans. Return: whether the child itself has ended. */
static bool child_reaped(pid_t child, int *status)
{
	bool gone = false;
	int st;
	pid_t pid;

	while ((pid = waitpid(-1, &st, WNOHANG)) > 0) {
		if (pid != child)
			continue;
		*status = st;
		gone = true;
	}
	return gone;
}

static void streams_poll(struct stream *s, int ms, spawn_line_fn fn, void *ctx)
{
	struct pollfd p[2] = {
		{ .fd = s[0].fd, .events = POLLIN },
		{ .fd = s[1].fd, .events = POLLIN },
	};
	int i;

	if (poll(p, 2, ms) <= 0)
		return;
	for (i = 0; i < 2; i++)
		if (p[i].revents)
			stream_read(&s[i], i, fn, ctx);
}

static void streams_close(struct stream *s, spawn_line_fn fn, void *ctx)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (s[i].fd < 0)
			continue;
		if (s[i].len)
			stream_flush(&s[i], i, fn, ctx);
		close(s[i].fd);
	}
}

/*
 * Run argv[0] until *deadline (see now_ms()), which fn() may change. Return: its wait
 * status, SPAWN_TIMED_OUT, or SPAWN_UNKILLABLE if even SIGKILL has not ended it.
 */
int spawn(char *const argv[], const int64_t *deadline, spawn_line_fn fn,
	  void *ctx)
{
	static struct stream s[2];
	int64_t linger;
	bool gone = false, killed = false;
	int status = 0;
	pid_t pid;

	memset(s, 0, sizeof(s));
	pid = child_start(argv, s);
	if (pid < 0)
		return 127 << 8;
	while (now_ms() < *deadline && !(gone && s[0].fd < 0 && s[1].fd < 0)) {
		streams_poll(s, 50, fn, ctx);
		if (!gone && child_reaped(pid, &status)) {
			/* A descendant may keep the pipes open; do not wait long. */
			gone = true;
			linger = now_ms() + LINGER_MS;
			deadline = &linger;
		}
		if (now_ms() < *deadline || gone || killed)
			continue;
		/* Print blocked tasks on the console. */
		file_write("/proc/sysrq-trigger", "w");
		kill(-pid, SIGKILL);
		killed = true;
		linger = now_ms() + KILL_WAIT_MS;
		deadline = &linger;
	}
	kill(-pid, SIGKILL);
	streams_close(s, fn, ctx);
	if (!gone)
		return SPAWN_UNKILLABLE;
	return killed ? SPAWN_TIMED_OUT : status;
}
