// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "../base/bytes.h"
#include "igvm_build.h"

static size_t fixed_size(const struct igvm_build *build)
{
	return build->version == 2 ? 32 : 24;
}

void igvm_build_start(struct igvm_build *build, unsigned int version)
{
	memset(build, 0, sizeof(*build));
	build->version = version;
}

void igvm_build_header(struct igvm_build *build, uint32_t type, const void *body, size_t size)
{
	uint8_t *at = build->file + fixed_size(build) + build->headers;

	bytes_put32(at, type);
	bytes_put32(at + 4, (uint32_t)size);
	memcpy(at + 8, body, size);
	build->headers += 8 + (size + 7) / 8 * 8;
}

uint32_t igvm_build_store(struct igvm_build *build, const uint8_t page[4096])
{
	uint32_t offset = IGVM_DATA + build->pages++ * 4096;

	memcpy(build->file + offset, page, 4096);
	return offset;
}

static uint32_t store_seed(struct igvm_build *build, unsigned int seed)
{
	uint8_t page[4096];

	if (!seed)
		return 0;
	for (unsigned int i = 0; i < sizeof(page); i++)
		page[i] = (uint8_t)(i * 7 + i / 256 + seed * 13);
	return igvm_build_store(build, page);
}

void igvm_build_platform(struct igvm_build *build, uint32_t mask, uint8_t vtl, uint8_t platform)
{
	uint8_t body[16] = { 0 };

	bytes_put32(body, mask);
	body[4] = vtl;
	body[5] = platform;
	bytes_put16(body + 6, 1);
	igvm_build_header(build, 0x1, body, sizeof(body));
}

void igvm_build_policy(struct igvm_build *build, uint64_t policy)
{
	uint8_t body[16] = { 0 };

	bytes_put64(body, policy);
	bytes_put32(body + 8, IGVM_SNP);
	igvm_build_header(build, 0x101, body, sizeof(body));
}

void igvm_build_page(struct igvm_build *build, uint64_t gpa, unsigned int seed,
		     uint16_t type, uint32_t flags, uint32_t mask)
{
	uint8_t body[24] = { 0 };

	bytes_put64(body, gpa);
	bytes_put32(body + 8, mask);
	bytes_put32(body + 12, store_seed(build, seed));
	bytes_put32(body + 16, flags);
	bytes_put16(body + 20, type);
	igvm_build_header(build, 0x302, body, sizeof(body));
}

void igvm_build_area(struct igvm_build *build, uint32_t index, uint64_t size, unsigned int seed)
{
	uint8_t body[16];

	bytes_put64(body, size);
	bytes_put32(body + 8, index);
	bytes_put32(body + 12, store_seed(build, seed));
	igvm_build_header(build, 0x301, body, sizeof(body));
}

void igvm_build_parameter(struct igvm_build *build, uint32_t type, uint32_t index, uint32_t offset)
{
	uint8_t body[8];

	bytes_put32(body, index);
	bytes_put32(body + 4, offset);
	igvm_build_header(build, type, body, sizeof(body));
}

void igvm_build_insert(struct igvm_build *build, uint64_t gpa, uint32_t index)
{
	uint8_t body[16];

	bytes_put64(body, gpa);
	bytes_put32(body + 8, IGVM_SNP);
	bytes_put32(body + 12, index);
	igvm_build_header(build, 0x303, body, sizeof(body));
}

void igvm_build_vcpu(struct igvm_build *build, uint16_t index,
		     const uint8_t vmsa[4096], uint64_t gpa)
{
	uint8_t body[20] = { 0 };

	bytes_put64(body, gpa);
	bytes_put32(body + 8, IGVM_SNP);
	bytes_put32(body + 12, igvm_build_store(build, vmsa));
	bytes_put16(body + 16, index);
	igvm_build_header(build, 0x304, body, sizeof(body));
}

