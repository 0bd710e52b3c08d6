/* SPDX-License-Identifier: GPL-2.0 */
/* Which pages of a guest's RAM are populated. */
#ifndef GMEMCTL_MEMORY_POPULATED_H
#define GMEMCTL_MEMORY_POPULATED_H

#include <stdint.h>

#include "backing.h"

/** POPULATED_PAGES: how many pages can be asked for at once */
#define POPULATED_PAGES 65536

/**
 * populated_pages() - look at a part of a backing
 * @host: where this process has it mapped
 * @offset: of the part in the backing
 * @count: pages, at most POPULATED_PAGES
 * @out: one byte per page, 1: populated, also if swapped out
 *
 * Return: 0, or a negative errno.
 */
int populated_pages(const struct backing *backing, const uint8_t *host,
		    uint64_t offset, uint64_t count, uint8_t *out);

#endif /* GMEMCTL_MEMORY_POPULATED_H */
