/* SPDX-License-Identifier: GPL-2.0 */
/* Bytes, and little-endian numbers at any alignment: files and tables of the firmware. */
#ifndef GMEMCTL_BASE_BYTES_H
#define GMEMCTL_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t bytes_get16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t bytes_get32(const uint8_t *at)
{
	return bytes_get16(at) | (uint32_t)bytes_get16(at + 2) << 16;
}

static inline uint64_t bytes_get64(const uint8_t *at)
{
	return bytes_get32(at) | (uint64_t)bytes_get32(at + 4) << 32;
}

static inline void bytes_put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static inline void bytes_put32(uint8_t *at, uint32_t value)
{
	bytes_put16(at, (uint16_t)value);
	bytes_put16(at + 2, (uint16_t)(value >> 16));
}

static inline void bytes_put64(uint8_t *at, uint64_t value)
{
	bytes_put32(at, (uint32_t)value);
	bytes_put32(at + 4, (uint32_t)(value >> 32));
}

static inline bool bytes_are_zero(const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	while (size--)
		if (*at++)
			return false;
	return true;
}

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

#endif /* GMEMCTL_BASE_BYTES_H */
