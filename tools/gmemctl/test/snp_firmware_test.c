// SPDX-License-Identifier: GPL-2.0
/* The parser takes OVMF, and names what is wrong with everything else. */
#include "../base/bytes.h"
#include "snp_build.h"
#include "ksft.h"

/* In a buffer of its own, so that a read beyond it is seen by ASAN. */
static int parse(const uint8_t *data, size_t size, struct snp_firmware *firmware,
		 struct error *error)
{
	uint8_t *copy = malloc(size ? size : 1);
	int rc;

	memcpy(copy, data, size);
	memset(error, 0, sizeof(*error));
	rc = snp_firmware_parse(firmware, "image", copy, size, SNP_4G, error);
	free(copy);
	return rc;
}

static bool fails(const uint8_t *data, size_t size, int rc, const char *words)
{
	struct snp_firmware firmware;
	struct error error;

	return parse(data, size, &firmware, &error) == rc && error.rc == rc &&
	       !strcmp(error.object, "image") && strstr(error.hint, words);
}

TEST_OF(snp, firmware_good)
{
	uint8_t data[BUILD_SIZE];
	struct snp_firmware firmware;
	struct error error;

	build_firmware(data, sizeof(data), build_sections, BUILD_SECTIONS, 0);
	EXPECT_FALSE(parse(data, sizeof(data), &firmware, &error));
	EXPECT_TRUE(firmware.has_reset);
	EXPECT_EQ(firmware.reset_eip, 0x80b004);
	EXPECT_TRUE(firmware.has_hash_table);
	EXPECT_EQ(firmware.hash_table, 0x810c00);
	EXPECT_FALSE(firmware.has_svsm);
	EXPECT_EQ(firmware.nr_sections, BUILD_SECTIONS);
	EXPECT_MEMEQ(firmware.sections, build_sections, BUILD_SECTIONS * sizeof(build_sections[0]));
	EXPECT_EQ(snp_firmware_section(&firmware, SNP_SECTION_CPUID)->base, 0x80e000);
	EXPECT_FALSE(snp_firmware_section(&firmware, 5));
	build_firmware(data, sizeof(data), build_sections, 1, 0x1234);
	EXPECT_FALSE(parse(data, sizeof(data), &firmware, &error));
	EXPECT_TRUE(firmware.has_svsm);
	EXPECT_EQ(firmware.svsm_offset, 0x1234);
	/* One page is enough for a table and metadata. */
	build_firmware(data, 4096, build_sections, BUILD_SECTIONS, 0);
	EXPECT_FALSE(parse(data, 4096, &firmware, &error));
}

TEST_OF(snp, firmware_size)
{
	uint8_t data[BUILD_SIZE] = { 0 };
	struct snp_firmware firmware;
	struct error error;

	EXPECT_TRUE(fails(data, 0, -EINVAL, "whole image"));
	EXPECT_TRUE(fails(data, 1, -EINVAL, "multiple of"));
	EXPECT_TRUE(fails(data, 4095, -EINVAL, "multiple of"));
	EXPECT_TRUE(fails(data, 4096, -EINVAL, "unknown firmware"));
	EXPECT_EQ(snp_firmware_parse(&firmware, "image", data, SNP_FIRMWARE_MAX + 4096, SNP_4G,
				     &error), -EFBIG);
	build_firmware(data, sizeof(data), build_sections, BUILD_SECTIONS, 0);
	EXPECT_EQ(snp_firmware_parse(&firmware, "image", data, sizeof(data), 4096, &error),
		  -EINVAL);
}

/* One change to a good image, and the words that have to name it. */
static bool fails_with(size_t from_end, uint16_t value, int rc, const char *words)
{
	uint8_t data[BUILD_SIZE];

	build_firmware(data, sizeof(data), build_sections, BUILD_SECTIONS, 0x1000);
	bytes_put16(data + sizeof(data) - from_end, value);
	return fails(data, sizeof(data), rc, words);
}

TEST_OF(snp, firmware_table)
{
	/* The lengths of the footer and of an entry, and the GUIDs. */
	EXPECT_TRUE(fails_with(BUILD_FOOTER, 17, -EINVAL, "length"));
	EXPECT_TRUE(fails_with(BUILD_FOOTER, 0, -EINVAL, "length"));
	EXPECT_TRUE(fails_with(BUILD_FOOTER, 0xffff, -EINVAL, "truncated"));
	EXPECT_TRUE(fails_with(BUILD_FOOTER, 18 + 22 + 26 + 22 + 10, -EINVAL, "truncated"));
	EXPECT_TRUE(fails_with(BUILD_FOOTER, 18 + 22 + 26 + 22 + 20, -EINVAL, "length"));
	EXPECT_TRUE(fails_with(BUILD_FOOTER + 18, 17, -EINVAL, "length"));
	EXPECT_TRUE(fails_with(BUILD_FOOTER + 18, 0, -EINVAL, "length"));
	EXPECT_TRUE(fails_with(BUILD_FOOTER + 18, 500, -EINVAL, "length"));
	EXPECT_TRUE(fails_with(BUILD_FOOTER + 18, 18, -EINVAL, "AP reset vector"));
	EXPECT_TRUE(fails_with(BUILD_RESET + 18, 18 + 7, -EINVAL, "kernel hash table"));
	EXPECT_TRUE(fails_with(BUILD_FOOTER - 2, 0, -EINVAL, "unknown firmware"));
	EXPECT_TRUE(fails_with(BUILD_FOOTER, 18, -ENODATA, "OVMF.amdsev.fd"));
	EXPECT_TRUE(fails_with(BUILD_METADATA_OFFSET - 22 + 16, 0, -ENODATA, "SEV-SNP"));
}

