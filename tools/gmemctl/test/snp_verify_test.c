// SPDX-License-Identifier: GPL-2.0
/* A report is taken only if all of it is right: each lie is named. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <openssl/evp.h>

#include "../snp/hex.h"
#include "../snp/verify/verify.h"
#include "fixture.h"
#include "test_certs.h"
#include "unit.h"

static const struct test_certs_kind vcek;

/**
 * struct verified - one verification with all that it needs
 */
struct verified {
	struct test_certs source;
	struct snp_certs certs;
	struct snp_report report;
	struct snp_expect expect;
	struct snp_checks checks;
};

static void verified_init(struct verified *verified,
			  const struct test_certs_kind *kind)
{
	struct error error;

	memset(verified, 0, sizeof(*verified));
	verified->expect.when = TEST_TIME;
	test_certs_make(&verified->source, kind);
	CHECK(!snp_certs_parse(&verified->certs, verified->source.leaf,
			       verified->source.leaf_size,
			       verified->source.chain,
			       verified->source.chain_size, &error));
	test_report(&verified->report, kind->vlek, verified->source.key);
}

static void verified_free(struct verified *verified)
{
	snp_certs_free(&verified->certs);
	test_certs_free(&verified->source);
}

static bool run(struct verified *verified)
{
	return snp_verify(&verified->report, &verified->certs,
			  &verified->expect, &verified->checks);
}

static enum snp_verdict verdict(const struct verified *verified,
				const char *name)
{
	for (unsigned int i = 0; i < verified->checks.count; i++)
		if (!strcmp(verified->checks.checks[i].name, name))
			return verified->checks.checks[i].verdict;
	CHECK(!"a check of that name");
	return SNP_SKIP;
}

/* Exactly one check fails, and it is this one. */
static bool only_fails(struct verified *verified, const char *name)
{
	return !run(verified) && verified->checks.failed == 1 &&
	       verdict(verified, name) == SNP_FAIL;
}

static void test_snp_verify_good(void)
{
	struct verified verified;
	uint8_t policy_root[SNP_SHA256_SIZE];

	verified_init(&verified, &vcek);
	CHECK(run(&verified));
	CHECK(verdict(&verified, "certificates") == SNP_PASS);
	CHECK(verdict(&verified, "signature") == SNP_PASS);
	CHECK(verdict(&verified, "tcb") == SNP_PASS);
	CHECK(verdict(&verified, "chip") == SNP_PASS);
	CHECK(verdict(&verified, "measurement") == SNP_SKIP);
	CHECK(verdict(&verified, "root") == SNP_SKIP);
	memcpy(policy_root, verified.certs.root_sha256, sizeof(policy_root));
	verified.expect = (struct snp_expect){
		.measurement = verified.report.measurement,
		.host_data = verified.report.host_data,
		.report_data = verified.report.report_data,
		.id_key_digest = verified.report.id_key_digest,
		.author_key_digest = verified.report.author_key_digest,
		.root_sha256 = policy_root,
		.policy = 0x30000, .has_policy = true, .when = TEST_TIME,
	};
	CHECK(run(&verified));
	for (unsigned int i = 0; i < verified.checks.count; i++)
		CHECK(verified.checks.checks[i].verdict == SNP_PASS);
	CHECK(verified.checks.count == 12);
	verified_free(&verified);
}

static void test_snp_verify_expected(void)
{
	uint8_t wrong[64] = { 0 };
	struct verified verified;

	verified_init(&verified, &vcek);
	verified.expect.measurement = wrong;
	CHECK(only_fails(&verified, "measurement"));
	verified.expect.measurement = NULL;
	verified.expect.host_data = wrong;
	CHECK(only_fails(&verified, "host_data"));
	verified.expect.host_data = NULL;
	verified.expect.report_data = wrong;
	CHECK(only_fails(&verified, "report_data"));
	verified.expect.report_data = NULL;
	verified.expect.id_key_digest = wrong;
	CHECK(only_fails(&verified, "id_key_digest"));
	verified.expect.id_key_digest = NULL;
	verified.expect.author_key_digest = wrong;
	CHECK(only_fails(&verified, "author_key_digest"));
	verified.expect.author_key_digest = NULL;
	verified.expect.root_sha256 = wrong;
	CHECK(only_fails(&verified, "root"));
	verified.expect.root_sha256 = NULL;
	verified.expect.has_policy = true;
	CHECK(only_fails(&verified, "policy"));
	verified.expect.has_policy = false;
	CHECK(run(&verified));
	verified_free(&verified);
}

