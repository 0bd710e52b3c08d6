/* SPDX-License-Identifier: GPL-2.0 */
/* Whether an attestation report proves what its reader expects. */
#ifndef GMEMCTL_SNP_VERIFY_VERIFY_H
#define GMEMCTL_SNP_VERIFY_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "evidence.h"
#include "expect.h"
#include "path.h"
#include "pool.h"

enum snp_verdict { SNP_PASS, SNP_FAIL, SNP_SKIP };

/**
 * struct snp_check - one thing that was looked at
 * @detail: what was found, or why nothing was looked for
 */
struct snp_check {
	const char *name;
	enum snp_verdict verdict;
	char detail[640];
};

#define SNP_CHECKS_MAX 40

struct snp_checks {
	unsigned int count;
	unsigned int failed;
	struct snp_check checks[SNP_CHECKS_MAX];
};

/**
 * struct snp_subject - what is verified, and against what
 * @pool: certificates and revocation lists: all that were given
 * @expect: what the report should say
 * @when: seconds since 1970: the certificates have to be valid then
 * @layout: of the TCB versions
 * @path: set by snp_verify()
 */
struct snp_subject {
	const struct snp_evidence *evidence;
	const struct snp_pool *pool;
	const struct snp_expect *expect;
	uint64_t when;
	enum snp_tcb_layout layout;
	struct snp_path path;
};

/**
 * snp_verify() - look at everything, also after something has failed
 *
 * What is not expected is not compared, but for what nobody wants: a root that is
 * not AMD's, a report that the host has asked for, a guest that can be debugged or
 * that a migration agent may move, a policy that no firmware takes, and firmware
 * that can still be rolled back.
 *
 * Return: whether nothing has failed.
 */
bool snp_verify(struct snp_subject *subject, struct snp_checks *checks);

#endif /* GMEMCTL_SNP_VERIFY_VERIFY_H */
