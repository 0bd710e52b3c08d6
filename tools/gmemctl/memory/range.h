/* SPDX-License-Identifier: GPL-2.0 */
/* A range of addresses or offsets in bytes: from start up to, without, end. */
#ifndef GMEMCTL_MEMORY_RANGE_H
#define GMEMCTL_MEMORY_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#define RANGE_PAGE_SIZE UINT64_C(4096)

struct range {
	uint64_t start;
	uint64_t end;
};

static inline uint64_t range_size(struct range range)
{
	return range.end - range.start;
}

static inline bool range_equal(struct range a, struct range b)
{
	return a.start == b.start && a.end == b.end;
}

static inline bool range_overlaps(struct range a, struct range b)
{
	return a.start < b.end && b.start < a.end;
}

/** range_contains() - whether all of @inner is in @outer */
static inline bool range_contains(struct range outer, struct range inner)
{
	return outer.start <= inner.start && inner.end <= outer.end;
}

/** range_aligned() - whether both ends are multiples of @unit */
static inline bool range_aligned(struct range range, uint64_t unit)
{
	return !(range.start % unit) && !(range.end % unit);
}

/** range_valid() - not empty, not backwards, whole pages */
static inline bool range_valid(struct range range)
{
	return range.start < range.end &&
	       range_aligned(range, RANGE_PAGE_SIZE);
}

/** range_clip() - the part of @range that is in @limits; they overlap */
static inline struct range range_clip(struct range range, struct range limits)
{
	if (range.start < limits.start)
		range.start = limits.start;
	if (range.end > limits.end)
		range.end = limits.end;
	return range;
}

/**
 * SPLIT_REGIONS: low RAM, the VGA window, 12 PAM windows of 16 KiB from c0000 to
 * effff, the BIOS at f0000, and what is above 1 MiB
 */
#define SPLIT_REGIONS 16

#define SPLIT_END UINT64_C(0x100000)

/** split_possible() - whether a range of RAM can be split: from 0, 1 MiB */
static inline bool split_possible(struct range range)
{
	return !range.start && range.end >= SPLIT_END;
}

/**
 * split_ram() - the pieces of the first range of RAM
 *
 * Return: how many there are: SPLIT_REGIONS, or one less if nothing is above.
 */
unsigned int split_ram(struct range range, struct range out[SPLIT_REGIONS]);

#endif /* GMEMCTL_MEMORY_RANGE_H */
