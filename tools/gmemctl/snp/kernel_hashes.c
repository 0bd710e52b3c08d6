// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "../base/bytes.h"
#include "guid.h"
#include "kernel_hashes.h"

#define HEADER_SIZE (GUID_SIZE + 2)
#define ENTRY_SIZE (GUID_SIZE + 2 + SNP_SHA256_SIZE)
#define ENTRIES 3

_Static_assert(HEADER_SIZE + ENTRIES * ENTRY_SIZE + 8 == SNP_KERNEL_TABLE_SIZE,
	       "the table is padded to a multiple of 16");

static const struct guid guid_table =
	GUID(0x9438d606, 0x4f22, 0x4cc9,
	     0xb4, 0x79, 0xa7, 0x93, 0xd4, 0x11, 0xfd, 0x21);
static const struct guid guid_cmdline =
	GUID(0x97d02dd8, 0xbd20, 0x4c94,
	     0xaa, 0x78, 0xe7, 0x71, 0x4d, 0x36, 0xab, 0x2a);
static const struct guid guid_initrd =
	GUID(0x44baf731, 0x3a2f, 0x4bd7,
	     0x9a, 0xf1, 0x41, 0xe2, 0x91, 0x69, 0x78, 0x1d);
static const struct guid guid_kernel =
	GUID(0x4de79437, 0xabd2, 0x427f,
	     0xb8, 0x35, 0xd5, 0xb1, 0x72, 0xd2, 0x04, 0x5b);

int snp_kernel_hashes_init(struct snp_kernel_hashes *hashes,
			   const char *cmdline)
{
	int rc;

	if (!cmdline)
		cmdline = "";
	rc = snp_sha256("", 0, hashes->kernel);
	if (!rc)
		rc = snp_sha256("", 0, hashes->initrd);
	if (!rc)
		rc = snp_sha256(cmdline, strlen(cmdline) + 1, hashes->cmdline);
	return rc;
}

static uint8_t *table_put(uint8_t *at, const struct guid *guid, uint16_t length)
{
	memcpy(at, guid->bytes, GUID_SIZE);
	bytes_put16(at + GUID_SIZE, length);
	return at + GUID_SIZE + 2;
}

static uint8_t *table_put_hash(uint8_t *at, const struct guid *guid,
			       const uint8_t hash[SNP_SHA256_SIZE])
{
	at = table_put(at, guid, ENTRY_SIZE);
	memcpy(at, hash, SNP_SHA256_SIZE);
	return at + SNP_SHA256_SIZE;
}

void snp_kernel_hashes_table(const struct snp_kernel_hashes *hashes,
			     uint8_t table[SNP_KERNEL_TABLE_SIZE])
{
	uint8_t *at;

	memset(table, 0, SNP_KERNEL_TABLE_SIZE);
	at = table_put(table, &guid_table, HEADER_SIZE + ENTRIES * ENTRY_SIZE);
	at = table_put_hash(at, &guid_cmdline, hashes->cmdline);
	at = table_put_hash(at, &guid_initrd, hashes->initrd);
	table_put_hash(at, &guid_kernel, hashes->kernel);
}
