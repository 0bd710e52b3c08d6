/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whose a file is: that behind the memory of a guest is written by one VM, and a
 * saved guest that is being read does not change. The locks are those of the open
 * file (F_OFD_SETLK): they end with its last descriptor, and go along with it to
 * another process.
 */
#ifndef GMEMCTL_MEMORY_FILE_LOCK_H
#define GMEMCTL_MEMORY_FILE_LOCK_H

#include <stdbool.h>

#include "../base/error.h"

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

#endif /* GMEMCTL_MEMORY_FILE_LOCK_H */
