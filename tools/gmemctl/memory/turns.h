/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who may work on a range: threads with overlapping ranges take turns, others
 * work in parallel.
 */
#ifndef GMEMCTL_MEMORY_TURNS_H
#define GMEMCTL_MEMORY_TURNS_H

#include <pthread.h>
#include <stdint.h>

#include "range.h"

#define TURNS_MAX 16

/**
 * struct turns - ranges being worked on
 * @lock: protects what follows
 * @idle: signalled when a range leaves @busy
 * @busy: the ranges; the others are empty
 * @nr_busy: entries of @busy in use
 * @ended: turns that have ended
 */
struct turns {
	pthread_mutex_t lock;
	pthread_cond_t idle;
	struct range busy[TURNS_MAX];
	unsigned int nr_busy;
	uint64_t ended;
};

#define TURNS_INITIALIZER \
	{ .lock = PTHREAD_MUTEX_INITIALIZER, .idle = PTHREAD_COND_INITIALIZER }

void turns_init(struct turns *turns);
void turns_destroy(struct turns *turns);

/** turns_enter() - wait for a turn on a range. Return: for turns_leave(). */
struct range *turns_enter(struct turns *turns, struct range range);
void turns_leave(struct turns *turns, struct range *entry);

/** turns_ended() - number of turns that have ended so far */
uint64_t turns_ended(struct turns *turns);

/** turns_wait_idle() - the same, once nobody has a turn */
uint64_t turns_wait_idle(struct turns *turns);

#endif /* GMEMCTL_MEMORY_TURNS_H */
