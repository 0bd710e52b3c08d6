// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../base/fdpass.h"
#include "populated.h"
#include "remote.h"
#include "remote_mapper.h"

#define ACTION "map its memory"

/* For a VM to say the next thing before it is ready, which needs no waiting. */
#define START_TIMEOUT_S 10

/**
 * struct remote_file - a file that is mapped
 * @range: where
 * @fd: this process's own
 */
struct remote_file {
	struct range range;
	int fd;
};

/* Forget the files of all that is in @range. */
static void mapper_forget(struct remote_mapper *mapper, struct range range)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < mapper->nr_files; i++) {
		if (range_overlaps(mapper->files[i].range, range))
			close(mapper->files[i].fd);
		else
			mapper->files[kept++] = mapper->files[i];
	}
	mapper->nr_files = kept;
}

/* Takes over @fd. It is never written to: guests are others' to change. */
static int mapper_map(struct remote_mapper *mapper,
		      const struct remote_message *message, int fd)
{
	struct extent extent = {
		.range = message->range,
		.fd = fd,
		.fd_offset = message->offset,
		.page_size = RANGE_PAGE_SIZE,
	};
	struct remote_file *files;
	int rc;

	files = reallocarray(mapper->files, mapper->nr_files + 1,
			     sizeof(*files));
	if (files)
		mapper->files = files;
	rc = files ? reservation_map(&mapper->reservation, &extent) : -ENOMEM;
	if (rc) {
		close(fd);
		return rc;
	}
	mapper_forget(mapper, message->range);
	files[mapper->nr_files++] = (struct remote_file){ message->range, fd };
	return 0;
}

static int mapper_unmap(struct remote_mapper *mapper, struct range range)
{
	int rc = reservation_unmap(&mapper->reservation, range);

	if (!rc)
		mapper_forget(mapper, range);
	return rc;
}

/* Do what the VM says, and answer. Return: 0, or that it makes no sense. */
static int mapper_obey(struct remote_mapper *mapper,
		       const struct remote_message *message,
		       struct files *files)
{
	int32_t rc;

	if (message->kind == REMOTE_MAP && files->count == 1)
		rc = mapper_map(mapper, message, files->fds[0]);
	else if (message->kind == REMOTE_UNMAP && !files->count)
		rc = mapper_unmap(mapper, message->range);
	else
		return -EBADMSG;
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
	struct range all = { 0, mapper->reservation.size };

	if (mapper->reservation.size)
		reservation_unmap(&mapper->reservation, all);
	mapper_forget(mapper, all);
}

/* Until the VM ends, or says what makes no sense. */
static void *mapper_main(void *data)
{
	struct remote_mapper *mapper = data;
	struct remote_message message;
	struct files files;
	int rc;

	do {
		rc = mapper_hear(mapper, &message, &files);
		pthread_mutex_lock(&mapper->lock);
		if (!rc)
			rc = mapper_obey(mapper, &message, &files);
		if (rc) {
			mapper_clear(mapper);
			mapper->gone = true;
		}
		pthread_mutex_unlock(&mapper->lock);
		files_close(&files);
	} while (!rc);
	return NULL;
}

static int mapper_refused(struct remote_mapper *mapper, struct error *error)
{
	struct files none;
	struct error why;
	int rc = 0;

	if (!files_receive(mapper->socket, &why, sizeof(why), 0, &none))
		rc = error_adopt(error, &why);
	return rc ? rc : error_set(error, -EBADMSG, "VM", ACTION, NULL);
}

static int mapper_timeout(struct remote_mapper *mapper, unsigned int seconds)
{
	struct timeval timeout = { .tv_sec = seconds };

	return setsockopt(mapper->socket, SOL_SOCKET, SO_RCVTIMEO, &timeout,
			  sizeof(timeout)) ? -errno : 0;
}

/* What comes first: how many addresses there are. */
static int mapper_reserve(struct remote_mapper *mapper,
			  const struct remote_message *message)
{
	if (message->kind != REMOTE_START || message->range.start)
		return -EBADMSG;
	return reservation_create(&mapper->reservation, message->range.end,
				  message->offset);
}

/* Until the VM is ready. */
static int mapper_replay(struct remote_mapper *mapper, struct error *error)
{
	struct remote_message message = { .kind = REMOTE_KINDS };
	struct files files;
	int rc = mapper_timeout(mapper, START_TIMEOUT_S);
	bool refused = false;

	while (!rc && message.kind != REMOTE_READY) {
		rc = mapper_hear(mapper, &message, &files);
		refused = !rc && message.kind == REMOTE_REFUSED;
		if (refused)
			rc = mapper_refused(mapper, error);
		else if (!rc && message.kind != REMOTE_READY)
			rc = mapper->reservation.size ?
			     mapper_obey(mapper, &message, &files) :
			     mapper_reserve(mapper, &message);
		files_close(&files);
	}
	if (refused)
		return rc;
	if (!rc && !mapper->reservation.size)
		rc = -EBADMSG;
	if (!rc)
		rc = mapper_timeout(mapper, 0);
	return rc ? error_set(error, rc, "VM", ACTION, rc == -EPIPE ?
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
			error_set(error, rc, "VM", ACTION, "no thread for it");
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
	reservation_destroy(&mapper->reservation);
	free(mapper->files);
	pthread_mutex_destroy(&mapper->lock);
	memset(mapper, 0, sizeof(*mapper));
	mapper->socket = -1;
}

/*
 * A page that becomes private meanwhile is a fault here, not the end of the
 * process, since the kernel does the copying.
 */
static int copy_page(const uint8_t *host, void *buffer, size_t size)
{
	struct iovec from = { (void *)host, size };
	struct iovec to = { buffer, size };
	ssize_t got = process_vm_readv(getpid(), &to, 1, &from, 1, 0);

	if (got < 0)
		return -errno;
	return (size_t)got == size ? 0 : -EFAULT;
}

/* The part of a page at @gpa; reading it must not populate it. */
static int mapper_read_page(struct remote_mapper *mapper, uint64_t gpa,
			    void *buffer, size_t size)
{
	const struct extent *extent = reservation_find(&mapper->reservation,
						       gpa);
	uint64_t page = gpa - gpa % RANGE_PAGE_SIZE;
	struct backing backing;
	uint8_t populated = 0;
	int rc;

	if (!extent)
		return -EFAULT;
	backing = (struct backing){ .fd = extent->fd,
				    .fd_offset = extent->fd_offset };
	rc = populated_pages(&backing, mapper->reservation.base + page,
			     page - extent->range.start, 1, &populated);
	if (rc || populated)
		return rc ? rc : copy_page(mapper->reservation.base + gpa,
					   buffer, size);
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
