/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an OVMF image, or one of an SVSM, says about how to launch it: a table
 * of GUIDs just before the reset vector, which also leads to the SEV metadata.
 */
#ifndef GMEMCTL_SNP_FIRMWARE_H
#define GMEMCTL_SNP_FIRMWARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/error.h"

#define SNP_FIRMWARE_MAX (UINT64_C(64) << 20)
#define SNP_SECTIONS_MAX 64
#define SNP_4G (UINT64_C(1) << 32)

/* Types of the sections in the SEV metadata */
enum snp_section_type {
	SNP_SECTION_MEMORY = 1,
	SNP_SECTION_SECRETS = 2,
	SNP_SECTION_CPUID = 3,
	SNP_SECTION_SVSM_CAA = 4,
	SNP_SECTION_KERNEL_HASHES = 0x10,
};

struct snp_section {
	uint32_t base;
	uint32_t size;
	uint32_t type;
};

/**
 * struct snp_firmware - a parsed image
 * @name: for messages; not copied
 * @data: the image; not copied
 * @size: in bytes, a multiple of the page size
 * @end: guest physical address just after it
 * @has_reset: @reset_eip, where APs start, is known
 * @has_hash_table: the table of kernel hashes has a place
 * @hash_table: its address, or 0 if this build does not check kernels
 * @hash_table_size: bytes that the firmware has for it, 0 without an address
 * @has_svsm: the image is an SVSM whose entry is @svsm_offset into it
 * @sections: the SEV metadata, in the order of the image
 */
struct snp_firmware {
	const char *name;
	const uint8_t *data;
	uint64_t size;
	uint64_t end;
	bool has_reset;
	uint32_t reset_eip;
	bool has_hash_table;
	uint32_t hash_table;
	uint32_t hash_table_size;
	bool has_svsm;
	uint32_t svsm_offset;
	unsigned int nr_sections;
	struct snp_section sections[SNP_SECTIONS_MAX];
};

/**
 * snp_firmware_parse() - find out what is in an image
 * @end: the guest physical address just after it, SNP_4G for a BIOS. It is page
 *	aligned, and at most 4 GiB.
 *
 * The sections are checked: aligned, known, disjoint, clear of the image, and not
 * two of them for secrets, CPUID or kernel hashes.
 *
 * Return: 0; -EINVAL for something that is not OVMF, or damaged; -ENODATA for an
 * OVMF without SEV metadata; -EFBIG for one that is too large.
 */
int snp_firmware_parse(struct snp_firmware *firmware, const char *name, const void *data,
		       uint64_t size, uint64_t end, struct error *error);

/** snp_firmware_section() - the section of a type, the first of many; or NULL */
const struct snp_section *
snp_firmware_section(const struct snp_firmware *firmware, uint32_t type);

/** snp_section_name() - of a type, or NULL */
const char *snp_section_name(uint32_t type);

#endif /* GMEMCTL_SNP_FIRMWARE_H */
