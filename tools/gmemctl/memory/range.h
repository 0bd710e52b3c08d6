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

#endif /* GMEMCTL_MEMORY_RANGE_H */
