/* SPDX-License-Identifier: GPL-2.0 */
/* A part of a region, and the memory behind it. */
#ifndef GMEMCTL_MEMORY_MAPPING_H
#define GMEMCTL_MEMORY_MAPPING_H

#include <stdbool.h>
#include <stdint.h>

#include "range.h"
#include "reservation.h"

/**
 * struct mapping - what is behind a part of a region
 * @range: offsets in the region
 * @fd: the file, which has to outlive the mapping; -1: anonymous memory, whose
 *	contents live in the reservation and nowhere else
 * @fd_offset: offset in @fd that belongs to @range.start
 * @page_size: of the file
 * @writable: whether guest and host may write, if the region allows it
 * @thp: ask for transparent huge pages
 * @dump: core dumps of this process have it
 * @node: NUMA node for anonymous memory, or -1
 */
struct mapping {
	struct range range;
	int fd;
	uint64_t fd_offset;
	uint64_t page_size;
	bool writable;
	bool thp;
	bool dump;
	int node;
};

/**
 * mapping_enable() - map it at its place in the reservation
 * @start: address of the region
 * @writable: whether the region allows writes
 *
 * On failure nothing is mapped there.
 */
int mapping_enable(const struct mapping *mapping,
		   struct reservation *reservation, uint64_t start,
		   bool writable);

/** mapping_disable() - take it out of the reservation */
int mapping_disable(const struct mapping *mapping,
		    struct reservation *reservation, uint64_t start);

/** mapping_place() - where the mapping of a region at @start is */
static inline struct range mapping_place(const struct mapping *mapping,
					 uint64_t start)
{
	return (struct range){ start + mapping->range.start,
			       start + mapping->range.end };
}

#endif /* GMEMCTL_MEMORY_MAPPING_H */
