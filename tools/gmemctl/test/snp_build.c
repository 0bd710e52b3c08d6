// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "../base/bytes.h"
#include "snp_build.h"

const struct snp_section build_sections[BUILD_SECTIONS] = {
	{ 0x800000, 0x9000, SNP_SECTION_MEMORY },
	{ 0x80a000, 0x3000, SNP_SECTION_MEMORY },
	{ 0x80d000, 0x1000, SNP_SECTION_SECRETS },
	{ 0x80e000, 0x1000, SNP_SECTION_CPUID },
	{ 0x80f000, 0x1000, SNP_SECTION_SVSM_CAA },
	{ 0x810000, 0x1000, SNP_SECTION_KERNEL_HASHES },
	{ 0x811000, 0xf000, SNP_SECTION_MEMORY },
};

/* Spelled out once more: a wrong byte in the parser must not be hidden. */
static const struct guid footer = { {
	0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45,
	0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d } };
static const struct guid reset = { {
	0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f,
	0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e } };
static const struct guid hashes = { {
	0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04, 0x4b,
	0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54 } };
static const struct guid metadata = { {
	0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98, 0x98, 0x47,
	0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc } };
static const struct guid svsm = { {
	0x12, 0xa6, 0x89, 0xa7, 0x97, 0x05, 0x4b, 0x4c,
	0xa4, 0x9f, 0xcb, 0xb1, 0xfe, 0x9d, 0x1d, 0xdd } };

static uint8_t *put_entry(uint8_t *end, const struct guid *guid,
			  const uint32_t *values, unsigned int nr)
{
	uint16_t length = (uint16_t)(18 + 4 * nr);

	memcpy(end - 16, guid->bytes, 16);
	bytes_put16(end - 18, length);
	for (unsigned int i = 0; i < nr; i++)
		bytes_put32(end - length + 4 * i, values[i]);
	return end - length;
}

static void put_table(uint8_t *end, uint32_t svsm_entry)
{
	const uint32_t table[2] = { 0x810c00, 0x400 };
	const uint32_t eip = 0x80b004, offset = BUILD_METADATA;
	uint8_t *start = put_entry(end, &footer, NULL, 0);

	start = put_entry(start, &reset, &eip, 1);
	start = put_entry(start, &hashes, table, 2);
	start = put_entry(start, &metadata, &offset, 1);
	if (svsm_entry)
		start = put_entry(start, &svsm, &svsm_entry, 1);
	bytes_put16(end - 18, (uint16_t)(end - start));
}

void build_firmware(uint8_t *data, size_t size, const struct snp_section *sections, unsigned int nr,
		    uint32_t svsm_entry)
{
	uint8_t *at = data + size - BUILD_METADATA;

	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)(i * 7 + i / 4096);
	put_table(data + size - 32, svsm_entry);
	memcpy(at, "ASEV", 4);
	bytes_put32(at + 4, 16 + 12 * nr);
	bytes_put32(at + 8, 1);
	bytes_put32(at + 12, nr);
	for (unsigned int i = 0; i < nr; i++) {
		bytes_put32(at + 16 + 12 * i, sections[i].base);
		bytes_put32(at + 20 + 12 * i, sections[i].size);
		bytes_put32(at + 24 + 12 * i, sections[i].type);
	}
}

int build_kernel_hashes(struct snp_kernel_hashes *hashes, const char *kernel,
			const char *initrd, const char *cmdline)
{
	return snp_kernel_hashes_init(hashes, cmdline) ||
	       snp_sha256(kernel, strlen(kernel), hashes->kernel) ||
	       snp_sha256(initrd, strlen(initrd), hashes->initrd);
}
