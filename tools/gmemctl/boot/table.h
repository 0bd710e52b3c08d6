/* SPDX-License-Identifier: GPL-2.0 */
/* Tables of firmware are written front to back, little-endian. */
#ifndef GMEMCTL_BOOT_TABLE_H
#define GMEMCTL_BOOT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct table - bytes being written
 * @bytes: where
 * @size: how many there may be
 * @used: how many there are
 * @full: something did not fit; nothing is written from then on
 */
struct table {
	uint8_t *bytes;
	size_t size;
	size_t used;
	bool full;
};

void table_put(struct table *table, const void *bytes, size_t size);
void table_zero(struct table *table, size_t size);
void table_u8(struct table *table, uint8_t value);
void table_u16(struct table *table, uint16_t value);
void table_u32(struct table *table, uint32_t value);
void table_u64(struct table *table, uint64_t value);

/** table_text() - a field of @size bytes, filled up with spaces */
void table_text(struct table *table, const char *text, size_t size);

/** table_align() - zeroes up to a multiple of @unit */
void table_align(struct table *table, size_t unit);

/* Overwrite what is at @offset; nothing once the table is full. */
void table_set_u16(struct table *table, size_t offset, uint16_t value);
void table_set_u32(struct table *table, size_t offset, uint32_t value);
void table_set_u64(struct table *table, size_t offset, uint64_t value);

/**
 * table_checksum() - make the sum of bytes zero
 * @start: the first of them
 * @size: number of them
 * @at: which of them is the checksum
 */
void table_checksum(struct table *table, size_t start, size_t size, size_t at);

#endif /* GMEMCTL_BOOT_TABLE_H */
