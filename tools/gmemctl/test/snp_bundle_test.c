// SPDX-License-Identifier: GPL-2.0
/* Certificates as AMD and the clouds hand them out: forms, order, company. */
#include <json-c/json.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ui.h>
#include <openssl/x509.h>

#include "test_certs.h"
#include "ksft.h"

#define BUNDLE_SIZE 16384

static const struct test_certs_kind vcek;
static const unsigned int way[] = { TEST_LEAF, TEST_INTERMEDIATE, TEST_ROOT };

/* Take these certificates, as PEM. */
static void take_pem(const unsigned int *which, unsigned int count)
{
	uint8_t data[8192];

	EXPECT_FALSE(verified_pool(data, test_certs_pem(&verified.source, which, count, data)));
}

/* A copy of PEM as it stands in YAML, and as Windows writes it. Return: its size. */
static size_t indent(char *text, const void *pem, size_t size)
{
	size_t used = (size_t)sprintf(text, "\xef\xbb\xbf");

	for (size_t i = 0; i < size; i++) {
		text[used++] = ((const char *)pem)[i];
		if (text[used - 1] == '\n')
			used += (size_t)sprintf(text + used, "  \t ");
	}
	return used;
}

/* The way is found in a bundle of these, in this order, PEM and DER. */
static void check_order(const unsigned int *order, unsigned int count)
{
	uint8_t data[8192];
	size_t size;

	take_pem(order, count);
	EXPECT_TRUE(verified_run());
	size = test_certs_der(&verified.source, order, count, data);
	EXPECT_FALSE(verified_pool(data, size));
	EXPECT_TRUE(verified_run());
}

/* What the bundle of AWS (ASVK first) and that of Azure (VCEK first) are. */
TEST_OF(snp, f5_f6_orders)
{
	unsigned int order[TEST_CERTS];

	verified_init(&vcek);
	for (unsigned int i = 0; i < 256; i++) {
		unsigned int seen = 0;

		for (unsigned int j = 0; j < TEST_CERTS; j++) {
			order[j] = i >> 2 * j & 3;
			seen |= 1u << order[j];
		}
		if (seen == 0xf)
			check_order(order, TEST_CERTS);
	}
	check_order(way, 3);
}

/*
 * Two roots of one name and one key, only one of which is trusted, and the other
 * comes first.
 */
TEST_OF(snp, f5_two_roots)
{
	static const unsigned int first[] = { TEST_ROOT, TEST_INTERMEDIATE };
	struct test_certs other;
	uint8_t data[8192];
	struct error error;
	size_t size;

	verified_init(&vcek);
	test_certs_make(&other, &vcek);
	EXPECT_FALSE(verified_pool(data, test_certs_pem(&other, first, 2, data)));
	EXPECT_FALSE(verified_run());
	size = test_certs_pem(&verified.source, way, 3, data);
	EXPECT_FALSE(snp_pool_add(&verified.pool, "mine", data, size, &error));
	EXPECT_TRUE(verified_run());
	test_certs_free(&other);
}

/* The certificate of a key that was renewed: that which is valid is taken. */
TEST_OF(snp, f5_renewed)
{
	uint8_t data[2048], *at = data;
	struct error error;
	X509 *old;

	verified_init(&vcek);
	old = X509_dup(verified.source.certs[TEST_LEAF]);
	EXPECT_TRUE(ASN1_TIME_set(X509_getm_notAfter(old), TEST_TIME - 60));
	EXPECT_TRUE(X509_sign(old, verified.source.intermediate_key, EVP_sha384()));
	i2d_X509(old, &at);
	EXPECT_FALSE(verified_pool(data, (size_t)(at - data)));
	EXPECT_FALSE(snp_pool_add(&verified.pool, "chain", verified.source.chain,
				  verified.source.chain_size, &error));
	EXPECT_TRUE(verified_fails("certificates",
				   "'SEV-VCEK' of bundle: certificate has expired"));
	EXPECT_FALSE(snp_pool_add(&verified.pool, "new", verified.source.leaf,
				  verified.source.leaf_size, &error));
	EXPECT_TRUE(verified_run());
	X509_free(old);
}

/* Anybody can make a certificate of the same name: it is not on the way. */
TEST_OF(snp, f5_same_name)
{
	static const struct test_certs_kind foreign = { .foreign_leaf = true };

	verified_init(&foreign);
	EXPECT_FALSE(verified_run());
	EXPECT_EQ(verified_check("certificates")->verdict, SNP_FAIL);
	EXPECT_STRSTR(verified_check("certificates")->detail,
		      "was not signed by the certificate of that name");
	EXPECT_EQ(verified_check("root")->verdict, SNP_FAIL);
}

