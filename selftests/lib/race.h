/* SPDX-License-Identifier: GPL-2.0 */
#ifndef GMEM_LIB_RACE_H
#define GMEM_LIB_RACE_H

#include <stdint.h>

/**
 * struct race - accesses that race with conversions
 * @fd: the memory, all of it shared
 * @offset: of what is converted to and fro
 * @length: of that
 * @p: a mapping of it, for the attacker
 * @view: the view that @p is a mapping of, or -1
 * @attack: access the page at @p, which is one of @p; 0 if that succeeds
 * @rng: of the attacker
 * @pipe: for system calls, does not block
 * @end_ms: when both stop
 * @sequence: odd while all is private
 * @tried: accesses
 * @succeeded: those that succeeded
 * @violations: those that succeeded while all was private
 *
 * One thread converts to and fro. It makes @sequence odd when a conversion to private has
 * returned and even before it converts back. The attacker on the other CPU accesses the
 * pages: an access that succeeds between two looks at the same odd number is a violation.
 */
struct race {
	int fd;
	uint64_t offset;
	uint64_t length;
	uint8_t *p;
	int view;
	int (*attack)(struct race *r, uint8_t *p);
	uint64_t rng;
	int pipe[2];
	uint64_t end_ms;
	volatile uint64_t sequence;
	uint64_t tried;
	uint64_t succeeded;
	uint64_t violations;
};

void *race_attacker_main(void *race);
void race_run(struct race *r);

/* The ways that lead to a mapping of gmem and of a view. */
int race_load(struct race *r, uint8_t *p);
int race_store(struct race *r, uint8_t *p);
int race_write(struct race *r, uint8_t *p);

#endif
