/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A remote: another process that has the memory of the guest mapped as it is
 * here. It needs files: memory that is no file cannot be shared with anybody.
 *
 * DOC: Protocol, between two processes of one host
 *
 * Each message is a struct remote_message. The VM says START; MAP for each range of
 * RAM, with its file; and READY. In place of any of them it can say REFUSED, with a
 * struct error after it. The remote answers each MAP, once it has done it, with an s32: 0
 * or a negative errno.
 *
 * The VM depends on no remote: one that does not answer within REMOTE_TIMEOUT_MS, or
 * cannot map all of it, is refused. What is mapped does not change afterwards. Both sides
 * take the end of the connection for the end of it all.
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
 * struct remote_message - what the VM says
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
 * remote_say() - tell a remote
 * @socket: to the remote
 * @kind, @range, @offset: of struct remote_message
 * @fd: a file that comes along, or -1
 *
 * Return: 0; -ETIMEDOUT if it does not read; another negative errno.
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
 * struct remote - the VM's side
 * @socket: to the remote
 * @memory: what is shared
 */
struct remote {
	int socket;
	const struct guest_memory *memory;
};

/**
 * remote_start() - share the memory
 * @socket: a Unix stream socket; stays the caller's, after remote_stop()
 *
 * On failure the other side has been told why.
 *
 * Return: 0; -EINVAL if some memory is no file; -ETIMEDOUT, -EPIPE.
 */
int remote_start(struct remote *remote, const struct guest_memory *memory, int socket,
		 struct error *error);

/** remote_stop() - the remote finds the end of the connection, and unmaps all */
void remote_stop(struct remote *remote);

/**
 * struct remote_mapper - the memory of a VM of another process
 * @socket: to the VM
 * @thread: waits for the end of the VM, if @started
 * @started: see there
 * @lock: protects what follows, and what is mapped
 * @gone: the VM has ended; nothing is mapped any more
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
 * remote_mapper_start() - map all of it, until the VM ends
 * @socket: to a VM that calls remote_start(); stays the caller's
 *
 * Return: 0; why the VM refuses; -EBADMSG; -EPIPE; what kept it from mapping.
 */
int remote_mapper_start(struct remote_mapper *mapper, int socket,
			struct error *error);

/** remote_mapper_stop() - unmap all; the VM goes on alone */
void remote_mapper_stop(struct remote_mapper *mapper);

/**
 * remote_mapper_read() - copy from the guest's memory
 * @gpa: guest physical address, anywhere
 * @size: bytes; what is not populated reads zero, and stays so
 * @fault: out: the address that cannot be read, if there is one; may be NULL
 *
 * What is read of private pages is what the host has in their place: zeros, what
 * was there before, or -EFAULT. Only the VM knows which pages are private.
 *
 * Return: 0; -EFAULT where there is no memory that the guest sees, or that the
 * host may not read; -EPIPE if the VM has gone; another negative errno.
 */
int remote_mapper_read(struct remote_mapper *mapper, uint64_t gpa,
		       void *buffer, size_t size, uint64_t *fault);

#endif /* GMEMCTL_MEMORY_REMOTE_H */
