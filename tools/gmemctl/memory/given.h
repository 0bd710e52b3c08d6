/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages that a guest does not use: it has given them to its balloon, and they are
 * decommitted. What the guest gives up only for now, as with free page reporting, is
 * decommitted too, but not remembered.
 *
 * Memory of huge pages comes and goes in these: one is given back once all of it is
 * given, and is taken from the pool again before the first page of it is used.
 */
#ifndef GMEMCTL_MEMORY_GIVEN_H
#define GMEMCTL_MEMORY_GIVEN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/error.h"
#include "../base/tlv.h"
#include "guest_memory.h"

/**
 * struct given - the pages
 * @memory: the guest's
 * @lock: protects what follows; a decommit is done with it held
 * @map: whether each page of the guest's addresses is given; empty: none ever is
 * @nr_pages: so many there are
 * @count: pages that are given
 * @failed: pages that the host could not take, or get again
 */
struct given {
	struct guest_memory *memory;
	pthread_mutex_t lock;
	struct page_map map;
	uint64_t nr_pages;
	uint64_t count;
	uint64_t failed;
};

int given_init(struct given *given, struct guest_memory *memory,
	       struct error *error);
void given_destroy(struct given *given);

/** given_add() - the guest does not use @range any more; what is no RAM is left out */
void given_add(struct given *given, struct range range);

/** given_take() - the guest is about to use @range, which reads zero */
void given_take(struct given *given, struct range range);

/** given_take_all() - the guest has forgotten what it has given */
void given_take_all(struct given *given);

/** given_count() - bytes that are given now; @failed: out, bytes */
uint64_t given_count(struct given *given, uint64_t *failed);

/**
 * given_once() - decommit what the guest may use again without a word
 *
 * Return: bytes of @range that were decommitted: whole huge pages only.
 */
uint64_t given_once(struct given *given, struct range range);

/**
 * given_clip() - the part of @range around the page at @gpa of which nothing is given
 *
 * The page itself, if that is given.
 */
struct range given_clip(struct given *given, uint64_t gpa, struct range range);

/* As a record of @type. Return: 0; -EBADMSG. */
void given_get(struct given *given, struct tlv *records, uint32_t type);
int given_set(struct given *given, const struct tlv *records, uint32_t type);

#endif /* GMEMCTL_MEMORY_GIVEN_H */
