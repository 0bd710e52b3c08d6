// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "range.h"

void range_lock_init(struct range_lock *lock)
{
	memset(lock, 0, sizeof(*lock));
	pthread_mutex_init(&lock->lock, NULL);
	pthread_cond_init(&lock->idle, NULL);
}

void range_lock_destroy(struct range_lock *lock)
{
	pthread_cond_destroy(&lock->idle);
	pthread_mutex_destroy(&lock->lock);
}

static bool is_busy(const struct range_lock *lock, struct range range)
{
	for (unsigned int i = 0; i < RANGE_LOCK_MAX; i++)
		if (range_overlaps(lock->busy[i], range))
			return true;
	return false;
}

static struct range *find_free(struct range_lock *lock)
{
	for (unsigned int i = 0; i < RANGE_LOCK_MAX; i++)
		if (!range_size(lock->busy[i]))
			return &lock->busy[i];
	return NULL;
}

struct range *range_lock_enter(struct range_lock *lock, struct range range)
{
	struct range *entry;

	/* An entry for an empty range would count as free, and another thread would use it, too. */
	if (!range_size(range))
		return NULL;
	pthread_mutex_lock(&lock->lock);
	while (is_busy(lock, range) ||
	       !(entry = find_free(lock)))
		pthread_cond_wait(&lock->idle, &lock->lock);
	*entry = range;
	lock->nr_busy++;
	pthread_mutex_unlock(&lock->lock);
	return entry;
}

void range_lock_leave(struct range_lock *lock, struct range *entry)
{
	if (!entry)
		return;
	pthread_mutex_lock(&lock->lock);
	*entry = (struct range){ 0, 0 };
	lock->nr_busy--;
	__atomic_add_fetch(&lock->ended, 1, __ATOMIC_RELEASE);
	pthread_cond_broadcast(&lock->idle);
	pthread_mutex_unlock(&lock->lock);
}

uint64_t range_lock_ended(struct range_lock *lock)
{
	return __atomic_load_n(&lock->ended, __ATOMIC_ACQUIRE);
}

uint64_t range_lock_wait_idle(struct range_lock *lock)
{
	uint64_t ended;

	pthread_mutex_lock(&lock->lock);
	while (lock->nr_busy)
		pthread_cond_wait(&lock->idle, &lock->lock);
	ended = lock->ended;
	pthread_mutex_unlock(&lock->lock);
	return ended;
}
