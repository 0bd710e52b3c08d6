/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Certificates and reports as AMD makes them, with keys of the test's own; and one
 * verification of a report with all that it needs.
 */
#ifndef GMEMCTL_TEST_TEST_CERTS_H
#define GMEMCTL_TEST_TEST_CERTS_H

#include <time.h>

#include "../snp/verify/verify.h"

/* All certificates are valid from one day before this to one day after it. */
#define TEST_TIME 1750000000
#define TEST_DAY (24 * 60 * 60)

/**
 * struct test_certs_kind - what is special about a chain
 * @vlek: the leaf is a VLEK
 * @turin: versions as since Turin: FMC is one of them
 * @no_versions: the leaf has none
 * @no_ca: the intermediate may not sign certificates
 * @foreign_leaf: the leaf was signed by another intermediate's key
 * @by_root: the leaf was signed by the root
 * @raw_chip: the chip ID is not an OCTET STRING within the extension
 * @chip: instead of TEST_CHIP, as it is, @chip_size bytes
 * @csp: the provider, or NULL
 */
struct test_certs_kind {
	bool vlek, turin, no_versions, no_ca, foreign_leaf, by_root, raw_chip;
	const uint8_t *chip;
	int chip_size;
	const char *csp;
};

enum { TEST_ROOT, TEST_INTERMEDIATE, TEST_LEAF, TEST_OTHER, TEST_CERTS };

/**
 * struct test_certs - a chain, in the form in which it is read
 * @leaf: DER
 * @chain: PEM, the intermediate and the root
 * @certs: the same, and one more that the root has signed
 * @key: with which reports are signed
 * @root_key, @intermediate_key: with which these sign
 */
struct test_certs {
	uint8_t leaf[2048];
	size_t leaf_size;
	uint8_t chain[4096];
	size_t chain_size;
	struct x509_st *certs[TEST_CERTS];
	EVP_PKEY *key, *root_key, *intermediate_key;
};

void test_certs_make(struct test_certs *certs, const struct test_certs_kind *kind);
void test_certs_free(struct test_certs *certs);

/** test_certs_pem() - some of the certificates, to 8192 bytes. Return: the size. */
size_t test_certs_pem(const struct test_certs *certs, const unsigned int *which,
		      unsigned int count, uint8_t *data);

/** test_certs_der() - likewise */
size_t test_certs_der(const struct test_certs *certs, const unsigned int *which,
		      unsigned int count, uint8_t *data);

/**
 * test_certs_table() - the root, the intermediate and the leaf as a certificate
 *	table, to 8192 bytes
 *
 * Return: the size.
 */
size_t test_certs_table(const struct test_certs *certs, uint8_t *data);

/**
 * test_certs_crl() - a revocation list of the root's in DER form, to 2048 bytes,
 *	valid for a day from @from
 * @revoked: a certificate, or NULL for none
 *
 * Return: the size.
 */
size_t test_certs_crl(const struct test_certs *certs, const X509 *revoked,
		      time_t from, uint8_t *data);

/* Firmware versions of the certificates, in a report before and since Turin */
#define TEST_TCB UINT64_C(0xd208000000000703)
#define TEST_TCB_TURIN UINT64_C(0xd200000008070305)
/* Every byte of the chip ID. */
#define TEST_CHIP 0xc4

/** test_report() - a report of some guest, signed with @key */
void test_report(struct snp_report *report, bool vlek, EVP_PKEY *key);
void test_report_sign(struct snp_report *report, EVP_PKEY *key);

/**
 * struct verified - all of it; tests change what they are about
 * @source: certificates
 * @pool: the leaf and the chain of @source
 * @expect: its root is trusted, at TEST_TIME
 * @checks: what the last run has found
 */
struct verified {
	struct test_certs source;
	struct snp_pool pool;
	struct snp_evidence evidence;
	struct snp_expect expect;
	struct snp_checks checks;
};

/* Of the running test */
extern struct verified verified;

void verified_init(const struct test_certs_kind *kind);

/** verified_expect() - instead of what was expected of this before; NULL: nothing */
void verified_expect(enum snp_expect_id id, const char *text);

/** verified_pool() - put the certificates of @data into the pool, and no others */
int verified_pool(const uint8_t *data, size_t size);

bool verified_run(void);

/** verified_check() - that of a name; a test without one fails */
const struct snp_check *verified_check(const char *name);

/** verified_passes() - sign the report, and run: no check fails */
bool verified_passes(void);

/** verified_only_fails() - the same: exactly one check fails, and it is this one */
bool verified_only_fails(const char *name);

/** verified_fails() - the same, and the check says @text */
bool verified_fails(const char *name, const char *text);

#endif /* GMEMCTL_TEST_TEST_CERTS_H */
