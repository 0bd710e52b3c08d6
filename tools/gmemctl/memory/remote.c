// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "../base/fdpass.h"
#include "remote.h"

#define ACTION "share memory with it"

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
