// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#include "../base/calls.h"
#include "place.h"
#include "procmap.h"

static int protection_of(uint64_t flags)
{
	return (flags & EXEC_PROCMAP_READABLE ? PROT_READ : 0) |
	       (flags & EXEC_PROCMAP_WRITABLE ? PROT_WRITE : 0) |
	       (flags & EXEC_PROCMAP_EXECUTABLE ? PROT_EXEC : 0);
}

/* Opened each time: after a fork() it would be the parent's. */
int exec_place_find(uint64_t address, struct exec_place *place)
{
	struct exec_procmap query = {
		.size = sizeof(query),
		.query_addr = address,
	};
	int fd = calls->open("/proc/self/maps", O_RDONLY);
	int rc;

	if (fd < 0)
		return fd;
	rc = calls->ioctl(fd, EXEC_PROCMAP_QUERY, &query);
	calls->close(fd);
	if (rc)
		return rc;
	*place = (struct exec_place){
		.start = query.vma_start,
		.end = query.vma_end,
		.offset = query.vma_offset,
		.file = { query.inode,
			  makedev(query.dev_major, query.dev_minor) },
		.protection = protection_of(query.vma_flags),
		.shared = query.vma_flags & EXEC_PROCMAP_SHARED,
	};
	return 0;
}
