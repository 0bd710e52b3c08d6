// SPDX-License-Identifier: GPL-2.0
/*
 * Wrong words are reported immediately, because a guest may die before its answer. A
 * number alone does not show whether contents were lost, came late, or belong to another
 * page.
 */
#include <stdio.h>

#include "convert.h"

#define TOLD_MAX 8

static unsigned int told;

/* Start again with the next command. */
void wrong_forget(void)
{
	__atomic_store_n(&told, 0, __ATOMIC_RELAXED);
}

void wrong_tell(const struct memory *memory, const char *check,
		unsigned int page, unsigned int word, uint64_t found,
		uint64_t expected)
{
	const volatile uint64_t *now = memory_page(memory, page) + word;

	if (__atomic_fetch_add(&told, 1, __ATOMIC_RELAXED) >= TOLD_MAX)
		return;
	printf("gmem-guest: wrong: %s: page %u word %u: %#llx instead of %#llx, "
	       "now %#llx; %s, after %llu conversions\n", check, page, word,
	       (unsigned long long)found, (unsigned long long)expected,
	       (unsigned long long)*now, memory->state[page],
	       (unsigned long long)memory->conversions);
}
