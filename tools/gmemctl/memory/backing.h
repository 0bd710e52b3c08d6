/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Backings, the source of the pages of guest RAM; and the view of a backing: its mapping for
 * KVM, which includes private pages. This process itself accesses guest memory through the
 * reservation.
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
 * @refusal: with @fd -1: the reason; NULL: no view was wanted
 * @place: its mapping; the first page of the backing is at its base
 */
struct view {
	const struct memory_request *request;
	int fd;
	const char *refusal;
	struct reservation place;
};

/**
 * struct backing - the memory of one request
 * @request: the request
 * @size: bytes
 * @fd: the file; -1: anonymous memory, which exists only as mappings
 * @fd_offset: offset in @fd of its first page
 * @page_size: unit in which it is allocated and freed
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
 * backing_open() - open or create a backing
 * @name: name of a memfd, for /proc/PID/smaps
 *
 * Huge pages are taken from the pool now, and space for a file is allocated now: a lack of
 * them must be an error before the guest runs. A file is locked as long as it is open, see
 * file_lock(). The guest_memfd of a VM is opened by backing_use() instead.
 */
int backing_open(struct backing *backing, const struct memory_request *request,
		 const char *name, struct error *error);

/**
 * backing_use() - use a file that the caller has opened
 * @fd: duplicated
 * @fd_offset: where in it the memory of @request starts
 */
int backing_use(struct backing *backing, const struct memory_request *request,
		int fd, uint64_t fd_offset, struct error *error);

/** backing_empty() - drop the contents of an old file; all of it reads as zero then */
int backing_empty(struct backing *backing, struct error *error);

/** backing_close() - the end of its view, too */
void backing_close(struct backing *backing);

/** backing_extent() - how a range of RAM of its request is mapped */
struct extent backing_extent(const struct backing *backing, const struct layout_range *ram);

/** VIEW_BLOCK: bytes that a first access of the guest populates, with huge pages */
#define VIEW_BLOCK		(UINT64_C(2) << 20)
/** VIEW_BLOCK_SMALL: the same, without huge pages */
#define VIEW_BLOCK_SMALL	(UINT64_C(64) << 10)

/**
 * view_create() - make the view of a gmem backing, and map it as a whole
 *
 * Nothing is populated. If this host has no views, the call succeeds, and view.refusal has the
 * reason. (GMEM_IOCTL_VIEW_FAULT has to work, too: it reports which page a guest needs.)
 * backing_close() frees the view.
 */
int view_create(struct backing *backing, struct error *error);

/**
 * view_find() - the address of a range of RAM in the view
 * @ram: guest physical addresses
 *
 * Return: the address; NULL if not all of it is in one range of this view.
 */
uint8_t *view_find(const struct view *view, struct range ram);

/**
 * view_fill() - map all populated pages in the view
 *
 * Then guest accesses to pages that the host has written cause no exit, and KVM itself can
 * access these pages.
 */
int view_fill(const struct backing *backing);

#endif /* GMEMCTL_MEMORY_BACKING_H */
