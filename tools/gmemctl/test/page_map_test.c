// SPDX-License-Identifier: GPL-2.0
/* The map of private pages, against an array of bytes. */
#include "../memory/guest_memfd.h"
#include "ksft.h"

#define PAGES 200U

static struct page_map map;
static uint8_t bytes[PAGES];

static bool same_as_bytes(void)
{
	uint64_t end;
	bool value;

	for (uint64_t page = 0; page < PAGES; page++) {
		if (page_map_get(&map, page) != bytes[page])
			return false;
		for (end = page; end < PAGES && bytes[end] == bytes[page]; end++)
			;
		if (page_map_run(&map, page, PAGES, &value) != end || value != bytes[page] ||
		    page_map_run(&map, page, page, &value) != page ||
		    page_map_run(&map, page, page + 1, &value) != page + 1 ||
		    value != bytes[page])
			return false;
	}
	return true;
}

TEST_OF(page_map, random)
{
	unsigned int seed = ksft_seed();
	bool none;

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
	EXPECT_EQ(page_map_run(&map, 0, 0, &none), 0);
	EXPECT_FALSE(none);
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
	bool value;

	EXPECT_FALSE(page_map_create(&map, PAGES, false));
	EXPECT_FALSE(pthread_create(&thread, NULL, toggle, &odd));
	toggle(&even);
	pthread_join(thread, NULL);
	EXPECT_EQ(page_map_run(&map, 0, PAGES, &value), 16);
	EXPECT_TRUE(value);
	EXPECT_TRUE(page_map_get(&map, 15));
	page_map_destroy(&map);
}

/* One page, until the test has seen enough */
static void *flicker(void *stop)
{
	for (int i = 0; !__atomic_load_n((bool *)stop, __ATOMIC_RELAXED); i++)
		page_map_set(&map, 70, 71, i % 2);
	return NULL;
}

/*
 * A run is of what its first page was, also when that changes meanwhile. It takes many runs for
 * one of them to meet the moment.
 */
TEST_OF(page_map, one_moment)
{
	bool stop = false, wrong = false, value;
	pthread_t thread;

	EXPECT_FALSE(page_map_create(&map, PAGES, false));
	EXPECT_FALSE(pthread_create(&thread, NULL, flicker, &stop));
	for (int i = 0; i < 10000000 && !wrong; i++)
		wrong = page_map_run(&map, 70, PAGES, &value) != (value ? 71 : PAGES);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_FALSE(wrong);
	page_map_destroy(&map);
}
