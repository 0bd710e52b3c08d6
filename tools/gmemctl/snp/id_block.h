/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ID block and ID authentication. The ID block has the launch digest and the policy that the owner
 * of a guest expects. The ID authentication has the owner's signatures. The firmware does not
 * finish the launch of a guest with another digest or policy.
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
/* ECDSA on P-384 with SHA-384: the value of every field for an algorithm */
#define SNP_ALGORITHM 1

/**
 * snp_key_parse() - parse a private key in PEM form
 * @name: name of the file, for messages
 * @pem: contents of the file, @size bytes
 * @key: out: the key, freed with EVP_PKEY_free(); NULL after a failure
 *
 * A key with a passphrase is refused: nothing reads one from a terminal.
 *
 * Return: 0, or -EINVAL if it is not such a key on P-384.
 */
int snp_key_parse(const char *name, const void *pem, size_t size, EVP_PKEY **key,
		  struct error *error);

/**
 * snp_key_no_passphrase() - a pem_password_cb that returns no passphrase
 *
 * All readers of PEM use it. Without it OpenSSL asks on the terminal for a passphrase, also for a
 * certificate that is marked as encrypted.
 *
 * Return: -1.
 */
int snp_key_no_passphrase(char *buffer, int size, int writing, void *context);

/** snp_key_encode() - encode the public part of a key in the firmware's form */
int snp_key_encode(EVP_PKEY *key, uint8_t bytes[SNP_KEY_SIZE], struct error *error);

/**
 * snp_key_decode() - decode a public key in the firmware's form
 * @name: name for the message
 *
 * Return: 0, or -EINVAL for another curve, a point that is not on the curve, or reserved bytes that
 * are not zero.
 */
int snp_key_decode(const char *name, const uint8_t bytes[SNP_KEY_SIZE],
		   EVP_PKEY **key, struct error *error);

/** snp_key_sign() - sign data; the signature is in the firmware's form */
int snp_key_sign(EVP_PKEY *key, const void *data, size_t size,
		 uint8_t signature[SNP_SIGNATURE_SIZE], struct error *error);

/**
 * snp_key_verify() - check a signature
 * @name: name of the signed data, for the message
 *
 * Return: 0; -EBADMSG if the signature is not valid for this key; -EINVAL if it is malformed.
 */
int snp_key_verify(EVP_PKEY *key, const char *name, const void *data, size_t size,
		   const uint8_t signature[SNP_SIGNATURE_SIZE], struct error *error);

/** snp_key_is_p384() - whether a key is on the right curve */
int snp_key_is_p384(EVP_PKEY *key);

#define SNP_ID_SIZE 16

/** struct snp_id_block - the ID block of the SNP firmware ABI */
struct snp_id_block {
	uint8_t digest[SNP_DIGEST_SIZE];
	uint8_t family_id[SNP_ID_SIZE];
	uint8_t image_id[SNP_ID_SIZE];
	uint32_t version;
	uint32_t guest_svn;
	uint64_t policy;
};

/**
 * struct snp_id_auth - the ID authentication information structure of the SNP firmware ABI
 * @id_block_signature: signature of the ID block by @id_key
 * @id_key_signature: signature of @id_key by @author_key
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
 * struct snp_id_keys - SHA-384 of the keys, as in an attestation report
 * @id_key_digest: digest of the ID key
 * @has_author: there is an author key
 * @author_key_digest: digest of the author key
 */
struct snp_id_keys {
	uint8_t id_key_digest[SNP_DIGEST_SIZE];
	bool has_author;
	uint8_t author_key_digest[SNP_DIGEST_SIZE];
};

/**
 * snp_id_auth_create() - sign an ID block
 * @author_key: key that signs the ID key, or NULL
 */
int snp_id_auth_create(struct snp_id_auth *auth, const struct snp_id_block *block, EVP_PKEY *id_key,
		       EVP_PKEY *author_key, struct error *error);

/**
 * snp_id_auth_check() - make the checks that the firmware makes at the end of a launch
 * @keys: out: digests of the keys
 *
 * A launch that fails at its end costs the VM, so this is called before it.
 *
 * Return: 0; -EINVAL if a structure is malformed; -EBADMSG for a wrong signature.
 */
int snp_id_auth_check(const struct snp_id_block *block, const struct snp_id_auth *auth,
		      struct snp_id_keys *keys, struct error *error);

#endif /* GMEMCTL_SNP_ID_BLOCK_H */
