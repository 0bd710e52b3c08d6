// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../base/calls.h"
#include "reservation.h"

#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24	/* Linux 5.18 */
#endif

#define SIZE_2M	(UINT64_C(1) << 21)
#define SIZE_1G	(UINT64_C(1) << 30)
#define FLAGS_EMPTY (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)

static uint64_t reservation_alignment(uint64_t size, uint64_t least)
{
	uint64_t alignment = size >= SIZE_1G ? SIZE_1G :
			     size >= SIZE_2M ? SIZE_2M : RANGE_PAGE_SIZE;

	return least > alignment ? least : alignment;
}

/* Cut what was reserved too much for the sake of the alignment. */
static uint8_t *reservation_trim(uint8_t *address, uint64_t size,
				 uint64_t alignment)
{
	uint64_t slack = alignment - RANGE_PAGE_SIZE;
	uint64_t before = -(uint64_t)(uintptr_t)address & (alignment - 1);

	if (before)
		calls->unmap(address, before);
	if (slack - before)
		calls->unmap(address + before + size, slack - before);
	return address + before;
}

int reservation_create(struct reservation *reservation, uint64_t size,
		       uint64_t alignment)
{
	uint64_t total;
	void *address;
	int rc;

	memset(reservation, 0, sizeof(*reservation));
	if (!size || (alignment & (alignment - 1)))
		return -EINVAL;
	alignment = reservation_alignment(size, alignment);
	if (__builtin_add_overflow(size, alignment - 1, &size))
		return -EINVAL;
	size &= ~(alignment - 1);
	if (__builtin_add_overflow(size, alignment - RANGE_PAGE_SIZE, &total) ||
	    total > SIZE_MAX)
		return -EINVAL;
	rc = calls->map(total, PROT_NONE, FLAGS_EMPTY, -1, 0, &address);
	if (rc)
		return rc;
	reservation->base = reservation_trim(address, size, alignment);
	reservation->size = size;
	return 0;
}

void reservation_destroy(struct reservation *reservation)
{
	if (reservation->base)
		calls->unmap(reservation->base, reservation->size);
	free(reservation->extents);
	memset(reservation, 0, sizeof(*reservation));
}

static int reservation_check(const struct reservation *reservation,
			     struct range range)
{
	if (range.start > range.end || range.end > reservation->size ||
	    !range_aligned(range, RANGE_PAGE_SIZE))
		return -EINVAL;
	return 0;
}

/* So that nothing can fail once the kernel has changed the mappings. */
static int reservation_grow(struct reservation *reservation)
{
	unsigned int max = 2 * reservation->max_extents + 8;
	struct extent *extents;

	/* A mapping in the middle of an extent makes three of it. */
	if (reservation->nr_extents + 2 <= reservation->max_extents)
		return 0;
	extents = reallocarray(reservation->extents, max, sizeof(*extents));
	if (!extents)
		return -ENOMEM;
	reservation->extents = extents;
	reservation->max_extents = max;
	return 0;
}

static void extent_insert(struct reservation *reservation, unsigned int at,
			  struct extent extent)
{
	struct extent *extents = reservation->extents;

	memmove(&extents[at + 1], &extents[at],
		(reservation->nr_extents - at) * sizeof(*extents));
	extents[at] = extent;
	reservation->nr_extents++;
}

static void extent_remove(struct reservation *reservation, unsigned int at)
{
	struct extent *extents = reservation->extents;

	reservation->nr_extents--;
	memmove(&extents[at], &extents[at + 1],
		(reservation->nr_extents - at) * sizeof(*extents));
}

/* The part of @extent from @start on. */
static struct extent extent_tail(struct extent extent, uint64_t start)
{
	extent.fd_offset += start - extent.range.start;
	extent.range.start = start;
	return extent;
}

/* Split the extent that @offset is in the middle of, if there is one. */
static void extent_split(struct reservation *reservation, uint64_t offset)
{
	for (unsigned int i = 0; i < reservation->nr_extents; i++) {
		struct extent *extent = &reservation->extents[i];

		if (extent->range.start >= offset || extent->range.end <= offset)
			continue;
		extent_insert(reservation, i + 1, extent_tail(*extent, offset));
		reservation->extents[i].range.end = offset;
		return;
	}
}

/* Forget what was mapped in @range. Return: where in the list that was. */
static unsigned int extent_forget(struct reservation *reservation,
				  struct range range)
{
	unsigned int at = 0;

	extent_split(reservation, range.start);
	extent_split(reservation, range.end);
	while (at < reservation->nr_extents &&
	       reservation->extents[at].range.end <= range.start)
		at++;
	while (at < reservation->nr_extents &&
	       range_overlaps(reservation->extents[at].range, range))
		extent_remove(reservation, at);
	return at;
}

int reservation_unmap(struct reservation *reservation, struct range range)
{
	int rc = reservation_check(reservation, range);

	if (rc || !range_size(range))
		return -EINVAL;
	rc = reservation_grow(reservation);
	if (rc)
		return rc;
	rc = calls->map_at(reservation->base + range.start, range_size(range),
			   PROT_NONE, FLAGS_EMPTY, -1, 0);
	if (!rc)
		extent_forget(reservation, range);
	return rc;
}

