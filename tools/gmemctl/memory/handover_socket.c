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

#include "../kvm/records.h"
#include "handover_socket.h"

#define OBJECT	"handover"
#define MAGIC	0x324d4748 /* "HGM2" */
#define GO	0x204f4721 /* "!GO " */
#define CANCEL	0x204f4e21 /* "!NO " */
#define FDS_MAX	(DESCRIPTION_REQUESTS_MAX + 1)

struct message {
	uint32_t magic;
	uint32_t size;
	uint32_t state_size;
	int32_t rc;
};

union control {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

static int write_all(int fd, const uint8_t *bytes, size_t size)
{
	while (size) {
		ssize_t written = write(fd, bytes, size);

		if (written < 0)
			return -errno;
		bytes += written;
		size -= (size_t)written;
	}
	return 0;
}

/* What has to be said can be larger than what a socket takes at once. */
static int describe(const struct handover_parts *parts)
{
	int fd = memfd_create("handover", MFD_CLOEXEC);
	int rc;

	if (fd < 0)
		return -errno;
	rc = write_all(fd, parts->description, parts->description_size);
	if (!rc)
		rc = write_all(fd, parts->state, parts->state_size);
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

/* A whole message at once, which is small. Return: 0, or why not. */
static int send_bytes(int socket, const void *bytes, size_t size)
{
	ssize_t sent;

	do {
		sent = send(socket, bytes, size, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	return (size_t)sent == size ? 0 : -EIO;
}

/* One that hangs must not keep the guest stopped for good. */
static int receive_within_time(int socket, void *bytes, size_t size)
{
	struct timeval timeout = { .tv_sec = HANDOVER_TIMEOUT_S };
	ssize_t got;

	if (setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout,
		       sizeof(timeout)))
		return -errno;
	do {
		got = recv(socket, bytes, size, MSG_WAITALL);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return (size_t)got == size ? 0 : -EPIPE;
}

static int send_message(int socket, const struct message *message,
			const int *fds, unsigned int nr_fds)
{
	struct iovec part = { (void *)message, sizeof(*message) };
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
	return sent == sizeof(*message) ? 0 : -EIO;
}

int handover_send(int socket, const struct handover_parts *parts,
		  struct error *error)
{
	struct message message = {
		.magic = MAGIC,
		.size = (uint32_t)parts->description_size,
		.state_size = (uint32_t)parts->state_size,
	};
	int all[FDS_MAX];
	int rc;

	if (parts->nr_fds >= FDS_MAX || parts->state_size > RECORDS_SIZE_MAX)
		return error_set(error, -E2BIG, OBJECT, "send", NULL);
	all[0] = describe(parts);
	if (all[0] < 0)
		return error_set(error, all[0], OBJECT, "describe", NULL);
	memcpy(&all[1], parts->fds, parts->nr_fds * sizeof(int));
	rc = send_message(socket, &message, all, parts->nr_fds + 1);
	close(all[0]);
	if (rc)
		return error_set(error, rc, OBJECT, "send",
				 "is the other process still there?");
	return 0;
}

int handover_send_refusal(int socket, int rc, const char *text)
{
	uint8_t bytes[sizeof(struct message) + HANDOVER_TEXT_MAX];
	size_t size = strnlen(text, HANDOVER_TEXT_MAX);
	struct message message = { MAGIC, (uint32_t)size, 0, rc };

	memcpy(bytes, &message, sizeof(message));
	memcpy(bytes + sizeof(message), text, size);
	return send_bytes(socket, bytes, sizeof(message) + size);
}

int handover_wait(int socket, struct error *error)
{
	int32_t answer = 0;
	int rc = receive_within_time(socket, &answer, sizeof(answer));

	if (rc == -EPIPE)
		return error_set(error, rc, OBJECT, "wait for the other process",
				 "it has gone without an answer: the guest can "
				 "go on here");
	if (rc)
		return error_set(error, rc, OBJECT, "wait for the other process",
				 "the guest can go on here");
	if (answer > 0 || answer < -4095)
		return error_set(error, -EBADMSG, OBJECT,
				 "wait for the other process",
				 "its answer makes no sense");
	if (!answer)
		return 0;
	return error_set(error, answer, OBJECT, "give",
			 "the other process could not build the guest: see its "
			 "messages; the guest can go on here");
}

int handover_send_answer(int socket, int rc)
{
	int32_t answer = rc;

	return send_bytes(socket, &answer, sizeof(answer));
}

int handover_send_verdict(int socket, bool go)
{
	uint32_t verdict = go ? GO : CANCEL;

	return send_bytes(socket, &verdict, sizeof(verdict));
}

/* No vCPU of a process that has died runs any more. */
int handover_wait_verdict(int socket, struct error *error)
{
	uint32_t verdict = 0;
	int rc = receive_within_time(socket, &verdict, sizeof(verdict));

	if (rc == -EPIPE || rc == -ECONNRESET || (!rc && verdict == GO))
		return 0;
	if (rc)
		return error_set(error, rc, OBJECT, "wait for the giver's word",
				 "the guest does not run here");
	return error_set(error, verdict == CANCEL ? -ECANCELED : -EBADMSG, OBJECT,
			 "take the guest",
			 "the giver has taken it back, where it goes on");
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

/* Return: whether it is one that says what handover_send() would. */
static bool message_is_gift(const struct message *message, unsigned int count)
{
	return !message->rc && count > 1 && message->size &&
	       message->size <= DESCRIPTION_SIZE_MAX &&
	       message->state_size <= RECORDS_SIZE_MAX;
}

static bool message_is_refusal(const struct message *message,
			       unsigned int count)
{
	return message->rc < 0 && message->rc >= -4095 && !count &&
	       message->size <= HANDOVER_TEXT_MAX;
}

static int receive_message(int socket, struct message *message,
			   int fds[FDS_MAX], unsigned int *count)
{
	struct timeval timeout = { .tv_sec = HANDOVER_TIMEOUT_S };
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

	setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	do {
		got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	*count = collect_fds(&header, fds);
	if (got == sizeof(*message) && !(header.msg_flags & MSG_CTRUNC) &&
	    message->magic == MAGIC && (message_is_gift(message, *count) ||
					message_is_refusal(message, *count)))
		return 0;
	close_all(fds, *count);
	return got ? -EBADMSG : -EPIPE;
}

static int receive_refusal(int socket, const struct message *message,
			   struct error *error)
{
	char text[HANDOVER_TEXT_MAX + 1] = "";

	if (message->size &&
	    receive_within_time(socket, text, message->size))
		text[0] = '\0';
	return error_set(error, message->rc, "giver", "hand over the guest",
			 "%s", text);
}

/* The giver may have sent a file that is shorter, or gets shorter. */
static int read_part(int fd, size_t offset, size_t size, uint8_t **bytes)
{
	ssize_t got;

	*bytes = malloc(size ? size : 1);
	if (!*bytes)
		return -ENOMEM;
	got = pread(fd, *bytes, size, (off_t)offset);
	if (got == (ssize_t)size)
		return 0;
	free(*bytes);
	*bytes = NULL;
	return got < 0 ? -errno : -EBADMSG;
}

static int read_parts(int fd, const struct message *message,
		      struct handover_parts *parts)
{
	int rc;

	parts->description_size = message->size;
	parts->state_size = message->state_size;
	rc = read_part(fd, 0, message->size, &parts->description);
	if (rc)
		return rc;
	rc = read_part(fd, message->size, message->state_size, &parts->state);
	if (rc) {
		free(parts->description);
		parts->description = NULL;
	}
	return rc;
}

int handover_receive(int socket, struct handover_parts *parts,
		     struct error *error)
{
	struct message message = { 0 };
	unsigned int count = 0;
	int all[FDS_MAX];
	int rc;

	memset(parts, 0, sizeof(*parts));
	rc = receive_message(socket, &message, all, &count);
	if (rc)
		return error_set(error, rc, OBJECT, "receive",
				 "expected a guest");
	if (message.rc)
		return receive_refusal(socket, &message, error);
	rc = read_parts(all[0], &message, parts);
	close(all[0]);
	if (rc) {
		close_all(&all[1], count - 1);
		return error_set(error, rc, OBJECT, "read the description",
				 NULL);
	}
	parts->nr_fds = count - 1;
	memcpy(parts->fds, &all[1], parts->nr_fds * sizeof(int));
	return 0;
}
