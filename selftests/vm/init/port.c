// SPDX-License-Identifier: GPL-2.0
/* The result port: the virtio-serial port with a known name. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "init.h"

#define PORTS	"/sys/class/virtio-ports"
#define NAME	"gmem.result"

/* Without a port write to standard output, the console: for an interactive shell. */
static int fd = STDOUT_FILENO;

static int port_try(const char *dev)
{
	char path[512], name[64];
	ssize_t len;

	snprintf(path, sizeof(path), PORTS "/%s/name", dev);
	len = file_read(path, name, sizeof(name));
	if (len <= 0)
		return -ENOENT;
	name[strcspn(name, "\n")] = '\0';
	if (strcmp(name, NAME))
		return -ENOENT;
	snprintf(path, sizeof(path), "/dev/%s", dev);
	return open(path, O_WRONLY | O_CLOEXEC);
}

static int port_find(void)
{
	DIR *dir = opendir(PORTS);
	struct dirent *d;
	int found = -ENOENT;

	if (!dir)
		return -errno;
	while (found < 0 && (d = readdir(dir)))
		if (d->d_name[0] != '.')
			found = port_try(d->d_name);
	closedir(dir);
	return found;
}

/*
 * The port's name comes in a control message after the device itself, so it can be a
 * little late.
 */
void port_open(void)
{
	int tries, found;

	for (tries = 0; tries < 100; tries++) {
		found = port_find();
		if (found >= 0) {
			fd = found;
			return;
		}
		usleep(100 * 1000);
	}
	fprintf(stderr, "init: no port named " NAME ", using the console\n");
}

int port_fd(void)
{
	return fd;
}

void port_write(const char *buf, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, buf, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		buf += n;
		len -= n;
	}
}

/* Write a line in one write(), because the console may be the same device. */
void port_line(const char *fmt, ...)
{
	char buf[4096];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(buf, sizeof(buf) - 1, fmt, ap);
	va_end(ap);
	if (len < 0)
		return;
	if ((size_t)len > sizeof(buf) - 2)
		len = sizeof(buf) - 2;
	buf[len++] = '\n';
	port_write(buf, len);
}
