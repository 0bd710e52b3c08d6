/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The page with which firmware checks a kernel that the VMM hands to it: the
 * page is measured, the kernel, initrd and command line are compared with it.
 */
#ifndef GMEMCTL_SNP_KERNEL_HASHES_H
#define GMEMCTL_SNP_KERNEL_HASHES_H

#include "digest.h"

#define SNP_KERNEL_TABLE_SIZE 176

/**
 * struct snp_kernel_hashes - SHA-256 of what is booted
 * @kernel: the whole bzImage file
 * @initrd: the file; of nothing, if there is none
 * @cmdline: the command line with its terminating NUL
 */
struct snp_kernel_hashes {
	uint8_t kernel[SNP_SHA256_SIZE];
	uint8_t initrd[SNP_SHA256_SIZE];
	uint8_t cmdline[SNP_SHA256_SIZE];
};

/**
 * snp_kernel_hashes_init() - no kernel yet, no initrd, and a command line
 * @cmdline: NULL is the same as ""
 */
int snp_kernel_hashes_init(struct snp_kernel_hashes *hashes,
			   const char *cmdline);

/** snp_kernel_hashes_table() - the table, as QEMU builds it */
void snp_kernel_hashes_table(const struct snp_kernel_hashes *hashes,
			     uint8_t table[SNP_KERNEL_TABLE_SIZE]);

#endif /* GMEMCTL_SNP_KERNEL_HASHES_H */
