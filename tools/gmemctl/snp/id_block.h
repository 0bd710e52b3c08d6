/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ID block and ID authentication: with them the owner of a guest says which
 * launch digest and policy are his, and signs it; the firmware refuses to finish
 * the launch of anything else.
 */
#ifndef GMEMCTL_SNP_ID_BLOCK_H
#define GMEMCTL_SNP_ID_BLOCK_H

#include <stdbool.h>

#include "key.h"

#define SNP_ID_SIZE 16

/** struct snp_id_block - ID block of the SNP firmware ABI */
struct snp_id_block {
	uint8_t digest[SNP_DIGEST_SIZE];
	uint8_t family_id[SNP_ID_SIZE];
	uint8_t image_id[SNP_ID_SIZE];
	uint32_t version;
	uint32_t guest_svn;
	uint64_t policy;
};

/**
 * struct snp_id_auth - ID authentication information structure
 * @id_block_signature: over the ID block, by @id_key
 * @id_key_signature: over @id_key, by @author_key
 */
struct snp_id_auth {
	uint32_t id_key_algorithm;
	uint32_t author_key_algorithm;
	uint8_t reserved_8[56];
	uint8_t id_block_signature[SNP_SIGNATURE_SIZE];
	uint8_t id_key[SNP_KEY_SIZE];
	uint8_t reserved_644[60];
	uint8_t id_key_signature[SNP_SIGNATURE_SIZE];
	uint8_t author_key[SNP_KEY_SIZE];
	uint8_t reserved_c84[892];
};

_Static_assert(sizeof(struct snp_id_block) == 96, "SNP firmware ABI");
_Static_assert(offsetof(struct snp_id_block, version) == 0x50, "SNP firmware ABI");
_Static_assert(offsetof(struct snp_id_block, policy) == 0x58, "SNP firmware ABI");
_Static_assert(sizeof(struct snp_id_auth) == 4096, "SNP firmware ABI");
_Static_assert(offsetof(struct snp_id_auth, id_block_signature) == 0x40,
	       "SNP firmware ABI");
_Static_assert(offsetof(struct snp_id_auth, id_key) == 0x240,
	       "SNP firmware ABI");
_Static_assert(offsetof(struct snp_id_auth, id_key_signature) == 0x680,
	       "SNP firmware ABI");
_Static_assert(offsetof(struct snp_id_auth, author_key) == 0x880,
	       "SNP firmware ABI");

/**
 * struct snp_id_keys - SHA-384 of the keys: what an attestation report shows
 * @has_author: there is an author key
 */
struct snp_id_keys {
	uint8_t id_key_digest[SNP_DIGEST_SIZE];
	bool has_author;
	uint8_t author_key_digest[SNP_DIGEST_SIZE];
};

/**
 * snp_id_auth_create() - sign an ID block
 * @author_key: or NULL, for a launch without one
 */
int snp_id_auth_create(struct snp_id_auth *auth,
		       const struct snp_id_block *block, EVP_PKEY *id_key,
		       EVP_PKEY *author_key, struct error *error);

/**
 * snp_id_auth_check() - do what the firmware does at the end of a launch, before
 *	it is too late to correct anything
 *
 * Return: 0; -EINVAL for something malformed; -EBADMSG for a wrong signature.
 */
int snp_id_auth_check(const struct snp_id_block *block,
		      const struct snp_id_auth *auth, struct snp_id_keys *keys,
		      struct error *error);

#endif /* GMEMCTL_SNP_ID_BLOCK_H */
