/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where in a VM's one guest_memfd each range of RAM has its pages: packed, in
 * the order in which the ranges were added.
 */
#ifndef GMEMCTL_MEMORY_LAYOUT_H
#define GMEMCTL_MEMORY_LAYOUT_H

#include <stdint.h>

#include "../base/error.h"
#include "range.h"

struct layout_range {
	struct range range;
	uint64_t offset;
};

/**
 * struct layout - all RAM of a VM
 * @ranges: guest physical addresses, and where each starts in the file
 * @size: bytes of the file
 */
struct layout {
	struct layout_range *ranges;
	unsigned int nr_ranges;
	uint64_t size;
};

/** layout_add() - append a range, which must not overlap another */
int layout_add(struct layout *layout, struct range range, struct error *error);
void layout_destroy(struct layout *layout);

/**
 * layout_classify() - where the pages of a region are
 * @offset: out: of its first page in the file
 *
 * Adjacent ranges are two ranges: a slot of KVM cannot span them unless their
 * pages are adjacent in the file too, and that is nothing to rely on.
 *
 * Return: 1 if all of @range is in exactly one range of RAM; 0 if none of it is
 * RAM; -EINVAL for everything else.
 */
int layout_classify(const struct layout *layout, struct range range,
		    uint64_t *offset, struct error *error);

#endif /* GMEMCTL_MEMORY_LAYOUT_H */
