// SPDX-License-Identifier: GPL-2.0
/* What can be expected of a report, and how it is written. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../snp/verify/evidence.h"
#include "../snp/verify/expect.h"
#include "../snp/verify/tcb.h"
#include "unit.h"

/* Each value of an expectation by itself: is it one? */
static bool takes(enum snp_expect_id id, const char *text)
{
	static struct snp_expect expect;
	struct error error;
	int rc;

	memset(&expect, 0, sizeof(expect));
	rc = snp_expect_set(&expect, id, text, &error);
	if (rc)
		CHECK(rc == error.rc && error.hint[0] &&
		      !strcmp(error.object, snp_expectations[id].name) &&
		      !expect.values[id].count);
	return !rc;
}

static void test_snp_expect_table(void)
{
	char name[SNP_EXPECT_NAME_SIZE];

	for (unsigned int i = 0; i < SNP_EXPECT_NR; i++) {
		const struct snp_expectation *expectation =
			&snp_expectations[i];

		CHECK(expectation->name && expectation->help &&
		      expectation->parse);
		CHECK(expectation->size || expectation->form);
		CHECK(expectation->size <= SNP_EXPECT_BYTES);
		CHECK(strlen(expectation->name) < sizeof(name));
		CHECK(!strchr(snp_expect_option((enum snp_expect_id)i, name),
			      '_'));
		CHECK(!takes((enum snp_expect_id)i, ""));
		for (unsigned int j = 0; j < i; j++)
			CHECK(strcmp(snp_expectations[j].name,
				     expectation->name));
	}
}

