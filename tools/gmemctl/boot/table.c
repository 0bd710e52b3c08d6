// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "../base/bytes.h"
#include "table.h"

static bool table_room(struct table *table, size_t size)
{
	if (table->full || size > table->size - table->used)
		table->full = true;
	return !table->full;
}

void table_put(struct table *table, const void *bytes, size_t size)
{
	if (!table_room(table, size))
		return;
	memcpy(table->bytes + table->used, bytes, size);
	table->used += size;
}

void table_zero(struct table *table, size_t size)
{
	if (!table_room(table, size))
		return;
	memset(table->bytes + table->used, 0, size);
	table->used += size;
}

void table_u8(struct table *table, uint8_t value)
{
	table_put(table, &value, sizeof(value));
}

void table_u16(struct table *table, uint16_t value)
{
	uint8_t bytes[sizeof(value)];

	bytes_put16(bytes, value);
	table_put(table, bytes, sizeof(bytes));
}

void table_u32(struct table *table, uint32_t value)
{
	uint8_t bytes[sizeof(value)];

	bytes_put32(bytes, value);
	table_put(table, bytes, sizeof(bytes));
}

void table_u64(struct table *table, uint64_t value)
{
	uint8_t bytes[sizeof(value)];

	bytes_put64(bytes, value);
	table_put(table, bytes, sizeof(bytes));
}

void table_text(struct table *table, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		table_u8(table, *text ? (uint8_t)*text++ : ' ');
}

void table_align(struct table *table, size_t unit)
{
	table_zero(table, (unit - table->used % unit) % unit);
}

void table_set_u16(struct table *table, size_t offset, uint16_t value)
{
	if (!table->full)
		bytes_put16(table->bytes + offset, value);
}

void table_set_u32(struct table *table, size_t offset, uint32_t value)
{
	if (!table->full)
		bytes_put32(table->bytes + offset, value);
}

void table_set_u64(struct table *table, size_t offset, uint64_t value)
{
	if (!table->full)
		bytes_put64(table->bytes + offset, value);
}

void table_checksum(struct table *table, size_t start, size_t size, size_t at)
{
	uint8_t sum = 0;

	if (table->full)
		return;
	table->bytes[at] = 0;
	for (size_t i = 0; i < size; i++)
		sum += table->bytes[start + i];
	table->bytes[at] = (uint8_t)-sum;
}
