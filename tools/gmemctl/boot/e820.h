/* SPDX-License-Identifier: GPL-2.0 */
/* Where a PC has RAM, and what its firmware says about it. */
#ifndef GMEMCTL_BOOT_E820_H
#define GMEMCTL_BOOT_E820_H

#include <stdint.h>
#include <asm/bootparam.h>

#include "../memory/range.h"

#define E820_RAM	1
#define E820_RESERVED	2

/* The hole of the first MiB: EBDA, VGA, option ROMs, BIOS. */
#define E820_EBDA_START	UINT64_C(0x9fc00)
#define E820_VGA_START	UINT64_C(0xa0000)
#define E820_BIOS_START	UINT64_C(0xf0000)
#define E820_HOLE_END	UINT64_C(0x100000)

/** E820_LOW_END: RAM stops here, and goes on at 4 GiB: devices are in between */
#define E820_LOW_END	(UINT64_C(3) << 30)
#define E820_HIGH_START	(UINT64_C(4) << 30)

#define E820_PLACES 2

/**
 * e820_place() - where RAM of a size is
 *
 * Return: number of ranges: 0 for none, for part of a page, or if it would not
 * fit into 64 bits of addresses.
 */
unsigned int e820_place(uint64_t size, struct range out[E820_PLACES]);

/**
 * e820_build() - the memory map for these ranges of RAM
 * @ram: in ascending order
 *
 * RAM, but for the hole of the first MiB; of that, EBDA and BIOS are said to be
 * reserved. The rest of the holes is not mentioned, so devices may go there.
 *
 * Return: number of entries, at most @max; -E2BIG if there would be more.
 */
int e820_build(const struct range *ram, unsigned int nr_ram,
	       struct boot_e820_entry *out, unsigned int max);

#endif /* GMEMCTL_BOOT_E820_H */
