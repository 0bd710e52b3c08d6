/* SPDX-License-Identifier: GPL-2.0 */
/* IGVM files made for tests, header by header. igvm_vectors.py makes the same. */
#ifndef GMEMCTL_TEST_IGVM_BUILD_H
#define GMEMCTL_TEST_IGVM_BUILD_H

#include <stddef.h>
#include <stdint.h>

#define IGVM_DATA 0x2000	/* where the data of a file begins */
#define IGVM_PAGES 16		/* pages of data that have room */
#define IGVM_SIZE_MAX (IGVM_DATA + IGVM_PAGES * 4096)

/* Compatibility masks */
#define IGVM_SNP 1
#define IGVM_NATIVE 2
#define IGVM_TDX 4

#define IGVM_VMSA_GPA UINT64_C(0xfffffffff000)

/**
 * struct igvm_build - a file in the making
 * @version: 1 or 2; its fixed header has another length
 * @headers: bytes of variable headers so far
 * @pages: of data so far
 */
struct igvm_build {
	unsigned int version;
	size_t headers;
	unsigned int pages;
	uint8_t file[IGVM_SIZE_MAX];
};

void igvm_build_start(struct igvm_build *build, unsigned int version);

/** igvm_build_header() - a variable header with any body */
void igvm_build_header(struct igvm_build *build, uint32_t type, const void *body, size_t size);

/** igvm_build_store() - a page of data. Return: its offset. */
uint32_t igvm_build_store(struct igvm_build *build, const uint8_t page[4096]);

void igvm_build_platform(struct igvm_build *build, uint32_t mask, uint8_t vtl, uint8_t platform);
void igvm_build_policy(struct igvm_build *build, uint64_t policy);

/** igvm_build_page() - @seed 0: of zeros that are not in the file */
void igvm_build_page(struct igvm_build *build, uint64_t gpa, unsigned int seed,
		     uint16_t type, uint32_t flags, uint32_t mask);
void igvm_build_area(struct igvm_build *build, uint32_t index, uint64_t size, unsigned int seed);
void igvm_build_parameter(struct igvm_build *build, uint32_t type, uint32_t index, uint32_t offset);
void igvm_build_insert(struct igvm_build *build, uint64_t gpa, uint32_t index);
void igvm_build_vcpu(struct igvm_build *build, uint16_t index,
		     const uint8_t vmsa[4096], uint64_t gpa);

/** igvm_build_vmsa() - a vCPU in protected mode, as an SVSM starts */
void igvm_build_vmsa(uint8_t vmsa[4096], uint64_t rip);

/**
 * igvm_build_id_block() - an ID block in the form of the file
 * @auth: a struct snp_id_auth that signs @block, or NULL with @block NULL: zeros
 */
void igvm_build_id_block(struct igvm_build *build, const void *block, const void *auth);

/** igvm_build_finish() - fixed header and checksum. Return: the file's size. */
size_t igvm_build_finish(struct igvm_build *build);

/** igvm_build_checksum() - once more, after a change to a file */
void igvm_build_checksum(uint8_t *file);

/* The files of igvm_vectors.py. Return: the size. */
size_t igvm_build_svsm(struct igvm_build *build);
size_t igvm_build_order(struct igvm_build *build);
size_t igvm_build_version_2(struct igvm_build *build);

#endif /* GMEMCTL_TEST_IGVM_BUILD_H */
