/* SPDX-License-Identifier: GPL-2.0 */
/* Whether an attestation report proves what its reader expects. */
#ifndef GMEMCTL_SNP_VERIFY_VERIFY_H
#define GMEMCTL_SNP_VERIFY_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "evidence.h"
#include "expect.h"
#include "pool.h"

/**
 * struct snp_path - three certificates
 * @leaf: the endorsement key; NULL: there is no certificate of any
 * @intermediate, @root: NULL where the way ends before
 * @root_sha256: fingerprint of the root, if there is one
 * @root_name: of AMD's root that it is, or "yours", or NULL if it is not trusted
 * @product: of AMD's root, trusted or not: "Milan", "Genoa", "Turin"; or NULL
 * @rc: 0, or -EBADMSG if a certificate is missing, has not been signed by the
 *	next, may not sign, or is not valid
 * @reason: then: which one, of which file, and why
 */
struct snp_path {
	const struct snp_cert *leaf, *intermediate, *root;
	uint8_t root_sha256[SNP_SHA256_SIZE];
	const char *root_name;
	const char *product;
	int rc;
	char reason[400];
};

/**
 * snp_path_find() - search the way from a report to a root
 * @expect: the roots that are trusted; none: AMD's
 * @when: seconds since 1970: the certificates have to be valid then
 *
 * All certificates of @pool may be on the way, whatever their order. Of several
 * ways one that holds is taken. It begins with a certificate of the key that has
 * signed @report, of which there may be several; if there is none, with the first
 * of any endorsement key; if there is none either, the leaf of @path is NULL.
 */
void snp_path_find(struct snp_path *path, const struct snp_pool *pool,
		   const struct snp_report *report, const struct snp_expect *expect, uint64_t when);

/** snp_path_time() - a certificate's time, to @text. Return: @text. */
char *snp_path_time(const ASN1_TIME *time, char text[32]);

/**
 * snp_path_revoked() - whether a revocation list has a certificate of the way
 * @detail: @size bytes: what was found, and in which file
 *
 * There has to be a list of the root's that is valid at @when.
 *
 * Return: 0, or -EBADMSG.
 */
int snp_path_revoked(const struct snp_path *path, const struct snp_pool *pool,
		     uint64_t when, char *detail, size_t size);

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
