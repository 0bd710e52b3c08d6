/* SPDX-License-Identifier: GPL-2.0 */
/* A bit for each page: whether it is private. */
#ifndef GMEMCTL_MEMORY_PAGE_MAP_H
#define GMEMCTL_MEMORY_PAGE_MAP_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct page_map - a bit for each page
 * @words: 64 pages each
 *
 * Threads may set disjoint ranges at the same time, and read whatever they like.
 */
struct page_map {
	uint64_t *words;
};

/** page_map_create() - all pages are @value. Return: 0 or -ENOMEM. */
int page_map_create(struct page_map *map, uint64_t pages, bool value);
void page_map_destroy(struct page_map *map);

bool page_map_get(const struct page_map *map, uint64_t page);

/** page_map_set() - set the pages [@first, @end), which are in the map, to @value */
void page_map_set(struct page_map *map, uint64_t first, uint64_t end, bool value);

/**
 * page_map_run() - where the run ends, at @end at the latest, that begins at @page
 * @value: out: what its pages are. While others set them, each was that when it was looked at,
 *	and the run has one page at least.
 */
uint64_t page_map_run(const struct page_map *map, uint64_t page, uint64_t end, bool *value);

#endif /* GMEMCTL_MEMORY_PAGE_MAP_H */
