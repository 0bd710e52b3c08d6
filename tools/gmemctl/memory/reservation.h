/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's address space in this process: one range of virtual addresses,
 * reserved once, into which its memory is mapped. The host finds a guest physical
 * address at base + address.
 */
#ifndef GMEMCTL_MEMORY_RESERVATION_H
#define GMEMCTL_MEMORY_RESERVATION_H

#include <stdbool.h>
#include <stdint.h>

#include "range.h"

/**
 * struct extent - what one part of the reservation is mapped to
 * @range: offsets in the reservation
 * @fd: the file, which has to outlive the extent; -1: private anonymous memory
 * @fd_offset: offset in @fd that belongs to @range.start
 * @page_size: memory comes and goes in this unit
 * @writable: the mapping can be written to
 * @dump: core dumps of this process include it
 * @thp: ask for transparent huge pages
 * @node: NUMA node for anonymous memory, or -1
 */
struct extent {
	struct range range;
	int fd;
	uint64_t fd_offset;
	uint64_t page_size;
	bool writable;
	bool dump;
	bool thp;
	int node;
};

/**
 * struct reservation - the reserved addresses
 * @base: first address
 * @size: bytes, as reserved: what was asked for, rounded up to the alignment
 * @extents: what is mapped, in ascending order
 * @nr_extents: entries in use
 *
 * The caller serialises calls that map. Afterwards several threads can commit and decommit at
 * the same time.
 */
struct reservation {
	uint8_t *base;
	uint64_t size;
	struct extent *extents;
	unsigned int nr_extents;
};

/**
 * reservation_create() - reserve addresses; nothing is accessible yet
 * @size: bytes, not 0
 * @alignment: power of two that the address has to be a multiple of, or 0. A
 *	large reservation is aligned to 2 MiB or 1 GiB anyway, for huge pages.
 */
int reservation_create(struct reservation *reservation, uint64_t size,
		       uint64_t alignment);
void reservation_destroy(struct reservation *reservation);

/**
 * reservation_map() - map a file or anonymous memory
 * @extent: all members
 *
 * Return: 0; -EINVAL if the range is not whole pages inside of the reservation; -EEXIST if
 * something is mapped there already; or an error of the kernel. After a failure nothing new
 * is mapped.
 */
int reservation_map(struct reservation *reservation,
		    const struct extent *extent);

/**
 * reservation_commit() - populate a range
 *
 * Populated pages keep their contents. An empty range is a no-op.
 *
 * Return: 0; -EFAULT if not all of the range is mapped, or -EINVAL if it is not whole pages:
 * then nothing has changed; or -ENOMEM, -ENOSPC or another error of the kernel: then a part
 * may be populated.
 */
int reservation_commit(struct reservation *reservation, struct range range);

/**
 * reservation_decommit() - free the memory of a range, which stays mapped and reads as zero
 *
 * A hole is punched in files: MADV_DONTNEED would free no page of a file. An empty range is a
 * no-op.
 *
 * Return: 0; -EFAULT, -EINVAL as above, also -EINVAL for a range that would split a huge page:
 * then nothing has changed; -EOPNOTSUPP for a file whose file system has no holes.
 */
int reservation_decommit(struct reservation *reservation, struct range range);

/** reservation_find() - the extent at @offset, or NULL */
const struct extent *reservation_find(const struct reservation *reservation,
				      uint64_t offset);

#endif /* GMEMCTL_MEMORY_RESERVATION_H */