void igvm_build_vmsa(uint8_t vmsa[4096], uint64_t rip)
{
	static const struct {
		uint16_t selector, attributes;
		uint32_t limit;
	} segments[] = {
		{ 0x10, 0xc93, UINT32_MAX }, { 8, 0xc9b, UINT32_MAX },
		{ 0x10, 0xc93, UINT32_MAX }, { 0x10, 0xc93, UINT32_MAX },
		{ 0x10, 0xc93, UINT32_MAX }, { 0, 0x93, 0xffff },
		{ 0, 0, 0xffff }, { 0, 0x82, 0xffff },
		{ 0, 0, 0xffff }, { 0, 0x8b, 0xffff },
	};
	const struct {
		unsigned int offset;
		uint64_t value;
	} registers[] = {
		{ 0xd0, 0x1000 }, { 0x148, 0x40 }, { 0x158, 0x31 },
		{ 0x160, 0x400 }, { 0x168, 0xffff0ff0 }, { 0x170, 2 },
		{ 0x178, rip }, { 0x1d8, 0x12000 },
		{ 0x268, 0x0007040600070406 }, { 0x330, 0x20000 },
		{ 0x3b0, 1 }, { 0x3e8, 1 },
	};

	memset(vmsa, 0, 4096);
	for (unsigned int i = 0; i < 10; i++) {
		bytes_put16(vmsa + 16 * i, segments[i].selector);
		bytes_put16(vmsa + 16 * i + 2, segments[i].attributes);
		bytes_put32(vmsa + 16 * i + 4, segments[i].limit);
	}
	for (unsigned int i = 0; i < 12; i++)
		bytes_put64(vmsa + registers[i].offset, registers[i].value);
	bytes_put32(vmsa + 0x408, 0x1f80);
	bytes_put16(vmsa + 0x410, 0x37f);
}

/* Signature and key of the firmware's form, which the file has side by side */
static void put_signed(uint8_t *at, const uint8_t *signature, const uint8_t *key)
{
	memcpy(at, signature, 144);
	memcpy(at + 144, key, 4);
	memcpy(at + 152, key + 4, 144);
}

void igvm_build_id_block(struct igvm_build *build, const void *block, const void *auth)
{
	static const uint8_t none[4096];
	const uint8_t *from = block ? block : none;
	const uint8_t *keys = auth ? auth : none;
	uint8_t body[696] = { 0 };

	bytes_put32(body, IGVM_SNP);
	body[4] = keys[4];
	memcpy(body + 8, from, 88);
	memcpy(body + 96, keys, 8);
	put_signed(body + 104, keys + 0x40, keys + 0x240);
	put_signed(body + 400, keys + 0x680, keys + 0x880);
	igvm_build_header(build, 0x30b, body, sizeof(body));
}

static uint32_t crc_add(uint32_t crc, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	return crc;
}

void igvm_build_checksum(uint8_t *file)
{
	size_t fixed = bytes_get32(file + 4) == 2 ? 32 : 24;
	uint32_t crc;

	bytes_put32(file + 20, 0);
	crc = crc_add(UINT32_MAX, file, fixed);
	crc = crc_add(crc, file + bytes_get32(file + 8), bytes_get32(file + 12));
	bytes_put32(file + 20, ~crc);
}

size_t igvm_build_finish(struct igvm_build *build)
{
	size_t size = IGVM_DATA + build->pages * 4096;
	uint8_t *file = build->file;

	memcpy(file, "IGVM", 4);
	bytes_put32(file + 4, build->version);
	bytes_put32(file + 8, (uint32_t)fixed_size(build));
	bytes_put32(file + 12, (uint32_t)build->headers);
	bytes_put32(file + 16, (uint32_t)size);
	if (build->version == 2)
		bytes_put32(file + 28, 4096);
	igvm_build_checksum(file);
	return size;
}

