// SPDX-License-Identifier: GPL-2.0
/* ID blocks and their signatures, against vectors and against tampering. */
#include <openssl/pem.h>

#include "../base/hex.h"
#include "../snp/abi.h"
#include "../snp/id_block.h"
#include "fixture.h"
#include "snp_vectors.h"
#include "test_hex.h"
#include "test_key.h"
#include "ksft.h"

static void vector_block(struct snp_id_block *block)
{
	memset(block, 0, sizeof(*block));
	EXPECT_FALSE(hex_parse("77dc34510dfbe6a863e38171aa18f38a8179231f34484ec3"
			       "3edf8e12e8bf2805c032a4554300e2dfcb723ab2e3915dfb",
			       block->digest, sizeof(block->digest)));
	for (uint8_t i = 0; i < SNP_ID_SIZE; i++) {
		block->family_id[i] = i;
		block->image_id[i] = 0x10 + i;
	}
	block->version = 1;
	block->guest_svn = 7;
	block->policy = SNP_POLICY_DEFAULT;
}

/* R and S of a signature, 72 bytes each, as the vectors have them. */
static void put_signature(uint8_t *signature, const char *text)
{
	memset(signature, 0, SNP_SIGNATURE_SIZE);
	EXPECT_FALSE(hex_parse(text, signature, 144));
}

#define ZEROS_24 "000000000000000000000000000000000000000000000000"

TEST_OF(snp, id_block_form)
{
	struct snp_id_block block;

	vector_block(&block);
	EXPECT_TRUE(is_hex(&block, sizeof(block),
			   "77dc34510dfbe6a863e38171aa18f38a8179231f34484ec3"
			   "3edf8e12e8bf2805c032a4554300e2dfcb723ab2e3915dfb"
			   "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
			   "01000000070000000000030000000000"));
	/* sev-snp-measure's test has this one. */
	memset(&block, 0, sizeof(block));
	EXPECT_FALSE(hex_parse("076f052d08bda7a700aa2a608c5caa6b00ebad297b6d68a8"
			       "5a45b1e669a558b67e1b91d284a301fe63c4fa0750467eed",
			       block.digest, sizeof(block.digest)));
	block.version = 1;
	block.policy = 0x30000;
	EXPECT_TRUE(is_hex(&block, sizeof(block),
			   "076f052d08bda7a700aa2a608c5caa6b00ebad297b6d68a8"
			   "5a45b1e669a558b67e1b91d284a301fe63c4fa0750467eed"
			   "0000000000000000000000000000000000000000000000000000000000000000"
			   "01000000000000000000030000000000"));
}

TEST_OF(snp, id_key_form)
{
	EVP_PKEY *id_key = test_key(TEST_ID_KEY), *decoded;
	uint8_t bytes[SNP_KEY_SIZE], again[SNP_KEY_SIZE];
	struct error error;

	EXPECT_FALSE(snp_key_encode(id_key, bytes, &error));
	EXPECT_TRUE(is_hex(bytes, 0x94,
			   "02000000b5d6e29505912eb8745f8a3c66fc286f0717cedf3c1b61ce"
			   "6d158ac06032d8aa4a35a2ba857e2ca199c1c2057cd387c7" ZEROS_24
			   "6617801961c2bfc242a1b1908912816bdae6faccb2ef967e"
			   "38b09a3bdd2ae50ed7a820aef1554d1313dc711fd82cccc8" ZEROS_24));
	EXPECT_FALSE(snp_key_decode("key", bytes, &decoded, &error));
	EXPECT_EQ(EVP_PKEY_eq(id_key, decoded), 1);
	EXPECT_FALSE(snp_key_encode(decoded, again, &error));
	EXPECT_MEMEQ(bytes, again, sizeof(bytes));
	EVP_PKEY_free(decoded);
	bytes[0] = 1;
	EXPECT_EQ(snp_key_decode("key", bytes, &decoded, &error), -EINVAL);
	EXPECT_FALSE(decoded);
	EXPECT_STRSTR(error.hint, "curve");
	bytes[0] = 2;
	bytes[4 + 48] = 1;
	EXPECT_EQ(snp_key_decode("key", bytes, &decoded, &error), -EINVAL);
	bytes[4 + 48] = 0;
	bytes[SNP_KEY_SIZE - 1] = 1;
	EXPECT_EQ(snp_key_decode("key", bytes, &decoded, &error), -EINVAL);
	bytes[SNP_KEY_SIZE - 1] = 0;
	bytes[4]++;
	EXPECT_EQ(snp_key_decode("key", bytes, &decoded, &error), -EINVAL);
	EXPECT_FALSE(decoded);
	EXPECT_STRSTR(error.hint, "point");
	EVP_PKEY_free(id_key);
}

