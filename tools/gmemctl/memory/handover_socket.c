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

#include "../base/fdpass.h"
#include "../base/tlv.h"
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

int handover_send(int socket, const struct handover_parts *parts,
		  struct error *error)
{
	struct message message = {
		.magic = MAGIC,
		.size = (uint32_t)parts->description_size,
		.state_size = (uint32_t)parts->state_size,
	};
	struct files files;
	int rc;

	if (parts->nr_fds >= FDS_MAX || parts->state_size > TLV_SIZE_MAX)
		return error_set(error, -E2BIG, OBJECT, "send", NULL);
	files.fds[0] = describe(parts);
	if (files.fds[0] < 0)
		return error_set(error, files.fds[0], OBJECT, "describe", NULL);
	memcpy(&files.fds[1], parts->fds, parts->nr_fds * sizeof(int));
	files.count = parts->nr_fds + 1;
	rc = files_send(socket, &message, sizeof(message), &files);
	close(files.fds[0]);
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
	return files_send(socket, bytes, sizeof(message) + size, NULL);
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

	return files_send(socket, &answer, sizeof(answer), NULL);
}

int handover_send_verdict(int socket, bool go)
{
	uint32_t verdict = go ? GO : CANCEL;

	return files_send(socket, &verdict, sizeof(verdict), NULL);
}

/*
 * One who does not wait any longer must not miss a "go" that comes just now: the
 * giver would end. It cannot be sent from here on, or is there.
 */
static int receive_late(int socket, uint32_t *verdict, int rc)
{
	if (shutdown(socket, SHUT_RD) ||
	    recv(socket, verdict, sizeof(*verdict), MSG_DONTWAIT) !=
	    sizeof(*verdict))
		return rc;
	return 0;
}

/* No vCPU of a process that has died runs any more. */
int handover_wait_verdict(int socket, struct error *error)
{
	uint32_t verdict = 0;
	int rc = receive_within_time(socket, &verdict, sizeof(verdict));

	if (rc && rc != -EPIPE && rc != -ECONNRESET)
		rc = receive_late(socket, &verdict, rc);
	if (rc == -EPIPE || rc == -ECONNRESET || (!rc && verdict == GO))
		return 0;
	if (rc)
		return error_set(error, rc, OBJECT, "wait for the giver's word",
				 "the guest does not run here");
	return error_set(error, verdict == CANCEL ? -ECANCELED : -EBADMSG, OBJECT,
			 "take the guest",
			 "the giver has taken it back, where it goes on");
}

/* Return: whether it is one that says what handover_send() would. */
static bool message_is_gift(const struct message *message, unsigned int count)
{
	return !message->rc && count > 1 && message->size &&
	       message->size <= DESCRIPTION_SIZE_MAX &&
	       message->state_size <= TLV_SIZE_MAX;
}

static bool message_is_refusal(const struct message *message,
			       unsigned int count)
{
	return message->rc < 0 && message->rc >= -4095 && !count &&
	       message->size <= HANDOVER_TEXT_MAX;
}

static int receive_message(int socket, struct message *message,
			   struct files *files)
{
	struct timeval timeout = { .tv_sec = HANDOVER_TIMEOUT_S };
	int rc;

	setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	rc = files_receive(socket, message, sizeof(*message), FDS_MAX, files);
	if (rc)
		return rc;
	if (message->magic == MAGIC &&
	    (message_is_gift(message, files->count) ||
	     message_is_refusal(message, files->count)))
		return 0;
	files_close(files);
	return -EBADMSG;
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
	struct files files;
	int rc;

	memset(parts, 0, sizeof(*parts));
	rc = receive_message(socket, &message, &files);
	if (rc)
		return error_set(error, rc, OBJECT, "receive",
				 "expected a guest");
	if (message.rc)
		return receive_refusal(socket, &message, error);
	rc = read_parts(files.fds[0], &message, parts);
	if (rc) {
		files_close(&files);
		return error_set(error, rc, OBJECT, "read the description",
				 NULL);
	}
	close(files.fds[0]);
	parts->nr_fds = files.count - 1;
	memcpy(parts->fds, &files.fds[1], parts->nr_fds * sizeof(int));
	return 0;
}
