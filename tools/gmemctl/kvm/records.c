// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "records.h"

struct header {
	uint32_t type;
	uint32_t index;
	uint32_t size;
	uint32_t zero;
};

static bool records_grow(struct records *records, size_t size)
{
	size_t room = records->room ? records->room : 4096;
	uint8_t *bytes;

	if (records->failed || size > RECORDS_SIZE_MAX ||
	    records->size + size > RECORDS_SIZE_MAX)
		return false;
	while (room < records->size + size)
		room *= 2;
	if (room == records->room)
		return true;
	bytes = realloc(records->bytes, room);
	if (!bytes)
		return false;
	records->bytes = bytes;
	records->room = room;
	return true;
}

void records_add(struct records *records, uint32_t type, uint32_t index,
		 const void *bytes, size_t size)
{
	struct header header = { type, index, (uint32_t)size, 0 };

	if (size > RECORDS_SIZE_MAX ||
	    !records_grow(records, sizeof(header) + size)) {
		records->failed = true;
		return;
	}
	memcpy(records->bytes + records->size, &header, sizeof(header));
	memcpy(records->bytes + records->size + sizeof(header), bytes, size);
	records->size += sizeof(header) + size;
}

void records_free(struct records *records)
{
	free(records->bytes);
	memset(records, 0, sizeof(*records));
}

/* Return: the bytes that the record at @at takes, 0 if it is none. */
static size_t record_at(const uint8_t *at, size_t left, struct header *header)
{
	if (left < sizeof(*header))
		return 0;
	memcpy(header, at, sizeof(*header));
	if (header->zero || header->size > left - sizeof(*header))
		return 0;
	return sizeof(*header) + header->size;
}

bool records_valid(const uint8_t *bytes, size_t size)
{
	struct header header;
	size_t used;

	while (size) {
		used = record_at(bytes, size, &header);
		if (!used)
			return false;
		bytes += used;
		size -= used;
	}
	return true;
}

const uint8_t *records_find(const struct records *records, uint32_t type,
			    uint32_t index, size_t *size)
{
	size_t at = 0, used;
	struct header header;

	while (at < records->size) {
		used = record_at(records->bytes + at, records->size - at,
				 &header);
		if (!used)
			return NULL;
		if (header.type == type && header.index == index) {
			*size = header.size;
			return records->bytes + at + sizeof(header);
		}
		at += used;
	}
	return NULL;
}

bool records_get(const struct records *records, uint32_t type, uint32_t index,
		 void *bytes, size_t size)
{
	const uint8_t *found;
	size_t found_size;

	found = records_find(records, type, index, &found_size);
	if (!found || found_size != size)
		return false;
	memcpy(bytes, found, size);
	return true;
}
