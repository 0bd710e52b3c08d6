/* SPDX-License-Identifier: GPL-2.0 */
/* One verification of a report with all that it needs. */
#ifndef GMEMCTL_TEST_SNP_VERIFIED_H
#define GMEMCTL_TEST_SNP_VERIFIED_H

#include "test_certs.h"

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

void verified_init(struct verified *verified,
		   const struct test_certs_kind *kind);
void verified_free(struct verified *verified);

/** verified_sign() - after the report was changed */
void verified_sign(struct verified *verified);

/** verified_expect() - instead of what was expected of this before; NULL: nothing */
void verified_expect(struct verified *verified, enum snp_expect_id id,
		     const char *text);

/** verified_add() - the pool has the certificates of @data, and no others */
int verified_pool(struct verified *verified, const uint8_t *data, size_t size);

bool verified_run(struct verified *verified);

/** verified_check() - that of a name; a test without one fails */
const struct snp_check *verified_check(const struct verified *verified,
				       const char *name);

/** verified_only_fails() - run: exactly one check fails, and it is this one */
bool verified_only_fails(struct verified *verified, const char *name);

#endif /* GMEMCTL_TEST_SNP_VERIFIED_H */
