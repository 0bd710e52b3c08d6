// SPDX-License-Identifier: GPL-2.0
/* A file that goes over a channel, and what comes of it. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include "../base/clock.h"
#include "../base/fdpass.h"
#include "channel.h"

/* Whoever has asked for something with a file sends it at once. */
#define FILE_TIMEOUT_S 5

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

/* Both sides are the same program, or refuse each other's size. */
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

/* Return: 0 if @socket is readable, or has hung up. */
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

/* Return: 0; -EPIPE if the other side has gone before it has said all of it. */
static int receive_result(int socket, struct error *result, int cancel_fd,
			  int timeout_ms)
{
	size_t used = 0;

	while (used < sizeof(*result)) {
		int rc = wait_readable(socket, cancel_fd, timeout_ms);
		ssize_t got;

		if (rc)
			return rc;
		got = recv(socket, (char *)result + used,
			   sizeof(*result) - used, MSG_DONTWAIT);
		if (!got || (got < 0 && errno == ECONNRESET))
			return -EPIPE;
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (got > 0)
			used += (size_t)got;
	}
	return 0;
}

int channel_wait_result(int socket, int cancel_fd, int timeout_ms,
			struct error *error)
{
	struct error result = { 0 };
	int rc = receive_result(socket, &result, cancel_fd, timeout_ms);

	if (rc)
		return error_set(error, rc, "other process",
				 "wait for the result", rc == -EPIPE ?
				 "it has ended before it was done" : NULL);
	if (!result.rc)
		return 0;
	rc = error_adopt(error, &result);
	return rc ? rc : error_set(error, -EBADMSG, "other process",
				   "wait for the result", NULL);
}
