// SPDX-License-Identifier: GPL-2.0
/* The payload's SHA-256 is OpenSSL's, for every length around the paddings. */
#include <openssl/evp.h>

#include "ksft.h"

#define memcpy guest_memcpy
#define memset guest_memset
#include "../guest/guest.h"
#undef memcpy
#undef memset

#define LARGE 1000003

static bool same_digest(const uint8_t *data, size_t size, size_t split)
{
	uint8_t digest[GUEST_DIGEST_SIZE], expected[GUEST_DIGEST_SIZE];
	struct sha256 hash;

	sha256_init(&hash);
	sha256_update(&hash, data, split);
	sha256_update(&hash, data + split, size - split);
	sha256_final(&hash, digest);
	if (!EVP_Digest(data, size, expected, NULL, EVP_sha256(), NULL))
		return false;
	return !memcmp(digest, expected, sizeof(digest));
}

TEST_OF(sha256, lengths)
{
	uint8_t *data = malloc(LARGE);

	EXPECT_TRUE(data);
	if (!data)
		return;
	for (size_t i = 0; i < LARGE; i++)
		data[i] = (uint8_t)(i * 167 + (i >> 8));
	for (size_t size = 0; size <= 260; size++)
		EXPECT_TRUE(same_digest(data, size, size / 3));
	EXPECT_TRUE(same_digest(data, LARGE, 65));
	free(data);
}
