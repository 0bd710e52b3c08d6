/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The way from a report to who is trusted: AMD's root key (ARK) has signed an
 * intermediate key (ASK or ASVK), which has signed an endorsement key (VCEK or
 * VLEK), which has signed the report.
 */
#ifndef GMEMCTL_SNP_VERIFY_PATH_H
#define GMEMCTL_SNP_VERIFY_PATH_H

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
		   const struct snp_report *report,
		   const struct snp_expect *expect, uint64_t when);

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

#endif /* GMEMCTL_SNP_VERIFY_PATH_H */
