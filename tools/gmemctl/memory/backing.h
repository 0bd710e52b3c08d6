/* SPDX-License-Identifier: GPL-2.0 */
/* Where the pages of guest RAM come from. */
#ifndef GMEMCTL_MEMORY_BACKING_H
#define GMEMCTL_MEMORY_BACKING_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/error.h"
#include "options.h"
#include "reservation.h"

/**
 * struct backing - the memory of one request
 * @request: as asked for
 * @size: bytes
 * @fd: the file, or -1: anonymous memory, which the mappings are
 * @fd_offset: where in @fd it starts
 * @page_size: unit in which it comes and goes
 */
struct backing {
	const struct memory_request *request;
	uint64_t size;
	int fd;
	uint64_t fd_offset;
	uint64_t page_size;
};

/**
 * backing_open() - open or create it
 * @name: of a memfd, for /proc/PID/smaps
 *
 * Huge pages are taken from the pool at once, and the room of a file from its file
 * system: that there is too little must not show when the guest runs. A file is
 * locked for as long as it is open, see file_lock(). The guest_memfd of a VM is not
 * opened here but by backing_use().
 */
int backing_open(struct backing *backing, const struct memory_request *request,
		 const char *name, struct error *error);

/**
 * backing_use() - take memory from a file of someone else
 * @fd: duplicated
 * @fd_offset: where in it the memory of @request starts
 */
int backing_use(struct backing *backing, const struct memory_request *request,
		int fd, uint64_t fd_offset, struct error *error);

/** backing_empty() - forget what an old file has; all of it reads zero then */
int backing_empty(struct backing *backing, struct error *error);

void backing_close(struct backing *backing);

/** backing_extent() - how a range of RAM of its request is mapped */
struct extent backing_extent(const struct backing *backing, const struct layout_range *ram);

#endif /* GMEMCTL_MEMORY_BACKING_H */
