// SPDX-License-Identifier: GPL-2.0
/* A report is taken only if all of it is right: each lie is named. */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "../base/hex.h"
#include "fixture.h"
#include "test_certs.h"
#include "ksft.h"

static const struct test_certs_kind vcek;

static enum snp_verdict verdict(const char *name)
{
	return verified_check(name)->verdict;
}

/* Whether a check says @text, whatever its verdict. */
static bool says(const char *name, const char *text)
{
	return strstr(verified_check(name)->detail, text);
}

TEST_OF(snp, verify_good)
{
	static const char *const passed[] = {
		"root", "certificates", "signer", "signature", "tcb", "chip",
		"vmpl", "policy", "committed_tcb",
	};
	static const char *const shown[] = {
		"revocation", "csp_id", "product", "measurement", "host_data",
		"report_data", "id_key_digest", "author_key_digest", "family_id",
		"image_id", "report_id", "report_id_ma", "chip_id", "guest_svn",
		"platform_info", "reported_tcb", "launch_tcb", "firmware",
	};

	verified_init(&vcek);
	EXPECT_TRUE(verified_run());
	ksft_for_each(item, passed)
		EXPECT_EQ(verdict(*item), SNP_PASS);
	ksft_for_each(item, shown)
		EXPECT_EQ(verdict(*item), SNP_SKIP);
	EXPECT_EQ(verified.checks.count, 27);
}

/* Each field that is bytes: what it has, and what it has not. */
TEST_OF(snp, verify_expected)
{
	static const struct {
		enum snp_expect_id id;
		size_t offset;
	} fields[] = {
		{ SNP_EXPECT_FAMILY_ID, 0x10 }, { SNP_EXPECT_IMAGE_ID, 0x20 },
		{ SNP_EXPECT_REPORT_DATA, 0x50 },
		{ SNP_EXPECT_MEASUREMENT, 0x90 }, { SNP_EXPECT_HOST_DATA, 0xc0 },
		{ SNP_EXPECT_ID_KEY_DIGEST, 0xe0 },
		{ SNP_EXPECT_AUTHOR_KEY_DIGEST, 0x110 },
		{ SNP_EXPECT_REPORT_ID, 0x140 },
		{ SNP_EXPECT_REPORT_ID_MA, 0x160 },
		{ SNP_EXPECT_CHIP_ID, 0x1a0 },
	};

	verified_init(&vcek);
	ksft_for_each(field, fields) {
		const uint8_t *report = (uint8_t *)&verified.evidence.report;
		const struct snp_expectation *expectation = &snp_expectations[field->id];
		char text[2 * SNP_EXPECT_BYTES + 1];
		struct error error;

		hex_format(report + field->offset, expectation->size, text);
		text[1] ^= 1;
		verified_expect(field->id, text);
		EXPECT_TRUE(verified_fails(expectation->name, text));
		/* One of several is enough. */
		text[1] ^= 1;
		EXPECT_FALSE(snp_expect_set(&verified.expect, field->id, text, &error));
		EXPECT_TRUE(verified_run());
		EXPECT_EQ(verdict(expectation->name), SNP_PASS);
	}
}

TEST_OF(snp, f1_vmpl)
{
	static const struct {
		uint32_t vmpl;
		const char *expect;
		bool passes;
		const char *says;
	} cases[] = {
		{ 0, NULL, true, "0" }, { 1, NULL, true, "1" }, { 2, NULL, true, "2" },
		{ 3, NULL, true, "3" }, { 4, NULL, false, "4" }, { 5, NULL, false, "5" },
		{ 0x80000000, NULL, false, "" }, { 0xfffffffe, NULL, false, "" },
		{ SNP_VMPL_HOST, NULL, false, "host" }, { SNP_VMPL_HOST, "0", false, "host" },
		{ SNP_VMPL_HOST, "host", true, "host" }, { 2, "host", false, "2" },
		{ 2, "1", false, "2" }, { 2, "2", true, "2" },
	};

	verified_init(&vcek);
	ksft_for_each(c, cases) {
		verified.evidence.report.vmpl = c->vmpl;
		verified_expect(SNP_EXPECT_VMPL, c->expect);
		EXPECT_EQ(verified_passes(), c->passes);
		EXPECT_TRUE(c->passes ? says("vmpl", c->says) : verified_fails("vmpl", c->says));
	}
}

