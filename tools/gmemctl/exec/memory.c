// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "exec.h"
#include "report.h"

static struct exec_memory memories[EXEC_MEMORIES_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Open the file each time: after fork() an open one would show the parent's mappings. */
int exec_place_find(uint64_t address, struct exec_place *place)
{
	struct exec_procmap query = {
		.size = sizeof(query),
		.query_addr = address,
	};
	int fd = calls->open("/proc/self/maps", O_RDONLY);
	int rc;

	if (fd < 0)
		return fd;
	rc = calls->ioctl(fd, EXEC_PROCMAP_QUERY, &query);
	calls->close(fd);
	if (rc)
		return rc;
	*place = (struct exec_place){
		.start = query.vma_start,
		.end = query.vma_end,
		.offset = query.vma_offset,
		.file = { query.inode,
			  makedev(query.dev_major, query.dev_minor) },
		.protection = (query.vma_flags & EXEC_PROCMAP_READABLE ? PROT_READ : 0) |
			      (query.vma_flags & EXEC_PROCMAP_WRITABLE ? PROT_WRITE : 0) |
			      (query.vma_flags & EXEC_PROCMAP_EXECUTABLE ? PROT_EXEC : 0),
		.shared = query.vma_flags & EXEC_PROCMAP_SHARED,
	};
	return 0;
}

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

/* Return: a duplicate of an open descriptor of @file, or -1 if none can be used. */
static int fd_find(struct exec_file_id file, struct gmem_ioctl_stat *stat)
{
	DIR *directory = opendir("/proc/self/fd");
	struct dirent *entry;
	struct stat status;
	int found = -1;

	while (directory && found < 0 && (entry = readdir(directory))) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] == '.' || fd == dirfd(directory) || fstat(fd, &status) ||
		    status.st_ino != file.inode || status.st_dev != file.device)
			continue;
		if (gmem_stat(fd, stat))
			break;
		/* A read-only descriptor cannot have a view. */
		if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR)
			found = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	}
	if (directory)
		closedir(directory);
	return found;
}

static struct exec_memory *memory_open(struct exec_file_id file)
{
	struct exec_memory *memory = memories;
	struct gmem_ioctl_stat stat;
	const char *why;
	int fd;

	while (memory < memories + EXEC_MEMORIES_MAX && memory->file.inode)
		memory++;
	fd = memory < memories + EXEC_MEMORIES_MAX ? fd_find(file, &stat) : -1;
	if (fd < 0)
		return NULL;
	memory->fd = fd;
	memory->size = stat.length;
	memory->view_fd = gmem_view(fd, 0, stat.length);
	if (memory->view_fd < 0) {
		why = gmem_view_refusal(memory->view_fd);
		exec_say("cannot create a view of a gmem fd, so the guest has no private memory in "
			 "it: %s", why ? why : strerror(-memory->view_fd));
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

/* Close all of it, because the VMM may expect that the memory is freed. */
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
