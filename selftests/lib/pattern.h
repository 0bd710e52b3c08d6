/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contents of a page that are nowhere else in memory, and core dumps in which to search
 * for them.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Byte @i of a page with the pattern. */
uint8_t pattern_byte(uint64_t seed, size_t i);
void pattern_put(volatile uint8_t *p, uint64_t seed);
bool pattern_is(const volatile uint8_t *p, uint64_t seed);

/* A file with a core dump. */
struct core {
	char path[64];
	char old[256];		/* the old core_pattern */
};

/* Run @fn in a child, which dumps core. Return: 0 or a negative errno. */
int core_take(struct core *core, void (*fn)(void *arg), void *arg);
/* Return: how often the beginning of the pattern is in the dump. */
size_t core_count(const struct core *core, uint64_t seed);
void core_drop(struct core *core);

#endif /* PATTERN_H */