/* A chain that is sound in itself, but begins with a root of somebody's own. */
TEST_OF(snp, f2_root)
{
	char zeros[2 * SNP_SHA256_SIZE + 1];

	verified_init(&vcek);
	verified_expect(SNP_EXPECT_ROOT, NULL);
	EXPECT_TRUE(verified_fails("root", "chain: neither AMD's"));
	memset(zeros, '0', sizeof(zeros) - 1);
	zeros[sizeof(zeros) - 1] = '\0';
	verified_expect(SNP_EXPECT_ROOT, zeros);
	EXPECT_TRUE(verified_only_fails("root"));
}

/* What the verdict on the product is if a Milan has signed it of such a CPU */
static enum snp_verdict product_verdict(struct snp_subject *subject, struct snp_report *report,
					uint8_t family, uint8_t model)
{
	struct snp_report was = *report;

	report->version = 3;
	report->cpuid_family = family;
	report->cpuid_model = model;
	/* The signature is not a Milan's any more. */
	EXPECT_FALSE(snp_verify(subject, &verified.checks));
	*report = was;
	return verdict("product");
}

/* AMD's roots are trusted by themselves: a real Milan, with AMD's certificates. */
TEST_OF(snp, f2_milan)
{
	struct fixture report_file, leaf, chain;
	struct snp_evidence evidence;
	struct snp_pool pool = { 0 };
	struct snp_expect expect = { 0 };
	struct snp_subject subject = {
		.evidence = &evidence, .pool = &pool, .expect = &expect,
	};
	struct snp_checks checks;
	struct error error;

	if (!fixture_load(&report_file, "report_milan.hex",
			  "3d956e9104969a038031a6b63dd6c4b6"
			  "0000619d37702065994f7da76f88ae7d"))
		return;
	EXPECT_TRUE(fixture_load(&leaf, "vcek_milan.der",
				 "3bbfb6ee259f75a95d13168cfdf2e034"
				 "181bb93c7c016825731cbe8ea16c95e1"));
	EXPECT_TRUE(fixture_load(&chain, "cert_chain_milan",
				 "22e62f8d2c21a156470145fc75f7b5a3"
				 "77cb053ced3e97f0bd3f8d8ca5941ce6"));
	EXPECT_FALSE(snp_evidence_parse(&evidence, "report", report_file.data, report_file.size,
					&error));
	EXPECT_FALSE(snp_pool_add(&pool, "leaf", leaf.data, leaf.size, &error));
	EXPECT_FALSE(snp_pool_add(&pool, "chain", chain.data, chain.size, &error));
	EXPECT_FALSE(snp_expect_set(&expect, SNP_EXPECT_TIME, "2025-06-15", &error));
	EXPECT_TRUE(snp_verify(&subject, &checks));
	for (unsigned int i = 0; i < checks.count; i++)
		if (checks.checks[i].verdict == SNP_FAIL)
			printf("# %s: %s\n", checks.checks[i].name, checks.checks[i].detail);
	evidence.report.measurement[0]++;
	EXPECT_FALSE(snp_verify(&subject, &checks));
	evidence.report.measurement[0]--;
	EXPECT_EQ(product_verdict(&subject, &evidence.report, 0x19, 1), SNP_PASS);
	EXPECT_EQ(product_verdict(&subject, &evidence.report, 0x19, 0x11), SNP_FAIL);
	EXPECT_EQ(product_verdict(&subject, &evidence.report, 0x1a, 1), SNP_FAIL);
	EXPECT_EQ(product_verdict(&subject, &evidence.report, 0x17, 1), SNP_SKIP);
	/* Who names a root of his own trusts no other. */
	EXPECT_FALSE(snp_expect_set(&expect, SNP_EXPECT_ROOT,
				    "00000000000000000000000"
				    "00000000000000000000000000000000000000000",
				    &error));
	EXPECT_FALSE(snp_verify(&subject, &checks));
	EXPECT_EQ(checks.failed, 1);
	snp_pool_free(&pool);
	snp_evidence_free(&evidence);
	fixture_free(&report_file);
	fixture_free(&leaf);
	fixture_free(&chain);
}

