// SPDX-License-Identifier: GPL-2.0
/* The meaning of a handover; how it gets across is in handover_socket.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../gmem/gmem.h"
#include "../kvm/calls.h"
#include "handover.h"
#include "handover_socket.h"

/**
 * struct gift - memory being given away
 * @private: ranges that are private, @nr_private of them
 * @shared: how many of them have been converted
 * @unbound: how many backings have been taken from the store
 */
struct gift {
	struct guest_memory *memory;
	struct range *private;
	uint32_t nr_private;
	uint32_t shared;
	unsigned int unbound;
	struct error *error;
};

static int refuse(struct gift *gift, const char *action, const char *hint)
{
	return error_set(gift->error, -EOPNOTSUPP, "guest memory", action, "%s",
			 hint);
}

static int check_kind(struct gift *gift, enum backing_kind kind)
{
	switch (kind) {
	case BACKING_PRIVATE:
		return refuse(gift, "hand over memory of kind private",
			      "it is no file: use kind=shared");
	case BACKING_HUGETLB:
		return refuse(gift, "hand over memory of kind hugetlb",
			      "hugepages are incompatible with existing memory "
			      "backing: use kind=shared");
	case BACKING_GUEST_MEMFD:
		return refuse(gift, "hand over memory of kind guest-memfd",
			      "a guest_memfd belongs to its VM: use "
			      "kind=gmem-store");
	default:
		return 0;
	}
}

static int add_private(struct gift *gift, struct range range)
{
	struct range *ranges;

	ranges = reallocarray(gift->private, gift->nr_private + 1,
			      sizeof(*ranges));
	if (!ranges)
		return error_set(gift->error, -ENOMEM, "guest memory",
				 "hand over", NULL);
	gift->private = ranges;
	ranges[gift->nr_private++] = range;
	return 0;
}

/* The private runs of one range of RAM. */
static int find_private(struct gift *gift, const struct layout_range *ram)
{
	const uint8_t *state = gift->memory->memfd.private +
			       ram->offset / RANGE_PAGE_SIZE;
	uint64_t pages = range_size(ram->range) / RANGE_PAGE_SIZE;
	uint64_t page = 0;
	int rc = 0;

	while (!rc && page < pages) {
		uint64_t start = page;

		while (page < pages && state[page])
			page++;
		if (page == start)
			page++;
		else
			rc = add_private(gift, (struct range){
				ram->range.start + start * RANGE_PAGE_SIZE,
				ram->range.start + page * RANGE_PAGE_SIZE });
	}
	return rc;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *first = a, *second = b;

	return first->start < second->start ? -1 : first->start > second->start;
}

static int find_all_private(struct gift *gift)
{
	const struct guest_memfd *memfd = &gift->memory->memfd;
	int rc = 0;

	if (memfd->fd < 0)
		return 0;
	for (unsigned int i = 0; !rc && i < memfd->layout.nr_ranges; i++)
		rc = find_private(gift, &memfd->layout.ranges[i]);
	/* Requests may come in any order, the description is in order. */
	if (gift->nr_private)
		qsort(gift->private, gift->nr_private, sizeof(struct range),
		      compare_ranges);
	return rc;
}

static int check(struct gift *gift)
{
	const struct guest_memory *memory = gift->memory;
	int rc = 0;

	for (unsigned int i = 0; !rc && i < memory->nr_backings; i++)
		rc = check_kind(gift, memory->backings[i].request->kind);
	if (!rc)
		rc = find_all_private(gift);
	if (rc || !memory->config->guest_memfd || !gift->nr_private)
		return rc;
	return refuse(gift, "hand over private pages",
		      "their contents are in the guest_memfd, which belongs to "
		      "its VM: use kind=gmem-store alone");
}

/* In place, so that the contents are in the files that go over. */
static int share_all(struct gift *gift)
{
	char why[256] = "";
	int rc = 0;

	while (!rc && gift->shared < gift->nr_private) {
		rc = guest_memory_convert(gift->memory,
					  gift->private[gift->shared], false,
					  why, sizeof(why));
		gift->shared += !rc;
	}
	if (rc)
		return error_set(gift->error, rc, "guest memory",
				 "hand over private pages", "%s%s", why,
				 rc == -EPERM ? ": without the guest's consent "
				 "its contents do not leave private memory" :
				 "");
	return 0;
}

/* A page of gmem has one store at a time. */
static int unbind_all(struct gift *gift)
{
	struct guest_memory *memory = gift->memory;
	int rc = 0;

	for (; gift->unbound < memory->nr_backings; gift->unbound++) {
		const struct backing *backing = &memory->backings[gift->unbound];

		if (backing->request->kind != BACKING_GMEM_STORE)
			continue;
		rc = gmem_unbind(backing->fd, 0, backing->size);
		if (rc)
			return error_set(gift->error, rc, "gmem fd",
					 "GMEM_IOCTL_UNBIND", NULL);
	}
	return 0;
}

/*
 * Nothing more can be done about a failure here than to go on: what stays shared
 * is recorded as shared, and the guest is told nothing wrong.
 */
static void take_back(struct gift *gift)
{
	struct guest_memory *memory = gift->memory;

	while (gift->unbound) {
		unsigned int index = --gift->unbound;

		if (memory->backings[index].request->kind == BACKING_GMEM_STORE)
			guest_memory_bind(memory, index, NULL);
	}
	while (gift->shared)
		guest_memory_convert(memory, gift->private[--gift->shared],
				     true, NULL, 0);
}

static int send_all(struct gift *gift, int socket)
{
	const struct guest_memory *memory = gift->memory;
	int fds[DESCRIPTION_REQUESTS_MAX];
	uint8_t *bytes;
	size_t size;
	int rc;

	rc = description_encode(memory->config, gift->private,
				gift->nr_private, &bytes, &size);
	if (rc)
		return error_set(gift->error, rc, "guest memory",
				 "describe for the handover",
				 "at most %d requests, and %d ranges",
				 DESCRIPTION_REQUESTS_MAX,
				 DESCRIPTION_RANGES_MAX);
	for (unsigned int i = 0; i < memory->nr_backings; i++)
		fds[i] = memory->backings[i].fd;
	rc = handover_send(socket, bytes, size, fds, memory->nr_backings,
			   gift->error);
	free(bytes);
	return rc ? rc : handover_wait(socket, gift->error);
}

int handover_give(int socket, struct guest_memory *memory,
		  struct error *error)
{
	struct gift gift = { .memory = memory, .error = error };
	int rc = check(&gift);

	if (!rc)
		rc = share_all(&gift);
	if (!rc)
		rc = unbind_all(&gift);
	if (!rc)
		rc = send_all(&gift, socket);
	if (rc)
		take_back(&gift);
	free(gift.private);
	return rc;
}

static int adopt(struct handover *out, struct error *error)
{
	struct description *description = &out->description;

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
	uint8_t *bytes = NULL;
	size_t size;
	int rc;

	memset(out, 0, sizeof(*out));
	rc = handover_receive(socket, &bytes, &size, out->fds, &out->nr_fds,
			      error);
	if (!rc)
		rc = description_decode(bytes, size, &out->description, error);
	if (!rc)
		rc = adopt(out, error);
	free(bytes);
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

void handover_close(struct handover *handover)
{
	while (handover->nr_fds)
		calls->close(handover->fds[--handover->nr_fds]);
	description_free(&handover->description);
}
