// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "../base/calls.h"
#include "file_room.h"
#include "options.h"

/* Unit of st_blocks, as stat(2) says */
#define BLOCK_SIZE 512

int file_room_limit(uint64_t size, const char *name, struct error *error)
{
	char text[32], allowed[32];
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) ||
	    limit.rlim_cur == RLIM_INFINITY || size <= limit.rlim_cur)
		return 0;
	return error_set(error, -EFBIG, name, "give it its size",
			 "it needs %s, and files of this process may have %s at "
			 "most (RLIMIT_FSIZE): raise `ulimit -f`",
			 memory_size_text(size, text),
			 memory_size_text(limit.rlim_cur, allowed));
}

static int no_room(struct error *error, int rc, const char *path, uint64_t size)
{
	char text[32];

	return error_set(error, rc, path, "take room for guest memory",
			 "%s are needed on its file system: make room, choose "
			 "another one, or a smaller --memory",
			 memory_size_text(size, text));
}

/* As good as it gets without fallocate(). What the file has already counts. */
static int check_free(int fd, uint64_t size, const char *path,
		      struct error *error)
{
	struct statvfs system;
	struct stat status;
	uint64_t has;

	if (fstat(fd, &status) || fstatvfs(fd, &system))
		return error_set(error, -errno, path, "look for room", NULL);
	has = (uint64_t)status.st_blocks * BLOCK_SIZE;
	/* One without blocks, such as ramfs, does not say. */
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