/* What is reached, missed by one, and shown. */
static void check_floor(enum snp_expect_id id, const char *name, const char *reached,
			const char *missed)
{
	verified_expect(id, reached);
	EXPECT_TRUE(verified_passes());
	EXPECT_EQ(verdict(name), SNP_PASS);
	verified_expect(id, missed);
	EXPECT_TRUE(verified_only_fails(name));
	verified_expect(id, NULL);
}

TEST_OF(snp, f2b_floors)
{
	static const struct {
		enum snp_expect_id id;
		const char *name, *reached, *missed;
	} floors[] = {
		{ SNP_EXPECT_MIN_TCB, "reported_tcb", "bootloader=3,tee=7,snp=8,microcode=210",
		  "microcode=211" },
		{ SNP_EXPECT_MIN_TCB, "reported_tcb", "tee=0", "snp=9,bootloader=1" },
		{ SNP_EXPECT_MIN_TCB, "reported_tcb", "fmc=0", "fmc=1" },
		{ SNP_EXPECT_MIN_LAUNCH_TCB, "launch_tcb", "bootloader=2", "bootloader=3" },
		{ SNP_EXPECT_MIN_FIRMWARE, "firmware", "1.55.21", "1.55.22" },
		{ SNP_EXPECT_MIN_FIRMWARE, "firmware", "1.54.250", "1.56" },
		{ SNP_EXPECT_MIN_FIRMWARE, "firmware", "0.255", "2.0" },
		{ SNP_EXPECT_MIN_GUEST_SVN, "guest_svn", "7", "8" },
	};

	verified_init(&vcek);
	verified.evidence.report.guest_svn = 7;
	verified.evidence.report.launch_tcb = TEST_TCB - 1;
	ksft_for_each(floor, floors)
		check_floor(floor->id, floor->name, floor->reached, floor->missed);
	EXPECT_TRUE(verified_passes());
	EXPECT_TRUE(says("reported_tcb", "bootloader=3,tee=7,snp=8,microcode=210"));
	EXPECT_TRUE(says("firmware", "1.55.21"));
}

/* Firmware that can be rolled back: TCB or version differ from what is committed. */
TEST_OF(snp, f2b_provisional)
{
	struct snp_report *report = &verified.evidence.report;

	verified_init(&vcek);
	report->committed_tcb -= 1;
	EXPECT_TRUE(verified_only_fails("committed_tcb"));
	verified_expect(SNP_EXPECT_ALLOW_PROVISIONAL, "true");
	EXPECT_TRUE(verified_run());
	verified_expect(SNP_EXPECT_ALLOW_PROVISIONAL, "false");
	report->committed_tcb = report->current_tcb;
	report->committed.build--;
	EXPECT_TRUE(verified_only_fails("committed_tcb"));
	/* The floor has to hold after the roll-back, too. */
	verified_expect(SNP_EXPECT_ALLOW_PROVISIONAL, "true");
	verified_expect(SNP_EXPECT_MIN_FIRMWARE, "1.55.21");
	EXPECT_TRUE(verified_only_fails("firmware"));
	verified_expect(SNP_EXPECT_MIN_FIRMWARE, "1.55.20");
	EXPECT_TRUE(verified_run());
}

