// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../memory/file.h"
#include "command.h"

#define PART_TRIES 100

/* Bytes of the file's name in the temporary name, which has a suffix, too. */
#define PART_NAME_MAX 200

static int fail(struct output_file *file, int rc, const char *action, struct error *error)
{
	return error_set(error, rc, file->path, action, NULL);
}

/* Check an existing file. @status is that of the target if it is a symbolic link. */
static int check_old(struct output_file *file, const char *path, bool replace,
		     const struct stat *status, struct error *error)
{
	int fd, rc;

	if (S_ISDIR(status->st_mode))
		return error_set(error, -EISDIR, path, "write", "give the name of a file");
	if (!S_ISREG(status->st_mode))
		return error_set(error, -EINVAL, path, "write",
				 "it is not a regular file: give a new name, or that of a regular "
				 "file");
	if (!replace)
		return error_set(error, -EEXIST, path, "create", "remove it, or name another file");
	if (!realpath(path, file->path))
		return error_set(error, -errno, path, "resolve", NULL);
	file->old = open(file->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (file->old < 0)
		return error_set(error, -errno, file->path, "open", NULL);
	/*
	 * Refuse a file that is the memory of a running guest. A file that this user cannot
	 * read is not checked, and can be replaced.
	 */
	fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return 0;
	rc = file_lock_check(fd, file->path, error);
	close(fd);
	return rc;
}

static int open_directory(struct output_file *file, struct error *error)
{
	char *slash = strrchr(file->path, '/');
	char directory[PATH_MAX];

	file->name = slash ? slash + 1 : file->path;
	if (!*file->name)
		return error_set(error, *file->path ? -EISDIR : -ENOENT,
				 *file->path ? file->path : "''", "create",
				 "give the name of a file");
	snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - file->path + 1) : 1,
		 slash ? file->path : ".");
	file->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* The directory may be writable, but not readable. */
	if (file->directory < 0 && errno == EACCES)
		file->directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return file->directory < 0 ? error_set(error, -errno, directory, "open", NULL) : 0;
}

int output_file_find(struct output_file *file, const char *path, bool replace, struct error *error)
{
	struct stat status;
	int rc = 0;

	*file = OUTPUT_FILE_NONE;
	if (!stat(path, &status))
		rc = check_old(file, path, replace, &status, error);
	else if (errno != ENOENT)
		rc = error_set(error, -errno, path, "write", NULL);
	else if (!lstat(path, &status))
		rc = error_set(error, -ENOENT, path, "write",
			       "it is a symbolic link to nothing: give the name of the file "
			       "itself");
	else if (snprintf(file->path, sizeof(file->path), "%s", path) >= (int)sizeof(file->path))
		rc = error_set(error, -ENAMETOOLONG, path, "create", NULL);
	return rc ? rc : open_directory(file, error);
}

