/* SPDX-License-Identifier: GPL-2.0 */
/* GUIDs as they are in memory: the first three numbers little-endian. */
#ifndef GMEMCTL_SNP_GUID_H
#define GMEMCTL_SNP_GUID_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define GUID_SIZE 16

struct guid {
	uint8_t bytes[GUID_SIZE];
};

/* 01234567-89ab-cdef-b0b1-b2b3b4b5b6b7 is GUID(0x01234567, 0x89ab, 0xcdef, ...) */
#define GUID(a, b, c, b0, b1, b2, b3, b4, b5, b6, b7) { { \
	(a) & 0xff, (a) >> 8 & 0xff, (a) >> 16 & 0xff, (a) >> 24 & 0xff, \
	(b) & 0xff, (b) >> 8 & 0xff, (c) & 0xff, (c) >> 8 & 0xff, \
	b0, b1, b2, b3, b4, b5, b6, b7 } }

static inline bool guid_is(const uint8_t *bytes, const struct guid *guid)
{
	return !memcmp(bytes, guid->bytes, GUID_SIZE);
}

#endif /* GMEMCTL_SNP_GUID_H */
