// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "populated.h"

#define PAGE		((off_t)RANGE_PAGE_SIZE)
#define PAGEMAP		"/proc/self/pagemap"
#define PAGEMAP_PRESENT	(UINT64_C(1) << 63)
#define PAGEMAP_SWAPPED	(UINT64_C(1) << 62)

/* Anonymous memory: mincore() would not tell of what is swapped out. */
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

/* Memory of gmem, which cannot say where its holes are. None of it is swapped. */
static int populated_mapped(const uint8_t *host, uint64_t count, uint8_t *out)
{
	if (mincore((void *)host, count * RANGE_PAGE_SIZE, out))
		return -errno;
	for (uint64_t i = 0; i < count; i++)
		out[i] &= 1;
	return 0;
}

/* What a file on a disk has is not all in memory. */
static int populated_unknown(const struct backing *backing, const uint8_t *host,
			     uint64_t count, uint8_t *out)
{
	if (backing->request->kind != BACKING_FILE)
		return populated_mapped(host, count, out);
	memset(out, 1, count);
	return 0;
}

/* Where blocks are smaller than pages, data may begin in the middle of a page. */
static int populated_file(const struct backing *backing, const uint8_t *host,
			  uint64_t offset, uint64_t count, uint8_t *out)
{
	off_t start = (off_t)(backing->fd_offset + offset);
	off_t end = start + (off_t)(count * RANGE_PAGE_SIZE);
	off_t at = start, hole;

	memset(out, 0, count);
	while (at < end) {
		at = lseek(backing->fd, at, SEEK_DATA);
		if (at < 0 && errno != ENXIO)
			return populated_unknown(backing, host, count, out);
		if (at < 0 || at >= end)
			return 0;
		hole = lseek(backing->fd, at, SEEK_HOLE);
		if (hole <= at)
			return -EIO;
		hole = hole < end ? hole : end;
		for (off_t i = (at - start) / PAGE;
		     i * PAGE < hole - start; i++)
			out[i] = 1;
		at = hole;
	}
	return 0;
}

int populated_pages(const struct backing *backing, const uint8_t *host,
		    uint64_t offset, uint64_t count, uint8_t *out)
{
	if (backing->fd < 0)
		return populated_anonymous(host, count, out);
	return populated_file(backing, host, offset, count, out);
}