TEST_OF(snp, f2b_platform)
{
	verified_init(&vcek);
	verified.evidence.report.platform_info = 0x25;
	check_floor(SNP_EXPECT_REQUIRE_PLATFORM, "platform_info",
		    "ecc,alias-check,smt", "ecc,tsme");
	check_floor(SNP_EXPECT_FORBID_PLATFORM, "platform_info", "tsme,tio", "tsme,smt");
	EXPECT_TRUE(verified_run());
	EXPECT_TRUE(says("platform_info", "smt,ecc,alias-check"));
	verified.evidence.report.platform_info = ~UINT64_C(0);
	EXPECT_TRUE(verified_passes());
	EXPECT_TRUE(says("platform_info", "bit-63"));
}

/* A VLEK is of the provider that the owner has a contract with. */
TEST_OF(snp, f2b_csp)
{
	static const struct test_certs_kind vlek = { .vlek = true, .csp = "Cloud" };
	static const struct test_certs_kind no_csp = { .vlek = true };

	verified_init(&vlek);
	EXPECT_TRUE(verified_run());
	EXPECT_TRUE(says("csp_id", "Cloud"));
	verified_expect(SNP_EXPECT_CSP_ID, "Cloud");
	verified_expect(SNP_EXPECT_SIGNER, "vlek");
	EXPECT_TRUE(verified_run());
	verified_expect(SNP_EXPECT_CSP_ID, "Clou");
	EXPECT_TRUE(verified_only_fails("csp_id"));
	verified_expect(SNP_EXPECT_CSP_ID, NULL);
	verified_expect(SNP_EXPECT_SIGNER, "vcek");
	EXPECT_TRUE(verified_only_fails("signer"));

	verified_init(&no_csp);
	verified_expect(SNP_EXPECT_CSP_ID, "Cloud");
	EXPECT_TRUE(verified_only_fails("csp_id"));

	verified_init(&vcek);
	verified_expect(SNP_EXPECT_CSP_ID, "Cloud");
	EXPECT_TRUE(verified_only_fails("csp_id"));
}

static int add_crl(unsigned int revoked, time_t from)
{
	uint8_t data[2048];
	struct error error;
	size_t size = test_certs_crl(&verified.source,
				     revoked < TEST_CERTS ? verified.source.certs[revoked] : NULL,
				     from, data);

	while (verified.pool.crls_count)
		X509_CRL_free(verified.pool.crls[--verified.pool.crls_count].crl);
	return snp_pool_add_crl(&verified.pool, "crl", data, size, &error);
}

TEST_OF(snp, f2b_crl)
{
	static const struct {
		unsigned int revoked;
		time_t from;
		bool passes;
		const char *says;
	} lists[] = {
		{ TEST_CERTS, TEST_TIME - 60, true, "no certificate was revoked" },
		{ TEST_OTHER, TEST_TIME - 60, true, "" },
		{ TEST_INTERMEDIATE, TEST_TIME - 60, false, "'SEV-Test' of chain was revoked" },
		{ TEST_ROOT, TEST_TIME - 60, false, "" },
		/* The serial number of a VCEK is 0: it is not of the root's list. */
		{ TEST_LEAF, TEST_TIME - 60, true, "" },
		/* Not yet, and not any more. */
		{ TEST_CERTS, TEST_TIME + 60, false, "not current" },
		{ TEST_CERTS, TEST_TIME - 2 * TEST_DAY, false, "" },
	};

	verified_init(&vcek);
	verified_expect(SNP_EXPECT_REQUIRE_CRL, "true");
	EXPECT_TRUE(verified_only_fails("revocation"));
	ksft_for_each(item, lists) {
		EXPECT_FALSE(add_crl(item->revoked, item->from));
		EXPECT_EQ(verified_passes(), item->passes);
		EXPECT_TRUE(item->passes ? says("revocation", item->says) :
			    verified_fails("revocation", item->says));
	}
}

/* A list with this extension, critical, and whether it is enough */
static bool crl_is_enough(int nid, void *value)
{
	X509_CRL *crl;

	EXPECT_FALSE(add_crl(TEST_CERTS, TEST_TIME - 60));
	crl = verified.pool.crls[0].crl;
	EXPECT_EQ(X509_CRL_add1_ext_i2d(crl, nid, value, 1, 0), 1);
	EXPECT_TRUE(X509_CRL_sign(crl, verified.source.root_key, EVP_sha384()));
	if (verified_run())
		return true;
	EXPECT_TRUE(verified_fails("revocation", "the revocation list in crl is not complete"));
	return false;
}

