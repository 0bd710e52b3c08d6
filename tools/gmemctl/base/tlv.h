/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A list of records in bytes, for state that is passed to another process or written to a
 * file. The reader trusts no byte of it.
 *
 * DOC: Format, little endian, without gaps
 *
 * record, each: u32 type; u32 index; u32 size; u32 zero; size bytes
 */
#ifndef GMEMCTL_BASE_TLV_H
#define GMEMCTL_BASE_TLV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLV_SIZE_MAX (UINT32_C(16) << 20)

/**
 * struct tlv - a list that grows
 * @bytes: allocated, or NULL
 * @size: bytes in use
 * @room: bytes allocated
 * @failed: a record was not added: no memory, or too large
 */
struct tlv {
	uint8_t *bytes;
	size_t size;
	size_t room;
	bool failed;
};

/** tlv_add() - append a record; a failure sets records->failed */
void tlv_add(struct tlv *records, uint32_t type, uint32_t index,
	     const void *bytes, size_t size);
void tlv_free(struct tlv *records);

/** tlv_valid() - whether @size bytes are a well-formed list */
bool tlv_valid(const uint8_t *bytes, size_t size);

/**
 * tlv_find() - the first record of a type and index
 * @records: a valid list
 * @size: out: size of the record
 *
 * Return: its bytes, unaligned; or NULL.
 */
const uint8_t *tlv_find(const struct tlv *records, uint32_t type,
			uint32_t index, size_t *size);

/** tlv_get() - copy a record of exactly @size bytes. Return: false if there is none. */
bool tlv_get(const struct tlv *records, uint32_t type, uint32_t index,
	     void *bytes, size_t size);

#endif /* GMEMCTL_BASE_TLV_H */