/* A signature that was not made here verifies. */
TEST_OF(snp, id_auth_vector)
{
	EVP_PKEY *id_key = test_key(TEST_ID_KEY);
	EVP_PKEY *author_key = test_key(TEST_AUTHOR_KEY);
	struct snp_id_block block;
	struct snp_id_auth auth;
	struct snp_id_keys keys;
	uint8_t digest[SNP_SHA256_SIZE];
	struct error error;

	vector_block(&block);
	EXPECT_FALSE(snp_id_auth_create(&auth, &block, id_key, author_key, &error));
	put_signature(auth.id_block_signature,
		      "b2e952e1b43683a27092934bc41a055abdcdd5c6f0492d00"
		      "92580dfd3bfd4ccbf545d6be12ed55bbcfe7fccbb2148b06" ZEROS_24
		      "c357c6d8bf7717e1fd57d44e164ab7cc9fafc56e55f9e5d1"
		      "cfda6c3aa4336d09c70cee265d57ad5070722a5e696592cd" ZEROS_24);
	put_signature(auth.id_key_signature,
		      "1a0eaceb14116fc3879d8446c3d4cec3034b42e327cfedd2"
		      "1c788bb4b26758bb9dfabfa4cc577468f5f58674175074c3" ZEROS_24
		      "62b8f5f2f1831a9374d9d0c1cffc2f5d69e757b8816d8547"
		      "6113855917ac1a4b080dbcca9c881ec00d9aaa4dbf851a2b" ZEROS_24);
	EXPECT_FALSE(snp_id_auth_check(&block, &auth, &keys, &error));
	EXPECT_TRUE(keys.has_author);
	EXPECT_TRUE(is_hex(keys.id_key_digest, SNP_DIGEST_SIZE,
			   "aba2a293417cdbbe135f6cecf4e03a5e26822c85a8095df1"
			   "d4e2137a8a3d78c112996b09368b50640a357e60132cefde"));
	EXPECT_TRUE(is_hex(keys.author_key_digest, SNP_DIGEST_SIZE,
			   "d2796ac08e2fddc0a3314a5088d710f6b1b627b33a93dabe"
			   "67331c69a060beef957a49470642a4c9ffac960727ab5e58"));
	EXPECT_FALSE(snp_sha256(&auth, sizeof(auth), digest));
	EXPECT_TRUE(is_hex(digest, sizeof(digest),
			   "fbd8ff173e6f02fb8c4dbf218ac8caa2304f2b610386ab7bf551a67853847dcd"));
	EVP_PKEY_free(id_key);
	EVP_PKEY_free(author_key);
}

/* What is created verifies; anything changed in it, with each key, does not. */
TEST_OF(snp, id_auth_tamper)
{
	static const size_t offsets[] = {
		0x40, 0x40 + 72, 0x40 + 144, 0x23f, 0x244, 0x28c, 0x680, 0x6c8,
		0x884, 0x8cc, 8, 0x644, 0xc84, 4095, 0, 4, 0x240, 0x880,
	};
	EVP_PKEY *id_key = test_key(TEST_ID_KEY);
	EVP_PKEY *author_key = test_key(TEST_AUTHOR_KEY);
	struct snp_id_block block;
	struct snp_id_auth auth;
	struct snp_id_keys keys;
	struct error error;

	vector_block(&block);
	EXPECT_FALSE(snp_id_auth_create(&auth, &block, id_key, author_key, &error));
	EXPECT_FALSE(snp_id_auth_check(&block, &auth, &keys, &error));
	ksft_for_each(offset, offsets) {
		uint8_t *at = (uint8_t *)&auth + *offset;

		*at ^= 4;
		EXPECT_TRUE(snp_id_auth_check(&block, &auth, &keys, &error));
		*at ^= 4;
	}
	for (size_t i = 0; i < sizeof(block); i++) {
		((uint8_t *)&block)[i] ^= 0x80;
		EXPECT_TRUE(snp_id_auth_check(&block, &auth, &keys, &error));
		((uint8_t *)&block)[i] ^= 0x80;
	}
	EXPECT_FALSE(snp_id_auth_check(&block, &auth, &keys, &error));
	EVP_PKEY_free(id_key);
	EVP_PKEY_free(author_key);
}

