/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The launch digest. It is a chain of SHA-384 over a PAGE_INFO record for each page of 4 KiB, in
 * the order in which the firmware gets the pages.
 */
#ifndef GMEMCTL_SNP_DIGEST_H
#define GMEMCTL_SNP_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define SNP_DIGEST_SIZE 48
#define SNP_SHA256_SIZE 32

/**
 * snp_sha384() - compute the SHA-384 of a buffer
 *
 * Return: 0, or -EIO if OpenSSL fails: there is no memory, or a FIPS configuration refuses the
 * algorithm.
 */
int snp_sha384(const void *data, size_t size, uint8_t digest[SNP_DIGEST_SIZE]);
/** snp_sha256() - compute the SHA-256 of a buffer; returns as snp_sha384() */
int snp_sha256(const void *data, size_t size, uint8_t digest[SNP_SHA256_SIZE]);

#define SNP_PAGE_SIZE 4096
/* The address of every VMSA in the measurement of KVM's guests */
#define SNP_VMSA_GPA UINT64_C(0xfffffffff000)

/* Page types of SNP_LAUNCH_UPDATE. KVM adds the pages of type VMSA itself. */
enum snp_page_type {
	SNP_PAGE_NORMAL = 1,
	SNP_PAGE_VMSA = 2,
	SNP_PAGE_ZERO = 3,
	SNP_PAGE_UNMEASURED = 4,
	SNP_PAGE_SECRETS = 5,
	SNP_PAGE_CPUID = 6,
};

/**
 * struct snp_digest - a launch digest; initially zero
 * @value: digest of the pages so far
 * @pages: number of these pages
 */
struct snp_digest {
	uint8_t value[SNP_DIGEST_SIZE];
	uint64_t pages;
};

/**
 * snp_digest_page() - add a page
 * @contents: SNP_PAGE_SIZE bytes for SNP_PAGE_NORMAL and SNP_PAGE_VMSA; not read for the other
 *	types, whose contents are not measured
 *
 * Return: 0, or -EIO from OpenSSL.
 */
int snp_digest_page(struct snp_digest *digest, enum snp_page_type type,
		    uint64_t gpa, const void *contents);

/**
 * struct snp_run - contiguous pages of one type
 * @name: name for messages
 * @type: type of the pages
 * @gpa: address of the first page
 * @size: size in bytes, a multiple of the page size
 * @data: @size bytes of contents; NULL: zeros, or contents that are set later. They are measured
 *	only for SNP_PAGE_NORMAL and SNP_PAGE_VMSA.
 */
struct snp_run {
	const char *name;
	enum snp_page_type type;
	uint64_t gpa;
	uint64_t size;
	const uint8_t *data;
};

/** snp_digest_run() - add all pages of a run */
int snp_digest_run(struct snp_digest *digest, const struct snp_run *run);

#endif /* GMEMCTL_SNP_DIGEST_H */
