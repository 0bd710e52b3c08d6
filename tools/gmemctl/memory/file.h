/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whose a file is: that behind the memory of a guest is written by one VM, and a
 * saved guest that is being read does not change. The locks are those of the open
 * file (F_OFD_SETLK): they end with its last descriptor, and go along with it to
 * another process.
 */
#ifndef GMEMCTL_MEMORY_FILE_H
#define GMEMCTL_MEMORY_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/error.h"
#include "range.h"

/**
 * file_lock() - have a file for oneself, or with others that only read it
 * @fd: stays locked until all its duplicates are closed
 * @path: for messages
 * @write: for oneself; @fd has to be open for writing
 *
 * A file system without locks has none: that is no failure.
 *
 * Return: 0; -EBUSY if somebody else has it, with who it is, as far as that is
 * known.
 */
int file_lock(int fd, const char *path, bool write, struct error *error);

/**
 * file_lock_check() - whether a file is some guest's memory
 *
 * Return: 0; -EBUSY, as file_lock() says it.
 */
int file_lock_check(int fd, const char *path, struct error *error);

/**
 * file_room_limit() - whether RLIMIT_FSIZE lets a file grow to @size bytes
 * @name: of the file, for messages
 *
 * What goes beyond the limit is not only refused, but a signal that ends the
 * process: so this comes first.
 *
 * Return: 0 or -EFBIG.
 */
int file_room_limit(uint64_t size, const char *name, struct error *error);

/**
 * file_room_take() - take the room of all of a file
 * @size: of the file, which it has already
 *
 * A page without room would be a signal, or the end of the guest, later on. Where
 * the file system cannot take it, there has to be as much at the moment.
 *
 * Return: 0; -ENOSPC, -EDQUOT; another negative errno.
 */
int file_room_take(int fd, uint64_t size, const char *path,
		   struct error *error);

/** POPULATED_PAGES: how many pages can be asked for at once */
#define POPULATED_PAGES 65536

/**
 * populated_pages() - look at a part of a file, or of anonymous memory
 * @fd: the file, or -1
 * @offset: of the part in the file
 * @host: where this process has it mapped
 * @count: pages, at most POPULATED_PAGES
 * @out: one byte per page, 1: populated, also if swapped out
 *
 * Return: 0, or a negative errno.
 */
int populated_pages(int fd, uint64_t offset, const uint8_t *host, uint64_t count,
		    uint8_t *out);

#endif /* GMEMCTL_MEMORY_FILE_H */
