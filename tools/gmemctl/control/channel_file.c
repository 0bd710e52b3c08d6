// SPDX-License-Identifier: GPL-2.0
/* A file that goes over a channel, and what comes of it. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "../kvm/files.h"
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

int channel_wait_result(int socket, struct error *error)
{
	struct error result = { .rc = 1 };
	ssize_t got;
	int rc = 0;

	do {
		got = recv(socket, &result, sizeof(result), MSG_WAITALL);
	} while (got < 0 && errno == EINTR);
	if (got == sizeof(result))
		rc = error_adopt(error, &result);
	if (rc || (got == sizeof(result) && !result.rc))
		return rc;
	return error_set(error, -EPIPE, "VM", "wait for the result",
			 "it has ended before it was done");
}
