/* SPDX-License-Identifier: GPL-2.0 */
/* Certificates and reports as AMD makes them, with keys of the test's own. */
#ifndef GMEMCTL_TEST_TEST_CERTS_H
#define GMEMCTL_TEST_TEST_CERTS_H

#include "../snp/verify/certs.h"

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
 * @raw_chip: the chip ID is not an OCTET STRING within the extension
 */
struct test_certs_kind {
	bool vlek, turin, no_versions, no_ca, foreign_leaf, raw_chip;
};

/**
 * struct test_certs - a chain, in the form in which it is read
 * @key: with which reports are signed; test_certs_free() frees it
 */
struct test_certs {
	uint8_t leaf[2048];
	size_t leaf_size;
	uint8_t chain[4096];
	size_t chain_size;
	EVP_PKEY *key;
};

void test_certs_make(struct test_certs *certs,
		     const struct test_certs_kind *kind);
void test_certs_free(struct test_certs *certs);

/* Firmware versions of the certificates, in a report before and since Turin */
#define TEST_TCB UINT64_C(0xd208000000000703)
#define TEST_TCB_TURIN UINT64_C(0xd200000008070305)
/* Every byte of the chip ID. */
#define TEST_CHIP 0xc4

/** test_report() - a report of some guest, signed with @key */
void test_report(struct snp_report *report, bool vlek, EVP_PKEY *key);
void test_report_sign(struct snp_report *report, EVP_PKEY *key);

#endif /* GMEMCTL_TEST_TEST_CERTS_H */