static void test_snp_verify_debug(void)
{
	struct verified verified;

	verified_init(&verified, &vcek);
	verified.report.policy = 0xb0000;
	test_report_sign(&verified.report, verified.source.key);
	CHECK(only_fails(&verified, "policy"));
	verified.expect.allow_debug = true;
	CHECK(run(&verified));
	verified_free(&verified);
}

/* No byte of what is signed, and none of the signature, can be changed. */
static void test_snp_verify_tamper(void)
{
	struct verified verified;
	uint8_t *bytes = (uint8_t *)&verified.report;

	verified_init(&verified, &vcek);
	for (size_t i = 0; i < SNP_REPORT_SIZE; i += i < 0x4c ? 1 : 11) {
		bytes[i] ^= 0x20;
		CHECK(!run(&verified));
		CHECK(verdict(&verified, "signature") == SNP_FAIL);
		bytes[i] ^= 0x20;
	}
	CHECK(run(&verified));
	verified_free(&verified);
}

static void test_snp_verify_chain(void)
{
	static const struct test_certs_kind foreign = { .foreign_leaf = true };
	static const struct test_certs_kind no_ca = { .no_ca = true };
	struct verified verified;

	verified_init(&verified, &foreign);
	CHECK(only_fails(&verified, "certificates"));
	verified_free(&verified);
	verified_init(&verified, &no_ca);
	CHECK(only_fails(&verified, "certificates"));
	verified_free(&verified);
	verified_init(&verified, &vcek);
	verified.expect.when = TEST_TIME + 2 * TEST_DAY;
	CHECK(only_fails(&verified, "certificates"));
	verified.expect.when = TEST_TIME - 2 * TEST_DAY;
	CHECK(only_fails(&verified, "certificates"));
	verified_free(&verified);
}

static void test_snp_verify_leaf(void)
{
	static const struct test_certs_kind vlek = { .vlek = true };
	static const struct test_certs_kind no_versions = { .no_versions = true };
	static const struct test_certs_kind turin = {
		.turin = true, .raw_chip = true,
	};
	struct verified verified;

	verified_init(&verified, &vlek);
	CHECK(run(&verified));
	CHECK(verdict(&verified, "chip") == SNP_SKIP);
	verified.report.key_info = 0;
	test_report_sign(&verified.report, verified.source.key);
	CHECK(only_fails(&verified, "signer"));
	verified_free(&verified);

	verified_init(&verified, &no_versions);
	CHECK(only_fails(&verified, "tcb"));
	verified_free(&verified);

	verified_init(&verified, &turin);
	CHECK(only_fails(&verified, "tcb"));
	verified.report.reported_tcb = TEST_TCB_TURIN;
	test_report_sign(&verified.report, verified.source.key);
	CHECK(run(&verified));
	CHECK(verdict(&verified, "chip") == SNP_PASS);
	verified.report.chip_id[63] ^= 1;
	test_report_sign(&verified.report, verified.source.key);
	CHECK(only_fails(&verified, "chip"));
	memset(verified.report.chip_id, 0, SNP_CHIP_ID_SIZE);
	test_report_sign(&verified.report, verified.source.key);
	CHECK(run(&verified));
	CHECK(verdict(&verified, "chip") == SNP_SKIP);
	verified.report.key_info = SNP_SIGNER_NONE << 2;
	test_report_sign(&verified.report, verified.source.key);
	CHECK(only_fails(&verified, "signer"));
	verified_free(&verified);
}

static void test_snp_certs_bad(void)
{
	struct test_certs source;
	struct snp_certs certs;
	struct error error;

	test_certs_make(&source, &vcek);
	CHECK(snp_certs_parse(&certs, (void *)"junk", 4, source.chain,
			      source.chain_size, &error) == -EINVAL);
	snp_certs_free(&certs);
	CHECK(snp_certs_parse(&certs, source.leaf, source.leaf_size,
			      (void *)"", 0, &error) == -EINVAL);
	CHECK(strstr(error.hint, "ASK"));
	snp_certs_free(&certs);
	/* Half of the chain: its first certificate. */
	CHECK(snp_certs_parse(&certs, source.leaf, source.leaf_size,
			      source.chain, source.chain_size * 3 / 4, &error) ==
	      -EINVAL);
	CHECK(strstr(error.hint, "ARK"));
	snp_certs_free(&certs);
	/* A CA is not the key of a chip. */
	CHECK(snp_certs_parse(&certs, source.chain, source.chain_size,
			      source.chain, source.chain_size, &error) ==
	      -EINVAL);
	CHECK(strstr(error.hint, "SEV-VCEK"));
	snp_certs_free(&certs);
	for (size_t size = 0; size < source.leaf_size; size += 7) {
		CHECK(snp_certs_parse(&certs, source.leaf, size, source.chain,
				      source.chain_size, &error) == -EINVAL);
		snp_certs_free(&certs);
	}
	test_certs_free(&source);
}

