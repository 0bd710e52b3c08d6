/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file that is written by gmemctl: under its name there is all of it or what was
 * there before, whatever happens meanwhile. It is written under a name of its own
 * in the same directory, and gets the other one when all of it is on the disk.
 *
 * Only what this process has made is ever removed, and only what was there when it
 * began is ever replaced. What is no regular file is
 * refused; of a symbolic link the target is replaced.
 */
#ifndef GMEMCTL_CLI_OUTPUT_FILE_H
#define GMEMCTL_CLI_OUTPUT_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/error.h"

/**
 * struct output_file - a file on its way
 * @path: where it is to be, without a symbolic link at the end
 * @part: where it is until then; empty if this process has made nothing there
 * @name: last component of @path; likewise @part_name
 * @old: fd of the file that was there when this began, and is replaced, or -1
 * @directory: fd of the directory of both, or -1
 * @fd: the file, or -1
 */
struct output_file {
	char path[PATH_MAX];
	char part[PATH_MAX];
	const char *name;
	const char *part_name;
	int old;
	int directory;
	int fd;
};

/* One that output_file_close() has nothing to do about */
#define OUTPUT_FILE_NONE ((struct output_file){ .old = -1, .directory = -1, \
							 .fd = -1 })

/**
 * output_file_find() - see where it would be; nothing is made yet
 * @replace: whether it may take the place of a file
 *
 * output_file_close() works in any case.
 *
 * Return: 0; -EISDIR, -EINVAL for what is no file; -EEXIST without @replace;
 * -EBUSY for the memory of a VM; what the kernel says of the directory.
 */
int output_file_find(struct output_file *file, const char *path, bool replace, struct error *error);

/**
 * output_file_create() - make it, under its own name
 * @mode: less the umask
 */
int output_file_create(struct output_file *file, mode_t mode, struct error *error);

/** output_file_write() - add bytes */
int output_file_write(struct output_file *file, const void *data, uint64_t size,
		      struct error *error);

/**
 * output_file_commit() - all is written: give it its name, for good
 *
 * When this succeeds it outlives a loss of power. If it fails the file is still
 * where it was made, or, if only the directory could not be synced, in its place:
 * output_file_place() says where. But if somebody else has taken what was written
 * away there is nothing any more.
 *
 * Return: 0; -EIDRM in that case, which no file system says; what the kernel says.
 */
int output_file_commit(struct output_file *file, struct error *error);

/** output_file_place() - where the file is now */
const char *output_file_place(const struct output_file *file);

/** output_file_keep() - do not remove it, complete or not */
void output_file_keep(struct output_file *file);

/** output_file_remove() - remove it, also from its place, unless it is another now */
void output_file_remove(struct output_file *file);

/** output_file_close() - remove what has not got its name */
void output_file_close(struct output_file *file);

#endif /* GMEMCTL_CLI_OUTPUT_FILE_H */