/* Lists of what has changed only, or of some certificates only */
TEST_OF(snp, f2b_crl_scope)
{
	ISSUING_DIST_POINT *point = ISSUING_DIST_POINT_new();
	ASN1_INTEGER *number = ASN1_INTEGER_new();

	verified_init(&vcek);
	EXPECT_FALSE(crl_is_enough(NID_delta_crl, number));
	EXPECT_TRUE(crl_is_enough(NID_issuing_distribution_point, point));
	point->onlyuser = 0xff;
	EXPECT_FALSE(crl_is_enough(NID_issuing_distribution_point, point));
	ASN1_INTEGER_free(number);
	ISSUING_DIST_POINT_free(point);
}

/* A list that is not the root's says nothing; nor do bytes that are none. */
TEST_OF(snp, f2b_crl_forged)
{
	struct error error;

	verified_init(&vcek);
	EVP_PKEY_free(verified.source.root_key);
	verified.source.root_key = verified.source.key;
	EXPECT_TRUE(EVP_PKEY_up_ref(verified.source.key));
	EXPECT_FALSE(add_crl(TEST_CERTS, TEST_TIME - 60));
	EXPECT_TRUE(verified_fails("revocation", "not signed by 'ARK-Test'"));
	EXPECT_EQ(snp_pool_add_crl(&verified.pool, "crl", (void *)"junk", 4, &error), -EINVAL);
	EXPECT_EQ(snp_pool_add_crl(&verified.pool, "crl", (void *)"", 0, &error), -EINVAL);
	EXPECT_EQ(snp_pool_add_crl(&verified.pool, "crl", verified.source.chain,
				   verified.source.chain_size, &error), -EINVAL);
}

TEST_OF(snp, f23_policy)
{
	static const uint64_t refused[] = {
		0x8000000000030000, 0x4030000, 0x10000, 0, 0xb0000, 0x70000,
	};
	struct snp_report *report = &verified.evidence.report;
	char text[24];

	verified_init(&vcek);
	ksft_for_each(item, refused) {
		report->policy = *item;
		EXPECT_TRUE(verified_only_fails("policy"));
		/* To expect it is not to allow it. */
		snprintf(text, sizeof(text), "%llu", (unsigned long long)*item);
		verified_expect(SNP_EXPECT_POLICY, text);
		EXPECT_TRUE(verified_only_fails("policy"));
		verified_expect(SNP_EXPECT_POLICY, NULL);
	}
	EXPECT_TRUE(says("policy", "migration agent"));
	verified_expect(SNP_EXPECT_ALLOW_MIGRATION, "true");
	EXPECT_TRUE(verified_run());
	EXPECT_TRUE(says("policy", "migration agent"));
	report->policy = 0xb0000;
	EXPECT_TRUE(verified_only_fails("policy"));
	verified_expect(SNP_EXPECT_ALLOW_DEBUG, "true");
	EXPECT_TRUE(verified_run());
	verified_expect(SNP_EXPECT_POLICY, "0x30000");
	EXPECT_TRUE(verified_only_fails("policy"));
}

/* No byte of what is signed, and none of the signature, can be changed. */
TEST_OF(snp, verify_tamper)
{
	uint8_t *bytes = (uint8_t *)&verified.evidence.report;

	verified_init(&vcek);
	for (size_t i = 0; i < SNP_REPORT_SIZE; i += i < 0x4c ? 1 : 11) {
		bytes[i] ^= 0x20;
		EXPECT_FALSE(verified_run());
		EXPECT_EQ(verdict("signature"), SNP_FAIL);
		bytes[i] ^= 0x20;
	}
	EXPECT_TRUE(verified_run());
}

