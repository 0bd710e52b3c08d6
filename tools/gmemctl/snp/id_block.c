// SPDX-License-Identifier: GPL-2.0
/* Keys in the firmware's form, and ID blocks that are signed with them. */
#include <errno.h>
#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <string.h>

#include "../base/bytes.h"
#include "id_block.h"

/* A number of P-384 has 48 bytes, the firmware's field for it 72. */
#define NUMBER_SIZE 48
#define FIELD_SIZE 72
#define CURVE_P384 2
/* 0x04, X and Y: an uncompressed point */
#define POINT_SIZE (1 + 2 * NUMBER_SIZE)

static int openssl_failed(const char *action, struct error *error)
{
	const char *reason = ERR_reason_error_string(ERR_get_error());

	ERR_clear_error();
	return error_set(error, -EIO, "OpenSSL", action, "%s",
			 reason ? reason : "it gives no reason");
}

int snp_key_is_p384(EVP_PKEY *key)
{
	char group[64];

	return EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
	       !strcmp(group, SN_secp384r1);
}

int snp_key_no_passphrase(char *buffer, int size, int writing, void *context)
{
	return -1;
}

int snp_key_parse(const char *name, const void *pem, size_t size, EVP_PKEY **key,
		  struct error *error)
{
	BIO *bio = size <= INT_MAX ? BIO_new_mem_buf(pem, (int)size) : NULL;

	*key = bio ? PEM_read_bio_PrivateKey(bio, NULL,
					     snp_key_no_passphrase, NULL) :
		     NULL;
	BIO_free(bio);
	ERR_clear_error();
	if (!*key)
		return error_set(error, -EINVAL, name, "read key", "it has no private key in PEM "
				 "form without a passphrase; `openssl ecparam -name secp384r1 "
				 "-genkey -noout` makes one");
	if (snp_key_is_p384(*key))
		return 0;
	EVP_PKEY_free(*key);
	*key = NULL;
	return error_set(error, -EINVAL, name, "read key", "it is not an ECDSA key on P-384; "
			 "`openssl ecparam -name secp384r1 -genkey -noout` makes one");
}

static int encode_number(EVP_PKEY *key, const char *name, uint8_t *field)
{
	BIGNUM *number = NULL;
	int ok = EVP_PKEY_get_bn_param(key, name, &number) == 1 &&
		 BN_bn2lebinpad(number, field, FIELD_SIZE) == FIELD_SIZE;

	BN_free(number);
	return ok;
}

int snp_key_encode(EVP_PKEY *key, uint8_t bytes[SNP_KEY_SIZE], struct error *error)
{
	memset(bytes, 0, SNP_KEY_SIZE);
	bytes_put32(bytes, CURVE_P384);
	if (!encode_number(key, OSSL_PKEY_PARAM_EC_PUB_X, bytes + 4) ||
	    !encode_number(key, OSSL_PKEY_PARAM_EC_PUB_Y,
			   bytes + 4 + FIELD_SIZE))
		return openssl_failed("encode public key", error);
	return 0;
}

/* Whether the bytes after both numbers of a key or signature are zero. */
static int fields_are_clean(const uint8_t *fields, size_t size)
{
	return bytes_are_zero(fields + NUMBER_SIZE, FIELD_SIZE - NUMBER_SIZE) &&
	       bytes_are_zero(fields + FIELD_SIZE + NUMBER_SIZE,
			      FIELD_SIZE - NUMBER_SIZE) &&
	       bytes_are_zero(fields + 2 * FIELD_SIZE, size - 2 * FIELD_SIZE);
}

static void reverse(uint8_t *to, const uint8_t *from)
{
	for (int i = 0; i < NUMBER_SIZE; i++)
		to[i] = from[NUMBER_SIZE - 1 - i];
}

static EVP_PKEY *key_from_point(uint8_t point[POINT_SIZE])
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
						 (char *)SN_secp384r1, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
						  point, POINT_SIZE),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;

	/* OpenSSL refuses a point that is not on the curve. */
	if (context && EVP_PKEY_fromdata_init(context) == 1)
		EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params);
	EVP_PKEY_CTX_free(context);
	ERR_clear_error();
	return key;
}

int snp_key_decode(const char *name, const uint8_t bytes[SNP_KEY_SIZE],
		   EVP_PKEY **key, struct error *error)
{
	uint8_t point[POINT_SIZE] = { 4 };

	*key = NULL;
	if (bytes_get32(bytes) != CURVE_P384)
		return error_set(error, -EINVAL, name, "decode key",
				 "its curve is %u; only 2, P-384, is known", bytes_get32(bytes));
	if (!fields_are_clean(bytes + 4, SNP_KEY_SIZE - 4))
		return error_set(error, -EINVAL, name, "decode key",
				 "bytes that have to be zero are not: it is damaged, or not a key");
	reverse(point + 1, bytes + 4);
	reverse(point + 1 + NUMBER_SIZE, bytes + 4 + FIELD_SIZE);
	*key = key_from_point(point);
	return *key ? 0 : error_set(error, -EINVAL, name, "decode key",
				    "it is not a point of the curve P-384");
}

/* Convert a signature from DER to the firmware's form. */
static int signature_encode(const uint8_t *der, size_t size, uint8_t signature[SNP_SIGNATURE_SIZE])
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)size);
	int ok;

	memset(signature, 0, SNP_SIGNATURE_SIZE);
	ok = sig && BN_bn2lebinpad(ECDSA_SIG_get0_r(sig), signature,
				   FIELD_SIZE) == FIELD_SIZE &&
	     BN_bn2lebinpad(ECDSA_SIG_get0_s(sig), signature + FIELD_SIZE,
			    FIELD_SIZE) == FIELD_SIZE;
	ECDSA_SIG_free(sig);
	return ok;
}

