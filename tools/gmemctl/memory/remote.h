/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A remote is another process that maps the memory of the guest at the same places.
 * Only memory that is in files can be shared with it.
 *
 * DOC: Protocol, between two processes of one host
 *
 * Each message is a struct remote_message. The VM says START; MAP for each range of
 * RAM, with its file; and READY. In place of any of them it can say REFUSED, with a
 * struct error after it. The remote answers each MAP, once it has done it, with an s32: 0
 * or a negative errno.
 *
 * The VM refuses a remote that does not answer within REMOTE_TIMEOUT_MS, or cannot map
 * everything. The mappings do not change afterwards. Either side ends the sharing by closing
 * the connection.
 */
#ifndef GMEMCTL_MEMORY_REMOTE_H
#define GMEMCTL_MEMORY_REMOTE_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/error.h"
#include "../base/fdpass.h"
#include "guest_memory.h"
#include "reservation.h"

/** REMOTE_TIMEOUT_MS: how long the VM waits for an answer */
#define REMOTE_TIMEOUT_MS 5000

#define REMOTE_MAGIC 0x31524d47 /* "GMR1" */

enum remote_kind {
	REMOTE_START,	/* range: all addresses; offset: their alignment */
	REMOTE_MAP,	/* range, and offset in the file that comes along */
	REMOTE_READY = 3,
	REMOTE_REFUSED,	/* a struct error follows */
	REMOTE_KINDS,
};

/**
 * struct remote_message - a message of the VM
 * @magic: REMOTE_MAGIC
 * @kind: enum remote_kind
 * @range: guest physical addresses
 * @offset: see enum remote_kind
 */
struct remote_message {
	uint32_t magic;
	uint32_t kind;
	struct range range;
	uint64_t offset;
};

/**
 * remote_say() - send a message to a remote
 * @socket: to the remote
 * @kind, @range, @offset: of struct remote_message
 * @fd: the file that is sent with it, or -1
 *
 * Return: 0; -ETIMEDOUT if the remote does not read; another negative errno.
 */
static inline int remote_say(int socket, enum remote_kind kind, struct range range,
			     uint64_t offset, int fd)
{
	struct remote_message message = {
		.magic = REMOTE_MAGIC,
		.kind = kind,
		.range = range,
		.offset = offset,
	};
	struct files files = { .fds = { fd }, .count = fd >= 0 };
	int rc = files_send(socket, &message, sizeof(message), &files);

	return rc == -EAGAIN ? -ETIMEDOUT : rc;
}

/**
 * remote_tell() - describe memory to a remote, and wait until it has mapped it
 * @socket: a Unix stream socket; gets a timeout
 * @extents: @count extents, each in a file
 * @size: end of all addresses, which start at a multiple of @alignment
 *
 * Return: 0; the error of the remote; -ETIMEDOUT, -EPIPE, -EBADMSG.
 */
int remote_tell(int socket, const struct extent *extents, unsigned int count,
		uint64_t size, uint64_t alignment);

/**
 * remote_share() - describe all memory of a guest to a remote
 *
 * If some memory is in no file, the remote is told the reason. The remote has the
 * memory until the connection ends.
 *
 * Return: as remote_tell(); -EINVAL if some memory is in no file.
 */
int remote_share(int socket, const struct guest_memory *memory, struct error *error);

/**
 * struct remote_mapper - the memory of a VM of another process
 * @socket: to the VM
 * @thread: waits for the end of the VM, if @started
 * @started: see there
 * @lock: protects the following members, and the mappings
 * @gone: the VM has ended, and nothing is mapped
 * @reservation: the guest's addresses in this process, and the files mapped there
 */
struct remote_mapper {
	int socket;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	bool gone;
	struct reservation reservation;
};

/**
 * remote_mapper_start() - map all memory of a VM, until the VM ends
 * @socket: to a VM that calls remote_tell(); the caller closes it
 *
 * Return: 0; the error with which the VM refuses; -EBADMSG; -EPIPE; or the error of a mapping.
 */
int remote_mapper_start(struct remote_mapper *mapper, int socket,
			struct error *error);

/** remote_mapper_stop() - unmap everything; the VM continues */
void remote_mapper_stop(struct remote_mapper *mapper);

/**
 * remote_mapper_read() - copy from the guest's memory
 * @gpa: guest physical address, which need not be RAM
 * @size: bytes; unpopulated pages read as zero, and stay unpopulated
 * @fault: out: the address that cannot be read, if there is one; may be NULL
 *
 * A read of a private page returns what the host has in its place: zeros, old contents, or
 * -EFAULT. Only the VM knows which pages are private.
 *
 * Return: 0; -EFAULT if the address is not RAM, or the host may not read it; -EPIPE if the VM
 * has ended; another negative errno.
 */
int remote_mapper_read(struct remote_mapper *mapper, uint64_t gpa,
		       void *buffer, size_t size, uint64_t *fault);

#endif /* GMEMCTL_MEMORY_REMOTE_H */
