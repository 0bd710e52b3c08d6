// SPDX-License-Identifier: GPL-2.0
/* Reports as they are handed out: in hexadecimal, with certificates, in a blob. */
#include <openssl/evp.h>

#include "../base/bytes.h"
#include "../base/hex.h"
#include "test_certs.h"
#include "ksft.h"

#define WRAPPED_SIZE 16384

static const struct test_certs_kind vcek;

/* Whether @data is taken, and has the report of @verified. */
static bool has_report(const void *data, size_t size)
{
	struct snp_evidence evidence;
	struct error error;
	bool same;

	if (snp_evidence_parse(&evidence, "report", data, size, &error)) {
		EXPECT_TRUE(error.rc);
		EXPECT_STREQ(error.object, "report");
		EXPECT_TRUE(error.hint[0]);
		return false;
	}
	same = !memcmp(&evidence.report, &verified.evidence.report, SNP_REPORT_SIZE);
	snp_evidence_free(&evidence);
	return same;
}

/* As `xxd -p` prints it: lines of 60 digits. */
static size_t hex_lines(const void *data, size_t size, char *text)
{
	const uint8_t *bytes = data;
	size_t used = 0;

	for (size_t i = 0; i < size; i++)
		used += (size_t)sprintf(text + used, "%02x%s", bytes[i], i % 30 == 29 ? "\n" : "");
	return used;
}

TEST_OF(snp, f7_hex)
{
	char *text = malloc(4 * WRAPPED_SIZE);
	const void *report = &verified.evidence.report;

	verified_init(&vcek);
	EXPECT_TRUE(has_report(report, SNP_REPORT_SIZE));
	EXPECT_TRUE(has_report(text, hex_lines(report, SNP_REPORT_SIZE, text)));
	strcpy(text, "\t\n0x");
	hex_format(report, SNP_REPORT_SIZE, text + 4);
	strcat(text, "\r\n");
	EXPECT_TRUE(has_report(text, strlen(text)));
	EXPECT_TRUE(has_report(text + 2, strlen(text + 2)));
	text[3] = 'X';
	EXPECT_TRUE(has_report(text, strlen(text)));
	/* One digit too few, one that is none, another 0x, a NUL. */
	EXPECT_FALSE(has_report(text, strlen(text) - 3));
	text[100] = 'x';
	EXPECT_FALSE(has_report(text, strlen(text)));
	text[100] = '\0';
	EXPECT_FALSE(has_report(text, 4 + 2 * SNP_REPORT_SIZE));
	EXPECT_FALSE(has_report("0x", 2));
	EXPECT_FALSE(has_report("", 0));
	free(text);
}

/* The report, and then the certificate table; also in hexadecimal. */
TEST_OF(snp, f28_table)
{
	uint8_t *data = calloc(1, WRAPPED_SIZE);
	char *text = malloc(4 * WRAPPED_SIZE);
	struct error error;
	size_t size;

	verified_init(&vcek);
	memcpy(data, &verified.evidence.report, SNP_REPORT_SIZE);
	size = SNP_REPORT_SIZE + test_certs_table(&verified.source, data + SNP_REPORT_SIZE);
	EXPECT_TRUE(has_report(data, size));
	EXPECT_FALSE(snp_evidence_parse(&verified.evidence, "ext", (void *)text,
					hex_lines(data, size, text), &error));
	EXPECT_EQ(verified.evidence.table_size, size - SNP_REPORT_SIZE);
	snp_pool_free(&verified.pool);
	EXPECT_FALSE(snp_pool_add_table(&verified.pool, "ext", verified.evidence.table,
					verified.evidence.table_size, &error));
	EXPECT_EQ(verified.pool.count, 3);
	EXPECT_TRUE(verified_run());
	/* The table by itself, as configfs gives it. */
	EXPECT_FALSE(verified_pool(verified.evidence.table, verified.evidence.table_size));
	EXPECT_EQ(verified.pool.count, 3);
	EXPECT_TRUE(verified_run());
	snp_evidence_free(&verified.evidence);
	free(text);
	free(data);
}

/* As some clouds have it: something of their own comes first. */
TEST_OF(snp, f28_table_order)
{
	uint8_t data[8192];
	size_t size;

	verified_init(&vcek);
	size = test_certs_table(&verified.source, data);
	/* The root is something else, and so is not taken. */
	memset(data, 0x5a, 16);
	EXPECT_FALSE(verified_pool(data, size));
	EXPECT_EQ(verified.pool.count, 2);
	/* Only such things: no certificate. */
	memset(data + 24, 0x5a, 16);
	memset(data + 48, 0x5a, 16);
	EXPECT_EQ(verified_pool(data, size), -EINVAL);
}

TEST_OF(snp, f28_table_bad)
{
	uint8_t data[8192], table[8192];
	struct error error;
	size_t size;

	verified_init(&vcek);
	size = test_certs_table(&verified.source, table);
	for (size_t cut = 1; cut < size; cut += 31) {
		snp_pool_free(&verified.pool);
		EXPECT_EQ(snp_pool_add_table(&verified.pool, "t", table, cut, &error), -EINVAL);
	}
	/* Offset and length: beyond the end, and so far that they wrap. */
	for (size_t at = 16; at < 24; at += 4) {
		memcpy(data, table, size);
		bytes_put32(data + at, 0xfffffff0);
		EXPECT_EQ(snp_pool_add_table(&verified.pool, "t", data, size, &error), -EINVAL);
		bytes_put32(data + at, (uint32_t)size + 1);
		EXPECT_EQ(snp_pool_add_table(&verified.pool, "t", data, size, &error), -EINVAL);
	}
	/* No certificates, which is what a host without any gives. */
	memset(data, 0, sizeof(data));
	EXPECT_FALSE(snp_pool_add_table(&verified.pool, "t", data, 24, &error));
	EXPECT_FALSE(snp_pool_add_table(&verified.pool, "t", data, 4096, &error));
	EXPECT_FALSE(snp_pool_add_table(&verified.pool, "t", data, 1, &error));
}

