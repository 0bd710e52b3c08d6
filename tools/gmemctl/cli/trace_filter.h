/* SPDX-License-Identifier: GPL-2.0 */
/* Which events of gmem files are to be shown: those of some files, or of a process's. */
#ifndef GMEMCTL_CLI_TRACE_FILTER_H
#define GMEMCTL_CLI_TRACE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/error.h"
#include "../trace/trace.h"

/**
 * struct trace_filter - what passes; all of it if nothing was added
 * @inodes: files, of @nr
 * @pid: also the files that this process makes from now on; 0: there is none
 */
struct trace_filter {
	uint64_t *inodes;
	size_t nr;
	pid_t pid;
};

/** trace_filter_by_owner() - the gmem fds of a VM, or of a process: see who_find() */
int trace_filter_by_owner(struct trace_filter *filter, const char *name, struct error *error);

/**
 * trace_filter_by_file() - a gmem file
 * @file: its inode number; a path, with a slash in it; or its name: all that are called so
 *
 * Return: 0; -ENOENT if there is none, -ENOTTY if it is another kind of file; or another
 * negative errno.
 */
int trace_filter_by_file(struct trace_filter *filter, const char *file, struct error *error);

/**
 * trace_filter_passes() - whether an event is to be shown
 * @pid: the process that it happened in
 */
bool trace_filter_passes(struct trace_filter *filter, const struct trace_record *record,
			 pid_t pid);

void trace_filter_free(struct trace_filter *filter);

#endif /* GMEMCTL_CLI_TRACE_FILTER_H */
