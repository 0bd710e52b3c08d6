/* SPDX-License-Identifier: GPL-2.0 */
/* Reads certificates and revocation lists, in all formats in which they are distributed. */
#ifndef GMEMCTL_SNP_VERIFY_POOL_H
#define GMEMCTL_SNP_VERIFY_POOL_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../base/error.h"
#include "evidence.h"

/* Limits; all products of AMD together, with VCEK and VLEK, have 9 certificates. */
#define SNP_POOL_MAX 64
#define SNP_POOL_CRLS 16
/* Limit of the size of a file */
#define SNP_POOL_FILE_MAX (1 << 20)

/**
 * struct snp_cert - a certificate
 * @x509: the certificate
 * @file: name of its file, for messages; not owned
 */
struct snp_cert {
	X509 *x509;
	const char *file;
};

/**
 * struct snp_crl - a revocation list
 * @crl: the list
 * @file: name of its file, for messages; not owned
 */
struct snp_crl {
	X509_CRL *crl;
	const char *file;
};

/** struct snp_pool - certificates and revocation lists, in the order in which they were added */
struct snp_pool {
	unsigned int count, crls_count;
	struct snp_cert certs[SNP_POOL_MAX];
	struct snp_crl crls[SNP_POOL_CRLS];
};

/**
 * snp_pool_add() - add all certificates of a file
 * @file: name of the file, which must outlive the pool
 *
 * The known formats are: PEM, with any text around; DER, one certificate after the other; the
 * certificate table of the GHCB specification; and a JSON object with PEM in its strings, as
 * Azure's THIM service answers.
 *
 * Return: 0; -EINVAL for another format, if a part is damaged, or if there is no certificate;
 * -E2BIG for too many certificates; -EFBIG for more than SNP_POOL_FILE_MAX bytes.
 */
int snp_pool_add(struct snp_pool *pool, const char *file, const uint8_t *data,
		 size_t size, struct error *error);

/**
 * snp_pool_add_table() - add all certificates of a certificate table
 *
 * A table of zeros only is empty, and valid.
 */
int snp_pool_add_table(struct snp_pool *pool, const char *file,
		       const uint8_t *data, size_t size, struct error *error);

/** snp_pool_add_crl() - add the revocation lists of a file, in PEM or DER form */
int snp_pool_add_crl(struct snp_pool *pool, const char *file,
		     const uint8_t *data, size_t size, struct error *error);

void snp_pool_free(struct snp_pool *pool);

/** snp_cert_is_root() - whether issuer and subject of a certificate are the same */
bool snp_cert_is_root(const struct snp_cert *cert);

/**
 * snp_name_text() - write the common name of a name to @text
 *
 * Names can contain any bytes: those that are not printable ASCII become "?".
 *
 * Return: @text.
 */
char *snp_name_text(const X509_NAME *name, char text[64]);

/** snp_cert_name() - write the common name of a certificate to @text, in the same way */
char *snp_cert_name(const X509 *x509, char text[64]);

/** snp_endorsement_layout() - Turin's if the certificate has a version of FMC, else Milan's */
enum snp_tcb_layout snp_endorsement_layout(const struct snp_cert *cert);

/**
 * snp_endorsement_tcb() - get the firmware versions to which the key is bound
 * @tcb: out: the versions, in the layout of a report
 *
 * Return: 0, or -EINVAL if the certificate does not have all of them.
 */
int snp_endorsement_tcb(const struct snp_cert *cert, enum snp_tcb_layout layout, uint64_t *tcb);

/**
 * snp_endorsement_signer() - get the kind of key of a certificate
 *
 * Return: SNP_SIGNER_VCEK, SNP_SIGNER_VLEK, or SNP_SIGNER_NONE for another key.
 */
enum snp_signer snp_endorsement_signer(const struct snp_cert *cert);

/** snp_endorsement_is_chip() - whether a VCEK belongs to the chip with this ID */
bool snp_endorsement_is_chip(const struct snp_cert *cert, const uint8_t chip_id[SNP_CHIP_ID_SIZE]);

/* Texts of certificates are truncated to this size. */
#define SNP_ENDORSEMENT_TEXT 64

/**
 * snp_endorsement_csp() - write the cloud provider of a VLEK to @text
 *
 * Return: @text, or NULL if the certificate does not name a provider.
 */
char *snp_endorsement_csp(const struct snp_cert *cert, char text[SNP_ENDORSEMENT_TEXT]);

/** snp_endorsement_product() - write the name of the product, such as Milan-B0, in the same way */
char *snp_endorsement_product(const struct snp_cert *cert, char text[SNP_ENDORSEMENT_TEXT]);

#endif /* GMEMCTL_SNP_VERIFY_POOL_H */
