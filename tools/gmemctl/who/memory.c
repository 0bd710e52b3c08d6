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
#include "../gmem/gmem.h"
#include "who.h"

/* What links of gmem fds begin with, see GMEM_IOCTL_CREATE */
#define GMEM_LINK "/gmem"

/* Whether a link of /proc/PID/fd is like that of a gmem fd; if so, its name. */
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
	/* All visible ASCII, as names of gmem fds are */
	for (; *name; name++) {
		if (*name <= ' ' || *name > '~')
			return false;
	}
	return true;
}

/*
 * Anybody can have a file of such a name: of any kind, and another one by the time it is
 * opened. Only a gmem fd has the ioctl. What has been closed since is left out, too.
 */
static int memory_add(struct who_memory **memories, size_t *count, pid_t pid, const char *path)
{
	struct who_memory memory = { .pid = pid }, *more;
	struct gmem_ioctl_stat stat_gmem;
	struct stat st;
	int rc = 0;

	if (!memory_link(path, memory.name, sizeof(memory.name)) ||
	    stat(path, &st) || !S_ISREG(st.st_mode))
		return 0;
	memory.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (memory.fd < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : 0;
	if (fstat(memory.fd, &st) || gmem_stat(memory.fd, &stat_gmem))
		goto out_close;
	memory.device = st.st_dev;
	memory.inode = st.st_ino;
	memory.length = (uint64_t)st.st_size;
	for (size_t i = 0; i < *count; i++) {
		if ((*memories)[i].device == memory.device && (*memories)[i].inode == memory.inode)
			goto out_close;
	}
	more = realloc(*memories, (*count + 1) * sizeof(*more));
	if (more) {
		more[(*count)++] = memory;
		*memories = more;
		return 0;
	}
	rc = -ENOMEM;
out_close:
	close(memory.fd);
	return rc;
}

/* Return: 0; -ESRCH if it has gone, -EACCES, -ENOMEM. */
static int memory_add_all(struct who_memory **memories, size_t *count, const char *proc, pid_t pid)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int rc = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%d/fd", proc, (int)pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	while (!rc && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%d/fd/%s", proc, (int)pid, entry->d_name);
		rc = memory_add(memories, count, pid, path);
	}
	closedir(dir);
	return rc;
}

int who_memories(const char *proc, pid_t pid, struct who_memory **memories, size_t *count,
		 struct error *error)
{
	char object[32];
	int rc;

	*memories = NULL;
	*count = 0;
	snprintf(object, sizeof(object), "process %d", (int)pid);
	rc = memory_add_all(memories, count, proc, pid);
	if (rc) {
		who_memories_free(*memories, *count);
		return error_set(error, rc, object, "look at its files", rc == -EACCES ?
				 "it belongs to another user: be root" : NULL);
	}
	if (!*count)
		return error_set(error, -ENOENT, object, "find its gmem fds",
				 "its memory is of another kind");
	return 0;
}

/* Those of all processes so far */
struct all {
	struct who_memory *memories;
	size_t count;
};

static int all_visit(const char *proc, pid_t pid, void *data)
{
	struct all *all = data;

	return memory_add_all(&all->memories, &all->count, proc, pid);
}

int who_all_memories(const char *proc, struct who_memory **memories, size_t *count,
		     struct error *error)
{
	struct all all = { 0 };
	unsigned int unseen;
	int rc = who_each_process(proc, all_visit, &all, &unseen, error);

	if (rc) {
		who_memories_free(all.memories, all.count);
		all = (struct all){ 0 };
	}
	*memories = all.memories;
	*count = all.count;
	return rc;
}

void who_command(const char *proc, pid_t pid, char *command, size_t size)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%d/comm", proc, (int)pid);
	file = fopen(path, "re");
	if (!file || !fgets(command, (int)size, file))
		snprintf(command, size, "?");
	command[strcspn(command, "\n")] = '\0';
	/* It is what the process says: not for a terminal as it is. */
	for (char *c = command; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	if (file)
		fclose(file);
}

void who_memories_free(struct who_memory *memories, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(memories[i].fd);
	free(memories);
}
