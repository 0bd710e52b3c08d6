// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"

#define SUFFIX		".sock"
#define LOCK_SUFFIX	".lock"
#define LOCK_TRIES	10
#define LOCK_WAIT_US	10000

bool runtime_name_valid(const char *name)
{
	size_t length = strlen(name);

	/* A name that begins with a dash would be taken for an option. */
	if (!length || length > RUNTIME_NAME_MAX || strchr("-.", name[0]))
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("-_.", *name))
			return false;
	return true;
}

static int runtime_directory(char path[RUNTIME_PATH_MAX], struct error *error)
{
	const char *own = getenv("GMEMCTL_RUNTIME_DIR");
	const char *xdg = getenv("XDG_RUNTIME_DIR");
	int used;

	if (own && *own)
		used = snprintf(path, RUNTIME_PATH_MAX, "%s", own);
	else if (xdg && *xdg)
		used = snprintf(path, RUNTIME_PATH_MAX, "%s/gmemctl", xdg);
	else if (!geteuid() && !access("/run", W_OK))
		used = snprintf(path, RUNTIME_PATH_MAX, "/run/gmemctl");
	else
		used = snprintf(path, RUNTIME_PATH_MAX, "/tmp/gmemctl-%u", geteuid());
	if (used < RUNTIME_PATH_MAX)
		return 0;
	return error_set(error, -ENAMETOOLONG, "runtime directory", "name",
			 "set GMEMCTL_RUNTIME_DIR to a shorter path");
}

/* Refuse a directory that another user has created or can write to. */
static int runtime_check(const char *path, struct error *error)
{
	struct stat status;

	if (lstat(path, &status))
		return error_set(error, -errno, path, "stat", NULL);
	if (S_ISDIR(status.st_mode) && status.st_uid == geteuid() && !(status.st_mode & 077))
		return 0;
	return error_set(error, -EPERM, path, "use as runtime directory",
			 "it has to be a directory of yours with mode 0700; or "
			 "set GMEMCTL_RUNTIME_DIR");
}

int runtime_prepare(struct error *error)
{
	char path[RUNTIME_PATH_MAX];
	int rc = runtime_directory(path, error);

	if (rc)
		return rc;
	if (mkdir(path, 0700) && errno != EEXIST)
		return error_set(error, -errno, path, "create", "or set GMEMCTL_RUNTIME_DIR");
	return runtime_check(path, error);
}

int runtime_find(struct error *error)
{
	char path[RUNTIME_PATH_MAX];
	int rc = runtime_directory(path, error);

	if (rc)
		return rc;
	rc = runtime_check(path, error);
	return rc == -ENOENT ? 0 : rc;
}

int runtime_path(const char *name, const char *suffix,
		 char path[RUNTIME_PATH_MAX], struct error *error)
{
	char directory[RUNTIME_PATH_MAX];
	int rc = runtime_directory(directory, error);

	if (rc)
		return rc;
	if (!runtime_name_valid(name))
		return error_set(error, -EINVAL, *name ? name : "''", "use as a name of a VM",
				 RUNTIME_NAME_RULE);
	if (snprintf(path, RUNTIME_PATH_MAX, "%s/%s%s", directory, name,
		     suffix ? suffix : SUFFIX) < RUNTIME_PATH_MAX)
		return 0;
	return error_set(error, -ENAMETOOLONG, name, "use as a name of a VM",
			 "the path of its socket is too long: set "
			 "GMEMCTL_RUNTIME_DIR to a shorter one");
}

/*
 * Whether the locked file is still at its path. Its last owner may have removed it
 * between open() and flock(): then others would lock a new file.
 */
static bool runtime_lock_counts(int fd, const char *path)
{
	struct stat mine, there;

	return !fstat(fd, &mine) && !stat(path, &there) &&
	       mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
}

int runtime_lock(const char *name, struct error *error)
{
	char path[RUNTIME_PATH_MAX];
	int fd, tries, rc = runtime_path(name, LOCK_SUFFIX, path, error);

	while (!rc) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			return error_set(error, -errno, path, "create", NULL);
		/* runtime_reap() holds the lock only for a moment, so try again. */
		for (tries = 0; flock(fd, LOCK_EX | LOCK_NB); tries++) {
			rc = errno != EWOULDBLOCK ? -errno : tries == LOCK_TRIES ? -EEXIST : 0;
			if (rc)
				break;
			usleep(LOCK_WAIT_US);
		}
		if (!rc && runtime_lock_counts(fd, path))
			return fd;
		close(fd);
		if (rc)
			error_set(error, rc, name, "use as a name of a VM",
				  "a VM of that name runs: `gmemctl ps`");
	}
	return rc;
}

int runtime_lock_free(const char *kind, char name[RUNTIME_NAME_MAX], struct error *error)
{
	int fd;

	snprintf(name, RUNTIME_NAME_MAX, "%s-%u", kind, (unsigned int)getpid());
	for (unsigned int i = 2; (fd = runtime_lock(name, error)) == -EEXIST; i++)
		snprintf(name, RUNTIME_NAME_MAX, "%s-%u-%u", kind, (unsigned int)getpid(), i);
	return fd;
}

void runtime_unlock(const char *name, int fd)
{
	char path[RUNTIME_PATH_MAX];

	if (!runtime_path(name, LOCK_SUFFIX, path, NULL))
		unlink(path);
	close(fd);
}

bool runtime_reap(const char *name)
{
	char path[RUNTIME_PATH_MAX];
	struct stat status;
	bool removed;
	int fd;

	if (runtime_path(name, NULL, path, NULL))
		return false;
	fd = runtime_lock(name, NULL);
	if (fd < 0)
		return false;
	removed = !lstat(path, &status) && S_ISSOCK(status.st_mode) &&
		  !unlink(path);
	runtime_unlock(name, fd);
	return removed;
}

int runtime_list(int (*visit)(const char *name, void *data), void *data, struct error *error)
{
	char path[RUNTIME_PATH_MAX], *suffix;
	struct dirent *entry;
	DIR *directory;
	int rc = runtime_find(error);

	if (!rc)
		rc = runtime_directory(path, error);
	if (rc)
		return rc;
	directory = opendir(path);
	if (!directory)
		return errno == ENOENT ? 0 :
		       error_set(error, -errno, path, "open", NULL);
	while (!rc && (entry = readdir(directory))) {
		suffix = strrchr(entry->d_name, '.');
		if (!suffix || strcmp(suffix, SUFFIX))
			continue;
		*suffix = '\0';
		if (runtime_name_valid(entry->d_name))
			rc = visit(entry->d_name, data);
	}
	closedir(directory);
	return rc;
}

int runtime_listen(const char path[RUNTIME_PATH_MAX], int backlog, struct error *error)
{
	int rc, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (fd < 0)
		return error_set(error, -errno, "control socket", "create", NULL);
	memcpy(address.sun_path, path, RUNTIME_PATH_MAX);
	unlink(path);
	/* chmod() is in time, because nobody can connect before listen(). */
	if (!bind(fd, (struct sockaddr *)&address, sizeof(address)) && !chmod(path, 0600) &&
	    !listen(fd, backlog))
		return fd;
	rc = error_set(error, -errno, path, "listen", NULL);
	unlink(path);
	close(fd);
	return rc;
}

bool runtime_peer_allowed(int fd)
{
	socklen_t size = sizeof(struct ucred);
	struct ucred peer;

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) &&
	       (!peer.uid || peer.uid == geteuid());
}