static void test_snp_expect_values(void)
{
	static const struct {
		enum snp_expect_id id;
		const char *good, *bad;
	} cases[] = {
		{ SNP_EXPECT_VMPL, "0", "4" },
		{ SNP_EXPECT_VMPL, "3", "-1" },
		{ SNP_EXPECT_VMPL, "host", "Host" },
		{ SNP_EXPECT_VMPL, "0x2", "0x" },
		{ SNP_EXPECT_POLICY, "0x30000", "0x3000g" },
		{ SNP_EXPECT_POLICY, "18446744073709551615",
		  "18446744073709551616" },
		{ SNP_EXPECT_POLICY, "196608", " 196608" },
		{ SNP_EXPECT_POLICY, "0xffffffffffffffff", "ff" },
		{ SNP_EXPECT_MIN_GUEST_SVN, "4294967295", "4294967296" },
		{ SNP_EXPECT_FAMILY_ID, "00112233445566778899aabbccDDEEFF",
		  "00112233445566778899aabbccddeef" },
		{ SNP_EXPECT_FAMILY_ID, "00112233445566778899aabbccddeeff",
		  "00112233445566778899aabbccddeeff00" },
		{ SNP_EXPECT_MIN_TCB, "bootloader=255", "bootloader=256" },
		{ SNP_EXPECT_MIN_TCB, "fmc=1,tee=0,snp=8", "fmc=1,fmc=1" },
		{ SNP_EXPECT_MIN_TCB, "microcode=1", "microcode=" },
		{ SNP_EXPECT_MIN_TCB, "snp=1", "snp=1," },
		{ SNP_EXPECT_MIN_TCB, "snp=01", "snp" },
		{ SNP_EXPECT_MIN_TCB, "snp=1,tee=1", "snp=1;tee=1" },
		{ SNP_EXPECT_MIN_FIRMWARE, "1.55.21", "1.55.256" },
		{ SNP_EXPECT_MIN_FIRMWARE, "1.55", "1" },
		{ SNP_EXPECT_MIN_FIRMWARE, "0.0.0", "1.55.21.1" },
		{ SNP_EXPECT_MIN_FIRMWARE, "1.5", "1." },
		{ SNP_EXPECT_MIN_FIRMWARE, "1.5.1", "1.5.x" },
		{ SNP_EXPECT_REQUIRE_PLATFORM, "smt,ecc,tio", "smt,,ecc" },
		{ SNP_EXPECT_FORBID_PLATFORM, "rapl-disabled", "rapl" },
		{ SNP_EXPECT_FORBID_PLATFORM, "bit-6,bit-63", "bit-64" },
		{ SNP_EXPECT_FORBID_PLATFORM, "bit-10", "bit-7" },
		{ SNP_EXPECT_ALLOW_DEBUG, "true", "yes" },
		{ SNP_EXPECT_ALLOW_DEBUG, "false", "1" },
		{ SNP_EXPECT_SIGNER, "vcek", "VCEK" },
		{ SNP_EXPECT_SIGNER, "vlek", "none" },
		{ SNP_EXPECT_CSP_ID, "A cloud", "0123456789012345678901234567890"
		  "123456789012345678901234567890123" },
		{ SNP_EXPECT_TIME, "2026-02-28", "2026-02-30" },
		{ SNP_EXPECT_TIME, "2024-02-29", "2026-02-29" },
		{ SNP_EXPECT_TIME, "2026-05-31T23:59:59Z",
		  "2026-05-31T24:00:00Z" },
		{ SNP_EXPECT_TIME, "1750000000", "99999999999999" },
		{ SNP_EXPECT_TIME, "0", "2026-05-31T12:00:00" },
		{ SNP_EXPECT_TIME, "1970-01-01", "1969-12-31" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK(takes(cases[i].id, cases[i].good));
		if (takes(cases[i].id, cases[i].bad)) {
			printf("# %s: %s\n", snp_expectations[cases[i].id].name,
			       cases[i].bad);
			CHECK(!"a value that is refused");
		}
	}
}

/* What was said once is not said otherwise later. */
static void test_snp_expect_twice(void)
{
	static struct snp_expect expect, other;
	struct error error;
	char digest[97];
	int rc = 0;

	memset(digest, 'a', 96);
	digest[96] = '\0';
	CHECK(!snp_expect_set(&expect, SNP_EXPECT_VMPL, "1", &error));
	CHECK_EQ(snp_expect_set(&expect, SNP_EXPECT_VMPL, "1", &error),
		 -EEXIST);
	CHECK(!snp_expect_set(&other, SNP_EXPECT_VMPL, "2", &error));
	CHECK(!snp_expect_set(&other, SNP_EXPECT_MEASUREMENT, digest, &error));
	snp_expect_merge(&expect, &other);
	CHECK_EQ(expect.values[SNP_EXPECT_VMPL].number, 1);
	CHECK_EQ(expect.values[SNP_EXPECT_MEASUREMENT].count, 1);
	while (!rc && other.values[SNP_EXPECT_MEASUREMENT].count < 1000)
		rc = snp_expect_set(&other, SNP_EXPECT_MEASUREMENT, digest,
				    &error);
	CHECK_EQ(rc, -E2BIG);
	CHECK_EQ(other.values[SNP_EXPECT_MEASUREMENT].count, SNP_EXPECT_VALUES);
}

static int read_json(struct snp_expect *expect, const char *text)
{
	struct error error;
	int rc = snp_expect_read_json(expect, "file", (const uint8_t *)text,
				      strlen(text), &error);

	if (rc)
		CHECK(rc == error.rc && error.hint[0] &&
		      !strcmp(error.object, "file"));
	return rc;
}

static void test_snp_f2b_expect_file(void)
{
	static struct snp_expect expect;

	CHECK(!read_json(&expect, "{}"));
	CHECK(!read_json(&expect, "{\"comment\": {\"a\": \"}\\\":{\", "
			 "\"a\": [{\"vmpl\": 0}]}, \"vmpl\": 0}"));
	CHECK(!read_json(&expect, " {\"comment\": [1], \"vmpl\": 0, \"policy\": "
			 "\"0x30000\",\n\"allow_debug\": false, "
			 "\"allow_provisional\": true, \"signer\": \"vlek\", "
			 "\"family_id\": [\"00112233445566778899aabbccddeeff\","
			 "\"ff112233445566778899aabbccddeeff\"], "
			 "\"min_tcb\": \"snp=8\"}\n"));
	CHECK_EQ(expect.values[SNP_EXPECT_VMPL].count, 1);
	CHECK_EQ(expect.values[SNP_EXPECT_POLICY].number, 0x30000);
	CHECK(!expect.values[SNP_EXPECT_ALLOW_DEBUG].number);
	CHECK(expect.values[SNP_EXPECT_ALLOW_PROVISIONAL].number);
	CHECK_EQ(expect.values[SNP_EXPECT_SIGNER].number, SNP_SIGNER_VLEK);
	CHECK_EQ(expect.values[SNP_EXPECT_FAMILY_ID].count, 2);
	CHECK_EQ(expect.values[SNP_EXPECT_FAMILY_ID].bytes[1][0], 0xff);
	CHECK(!expect.values[SNP_EXPECT_MEASUREMENT].count);
}

static void test_snp_f2b_expect_file_bad(void)
{
	static const char *const bad[] = {
		"", "[]", "5", "{", "{} {}", "{\"vmpl\": 4}", "{\"vmpl\": -1}",
		"{\"vmpl\": 0.0}", "{\"vmpl\": null}", "{\"vmpl\": [0]}",
		"{\"vmpl\": {}}", "{\"VMPL\": 0}", "{\"min-tcb\": \"snp=1\"}",
		"{\"family_id\": []}", "{\"family_id\": [[]]}",
		"{\"family_id\": 5}", "{\"allow_debug\": 1}",
		"{\"csp_id\": \"a\\u0000b\"}", "{\"vmpl\": 0,}",
		"{\"policy\": 18446744073709551616}",
		"{\"vmpl\": 1, \"vmpl\": 0}", "{\"vmpl\": 0, \"vmpl\": 0}",
		"{\"vmpl\": 0, \"\\u0076mpl\": 0}",
		"{\"comment\": {\"vmpl\": 1}, \"vmpl\": 0, \"vmpl\": 0}",
		"{\"comment\": \"\\\"\", \"comment\": \"{:\"}",
	};
	static const char twice[] = "{\"vmpl\": 0,\n\"vmpl\": 1}";
	static struct snp_expect expect;
	struct error error;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!read_json(&expect, bad[i])) {
			printf("# %s\n", bad[i]);
			CHECK(!"a file that is refused");
		}
	CHECK(snp_expect_read_json(&expect, "file", (const uint8_t *)"{}\0{", 4,
				   &error) == -EINVAL);
	/* What to do about it, in words. */
	CHECK(snp_expect_read_json(&expect, "file", (const uint8_t *)"{", 1,
				   &error) == -EINVAL);
	CHECK(strstr(error.hint, "it ends before its object does"));
	CHECK(snp_expect_read_json(&expect, "file", (const uint8_t *)twice,
				   strlen(twice), &error) == -EINVAL);
	CHECK(strstr(error.hint, "a key is there twice"));
}

static const struct unit_test tests[] = {
	{ "snp.expect_table", test_snp_expect_table },
	{ "snp.expect_values", test_snp_expect_values },
	{ "snp.expect_twice", test_snp_expect_twice },
	{ "snp.f2b_expect_file", test_snp_f2b_expect_file },
	{ "snp.f2b_expect_file_bad", test_snp_f2b_expect_file_bad },
};

UNIT_TESTS(tests)
