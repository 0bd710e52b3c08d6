// SPDX-License-Identifier: GPL-2.0
/*
 * A disk, while the memory that it writes and reads is private. With O_DIRECT the driver
 * gets these pages, and the kernel has to copy their contents to memory that the device
 * can access.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "convert.h"

#define HALF		(PAGES / 2)
#define HALF_BYTES	(HALF * PAGE_BYTES)

static int disk_write_read(struct memory *memory, int fd)
{
	if (pwrite(fd, memory_page(memory, 0), HALF_BYTES, 0) !=
	    (ssize_t)HALF_BYTES || fsync(fd))
		return -errno;
	if (pread(fd, memory_page(memory, HALF), HALF_BYTES, 0) !=
	    (ssize_t)HALF_BYTES)
		return -errno;
	return 0;
}

int disk_copy(struct memory *memory, const char *path, unsigned int *wrong)
{
	int fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return -errno;
	rc = memory_convert(memory, 0, PAGES, true);
	memory_write(memory, 0, PAGES, TAG_SECRET, 0);
	if (!rc)
		rc = disk_write_read(memory, fd);
	close(fd);
	for (unsigned int i = 0; !rc && i < HALF; i++)
		memory->word[HALF + i] = memory->word[i];
	*wrong = memory_check(memory, "disk", 0, PAGES);
	return rc;
}
