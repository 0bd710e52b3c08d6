// SPDX-License-Identifier: GPL-2.0
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "../base/bytes.h"
#include "../base/hex.h"
#include "test_certs.h"
#include "test_key.h"
#include "ksft.h"

#define ROOT_KEY "11111111111111111111111111111111"
#define INTERMEDIATE_KEY "22222222222222222222222222222222"
#define LEAF_KEY "33333333333333333333333333333333"
#define FOREIGN_KEY "44444444444444444444444444444444"

#define OID_AMD "1.3.6.1.4.1.3704.1."

static X509_NAME *name_make(const char *text)
{
	X509_NAME *name = X509_NAME_new();

	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				   (const unsigned char *)text, -1, -1, 0);
	return name;
}

static X509 *cert_make(const char *subject, const char *issuer, EVP_PKEY *key, long serial)
{
	X509_NAME *subject_name = name_make(subject);
	X509_NAME *issuer_name = name_make(issuer);
	X509 *cert = X509_new();

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
	X509_set_subject_name(cert, subject_name);
	X509_set_issuer_name(cert, issuer_name);
	ASN1_TIME_set(X509_getm_notBefore(cert), TEST_TIME - TEST_DAY);
	ASN1_TIME_set(X509_getm_notAfter(cert), TEST_TIME + TEST_DAY);
	X509_set_pubkey(cert, key);
	X509_NAME_free(subject_name);
	X509_NAME_free(issuer_name);
	return cert;
}

static void add_ca(X509 *cert, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, value);

	X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
}

static void add_bytes(X509 *cert, const char *oid, const uint8_t *bytes, int size)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;

	ASN1_OCTET_STRING_set(value, bytes, size);
	extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, value);
	X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(object);
}

static void add_version(X509 *cert, unsigned int number, uint8_t version)
{
	uint8_t der[] = { 2, 1, version, 0 };
	char oid[64];

	/* A DER integer is signed. */
	if (version & 0x80) {
		der[1] = 2;
		der[2] = 0;
		der[3] = version;
	}
	snprintf(oid, sizeof(oid), OID_AMD "3.%u", number);
	add_bytes(cert, oid, der, 2 + der[1]);
}

static void add_chip(X509 *cert, const struct test_certs_kind *kind)
{
	uint8_t chip[2 + SNP_CHIP_ID_SIZE];

	memset(chip, TEST_CHIP, sizeof(chip));
	chip[0] = 4;
	chip[1] = SNP_CHIP_ID_SIZE;
	if (kind->chip)
		add_bytes(cert, OID_AMD "4", kind->chip, kind->chip_size);
	else if (kind->raw_chip)
		add_bytes(cert, OID_AMD "4", chip + 2, SNP_CHIP_ID_SIZE);
	else
		add_bytes(cert, OID_AMD "4", chip, sizeof(chip));
}

static void add_text(X509 *cert, const char *oid, const char *text)
{
	uint8_t der[64] = { V_ASN1_IA5STRING, (uint8_t)strlen(text) };

	memcpy(der + 2, text, strlen(text));
	add_bytes(cert, oid, der, 2 + (int)strlen(text));
}

static void add_amd(X509 *cert, const struct test_certs_kind *kind)
{
	if (!kind->no_versions) {
		add_version(cert, 1, 3);
		add_version(cert, 2, 7);
		add_version(cert, 3, 8);
		add_version(cert, 8, 0xd2);
	}
	if (kind->turin)
		add_version(cert, 9, 5);
	if (!kind->vlek)
		add_chip(cert, kind);
	if (kind->csp)
		add_text(cert, OID_AMD "5", kind->csp);
	add_text(cert, OID_AMD "2", kind->turin ? "Turin-B0" : "Milan-B0");
}

size_t test_certs_pem(const struct test_certs *certs, const unsigned int *which,
		      unsigned int count, uint8_t *data)
{
	BIO *bio = BIO_new(BIO_s_mem());
	size_t size;
	char *text;

	for (unsigned int i = 0; i < count; i++)
		PEM_write_bio_X509(bio, certs->certs[which[i]]);
	size = (size_t)BIO_get_mem_data(bio, &text);
	EXPECT_TRUE(size);
	EXPECT_LE(size, 8192);
	memcpy(data, text, size);
	BIO_free(bio);
	return size;
}

size_t test_certs_der(const struct test_certs *certs, const unsigned int *which,
		      unsigned int count, uint8_t *data)
{
	uint8_t *at = data;

	for (unsigned int i = 0; i < count; i++)
		i2d_X509(certs->certs[which[i]], &at);
	return (size_t)(at - data);
}

