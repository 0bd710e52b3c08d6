// SPDX-License-Identifier: GPL-2.0
/* Files that back memory: their lock, their space, and which pages are populated. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../base/calls.h"
#include "file.h"
#include "options.h"

/* Unit of st_blocks, as stat(2) says */
#define BLOCK_SIZE 512

#define PAGE		((off_t)RANGE_PAGE_SIZE)
#define PAGEMAP		"/proc/self/pagemap"
#define PAGEMAP_PRESENT	(UINT64_C(1) << 63)
#define PAGEMAP_SWAPPED	(UINT64_C(1) << 62)

static struct flock whole(short type)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET };
}

/* Whether descriptor @fd in @directory (/proc/PID/fd) is @file and holds a lock. */
static bool has_lock(int directory, const char *fd, const struct stat *file)
{
	char path[64], info[1024];
	struct stat status;
	ssize_t size;
	int info_fd;

	if (fstatat(directory, fd, &status, 0) ||
	    status.st_ino != file->st_ino || status.st_dev != file->st_dev)
		return false;
	snprintf(path, sizeof(path), "../fdinfo/%.16s", fd);
	info_fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
	if (info_fd < 0)
		return false;
	size = read(info_fd, info, sizeof(info) - 1);
	close(info_fd);
	info[size > 0 ? size : 0] = '\0';
	return strstr(info, "\nlock:");
}

static bool process_has_lock(const char *pid, const struct stat *file)
{
	char path[64];
	struct dirent *entry;
	bool found = false;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	fds = opendir(path);
	while (fds && !found && (entry = readdir(fds)))
		found = has_lock(dirfd(fds), entry->d_name, file);
	if (fds)
		closedir(fds);
	return found;
}

/* F_OFD_GETLK does not return the owner, so search /proc. Return: a PID; 0: unknown. */
static long find_holder(int fd)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	struct stat file;
	long pid = 0;

	while (processes && !pid && !fstat(fd, &file) &&
	       (entry = readdir(processes)))
		if (process_has_lock(entry->d_name, &file))
			pid = strtol(entry->d_name, NULL, 10);
	if (processes)
		closedir(processes);
	return pid;
}

static int busy(int fd, const char *path, struct error *error)
{
	char who[64] = "another process";
	long pid = find_holder(fd);

	if (pid)
		snprintf(who, sizeof(who), "process %ld", pid);
	return error_set(error, -EBUSY, path, "use it alone",
			 "%s has it locked: it is the memory of a VM, or a guest "
			 "that is being restored", who);
}

int file_lock(int fd, const char *path, bool write, struct error *error)
{
	struct flock lock = whole(write ? F_WRLCK : F_RDLCK);

	if (!fcntl(fd, F_OFD_SETLK, &lock))
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return busy(fd, path, error);
	if (errno == EINVAL || errno == ENOLCK || errno == EOPNOTSUPP)
		return 0;
	return error_set(error, -errno, path, "lock", NULL);
}

int file_lock_check(int fd, const char *path, struct error *error)
{
	struct flock lock = whole(F_RDLCK);

	if (fcntl(fd, F_OFD_GETLK, &lock) || lock.l_type == F_UNLCK)
		return 0;
	return busy(fd, path, error);
}

int file_room_limit(uint64_t size, const char *name, struct error *error)
{
	char text[32], allowed[32];
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) ||
	    limit.rlim_cur == RLIM_INFINITY || size <= limit.rlim_cur)
		return 0;
	return error_set(error, -EFBIG, name, "set the file size",
			 "it needs %s, but files of this process may have %s at most "
			 "(RLIMIT_FSIZE): raise `ulimit -f`",
			 memory_size_text(size, text), memory_size_text(limit.rlim_cur, allowed));
}

static int no_room(struct error *error, int rc, const char *path, uint64_t size)
{
	char text[32];

	return error_set(error, rc, path, "allocate guest memory",
			 "its file system needs %s of free space: free some, or choose another "
			 "file system or a smaller --memory", memory_size_text(size, text));
}

/* Without fallocate(), compare the free space with what the file still lacks. */
static int check_free(int fd, uint64_t size, const char *path,
		      struct error *error)
{
	struct statvfs system;
	struct stat status;
	uint64_t has;

	if (fstat(fd, &status) || fstatvfs(fd, &system))
		return error_set(error, -errno, path, "look for room", NULL);
	has = (uint64_t)status.st_blocks * BLOCK_SIZE;
	/* A file system without blocks, such as ramfs, does not report free space. */
	if (has >= size || !system.f_blocks ||
	    (size - has + system.f_frsize - 1) / system.f_frsize <=
	    system.f_bavail)
		return 0;
	return no_room(error, -ENOSPC, path, size);
}

int file_room_take(int fd, uint64_t size, const char *path,
		   struct error *error)
{
	int rc;

	do {
		rc = calls->allocate(fd, 0, size);
	} while (rc == -EINTR);
	if (rc == -EOPNOTSUPP || rc == -ENOSYS)
		return check_free(fd, size, path, error);
	return rc ? no_room(error, rc, path, size) : 0;
}

/* Anonymous memory. mincore() is no use here: it does not report swapped-out pages. */
static int populated_anonymous(const uint8_t *host, uint64_t count,
			       uint8_t *out)
{
	off_t at = (off_t)((uintptr_t)host / RANGE_PAGE_SIZE *
			   sizeof(uint64_t));
	uint64_t *entries = calloc(count, sizeof(*entries));
	int fd = open(PAGEMAP, O_RDONLY | O_CLOEXEC);
	ssize_t size = (ssize_t)(count * sizeof(*entries));
	int rc = 0;

	if (!entries || fd < 0)
		rc = entries ? -errno : -ENOMEM;
	else if (pread(fd, entries, (size_t)size, at) != size)
		rc = -EIO;
	for (uint64_t i = 0; !rc && i < count; i++)
		out[i] = !!(entries[i] & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED));
	if (fd >= 0)
		close(fd);
	free(entries);
	return rc;
}

/*
 * A file without SEEK_DATA. A guest_memfd cannot seek (ESPIPE) and is never swapped, so
 * mincore() is right. For other files all pages count, as not all are in memory.
 */
static int populated_unknown(const uint8_t *host, uint64_t count, uint8_t *out)
{
	if (errno != ESPIPE) {
		memset(out, 1, count);
		return 0;
	}
	if (mincore((void *)host, count * RANGE_PAGE_SIZE, out))
		return -errno;
	for (uint64_t i = 0; i < count; i++)
		out[i] &= 1;
	return 0;
}

/* If blocks are smaller than pages, data may begin in the middle of a page. */
int populated_pages(int fd, uint64_t offset, const uint8_t *host, uint64_t count,
		    uint8_t *out)
{
	off_t start = (off_t)offset, at = start, hole;
	off_t end = start + (off_t)(count * RANGE_PAGE_SIZE);

	if (fd < 0)
		return populated_anonymous(host, count, out);
	memset(out, 0, count);
	while (at < end) {
		at = lseek(fd, at, SEEK_DATA);
		if (at < 0 && errno != ENXIO)
			return populated_unknown(host, count, out);
		if (at < 0 || at >= end)
			return 0;
		hole = lseek(fd, at, SEEK_HOLE);
		if (hole < 0)
			return -EIO;
		hole = hole < end ? hole : end;
		for (off_t i = (at - start) / PAGE;
		     i * PAGE < hole - start; i++)
			out[i] = 1;
		/* hole == at: the data has gone since, for example when a guest decommits it. */
		at = hole > at ? hole : at + 1;
	}
	return 0;
}
