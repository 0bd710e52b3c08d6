/* SPDX-License-Identifier: GPL-2.0 */
/* Whether a file can have the size that it is to have. */
#ifndef GMEMCTL_MEMORY_FILE_ROOM_H
#define GMEMCTL_MEMORY_FILE_ROOM_H

#include <stdint.h>

#include "../base/error.h"

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

#endif /* GMEMCTL_MEMORY_FILE_ROOM_H */
