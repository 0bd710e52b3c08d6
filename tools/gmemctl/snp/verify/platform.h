/* SPDX-License-Identifier: GPL-2.0 */
/* PLATFORM_INFO of a report: how the BIOS has set up the machine. */
#ifndef GMEMCTL_SNP_VERIFY_PLATFORM_H
#define GMEMCTL_SNP_VERIFY_PLATFORM_H

#include <stddef.h>
#include <stdint.h>

/**
 * snp_platform_format() - bits by name, as snp_platform_parse() reads them
 *
 * A bit that has no name yet is shown as "bit-N".
 *
 * Return: @text.
 */
char *snp_platform_format(uint64_t bits, char *text, size_t size);

/**
 * snp_platform_parse() - "ecc,alias-check"
 *
 * A bit without a name is given as it is shown.
 *
 * Return: 0, or -EINVAL for a name that is not known.
 */
int snp_platform_parse(const char *text, uint64_t *bits);

#endif /* GMEMCTL_SNP_VERIFY_PLATFORM_H */
