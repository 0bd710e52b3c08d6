/* SPDX-License-Identifier: GPL-2.0 */
/* Whether an attestation report proves what its reader expects. */
#ifndef GMEMCTL_SNP_VERIFY_H
#define GMEMCTL_SNP_VERIFY_H

#include "certs.h"

/**
 * struct snp_expect - what the report should say; NULL is not compared
 * @policy: compared if @has_policy
 * @allow_debug: take a guest that its host may look into
 * @root_sha256: fingerprint of the root certificate that is trusted
 * @when: the certificates have to be valid then
 */
struct snp_expect {
	const uint8_t *measurement;
	const uint8_t *host_data;
	const uint8_t *report_data;
	const uint8_t *id_key_digest;
	const uint8_t *author_key_digest;
	const uint8_t *root_sha256;
	uint64_t policy;
	bool has_policy;
	bool allow_debug;
	time_t when;
};

enum snp_verdict { SNP_PASS, SNP_FAIL, SNP_SKIP };

/**
 * struct snp_check - one thing that was looked at
 * @detail: what was found, or why nothing was looked for
 */
struct snp_check {
	const char *name;
	enum snp_verdict verdict;
	char detail[320];
};

#define SNP_CHECKS_MAX 16

struct snp_checks {
	unsigned int count;
	unsigned int failed;
	struct snp_check checks[SNP_CHECKS_MAX];
};

/**
 * snp_verify() - look at everything, also after something has failed
 *
 * Return: whether nothing has failed.
 */
bool snp_verify(const struct snp_report *report, const struct snp_certs *certs,
		const struct snp_expect *expect, struct snp_checks *checks);

#endif /* GMEMCTL_SNP_VERIFY_H */
