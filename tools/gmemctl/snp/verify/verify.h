/* SPDX-License-Identifier: GPL-2.0 */
/* Verifies an attestation report against expectations. */
#ifndef GMEMCTL_SNP_VERIFY_VERIFY_H
#define GMEMCTL_SNP_VERIFY_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "evidence.h"
#include "expect.h"
#include "pool.h"

/**
 * struct snp_path - a path of three certificates
 * @leaf: certificate of the endorsement key; NULL: there is none
 * @intermediate, @root: the other certificates; NULL if the path ends before
 * @root_sha256: fingerprint of the root, if there is one
 * @root_name: description of a trusted root, for messages; NULL if it is not trusted
 * @product: product of AMD's root, trusted or not: "Milan", "Genoa", "Turin"; or NULL
 * @rc: 0; -EBADMSG if a certificate is missing, is not signed by the next one, may not sign, or is
 *	not valid at the time
 * @reason: with an error: the certificate, its file, and the cause
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
 * snp_path_find() - find the path from the key of a report to a root
 * @expect: has the trusted roots; if it has none, those of AMD are trusted
 * @when: time at which the certificates must be valid, in seconds since 1970
 *
 * It uses the certificates of @pool in any order. Of several paths it prefers those with a trusted
 * root, and of these a valid one. A path starts with a certificate of the key that has signed
 * @report; there can be several. If there is none, the path starts with the first certificate of
 * another endorsement key. If there is none either, the leaf of @path is NULL.
 */
void snp_path_find(struct snp_path *path, const struct snp_pool *pool,
		   const struct snp_report *report, const struct snp_expect *expect, uint64_t when);

/** snp_path_time() - write a time of a certificate to @text. Return: @text. */
char *snp_path_time(const ASN1_TIME *time, char text[32]);

/**
 * snp_path_revoked() - check the certificates of a path against the revocation lists
 * @detail: out: what was found, and in which file; @size bytes
 *
 * There must be a list of the root that is valid at @when.
 *
 * Return: 0; -EBADMSG if a certificate was revoked, or there is no such list.
 */
int snp_path_revoked(const struct snp_path *path, const struct snp_pool *pool,
		     uint64_t when, char *detail, size_t size);

enum snp_verdict { SNP_PASS, SNP_FAIL, SNP_SKIP };

/**
 * struct snp_check - the result of a check
 * @name: name of the check
 * @verdict: its result; SNP_SKIP: the value was not compared
 * @detail: the value, or why the check failed or was skipped
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
 * struct snp_subject - the input of a verification
 * @evidence: the report
 * @pool: all certificates and revocation lists
 * @expect: the expectations
 * @when: time at which the certificates must be valid, in seconds since 1970
 * @layout: layout of the TCB versions
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
 * snp_verify() - make all checks, also after one has failed
 *
 * Values without an expectation are not compared. These fail without an expectation: a root that
 * is not AMD's, a report that the host has requested, a guest that can be debugged or moved by a
 * migration agent, a policy with bits that no firmware knows, and firmware that can be rolled back.
 *
 * Return: whether no check has failed.
 */
bool snp_verify(struct snp_subject *subject, struct snp_checks *checks);

#endif /* GMEMCTL_SNP_VERIFY_VERIFY_H */
