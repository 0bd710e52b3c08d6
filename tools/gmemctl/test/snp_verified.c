// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "../base/hex.h"
#include "snp_verified.h"
#include "ksft.h"

void verified_expect(struct verified *verified, enum snp_expect_id id,
		     const char *text)
{
	struct error error;

	memset(&verified->expect.values[id], 0,
	       sizeof(verified->expect.values[id]));
	if (text)
		EXPECT_FALSE(snp_expect_set(&verified->expect, id, text, &error));
}

void verified_init(struct verified *verified, const struct test_certs_kind *kind)
{
	uint8_t digest[SNP_SHA256_SIZE];
	char text[2 * SNP_SHA256_SIZE + 1];
	struct test_certs *source = &verified->source;
	struct error error;

	memset(verified, 0, sizeof(*verified));
	test_certs_make(source, kind);
	EXPECT_FALSE(snp_pool_add(&verified->pool, "leaf", source->leaf, source->leaf_size,
				  &error));
	EXPECT_FALSE(snp_pool_add(&verified->pool, "chain", source->chain, source->chain_size,
				  &error));
	test_report(&verified->evidence.report, kind->vlek, source->key);
	EXPECT_EQ(X509_digest(source->certs[TEST_ROOT], EVP_sha256(), digest, NULL), 1);
	verified_expect(verified, SNP_EXPECT_ROOT,
			hex_format(digest, sizeof(digest), text));
	snprintf(text, sizeof(text), "%d", TEST_TIME);
	verified_expect(verified, SNP_EXPECT_TIME, text);
}

void verified_free(struct verified *verified)
{
	snp_pool_free(&verified->pool);
	test_certs_free(&verified->source);
}

void verified_sign(struct verified *verified)
{
	test_report_sign(&verified->evidence.report, verified->source.key);
}

int verified_pool(struct verified *verified, const uint8_t *data, size_t size)
{
	struct error error;

	snp_pool_free(&verified->pool);
	return snp_pool_add(&verified->pool, "bundle", data, size, &error);
}

bool verified_run(struct verified *verified)
{
	struct snp_subject subject = {
		.evidence = &verified->evidence, .pool = &verified->pool,
		.expect = &verified->expect,
	};

	return snp_verify(&subject, &verified->checks);
}

const struct snp_check *verified_check(const struct verified *verified,
				       const char *name)
{
	static const struct snp_check none;

	for (unsigned int i = 0; i < verified->checks.count; i++)
		if (!strcmp(verified->checks.checks[i].name, name))
			return &verified->checks.checks[i];
	EXPECT_FALSE("a check of that name");
	return &none;
}

bool verified_only_fails(struct verified *verified, const char *name)
{
	return !verified_run(verified) && verified->checks.failed == 1 &&
	       verified_check(verified, name)->verdict == SNP_FAIL;
}
