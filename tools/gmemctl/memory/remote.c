// SPDX-License-Identifier: GPL-2.0
/* Memory that a helper process has mapped: the VM's side, and the helper's. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../base/fdpass.h"
#include "file.h"
#include "remote.h"

#define ACTION "share memory with it"

#define MAPPER_ACTION "map its memory"

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

static bool remote_gone(const struct remote *remote)
{
	return __atomic_load_n(&remote->gone, __ATOMIC_ACQUIRE);
}

/* What it has mapped is its own loss: nothing of it is private. */
static void remote_drop(struct remote *remote)
{
	__atomic_store_n(&remote->gone, true, __ATOMIC_RELEASE);
	shutdown(remote->socket, SHUT_RDWR);
}

static int remote_say(struct remote *remote, enum remote_kind kind,
		      struct range range, uint64_t offset, int fd)
{
	struct remote_message message = {
		.magic = REMOTE_MAGIC,
		.kind = kind,
		.range = range,
		.offset = offset,
	};
	struct files files = { .fds = { fd }, .count = fd >= 0 };
	int rc = files_send(remote->socket, &message, sizeof(message), &files);

	return rc == -EAGAIN ? -ETIMEDOUT : rc;
}

/* Return: what it answers; -ETIMEDOUT, -EPIPE, -EBADMSG: it is of no use. */
static int remote_hear(struct remote *remote, int32_t *answer)
{
	struct files none;
	int rc = files_receive(remote->socket, answer, sizeof(*answer), 0,
			       &none);

	if (!rc && (*answer > 0 || *answer < -4095))
		return -EBADMSG;
	return rc;
}

/*
 * Tell it of a mapping. Until it is ready a failure is that of remote_start();
 * afterwards it must not decide what the guest sees.
 */
static int remote_tell(struct remote *remote, enum remote_kind kind,
		       struct range range, uint64_t offset, int fd)
{
	int32_t answer = 0;
	int rc;

	if (remote_gone(remote))
		return 0;
	rc = remote_say(remote, kind, range, offset, fd);
	if (!rc)
		rc = remote_hear(remote, &answer);
	if (!rc && !answer)
		return 0;
	if (!rc && !__atomic_load_n(&remote->ready, __ATOMIC_ACQUIRE))
		return answer;
	remote_drop(remote);
	return __atomic_load_n(&remote->ready, __ATOMIC_ACQUIRE) ? 0 : rc;
}

static int remote_map(void *data, const struct dma_mapping *mapping)
{
	return remote_tell(data, REMOTE_MAP, mapping->range, mapping->fd_offset,
			   mapping->fd);
}

static int remote_unmap(void *data, struct range range)
{
	return remote_tell(data, REMOTE_UNMAP, range, 0, -1);
}

static const struct dma_ops remote_ops = {
	.map	= remote_map,
	.unmap	= remote_unmap,
};

/* Huge pages are mapped at multiples of their size there, too. */
static uint64_t remote_alignment(const struct guest_memory *memory)
{
	uint64_t alignment = RANGE_PAGE_SIZE;

	for (unsigned int i = 0; i < memory->nr_backings; i++)
		if (memory->backings[i].page_size > alignment)
			alignment = memory->backings[i].page_size;
	return alignment;
}

static int remote_begin(struct remote *remote, struct error *error)
{
	struct timeval timeout = {
		.tv_sec = REMOTE_TIMEOUT_MS / 1000,
		.tv_usec = REMOTE_TIMEOUT_MS % 1000 * 1000,
	};
	struct range all = { 0, remote->memory->reservation.size };
	int rc = 0;

	if (setsockopt(remote->socket, SOL_SOCKET, SO_RCVTIMEO, &timeout,
		       sizeof(timeout)) ||
	    setsockopt(remote->socket, SOL_SOCKET, SO_SNDTIMEO, &timeout,
		       sizeof(timeout)))
		rc = -errno;
	if (!rc)
		rc = remote_say(remote, REMOTE_START, all,
				remote_alignment(remote->memory), -1);
	return rc ? error_set(error, rc, "remote", ACTION, NULL) : 0;
}

static void remote_refuse(struct remote *remote, const struct error *why)
{
	if (!remote_say(remote, REMOTE_REFUSED, (struct range){ 0, 0 }, 0, -1))
		files_send(remote->socket, why, sizeof(*why), NULL);
}

int remote_start(struct remote *remote, struct guest_memory *memory, int socket,
		 struct error *error)
{
	struct error own;
	int rc;

	*remote = (struct remote){
		.socket = socket,
		.memory = memory,
		.target = { &remote_ops, remote, true },
	};
	error = error ? error : &own;
	memset(error, 0, sizeof(*error));
	rc = remote_begin(remote, error);
	if (!rc)
		rc = region_set_add_target(&memory->regions, &remote->target,
					   error);
	if (rc) {
		remote_refuse(remote, error);
		return rc;
	}
	__atomic_store_n(&remote->ready, true, __ATOMIC_RELEASE);
	if (remote_say(remote, REMOTE_READY, (struct range){ 0, 0 }, 0, -1))
		remote_drop(remote);
	return 0;
}

void remote_stop(struct remote *remote)
{
	remote_drop(remote);
	region_set_remove_target(&remote->memory->regions, &remote->target);
}

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
	return rc ? rc : error_set(error, -EBADMSG, "VM", MAPPER_ACTION, NULL);
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
