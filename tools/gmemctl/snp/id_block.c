// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <openssl/evp.h>

#include "../base/bytes.h"
#include "id_block.h"

static int keys_digest(const struct snp_id_auth *auth, struct snp_id_keys *keys)
{
	int rc = snp_sha384(auth->id_key, sizeof(auth->id_key),
			    keys->id_key_digest);

	memset(keys->author_key_digest, 0, sizeof(keys->author_key_digest));
	keys->has_author = auth->author_key_algorithm;
	if (!rc && keys->has_author)
		rc = snp_sha384(auth->author_key, sizeof(auth->author_key),
				keys->author_key_digest);
	return rc;
}

int snp_id_auth_create(struct snp_id_auth *auth,
		       const struct snp_id_block *block, EVP_PKEY *id_key,
		       EVP_PKEY *author_key, struct error *error)
{
	int rc;

	memset(auth, 0, sizeof(*auth));
	auth->id_key_algorithm = SNP_ALGORITHM;
	rc = snp_key_encode(id_key, auth->id_key, error);
	if (!rc)
		rc = snp_key_sign(id_key, block, sizeof(*block),
				  auth->id_block_signature, error);
	if (rc || !author_key)
		return rc;
	auth->author_key_algorithm = SNP_ALGORITHM;
	rc = snp_key_encode(author_key, auth->author_key, error);
	if (!rc)
		rc = snp_key_sign(author_key, auth->id_key, sizeof(auth->id_key),
				  auth->id_key_signature, error);
	return rc;
}

/* A signature over @data by a key that is given in the firmware's form. */
static int check_signed(const char *key_name, const uint8_t *key_bytes,
			const char *data_name, const void *data, size_t size,
			const uint8_t *signature, struct error *error)
{
	EVP_PKEY *key;
	int rc;

	rc = snp_key_decode(key_name, key_bytes, &key, error);
	if (rc)
		return rc;
	rc = snp_key_verify(key, data_name, data, size, signature, error);
	EVP_PKEY_free(key);
	return rc;
}

static int check_form(const struct snp_id_block *block,
		      const struct snp_id_auth *auth, struct error *error)
{
	if (block->version != 1)
		return error_set(error, -EINVAL, "ID block", "check",
				 "its version is %u, not 1: create it again",
				 block->version);
	if (auth->id_key_algorithm != SNP_ALGORITHM)
		return error_set(error, -EINVAL, "ID authentication", "check",
				 "the ID key's algorithm is %u; only 1, ECDSA on "
				 "P-384, is known", auth->id_key_algorithm);
	if (auth->author_key_algorithm > SNP_ALGORITHM)
		return error_set(error, -EINVAL, "ID authentication", "check",
				 "the author key's algorithm is %u; only 1, ECDSA "
				 "on P-384, is known",
				 auth->author_key_algorithm);
	if (!bytes_are_zero(auth->reserved_8, sizeof(auth->reserved_8)) ||
	    !bytes_are_zero(auth->reserved_644, sizeof(auth->reserved_644)) ||
	    !bytes_are_zero(auth->reserved_c84, sizeof(auth->reserved_c84)))
		return error_set(error, -EINVAL, "ID authentication", "check",
				 "reserved bytes are not zero: it is damaged, "
				 "create it again");
	return 0;
}

int snp_id_auth_check(const struct snp_id_block *block,
		      const struct snp_id_auth *auth, struct snp_id_keys *keys,
		      struct error *error)
{
	int rc;

	rc = check_form(block, auth, error);
	if (!rc)
		rc = check_signed("ID key", auth->id_key, "ID block", block,
				  sizeof(*block), auth->id_block_signature, error);
	if (!rc && auth->author_key_algorithm)
		rc = check_signed("author key", auth->author_key, "ID key",
				  auth->id_key, sizeof(auth->id_key),
				  auth->id_key_signature, error);
	if (rc)
		return rc;
	rc = keys_digest(auth, keys);
	return rc ? error_set(error, rc, "OpenSSL", "SHA-384", NULL) : 0;
}
