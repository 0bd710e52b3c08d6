/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The other process's side of a remote: the guest's memory, mapped where the VM
 * has it, as long as the VM does. See remote.h.
 */
#ifndef GMEMCTL_MEMORY_REMOTE_MAPPER_H
#define GMEMCTL_MEMORY_REMOTE_MAPPER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/error.h"
#include "reservation.h"

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

#endif /* GMEMCTL_MEMORY_REMOTE_MAPPER_H */
