// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "calls.h"

static int system_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int system_close(int fd)
{
	return close(fd) ? -errno : 0;
}

static int system_ioctl(int fd, unsigned long request, void *arg)
{
	int rc = ioctl(fd, request, arg);

	return rc < 0 ? -errno : rc;
}

static int system_map(size_t length, int prot, int flags, int fd,
		      uint64_t offset, void **out)
{
	void *address = mmap(NULL, length, prot, flags, fd, (off_t)offset);

	if (address == MAP_FAILED)
		return -errno;
	*out = address;
	return 0;
}

static int system_unmap(void *address, size_t length)
{
	return munmap(address, length) ? -errno : 0;
}

static int system_memfd(const char *name, uint64_t length)
{
	int fd = memfd_create(name, MFD_CLOEXEC);
	int rc;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)length)) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

static int system_punch(int fd, uint64_t offset, uint64_t length)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 (off_t)offset, (off_t)length) ? -errno : 0;
}

const struct calls calls_system = {
	.open	= system_open,
	.close	= system_close,
	.ioctl	= system_ioctl,
	.map	= system_map,
	.unmap	= system_unmap,
	.memfd	= system_memfd,
	.punch	= system_punch,
};

const struct calls *calls = &calls_system;