int reservation_map(struct reservation *reservation, const struct extent *extent)
{
	int prot = PROT_READ | (extent->writable ? PROT_WRITE : 0);
	struct range range = extent->range;
	int flags = MAP_SHARED;
	int rc = reservation_check(reservation, range);

	if (rc || !range_size(range) || !extent->page_size)
		return -EINVAL;
	rc = reservation_grow(reservation);
	if (rc)
		return rc;
	if (extent->fd < 0)
		flags = FLAGS_EMPTY;
	rc = calls->map_at(reservation->base + range.start, range_size(range),
			   prot, flags, extent->fd, extent->fd_offset);
	if (rc)
		return rc;
	extent_insert(reservation, extent_forget(reservation, range), *extent);
	if (extent->dump)
		return 0;
	rc = calls->advise(reservation->base + range.start, range_size(range),
			   MADV_DONTDUMP);
	if (rc)
		reservation_unmap(reservation, range);
	return rc;
}

typedef int (*extent_fn)(struct reservation *reservation,
			 const struct extent *extent);

/* Call @visit for the part of each extent that is in @range. */
static int extent_walk(struct reservation *reservation, struct range range,
		       extent_fn visit)
{
	int rc = 0;

	for (unsigned int i = 0; !rc && i < reservation->nr_extents; i++) {
		struct extent part = reservation->extents[i];

		if (!range_overlaps(part.range, range))
			continue;
		if (part.range.start < range.start)
			part = extent_tail(part, range.start);
		if (part.range.end > range.end)
			part.range.end = range.end;
		rc = visit(reservation, &part);
	}
	return rc;
}

static bool reservation_covered(const struct reservation *reservation,
				struct range range)
{
	for (unsigned int i = 0; i < reservation->nr_extents; i++) {
		struct range extent = reservation->extents[i].range;

		if (extent.start <= range.start && range.start < extent.end)
			range.start = extent.end;
	}
	return range.start >= range.end;
}

/* The checks of what works on memory that is there. */
static int reservation_check_mapped(const struct reservation *reservation,
				    struct range range)
{
	int rc = reservation_check(reservation, range);

	if (rc)
		return rc;
	return reservation_covered(reservation, range) ? 0 : -EFAULT;
}

/*
 * fallocate() can fail for want of memory; a page fault later on would be a
 * SIGBUS, or the end of the process.
 */
static int extent_commit(struct reservation *reservation,
			 const struct extent *extent)
{
	uint64_t size = range_size(extent->range);
	int rc = -EOPNOTSUPP;

	if (extent->fd >= 0)
		rc = calls->allocate(extent->fd, extent->fd_offset, size);
	if (rc != -EOPNOTSUPP)
		return rc;
	return calls->advise(reservation->base + extent->range.start, size,
			     MADV_POPULATE_WRITE);
}

int reservation_commit(struct reservation *reservation, struct range range)
{
	int rc = reservation_check_mapped(reservation, range);

	return rc ? rc : extent_walk(reservation, range, extent_commit);
}

static int extent_check_whole(struct reservation *reservation,
			      const struct extent *extent)
{
	(void)reservation;
	return range_aligned(extent->range, extent->page_size) ? 0 : -EINVAL;
}

static int extent_decommit(struct reservation *reservation,
			   const struct extent *extent)
{
	uint8_t *host = reservation->base + extent->range.start;
	uint64_t size = range_size(extent->range);
	int rc;

	if (extent->fd >= 0)
		return calls->punch(extent->fd, extent->fd_offset, size);
	rc = calls->advise(host, size, MADV_DONTNEED);
	/* Memory that is locked: a hole in a file does not ask for that either. */
	return rc == -EINVAL ? calls->advise(host, size, MADV_DONTNEED_LOCKED) : rc;
}

int reservation_decommit(struct reservation *reservation, struct range range)
{
	int rc = reservation_check(reservation, range);

	if (!rc)
		rc = extent_walk(reservation, range, extent_check_whole);
	return rc ? rc : extent_walk(reservation, range, extent_decommit);
}

int reservation_advise_huge(struct reservation *reservation,
			    struct range range)
{
	int rc = reservation_check(reservation, range);

	if (rc || !range_size(range))
		return rc;
	return calls->advise(reservation->base + range.start, range_size(range),
			     MADV_HUGEPAGE);
}

int reservation_bind_node(struct reservation *reservation, struct range range,
			  unsigned int node)
{
	int rc = reservation_check(reservation, range);

	if (rc || !range_size(range))
		return rc;
	return calls->bind_node(reservation->base + range.start,
				range_size(range), node);
}

/* For people who read smaps: that a kernel cannot do it is no failure. */
void reservation_set_name(struct reservation *reservation, struct range range,
			  const char *name)
{
	if (reservation_check(reservation, range) || !range_size(range))
		return;
	calls->name(reservation->base + range.start, range_size(range), name);
}

const struct extent *reservation_find(const struct reservation *reservation,
				      uint64_t offset)
{
	for (unsigned int i = 0; i < reservation->nr_extents; i++) {
		const struct extent *extent = &reservation->extents[i];

		if (extent->range.start <= offset && offset < extent->range.end)
			return extent;
	}
	return NULL;
}
