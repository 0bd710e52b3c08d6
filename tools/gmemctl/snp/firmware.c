// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "../base/bytes.h"
#include "digest.h"
#include "firmware.h"

/* An entry of the GUID table consists of data, length and GUID, in this order. */
#define ENTRY_SIZE (2 + GUID_SIZE)
/* The table ends 32 bytes before the end of the image. */
#define TABLE_TAIL 32
#define METADATA_HEADER 16
#define METADATA_SECTION 12

static const struct guid guid_footer =
	GUID(0x96b582de, 0x1fb2, 0x45f7, 0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d);
/* Entries that are searched in the table: 32-bit numbers. Each may occur once. */
enum { METADATA, RESET, HASH_TABLE, SVSM, ENTRIES };

static const struct {
	struct guid guid;
	const char *name;
	size_t size;
} entries[ENTRIES] = {
	[METADATA] = { GUID(0xdc886566, 0x984a, 0x4798,
			    0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc),
		       "the SEV metadata offset", 4 },
	[RESET] = { GUID(0x00f771de, 0x1a7e, 0x4fcb,
			 0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e),
		    "the AP reset vector", 4 },
	/* Address and size */
	[HASH_TABLE] = { GUID(0x7255371f, 0x3a3b, 0x4b04,
			      0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54),
			 "the kernel hash table", 8 },
	[SVSM] = { GUID(0xa789a612, 0x0597, 0x4c4b,
			0xa4, 0x9f, 0xcb, 0xb1, 0xfe, 0x9d, 0x1d, 0xdd),
		   "the SVSM entry", 4 },
};

/**
 * struct table - contents of the GUID table
 * @values: one or two numbers for each entry that the table has
 */
struct table {
	const struct snp_firmware *firmware;
	bool has[ENTRIES];
	uint32_t values[ENTRIES][2];
	struct error *error;
};

static int firmware_bad(const struct snp_firmware *firmware, const char *part,
			const char *fault, struct error *error)
{
	return error_set(error, -EINVAL, firmware->name, "parse firmware",
			 "%s %s: the image is damaged, or was built wrongly; "
			 "take another one", part, fault);
}

static int firmware_check_size(const struct snp_firmware *firmware, struct error *error)
{
	if (firmware->size > SNP_FIRMWARE_MAX)
		return error_set(error, -EFBIG, firmware->name, "parse firmware", "it has %" PRIu64
				 " bytes, a firmware image at most 64 MiB", firmware->size);
	if (!firmware->size || firmware->size % SNP_PAGE_SIZE)
		return error_set(error, -EINVAL, firmware->name, "parse firmware", "it has %" PRIu64
				 " bytes, not a multiple of 4096: give the whole image, such as "
				 "/usr/share/ovmf/OVMF.fd", firmware->size);
	if (firmware->size > firmware->end)
		return error_set(error, -EINVAL, firmware->name, "place firmware",
				 "it does not fit below 0x%" PRIx64
				 ": give a smaller --vars-size", firmware->end);
	return 0;
}

static int table_entry(struct table *table, const uint8_t *guid, const uint8_t *data, size_t size)
{
	for (int i = 0; i < ENTRIES; i++) {
		if (!guid_is(guid, &entries[i].guid))
			continue;
		if (table->has[i])
			return firmware_bad(table->firmware, entries[i].name,
					    "is in its table twice", table->error);
		if (size < entries[i].size)
			return firmware_bad(table->firmware, entries[i].name,
					    "is truncated in its table", table->error);
		table->has[i] = true;
		for (size_t at = 0; at < entries[i].size; at += 4)
			table->values[i][at / 4] = bytes_get32(data + at);
	}
	return 0;
}

/* Parse from the last entry to the first, because the length is at the end of an entry. */
static int table_walk(struct table *table, const uint8_t *start, const uint8_t *end)
{
	while (end > start) {
		size_t left = (size_t)(end - start);
		uint16_t length;
		int rc;

		if (left < ENTRY_SIZE)
			return firmware_bad(table->firmware, "the first entry of its table",
					    "is truncated", table->error);
		length = bytes_get16(end - ENTRY_SIZE);
		if (length < ENTRY_SIZE || length > left)
			return firmware_bad(table->firmware, "an entry of its table",
					    "has a wrong length", table->error);
		rc = table_entry(table, end - GUID_SIZE, end - length, length - ENTRY_SIZE);
		if (rc)
			return rc;
		end -= length;
	}
	return 0;
}

static int table_parse(struct table *table)
{
	const struct snp_firmware *firmware = table->firmware;
	const uint8_t *footer = firmware->data + firmware->size - TABLE_TAIL - ENTRY_SIZE;
	uint16_t length = bytes_get16(footer);

	if (!guid_is(footer + 2, &guid_footer))
		return error_set(table->error, -EINVAL, firmware->name, "parse firmware", "unknown "
				 "firmware: there is no OVMF table at its end. Give a whole OVMF "
				 "image, such as /usr/share/ovmf/OVMF.fd, not a variable store and "
				 "not another BIOS");
	if (length < ENTRY_SIZE)
		return firmware_bad(firmware, "the length of its table", "is wrong", table->error);
	if (length - ENTRY_SIZE > footer - firmware->data)
		return firmware_bad(firmware, "its table", "is truncated", table->error);
	return table_walk(table, footer - (length - ENTRY_SIZE), footer);
}

static int section_bad(const struct snp_firmware *firmware, unsigned int i,
		       const char *what, struct error *error)
{
	const struct snp_section *section = &firmware->sections[i];

	return error_set(error, -EINVAL, firmware->name, "check SEV metadata", "section %u (type "
			 "0x%x, 0x%x bytes at 0x%x) %s: no VMM can launch this build with SEV-SNP; "
			 "take another one", i, section->type, section->size, section->base, what);
}

