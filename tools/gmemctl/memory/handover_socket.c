// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "handover.h"
#include "handover_socket.h"

#define OBJECT	"handover"
#define MAGIC	0x4f484d47 /* "GMHO" */
#define FDS_MAX	(DESCRIPTION_REQUESTS_MAX + 1)

struct message {
	uint32_t magic;
	uint32_t size;
};

union control {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

/* The description can be larger than what a socket takes at once. */
static int describe(const uint8_t *bytes, size_t size)
{
	int fd = memfd_create("handover", MFD_CLOEXEC);
	size_t done = 0;

	if (fd < 0)
		return -errno;
	while (done < size) {
		ssize_t written = write(fd, bytes + done, size - done);

		if (written < 0) {
			int rc = -errno;

			close(fd);
			return rc;
		}
		done += (size_t)written;
	}
	return fd;
}

static int send_message(int socket, uint32_t size, const int *fds,
			unsigned int nr_fds)
{
	struct message message = { MAGIC, size };
	struct iovec part = { &message, sizeof(message) };
	union control control = { .bytes = { 0 } };
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(nr_fds * sizeof(int)),
	};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
	ssize_t sent;

	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(nr_fds * sizeof(int));
	memcpy(CMSG_DATA(rights), fds, nr_fds * sizeof(int));
	do {
		sent = sendmsg(socket, &header, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	return sent == sizeof(message) ? 0 : -EIO;
}

int handover_send(int socket, const uint8_t *bytes, size_t size, const int *fds,
		  unsigned int nr_fds, struct error *error)
{
	int all[FDS_MAX];
	int rc;

	if (nr_fds >= FDS_MAX)
		return error_set(error, -E2BIG, OBJECT, "send", NULL);
	all[0] = describe(bytes, size);
	if (all[0] < 0)
		return error_set(error, all[0], OBJECT, "describe", NULL);
	memcpy(&all[1], fds, nr_fds * sizeof(int));
	rc = send_message(socket, (uint32_t)size, all, nr_fds + 1);
	close(all[0]);
	if (rc)
		return error_set(error, rc, OBJECT, "send",
				 "is the other process still there?");
	return 0;
}

/* A taker that hangs must not keep the giver's guest stopped for good. */
int handover_wait(int socket, struct error *error)
{
	struct timeval timeout = { .tv_sec = HANDOVER_TIMEOUT_S };
	int32_t answer = 0;
	ssize_t got;

	if (setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout,
		       sizeof(timeout)))
		return error_set(error, -errno, OBJECT, "SO_RCVTIMEO", NULL);
	do {
		got = recv(socket, &answer, sizeof(answer), MSG_WAITALL);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return error_set(error, errno == EAGAIN ? -ETIMEDOUT : -errno,
				 OBJECT, "wait for the other process",
				 "the guest can go on here");
	if (got != sizeof(answer))
		return error_set(error, -EPIPE, OBJECT,
				 "wait for the other process",
				 "it has gone without an answer: the guest can "
				 "go on here");
	if (answer >= 0)
		return answer ? error_set(error, -EBADMSG, OBJECT,
					  "wait for the other process",
					  "its answer makes no sense") : 0;
	return error_set(error, answer > -4096 ? answer : -EBADMSG, OBJECT,
			 "give", "the other process could not build the memory: "
			 "see its messages; the guest can go on here");
}

int handover_answer(int socket, int rc)
{
	int32_t answer = rc;
	ssize_t sent;

	do {
		sent = send(socket, &answer, sizeof(answer), MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	return sent == sizeof(answer) ? 0 : -EIO;
}

static void close_all(const int *fds, unsigned int count)
{
	while (count--)
		close(fds[count]);
}

/* All fds that came, wherever in the control data. Return: how many. */
static unsigned int collect_fds(struct msghdr *header, int fds[FDS_MAX])
{
	struct cmsghdr *part;
	unsigned int count = 0;

	for (part = CMSG_FIRSTHDR(header); part;
	     part = CMSG_NXTHDR(header, part)) {
		size_t size = part->cmsg_len - CMSG_LEN(0);

		if (part->cmsg_level != SOL_SOCKET ||
		    part->cmsg_type != SCM_RIGHTS)
			continue;
		if (size > (FDS_MAX - count) * sizeof(int))
			size = (FDS_MAX - count) * sizeof(int);
		memcpy(&fds[count], CMSG_DATA(part), size);
		count += size / sizeof(int);
	}
	return count;
}

static int receive_message(int socket, struct message *message,
			   int fds[FDS_MAX], unsigned int *count)
{
	struct iovec part = { message, sizeof(*message) };
	union control control;
	/* Without the padding, in which one more fd would find room. */
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_LEN(FDS_MAX * sizeof(int)),
	};
	ssize_t got;

	do {
		got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	*count = collect_fds(&header, fds);
	if (got == sizeof(*message) && !(header.msg_flags & MSG_CTRUNC) &&
	    message->magic == MAGIC && *count > 1 && message->size &&
	    message->size <= DESCRIPTION_SIZE_MAX)
		return 0;
	close_all(fds, *count);
	return got ? -EBADMSG : -EPIPE;
}

/* The giver may have sent a file that is shorter, or gets shorter. */
static int read_description(int fd, size_t size, uint8_t **bytes)
{
	ssize_t got;

	*bytes = malloc(size);
	if (!*bytes)
		return -ENOMEM;
	got = pread(fd, *bytes, size, 0);
	if (got == (ssize_t)size)
		return 0;
	free(*bytes);
	*bytes = NULL;
	return got < 0 ? -errno : -EBADMSG;
}

int handover_receive(int socket, uint8_t **bytes, size_t *size, int *fds,
		     unsigned int *nr_fds, struct error *error)
{
	struct message message = { 0 };
	unsigned int count = 0;
	int all[FDS_MAX];
	int rc;

	rc = receive_message(socket, &message, all, &count);
	if (rc)
		return error_set(error, rc, OBJECT, "receive",
				 "expected the memory of a guest");
	rc = read_description(all[0], message.size, bytes);
	close(all[0]);
	if (rc) {
		close_all(&all[1], count - 1);
		return error_set(error, rc, OBJECT, "read the description",
				 NULL);
	}
	*size = message.size;
	*nr_fds = count - 1;
	memcpy(fds, &all[1], *nr_fds * sizeof(int));
	return 0;
}
