/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _GMEM_GUEST_INTERNAL_H
#define _GMEM_GUEST_INTERNAL_H

#ifdef pr_fmt
#undef pr_fmt
#endif
#define pr_fmt(fmt) "gmem_guest: " fmt

#include <linux/types.h>

#include "../compat.h"
#include "../include/linux/gmem_guest.h"

/* Enough for the pieces of RAM of a usual machine. */
#define GMEM_GUEST_RANGES 32

/* Pages for one request: 2 MiB */
#define GMEM_GUEST_RUN 512UL

/**
 * struct gmem_guest_range - page frames of this guest
 * @start: the first
 * @end: the one after the last, above @start
 */
struct gmem_guest_range {
	unsigned long start;
	unsigned long end;
};

/**
 * struct gmem_guest_ranges - ranges of page frames, in any order
 * @count: number of ranges
 * @range: the ranges, which may overlap
 */
struct gmem_guest_ranges {
	unsigned int count;
	struct gmem_guest_range range[GMEM_GUEST_RANGES];
};

/**
 * struct gmem_guest_want - the pages that are to be private
 * @movable: all of ZONE_MOVABLE; @private is not used
 * @private: otherwise these ranges, whose pages must all be in ZONE_MOVABLE
 * @shared: ranges of them that stay shared
 */
struct gmem_guest_want {
	bool movable;
	struct gmem_guest_ranges private;
	struct gmem_guest_ranges shared;
};

/* ranges.c */
int gmem_guest_ranges_parse(const char *text, struct gmem_guest_ranges *ranges);
bool gmem_guest_ranges_have(const struct gmem_guest_ranges *ranges, unsigned long pfn);
int gmem_guest_ranges_show(char *buffer, int at, struct gmem_guest_range range);

/* pages.c */
int gmem_guest_page_may(unsigned long pfn);
int gmem_guest_ranges_ram(struct gmem_guest_ranges *ranges);

/* private.c */
int gmem_guest_private_set(const struct gmem_guest_want *want);
int gmem_guest_private_end(void);
void gmem_guest_private_free(void);
bool gmem_guest_private_in(unsigned long start, unsigned long end);
bool gmem_guest_private_leave(unsigned long start, unsigned long end);
void gmem_guest_private_left(void);
unsigned long gmem_guest_private_pages(void);
int gmem_guest_private_show(char *buffer);

/* call.c */
int gmem_guest_call_init(void);

/* devices.c */
int gmem_guest_devices_check(void);

#endif /* _GMEM_GUEST_INTERNAL_H */