TEST_OF(snp, firmware_duplicate)
{
	uint8_t data[BUILD_SIZE];
	uint8_t *end = data + sizeof(data);

	build_firmware(data, sizeof(data), build_sections, BUILD_SECTIONS, 0x1000);
	/* Make the SVSM entry a second offset of the metadata. */
	memcpy(end - BUILD_SVSM, end - BUILD_METADATA_OFFSET, 22);
	EXPECT_TRUE(fails(data, sizeof(data), -EINVAL, "twice"));
}

TEST_OF(snp, firmware_metadata)
{
	EXPECT_TRUE(fails_with(BUILD_METADATA_OFFSET, 15, -EINVAL, "outside"));
	EXPECT_TRUE(fails_with(BUILD_METADATA_OFFSET + 0, 0xffff, -EINVAL, "outside"));
	EXPECT_TRUE(fails_with(BUILD_METADATA_OFFSET, 64, -EINVAL, "no signature"));
	EXPECT_TRUE(fails_with(BUILD_METADATA, 0, -EINVAL, "no signature"));
	EXPECT_TRUE(fails_with(BUILD_METADATA - 4, 16 + 12 * 7 - 1, -EINVAL, "truncated"));
	EXPECT_TRUE(fails_with(BUILD_METADATA - 4, 0xffff, -EINVAL, "truncated"));
	EXPECT_TRUE(fails_with(BUILD_METADATA - 8, 2, -EINVAL, "version 2"));
	EXPECT_TRUE(fails_with(BUILD_METADATA - 12, 0, -EINVAL, "0 sections"));
	EXPECT_TRUE(fails_with(BUILD_METADATA - 12, 65, -EINVAL, "65 sections"));
	EXPECT_TRUE(fails_with(BUILD_METADATA - 12, 8, -EINVAL, "truncated"));
}

static bool section_fails(uint32_t base, uint32_t size, uint32_t type, const char *words)
{
	struct snp_section sections[2] = {
		build_sections[0], { base, size, type },
	};
	uint8_t data[BUILD_SIZE];

	build_firmware(data, sizeof(data), sections, 2, 0);
	return fails(data, sizeof(data), -EINVAL, words);
}

TEST_OF(snp, firmware_sections)
{
	EXPECT_TRUE(section_fails(0x900000, 0x1000, 9, "type"));
	EXPECT_TRUE(section_fails(0x900000, 0, 1, "section 1 (type 0x1, 0x0 bytes at 0x900000) is "
				  "empty, so no page can be added for it: no VMM can launch"));
	EXPECT_TRUE(section_fails(0x900001, 0x1000, 1, "page-aligned"));
	EXPECT_TRUE(section_fails(0x900000, 0x1001, 1, "page-aligned"));
	EXPECT_TRUE(section_fails(0xfffff000, 0x2000, 1, "4 GiB"));
	EXPECT_TRUE(section_fails(0xfffff000, 0x1000, 1, "image itself"));
	EXPECT_TRUE(section_fails(0xffff0000, 0xf000, 1, "image itself"));
	EXPECT_TRUE(section_fails(0x800000, 0x1000, 2, "overlaps one"));
	EXPECT_TRUE(section_fails(0x808000, 0x1000, 2, "overlaps one"));
	EXPECT_TRUE(section_fails(0x7ff000, 0x2000, 2, "overlaps one"));
	EXPECT_TRUE(section_fails(0x700000, 0x200000, 2, "overlaps one"));
	EXPECT_FALSE(section_fails(0x809000, 0x1000, 2, ""));
	EXPECT_FALSE(section_fails(0x7ff000, 0x1000, 2, ""));
}

static bool twice_fails(uint32_t type)
{
	const struct snp_section sections[2] = {
		{ 0x800000, 0x1000, type }, { 0x810000, 0x10000, type },
	};
	uint8_t data[BUILD_SIZE];

	build_firmware(data, sizeof(data), sections, 2, 0);
	return fails(data, sizeof(data), -EINVAL, "second of its type");
}

/* Of some there is one page, whatever the second section says of its size. */
TEST_OF(snp, firmware_twice)
{
	EXPECT_TRUE(twice_fails(SNP_SECTION_SECRETS));
	EXPECT_TRUE(twice_fails(SNP_SECTION_CPUID));
	EXPECT_TRUE(twice_fails(SNP_SECTION_KERNEL_HASHES));
	EXPECT_FALSE(twice_fails(SNP_SECTION_MEMORY));
	EXPECT_FALSE(twice_fails(SNP_SECTION_SVSM_CAA));
}

/* No prefix, and no image with any one byte changed, does harm. */
TEST_OF(snp, firmware_bytes)
{
	uint8_t data[BUILD_SIZE];
	struct snp_firmware firmware;
	struct error error;
	unsigned int refused = 0;

	for (size_t at = BUILD_SIZE - 0x600; at < BUILD_SIZE; at++) {
		build_firmware(data, sizeof(data), build_sections, BUILD_SECTIONS, 0x1000);
		data[at] ^= 0xff;
		refused += !!parse(data, sizeof(data), &firmware, &error);
	}
	/* At the least each byte of the metadata's header and of two GUIDs. */
	EXPECT_GE(refused, 16 + 2 * 16);
}