/* The GUIDs as they are in memory, in the order of the certificates. */
static const uint8_t table_guids[3][16] = {
	{ 0xa4, 0x06, 0xb4, 0xc0, 0x03, 0xa8, 0x52, 0x49,
	  0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae },
	{ 0x79, 0xb3, 0xb7, 0x4a, 0xac, 0xbb, 0xe4, 0x4f,
	  0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82 },
	{ 0x8d, 0x75, 0xda, 0x63, 0x64, 0xe6, 0x64, 0x45,
	  0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd },
};

size_t test_certs_table(const struct test_certs *certs, uint8_t *data)
{
	size_t offset = 4 * 24;

	memset(data, 0, offset);
	for (unsigned int i = 0; i < 3; i++) {
		size_t size = test_certs_der(certs, &i, 1, data + offset);

		memcpy(data + 24 * i, table_guids[i], 16);
		bytes_put32(data + 24 * i + 16, (uint32_t)offset);
		bytes_put32(data + 24 * i + 20, (uint32_t)size);
		offset += size;
	}
	return offset;
}

size_t test_certs_crl(const struct test_certs *certs, const X509 *revoked,
		      time_t from, uint8_t *data)
{
	ASN1_TIME *start = ASN1_TIME_set(NULL, from);
	ASN1_TIME *end = ASN1_TIME_set(NULL, from + TEST_DAY);
	X509_CRL *crl = X509_CRL_new();
	uint8_t *at = data;
	X509_REVOKED *entry;

	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(certs->certs[TEST_ROOT]));
	X509_CRL_set1_lastUpdate(crl, start);
	X509_CRL_set1_nextUpdate(crl, end);
	if (revoked) {
		entry = X509_REVOKED_new();
		X509_REVOKED_set_serialNumber(entry, (ASN1_INTEGER *)
					      X509_get0_serialNumber(revoked));
		X509_REVOKED_set_revocationDate(entry, start);
		X509_CRL_add0_revoked(crl, entry);
	}
	EXPECT_TRUE(X509_CRL_sign(crl, certs->root_key, EVP_sha384()));
	EXPECT_LE(i2d_X509_CRL(crl, NULL), 2048);
	i2d_X509_CRL(crl, &at);
	X509_CRL_free(crl);
	ASN1_TIME_free(start);
	ASN1_TIME_free(end);
	return (size_t)(at - data);
}

static X509 *leaf_make(struct test_certs *certs,
		       const struct test_certs_kind *kind, EVP_PKEY *signer)
{
	X509 *leaf = cert_make(kind->vlek ? "SEV-VLEK" : "SEV-VCEK",
			       kind->by_root ? "ARK-Test" : "SEV-Test", certs->key, 0);

	add_amd(leaf, kind);
	EXPECT_TRUE(X509_sign(leaf, signer, EVP_sha384()));
	return leaf;
}

/* An intermediate of the root's. */
static X509 *intermediate_make(const struct test_certs *certs, const char *name,
			       EVP_PKEY *key, bool no_ca, long serial)
{
	X509 *cert = cert_make(name, "ARK-Test", key, serial);

	add_ca(cert, no_ca ? "CA:FALSE" : "critical,CA:TRUE");
	EXPECT_TRUE(X509_sign(cert, certs->root_key, EVP_sha384()));
	return cert;
}

void test_certs_make(struct test_certs *certs, const struct test_certs_kind *kind)
{
	static const unsigned int chain[] = { TEST_INTERMEDIATE, TEST_ROOT };
	static const unsigned int leaf = TEST_LEAF;
	EVP_PKEY *foreign_key = test_key(FOREIGN_KEY);
	uint8_t data[8192];
	X509 *root;

	memset(certs, 0, sizeof(*certs));
	certs->key = test_key(LEAF_KEY);
	certs->root_key = test_key(ROOT_KEY);
	certs->intermediate_key = test_key(INTERMEDIATE_KEY);
	root = cert_make("ARK-Test", "ARK-Test", certs->root_key, 1);
	add_ca(root, "critical,CA:TRUE");
	EXPECT_TRUE(X509_sign(root, certs->root_key, EVP_sha384()));
	certs->certs[TEST_ROOT] = root;
	certs->certs[TEST_INTERMEDIATE] =
		intermediate_make(certs, "SEV-Test", certs->intermediate_key, kind->no_ca, 2);
	certs->certs[TEST_OTHER] = intermediate_make(certs, "SEV-VLEK-Test", foreign_key, false, 3);
	certs->certs[TEST_LEAF] =
		leaf_make(certs, kind, kind->foreign_leaf ? foreign_key :
			  kind->by_root ? certs->root_key : certs->intermediate_key);
	certs->chain_size = test_certs_pem(certs, chain, 2, data);
	EXPECT_LE(certs->chain_size, sizeof(certs->chain));
	memcpy(certs->chain, data, certs->chain_size);
	certs->leaf_size = test_certs_der(certs, &leaf, 1, certs->leaf);
	EVP_PKEY_free(foreign_key);
}

