// SPDX-License-Identifier: GPL-2.0
/* The file systems that programs expect, and small files in them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init.h"

static const struct {
	const char *type, *dir, *options;
	bool needed;
} mounts[] = {
	{ "proc",	"/proc",		NULL,		true },
	{ "sysfs",	"/sys",			NULL,		true },
	{ "devtmpfs",	"/dev",			NULL,		true },
	{ "tmpfs",	"/tmp",			"mode=1777,size=80%", true },
	{ "tmpfs",	"/dev/shm",		"mode=1777",	false },
	{ "devpts",	"/dev/pts",		NULL,		false },
	{ "debugfs",	"/sys/kernel/debug",	NULL,		false },
	{ "tracefs",	"/sys/kernel/tracing",	NULL,		false },
	{ "configfs",	"/sys/kernel/config",	NULL,		false },
	{ "cgroup2",	"/sys/fs/cgroup",	NULL,		false },
};

int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	if (n < 0)
		n = -errno;
	close(fd);
	return n < 0 ? (int)n : 0;
}

/* Read the start of a file as a string; a longer file is truncated. */
ssize_t file_read(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	buf[0] = '\0';
	if (fd < 0)
		return -errno;
	while ((n = read(fd, buf + len, size - 1 - len)) > 0)
		len += n;
	close(fd);
	buf[len] = '\0';
	return n < 0 ? -errno : (ssize_t)len;
}

void mounts_setup(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mounts); i++) {
		mkdir(mounts[i].dir, 0755);
		if (!mount(mounts[i].type, mounts[i].dir, mounts[i].type, 0,
			   mounts[i].options))
			continue;
		if (mounts[i].needed)
			fprintf(stderr, "init: %s: mount on %s: %s\n",
				mounts[i].type, mounts[i].dir, strerror(errno));
	}
	/* Programs create memory groups below the root. */
	file_write("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
}