TEST_OF(snp, f5_missing)
{
	static const struct test_certs_kind no_ca = { .no_ca = true };
	static const struct {
		unsigned int which[2];
		const char *says;
	} cases[] = {
		{ { TEST_LEAF, TEST_INTERMEDIATE }, "'SEV-Test' of bundle names 'ARK-Test'" },
		{ { TEST_LEAF, TEST_ROOT }, "'SEV-VCEK' of bundle names 'SEV-Test'" },
		{ { TEST_INTERMEDIATE, TEST_ROOT }, "" },
	};

	verified_init(&vcek);
	ksft_for_each(c, cases) {
		take_pem(c->which, 2);
		EXPECT_FALSE(verified_run());
		EXPECT_EQ(verified_check("certificates")->verdict, SNP_FAIL);
		EXPECT_STRSTR(verified_check("certificates")->detail, c->says);
	}
	verified_init(&no_ca);
	EXPECT_TRUE(verified_fails("certificates", "'SEV-Test' of chain: invalid CA certificate"));
}

TEST_OF(snp, f22_by_root)
{
	static const struct test_certs_kind by_root = { .by_root = true };

	verified_init(&by_root);
	EXPECT_FALSE(verified_run());
	EXPECT_EQ(verified_check("certificates")->verdict, SNP_FAIL);
	EXPECT_STRSTR(verified_check("certificates")->detail, "by the root 'ARK-Test'");
}

TEST_OF(snp, f8_text)
{
	uint8_t pem[8192];
	char text[BUNDLE_SIZE];
	int size, used = 0;

	verified_init(&vcek);
	used += sprintf(text, "\n\nsubject=CN = SEV-VCEK\r\n");
	for (unsigned int i = 0; i < 3; i++) {
		size = (int)test_certs_pem(&verified.source, &way[i], 1, pem);
		used += sprintf(text + used, "# what comes next: %u\n%.*s\n"
				"some words after it\n\n", i, size, pem);
	}
	EXPECT_FALSE(verified_pool((void *)text, (size_t)used));
	EXPECT_TRUE(verified_run());
}

TEST_OF(snp, f8_indented)
{
	char text[BUNDLE_SIZE];
	uint8_t pem[8192];
	size_t size;

	verified_init(&vcek);
	size = indent(text, pem, test_certs_pem(&verified.source, way, 3, pem));
	EXPECT_FALSE(verified_pool((void *)text, size));
	EXPECT_EQ(verified.pool.count, 3);
	EXPECT_TRUE(verified_run());
}

/* The same for a revocation list. */
TEST_OF(snp, f8_crl)
{
	BIO *bio = BIO_new(BIO_s_mem());
	uint8_t der[2048];
	const uint8_t *at = der;
	struct error error;
	char text[8192], *pem;
	X509_CRL *crl;
	size_t size;

	verified_init(&vcek);
	size = test_certs_crl(&verified.source, NULL, TEST_TIME, der);
	crl = d2i_X509_CRL(NULL, &at, (long)size);
	EXPECT_EQ(PEM_write_bio_X509_CRL(bio, crl), 1);
	size = (size_t)BIO_get_mem_data(bio, &pem);
	size = indent(text, pem, size);
	EXPECT_FALSE(snp_pool_add_crl(&verified.pool, "crl", (uint8_t *)text, size, &error));
	EXPECT_EQ(verified.pool.crls_count, 1);
	BIO_free(bio);
	X509_CRL_free(crl);
}

TEST_OF(snp, f9_der)
{
	static const unsigned int which[] = {
		TEST_INTERMEDIATE, TEST_ROOT, TEST_LEAF,
	};
	uint8_t data[8192];
	size_t size;

	verified_init(&vcek);
	size = test_certs_der(&verified.source, which, 3, data);
	for (size_t cut = 0; cut < size; cut += 13) {
		EXPECT_TRUE(verified_pool(data, cut) || verified.pool.count < 3);
		EXPECT_TRUE(verified.pool.count == 0 || !verified_run());
	}
	memset(data + size, 0, 64);
	EXPECT_FALSE(verified_pool(data, size + 64));
	EXPECT_TRUE(verified_run());
	data[size + 32] = 1;
	EXPECT_EQ(verified_pool(data, size + 64), -EINVAL);
}

/* What `cat vcek.der cert_chain.pem` makes. */
TEST_OF(snp, f9_der_and_pem)
{
	static const unsigned int leaf[] = { TEST_OTHER, TEST_LEAF };
	uint8_t data[BUNDLE_SIZE];
	size_t size;

	verified_init(&vcek);
	size = test_certs_der(&verified.source, leaf, 2, data);
	memcpy(data + size, verified.source.chain, verified.source.chain_size);
	EXPECT_FALSE(verified_pool(data, size + verified.source.chain_size));
	EXPECT_EQ(verified.pool.count, 4);
	EXPECT_TRUE(verified_run());
	/* A part of one is not passed over. */
	memmove(data + 300, data + size, verified.source.chain_size);
	EXPECT_EQ(verified_pool(data, 300 + verified.source.chain_size), -EINVAL);
}

