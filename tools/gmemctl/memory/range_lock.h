/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who may work on a range: threads with overlapping ranges take turns, others
 * work in parallel.
 */
#ifndef GMEMCTL_MEMORY_RANGE_LOCK_H
#define GMEMCTL_MEMORY_RANGE_LOCK_H

#include <pthread.h>
#include <stdint.h>

#include "range.h"

#define RANGE_LOCK_MAX 16

/**
 * struct range_lock - ranges being worked on
 * @lock: protects what follows
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

/** range_lock_enter() - wait for a turn on a range. Return: for range_lock_leave(). */
struct range *range_lock_enter(struct range_lock *lock, struct range range);
void range_lock_leave(struct range_lock *lock, struct range *entry);

/** range_lock_ended() - number of turns that have ended so far */
uint64_t range_lock_ended(struct range_lock *lock);

/** range_lock_wait_idle() - the same, once nobody has a turn */
uint64_t range_lock_wait_idle(struct range_lock *lock);

#endif /* GMEMCTL_MEMORY_RANGE_LOCK_H */
