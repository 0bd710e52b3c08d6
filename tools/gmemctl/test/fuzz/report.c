// SPDX-License-Identifier: GPL-2.0
/*
 * A report and its certificates. The input is: size of the report and of the
 * certificates, 16 bits each; report; certificates; revocation lists.
 */
#include <string.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "../../base/bytes.h"
#include "../../snp/verify/verify.h"
#include "../test_certs.h"
#include "fuzz.h"
#include "ksft.h"

/* What the makers of test data have to say of themselves */
static struct ksft_result result;

static void check_verdicts(const struct snp_evidence *evidence,
			   const struct snp_pool *pool)
{
	static struct snp_expect expect = {
		.values[SNP_EXPECT_TIME] = { .count = 1, .number = TEST_TIME },
	};
	struct snp_subject subject = {
		.evidence = evidence, .pool = pool, .expect = &expect,
	};
	struct snp_checks checks;
	unsigned int failed = 0;
	bool ok = snp_verify(&subject, &checks);

	FUZZ_ASSERT(checks.count <= SNP_CHECKS_MAX);
	for (unsigned int i = 0; i < checks.count; i++)
		failed += checks.checks[i].verdict == SNP_FAIL;
	FUZZ_ASSERT(ok == !failed && failed == checks.failed);
	/* Nobody but AMD can make a chain of AMD's. */
	FUZZ_ASSERT(failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snp_pool pool = { 0 };
	struct snp_evidence evidence;
	struct error error = { 0 };
	size_t report_size, certs_size;
	int rc;

	if (size < 4)
		return 0;
	report_size = bytes_get16(data);
	certs_size = bytes_get16(data + 2);
	data += 4;
	size -= 4;
	if (report_size > size || certs_size > size - report_size)
		return 0;
	rc = snp_evidence_parse(&evidence, "fuzz", data, report_size, &error);
	FUZZ_ASSERT(rc == error.rc);
	if (rc)
		return 0;
	data += report_size;
	size -= report_size;
	rc = snp_pool_add(&pool, "fuzz", data, certs_size, &error);
	FUZZ_ASSERT(!rc || (error.rc == rc && error.hint[0]));
	if (evidence.table)
		snp_pool_add_table(&pool, "fuzz", evidence.table,
				   evidence.table_size, &error);
	if (size > certs_size)
		snp_pool_add_crl(&pool, "fuzz", data + certs_size,
				 size - certs_size, &error);
	check_verdicts(&evidence, &pool);
	snp_pool_free(&pool);
	snp_evidence_free(&evidence);
	return 0;
}

/* What is put around a report: nothing, its certificates, Azure's header. */
static size_t seed_report(unsigned int index, const struct test_certs *certs,
			  const struct snp_report *report, uint8_t *data)
{
	static const uint8_t azure[20] = { 24, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0,
					   1, 0, 0, 0, 4, 0, 0, 0 };

	if (index == 3) {
		memcpy(data, report, sizeof(*report));
		return sizeof(*report) +
		       test_certs_table(certs, data + sizeof(*report));
	}
	if (index == 4) {
		memset(data, 0, 0x20);
		memcpy(data, "HCLA", 4);
		memcpy(data + 0x20, report, sizeof(*report));
		memcpy(data + 0x20 + sizeof(*report), azure, sizeof(azure));
		memcpy(data + 0x20 + sizeof(*report) + sizeof(azure), "fuzz", 4);
		return 0x20 + sizeof(*report) + sizeof(azure) + 4;
	}
	memcpy(data, report, sizeof(*report));
	return sizeof(*report);
}

size_t fuzz_seed(unsigned int index, uint8_t *data)
{
	static const unsigned int all[] = {
		TEST_LEAF, TEST_INTERMEDIATE, TEST_OTHER, TEST_ROOT,
	};
	struct test_certs_kind kind = {
		.vlek = index == 1, .turin = index == 2, .raw_chip = index == 2,
	};
	struct test_certs certs;
	struct snp_report report;
	size_t report_size, certs_size, crl_size;
	uint8_t *at = data + 4;

	if (index > 4)
		return 0;
	ksft_result = &result;
	test_certs_make(&certs, &kind);
	test_report(&report, kind.vlek, certs.key);
	report_size = seed_report(index, &certs, &report, at);
	at += report_size;
	certs_size = index % 2 ? test_certs_pem(&certs, all, 4, at) :
				 test_certs_der(&certs, all, 4, at);
	at += certs_size;
	crl_size = test_certs_crl(&certs, certs.certs[TEST_INTERMEDIATE],
				  TEST_TIME - 60, at);
	bytes_put16(data, (uint16_t)report_size);
	bytes_put16(data + 2, (uint16_t)certs_size);
	test_certs_free(&certs);
	FUZZ_ASSERT(!result.failed);
	return (size_t)(at - data) + crl_size;
}
