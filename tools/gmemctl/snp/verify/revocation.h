/* SPDX-License-Identifier: GPL-2.0 */
/* Lists of certificates that AMD has taken back (CRL). */
#ifndef GMEMCTL_SNP_VERIFY_REVOCATION_H
#define GMEMCTL_SNP_VERIFY_REVOCATION_H

#include "path.h"

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

#endif /* GMEMCTL_SNP_VERIFY_REVOCATION_H */
