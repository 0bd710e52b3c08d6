/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages that are in the guest's balloon. They are decommitted and recorded. Pages of free page
 * reporting are decommitted but not recorded, because the guest can use them again without
 * notice.
 *
 * A huge page is decommitted when all of its pages are given, and allocated again before the
 * first of them is used.
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
 * @lock: protects the following members; held during a decommit
 * @map: one bit for each page of the guest's addresses; empty without a balloon
 * @nr_pages: number of pages in @map
 * @count: number of given pages
 * @failed: pages that could not be decommitted, or not be allocated again
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

/** given_add() - the guest does not use @range any more; pages that are not RAM are ignored */
void given_add(struct given *given, struct range range);

/** given_take() - the guest is about to use @range, which reads as zero */
void given_take(struct given *given, struct range range);

/** given_take_all() - the guest was reset, and may use all pages again */
void given_take_all(struct given *given);

/** given_count() - bytes that are given now; @failed: out, bytes */
uint64_t given_count(struct given *given, uint64_t *failed);

/**
 * given_once() - decommit pages that the guest may use again without notice
 *
 * Return: bytes of @range that were decommitted: whole huge pages only.
 */
uint64_t given_once(struct given *given, struct range range);

/**
 * given_clip() - the part of @range around the page at @gpa without given pages
 *
 * If that page itself is given, only this page.
 */
struct range given_clip(struct given *given, uint64_t gpa, struct range range);

/* As a record of @type. Return: 0; -EBADMSG. */
void given_get(struct given *given, struct tlv *records, uint32_t type);
int given_set(struct given *given, const struct tlv *records, uint32_t type);

#endif /* GMEMCTL_MEMORY_GIVEN_H */
