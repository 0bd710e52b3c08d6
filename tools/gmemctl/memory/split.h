/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The first MiB of a PC: RAM in pieces that a chipset shows, hides or makes
 * read-only one by one.
 */
#ifndef GMEMCTL_MEMORY_SPLIT_H
#define GMEMCTL_MEMORY_SPLIT_H

#include <stdbool.h>

#include "range.h"

/**
 * SPLIT_REGIONS: low RAM, the VGA window, 12 PAM windows of 16 KiB from c0000 to
 * effff, the BIOS at f0000, and what is above 1 MiB
 */
#define SPLIT_REGIONS 16

#define SPLIT_END UINT64_C(0x100000)

/** split_possible() - whether a range of RAM can be split: from 0, 1 MiB */
static inline bool split_possible(struct range range)
{
	return !range.start && range.end >= SPLIT_END;
}

/**
 * split_ram() - the pieces of the first range of RAM
 *
 * Return: how many there are: SPLIT_REGIONS, or one less if nothing is above.
 */
unsigned int split_ram(struct range range, struct range out[SPLIT_REGIONS]);

#endif /* GMEMCTL_MEMORY_SPLIT_H */
