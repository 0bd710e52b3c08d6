// SPDX-License-Identifier: GPL-2.0
/* A socket to which a VM connects to answer a job, and the files that are sent over it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/fdpass.h"
#include "control.h"

#define SUFFIX ".job"

/* The process that has requested a job sends its file at once. */
#define FILE_TIMEOUT_S 5

int channel_listen(struct channel *channel, struct error *error)
{
	int rc = runtime_prepare(error);

	memset(channel, 0, sizeof(*channel));
	channel->fd = -1;
	if (rc)
		return rc;
	channel->lock_fd = runtime_lock_free("job", channel->name, error);
	if (channel->lock_fd < 0)
		return channel->lock_fd;
	rc = runtime_path(channel->name, SUFFIX, channel->path, error);
	if (!rc) {
		channel->fd = runtime_listen(channel->path, 1, error);
		rc = channel->fd < 0 ? channel->fd : 0;
	}
	if (rc)
		runtime_unlock(channel->name, channel->lock_fd);
	return rc;
}

void channel_close(struct channel *channel)
{
	if (channel->fd < 0)
		return;
	unlink(channel->path);
	close(channel->fd);
	runtime_unlock(channel->name, channel->lock_fd);
	channel->fd = -1;
}

int channel_accept(struct channel *channel, int timeout_ms, struct error *error)
{
	struct pollfd wait = { .fd = channel->fd, .events = POLLIN };
	int64_t end = clock_now_ms() + timeout_ms, left;

	while ((left = end - clock_now_ms()) > 0) {
		int fd;

		if (poll(&wait, 1, (int)left) <= 0)
			continue;
		fd = accept4(channel->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
			continue;
		/* Do not retry: the connection stays queued, so poll() would return at once. */
		if (fd < 0)
			return error_set(error, -errno, "VM", "accept its answer", NULL);
		if (runtime_peer_allowed(fd))
			return fd;
		close(fd);
	}
	return error_set(error, -ETIMEDOUT, "VM", "wait for its answer",
			 "it accepted the request, but did not answer in time: see its own output");
}

int channel_connect(const char *name, struct error *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char path[RUNTIME_PATH_MAX];
	int fd, rc = runtime_path(name, SUFFIX, path, error);

	if (rc)
		return rc;
	memcpy(address.sun_path, path, sizeof(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(error, -errno, "socket", "create", NULL);
	/*
	 * A blocking connect() would wait without a limit if the backlog is full and the
	 * listener does not accept. After connect() the socket may block.
	 */
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) ||
	    fcntl(fd, F_SETFL, 0))
		rc = -errno;
	if (rc)
		error_set(error, rc, path, "connect", rc == -EAGAIN ?
			  "it does not accept: is that process stopped?" :
			  "no process waits there for this VM");
	else if (!runtime_peer_allowed(fd))
		rc = error_set(error, -EPERM, path, "connect", "it belongs to another user");
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

int channel_send_file(int socket, int fd)
{
	struct files files = { .fds = { fd }, .count = 1 };
	char byte = 0;

	return files_send(socket, &byte, 1, &files);
}

int channel_receive_file(int socket)
{
	struct timeval timeout = { .tv_sec = FILE_TIMEOUT_S };
	struct files files;
	char byte;
	int rc;

	setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	rc = files_receive(socket, &byte, 1, 1, &files);
	if (rc)
		return rc;
	return files.count ? files.fds[0] : -EBADMSG;
}

/* Both sides use the same struct error. Another version has another size, and is refused. */
int channel_send_result(int socket, int rc, const struct error *error)
{
	struct error result = { 0 };
	ssize_t sent;

	if (rc)
		result = *error;
	result.rc = rc;
	sent = send(socket, &result, sizeof(result), MSG_NOSIGNAL);
	if (sent < 0)
		return -errno;
	return sent == sizeof(result) ? 0 : -EIO;
}

/* Return: 0 if @socket is readable or was closed by the other side. */
static int wait_readable(int socket, int cancel_fd, int timeout_ms)
{
	struct pollfd fds[] = {
		{ .fd = socket, .events = POLLIN },
		{ .fd = cancel_fd, .events = POLLIN },
	};
	int64_t end = clock_now_ms() + timeout_ms, left = -1;
	int rc;

	do {
		if (timeout_ms >= 0) {
			left = end - clock_now_ms();
			left = left < 0 ? 0 : left;
		}
		rc = poll(fds, 2, (int)left);
	} while (rc < 0 && errno == EINTR);
	if (rc < 0)
		return -errno;
	if (fds[0].revents)
		return 0;
	return rc ? -EINTR : -ETIMEDOUT;
}

/* Return: 0; -EPIPE if the other side has closed the socket before the end of the result. */
static int receive_result(int socket, struct error *result, int cancel_fd, int timeout_ms)
{
	size_t used = 0;

	while (used < sizeof(*result)) {
		int rc = wait_readable(socket, cancel_fd, timeout_ms);
		ssize_t got;

		if (rc)
			return rc;
		got = recv(socket, (char *)result + used, sizeof(*result) - used, MSG_DONTWAIT);
		if (!got || (got < 0 && errno == ECONNRESET))
			return -EPIPE;
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (got > 0)
			used += (size_t)got;
	}
	return 0;
}

int channel_wait_result(int socket, int cancel_fd, int timeout_ms, struct error *error)
{
	struct error result = { 0 };
	int rc = receive_result(socket, &result, cancel_fd, timeout_ms);

	if (rc)
		return error_set(error, rc, "other process", "wait for the result",
				 rc == -EPIPE ? "it has ended before it was done" : NULL);
	if (!result.rc)
		return 0;
	rc = error_adopt(error, &result);
	return rc ? rc : error_set(error, -EBADMSG, "other process", "wait for the result", NULL);
}
