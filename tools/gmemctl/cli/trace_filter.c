// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../gmem/gmem.h"
#include "command.h"
#include "trace_filter.h"
#include "who_find.h"

/* What names of gmem files begin with, see who_memory.name */
#define NAMED "/gmem:"

static int filter_add(struct trace_filter *filter, uint64_t inode)
{
	uint64_t *more = realloc(filter->inodes, (filter->nr + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	filter->inodes = more;
	more[filter->nr++] = inode;
	return 0;
}

static bool filter_has(const struct trace_filter *filter, uint64_t inode)
{
	for (size_t i = 0; i < filter->nr; i++) {
		if (filter->inodes[i] == inode)
			return true;
	}
	return false;
}

int trace_filter_by_owner(struct trace_filter *filter, const char *name, struct error *error)
{
	struct who_memory *memories;
	size_t count;
	int rc = who_find(name, &memories, &count, error);

	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < count; i++)
		rc = filter_add(filter, memories[i].inode);
	filter->pid = memories[0].pid;
	who_memories_free(memories, count);
	return rc ? error_set(error, rc, name, "note its files", NULL) : 0;
}

static int by_path(struct trace_filter *filter, const char *path, struct error *error)
{
	struct gmem_ioctl_stat gmem;
	struct stat st;
	int rc, fd;

	/* Only a regular file is opened: others may do something then. */
	if (stat(path, &st))
		return error_set(error, -errno, path, "look for the file", NULL);
	fd = S_ISREG(st.st_mode) ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
	rc = fd < 0 || gmem_stat(fd, &gmem) || fstat(fd, &st) ? -ENOTTY : 0;
	if (fd >= 0)
		close(fd);
	if (rc)
		return error_set(error, rc, path, "trace the file",
				 "it is no gmem fd; /proc/PID/fd/N of one is a path to it");
	rc = filter_add(filter, st.st_ino);
	return rc ? error_set(error, rc, path, "note the file", NULL) : 0;
}

/* gmem fds are called "/gmem:NAME". */
static int by_name(struct trace_filter *filter, const char *name, struct error *error)
{
	struct who_memory *memories;
	size_t count, found = filter->nr;
	int rc = who_all_memories(PROC, &memories, &count, error);

	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < count; i++) {
		if (!strncmp(memories[i].name, NAMED, strlen(NAMED)) &&
		    !strcmp(memories[i].name + strlen(NAMED), name))
			rc = filter_add(filter, memories[i].inode);
	}
	who_memories_free(memories, count);
	if (rc)
		return error_set(error, rc, name, "note its files", NULL);
	if (filter->nr == found)
		return error_set(error, -ENOENT, name, "find a gmem fd of this name",
				 "gmemctl top lists them; the number of an inode or a path will "
				 "do, too");
	return 0;
}

int trace_filter_by_file(struct trace_filter *filter, const char *file, struct error *error)
{
	uint64_t inode;
	int rc;

	if (strchr(file, '/'))
		return by_path(filter, file, error);
	if (number_parse(file, &inode))
		return by_name(filter, file, error);
	rc = filter_add(filter, inode);
	return rc ? error_set(error, rc, file, "note the file", NULL) : 0;
}

bool trace_filter_passes(struct trace_filter *filter, const struct trace_record *record,
			 pid_t pid)
{
	uint64_t inode;

	if (!filter->inodes)
		return true;
	if (!trace_inode(record, &inode))
		return false;
	if (filter_has(filter, inode))
		return true;
	if (!filter->pid || pid != filter->pid || strcmp(record->event, "gmem_create"))
		return false;
	/* Without memory it is this event that is shown, and no other of the file. */
	filter_add(filter, inode);
	return true;
}

void trace_filter_free(struct trace_filter *filter)
{
	free(filter->inodes);
	*filter = (struct trace_filter){ 0 };
}
