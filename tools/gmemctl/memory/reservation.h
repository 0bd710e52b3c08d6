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
 * @writable: what the mapping allows
 * @dump: core dumps of this process have it
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
 * The caller serialises what maps; commits and decommits may come from several
 * threads afterwards.
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
 * Return: 0; -EINVAL for what is not whole pages inside; -EEXIST where something is
 * mapped already; what the kernel says. On failure nothing is mapped there.
 */
int reservation_map(struct reservation *reservation,
		    const struct extent *extent);

/**
 * reservation_commit() - populate now
 *
 * Idempotent; contents stay. An empty range is nothing to do.
 *
 * Return: 0; -EFAULT if not all of it is mapped, -EINVAL if it is not whole pages,
 * before anything has changed; -ENOMEM, -ENOSPC or what else the kernel says, with a
 * part populated.
 */
int reservation_commit(struct reservation *reservation, struct range range);

/**
 * reservation_decommit() - give memory back; the range stays mapped, reads zero
 *
 * Files get a hole, since dropping pages from this process alone would free
 * nothing that others could still map. An empty range is nothing to do.
 *
 * Return: 0; -EFAULT, -EINVAL as above, and -EINVAL for a range that would cut a huge
 * page, before anything has changed; -EOPNOTSUPP for a file whose file system cannot
 * have holes.
 */
int reservation_decommit(struct reservation *reservation, struct range range);

/** reservation_find() - the extent at @offset, or NULL */
const struct extent *reservation_find(const struct reservation *reservation,
				      uint64_t offset);

#endif /* GMEMCTL_MEMORY_RESERVATION_H */
