/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A remote: another process that has the memory of the guest mapped as it is
 * here, and is told when mappings come and go. It is a DMA target that needs
 * files: memory that is no file cannot be shared with anybody.
 *
 * DOC: Protocol, between two processes of one host
 *
 * Each message is a struct remote_message. The VM says START; MAP for each mapping
 * there is, with its file; and READY. In place of any of them it can say REFUSED,
 * with a struct error after it. From READY on MAP and UNMAP come as they
 * happen. The remote answers each MAP and UNMAP, once it has done it, with an s32: 0
 * or a negative errno.
 *
 * The VM does not go on until it has the answer, so that what it has unmapped is
 * unmapped everywhere. But it depends on no remote: one that does not answer
 * within REMOTE_TIMEOUT_MS, refuses a mapping once it is ready, or dies, is dropped.
 * Both sides take the end of the connection for the end of it all.
 */
#ifndef GMEMCTL_MEMORY_REMOTE_H
#define GMEMCTL_MEMORY_REMOTE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/error.h"
#include "guest_memory.h"
#include "region.h"
#include "reservation.h"

/** REMOTE_TIMEOUT_MS: how long the VM waits for an answer */
#define REMOTE_TIMEOUT_MS 5000

#define REMOTE_MAGIC 0x31524d47 /* "GMR1" */

enum remote_kind {
	REMOTE_START,	/* range: all addresses; offset: their alignment */
	REMOTE_MAP,	/* range, and offset in the file that comes along */
	REMOTE_UNMAP,	/* range: all that is in it */
	REMOTE_READY,
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
 * struct remote - the VM's side
 * @socket: to the remote
 * @memory: what is shared
 * @target: by which it is told
 * @ready: it has been told of all there was; changed atomically, as is @gone
 * @gone: it has been dropped, or is being stopped
 */
struct remote {
	int socket;
	struct guest_memory *memory;
	struct dma_target target;
	bool ready;
	bool gone;
};

/**
 * remote_start() - share the memory, and keep the remote told
 * @socket: a Unix stream socket; stays the caller's, after remote_stop()
 *
 * On failure the other side has been told why.
 *
 * Return: 0; -EINVAL if some memory is no file; -ETIMEDOUT, -EPIPE.
 */
int remote_start(struct remote *remote, struct guest_memory *memory, int socket,
		 struct error *error);

/** remote_stop() - the remote finds the end of the connection, and unmaps all */
void remote_stop(struct remote *remote);

struct remote_file;

/**
 * struct remote_mapper - the memory of a VM of another process
 * @socket: to the VM
 * @thread: follows what the VM says, if @started
 * @started: see there
 * @lock: protects what follows, and what is mapped
 * @gone: the VM has ended; nothing is mapped any more
 * @reservation: the guest's addresses in this process
 * @files: what is mapped there, @nr_files of them
 * @nr_files: see there
 */
struct remote_mapper {
	int socket;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	bool gone;
	struct reservation reservation;
	struct remote_file *files;
	unsigned int nr_files;
};

/**
 * remote_mapper_start() - map all of it, and follow the VM from now on
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
