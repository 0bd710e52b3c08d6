// SPDX-License-Identifier: GPL-2.0
/* SHA-256, SHA-384 and the launch digest. */
#include <errno.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <string.h>

#include "digest.h"

int snp_sha384(const void *data, size_t size, uint8_t digest[SNP_DIGEST_SIZE])
{
	return EVP_Digest(data, size, digest, NULL, EVP_sha384(), NULL) == 1 ? 0 : -EIO;
}

int snp_sha256(const void *data, size_t size, uint8_t digest[SNP_SHA256_SIZE])
{
	return EVP_Digest(data, size, digest, NULL, EVP_sha256(), NULL) == 1 ? 0 : -EIO;
}

/*
 * PAGE_INFO of the SNP firmware ABI. KVM grants no permissions to lower VMPLs and
 * does not import pages of a migrated guest, so these bytes are zero.
 */
struct page_info {
	uint8_t digest[SNP_DIGEST_SIZE];
	uint8_t contents[SNP_DIGEST_SIZE];
	uint16_t length;
	uint8_t type;
	uint8_t imi;
	uint8_t vmpl3_permissions;
	uint8_t vmpl2_permissions;
	uint8_t vmpl1_permissions;
	uint8_t reserved;
	uint64_t gpa;
};

_Static_assert(sizeof(struct page_info) == 0x70, "SNP firmware ABI");
_Static_assert(offsetof(struct page_info, length) == 0x60, "SNP firmware ABI");
_Static_assert(offsetof(struct page_info, gpa) == 0x68, "SNP firmware ABI");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "x86 structures");

int snp_digest_page(struct snp_digest *digest, enum snp_page_type type,
		    uint64_t gpa, const void *contents)
{
	struct page_info info = {
		.length = sizeof(info),
		.type = (uint8_t)type,
		.gpa = gpa,
	};
	int rc = 0;

	memcpy(info.digest, digest->value, sizeof(info.digest));
	if (type == SNP_PAGE_NORMAL || type == SNP_PAGE_VMSA)
		rc = snp_sha384(contents, SNP_PAGE_SIZE, info.contents);
	if (!rc)
		rc = snp_sha384(&info, sizeof(info), digest->value);
	if (!rc)
		digest->pages++;
	return rc;
}

int snp_digest_run(struct snp_digest *digest, const struct snp_run *run)
{
	static const uint8_t zeros[SNP_PAGE_SIZE];
	int rc = 0;

	for (uint64_t at = 0; at < run->size && !rc; at += SNP_PAGE_SIZE)
		rc = snp_digest_page(digest, run->type, run->gpa + at,
				     run->data ? run->data + at : zeros);
	return rc;
}
