/* SPDX-License-Identifier: GPL-2.0 */
/* PROCMAP_QUERY of Linux 6.11, which the headers of Debian 12 do not have. */
#ifndef GMEMCTL_EXEC_PROCMAP_H
#define GMEMCTL_EXEC_PROCMAP_H

#include <stdint.h>
#include <sys/ioctl.h>

/**
 * struct exec_procmap - struct procmap_query of the kernel
 * @size: its size in bytes
 * @query_flags: 0: the mapping that has the address
 * @query_addr: the address
 * @vma_start: out: as are all that follow, but for the room for names
 */
struct exec_procmap {
	uint64_t size;
	uint64_t query_flags;
	uint64_t query_addr;
	uint64_t vma_start;
	uint64_t vma_end;
	uint64_t vma_flags;
	uint64_t vma_page_size;
	uint64_t vma_offset;
	uint64_t inode;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint32_t vma_name_size;
	uint32_t build_id_size;
	uint64_t vma_name_addr;
	uint64_t build_id_addr;
};

_Static_assert(sizeof(struct exec_procmap) == 104, "kernel ABI");

#define EXEC_PROCMAP_QUERY	_IOWR('f', 17, struct exec_procmap)
#define EXEC_PROCMAP_READABLE	0x1
#define EXEC_PROCMAP_WRITABLE	0x2
#define EXEC_PROCMAP_EXECUTABLE	0x4
#define EXEC_PROCMAP_SHARED	0x8

#endif /* GMEMCTL_EXEC_PROCMAP_H */
