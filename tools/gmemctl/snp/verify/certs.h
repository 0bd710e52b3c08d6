/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The certificates behind a report: AMD's root key (ARK) has signed an
 * intermediate key (ASK or ASVK), which has signed the key of one chip (VCEK) or
 * of one cloud provider (VLEK).
 */
#ifndef GMEMCTL_SNP_CERTS_H
#define GMEMCTL_SNP_CERTS_H

#include <stdbool.h>
#include <time.h>

#include "report.h"

/**
 * struct snp_certs - a chain
 * @vlek: @leaf is a VLEK
 * @root_sha256: fingerprint of the root's certificate
 */
struct snp_certs {
	X509 *root;
	X509 *intermediate;
	X509 *leaf;
	bool vlek;
	uint8_t root_sha256[SNP_SHA256_SIZE];
};

/**
 * snp_certs_parse() - take a chain apart
 * @leaf: one certificate, PEM or DER
 * @chain: the intermediate and the root in PEM form, in any order, as AMD's key
 *	distribution server gives them
 *
 * Nothing is verified yet. snp_certs_free() works in any case.
 *
 * Return: 0, or -EINVAL with the certificate that is missing or wrong.
 */
int snp_certs_parse(struct snp_certs *certs, const uint8_t *leaf,
		    size_t leaf_size, const uint8_t *chain, size_t chain_size,
		    struct error *error);
void snp_certs_free(struct snp_certs *certs);

/**
 * snp_certs_verify() - whether each has signed the next, and is valid at @when
 *
 * Return: 0, or -EBADMSG with OpenSSL's reason.
 */
int snp_certs_verify(const struct snp_certs *certs, time_t when,
		     struct error *error);

/**
 * snp_certs_tcb() - the versions of the firmware that the leaf is bound to, laid
 *	out as in a report
 *
 * Return: 0, or -EINVAL if the certificate does not have all of them.
 */
int snp_certs_tcb(const struct snp_certs *certs, uint64_t *tcb);

/** snp_certs_is_chip() - whether a VCEK is of the chip that a report names */
bool snp_certs_is_chip(const struct snp_certs *certs,
		       const uint8_t chip_id[SNP_CHIP_ID_SIZE]);

#endif /* GMEMCTL_SNP_CERTS_H */