int snp_key_sign(EVP_PKEY *key, const void *data, size_t size,
		 uint8_t signature[SNP_SIGNATURE_SIZE], struct error *error)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t der[256];
	size_t der_size = sizeof(der);
	int ok;

	ok = context &&
	     EVP_DigestSignInit(context, NULL, EVP_sha384(), NULL, key) == 1 &&
	     EVP_DigestSign(context, der, &der_size, data, size) == 1 &&
	     signature_encode(der, der_size, signature);
	EVP_MD_CTX_free(context);
	return ok ? 0 : openssl_failed("sign", error);
}

/* Convert to DER. Return: the length of @der, which the caller frees, or negative. */
static int signature_decode(const uint8_t signature[SNP_SIGNATURE_SIZE], uint8_t **der)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_lebin2bn(signature, FIELD_SIZE, NULL);
	BIGNUM *s = BN_lebin2bn(signature + FIELD_SIZE, FIELD_SIZE, NULL);
	int length = -1;

	if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
		length = i2d_ECDSA_SIG(sig, der);
	} else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(sig);
	return length;
}

int snp_key_verify(EVP_PKEY *key, const char *name, const void *data, size_t size,
		   const uint8_t signature[SNP_SIGNATURE_SIZE], struct error *error)
{
	EVP_MD_CTX *context;
	uint8_t *der = NULL;
	int length, ok;

	if (!fields_are_clean(signature, SNP_SIGNATURE_SIZE))
		return error_set(error, -EINVAL, name, "check signature", "bytes of the signature "
				 "that have to be zero are not: it is damaged, or not signed");
	length = signature_decode(signature, &der);
	if (length < 0)
		return openssl_failed("decode signature", error);
	context = EVP_MD_CTX_new();
	ok = context &&
	     EVP_DigestVerifyInit(context, NULL, EVP_sha384(), NULL, key) == 1 &&
	     EVP_DigestVerify(context, der, (size_t)length, data, size) == 1;
	EVP_MD_CTX_free(context);
	OPENSSL_free(der);
	ERR_clear_error();
	return ok ? 0 : error_set(error, -EBADMSG, name, "check signature",
				  "it was not made by this key, or what it signs was changed");
}

static int keys_digest(const struct snp_id_auth *auth, struct snp_id_keys *keys)
{
	int rc = snp_sha384(auth->id_key, sizeof(auth->id_key), keys->id_key_digest);

	memset(keys->author_key_digest, 0, sizeof(keys->author_key_digest));
	keys->has_author = auth->author_key_algorithm;
	if (!rc && keys->has_author)
		rc = snp_sha384(auth->author_key, sizeof(auth->author_key),
				keys->author_key_digest);
	return rc;
}

int snp_id_auth_create(struct snp_id_auth *auth, const struct snp_id_block *block, EVP_PKEY *id_key,
		       EVP_PKEY *author_key, struct error *error)
{
	int rc;

	memset(auth, 0, sizeof(*auth));
	auth->id_key_algorithm = SNP_ALGORITHM;
	rc = snp_key_encode(id_key, auth->id_key, error);
	if (!rc)
		rc = snp_key_sign(id_key, block, sizeof(*block), auth->id_block_signature, error);
	if (rc || !author_key)
		return rc;
	auth->author_key_algorithm = SNP_ALGORITHM;
	rc = snp_key_encode(author_key, auth->author_key, error);
	if (!rc)
		rc = snp_key_sign(author_key, auth->id_key, sizeof(auth->id_key),
				  auth->id_key_signature, error);
	return rc;
}

/* Check a signature over @data. The key is in the firmware's form. */
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
				 "its version is %u, not 1: create it again", block->version);
	if (auth->id_key_algorithm != SNP_ALGORITHM)
		return error_set(error, -EINVAL, "ID authentication", "check",
				 "the ID key's algorithm is %u; only 1, ECDSA on "
				 "P-384, is known", auth->id_key_algorithm);
	if (auth->author_key_algorithm > SNP_ALGORITHM)
		return error_set(error, -EINVAL, "ID authentication", "check", "the author key's "
				 "algorithm is %u; only 1, ECDSA on P-384, is known",
				 auth->author_key_algorithm);
	if (!bytes_are_zero(auth->reserved_8, sizeof(auth->reserved_8)) ||
	    !bytes_are_zero(auth->reserved_644, sizeof(auth->reserved_644)) ||
	    !bytes_are_zero(auth->reserved_c84, sizeof(auth->reserved_c84)))
		return error_set(error, -EINVAL, "ID authentication", "check",
				 "reserved bytes are not zero: it is damaged, create it again");
	return 0;
}

int snp_id_auth_check(const struct snp_id_block *block, const struct snp_id_auth *auth,
		      struct snp_id_keys *keys, struct error *error)
{
	int rc;

	rc = check_form(block, auth, error);
	if (!rc)
		rc = check_signed("ID key", auth->id_key, "ID block", block,
				  sizeof(*block), auth->id_block_signature, error);
	if (!rc && auth->author_key_algorithm)
		rc = check_signed("author key", auth->author_key, "ID key", auth->id_key,
				  sizeof(auth->id_key), auth->id_key_signature, error);
	if (rc)
		return rc;
	rc = keys_digest(auth, keys);
	return rc ? error_set(error, rc, "OpenSSL", "SHA-384", NULL) : 0;
}