static bool ranges_overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* Compare a section with those before it. Three types may occur only once. */
static int section_compare(const struct snp_firmware *firmware, unsigned int i, struct error *error)
{
	const struct snp_section *section = &firmware->sections[i];
	bool single = section->type == SNP_SECTION_SECRETS ||
		      section->type == SNP_SECTION_CPUID ||
		      section->type == SNP_SECTION_KERNEL_HASHES;

	for (unsigned int j = 0; j < i; j++) {
		const struct snp_section *other = &firmware->sections[j];

		if (ranges_overlap(section->base, section->size, other->base, other->size))
			return section_bad(firmware, i, "overlaps one before it", error);
		if (single && section->type == other->type)
			return section_bad(firmware, i, "is the second of its type, but only one "
					   "is allowed", error);
	}
	return 0;
}

static int section_check(const struct snp_firmware *firmware, unsigned int i, struct error *error)
{
	const struct snp_section *section = &firmware->sections[i];

	if (!snp_section_name(section->type))
		return section_bad(firmware, i, "has an unknown type, which this program cannot "
				   "measure", error);
	if (!section->size)
		return section_bad(firmware, i, "is empty, so no page can be added for it", error);
	if (section->base % SNP_PAGE_SIZE || section->size % SNP_PAGE_SIZE)
		return section_bad(firmware, i, "is not page-aligned", error);
	if (section->base + (uint64_t)section->size > SNP_4G)
		return section_bad(firmware, i, "goes beyond 4 GiB", error);
	if (ranges_overlap(section->base, section->size,
			   firmware->end - firmware->size, firmware->size))
		return section_bad(firmware, i, "overlaps the image itself", error);
	return section_compare(firmware, i, error);
}

static int metadata_check(const struct snp_firmware *firmware, const uint8_t *header, uint64_t size,
			  struct error *error)
{
	uint32_t length = bytes_get32(header + 4);
	uint32_t count = bytes_get32(header + 12);

	if (memcmp(header, "ASEV", 4))
		return firmware_bad(firmware, "its SEV metadata", "has no signature", error);
	if (bytes_get32(header + 8) != 1)
		return error_set(error, -EINVAL, firmware->name, "check SEV metadata",
				 "it has version %u, but this program supports version 1",
				 bytes_get32(header + 8));
	if (!count || count > SNP_SECTIONS_MAX)
		return error_set(error, -EINVAL, firmware->name, "check SEV metadata",
				 "it has %u sections, this program takes 1 to %u", count,
				 SNP_SECTIONS_MAX);
	if (length < METADATA_HEADER + count * METADATA_SECTION || length > size)
		return firmware_bad(firmware, "its SEV metadata", "is truncated", error);
	return 0;
}

static int metadata_parse(struct snp_firmware *firmware, uint32_t offset, struct error *error)
{
	const uint8_t *header;
	int rc;

	if (offset > firmware->size || offset < METADATA_HEADER)
		return firmware_bad(firmware, "its SEV metadata", "is outside of the image", error);
	header = firmware->data + firmware->size - offset;
	rc = metadata_check(firmware, header, offset, error);
	if (rc)
		return rc;
	firmware->nr_sections = bytes_get32(header + 12);
	for (unsigned int i = 0; i < firmware->nr_sections; i++) {
		const uint8_t *at = header + METADATA_HEADER + i * METADATA_SECTION;

		firmware->sections[i] = (struct snp_section){
			.base = bytes_get32(at),
			.size = bytes_get32(at + 4),
			.type = bytes_get32(at + 8),
		};
		rc = section_check(firmware, i, error);
		if (rc)
			return rc;
	}
	return 0;
}

int snp_firmware_parse(struct snp_firmware *firmware, const char *name, const void *data,
		       uint64_t size, uint64_t end, struct error *error)
{
	struct table table = { .firmware = firmware, .error = error };
	int rc;

	*firmware = (struct snp_firmware){
		.name = name, .data = data, .size = size, .end = end,
	};
	rc = firmware_check_size(firmware, error);
	if (!rc)
		rc = table_parse(&table);
	if (rc)
		return rc;
	firmware->has_reset = table.has[RESET];
	firmware->reset_eip = table.values[RESET][0];
	firmware->has_hash_table = table.has[HASH_TABLE];
	firmware->hash_table = table.values[HASH_TABLE][0];
	firmware->hash_table_size = table.values[HASH_TABLE][1];
	firmware->has_svsm = table.has[SVSM];
	firmware->svsm_offset = table.values[SVSM][0];
	if (!table.has[METADATA])
		return error_set(error, -ENODATA, name, "find SEV metadata", "this build of OVMF "
				 "cannot be launched with SEV-SNP (Debian 12's OVMF_CODE_4M.fd is "
				 "one): give OVMF.fd or OVMF.amdsev.fd");
	return metadata_parse(firmware, table.values[METADATA][0], error);
}

const struct snp_section *
snp_firmware_section(const struct snp_firmware *firmware, uint32_t type)
{
	for (unsigned int i = 0; i < firmware->nr_sections; i++)
		if (firmware->sections[i].type == type)
			return &firmware->sections[i];
	return NULL;
}

const char *snp_section_name(uint32_t type)
{
	switch (type) {
	case SNP_SECTION_MEMORY:
		return "SNP_SEC_MEM";
	case SNP_SECTION_SECRETS:
		return "SNP_SECRETS";
	case SNP_SECTION_CPUID:
		return "CPUID";
	case SNP_SECTION_SVSM_CAA:
		return "SVSM_CAA";
	case SNP_SECTION_KERNEL_HASHES:
		return "SNP_KERNEL_HASHES";
	default:
		return NULL;
	}
}