/* What Azure's vTPM has: the report at 0x20, and claims whose hash it has. */
static size_t azure_blob(uint8_t *data, const char *claims)
{
	struct snp_report *report = &verified.evidence.report;
	uint8_t *at = data + 0x20 + SNP_REPORT_SIZE;

	memset(report->report_data, 0, sizeof(report->report_data));
	EXPECT_TRUE(EVP_Digest(claims, strlen(claims), report->report_data, NULL, EVP_sha256(),
			       NULL));
	test_report_sign(report, verified.source.key);
	memset(data, 0, WRAPPED_SIZE);
	memcpy(data, "HCLA", 4);
	bytes_put32(data + 4, 2);
	bytes_put32(data + 8, SNP_REPORT_SIZE);
	memcpy(data + 0x20, report, SNP_REPORT_SIZE);
	bytes_put32(at, (uint32_t)strlen(claims) + 20);
	bytes_put32(at + 4, 1);
	bytes_put32(at + 8, 2);
	bytes_put32(at + 12, 1);
	bytes_put32(at + 16, (uint32_t)strlen(claims));
	memcpy(at + 20, claims, strlen(claims));
	return 2600;
}

static void check_claims(const uint8_t *data, size_t size, bool match)
{
	struct snp_report report = verified.evidence.report;
	struct error error;

	EXPECT_FALSE(snp_evidence_parse(&verified.evidence, "blob", data, size, &error));
	if (match) {
		EXPECT_TRUE(verified_run());
		EXPECT_EQ(verified_check("claims")->verdict, SNP_PASS);
	} else {
		EXPECT_TRUE(verified_only_fails("claims"));
	}
	snp_evidence_free(&verified.evidence);
	verified.evidence.report = report;
}

TEST_OF(snp, f28_azure)
{
	static const char claims[] = "{ \"keys\": [] }";
	uint8_t *data = malloc(WRAPPED_SIZE), *at = data + 0x20 + SNP_REPORT_SIZE;
	size_t size;

	verified_init(&vcek);
	size = azure_blob(data, claims);
	EXPECT_TRUE(has_report(data, size));
	check_claims(data, size, true);
	at[20]++;
	check_claims(data, size, false);
	at[20]--;
	/* Behind the hash is nothing that the claims do not cover. */
	verified.evidence.report.report_data[63] = 1;
	test_report_sign(&verified.evidence.report, verified.source.key);
	memcpy(data + 0x20, &verified.evidence.report, SNP_REPORT_SIZE);
	check_claims(data, size, false);
	size = azure_blob(data, claims);
	EXPECT_TRUE(has_report(data, size));
	for (size_t cut = 0; cut < 0x20 + SNP_REPORT_SIZE + 34; cut += 3)
		EXPECT_FALSE(has_report(data, cut));
	/* Of TDX; a hash that is not known; more claims than there are. */
	at[8] = 4;
	EXPECT_FALSE(has_report(data, size));
	at[8] = 2;
	at[12] = 9;
	EXPECT_FALSE(has_report(data, size));
	at[12] = 1;
	bytes_put32(at + 16, 0xffffffff);
	EXPECT_FALSE(has_report(data, size));
	free(data);
}

/* What SNP_GET_REPORT answers: status, size, and the report at 0x20. */
TEST_OF(snp, f28_answer)
{
	uint8_t data[4000] = { 0 };

	verified_init(&vcek);
	bytes_put32(data + 4, SNP_REPORT_SIZE);
	memcpy(data + 0x20, &verified.evidence.report, SNP_REPORT_SIZE);
	EXPECT_TRUE(has_report(data, sizeof(data)));
	EXPECT_TRUE(has_report(data, 0x20 + SNP_REPORT_SIZE));
	EXPECT_FALSE(has_report(data, 0x20 + SNP_REPORT_SIZE - 1));
	bytes_put32(data, 0x16);
	EXPECT_FALSE(has_report(data, sizeof(data)));
}

/* Text that is something else: its first bytes are no version. */
TEST_OF(snp, f7_text)
{
	struct snp_evidence evidence;
	struct error error;
	char text[2400];

	memset(text, 'A', sizeof(text));
	memcpy(text, "AgAAAAAA+/==", 12);
	EXPECT_EQ(snp_evidence_parse(&evidence, "text", (uint8_t *)text, sizeof(text), &error),
		  -EINVAL);
	EXPECT_STRSTR(error.hint, "it is text");
}

TEST_OF(snp, report_parse)
{
	struct snp_report *report = &verified.evidence.report;

	verified_init(&vcek);
	EXPECT_TRUE(has_report(report, SNP_REPORT_SIZE));
	EXPECT_FALSE(has_report(report, SNP_REPORT_SIZE - 1));
	for (report->version = 0; report->version < 9; report->version++)
		EXPECT_EQ(has_report(report, SNP_REPORT_SIZE),
			  (report->version >= 2 && report->version <= 5));
	report->version = 5;
	report->signature_algorithm = 0;
	EXPECT_FALSE(has_report(report, SNP_REPORT_SIZE));
}
