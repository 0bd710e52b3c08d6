/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contents of pages of /dev/gmem_guest_test, which the guest writes and the host
 * checks. A page has some counters, and then the same word again and again. The word
 * contains who may see it, the number of its page, and a generation.
 */
#ifndef GUEST_PAGES_H
#define GUEST_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "../../../module/test/guest/gmem_guest_test.h"

#define PAGE_BYTES	4096UL
#define PAGE_WORDS	(PAGE_BYTES / sizeof(uint64_t))
#define PAGE_COUNTERS	8	/* words in which threads count */
#define PAGES		(GMEM_GUEST_SIZE / PAGE_BYTES)

/*
 * The pages that the guest's command "alternate" makes private: first every other page
 * alone, and then some ranges. All others are shared.
 */
#define ALTERNATE_SINGLE 64
#define ALTERNATE_END	128

static inline bool alternate_is_private(unsigned int page)
{
	return page < ALTERNATE_SINGLE ? page % 2 : page < ALTERNATE_END;
}

/* Values that are not in memory by accident, and that differ in many bits. */
enum page_tag {
	TAG_SHOWN = 0x51a7,	/* the host may see it */
	TAG_SECRET = 0x9e3c,	/* written while the page is private only */
	TAG_ANSWER = 0xc4d2,	/* written by the host */
};

static inline uint64_t page_word(enum page_tag tag, unsigned int page,
				 uint32_t generation)
{
	return (uint64_t)tag << 48 | (uint64_t)page << 32 | generation;
}

static inline enum page_tag page_word_tag(uint64_t word)
{
	return (enum page_tag)(word >> 48);
}

/*
 * Whether a copy of a page that the guest is writing may contain @word. Copies are made
 * byte by byte: the kernel uses "rep movsb" if the CPU is fast at it. So a word that is
 * written at the same time can have old and new bytes. Each byte is checked alone; bytes
 * of the generation can have any value.
 */
static inline bool page_word_copied(uint64_t word, unsigned int page)
{
	uint8_t low = (uint8_t)(word >> 48), high = (uint8_t)(word >> 56);

	return (uint16_t)(word >> 32) == page &&
	       (low == (TAG_SHOWN & 0xff) || low == (TAG_SECRET & 0xff)) &&
	       (high == TAG_SHOWN >> 8 || high == TAG_SECRET >> 8);
}

static inline void page_fill(uint64_t *page, uint64_t word)
{
	for (unsigned int i = PAGE_COUNTERS; i < PAGE_WORDS; i++)
		page[i] = word;
}

/* Number of words in a page that differ from @word. */
static inline unsigned int page_differs(const uint64_t *page, uint64_t word)
{
	unsigned int wrong = 0;

	for (unsigned int i = PAGE_COUNTERS; i < PAGE_WORDS; i++)
		wrong += page[i] != word;
	return wrong;
}

#endif /* GUEST_PAGES_H */
