// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "tlv.h"

struct header {
	uint32_t type;
	uint32_t index;
	uint32_t size;
	uint32_t zero;
};

static bool records_grow(struct tlv *records, size_t size)
{
	size_t room = records->room ? records->room : 4096;
	uint8_t *bytes;

	if (records->failed || size > TLV_SIZE_MAX ||
	    records->size + size > TLV_SIZE_MAX)
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

void tlv_add(struct tlv *records, uint32_t type, uint32_t index,
	     const void *bytes, size_t size)
{
	struct header header = { type, index, (uint32_t)size, 0 };

	if (size > TLV_SIZE_MAX ||
	    !records_grow(records, sizeof(header) + size)) {
		records->failed = true;
		return;
	}
	memcpy(records->bytes + records->size, &header, sizeof(header));
	memcpy(records->bytes + records->size + sizeof(header), bytes, size);
	records->size += sizeof(header) + size;
}

void tlv_free(struct tlv *records)
{
	free(records->bytes);
	memset(records, 0, sizeof(*records));
}

/* Return: the size of the record at @at with its header; 0 if it is not valid. */
static size_t record_at(const uint8_t *at, size_t left, struct header *header)
{
	if (left < sizeof(*header))
		return 0;
	memcpy(header, at, sizeof(*header));
	if (header->zero || header->size > left - sizeof(*header))
		return 0;
	return sizeof(*header) + header->size;
}

bool tlv_valid(const uint8_t *bytes, size_t size)
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

const uint8_t *tlv_find(const struct tlv *records, uint32_t type,
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

bool tlv_get(const struct tlv *records, uint32_t type, uint32_t index,
	     void *bytes, size_t size)
{
	const uint8_t *found;
	size_t found_size;

	found = tlv_find(records, type, index, &found_size);
	if (!found || found_size != size)
		return false;
	memcpy(bytes, found, size);
	return true;
}
