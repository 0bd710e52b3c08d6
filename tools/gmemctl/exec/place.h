/* SPDX-License-Identifier: GPL-2.0 */
/* What this process has mapped at an address, as the kernel says. */
#ifndef GMEMCTL_EXEC_PLACE_H
#define GMEMCTL_EXEC_PLACE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct exec_file_id - a file; inode 0: none
 * @inode: its number
 * @device: of its file system, as st_dev has it
 */
struct exec_file_id {
	uint64_t inode;
	uint64_t device;
};

static inline bool exec_file_id_equal(struct exec_file_id a,
				      struct exec_file_id b)
{
	return a.inode && a.inode == b.inode && a.device == b.device;
}

/**
 * struct exec_place - a mapping
 * @start: its first byte
 * @end: the byte after its last
 * @offset: of @start in @file
 * @file: see there
 * @protection: PROT_*
 * @shared: it is of MAP_SHARED
 */
struct exec_place {
	uint64_t start;
	uint64_t end;
	uint64_t offset;
	struct exec_file_id file;
	int protection;
	bool shared;
};

/**
 * exec_place_find() - the mapping that has @address
 *
 * For signal handlers, too. Return: 0; -ENOENT; another negative errno.
 */
int exec_place_find(uint64_t address, struct exec_place *place);

#endif /* GMEMCTL_EXEC_PLACE_H */
