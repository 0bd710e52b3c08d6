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
#define NAME_PRIVATE	"guest-ram-private"
#define FLAGS_EMPTY (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)

/* Unmap what was reserved only for the alignment. */
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
	uint64_t least, total;
	void *address;
	int rc;

	memset(reservation, 0, sizeof(*reservation));
	if (!size || (alignment & (alignment - 1)))
		return -EINVAL;
	least = size >= SIZE_1G ? SIZE_1G : size >= SIZE_2M ? SIZE_2M : RANGE_PAGE_SIZE;
	alignment = alignment > least ? alignment : least;
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

/* Insert an extent in the order of addresses. */
static void extent_insert(struct reservation *reservation, const struct extent *extent)
{
	struct extent *extents = reservation->extents;
	unsigned int at = reservation->nr_extents++;

	for (; at && extents[at - 1].range.start > extent->range.start; at--)
		extents[at] = extents[at - 1];
	extents[at] = *extent;
}

/*
 * It is an error if memory cannot be bound to the node. But MADV_HUGEPAGE is only a hint,
 * which the kernel may ignore, so its errors are ignored.
 */
static int extent_apply_policy(const struct extent *extent, uint8_t *host, uint64_t size)
{
	int rc = extent->dump ? 0 : calls->advise(host, size, MADV_DONTDUMP);

	if (rc)
		return rc;
	if (extent->fd < 0)
		calls->name(host, size, NAME_PRIVATE);
	if (extent->fd < 0 && extent->node >= 0)
		rc = calls->bind_node(host, size, (unsigned int)extent->node);
	if (extent->thp)
		calls->advise(host, size, MADV_HUGEPAGE);
	return rc;
}

int reservation_map(struct reservation *reservation, const struct extent *extent)
{
	int prot = PROT_READ | (extent->writable ? PROT_WRITE : 0);
	uint8_t *host = reservation->base + extent->range.start;
	uint64_t size = range_size(extent->range);
	struct extent *extents;
	int rc;

	if (!range_valid(extent->range) || extent->range.end > reservation->size ||
	    !extent->page_size)
		return -EINVAL;
	for (unsigned int i = 0; i < reservation->nr_extents; i++)
		if (range_overlaps(reservation->extents[i].range, extent->range))
			return -EEXIST;
	extents = reallocarray(reservation->extents, reservation->nr_extents + 1,
			       sizeof(*extents));
	if (!extents)
		return -ENOMEM;
	reservation->extents = extents;
	rc = calls->map_at(host, size, prot, extent->fd < 0 ? FLAGS_EMPTY : MAP_SHARED,
			   extent->fd, extent->fd_offset);
	if (rc)
		return rc;
	rc = extent_apply_policy(extent, host, size);
	if (rc)
		calls->map_at(host, size, PROT_NONE, FLAGS_EMPTY, -1, 0);
	else
		extent_insert(reservation, extent);
	return rc;
}

/* Return: 0; -EFAULT if a part is not mapped; -EINVAL if it is not whole pages. */
static int reservation_check(const struct reservation *reservation, struct range range)
{
	uint64_t at = range.start;

	for (unsigned int i = 0; i < reservation->nr_extents; i++) {
		struct range extent = reservation->extents[i].range;

		if (extent.start <= at && at < extent.end)
			at = extent.end;
	}
	if (range.start > range.end || at < range.end)
		return -EFAULT;
	return range.end > reservation->size || !range_aligned(range, RANGE_PAGE_SIZE) ?
	       -EINVAL : 0;
}

typedef int (*extent_fn)(struct reservation *reservation,
			 const struct extent *extent);

/* Call @visit for the part of each extent that is in @range. */
static int extent_walk(struct reservation *reservation, struct range range,
		       extent_fn visit)
{
	int rc = 0;

	for (unsigned int i = 0; !rc && i < reservation->nr_extents; i++) {
		const struct extent *whole = &reservation->extents[i];
		struct extent part = *whole;

		if (!range_overlaps(whole->range, range))
			continue;
		part.range = range_clip(whole->range, range);
		part.fd_offset += part.range.start - whole->range.start;
		rc = visit(reservation, &part);
	}
	return rc;
}

/*
 * fallocate() returns an error if there is no memory. A later page fault would be a SIGBUS
 * or end the process.
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
	int rc = reservation_check(reservation, range);

	return rc ? rc : extent_walk(reservation, range, extent_commit);
}

static int extent_check_whole(struct reservation *reservation,
			      const struct extent *extent)
{
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
	/* The memory is locked. Punching a hole in a file ignores that, so do the same here. */
	return rc == -EINVAL ? calls->advise(host, size, MADV_DONTNEED_LOCKED) : rc;
}

int reservation_decommit(struct reservation *reservation, struct range range)
{
	int rc = reservation_check(reservation, range);

	if (!rc)
		rc = extent_walk(reservation, range, extent_check_whole);
	return rc ? rc : extent_walk(reservation, range, extent_decommit);
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
