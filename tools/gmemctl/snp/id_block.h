/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ID block and ID authentication: with them the owner of a guest says which
 * launch digest and policy are his, and signs it; the firmware refuses to finish
 * the launch of anything else.
 */
#ifndef GMEMCTL_SNP_ID_BLOCK_H
#define GMEMCTL_SNP_ID_BLOCK_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/error.h"
#include "digest.h"

#define SNP_KEY_SIZE 0x404
#define SNP_SIGNATURE_SIZE 0x200
/* ECDSA on P-384 with SHA-384, in every field that names an algorithm */
#define SNP_ALGORITHM 1

/**
 * snp_key_parse() - a private key in PEM form
 * @name: for messages
 * @pem: the file, of @size bytes
 * @key: out: NULL after a failure, else to be freed with EVP_PKEY_free()
 *
 * A key with a passphrase is refused: nothing here asks a person.
 *
 * Return: 0 or -EINVAL for what is no such key.
 */
int snp_key_parse(const char *name, const void *pem, size_t size, EVP_PKEY **key,
		  struct error *error);

/**
 * snp_key_no_passphrase() - a pem_password_cb that has none
 *
 * For all that reads PEM: without it OpenSSL asks at the terminal, and a
 * certificate that says that it is encrypted is enough for that.
 *
 * Return: -1.
 */
int snp_key_no_passphrase(char *buffer, int size, int writing, void *context);

/** snp_key_encode() - the public half of a key, in the firmware's form */
int snp_key_encode(EVP_PKEY *key, uint8_t bytes[SNP_KEY_SIZE], struct error *error);

/**
 * snp_key_decode() - a public key from the firmware's form
 * @name: for the message
 *
 * Return: 0, or -EINVAL for another curve, a point that is not on it, or bytes
 * that have to be zero.
 */
int snp_key_decode(const char *name, const uint8_t bytes[SNP_KEY_SIZE],
		   EVP_PKEY **key, struct error *error);

int snp_key_sign(EVP_PKEY *key, const void *data, size_t size,
		 uint8_t signature[SNP_SIGNATURE_SIZE], struct error *error);

/**
 * snp_key_verify() - check a signature
 * @name: what is signed, for the message
 *
 * Return: 0; -EBADMSG if it is not the key's; -EINVAL if it is no signature.
 */
int snp_key_verify(EVP_PKEY *key, const char *name, const void *data, size_t size,
		   const uint8_t signature[SNP_SIGNATURE_SIZE], struct error *error);

/** snp_key_is_p384() - whether a key is on the right curve */
int snp_key_is_p384(EVP_PKEY *key);

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
_Static_assert(offsetof(struct snp_id_auth, id_block_signature) == 0x40, "SNP firmware ABI");
_Static_assert(offsetof(struct snp_id_auth, id_key) == 0x240, "SNP firmware ABI");
_Static_assert(offsetof(struct snp_id_auth, id_key_signature) == 0x680, "SNP firmware ABI");
_Static_assert(offsetof(struct snp_id_auth, author_key) == 0x880, "SNP firmware ABI");

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
int snp_id_auth_create(struct snp_id_auth *auth, const struct snp_id_block *block, EVP_PKEY *id_key,
		       EVP_PKEY *author_key, struct error *error);

/**
 * snp_id_auth_check() - do what the firmware does at the end of a launch, before
 *	it is too late to correct anything
 *
 * Return: 0; -EINVAL for something malformed; -EBADMSG for a wrong signature.
 */
int snp_id_auth_check(const struct snp_id_block *block, const struct snp_id_auth *auth,
		      struct snp_id_keys *keys, struct error *error);

#endif /* GMEMCTL_SNP_ID_BLOCK_H */
