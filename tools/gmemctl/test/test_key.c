// SPDX-License-Identifier: GPL-2.0
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>

#include "test_key.h"

#define POINT_SIZE 97

static int public_point(const BIGNUM *scalar, unsigned char point[POINT_SIZE])
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_secp384r1);
	EC_POINT *public = group ? EC_POINT_new(group) : NULL;
	int ok = public &&
		 EC_POINT_mul(group, public, scalar, NULL, NULL, NULL) == 1 &&
		 EC_POINT_point2oct(group, public, POINT_CONVERSION_UNCOMPRESSED,
				    point, POINT_SIZE, NULL) == POINT_SIZE;

	EC_POINT_free(public);
	EC_GROUP_free(group);
	return ok;
}

static EVP_PKEY *key_from(const BIGNUM *scalar, const unsigned char point[POINT_SIZE])
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, SN_secp384r1, 0);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, scalar);
	OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, POINT_SIZE);
	params = OSSL_PARAM_BLD_to_param(build);
	if (params && EVP_PKEY_fromdata_init(context) == 1)
		EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params);
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_BLD_free(build);
	return key;
}

struct evp_pkey_st *test_key(const char *scalar)
{
	unsigned char point[POINT_SIZE];
	EVP_PKEY *key = NULL;
	BIGNUM *number = NULL;

	if (BN_hex2bn(&number, scalar) && public_point(number, point))
		key = key_from(number, point);
	BN_free(number);
	return key;
}
