// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "page_map.h"

#define WORD_BITS 64

int page_map_create(struct page_map *map, uint64_t pages, bool value)
{
	uint64_t words = (pages + WORD_BITS - 1) / WORD_BITS;

	map->words = calloc(words ? words : 1, sizeof(*map->words));
	if (!map->words)
		return -ENOMEM;
	if (value)
		memset(map->words, 0xff, words * sizeof(*map->words));
	return 0;
}

void page_map_destroy(struct page_map *map)
{
	free(map->words);
	map->words = NULL;
}

static uint64_t word_get(const struct page_map *map, uint64_t page)
{
	return __atomic_load_n(&map->words[page / WORD_BITS], __ATOMIC_RELAXED);
}

bool page_map_get(const struct page_map *map, uint64_t page)
{
	return word_get(map, page) >> page % WORD_BITS & 1;
}

/* Others may set other pages of the first word and of the last. */
void page_map_set(struct page_map *map, uint64_t first, uint64_t end, bool value)
{
	uint64_t next, bits;

	for (; first < end; first = next) {
		next = (first / WORD_BITS + 1) * WORD_BITS;
		bits = UINT64_MAX << first % WORD_BITS;
		if (next > end) {
			bits &= UINT64_MAX >> (next - end);
			next = end;
		}
		if (value)
			__atomic_fetch_or(&map->words[first / WORD_BITS], bits, __ATOMIC_RELAXED);
		else
			__atomic_fetch_and(&map->words[first / WORD_BITS], ~bits,
					   __ATOMIC_RELAXED);
	}
}

/* The first word is looked at once: its value, and how far it goes, are of one moment. */
uint64_t page_map_run(const struct page_map *map, uint64_t page, uint64_t end, bool *value)
{
	uint64_t word = page < end ? word_get(map, page) : 0, others;

	*value = word >> page % WORD_BITS & 1;
	while (page < end) {
		/* A bit for each page that differs, from this one on */
		others = (word ^ (*value ? UINT64_MAX : 0)) >> page % WORD_BITS;
		if (others) {
			page += (uint64_t)__builtin_ctzll(others);
			break;
		}
		page = (page / WORD_BITS + 1) * WORD_BITS;
		word = page < end ? word_get(map, page) : 0;
	}
	return page < end ? page : end;
}
