/* SPDX-License-Identifier: GPL-2.0 */
/* Certificates and revocation lists in whatever form they are handed out. */
#ifndef GMEMCTL_SNP_VERIFY_POOL_H
#define GMEMCTL_SNP_VERIFY_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/types.h>

#include "../../base/error.h"

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

#endif /* GMEMCTL_SNP_VERIFY_POOL_H */
