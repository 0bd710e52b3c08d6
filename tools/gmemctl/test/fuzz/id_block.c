// SPDX-License-Identifier: GPL-2.0
/* ID block and ID authentication, one after the other. */
#include <string.h>
#include <openssl/evp.h>

#include "../../snp/id_block.h"
#include "../test_key.h"
#include "fuzz.h"

/* Whatever decodes, encodes to the same bytes. */
static void check_key(const uint8_t bytes[SNP_KEY_SIZE])
{
	uint8_t again[SNP_KEY_SIZE];
	struct error error;
	EVP_PKEY *key;

	if (snp_key_decode("fuzz", bytes, &key, &error)) {
		FUZZ_ASSERT(!key && error.hint[0]);
		return;
	}
	FUZZ_ASSERT(!snp_key_encode(key, again, &error));
	FUZZ_ASSERT(!memcmp(bytes, again, sizeof(again)));
	EVP_PKEY_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snp_id_block block;
	struct snp_id_auth auth;
	struct snp_id_keys keys;
	struct error error = { 0 };

	if (size < sizeof(block) + sizeof(auth))
		return 0;
	memcpy(&block, data, sizeof(block));
	memcpy(&auth, data + sizeof(block), sizeof(auth));
	if (snp_id_auth_check(&block, &auth, &keys, &error))
		FUZZ_ASSERT(error.rc && error.hint[0]);
	else
		FUZZ_ASSERT(block.version == 1);
	check_key(auth.id_key);
	check_key(auth.author_key);
	return 0;
}

size_t fuzz_seed(unsigned int index, uint8_t *data)
{
	EVP_PKEY *id_key = test_key(TEST_ID_KEY);
	EVP_PKEY *author_key = test_key(TEST_AUTHOR_KEY);
	struct snp_id_block block = { .version = 1, .policy = 0x30000 };
	struct snp_id_auth auth;
	struct error error;
	int rc;

	rc = snp_id_auth_create(&auth, &block, id_key,
				index ? author_key : NULL, &error);
	memcpy(data, &block, sizeof(block));
	memcpy(data + sizeof(block), &auth, sizeof(auth));
	EVP_PKEY_free(id_key);
	EVP_PKEY_free(author_key);
	return index > 1 || rc ? 0 : sizeof(block) + sizeof(auth);
}
