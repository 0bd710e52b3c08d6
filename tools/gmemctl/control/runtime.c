// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime.h"

#define SUFFIX ".sock"

bool runtime_name_valid(const char *name)
{
	size_t length = strlen(name);

	if (!length || length > RUNTIME_NAME_MAX || name[0] == '.')
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("-_.", *name))
			return false;
	return true;
}

int runtime_directory(char path[RUNTIME_PATH_MAX], struct error *error)
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
		used = snprintf(path, RUNTIME_PATH_MAX, "/tmp/gmemctl-%u",
				geteuid());
	if (used < RUNTIME_PATH_MAX)
		return 0;
	return error_set(error, -ENAMETOOLONG, "runtime directory", "name",
			 "set GMEMCTL_RUNTIME_DIR to a shorter path");
}

int runtime_prepare(struct error *error)
{
	char path[RUNTIME_PATH_MAX];
	struct stat status;
	int rc = runtime_directory(path, error);

	if (rc)
		return rc;
	if (mkdir(path, 0700) && errno != EEXIST)
		return error_set(error, -errno, path, "create", NULL);
	if (lstat(path, &status))
		return error_set(error, -errno, path, "stat", NULL);
	if (S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
	    !(status.st_mode & 077))
		return 0;
	return error_set(error, -EPERM, path, "use as runtime directory",
			 "it has to be a directory of yours with mode 0700; or "
			 "set GMEMCTL_RUNTIME_DIR");
}

int runtime_path(const char *name, const char *suffix,
		 char path[RUNTIME_PATH_MAX], struct error *error)
{
	char directory[RUNTIME_PATH_MAX];
	int rc = runtime_directory(directory, error);

	if (rc)
		return rc;
	if (!runtime_name_valid(name))
		return error_set(error, -EINVAL, name, "use as a name of a VM",
				 "1 to %d letters, digits, '-', '_' and '.', which "
				 "is not the first", RUNTIME_NAME_MAX);
	if (snprintf(path, RUNTIME_PATH_MAX, "%s/%s%s", directory, name,
		     suffix ? suffix : SUFFIX) < RUNTIME_PATH_MAX)
		return 0;
	return error_set(error, -ENAMETOOLONG, name, "use as a name of a VM",
			 "the path of its socket is too long: set "
			 "GMEMCTL_RUNTIME_DIR to a shorter one");
}

/* Return: whether @file is that of a socket; then it ends before the suffix. */
static bool runtime_strip(char *file)
{
	size_t length = strlen(file), suffix = strlen(SUFFIX);

	if (length <= suffix || strcmp(file + length - suffix, SUFFIX))
		return false;
	file[length - suffix] = '\0';
	return runtime_name_valid(file);
}

int runtime_list(int (*visit)(const char *name, void *data), void *data,
		 struct error *error)
{
	char path[RUNTIME_PATH_MAX];
	struct dirent *entry;
	DIR *directory;
	int rc = runtime_directory(path, error);

	if (rc)
		return rc;
	directory = opendir(path);
	if (!directory)
		return errno == ENOENT ? 0 :
		       error_set(error, -errno, path, "open", NULL);
	while (!rc && (entry = readdir(directory)))
		if (runtime_strip(entry->d_name))
			rc = visit(entry->d_name, data);
	closedir(directory);
	return rc;
}