static int part_open(struct output_file *file, mode_t mode)
{
	int directory_size = (int)(file->name - file->path);
	uint32_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	if (snprintf(file->part, sizeof(file->part), "%.*s%.*s.%08x.part", directory_size,
		     file->path, PART_NAME_MAX, file->name, random) >= (int)sizeof(file->part))
		return -ENAMETOOLONG;
	file->part_name = file->part + directory_size;
	file->fd = openat(file->directory, file->part_name, O_RDWR | O_CREAT |
			  O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	return file->fd < 0 ? -errno : 0;
}

int output_file_create(struct output_file *file, mode_t mode, struct error *error)
{
	int rc = -EEXIST;

	for (int i = 0; rc == -EEXIST && i < PART_TRIES; i++)
		rc = part_open(file, mode);
	if (!rc)
		return 0;
	error_set(error, rc, file->part, "create", NULL);
	file->part[0] = '\0';
	return rc;
}

int output_file_write(struct output_file *file, const void *data, uint64_t size,
		      struct error *error)
{
	off_t has = lseek(file->fd, 0, SEEK_CUR);
	int rc = file_room_limit((uint64_t)has + size, file->path, error);
	const uint8_t *at = data;

	if (rc)
		return rc;
	while (size) {
		ssize_t done = write(file->fd, at, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return fail(file, -errno, "write", error);
		at += done;
		size -= (uint64_t)done;
	}
	return 0;
}

/* Whether the file with that name is the one open as @fd. */
static bool is_file(const struct output_file *file, const char *name, int fd)
{
	struct stat there, open_file;

	return !fstatat(file->directory, name, &there, AT_SYMLINK_NOFOLLOW) &&
	       !fstat(fd, &open_file) && there.st_ino == open_file.st_ino &&
	       there.st_dev == open_file.st_dev;
}

/* Rename without replacing: a file that was created meanwhile may be a saved guest. */
static int take_new_name(const struct output_file *file)
{
	if (!renameat2(file->directory, file->part_name, file->directory,
		       file->name, RENAME_NOREPLACE))
		return 0;
	/* The file system does not support RENAME_NOREPLACE: use a hard link. */
	if (errno != EINVAL)
		return -errno;
	if (linkat(file->directory, file->part_name, file->directory, file->name, 0))
		return -errno;
	unlinkat(file->directory, file->part_name, 0);
	return 0;
}

/*
 * Replace the file only if it is still the one from the start: exchange both, and exchange
 * them back if it is another one. A check before a rename would race with another save.
 */
static int replace_old(const struct output_file *file)
{
	if (renameat2(file->directory, file->part_name, file->directory,
		      file->name, RENAME_EXCHANGE))
		return -errno;
	if (is_file(file, file->part_name, file->old)) {
		unlinkat(file->directory, file->part_name, 0);
		return 0;
	}
	return renameat2(file->directory, file->part_name, file->directory,
			 file->name, RENAME_EXCHANGE) ? -errno : -EEXIST;
}

static int move_to_name(const struct output_file *file)
{
	struct stat status;
	int rc = -ENOENT;

	if (!fstatat(file->directory, file->name, &status,
		     AT_SYMLINK_NOFOLLOW) && S_ISDIR(status.st_mode))
		return -EISDIR;
	if (file->old >= 0)
		rc = replace_old(file);
	/* The file system does not support RENAME_EXCHANGE: check, then rename. */
	if (rc == -EINVAL && !is_file(file, file->name, file->old))
		rc = -EEXIST;
	if (rc == -EINVAL)
		rc = renameat(file->directory, file->part_name, file->directory,
			      file->name) ? -errno : 0;
	return rc == -ENOENT ? take_new_name(file) : rc;
}

/* EINVAL is no error: such a file system has nothing to sync. */
static int sync_fd(int fd)
{
	return fsync(fd) && errno != EINVAL ? -errno : 0;
}

int output_file_commit(struct output_file *file, struct error *error)
{
	int rc = sync_fd(file->fd);

	if (rc)
		return fail(file, rc, "fsync", error);
	if (!is_file(file, file->part_name, file->fd))
		return error_set(error, -EIDRM, file->part, "rename",
				 "another process has removed or replaced it");
	rc = move_to_name(file);
	if (rc)
		return error_set(error, rc, file->path, "rename what was written to this",
				 rc == -EEXIST ? "another process has created a file of this name, "
				 "which is kept" : NULL);
	file->part[0] = '\0';
	rc = sync_fd(file->directory);
	/* fsync() does not work with O_PATH: sync the whole file system. */
	if (rc == -EBADF)
		rc = syncfs(file->fd) ? -errno : 0;
	return rc ? fail(file, rc, "fsync its directory", error) : 0;
}

const char *output_file_place(const struct output_file *file)
{
	return file->part[0] ? file->part : file->path;
}

void output_file_keep(struct output_file *file)
{
	file->part[0] = '\0';
}

void output_file_remove(struct output_file *file)
{
	const char *name = file->part[0] ? file->part_name : file->name;

	/* Remove the name only if it is that of the file created here. */
	if (is_file(file, name, file->fd))
		unlinkat(file->directory, name, 0);
	file->part[0] = '\0';
}

void output_file_close(struct output_file *file)
{
	if (file->part[0])
		output_file_remove(file);
	if (file->fd >= 0)
		close(file->fd);
	if (file->directory >= 0)
		close(file->directory);
	if (file->old >= 0)
		close(file->old);
	file->old = -1;
	file->fd = -1;
	file->directory = -1;
}
