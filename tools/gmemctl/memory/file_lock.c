// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_lock.h"

static struct flock whole(short type)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET };
}

/* Whether the process whose descriptors are @directory has locked @file. */
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

/* The kernel does not say who has the lock of an open file. Return: 0: unknown. */
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