TEST_OF(snp, id_auth_no_author)
{
	EVP_PKEY *id_key = test_key(TEST_ID_KEY);
	struct snp_id_block block;
	struct snp_id_auth auth;
	struct snp_id_keys keys;
	struct error error;

	vector_block(&block);
	EXPECT_FALSE(snp_id_auth_create(&auth, &block, id_key, NULL, &error));
	EXPECT_FALSE(snp_id_auth_check(&block, &auth, &keys, &error));
	EXPECT_FALSE(keys.has_author);
	auth.id_block_signature[0] ^= 1;
	EXPECT_EQ(snp_id_auth_check(&block, &auth, &keys, &error), -EBADMSG);
	EVP_PKEY_free(id_key);
}

/* The Rust library sev's own block, keys and signatures. */
TEST_OF(snp, id_auth_published)
{
	struct snp_id_block block = { .version = 1, .policy = 0x30000 };
	struct snp_id_keys keys;
	struct fixture fixture;
	struct error error;

	if (!fixture_load(&fixture, "test_auth_block.bin",
			  "357559109700077566355a0fefd0fbdc"
			  "fdf7f5b82de7e3ede55f8054d4bea447"))
		return;
	EXPECT_FALSE(hex_parse("a14d638341e5674628fe1e02fbedebe5e5ab4faf1dd72d89"
			       "66068e615bb99efd13d214b35c231715b38e263dc6059745",
			       block.digest, sizeof(block.digest)));
	EXPECT_EQ(fixture.size, sizeof(struct snp_id_auth));
	EXPECT_FALSE(snp_id_auth_check(&block, (void *)fixture.data, &keys, &error));
	EXPECT_TRUE(is_hex(keys.id_key_digest, SNP_DIGEST_SIZE,
			   "59fb2c686dfa4fef49f38339aa775c90051c28d57383ddc3"
			   "baf3b5eb4b1496df3b0dbbdcbae5fe27677a644820773fe2"));
	EXPECT_TRUE(is_hex(keys.author_key_digest, SNP_DIGEST_SIZE,
			   "eed81169fb0cb5e0ec34794f128fd4e0c4a46f67c65a1adf"
			   "a81fcb24bcc088c272369b7ffc3eb2b6af6a4284a1b36c5f"));
	vector_tell("test_auth_block.bin", 0);
	fixture_free(&fixture);
}

static int read_back(EVP_PKEY *key, const EVP_CIPHER *cipher, EVP_PKEY **read, struct error *error)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem;
	long size;
	int rc;

	EXPECT_EQ(PEM_write_bio_PrivateKey(bio, key, cipher, NULL, 0, NULL, (void *)"secret"), 1);
	size = BIO_get_mem_data(bio, &pem);
	rc = snp_key_parse("key", pem, (size_t)size, read, error);
	BIO_free(bio);
	return rc;
}

TEST_OF(snp, key_read)
{
	EVP_PKEY *key = test_key(TEST_ID_KEY), *read = NULL;
	EVP_PKEY *other = EVP_EC_gen("P-256");
	EVP_PKEY *rsa = EVP_RSA_gen(1024);
	struct error error;

	EXPECT_FALSE(read_back(key, NULL, &read, &error));
	EXPECT_EQ(EVP_PKEY_eq(key, read), 1);
	EVP_PKEY_free(read);
	EXPECT_EQ(read_back(key, EVP_aes_128_cbc(), &read, &error), -EINVAL);
	EXPECT_STRSTR(error.hint, "passphrase");
	EXPECT_EQ(read_back(other, NULL, &read, &error), -EINVAL);
	EXPECT_FALSE(read);
	EXPECT_STRSTR(error.hint, "P-384");
	EXPECT_EQ(read_back(rsa, NULL, &read, &error), -EINVAL);
	EXPECT_FALSE(read);
	EXPECT_EQ(snp_key_parse("key", "", 0, &read, &error), -EINVAL);
	EXPECT_FALSE(read);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	EVP_PKEY_free(rsa);
}

TEST_OF(snp, policy)
{
	char text[256], small[8];

	EXPECT_STREQ(snp_policy_format(0x30000, text, sizeof(text)), "ABI 0.0, SMT");
	EXPECT_STREQ(snp_policy_format(0xa0133, text, sizeof(text)), "ABI 1.51, DEBUG");
	EXPECT_LT(strlen(snp_policy_format(~0ULL, text, sizeof(text))), 256);
	snp_policy_format(~0ULL, small, sizeof(small));
	EXPECT_EQ(strlen(small), 7);
}