static void test_snp_report_parse(void)
{
	struct test_certs source;
	struct snp_report report, parsed;
	char text[2 * SNP_REPORT_SIZE + 4];
	struct error error;

	test_certs_make(&source, &vcek);
	test_report(&report, false, source.key);
	CHECK(!snp_report_parse(&parsed, "r", (void *)&report, sizeof(report),
				&error));
	CHECK(!memcmp(&report, &parsed, sizeof(report)));
	text[0] = '\n';
	hex_format((void *)&report, sizeof(report), text + 1);
	strcat(text, "\n");
	memset(&parsed, 0, sizeof(parsed));
	CHECK(!snp_report_parse(&parsed, "r", (void *)text, strlen(text),
				&error));
	CHECK(!memcmp(&report, &parsed, sizeof(report)));
	text[100] = 'x';
	CHECK(snp_report_parse(&parsed, "r", (void *)text, strlen(text),
			       &error) == -EINVAL);
	CHECK(snp_report_parse(&parsed, "r", (void *)text, 0, &error) == -EINVAL);
	CHECK(snp_report_parse(&parsed, "r", (void *)&report,
			       sizeof(report) - 1, &error) == -EINVAL);
	report.version = 1;
	CHECK(snp_report_parse(&parsed, "r", (void *)&report, sizeof(report),
			       &error) == -EINVAL);
	CHECK(strstr(error.hint, "version"));
	report.version = 6;
	CHECK(snp_report_parse(&parsed, "r", (void *)&report, sizeof(report),
			       &error) == -EINVAL);
	report.version = 5;
	report.signature_algorithm = 0;
	CHECK(snp_report_parse(&parsed, "r", (void *)&report, sizeof(report),
			       &error) == -EINVAL);
	CHECK(strstr(error.hint, "algorithm"));
	test_certs_free(&source);
}

/* A report of a real Milan, with AMD's own certificates. */
static void test_snp_verify_milan(void)
{
	struct fixture report_file, leaf, chain;
	struct snp_expect expect = { .when = TEST_TIME };
	struct snp_checks checks;
	struct snp_report report;
	struct snp_certs certs;
	struct error error;

	if (!fixture_load(&report_file, "report_milan.hex",
			  "3d956e9104969a038031a6b63dd6c4b6"
			  "0000619d37702065994f7da76f88ae7d"))
		return;
	CHECK(fixture_load(&leaf, "vcek_milan.der",
			   "3bbfb6ee259f75a95d13168cfdf2e034"
			   "181bb93c7c016825731cbe8ea16c95e1"));
	CHECK(fixture_load(&chain, "cert_chain_milan",
			   "22e62f8d2c21a156470145fc75f7b5a3"
			   "77cb053ced3e97f0bd3f8d8ca5941ce6"));
	CHECK(!snp_report_parse(&report, "report", report_file.data,
				report_file.size, &error));
	CHECK(!snp_certs_parse(&certs, leaf.data, leaf.size, chain.data,
			       chain.size, &error));
	CHECK(snp_verify(&report, &certs, &expect, &checks));
	for (unsigned int i = 0; i < checks.count; i++)
		if (checks.checks[i].verdict == SNP_FAIL)
			printf("# %s: %s\n", checks.checks[i].name,
			       checks.checks[i].detail);
	report.measurement[0]++;
	CHECK(!snp_verify(&report, &certs, &expect, &checks));
	snp_certs_free(&certs);
	fixture_free(&report_file);
	fixture_free(&leaf);
	fixture_free(&chain);
}

static const struct unit_test tests[] = {
	{ "snp.verify_good", test_snp_verify_good },
	{ "snp.verify_expected", test_snp_verify_expected },
	{ "snp.verify_debug", test_snp_verify_debug },
	{ "snp.verify_tamper", test_snp_verify_tamper },
	{ "snp.verify_chain", test_snp_verify_chain },
	{ "snp.verify_leaf", test_snp_verify_leaf },
	{ "snp.certs_bad", test_snp_certs_bad },
	{ "snp.report_parse", test_snp_report_parse },
	{ "snp.verify_milan", test_snp_verify_milan },
};

UNIT_TESTS(tests)
