// SPDX-License-Identifier: GPL-2.0
/* The map of private pages, against an array of bytes. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../memory/page_map.h"
#include "ksft.h"

#define PAGES 200U

static struct page_map map;
static uint8_t bytes[PAGES];

static bool same_as_bytes(void)
{
	uint64_t end;

	for (uint64_t page = 0; page < PAGES; page++) {
		if (page_map_get(&map, page) != bytes[page])
			return false;
		for (end = page; end < PAGES && bytes[end] == bytes[page]; end++)
			;
		if (page_map_run(&map, page, PAGES) != end ||
		    page_map_run(&map, page, page) != page ||
		    page_map_run(&map, page, page + 1) != page + 1)
			return false;
	}
	return true;
}

TEST_OF(page_map, random)
{
	unsigned int seed = ksft_seed();

	for (int value = 0; value < 2; value++) {
		EXPECT_FALSE(page_map_create(&map, PAGES, value));
		memset(bytes, value, PAGES);
		EXPECT_TRUE(same_as_bytes());
		for (int i = 0; i < 300; i++) {
			uint64_t first = (uint64_t)rand_r(&seed) % (PAGES + 1);
			uint64_t pages = (uint64_t)rand_r(&seed) % (PAGES + 1 - first);
			bool to = rand_r(&seed) & 64;

			page_map_set(&map, first, first + pages, to);
			memset(bytes + first, to, pages);
			if (!same_as_bytes()) {
				EXPECT_EQ(first, first + pages);
				break;
			}
		}
		page_map_destroy(&map);
	}
	EXPECT_FALSE(page_map_create(&map, 0, true));
	EXPECT_EQ(page_map_run(&map, 0, 0), 0);
	page_map_destroy(&map);
}

/* Every second page of the same words */
static void *toggle(void *first)
{
	for (int i = 0; i < 20001; i++)
		for (uint64_t page = *(uint64_t *)first; page < 16; page += 2)
			page_map_set(&map, page, page + 1, !(i % 2));
	return NULL;
}

TEST_OF(page_map, neighbours)
{
	uint64_t even = 0, odd = 1;
	pthread_t thread;

	EXPECT_FALSE(page_map_create(&map, PAGES, false));
	EXPECT_FALSE(pthread_create(&thread, NULL, toggle, &odd));
	toggle(&even);
	pthread_join(thread, NULL);
	EXPECT_EQ(page_map_run(&map, 0, PAGES), 16);
	EXPECT_TRUE(page_map_get(&map, 15));
	page_map_destroy(&map);
}
