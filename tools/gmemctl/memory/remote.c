// SPDX-License-Identifier: GPL-2.0
/* Memory that is shared with a helper process: the VM's side, and the helper's. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/calls.h"
#include "../base/fdpass.h"
#include "file.h"
#include "remote.h"

#define MAPPER_ACTION "map its memory"

/* Timeout for each message of the VM until it is ready. The VM does not wait in between. */
#define START_TIMEOUT_MS 10000

static const struct range none;

/* Return: 0; the helper's error; or -ETIMEDOUT, -EPIPE, -EBADMSG if it does not answer. */
static int remote_map(int socket, const struct extent *extent)
{
	struct files files;
	int32_t answer;
	int rc = remote_say(socket, REMOTE_MAP, extent->range, extent->fd_offset, extent->fd);

	if (!rc)
		rc = files_receive(socket, &answer, sizeof(answer), 0, &files);
	if (rc)
		return rc;
	return answer > 0 || answer < -4095 ? -EBADMSG : answer;
}

int remote_tell(int socket, const struct extent *extents, unsigned int count,
		uint64_t size, uint64_t alignment)
{
	int rc = files_timeout(socket, REMOTE_TIMEOUT_MS);

	if (!rc)
		rc = remote_say(socket, REMOTE_START, (struct range){ 0, size }, alignment, -1);
	for (unsigned int i = 0; !rc && i < count; i++)
		rc = remote_map(socket, &extents[i]);
	return rc ? rc : remote_say(socket, REMOTE_READY, none, 0, -1);
}

static int share(int socket, const struct guest_memory *memory, struct error *error)
{
	const struct reservation *reservation = &memory->reservation;
	uint64_t alignment = RANGE_PAGE_SIZE;
	int rc;

	/* The helper has to align mappings to huge pages, too. */
	for (unsigned int i = 0; i < memory->nr_backings; i++)
		if (memory->backings[i].page_size > alignment)
			alignment = memory->backings[i].page_size;
	for (unsigned int i = 0; i < reservation->nr_extents; i++)
		if (reservation->extents[i].fd < 0)
			return error_set(error, -EINVAL, "ram",
					 "cannot register a DMA mapper that requires a "
					 "backing fd", "the region contains a mapping "
					 "with no backing fd (private RAM)");
	rc = remote_tell(socket, reservation->extents, reservation->nr_extents,
			 reservation->size, alignment);
	return rc ? error_set(error, rc, "ram", "failed to map range for DMA", NULL) : 0;
}

int remote_share(int socket, const struct guest_memory *memory, struct error *error)
{
	int rc;

	/* The whole structure is sent to the other process, so leave no old stack in it. */
	memset(error, 0, sizeof(*error));
	rc = share(socket, memory, error);
	if (rc && !remote_say(socket, REMOTE_REFUSED, none, 0, -1))
		files_send(socket, error, sizeof(*error), NULL);
	return rc;
}

/*
 * Map a range for the VM, read-only, and send the result. Return: 0, or an error if the
 * message is invalid or cannot be answered.
 */
static int mapper_map(struct remote_mapper *mapper,
		      const struct remote_message *message, struct files *files)
{
	struct extent extent = {
		.range = message->range,
		.fd = files->count ? files->fds[0] : -1,
		.fd_offset = message->offset,
		.page_size = RANGE_PAGE_SIZE,
	};
	int32_t rc;

	if (message->kind != REMOTE_MAP || !files->count)
		return -EBADMSG;
	rc = reservation_map(&mapper->reservation, &extent);
	if (!rc)
		files->count = 0;
	return files_send(mapper->socket, &rc, sizeof(rc), NULL);
}

static int mapper_hear(struct remote_mapper *mapper,
		       struct remote_message *message, struct files *files)
{
	int rc = files_receive(mapper->socket, message, sizeof(*message), 1,
			       files);

	if (!rc && (message->magic != REMOTE_MAGIC ||
		    message->kind >= REMOTE_KINDS)) {
		files_close(files);
		rc = -EBADMSG;
	}
	return rc;
}

static void mapper_clear(struct remote_mapper *mapper)
{
	struct reservation *reservation = &mapper->reservation;

	for (unsigned int i = 0; i < reservation->nr_extents; i++)
		close(reservation->extents[i].fd);
	reservation_destroy(reservation);
}

/* Wait until the VM ends. It sends nothing after REMOTE_READY, so any message ends this, too. */
static void *mapper_main(void *data)
{
	struct remote_mapper *mapper = data;
	struct files files;
	uint8_t byte;

	files_receive(mapper->socket, &byte, sizeof(byte), 0, &files);
	pthread_mutex_lock(&mapper->lock);
	mapper_clear(mapper);
	mapper->gone = true;
	pthread_mutex_unlock(&mapper->lock);
	return NULL;
}

