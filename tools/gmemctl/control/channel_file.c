// SPDX-License-Identifier: GPL-2.0
/* A file that goes over a channel, and what comes of it. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "channel.h"

/* Whoever has asked for something with a file sends it at once. */
#define FILE_TIMEOUT_S 5

union control {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(sizeof(int))];
};

int channel_send_file(int socket, int fd)
{
	char byte = 0;
	struct iovec part = { &byte, 1 };
	union control control = { .bytes = { 0 } };
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&header);

	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(rights), &fd, sizeof(int));
	return sendmsg(socket, &header, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

/* The kernel closes what there is no room for: one fd at most comes. */
int channel_receive_file(int socket)
{
	struct timeval timeout = { .tv_sec = FILE_TIMEOUT_S };
	char byte;
	struct iovec part = { &byte, 1 };
	union control control;
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_LEN(sizeof(int)),
	};
	struct cmsghdr *rights;
	ssize_t got;
	int fd;

	setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	do {
		got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (!got)
		return -EPIPE;
	rights = CMSG_FIRSTHDR(&header);
	if (!rights || rights->cmsg_level != SOL_SOCKET ||
	    rights->cmsg_type != SCM_RIGHTS ||
	    rights->cmsg_len != CMSG_LEN(sizeof(int)))
		return -EBADMSG;
	memcpy(&fd, CMSG_DATA(rights), sizeof(int));
	return fd;
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

/* Of the other side's text, the ends are not taken for granted. */
int channel_wait_result(int socket, struct error *error)
{
	struct error result;
	ssize_t got;

	do {
		got = recv(socket, &result, sizeof(result), MSG_WAITALL);
	} while (got < 0 && errno == EINTR);
	if (got != sizeof(result) || result.rc > 0 || result.rc < -4095)
		return error_set(error, -EPIPE, "VM", "wait for the result",
				 "it has ended before it was done");
	if (!result.rc)
		return 0;
	result.object[sizeof(result.object) - 1] = '\0';
	result.action[sizeof(result.action) - 1] = '\0';
	result.hint[sizeof(result.hint) - 1] = '\0';
	return error_set(error, result.rc, result.object, result.action, "%s",
			 result.hint);
}
