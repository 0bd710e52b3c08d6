/* SPDX-License-Identifier: GPL-2.0 */
/* SHA-384 and SHA-256 by OpenSSL. */
#ifndef GMEMCTL_SNP_HASH_H
#define GMEMCTL_SNP_HASH_H

#include <stddef.h>
#include <stdint.h>

#define SNP_DIGEST_SIZE 48
#define SNP_SHA256_SIZE 32

/**
 * snp_sha384() - digest a buffer
 *
 * Return: 0, or -EIO if OpenSSL could not (it is out of memory, or a FIPS
 * configuration refuses the algorithm).
 */
int snp_sha384(const void *data, size_t size, uint8_t digest[SNP_DIGEST_SIZE]);
int snp_sha256(const void *data, size_t size, uint8_t digest[SNP_SHA256_SIZE]);

#endif /* GMEMCTL_SNP_HASH_H */
