/* SPDX-License-Identifier: GPL-2.0 */
#ifndef GMEMCTL_TEST_SNP_VECTORS_H
#define GMEMCTL_TEST_SNP_VECTORS_H

#include <stdint.h>

#include "../snp/vmsa.h"

/* Where the APs of OVMF start. */
#define VECTOR_AP_EIP 0x80b004

/**
 * struct vector_vmsa - a VMSA page
 * @sha384: of the page
 */
struct vector_vmsa {
	const char *name;
	enum snp_vmm vmm;
	unsigned int index;
	uint32_t signature;
	uint64_t features;
	const char *sha384;
};

/**
 * struct vector_published - launch digests from the tests of virtee's
 *	sev-snp-measure and of its library sev
 * @fixture: the firmware: the last 4 KiB of a build of OVMF
 * @cmdline: NULL: without a kernel; else kernel and initrd are empty
 * @firmware: digest after the firmware's pages
 * @sections: digest after the sections
 */
struct vector_published {
	const char *name;
	const char *fixture;
	enum snp_vmm vmm;
	uint32_t nr_vcpus;
	uint32_t signature;
	uint64_t features;
	const char *cmdline;
	const char *firmware;
	const char *sections;
	const char *digest;
	uint64_t pages;
};

/**
 * struct vector_debian - launch digests of Debian's OVMF, without a kernel, by
 *	QEMU; sev-snp-measure 0.0.13 has the same
 * @sha256: of the image
 */
struct vector_debian {
	const char *fixture;
	const char *sha256;
	uint32_t nr_vcpus;
	uint32_t signature;
	uint64_t features;
	const char *firmware;
	const char *digest;
	uint64_t pages;
};

#define VECTOR_VMSAS 10
#define VECTOR_PUBLISHED 13
#define VECTOR_DEBIAN 4
#define VECTOR_CHAIN 10

/**
 * vector_tell() - a vector is done: a part of the test
 * @name: what it is a vector of
 * @nr_vcpus: of the guest, or 0
 */
void vector_tell(const char *name, uint32_t nr_vcpus);

extern const struct vector_vmsa vector_vmsas[VECTOR_VMSAS];
extern const struct vector_published vector_published[VECTOR_PUBLISHED];
extern const struct vector_debian vector_debian[VECTOR_DEBIAN];
extern const char *const vector_chain[VECTOR_CHAIN];

#endif /* GMEMCTL_TEST_SNP_VECTORS_H */
