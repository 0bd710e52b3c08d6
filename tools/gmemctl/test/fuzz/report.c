// SPDX-License-Identifier: GPL-2.0
/*
 * A report and its certificates. The input is: size of the report and of the
 * leaf, 16 bits each; report; leaf; chain.
 */
#include <string.h>

#include "../../snp/bytes.h"
#include "../../snp/verify/verify.h"
#include "../test_certs.h"
#include "../unit.h"
#include "fuzz.h"

/* The makers of test data say here what they cannot do. */
void unit_check(bool ok, const char *claim, const char *file, int line)
{
	if (!ok)
		fuzz_failed(claim, file, line);
}

static void check_verdicts(const struct snp_report *report,
			   const struct snp_certs *certs)
{
	struct snp_expect expect = {
		.measurement = report->host_data, .when = TEST_TIME,
	};
	struct snp_checks checks;
	unsigned int failed = 0;
	bool ok = snp_verify(report, certs, &expect, &checks);

	FUZZ_ASSERT(checks.count <= SNP_CHECKS_MAX);
	for (unsigned int i = 0; i < checks.count; i++)
		failed += checks.checks[i].verdict == SNP_FAIL;
	FUZZ_ASSERT(ok == !failed && failed == checks.failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t report_size, leaf_size;
	struct snp_report report;
	struct snp_certs certs;
	struct error error = { 0 };
	int rc;

	if (size < 4)
		return 0;
	report_size = bytes_get16(data);
	leaf_size = bytes_get16(data + 2);
	data += 4;
	size -= 4;
	if (report_size > size || leaf_size > size - report_size)
		return 0;
	rc = snp_report_parse(&report, "fuzz", data, report_size, &error);
	FUZZ_ASSERT(rc == error.rc);
	data += report_size;
	size -= report_size;
	if (!snp_certs_parse(&certs, data, leaf_size, data + leaf_size,
			     size - leaf_size, &error) && !rc)
		check_verdicts(&report, &certs);
	snp_certs_free(&certs);
	return 0;
}

size_t fuzz_seed(unsigned int index, uint8_t *data)
{
	struct test_certs_kind kind = {
		.vlek = index == 1, .turin = index == 2, .raw_chip = index == 2,
	};
	struct test_certs certs;
	struct snp_report report;

	if (index > 2)
		return 0;
	test_certs_make(&certs, &kind);
	test_report(&report, kind.vlek, certs.key);
	bytes_put16(data, sizeof(report));
	bytes_put16(data + 2, (uint16_t)certs.leaf_size);
	memcpy(data + 4, &report, sizeof(report));
	memcpy(data + 4 + sizeof(report), certs.leaf, certs.leaf_size);
	memcpy(data + 4 + sizeof(report) + certs.leaf_size, certs.chain,
	       certs.chain_size);
	test_certs_free(&certs);
	return 4 + sizeof(report) + certs.leaf_size + certs.chain_size;
}