void test_certs_free(struct test_certs *certs)
{
	for (unsigned int i = 0; i < TEST_CERTS; i++)
		X509_free(certs->certs[i]);
	EVP_PKEY_free(certs->key);
	EVP_PKEY_free(certs->root_key);
	EVP_PKEY_free(certs->intermediate_key);
	memset(certs, 0, sizeof(*certs));
}

void test_report_sign(struct snp_report *report, EVP_PKEY *key)
{
	struct error error;

	EXPECT_FALSE(snp_key_sign(key, report, SNP_REPORT_SIGNED, report->signature, &error));
}

void test_report(struct snp_report *report, bool vlek, EVP_PKEY *key)
{
	memset(report, 0, sizeof(*report));
	report->version = 2;
	report->policy = 0x30000;
	report->signature_algorithm = 1;
	report->key_info = vlek ? 1 << 2 : 0;
	memset(report->report_data, 0x11, sizeof(report->report_data));
	memset(report->measurement, 0x22, sizeof(report->measurement));
	memset(report->host_data, 0x33, sizeof(report->host_data));
	memset(report->id_key_digest, 0x44, sizeof(report->id_key_digest));
	memset(report->author_key_digest, 0x55, sizeof(report->author_key_digest));
	memset(report->chip_id, TEST_CHIP, sizeof(report->chip_id));
	report->reported_tcb = TEST_TCB;
	report->current_tcb = TEST_TCB;
	report->committed_tcb = TEST_TCB;
	report->launch_tcb = TEST_TCB;
	report->current = (struct snp_report_firmware){ 21, 55, 1, 0 };
	report->committed = report->current;
	test_report_sign(report, key);
}

struct verified verified;

void verified_expect(enum snp_expect_id id, const char *text)
{
	struct error error;

	memset(&verified.expect.values[id], 0, sizeof(verified.expect.values[id]));
	if (text)
		EXPECT_FALSE(snp_expect_set(&verified.expect, id, text, &error));
}

void verified_init(const struct test_certs_kind *kind)
{
	uint8_t digest[SNP_SHA256_SIZE];
	char text[2 * SNP_SHA256_SIZE + 1];
	struct test_certs *source = &verified.source;
	struct error error;

	/* What a test had before */
	snp_pool_free(&verified.pool);
	test_certs_free(&verified.source);
	memset(&verified, 0, sizeof(verified));
	test_certs_make(source, kind);
	EXPECT_FALSE(snp_pool_add(&verified.pool, "leaf", source->leaf, source->leaf_size, &error));
	EXPECT_FALSE(snp_pool_add(&verified.pool, "chain", source->chain, source->chain_size,
				  &error));
	test_report(&verified.evidence.report, kind->vlek, source->key);
	EXPECT_EQ(X509_digest(source->certs[TEST_ROOT], EVP_sha256(), digest, NULL), 1);
	verified_expect(SNP_EXPECT_ROOT, hex_format(digest, sizeof(digest), text));
	snprintf(text, sizeof(text), "%d", TEST_TIME);
	verified_expect(SNP_EXPECT_TIME, text);
}

int verified_pool(const uint8_t *data, size_t size)
{
	struct error error;

	snp_pool_free(&verified.pool);
	return snp_pool_add(&verified.pool, "bundle", data, size, &error);
}

bool verified_run(void)
{
	struct snp_subject subject = {
		.evidence = &verified.evidence, .pool = &verified.pool,
		.expect = &verified.expect,
	};

	return snp_verify(&subject, &verified.checks);
}

const struct snp_check *verified_check(const char *name)
{
	static const struct snp_check none;

	for (unsigned int i = 0; i < verified.checks.count; i++)
		if (!strcmp(verified.checks.checks[i].name, name))
			return &verified.checks.checks[i];
	EXPECT_FALSE("a check of that name");
	return &none;
}

bool verified_passes(void)
{
	test_report_sign(&verified.evidence.report, verified.source.key);
	return verified_run();
}

bool verified_only_fails(const char *name)
{
	test_report_sign(&verified.evidence.report, verified.source.key);
	return !verified_run() && verified.checks.failed == 1 &&
	       verified_check(name)->verdict == SNP_FAIL;
}

bool verified_fails(const char *name, const char *text)
{
	return verified_only_fails(name) && strstr(verified_check(name)->detail, text);
}