static int mapper_refused(struct remote_mapper *mapper, struct error *error)
{
	struct files files;
	struct error why;
	int rc = 0;

	if (!files_receive(mapper->socket, &why, sizeof(why), 0, &files))
		rc = error_adopt(error, &why);
	return rc ? rc : error_set(error, -EBADMSG, "VM", MAPPER_ACTION, NULL);
}

/* Handle the first message, which has the number of addresses. */
static int mapper_reserve(struct remote_mapper *mapper,
			  const struct remote_message *message)
{
	if (message->kind != REMOTE_START || message->range.start)
		return -EBADMSG;
	return reservation_create(&mapper->reservation, message->range.end,
				  message->offset);
}

/* Handle all messages until the VM is ready. */
static int mapper_replay(struct remote_mapper *mapper, struct error *error)
{
	struct remote_message message = { .kind = REMOTE_KINDS };
	struct files files;
	int rc = files_timeout(mapper->socket, START_TIMEOUT_MS);
	bool refused = false;

	while (!rc && message.kind != REMOTE_READY) {
		rc = mapper_hear(mapper, &message, &files);
		refused = !rc && message.kind == REMOTE_REFUSED;
		if (refused)
			rc = mapper_refused(mapper, error);
		else if (!rc && message.kind != REMOTE_READY)
			rc = mapper->reservation.size ?
			     mapper_map(mapper, &message, &files) :
			     mapper_reserve(mapper, &message);
		files_close(&files);
	}
	if (refused)
		return rc;
	if (!rc && !mapper->reservation.size)
		rc = -EBADMSG;
	if (!rc)
		rc = files_timeout(mapper->socket, 0);
	return rc ? error_set(error, rc, "VM", MAPPER_ACTION, rc == -EPIPE ?
			      "it has ended" : NULL) : 0;
}

int remote_mapper_start(struct remote_mapper *mapper, int socket,
			struct error *error)
{
	int rc;

	memset(mapper, 0, sizeof(*mapper));
	mapper->socket = socket;
	pthread_mutex_init(&mapper->lock, NULL);
	rc = mapper_replay(mapper, error);
	if (!rc) {
		rc = -pthread_create(&mapper->thread, NULL, mapper_main, mapper);
		mapper->started = !rc;
		if (rc)
			error_set(error, rc, "VM", MAPPER_ACTION, "no thread for it");
	}
	if (rc)
		remote_mapper_stop(mapper);
	return rc;
}

void remote_mapper_stop(struct remote_mapper *mapper)
{
	shutdown(mapper->socket, SHUT_RDWR);
	if (mapper->started)
		pthread_join(mapper->thread, NULL);
	mapper_clear(mapper);
	pthread_mutex_destroy(&mapper->lock);
	memset(mapper, 0, sizeof(*mapper));
	mapper->socket = -1;
}

/* Read a part of a page. A page that is not populated must stay so: it reads as zeros. */
static int mapper_read_page(struct remote_mapper *mapper, uint64_t gpa,
			    void *buffer, size_t size)
{
	const struct extent *extent = reservation_find(&mapper->reservation,
						       gpa);
	uint64_t page = gpa - gpa % RANGE_PAGE_SIZE;
	uint8_t populated = 0;
	int rc;

	if (!extent)
		return -EFAULT;
	rc = populated_pages(extent->fd, extent->fd_offset + page - extent->range.start,
			     mapper->reservation.base + page, 1, &populated);
	if (rc)
		return rc;
	/* If the page becomes private now, peek() returns an error where an access would crash. */
	if (populated)
		return calls->peek(buffer, mapper->reservation.base + gpa, size);
	memset(buffer, 0, size);
	return 0;
}

int remote_mapper_read(struct remote_mapper *mapper, uint64_t gpa,
		       void *buffer, size_t size, uint64_t *fault)
{
	uint8_t *to = buffer;
	int rc = 0;

	while (!rc && size) {
		size_t part = RANGE_PAGE_SIZE - gpa % RANGE_PAGE_SIZE;

		part = part < size ? part : size;
		pthread_mutex_lock(&mapper->lock);
		rc = mapper->gone ? -EPIPE :
		     mapper_read_page(mapper, gpa, to, part);
		pthread_mutex_unlock(&mapper->lock);
		if (rc && fault)
			*fault = gpa;
		gpa += part;
		to += part;
		size -= part;
	}
	return rc;
}