static void required_memory(struct igvm_build *build)
{
	uint8_t body[24] = { 0 };

	bytes_put64(body, 0x200000);
	bytes_put32(body + 8, IGVM_SNP);
	bytes_put32(body + 12, 0x10000);
	igvm_build_header(build, 0x305, body, sizeof(body));
}

size_t igvm_build_svsm(struct igvm_build *build)
{
	uint8_t vmsa[4096];

	igvm_build_start(build, 1);
	igvm_build_platform(build, IGVM_NATIVE, 0, 0);
	igvm_build_platform(build, IGVM_TDX, 2, 3);
	igvm_build_platform(build, IGVM_SNP, 2, 2);
	igvm_build_policy(build, 0x30000);
	igvm_build_area(build, 0, 0x2000, 0);
	igvm_build_parameter(build, 0x307, 0, 0);
	igvm_build_parameter(build, 0x30c, 0, 0x1000);
	igvm_build_area(build, 7, 0x1000, 9);
	igvm_build_parameter(build, 0x313, 7, 8);
	required_memory(build);
	igvm_build_page(build, 0x10000, 1, 0, 0, IGVM_SNP);
	igvm_build_page(build, 0x11000, 2, 0, 0, IGVM_SNP);
	igvm_build_page(build, 0x12000, 3, 0, 0, IGVM_NATIVE | IGVM_TDX);
	igvm_build_page(build, 0x13000, 0, 0, 0, IGVM_SNP);
	igvm_build_page(build, 0x14000, 4, 0, 2, IGVM_SNP);
	igvm_build_page(build, 0x15000, 0, 1, 0, IGVM_SNP);
	igvm_build_page(build, 0x16000, 0, 2, 0, IGVM_SNP);
	igvm_build_page(build, 0x17000, 0, 3, 0, IGVM_SNP);
	igvm_build_header(build, 0x80000350, "may be ignored", 14);
	igvm_build_insert(build, 0x20000, 0);
	igvm_build_insert(build, 0x22000, 7);
	igvm_build_page(build, 0x400000, 0, 0, 1, IGVM_SNP);
	igvm_build_page(build, 0xffffe000, 5, 0, 0, IGVM_SNP);
	igvm_build_vmsa(vmsa, 0x10000);
	igvm_build_vcpu(build, 0, vmsa, IGVM_VMSA_GPA);
	return igvm_build_finish(build);
}

size_t igvm_build_order(struct igvm_build *build)
{
	uint8_t vmsa[4096];

	igvm_build_start(build, 1);
	igvm_build_platform(build, IGVM_SNP, 0, 2);
	igvm_build_page(build, 0x2000, 1, 0, 0, IGVM_SNP);
	igvm_build_vmsa(vmsa, 0x2000);
	igvm_build_vcpu(build, 0, vmsa, 0x5000);
	igvm_build_page(build, 0x1000, 2, 0, 0, IGVM_SNP);
	igvm_build_page(build, 0x3000, 3, 0, 4, IGVM_SNP);
	igvm_build_vmsa(vmsa, 0x1000);
	igvm_build_vcpu(build, 1, vmsa, 0x6000);
	igvm_build_page(build, 0x4000, 0, 0, 0, IGVM_SNP);
	return igvm_build_finish(build);
}

size_t igvm_build_version_2(struct igvm_build *build)
{
	uint8_t vmsa[4096];

	igvm_build_start(build, 2);
	igvm_build_platform(build, IGVM_SNP, 0, 2);
	igvm_build_policy(build, 0xb0000);
	igvm_build_page(build, 0x10000, 6, 0, 0, IGVM_SNP);
	igvm_build_vmsa(vmsa, 0x10000);
	igvm_build_vcpu(build, 0, vmsa, IGVM_VMSA_GPA);
	igvm_build_vmsa(vmsa, 0x10400);
	igvm_build_vcpu(build, 1, vmsa, IGVM_VMSA_GPA);
	return igvm_build_finish(build);
}
