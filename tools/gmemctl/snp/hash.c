// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <openssl/evp.h>

#include "hash.h"

int snp_sha384(const void *data, size_t size, uint8_t digest[SNP_DIGEST_SIZE])
{
	return EVP_Digest(data, size, digest, NULL, EVP_sha384(), NULL) == 1 ?
	       0 : -EIO;
}

int snp_sha256(const void *data, size_t size, uint8_t digest[SNP_SHA256_SIZE])
{
	return EVP_Digest(data, size, digest, NULL, EVP_sha256(), NULL) == 1 ?
	       0 : -EIO;
}
