/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the pages of guest RAM come from; and the view of a backing: its mapping for KVM,
 * in which private pages are as good as shared ones. This process accesses guest memory
 * elsewhere, through the reservation.
 */
#ifndef GMEMCTL_MEMORY_BACKING_H
#define GMEMCTL_MEMORY_BACKING_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/error.h"
#include "options.h"
#include "reservation.h"

/**
 * struct view - the view of one backing
 * @request: of the backing; its ranges are packed into the view in this order
 * @fd: the view, or -1: there is none
 * @refusal: then: why not; NULL: none was wanted
 * @place: where it is mapped; the first page of the backing at its base
 */
struct view {
	const struct memory_request *request;
	int fd;
	const char *refusal;
	struct reservation place;
};

/**
 * struct backing - the memory of one request
 * @request: as asked for
 * @size: bytes
 * @fd: the file, or -1: anonymous memory, which the mappings are
 * @fd_offset: where in @fd it starts
 * @page_size: unit in which it comes and goes
 * @view: of kind gmem
 */
struct backing {
	const struct memory_request *request;
	uint64_t size;
	int fd;
	uint64_t fd_offset;
	uint64_t page_size;
	struct view view;
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

/** backing_close() - the end of its view, too */
void backing_close(struct backing *backing);

/** backing_extent() - how a range of RAM of its request is mapped */
struct extent backing_extent(const struct backing *backing, const struct layout_range *ram);

/** VIEW_BLOCK: what one touch of the guest populates where huge pages are wanted */
#define VIEW_BLOCK		(UINT64_C(2) << 20)
/** VIEW_BLOCK_SMALL: and where they are not */
#define VIEW_BLOCK_SMALL	(UINT64_C(64) << 10)

/**
 * view_create() - make the view of a gmem backing, and map it as a whole
 *
 * Nothing is populated. That this host has no views is no failure: then the view says
 * why. (GMEM_IOCTL_VIEW_FAULT has to work, too: without it nobody knows what a guest is
 * waiting for.) backing_close() ends it.
 */
int view_create(struct backing *backing, struct error *error);

/**
 * view_find() - where a range of RAM is in the view
 * @ram: guest physical addresses
 *
 * Return: the address, or NULL: not all of it is in one range of this view.
 */
uint8_t *view_find(const struct view *view, struct range ram);

/**
 * view_fill() - give it what has memory already
 *
 * What was written by the host before is then no exit of the guest, and KVM's own
 * accesses find it.
 */
int view_fill(const struct backing *backing);

#endif /* GMEMCTL_MEMORY_BACKING_H */
