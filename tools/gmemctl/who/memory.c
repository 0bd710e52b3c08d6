// SPDX-License-Identifier: GPL-2.0
/* The gmem fds of a process. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/text.h"
#include "who.h"

/* What links of gmem fds begin with, see GMEM_IOCTL_CREATE */
#define GMEM_LINK "/gmem"

/* Whether a link of /proc/PID/fd is that of a gmem fd; if so, its name. */
static bool memory_link(const char *path, char *name, size_t size)
{
	char link[PATH_MAX];
	ssize_t length = readlink(path, link, sizeof(link) - 1);
	char *end;

	if (length <= 0)
		return false;
	link[length] = '\0';
	end = strstr(link, " (deleted)");
	if (!end || strncmp(link, GMEM_LINK, strlen(GMEM_LINK)))
		return false;
	*end = '\0';
	if (link[strlen(GMEM_LINK)] && link[strlen(GMEM_LINK)] != ':')
		return false;
	text_print(name, size, "%s", link);
	return true;
}

static bool memory_known(const struct who_memory *memories, size_t count,
			 const struct who_memory *memory)
{
	for (size_t i = 0; i < count; i++) {
		if (memories[i].device == memory->device &&
		    memories[i].inode == memory->inode)
			return true;
	}
	return false;
}

/* A file that is called like a gmem fd need not be one: the ioctls will tell. */
static int memory_open(const char *path, struct who_memory *memory)
{
	struct stat st;

	memory->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (memory->fd < 0)
		return -errno;
	if (fstat(memory->fd, &st)) {
		close(memory->fd);
		return -errno;
	}
	memory->device = st.st_dev;
	memory->inode = st.st_ino;
	memory->length = (uint64_t)st.st_size;
	return 0;
}

static int memory_add(struct who_memory **memories, size_t *count, const char *path)
{
	struct who_memory memory, *more;
	int rc;

	if (!memory_link(path, memory.name, sizeof(memory.name)))
		return 0;
	rc = memory_open(path, &memory);
	/* It may have been closed since. */
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	if (memory_known(*memories, *count, &memory)) {
		close(memory.fd);
		return 0;
	}
	more = realloc(*memories, (*count + 1) * sizeof(*more));
	if (!more) {
		close(memory.fd);
		return -ENOMEM;
	}
	more[(*count)++] = memory;
	*memories = more;
	return 0;
}

int who_memories(const char *proc, pid_t pid, struct who_memory **memories, size_t *count,
		 struct error *error)
{
	char path[PATH_MAX], object[32];
	struct dirent *entry;
	int rc = 0;
	DIR *dir;

	*memories = NULL;
	*count = 0;
	snprintf(object, sizeof(object), "process %d", (int)pid);
	snprintf(path, sizeof(path), "%s/%d/fd", proc, (int)pid);
	dir = opendir(path);
	if (!dir)
		return error_set(error, errno == ENOENT ? -ESRCH : -errno, object,
				 "look at its files", errno == ENOENT ? NULL :
				 "it belongs to another user: be root");
	while (!rc && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%d/fd/%s", proc, (int)pid, entry->d_name);
		rc = memory_add(memories, count, path);
	}
	closedir(dir);
	if (rc) {
		who_memories_free(*memories, *count);
		return error_set(error, rc, object, "open its gmem fd", NULL);
	}
	if (!*count)
		return error_set(error, -ENOENT, object, "find its gmem fds",
				 "its memory is of another kind");
	return 0;
}

void who_memories_free(struct who_memory *memories, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(memories[i].fd);
	free(memories);
}
