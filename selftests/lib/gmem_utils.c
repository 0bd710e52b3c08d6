// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of gmem as functions that return 0, an fd or a negative errno.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gmem_utils.h"

/* Return: NULL, or why the tests cannot run. */
const char *gmem_unavailable(void)
{
	int fd = gmem_open_dev();

	if (fd == -ENOENT)
		return "no " GMEM_DEVICE_PATH ": load gmem.ko";
	if (fd < 0)
		return "cannot open " GMEM_DEVICE_PATH ": run as root";
	close(fd);
	return NULL;
}

int gmem_open_dev(void)
{
	int fd = open(GMEM_DEVICE_PATH, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int gmem_ioctl(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) ? -errno : 0;
}

static int gmem_dev_ioctl(unsigned long cmd, void *arg)
{
	int dev = gmem_open_dev();
	int rc;

	if (dev < 0)
		return dev;
	rc = gmem_ioctl(dev, cmd, arg);
	close(dev);
	return rc;
}

int gmem_info(struct gmem_ioctl_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return gmem_dev_ioctl(GMEM_IOCTL_INFO, info);
}

int gmem_create(uint64_t length, uint32_t flags)
{
	struct gmem_ioctl_create c = {
		.size = sizeof(c),
		.flags = flags,
		.length = length,
		.fd_flags = O_CLOEXEC,
		.out_fd = -1,
	};
	int rc = gmem_dev_ioctl(GMEM_IOCTL_CREATE, &c);

	return rc ? rc : c.out_fd;
}

int gmem_convert_args(int fd, struct gmem_ioctl_convert *c)
{
	c->size = sizeof(*c);
	return gmem_ioctl(fd, GMEM_IOCTL_CONVERT, c);
}

int gmem_convert_wait(int fd, uint64_t offset, uint64_t length, uint32_t target,
		      uint32_t content, uint32_t timeout_ms)
{
	struct gmem_ioctl_convert c = {
		.offset = offset,
		.length = length,
		.target = target,
		.content = content,
		.timeout_ms = timeout_ms,
	};

	return gmem_convert_args(fd, &c);
}

int gmem_convert(int fd, uint64_t offset, uint64_t length, uint32_t target,
		 uint32_t content)
{
	return gmem_convert_wait(fd, offset, length, target, content, 0);
}

/* Query with space for one range: the first range that the kernel reports. */
int gmem_query_one(int fd, uint64_t offset, uint64_t length,
		   struct gmem_range *range)
{
	struct gmem_ioctl_query q = {
		.size = sizeof(q),
		.offset = offset,
		.length = length,
		.ranges = (uintptr_t)range,
		.nr_ranges = 1,
	};
	int rc = gmem_ioctl(fd, GMEM_IOCTL_QUERY, &q);

	if (!rc && q.nr_ranges != 1)
		return -ENODATA;
	return rc;
}

/* Query the whole fd: the number of ranges, or a negative errno. */
int gmem_query_all(int fd, struct gmem_range *ranges, uint32_t nr)
{
	struct gmem_ioctl_stat stat;
	struct gmem_ioctl_query q = {
		.size = sizeof(q),
		.ranges = (uintptr_t)ranges,
		.nr_ranges = nr,
	};
	int rc = gmem_stat(fd, &stat);

	if (rc)
		return rc;
	q.length = stat.length;
	rc = gmem_ioctl(fd, GMEM_IOCTL_QUERY, &q);
	if (rc)
		return rc;
	return q.length ? -ENOSPC : (int)q.nr_ranges;
}

/* The state of one page, or a negative errno. */
int gmem_state(int fd, uint64_t offset)
{
	struct gmem_range range = { .state = ~0U };
	int rc = gmem_query_one(fd, offset, PAGE, &range);

	if (rc)
		return rc;
	if (range.offset != offset || range.length != PAGE)
		return -EPROTO;
	return (int)range.state;
}

/* Number of populated pages in a range, in any state. */
long long gmem_populated(int fd, uint64_t offset, uint64_t length)
{
	uint64_t end = offset + length;
	struct gmem_range range;
	long long pages = 0;
	int rc;

	while (offset < end) {
		rc = gmem_query_one(fd, offset, end - offset, &range);
		if (rc)
			return rc;
		if (range.offset != offset || !range.length)
			return -EPROTO;
		pages += range.populated;
		offset += range.length;
	}
	return pages;
}

int gmem_stat(int fd, struct gmem_ioctl_stat *stat)
{
	memset(stat, 0, sizeof(*stat));
	stat->size = sizeof(*stat);
	return gmem_ioctl(fd, GMEM_IOCTL_STAT, stat);
}

/* Sets the size; the caller has set the range. */
int gmem_holder(int fd, struct gmem_ioctl_holder *holder)
{
	holder->size = sizeof(*holder);
	return gmem_ioctl(fd, GMEM_IOCTL_HOLDER, holder);
}

int gmem_bind(int fd, uint64_t offset, uint64_t length, int store_fd,
	      uint64_t store_offset)
{
	struct gmem_ioctl_bind b = {
		.size = sizeof(b),
		.offset = offset,
		.length = length,
		.store = GMEM_STORE_KVM,
		.store_fd = store_fd,
		.store_offset = store_offset,
	};

	return gmem_ioctl(fd, GMEM_IOCTL_BIND, &b);
}

int gmem_unbind(int fd, uint64_t offset, uint64_t length)
{
	struct gmem_ioctl_unbind u = {
		.size = sizeof(u),
		.offset = offset,
		.length = length,
	};

	return gmem_ioctl(fd, GMEM_IOCTL_UNBIND, &u);
}

int gmem_commit(int fd, uint64_t offset, uint64_t length)
{
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, length))
		return -errno;
	return 0;
}

int gmem_punch(int fd, uint64_t offset, uint64_t length)
{
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset,
		      length))
		return -errno;
	return 0;
}

void *gmem_map(int fd, uint64_t offset, uint64_t length)
{
	return mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    offset);
}
