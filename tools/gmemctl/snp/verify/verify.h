/* SPDX-License-Identifier: GPL-2.0 */
/* Whether an attestation report proves what its reader expects. */
#ifndef GMEMCTL_SNP_VERIFY_VERIFY_H
#define GMEMCTL_SNP_VERIFY_VERIFY_H

#include "checks.h"
#include "evidence.h"
#include "expect.h"
#include "path.h"
#include "pool.h"

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

/* certs_check.c: from the signature of the report to AMD's root */
void snp_verify_certs(struct snp_subject *subject, struct snp_checks *checks);

/* guest_check.c: what runs, and in whose name */
void snp_verify_guest(const struct snp_subject *subject,
		      struct snp_checks *checks);

/* machine_check.c: what it runs on */
void snp_verify_machine(const struct snp_subject *subject,
			struct snp_checks *checks);

#endif /* GMEMCTL_SNP_VERIFY_VERIFY_H */
