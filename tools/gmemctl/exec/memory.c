// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "hole.h"
#include "memory.h"
#include "report.h"

static struct exec_memory memories[EXEC_MEMORIES_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct exec_memory *exec_memory_find(struct exec_file_id file)
{
	for (unsigned int i = 0; i < EXEC_MEMORIES_MAX; i++) {
		struct exec_memory *memory = &memories[i];

		if (file.inode && __atomic_load_n(&memory->file.inode,
						  __ATOMIC_ACQUIRE) == file.inode &&
		    memory->file.device == file.device)
			return memory;
	}
	return NULL;
}

static bool fd_is(int fd, struct exec_file_id file)
{
	struct stat status;

	return !fstat(fd, &status) && status.st_ino == file.inode &&
	       status.st_dev == file.device;
}

/* Return: a new descriptor of @file, or -1: none is open that could be used. */
static int fd_find(struct exec_file_id file, struct gmem_ioctl_stat *stat)
{
	DIR *directory = opendir("/proc/self/fd");
	struct dirent *entry;
	int found = -1;

	while (directory && found < 0 && (entry = readdir(directory))) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] == '.' || fd == dirfd(directory) ||
		    !fd_is(fd, file))
			continue;
		if (gmem_stat(fd, stat))
			break;
		/* One to read from only has no views. */
		if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR)
			found = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	}
	if (directory)
		closedir(directory);
	return found;
}

static struct exec_memory *memory_place(void)
{
	for (unsigned int i = 0; i < EXEC_MEMORIES_MAX; i++)
		if (!memories[i].file.inode)
			return &memories[i];
	return NULL;
}

static void say_no_view(int rc)
{
	const char *why = gmem_view_refusal(rc);

	exec_say("a gmem fd has no view, and the guest no private memory in it: %s",
		 why ? why : strerror(-rc));
}

static struct exec_memory *memory_open(struct exec_file_id file)
{
	struct exec_memory *memory = memory_place();
	struct gmem_ioctl_stat stat;
	int fd = memory ? fd_find(file, &stat) : -1;

	if (fd < 0)
		return NULL;
	memory->fd = fd;
	memory->size = stat.length;
	memory->view_fd = gmem_view(fd, 0, stat.length);
	if (memory->view_fd < 0) {
		say_no_view(memory->view_fd);
		calls->close(fd);
		return NULL;
	}
	memory->file.device = file.device;
	__atomic_store_n(&memory->file.inode, file.inode, __ATOMIC_RELEASE);
	return memory;
}

struct exec_memory *exec_memory_get(struct exec_file_id file)
{
	struct exec_memory *memory;

	pthread_mutex_lock(&lock);
	memory = exec_memory_find(file);
	if (!memory && file.inode)
		memory = memory_open(file);
	if (memory)
		memory->users++;
	pthread_mutex_unlock(&lock);
	return memory;
}

bool exec_memory_private(const struct exec_memory *memory)
{
	struct gmem_ioctl_stat stat;

	return !gmem_stat(memory->fd, &stat) && stat.private_pages;
}

/* The VMM may be about to give back the memory, of which nothing is to be left. */
void exec_memory_put(struct exec_memory *memory)
{
	pthread_mutex_lock(&lock);
	if (!--memory->users) {
		exec_holes_fill(memory, 0, memory->size);
		__atomic_store_n(&memory->file.inode, 0, __ATOMIC_RELEASE);
		calls->close(memory->view_fd);
		calls->close(memory->fd);
	}
	pthread_mutex_unlock(&lock);
}
