/* SPDX-License-Identifier: GPL-2.0 */
/* The guest policy, which the firmware enforces for the life of a guest. */
#ifndef GMEMCTL_SNP_POLICY_H
#define GMEMCTL_SNP_POLICY_H

#include <stddef.h>
#include <stdint.h>

#define SNP_POLICY_ABI_MINOR 0xffULL
#define SNP_POLICY_ABI_MAJOR 0xff00ULL
#define SNP_POLICY_SMT (1ULL << 16)
#define SNP_POLICY_RESERVED_ONE (1ULL << 17)
#define SNP_POLICY_MIGRATE_MA (1ULL << 18)
#define SNP_POLICY_DEBUG (1ULL << 19)
#define SNP_POLICY_SINGLE_SOCKET (1ULL << 20)
/* Bits that a version of the firmware has given a meaning; bit 17 is always set. */
#define SNP_POLICY_KNOWN ((1ULL << 26) - 1)

/* What a guest is launched with unless something else is asked for. */
#define SNP_POLICY_DEFAULT (SNP_POLICY_SMT | SNP_POLICY_RESERVED_ONE)

/**
 * snp_policy_format() - in words: the ABI version asked for and what is allowed
 *
 * Return: @text.
 */
char *snp_policy_format(uint64_t policy, char *text, size_t size);

#endif /* GMEMCTL_SNP_POLICY_H */
