/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Locks and space of files. Only one VM writes to the file of a guest's memory, and nobody
 * writes to a saved guest that is being read. The locks belong to the open file
 * (F_OFD_SETLK). They end when its last descriptor is closed, and move to another process
 * with the descriptor.
 */
#ifndef GMEMCTL_MEMORY_FILE_H
#define GMEMCTL_MEMORY_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/error.h"
#include "range.h"

/**
 * file_lock() - lock a file, exclusively or shared with other readers
 * @fd: the file; it stays locked until all duplicates are closed
 * @path: for messages
 * @write: lock it exclusively; @fd must be open for writing
 *
 * A file system without locks is no error: the file is not locked then.
 *
 * Return: 0; -EBUSY if another process has locked it; @error names the process if it is
 * known.
 */
int file_lock(int fd, const char *path, bool write, struct error *error);

/**
 * file_lock_check() - check that a file is not the memory of a guest
 *
 * Return: 0; -EBUSY, as file_lock().
 */
int file_lock_check(int fd, const char *path, struct error *error);

/**
 * file_room_limit() - whether RLIMIT_FSIZE lets a file grow to @size bytes
 * @name: of the file, for messages
 *
 * Call it before the file grows: a write beyond the limit also sends a signal that ends the
 * process.
 *
 * Return: 0 or -EFBIG.
 */
int file_room_limit(uint64_t size, const char *name, struct error *error);

/**
 * file_room_take() - allocate the space of all of a file
 * @size: size of the file, which is set already
 *
 * Later a page without space would raise a signal, or end the guest. On a file system without
 * fallocate() only the free space is checked.
 *
 * Return: 0; -ENOSPC, -EDQUOT; another negative errno.
 */
int file_room_take(int fd, uint64_t size, const char *path,
		   struct error *error);

/** POPULATED_PAGES: how many pages can be asked for at once */
#define POPULATED_PAGES 65536

/**
 * populated_pages() - find the populated pages in a part of a file, or of anonymous memory
 * @fd: the file, or -1
 * @offset: offset of the part in the file
 * @host: mapping of the part in this process
 * @count: pages, at most POPULATED_PAGES
 * @out: one byte per page, 1: populated, also if swapped out
 *
 * Return: 0, or a negative errno.
 */
int populated_pages(int fd, uint64_t offset, const uint8_t *host, uint64_t count,
		    uint8_t *out);

#endif /* GMEMCTL_MEMORY_FILE_H */
