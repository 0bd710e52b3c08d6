/* SPDX-License-Identifier: GPL-2.0 */
/* The gmem fds whose memory the VMM has given to a guest. */
#ifndef GMEMCTL_EXEC_MEMORY_H
#define GMEMCTL_EXEC_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "place.h"

/** EXEC_MEMORIES_MAX: gmem fds that are in use at a time */
#define EXEC_MEMORIES_MAX 64

/**
 * struct exec_memory - one of them
 * @file: see there; inode 0: this place is free. A signal handler reads it
 * @fd: a descriptor of our own, whatever the VMM does with its
 * @view_fd: the view of all of it
 * @size: bytes
 * @users: slots that have it
 */
struct exec_memory {
	struct exec_file_id file;
	int fd;
	int view_fd;
	uint64_t size;
	unsigned int users;
};

/**
 * exec_memory_get() - the memory of a file
 *
 * The first time it takes a descriptor that the VMM has open, and makes a view.
 *
 * Return: the memory, to be put; NULL if the file is no gmem fd, or has no view,
 * and then it was said why.
 */
struct exec_memory *exec_memory_get(struct exec_file_id file);
void exec_memory_put(struct exec_memory *memory);

/** exec_memory_private() - whether any of it is private */
bool exec_memory_private(const struct exec_memory *memory);

/** exec_memory_find() - the same if it is in use already; for signal handlers */
struct exec_memory *exec_memory_find(struct exec_file_id file);

#endif /* GMEMCTL_EXEC_MEMORY_H */
