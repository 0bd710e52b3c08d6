/* SPDX-License-Identifier: GPL-2.0 */
#ifndef GMEM_LIB_RACE_H
#define GMEM_LIB_RACE_H

#include <stdint.h>

/**
 * struct race - accesses that race with conversions
 * @fd: the memory, all of it shared
 * @offset: start of the range that is converted
 * @length: of this range
 * @p: a mapping of the range, for the attacker
 * @view: the view if @p is its mapping, or -1
 * @attack: access one of the pages of @p; returns 0 if the access succeeds
 * @rng: random state of the attacker
 * @pipe: non-blocking pipe for system calls
 * @end_ms: time at which both threads stop
 * @sequence: odd while the whole range is private
 * @tried: number of accesses
 * @succeeded: number of accesses that succeeded
 * @violations: number of accesses that succeeded while the range was private
 *
 * One thread converts in both directions. It makes @sequence odd when a conversion to private has
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

/* Accesses to a mapping of a gmem fd or of a view. */
int race_load(struct race *r, uint8_t *p);
int race_store(struct race *r, uint8_t *p);
int race_write(struct race *r, uint8_t *p);

#endif
