/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What AMD says in the certificate of an endorsement key: the key of one chip
 * (VCEK) or of one cloud provider (VLEK), made for one set of firmware versions.
 */
#ifndef GMEMCTL_SNP_VERIFY_ENDORSEMENT_H
#define GMEMCTL_SNP_VERIFY_ENDORSEMENT_H

#include "pool.h"
#include "report.h"

/** snp_endorsement_layout() - Turin's, if the versions have an FMC among them */
enum snp_tcb_layout snp_endorsement_layout(const struct snp_cert *cert);

/**
 * snp_endorsement_tcb() - the versions of the firmware that the key is bound to,
 *	laid out as in a report
 *
 * Return: 0, or -EINVAL if the certificate does not have all of them.
 */
int snp_endorsement_tcb(const struct snp_cert *cert, enum snp_tcb_layout layout,
			uint64_t *tcb);

/**
 * snp_endorsement_signer() - what a certificate is of
 *
 * Return: SNP_SIGNER_VCEK, SNP_SIGNER_VLEK, or SNP_SIGNER_NONE for any other.
 */
enum snp_signer snp_endorsement_signer(const struct snp_cert *cert);

/** snp_endorsement_is_chip() - whether a VCEK is of the chip that a report names */
bool snp_endorsement_is_chip(const struct snp_cert *cert,
			     const uint8_t chip_id[SNP_CHIP_ID_SIZE]);

/* Texts of certificates are cut at this size. */
#define SNP_ENDORSEMENT_TEXT 64

/**
 * snp_endorsement_csp() - the provider that a VLEK is of, to @text
 *
 * Return: @text, or NULL if the certificate does not say it.
 */
char *snp_endorsement_csp(const struct snp_cert *cert, char text[SNP_ENDORSEMENT_TEXT]);

/** snp_endorsement_product() - the same for the product's name, such as Milan-B0 */
char *snp_endorsement_product(const struct snp_cert *cert,
			      char text[SNP_ENDORSEMENT_TEXT]);

#endif /* GMEMCTL_SNP_VERIFY_ENDORSEMENT_H */
