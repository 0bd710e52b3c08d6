/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contents of a page that are nowhere in memory but where they are written, and core
 * dumps to look for them in.
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
	char old[256];		/* where they went before */
};

/* A child runs @fn and dumps core: 0 or a negative errno. */
int core_take(struct core *core, void (*fn)(void *arg), void *arg);
/* How often the dump has the beginning of a pattern. */
size_t core_count(const struct core *core, uint64_t seed);
void core_drop(struct core *core);

#endif /* PATTERN_H */
