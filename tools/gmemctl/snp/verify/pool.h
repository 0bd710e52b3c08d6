/* SPDX-License-Identifier: GPL-2.0 */
/* Certificates and revocation lists in whatever form they are handed out. */
#ifndef GMEMCTL_SNP_VERIFY_POOL_H
#define GMEMCTL_SNP_VERIFY_POOL_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../base/error.h"
#include "evidence.h"

/* All products of AMD with VCEK and VLEK have 9. */
#define SNP_POOL_MAX 64
#define SNP_POOL_CRLS 16
/* Of one file, in bytes */
#define SNP_POOL_FILE_MAX (1 << 20)

/**
 * struct snp_cert - a certificate
 * @file: where it was found, for messages; the pool does not own the name
 */
struct snp_cert {
	X509 *x509;
	const char *file;
};

struct snp_crl {
	X509_CRL *crl;
	const char *file;
};

/** struct snp_pool - certificates and revocation lists in the order they came in */
struct snp_pool {
	unsigned int count, crls_count;
	struct snp_cert certs[SNP_POOL_MAX];
	struct snp_crl crls[SNP_POOL_CRLS];
};

/**
 * snp_pool_add() - take all certificates of a file
 * @file: its name; it has to live as long as the pool
 *
 * These are known: PEM, with any text around; DER, one certificate after the
 * other; the certificate table of the GHCB specification; a JSON object with PEM in
 * its strings, as Azure's THIM service answers.
 *
 * Return: 0; -EINVAL for anything else, also if only a part of it is damaged, or if
 * there is no certificate; -E2BIG for too many.
 */
int snp_pool_add(struct snp_pool *pool, const char *file, const uint8_t *data,
		 size_t size, struct error *error);

/**
 * snp_pool_add_table() - the same for what has to be a certificate table
 *
 * It may be empty, but for zeros.
 */
int snp_pool_add_table(struct snp_pool *pool, const char *file,
		       const uint8_t *data, size_t size, struct error *error);

/** snp_pool_add_crl() - take the revocation lists of a file, PEM or DER */
int snp_pool_add_crl(struct snp_pool *pool, const char *file,
		     const uint8_t *data, size_t size, struct error *error);

void snp_pool_free(struct snp_pool *pool);

/** snp_cert_is_root() - whether it names itself as its issuer */
bool snp_cert_is_root(const struct snp_cert *cert);

/**
 * snp_name_text() - the common name in a name, to @text
 *
 * Anybody can put anything there: what is not printable ASCII becomes "?".
 *
 * Return: @text.
 */
char *snp_name_text(const X509_NAME *name, char text[64]);

/** snp_cert_name() - a certificate's common name, likewise */
char *snp_cert_name(const X509 *x509, char text[64]);

/** snp_endorsement_layout() - Turin's, if the versions have an FMC among them */
enum snp_tcb_layout snp_endorsement_layout(const struct snp_cert *cert);

/**
 * snp_endorsement_tcb() - the versions of the firmware that the key is bound to,
 *	laid out as in a report
 *
 * Return: 0, or -EINVAL if the certificate does not have all of them.
 */
int snp_endorsement_tcb(const struct snp_cert *cert, enum snp_tcb_layout layout, uint64_t *tcb);

/**
 * snp_endorsement_signer() - what a certificate is of
 *
 * Return: SNP_SIGNER_VCEK, SNP_SIGNER_VLEK, or SNP_SIGNER_NONE for any other.
 */
enum snp_signer snp_endorsement_signer(const struct snp_cert *cert);

/** snp_endorsement_is_chip() - whether a VCEK is of the chip that a report names */
bool snp_endorsement_is_chip(const struct snp_cert *cert, const uint8_t chip_id[SNP_CHIP_ID_SIZE]);

/* Texts of certificates are cut at this size. */
#define SNP_ENDORSEMENT_TEXT 64

/**
 * snp_endorsement_csp() - the provider that a VLEK is of, to @text
 *
 * Return: @text, or NULL if the certificate does not say it.
 */
char *snp_endorsement_csp(const struct snp_cert *cert, char text[SNP_ENDORSEMENT_TEXT]);

/** snp_endorsement_product() - the same for the product's name, such as Milan-B0 */
char *snp_endorsement_product(const struct snp_cert *cert, char text[SNP_ENDORSEMENT_TEXT]);

#endif /* GMEMCTL_SNP_VERIFY_POOL_H */
