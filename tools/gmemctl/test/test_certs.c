// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "test_certs.h"
#include "test_key.h"
#include "unit.h"

#define ROOT_KEY "11111111111111111111111111111111"
#define INTERMEDIATE_KEY "22222222222222222222222222222222"
#define LEAF_KEY "33333333333333333333333333333333"
#define FOREIGN_KEY "44444444444444444444444444444444"

static X509_NAME *name_make(const char *text)
{
	X509_NAME *name = X509_NAME_new();

	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				   (const unsigned char *)text, -1, -1, 0);
	return name;
}

static X509 *cert_make(const char *subject, const char *issuer, EVP_PKEY *key)
{
	X509_NAME *subject_name = name_make(subject);
	X509_NAME *issuer_name = name_make(issuer);
	X509 *cert = X509_new();

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 0);
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
	X509_EXTENSION *extension =
		X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, value);

	X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
}

static void add_bytes(X509 *cert, const char *oid, const uint8_t *bytes,
		      int size)
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
	snprintf(oid, sizeof(oid), "1.3.6.1.4.1.3704.1.3.%u", number);
	add_bytes(cert, oid, der, 2 + der[1]);
}

static void add_amd(X509 *cert, const struct test_certs_kind *kind)
{
	uint8_t chip[2 + SNP_CHIP_ID_SIZE];

	memset(chip, TEST_CHIP, sizeof(chip));
	chip[0] = 4;
	chip[1] = SNP_CHIP_ID_SIZE;
	if (!kind->no_versions) {
		add_version(cert, 1, 3);
		add_version(cert, 2, 7);
		add_version(cert, 3, 8);
		add_version(cert, 8, 0xd2);
	}
	if (kind->turin)
		add_version(cert, 9, 5);
	if (kind->raw_chip)
		add_bytes(cert, "1.3.6.1.4.1.3704.1.4", chip + 2,
			  SNP_CHIP_ID_SIZE);
	else
		add_bytes(cert, "1.3.6.1.4.1.3704.1.4", chip, sizeof(chip));
}

static void chain_write(struct test_certs *certs, X509 *intermediate,
			X509 *root)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;

	PEM_write_bio_X509(bio, intermediate);
	PEM_write_bio_X509(bio, root);
	certs->chain_size = (size_t)BIO_get_mem_data(bio, &data);
	CHECK(certs->chain_size && certs->chain_size <= sizeof(certs->chain));
	memcpy(certs->chain, data, certs->chain_size);
	BIO_free(bio);
}

static void leaf_make(struct test_certs *certs,
		      const struct test_certs_kind *kind, EVP_PKEY *signer)
{
	X509 *leaf = cert_make(kind->vlek ? "SEV-VLEK" : "SEV-VCEK", "SEV-Test",
			       certs->key);
	uint8_t *at = certs->leaf;

	add_amd(leaf, kind);
	CHECK(X509_sign(leaf, signer, EVP_sha384()));
	certs->leaf_size = (size_t)i2d_X509(leaf, NULL);
	CHECK(certs->leaf_size <= sizeof(certs->leaf));
	i2d_X509(leaf, &at);
	X509_free(leaf);
}

void test_certs_make(struct test_certs *certs,
		     const struct test_certs_kind *kind)
{
	EVP_PKEY *root_key = test_key(ROOT_KEY);
	EVP_PKEY *intermediate_key = test_key(INTERMEDIATE_KEY);
	EVP_PKEY *foreign_key = test_key(FOREIGN_KEY);
	X509 *root = cert_make("ARK-Test", "ARK-Test", root_key);
	X509 *intermediate = cert_make("SEV-Test", "ARK-Test", intermediate_key);

	certs->key = test_key(LEAF_KEY);
	add_ca(root, "critical,CA:TRUE");
	add_ca(intermediate, kind->no_ca ? "CA:FALSE" : "critical,CA:TRUE");
	CHECK(X509_sign(root, root_key, EVP_sha384()));
	CHECK(X509_sign(intermediate, root_key, EVP_sha384()));
	chain_write(certs, intermediate, root);
	leaf_make(certs, kind, kind->foreign_leaf ? foreign_key :
		  intermediate_key);
	X509_free(root);
	X509_free(intermediate);
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(intermediate_key);
	EVP_PKEY_free(foreign_key);
}

void test_certs_free(struct test_certs *certs)
{
	EVP_PKEY_free(certs->key);
	certs->key = NULL;
}

void test_report_sign(struct snp_report *report, EVP_PKEY *key)
{
	struct error error;

	CHECK(!snp_key_sign(key, report, SNP_REPORT_SIGNED, report->signature,
			    &error));
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
	memset(report->author_key_digest, 0x55,
	       sizeof(report->author_key_digest));
	memset(report->chip_id, TEST_CHIP, sizeof(report->chip_id));
	report->reported_tcb = TEST_TCB;
	test_report_sign(report, key);
}
