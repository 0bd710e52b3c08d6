// SPDX-License-Identifier: GPL-2.0
/* What can be expected of a report, and how it is written. */
#include "../snp/verify/evidence.h"
#include "../snp/verify/expect.h"
#include "ksft.h"

/* Each value of an expectation by itself: is it one? */
static bool takes(enum snp_expect_id id, const char *text)
{
	static struct snp_expect expect;
	struct error error;
	int rc;

	memset(&expect, 0, sizeof(expect));
	rc = snp_expect_set(&expect, id, text, &error);
	if (rc) {
		EXPECT_EQ(rc, error.rc);
		EXPECT_TRUE(error.hint[0]);
		EXPECT_STREQ(error.object, snp_expectations[id].name);
		EXPECT_FALSE(expect.values[id].count);
	}
	return !rc;
}

TEST_OF(snp, expect_table)
{
	char name[SNP_EXPECT_NAME_SIZE];

	for (unsigned int i = 0; i < SNP_EXPECT_NR; i++) {
		const struct snp_expectation *expectation = &snp_expectations[i];

		EXPECT_TRUE(expectation->name);
		EXPECT_TRUE(expectation->help);
		EXPECT_TRUE(expectation->size || (expectation->parse && expectation->form));
		EXPECT_LE(expectation->size, SNP_EXPECT_BYTES);
		EXPECT_LT(strlen(expectation->name), sizeof(name));
		EXPECT_FALSE(strchr(snp_expect_option((enum snp_expect_id)i, name), '_'));
		EXPECT_FALSE(takes((enum snp_expect_id)i, ""));
		for (unsigned int j = 0; j < i; j++)
			EXPECT_TRUE(strcmp(snp_expectations[j].name, expectation->name));
	}
}

TEST_OF(snp, expect_values)
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
		{ SNP_EXPECT_POLICY, "18446744073709551615", "18446744073709551616" },
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
		{ SNP_EXPECT_TIME, "2026-05-31T23:59:59Z", "2026-05-31T24:00:00Z" },
		{ SNP_EXPECT_TIME, "1750000000", "99999999999999" },
		{ SNP_EXPECT_TIME, "0", "2026-05-31T12:00:00" },
		{ SNP_EXPECT_TIME, "1970-01-01", "1969-12-31" },
	};

	ksft_for_each(c, cases) {
		EXPECT_TRUE(takes(c->id, c->good));
		if (takes(c->id, c->bad)) {
			printf("# %s: %s\n", snp_expectations[c->id].name, c->bad);
			EXPECT_FALSE("a value that is refused");
		}
	}
}

/* What was said once is not said otherwise later. */
TEST_OF(snp, expect_twice)
{
	static struct snp_expect expect, other;
	struct error error;
	char digest[97];
	int rc = 0;

	memset(digest, 'a', 96);
	digest[96] = '\0';
	EXPECT_FALSE(snp_expect_set(&expect, SNP_EXPECT_VMPL, "1", &error));
	EXPECT_EQ(snp_expect_set(&expect, SNP_EXPECT_VMPL, "1", &error), -EEXIST);
	EXPECT_FALSE(snp_expect_set(&other, SNP_EXPECT_VMPL, "2", &error));
	EXPECT_FALSE(snp_expect_set(&other, SNP_EXPECT_MEASUREMENT, digest, &error));
	snp_expect_merge(&expect, &other);
	EXPECT_EQ(expect.values[SNP_EXPECT_VMPL].number, 1);
	EXPECT_EQ(expect.values[SNP_EXPECT_MEASUREMENT].count, 1);
	while (!rc && other.values[SNP_EXPECT_MEASUREMENT].count < 1000)
		rc = snp_expect_set(&other, SNP_EXPECT_MEASUREMENT, digest, &error);
	EXPECT_EQ(rc, -E2BIG);
	EXPECT_EQ(other.values[SNP_EXPECT_MEASUREMENT].count, SNP_EXPECT_VALUES);
}

static int read_json(struct snp_expect *expect, const char *text)
{
	struct error error;
	int rc = snp_expect_read_json(expect, "file", (const uint8_t *)text, strlen(text), &error);

	if (rc) {
		EXPECT_EQ(rc, error.rc);
		EXPECT_TRUE(error.hint[0]);
		EXPECT_STREQ(error.object, "file");
	}
	return rc;
}

TEST_OF(snp, f2b_expect_file)
{
	static struct snp_expect expect;

	EXPECT_FALSE(read_json(&expect, "{}"));
	EXPECT_FALSE(read_json(&expect,
			       "{\"comment\": {\"a\": \"}\\\":{\", "
			       "\"a\": [{\"vmpl\": 0}]}, \"vmpl\": 0}"));
	EXPECT_FALSE(read_json(&expect,
			       " {\"comment\": [1], \"vmpl\": 0, \"policy\": "
			       "\"0x30000\",\n\"allow_debug\": false, "
			       "\"allow_provisional\": true, \"signer\": \"vlek\", "
			       "\"family_id\": [\"00112233445566778899aabbccddeeff\","
			       "\"ff112233445566778899aabbccddeeff\"], \"min_tcb\": \"snp=8\"}\n"));
	EXPECT_EQ(expect.values[SNP_EXPECT_VMPL].count, 1);
	EXPECT_EQ(expect.values[SNP_EXPECT_POLICY].number, 0x30000);
	EXPECT_FALSE(expect.values[SNP_EXPECT_ALLOW_DEBUG].number);
	EXPECT_TRUE(expect.values[SNP_EXPECT_ALLOW_PROVISIONAL].number);
	EXPECT_EQ(expect.values[SNP_EXPECT_SIGNER].number, SNP_SIGNER_VLEK);
	EXPECT_EQ(expect.values[SNP_EXPECT_FAMILY_ID].count, 2);
	EXPECT_EQ(expect.values[SNP_EXPECT_FAMILY_ID].bytes[1][0], 0xff);
	EXPECT_FALSE(expect.values[SNP_EXPECT_MEASUREMENT].count);
}

TEST_OF(snp, f2b_expect_file_bad)
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

	ksft_for_each(item, bad)
		if (!read_json(&expect, *item)) {
			printf("# %s\n", *item);
			EXPECT_FALSE("a file that is refused");
		}
	EXPECT_EQ(snp_expect_read_json(&expect, "file", (const uint8_t *)"{}\0{", 4, &error),
		  -EINVAL);
	/* What to do about it, in words. */
	EXPECT_EQ(snp_expect_read_json(&expect, "file", (const uint8_t *)"{", 1, &error), -EINVAL);
	EXPECT_STRSTR(error.hint, "its JSON object is not complete");
	EXPECT_EQ(snp_expect_read_json(&expect, "file", (const uint8_t *)twice, strlen(twice),
				       &error), -EINVAL);
	EXPECT_STRSTR(error.hint, "a key is given twice");
}
