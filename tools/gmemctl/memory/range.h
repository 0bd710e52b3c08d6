/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ranges of addresses or offsets in bytes, the end excluded. And range locks: threads
 * with overlapping ranges take turns, others work in parallel.
 */
#ifndef GMEMCTL_MEMORY_RANGE_H
#define GMEMCTL_MEMORY_RANGE_H

#include <pthread.h>
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

#define RANGE_LOCK_MAX 16

/**
 * struct range_lock - the ranges that threads have locked
 * @lock: protects the following members
 * @idle: signalled when a range leaves @busy
 * @busy: the ranges; the others are empty
 * @nr_busy: entries of @busy in use
 * @ended: turns that have ended
 */
struct range_lock {
	pthread_mutex_t lock;
	pthread_cond_t idle;
	struct range busy[RANGE_LOCK_MAX];
	unsigned int nr_busy;
	uint64_t ended;
};

#define RANGE_LOCK_INITIALIZER \
	{ .lock = PTHREAD_MUTEX_INITIALIZER, .idle = PTHREAD_COND_INITIALIZER }

void range_lock_init(struct range_lock *lock);
void range_lock_destroy(struct range_lock *lock);

/**
 * range_lock_enter() - wait for a turn on a range
 * @range: not backwards; on an empty one nobody waits for anybody
 *
 * Return: for range_lock_leave().
 */
struct range *range_lock_enter(struct range_lock *lock, struct range range);
void range_lock_leave(struct range_lock *lock, struct range *entry);

/** range_lock_ended() - number of turns that have ended so far */
uint64_t range_lock_ended(struct range_lock *lock);

/** range_lock_wait_idle() - wait until no range is locked. Return: as range_lock_ended(). */
uint64_t range_lock_wait_idle(struct range_lock *lock);

#endif /* GMEMCTL_MEMORY_RANGE_H */
