/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Parses the image of OVMF or of an SVSM. A table of GUIDs just before the reset vector has the
 * properties of the launch, and the location of the SEV metadata.
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
 * @name: name for messages; not copied
 * @data: the image; not copied
 * @size: its size in bytes, a multiple of the page size
 * @end: guest physical address of its end
 * @has_reset: the image has @reset_eip
 * @reset_eip: address at which APs start
 * @has_hash_table: the image has an entry for the table of kernel hashes
 * @hash_table: address of this table; 0: this build does not check kernels
 * @hash_table_size: size reserved for the table; 0 without an address
 * @has_svsm: the image is an SVSM
 * @svsm_offset: offset of its entry point
 * @nr_sections: number of sections
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
 * snp_firmware_parse() - parse an image
 * @end: guest physical address of its end, SNP_4G for a BIOS; page-aligned, and at most 4 GiB
 *
 * The sections must be aligned, of known types and disjoint, and must not overlap the image. There
 * can be only one section for secrets, one for CPUID, and one for kernel hashes.
 *
 * Return: 0; -EINVAL for an image that is not OVMF, or is damaged; -ENODATA for an OVMF without
 * SEV metadata; -EFBIG for an image that is too large.
 */
int snp_firmware_parse(struct snp_firmware *firmware, const char *name, const void *data,
		       uint64_t size, uint64_t end, struct error *error);

/** snp_firmware_section() - the first section of a type, or NULL */
const struct snp_section *
snp_firmware_section(const struct snp_firmware *firmware, uint32_t type);

/** snp_section_name() - name of a type of section, or NULL */
const char *snp_section_name(uint32_t type);

#endif /* GMEMCTL_SNP_FIRMWARE_H */
