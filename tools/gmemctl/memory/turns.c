// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "turns.h"

void turns_init(struct turns *turns)
{
	memset(turns, 0, sizeof(*turns));
	pthread_mutex_init(&turns->lock, NULL);
	pthread_cond_init(&turns->idle, NULL);
}

void turns_destroy(struct turns *turns)
{
	pthread_cond_destroy(&turns->idle);
	pthread_mutex_destroy(&turns->lock);
}

static bool turns_overlap(const struct turns *turns, struct range range)
{
	for (unsigned int i = 0; i < TURNS_MAX; i++)
		if (range_overlaps(turns->busy[i], range))
			return true;
	return false;
}

static struct range *turns_find_free(struct turns *turns)
{
	for (unsigned int i = 0; i < TURNS_MAX; i++)
		if (!range_size(turns->busy[i]))
			return &turns->busy[i];
	return NULL;
}

struct range *turns_enter(struct turns *turns, struct range range)
{
	struct range *entry;

	pthread_mutex_lock(&turns->lock);
	while (turns_overlap(turns, range) ||
	       !(entry = turns_find_free(turns)))
		pthread_cond_wait(&turns->idle, &turns->lock);
	*entry = range;
	turns->nr_busy++;
	pthread_mutex_unlock(&turns->lock);
	return entry;
}

void turns_leave(struct turns *turns, struct range *entry)
{
	pthread_mutex_lock(&turns->lock);
	*entry = (struct range){ 0, 0 };
	turns->nr_busy--;
	__atomic_add_fetch(&turns->ended, 1, __ATOMIC_RELEASE);
	pthread_cond_broadcast(&turns->idle);
	pthread_mutex_unlock(&turns->lock);
}

uint64_t turns_ended(struct turns *turns)
{
	return __atomic_load_n(&turns->ended, __ATOMIC_ACQUIRE);
}

uint64_t turns_wait_idle(struct turns *turns)
{
	uint64_t ended;

	pthread_mutex_lock(&turns->lock);
	while (turns->nr_busy)
		pthread_cond_wait(&turns->idle, &turns->lock);
	ended = turns->ended;
	pthread_mutex_unlock(&turns->lock);
	return ended;
}
