// SPDX-License-Identifier: GPL-2.0
#include "range.h"

#define VGA_START	UINT64_C(0xa0000)
#define PAM_START	UINT64_C(0xc0000)
#define PAM_SIZE	UINT64_C(0x4000)
#define BIOS_START	UINT64_C(0xf0000)

unsigned int split_ram(struct range range, struct range out[SPLIT_REGIONS])
{
	unsigned int count = 0;

	out[count++] = (struct range){ 0, VGA_START };
	out[count++] = (struct range){ VGA_START, PAM_START };
	for (uint64_t at = PAM_START; at < BIOS_START; at += PAM_SIZE)
		out[count++] = (struct range){ at, at + PAM_SIZE };
	out[count++] = (struct range){ BIOS_START, SPLIT_END };
	if (range.end > SPLIT_END)
		out[count++] = (struct range){ SPLIT_END, range.end };
	return count;
}