/* Azure's THIM answers with JSON that has PEM in two strings. */
TEST_OF(snp, f6_thim)
{
	static const unsigned int chain[] = { TEST_INTERMEDIATE, TEST_ROOT };
	static const unsigned int leaf = TEST_LEAF;
	struct json_object *json = json_object_new_object();
	uint8_t data[8192];
	const char *text;
	size_t size;

	verified_init(&vcek);
	size = test_certs_pem(&verified.source, &leaf, 1, data);
	json_object_object_add(json, "vcekCert",
			       json_object_new_string_len((char *)data,
							  (int)size));
	json_object_object_add(json, "tcbm", json_object_new_string("03"));
	json_object_object_add(json, "nothing", NULL);
	size = test_certs_pem(&verified.source, chain, 2, data);
	json_object_object_add(json, "certificateChain",
			       json_object_new_string_len((char *)data,
							  (int)size));
	text = json_object_to_json_string(json);
	EXPECT_FALSE(verified_pool((const uint8_t *)text, strlen(text)));
	EXPECT_EQ(verified.pool.count, 3);
	EXPECT_TRUE(verified_run());
	EXPECT_EQ(verified_pool((const uint8_t *)text, strlen(text) - 1), -EINVAL);
	EXPECT_EQ(verified_pool((void *)"{}", 2), -EINVAL);
	json_object_put(json);
}

TEST_OF(snp, certs_bad)
{
	static const char *const bad[] = {
		"", "junk", "{", "-----BEGIN CERTIFICATE-----\nAAAA\n"
		"-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n",
		"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
	};
	uint8_t data[8192];

	verified_init(&vcek);
	ksft_for_each(item, bad)
		EXPECT_EQ(verified_pool((const uint8_t *)*item, strlen(*item)), -EINVAL);
	/* Half of the second certificate of two. */
	EXPECT_EQ(verified_pool(verified.source.chain, verified.source.chain_size * 3 /
				4), -EINVAL);
	for (size_t size = 0; size < verified.source.leaf_size; size += 7)
		EXPECT_EQ(verified_pool(verified.source.leaf, size), -EINVAL);
	memset(data, 0, sizeof(data));
	EXPECT_EQ(verified_pool(data, sizeof(data)), -EINVAL);
}

static bool asked;

/* Instead of opening the terminal. */
static int ask(UI *ui)
{
	asked = true;
	return 0;
}

#define ENCRYPTED(type) "-----BEGIN " type "-----\nProc-Type: 4,ENCRYPTED\n" \
	"DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n" \
	"AAAAAAAAAAAAAAAAAAAAAA==\n-----END " type "-----\n"

/* Whoever hands out certificates cannot have the verifier ask for a passphrase. */
TEST_OF(snp, certs_encrypted)
{
	static const char cert[] = ENCRYPTED("CERTIFICATE");
	static const char crl[] = ENCRYPTED("X509 CRL");
	UI_METHOD *method = UI_create_method("test");
	struct error error;

	verified_init(&vcek);
	UI_method_set_opener(method, ask);
	UI_set_default_method(method);
	EXPECT_EQ(verified_pool((const uint8_t *)cert, strlen(cert)), -EINVAL);
	EXPECT_EQ(snp_pool_add_crl(&verified.pool, "crl", (const uint8_t *)crl, strlen(crl),
				   &error), -EINVAL);
	EXPECT_FALSE(asked);
	UI_set_default_method(UI_OpenSSL());
	UI_destroy_method(method);
}

/* A name is shown at a terminal, and in JSON: nothing in it may be more than text. */
TEST_OF(snp, f26_names)
{
	static const unsigned char text[] = "\x1b[31m\xff\"\n~";
	X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);
	char name[64];

	EXPECT_STREQ(snp_cert_name(cert, name), "?");
	EXPECT_TRUE(X509_NAME_add_entry_by_NID(subject, NID_commonName, V_ASN1_T61STRING, text,
					       sizeof(text) - 1, -1, 0));
	EXPECT_STREQ(snp_cert_name(cert, name), "?[31m?\"?~");
	X509_free(cert);
}

/* More certificates than anybody has. */
TEST_OF(snp, certs_many)
{
	struct error error;
	int rc = 0;

	verified_init(&vcek);
	while (!rc && verified.pool.count < 2 * SNP_POOL_MAX)
		rc = snp_pool_add(&verified.pool, "more", verified.source.leaf,
				  verified.source.leaf_size, &error);
	EXPECT_EQ(rc, -E2BIG);
	EXPECT_EQ(verified.pool.count, SNP_POOL_MAX);
	EXPECT_TRUE(verified_run());
}
