/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The launch digest: a chain of SHA-384 over one PAGE_INFO record for each
 * 4 KiB page, in the order in which the pages are given to the firmware.
 */
#ifndef GMEMCTL_SNP_DIGEST_H
#define GMEMCTL_SNP_DIGEST_H

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

#define SNP_PAGE_SIZE 4096
/* Where the firmware says that every VMSA is. */
#define SNP_VMSA_GPA UINT64_C(0xfffffffff000)

/* Page types of SNP_LAUNCH_UPDATE; KVM adds the VMSAs itself. */
enum snp_page_type {
	SNP_PAGE_NORMAL = 1,
	SNP_PAGE_VMSA = 2,
	SNP_PAGE_ZERO = 3,
	SNP_PAGE_UNMEASURED = 4,
	SNP_PAGE_SECRETS = 5,
	SNP_PAGE_CPUID = 6,
};

/**
 * struct snp_digest - a launch digest in the making; all zero is that of nothing
 * @value: the digest of all pages so far
 * @pages: how many those are
 */
struct snp_digest {
	uint8_t value[SNP_DIGEST_SIZE];
	uint64_t pages;
};

/**
 * snp_digest_page() - add one page
 * @contents: SNP_PAGE_SIZE bytes for SNP_PAGE_NORMAL and SNP_PAGE_VMSA; the
 *	contents of the other types are not measured, and not looked at
 *
 * Return: 0 or -EIO from OpenSSL.
 */
int snp_digest_page(struct snp_digest *digest, enum snp_page_type type,
		    uint64_t gpa, const void *contents);

/**
 * struct snp_run - pages of one type
 * @name: what it is, for messages
 * @gpa: of the first page
 * @size: bytes, whole pages
 * @data: @size bytes; NULL: zeros, or their contents are not known yet. Only those of
 *	SNP_PAGE_NORMAL and SNP_PAGE_VMSA are measured.
 */
struct snp_run {
	const char *name;
	enum snp_page_type type;
	uint64_t gpa;
	uint64_t size;
	const uint8_t *data;
};

/** snp_digest_run() - add all of its pages */
int snp_digest_run(struct snp_digest *digest, const struct snp_run *run);

#endif /* GMEMCTL_SNP_DIGEST_H */
