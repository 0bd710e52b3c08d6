// SPDX-License-Identifier: GPL-2.0
/* The meaning of a handover; how it gets across is in handover_socket.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "handover.h"
#include "handover_socket.h"
#include "private_runs.h"

#define ACTION "hand over private pages"

/**
 * struct gift - a guest being given away
 * @runs: its private pages
 * @unbound: how many backings have been taken from the store
 * @sent: the taker may have bound them to its own
 */
struct gift {
	struct guest_memory *memory;
	const struct tlv *state;
	struct private_runs runs;
	unsigned int unbound;
	bool sent;
	struct error *error;
};

static int check_kind(enum backing_kind kind, struct error *error)
{
	const char *hint;
	char action[64];

	switch (kind) {
	case BACKING_PRIVATE:
		hint = "it is no file: use kind=shared";
		break;
	case BACKING_HUGETLB:
		hint = "hugepages are incompatible with existing memory "
		       "backing: use kind=shared";
		break;
	case BACKING_GUEST_MEMFD:
		hint = "a guest_memfd belongs to its VM: use kind=gmem-store";
		break;
	default:
		return 0;
	}
	snprintf(action, sizeof(action), "hand over memory of kind %s",
		 backing_kind_name(kind));
	return error_set(error, -EOPNOTSUPP, "guest memory", action, "%s", hint);
}

int handover_check(const struct guest_memory *memory, struct error *error)
{
	int rc = 0;

	for (unsigned int i = 0; !rc && i < memory->nr_backings; i++)
		rc = check_kind(memory->backings[i].request->kind, error);
	return rc;
}

/* A page of gmem has one store at a time. */
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
 * The taker may have bound the memory to its own store, and moved pages there.
 * That binding outlives even its death: through it the pages come back.
 */
static void take_from_taker(struct gift *gift)
{
	struct guest_memory *memory = gift->memory;

	for (uint32_t i = 0; i < gift->runs.count; i++)
		guest_memory_convert(memory, gift->runs.ranges[i], false, NULL,
				     0);
	for (unsigned int i = 0; i < memory->nr_backings; i++)
		unbind(&memory->backings[i]);
}

/*
 * Nothing more can be done about a failure here than to go on: what stays shared
 * is recorded as shared, and the guest is told nothing wrong.
 */
static void take_back(struct gift *gift)
{
	if (gift->sent)
		take_from_taker(gift);
	while (gift->unbound)
		guest_memory_bind(gift->memory, --gift->unbound, NULL);
	private_runs_restore(&gift->runs, gift->memory, NULL);
}

static int send_all(struct gift *gift, int socket)
{
	const struct guest_memory *memory = gift->memory;
	struct handover_parts parts = {
		.state = gift->state->bytes,
		.state_size = gift->state->size,
		.nr_fds = memory->nr_backings,
	};
	int rc;

	rc = description_encode(memory->config, gift->runs.ranges,
				gift->runs.count, &parts.description,
				&parts.description_size);
	if (rc)
		return error_set(gift->error, rc, "guest memory",
				 "describe for the handover",
				 "at most %d requests, and %d ranges",
				 DESCRIPTION_REQUESTS_MAX,
				 DESCRIPTION_RANGES_MAX);
	for (unsigned int i = 0; i < memory->nr_backings; i++)
		parts.fds[i] = memory->backings[i].fd;
	rc = handover_send(socket, &parts, gift->error);
	gift->sent = !rc;
	free(parts.description);
	return rc;
}

/* A taker that cannot hear "go" any more has gone, and will not run the guest. */
static int conclude(struct gift *gift, int socket)
{
	int rc = handover_wait(socket, gift->error);

	if (rc) {
		handover_send_verdict(socket, false);
		return rc;
	}
	rc = handover_send_verdict(socket, true);
	return rc ? error_set(gift->error, rc, "handover", "conclude",
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

void handover_refuse(int socket, const struct error *error)
{
	char text[HANDOVER_TEXT_MAX];

	snprintf(text, sizeof(text), "%s: %s%s%s", error->object, error->action,
		 error->hint[0] ? "; " : "", error->hint);
	handover_send_refusal(socket, error->rc, text);
}

/* Take over what was received. */
static int adopt(struct handover *out, struct handover_parts *parts,
		 struct error *error)
{
	struct description *description = &out->description;
	int rc;

	out->state = (struct tlv){ .bytes = parts->state,
				       .size = parts->state_size,
				       .room = parts->state_size };
	out->nr_fds = parts->nr_fds;
	memcpy(out->fds, parts->fds, sizeof(out->fds));
	rc = description_decode(parts->description, parts->description_size,
				description, error);
	if (rc)
		return rc;
	if (!tlv_valid(out->state.bytes, out->state.size))
		return error_set(error, -EBADMSG, "handover", "take",
				 "the state of the machine is none");
	if (out->nr_fds != description->config.nr_requests)
		return error_set(error, -EBADMSG, "handover", "take",
				 "%u requests with %u files",
				 description->config.nr_requests, out->nr_fds);
	for (unsigned int i = 0; i < out->nr_fds; i++)
		description->requests[i].existing_fd = out->fds[i];
	return 0;
}

int handover_take(int socket, struct handover *out, struct error *error)
{
	struct handover_parts parts;
	int rc;

	memset(out, 0, sizeof(*out));
	rc = handover_receive(socket, &parts, error);
	if (rc)
		return rc;
	rc = adopt(out, &parts, error);
	free(parts.description);
	if (rc)
		handover_close(out);
	return rc;
}

int handover_restore(const struct handover *handover,
		     struct guest_memory *memory, struct error *error)
{
	const struct description *description = &handover->description;
	char why[256] = "";
	int rc = 0;

	for (uint32_t i = 0; !rc && i < description->nr_private; i++)
		rc = guest_memory_convert(memory, description->private[i], true,
					  why, sizeof(why));
	if (rc)
		return error_set(error, rc, "guest memory",
				 "make private what was private", "%s", why);
	return 0;
}

int handover_answer(int socket, int rc, struct error *error)
{
	int sent = handover_send_answer(socket, rc);

	if (rc)
		return rc;
	/* A giver that has gone cannot run the guest. */
	if (sent && sent != -EPIPE && sent != -ECONNRESET)
		return error_set(error, sent, "handover", "answer", NULL);
	return handover_wait_verdict(socket, error);
}

void handover_close(struct handover *handover)
{
	while (handover->nr_fds)
		calls->close(handover->fds[--handover->nr_fds]);
	tlv_free(&handover->state);
	description_free(&handover->description);
}