/* Whose certificate it is, in which file, and its dates. */
TEST_OF(snp, f26_dates)
{
	verified_init(&vcek);
	verified_expect(SNP_EXPECT_TIME, "2025-06-18");
	EXPECT_TRUE(verified_fails("certificates", "'ARK-Test' of chain: certificate has expired"));
	EXPECT_TRUE(says("certificates", "from 2025-06-14T15:06:40Z to 2025-06-16T15:06:40Z, "
			 "and the time of the check is 2025-06-18T00:00:00Z"));
	verified_expect(SNP_EXPECT_TIME, "2025-06-13T23:59:59Z");
	EXPECT_TRUE(verified_fails("certificates", "not yet valid"));
	verified_expect(SNP_EXPECT_TIME, NULL);
	EXPECT_TRUE(verified_only_fails("certificates"));
}

TEST_OF(snp, verify_leaf)
{
	static const struct test_certs_kind vlek = { .vlek = true };
	static const struct test_certs_kind no_versions = { .no_versions = true };
	static const struct test_certs_kind turin = {
		.turin = true, .raw_chip = true,
	};
	struct snp_report *report = &verified.evidence.report;

	verified_init(&vlek);
	EXPECT_TRUE(verified_run());
	EXPECT_EQ(verdict("chip"), SNP_SKIP);
	report->key_info = 0;
	EXPECT_TRUE(verified_only_fails("signer"));

	verified_init(&no_versions);
	EXPECT_TRUE(verified_only_fails("tcb"));

	verified_init(&turin);
	EXPECT_TRUE(verified_only_fails("tcb"));
	report->reported_tcb = TEST_TCB_TURIN;
	EXPECT_TRUE(verified_passes());
	/* What the report says comes before what the certificate has. */
	report->version = 5;
	report->cpuid_family = 0x19;
	EXPECT_TRUE(verified_only_fails("tcb"));
	report->cpuid_family = 0x1a;
	EXPECT_TRUE(verified_passes());
	EXPECT_TRUE(says("reported_tcb", "fmc=5,bootloader=3,tee=7,snp=8,microcode=210"));
	check_floor(SNP_EXPECT_MIN_TCB, "reported_tcb", "fmc=5,snp=8", "fmc=6");
	EXPECT_EQ(verdict("chip"), SNP_PASS);
	report->chip_id[63] ^= 1;
	EXPECT_TRUE(verified_only_fails("chip"));
	memset(report->chip_id, 0, SNP_CHIP_ID_SIZE);
	EXPECT_TRUE(verified_passes());
	EXPECT_EQ(verdict("chip"), SNP_SKIP);
	report->key_info = SNP_SIGNER_NONE << 2;
	EXPECT_TRUE(verified_only_fails("signer"));
}

/* A certificate with this chip ID, as it is, and a report of that chip. */
static void check_chip(const uint8_t *chip, int size)
{
	struct test_certs_kind kind = { .chip = chip, .chip_size = size };
	uint8_t *id = verified.evidence.report.chip_id;

	verified_init(&kind);
	memset(id, 0, SNP_CHIP_ID_SIZE);
	memcpy(id, chip, (size_t)size);
	EXPECT_TRUE(verified_passes());
	EXPECT_EQ(verdict("chip"), SNP_PASS);
	/* Not what is left of it without what looks like a header. */
	memset(id, 0, SNP_CHIP_ID_SIZE);
	memcpy(id, chip + 2, (size_t)size - 2);
	EXPECT_TRUE(verified_only_fails("chip"));
}

TEST_OF(snp, f3_f4_chip)
{
	uint8_t chip[SNP_CHIP_ID_SIZE];

	for (unsigned int i = 0; i < sizeof(chip); i++)
		chip[i] = (uint8_t)(i + 1);
	check_chip(chip, sizeof(chip));
	check_chip(chip, 8);
	chip[0] = 4;
	chip[1] = sizeof(chip) - 2;
	check_chip(chip, sizeof(chip));
	chip[1] = 6;
	check_chip(chip, 8);
}
