// SPDX-License-Identifier: GPL-2.0
/* Handover of a guest's memory and state to another process: both sides. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../base/calls.h"
#include "../base/fdpass.h"
#include "../base/tlv.h"
#include "../gmem/gmem.h"
#include "handover.h"
#include "access.h"

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

#define ACTION "hand over private pages"

/**
 * struct gift - a guest that is being handed over
 * @runs: its private pages
 * @unbound: number of backings that were unbound from the store
 * @sent: the files were sent, so the taker may have bound them to its own store
 */
struct gift {
	struct guest_memory *memory;
	const struct tlv *state;
	struct private_runs runs;
	unsigned int unbound;
	bool sent;
	struct error *error;
};

/* Write the description to a memfd, because it may be too large for one message. */
static int describe(uint8_t *description, size_t size, const struct tlv *state)
{
	struct iovec parts[] = { { description, size }, { state->bytes, state->size } };
	int fd = memfd_create("handover", MFD_CLOEXEC);
	ssize_t written;
	int rc;

	if (fd < 0)
		return -errno;
	written = writev(fd, parts, 2);
	if (written == (ssize_t)(size + state->size))
		return fd;
	rc = written < 0 ? -errno : -ENOMEM;
	close(fd);
	return rc;
}

/* With a timeout: if the other process hangs, the guest must not stay stopped. */
static int receive_within_time(int socket, void *bytes, size_t size)
{
	int rc = files_timeout(socket, HANDOVER_TIMEOUT_S * 1000);
	ssize_t got;

	if (rc)
		return rc;
	do {
		got = recv(socket, bytes, size, MSG_WAITALL);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return (size_t)got == size ? 0 : -EPIPE;
}

/* Return: the taker's answer, or an error if there is none. */
static int handover_wait(int socket, struct error *error)
{
	const char *hint = "the guest can go on here";
	int32_t answer = 0;
	int rc = receive_within_time(socket, &answer, sizeof(answer));

	if (rc == -EPIPE)
		hint = "it disconnected without an answer: the guest can go on here";
	if (!rc && (answer > 0 || answer < -4095)) {
		rc = -EBADMSG;
		hint = "its answer is malformed";
	}
	if (rc)
		return error_set(error, rc, OBJECT, "wait for the other process", "%s",
				 hint);
	return answer ? error_set(error, answer, OBJECT, "give",
				  "the other process could not create the guest: see its messages; "
				  "the guest can go on here") : 0;
}

/* Return: 0 if the message was sent; -EPIPE if the taker has ended. */
static int send_verdict(int socket, bool go)
{
	uint32_t verdict = go ? GO : CANCEL;

	return files_send(socket, &verdict, sizeof(verdict), NULL);
}

/*
 * After a timeout a "go" may still arrive, and the giver ends after it has sent that. After
 * shutdown() the giver cannot send it any more, so either it is here or it never comes.
 */
static int receive_late(int socket, uint32_t *verdict, int rc)
{
	if (shutdown(socket, SHUT_RD) ||
	    recv(socket, verdict, sizeof(*verdict), MSG_DONTWAIT) !=
	    sizeof(*verdict))
		return rc;
	return 0;
}

/*
 * Wait for the giver's decision. A giver that has died runs no vCPU, so the taker may go on.
 *
 * Return: 0 for "go", or if the giver has died; -ECANCELED; -ETIMEDOUT.
 */
static int wait_verdict(int socket, struct error *error)
{
	uint32_t verdict = 0;
	int rc = receive_within_time(socket, &verdict, sizeof(verdict));

	if (rc && rc != -EPIPE && rc != -ECONNRESET)
		rc = receive_late(socket, &verdict, rc);
	if (rc == -EPIPE || rc == -ECONNRESET || (!rc && verdict == GO))
		return 0;
	if (rc)
		return error_set(error, rc, OBJECT, "wait for the decision of the other process",
				 "the guest was not started here");
	return error_set(error, verdict == CANCEL ? -ECANCELED : -EBADMSG, OBJECT,
			 "take the guest",
			 "the other process has cancelled, and continues the guest");
}

static int receive_message(int socket, struct message *message,
			   struct files *files)
{
	bool gift, refusal;
	int rc;

	files_timeout(socket, HANDOVER_TIMEOUT_S * 1000);
	rc = files_receive(socket, message, sizeof(*message), FDS_MAX, files);
	if (rc)
		return rc;
	gift = !message->rc && files->count > 1 && message->size &&
	       message->size <= DESCRIPTION_SIZE_MAX &&
	       message->state_size <= TLV_SIZE_MAX;
	refusal = message->rc < 0 && message->rc >= -4095 && !files->count &&
		  message->size <= HANDOVER_TEXT_MAX;
	if (message->magic == MAGIC && (gift || refusal))
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

/* The file may be shorter than the giver says, or may be truncated at any time. */
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

int handover_check(const struct guest_memory *memory, struct error *error)
{
	static const char *const hints[BACKING_KINDS] = {
		[BACKING_PRIVATE]	= "it is not a file: use kind=shared",
		[BACKING_HUGETLB]	= "hugepages are incompatible with existing memory "
					  "backing: use kind=shared",
		[BACKING_GUEST_MEMFD]	= "a guest_memfd belongs to its VM: use "
					  "kind=gmem-store",
	};
	char action[64];

	for (unsigned int i = 0; i < memory->nr_backings; i++) {
		enum backing_kind kind = memory->backings[i].request->kind;

		if (!hints[kind])
			continue;
		snprintf(action, sizeof(action), "hand over memory of kind %s",
			 backing_kind_name(kind));
		return error_set(error, -EOPNOTSUPP, "guest memory", action, "%s",
				 hints[kind]);
	}
	return 0;
}

/* Unbind a backing from the store, since a page of gmem has one store at a time. */
static int unbind(const struct backing *backing)
{
	if (backing->request->kind != BACKING_GMEM_STORE)
		return 0;
	return gmem_unbind(backing->fd, 0, backing->size);
}

static int unbind_all(struct gift *gift)
{
	struct guest_memory *memory = gift->memory;
	int rc = 0;

	for (; gift->unbound < memory->nr_backings; gift->unbound++) {
		rc = unbind(&memory->backings[gift->unbound]);
		if (rc)
			return error_set(gift->error, rc, "gmem fd",
					 "GMEM_IOCTL_UNBIND", NULL);
	}
	return 0;
}

/*
 * Undo a handover. Errors are ignored, since nothing can be done about them: pages that stay
 * shared are recorded as shared.
 */
static void take_back(struct gift *gift)
{
	struct guest_memory *memory = gift->memory;

	/*
	 * The taker may have bound the memory to its own store, and moved pages there. The
	 * binding stays even if the taker dies, so the conversion moves the pages back.
	 */
	for (uint32_t i = 0; gift->sent && i < gift->runs.count; i++)
		guest_memory_convert(memory, gift->runs.ranges[i], false, NULL, 0);
	for (unsigned int i = 0; gift->sent && i < memory->nr_backings; i++)
		unbind(&memory->backings[i]);
	while (gift->unbound)
		guest_memory_bind(memory, --gift->unbound, NULL);
	private_runs_restore(&gift->runs, memory, NULL);
}

static int send_all(struct gift *gift, int socket)
{
	const struct guest_memory *memory = gift->memory;
	struct message message = { .magic = MAGIC, .state_size = (uint32_t)gift->state->size };
	uint8_t *description;
	struct files files;
	size_t size;
	int rc;

	rc = description_encode(memory->config, gift->runs.ranges, gift->runs.count,
				&description, &size);
	if (rc)
		return error_set(gift->error, rc, "guest memory",
				 "describe for the handover",
				 "at most %d requests, and %d ranges",
				 DESCRIPTION_REQUESTS_MAX,
				 DESCRIPTION_RANGES_MAX);
	message.size = (uint32_t)size;
	files.fds[0] = describe(description, size, gift->state);
	free(description);
	if (files.fds[0] < 0)
		return error_set(gift->error, files.fds[0], OBJECT, "describe", NULL);
	for (files.count = 1; files.count <= memory->nr_backings; files.count++)
		files.fds[files.count] = memory->backings[files.count - 1].fd;
	rc = files_send(socket, &message, sizeof(message), &files);
	close(files.fds[0]);
	gift->sent = !rc;
	return rc ? error_set(gift->error, rc, OBJECT, "send",
			      "is the other process still there?") : 0;
}

/* If "go" cannot be sent the taker has ended, and does not run the guest. */
static int conclude(struct gift *gift, int socket)
{
	int rc = handover_wait(socket, gift->error);

	if (rc) {
		send_verdict(socket, false);
		return rc;
	}
	rc = send_verdict(socket, true);
	return rc ? error_set(gift->error, rc, OBJECT, "conclude",
			      "the other process has gone: the guest can go on "
			      "here") : 0;
}

static int give(struct gift *gift, int socket)
{
	int rc = handover_check(gift->memory, gift->error);

	if (!rc)
		rc = private_runs_find(&gift->runs, gift->memory, true, ACTION,
				       gift->error);
	if (!rc)
		rc = private_runs_share(&gift->runs, gift->memory, ACTION,
					gift->error);
	if (!rc)
		rc = unbind_all(gift);
	if (!rc)
		rc = send_all(gift, socket);
	return rc;
}

int handover_give(int socket, struct guest_memory *memory,
		  const struct tlv *state, struct error *error)
{
	struct error own;
	struct gift gift = { .memory = memory, .state = state,
			     .error = error ? error : &own };
	int rc = give(&gift, socket);

	if (rc)
		handover_refuse(socket, gift.error);
	else
		rc = conclude(&gift, socket);
	if (rc)
		take_back(&gift);
	private_runs_free(&gift.runs);
	return rc;
}

/* Send an error instead of a guest. */
void handover_refuse(int socket, const struct error *error)
{
	struct {
		struct message message;
		char text[HANDOVER_TEXT_MAX];
	} refusal = { .message = { .magic = MAGIC, .rc = error->rc } };

	snprintf(refusal.text, sizeof(refusal.text), "%s: %s%s%s", error->object,
		 error->action, error->hint[0] ? "; " : "", error->hint);
	refusal.message.size = (uint32_t)strlen(refusal.text);
	files_send(socket, &refusal, sizeof(refusal.message) + refusal.message.size, NULL);
}

/* Read description and state from @file. Its contents are not trusted. */
static int take(struct handover *out, const struct message *message, int file,
		struct error *error)
{
	struct description *description = &out->description;
	uint8_t *bytes;
	int rc = read_part(file, message->size, message->state_size, &out->state.bytes);

	if (!rc)
		rc = read_part(file, 0, message->size, &bytes);
	if (rc)
		return error_set(error, rc, OBJECT, "read the description", NULL);
	out->state.size = message->state_size;
	out->state.room = message->state_size;
	rc = description_decode(bytes, message->size, description, error);
	free(bytes);
	if (rc)
		return rc;
	if (!tlv_valid(out->state.bytes, out->state.size))
		return error_set(error, -EBADMSG, OBJECT, "take",
				 "the machine state is malformed");
	if (out->nr_fds != description->config.nr_requests)
		return error_set(error, -EBADMSG, OBJECT, "take",
				 "it describes %u memory requests, but has %u files",
				 description->config.nr_requests, out->nr_fds);
	for (unsigned int i = 0; i < out->nr_fds; i++)
		description->requests[i].existing_fd = out->fds[i];
	return 0;
}

int handover_take(int socket, struct handover *out, struct error *error)
{
	struct message message = { 0 };
	struct files files;
	int rc;

	memset(out, 0, sizeof(*out));
	rc = receive_message(socket, &message, &files);
	if (rc)
		return error_set(error, rc, OBJECT, "receive",
				 "expected a guest");
	if (message.rc)
		return receive_refusal(socket, &message, error);
	out->nr_fds = files.count - 1;
	memcpy(out->fds, &files.fds[1], out->nr_fds * sizeof(int));
	rc = take(out, &message, files.fds[0], error);
	close(files.fds[0]);
	if (rc)
		handover_close(out);
	return rc;
}

int handover_restore(const struct handover *handover,
		     struct guest_memory *memory, struct error *error)
{
	return private_runs_make(handover->description.private,
				 handover->description.nr_private, memory, error);
}

int handover_answer(int socket, int rc, struct error *error)
{
	int32_t answer = rc;
	int sent = files_send(socket, &answer, sizeof(answer), NULL);

	if (rc)
		return rc;
	/* If the giver has ended it does not run the guest. */
	if (sent && sent != -EPIPE && sent != -ECONNRESET)
		return error_set(error, sent, OBJECT, "answer", NULL);
	return wait_verdict(socket, error);
}

void handover_close(struct handover *handover)
{
	while (handover->nr_fds)
		calls->close(handover->fds[--handover->nr_fds]);
	tlv_free(&handover->state);
	description_free(&handover->description);
}
