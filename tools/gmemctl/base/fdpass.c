// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "fdpass.h"

union control {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(FILES_MAX * sizeof(int))];
};

static void control_put(struct msghdr *header, union control *control,
			const struct files *files)
{
	size_t size = files->count * sizeof(int);
	struct cmsghdr *rights;

	header->msg_control = control;
	header->msg_controllen = CMSG_SPACE(size);
	rights = CMSG_FIRSTHDR(header);
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(rights), files->fds, size);
}

int files_send(int socket, const void *bytes, size_t size,
	       const struct files *files)
{
	struct iovec part = { (void *)bytes, size };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
	union control control = { .bytes = { 0 } };
	ssize_t sent;

	if (files && files->count)
		control_put(&header, &control, files);
	do {
		sent = sendmsg(socket, &header, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	return (size_t)sent == size ? 0 : -EIO;
}

/* Take the fds of all SCM_RIGHTS messages in the control data. */
static void control_take(struct msghdr *header, unsigned int max,
			 struct files *files)
{
	struct cmsghdr *part;

	for (part = CMSG_FIRSTHDR(header); part;
	     part = CMSG_NXTHDR(header, part)) {
		size_t size = part->cmsg_len - CMSG_LEN(0);

		if (part->cmsg_level != SOL_SOCKET ||
		    part->cmsg_type != SCM_RIGHTS)
			continue;
		if (size > (max - files->count) * sizeof(int))
			size = (max - files->count) * sizeof(int);
		memcpy(&files->fds[files->count], CMSG_DATA(part), size);
		files->count += size / sizeof(int);
	}
}

int files_receive(int socket, void *bytes, size_t size, unsigned int max,
		  struct files *files)
{
	struct iovec part = { bytes, size };
	union control control;
	/* CMSG_LEN has no padding. With CMSG_SPACE there could be room for one more fd. */
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = max ? &control : NULL,
		.msg_controllen = max ? CMSG_LEN(max * sizeof(int)) : 0,
	};
	ssize_t got;

	files->count = 0;
	do {
		got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	control_take(&header, max, files);
	if ((size_t)got == size && !(header.msg_flags & MSG_CTRUNC))
		return 0;
	files_close(files);
	return got ? -EBADMSG : -EPIPE;
}

int files_timeout(int socket, unsigned int ms)
{
	struct timeval timeout = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	return setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) ||
	       setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) ?
	       -errno : 0;
}

void files_close(struct files *files)
{
	while (files->count)
		close(files->fds[--files->count]);
}
