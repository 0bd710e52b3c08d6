/* SPDX-License-Identifier: GPL-2.0 */
/* Firmware images made for tests: as little of OVMF as can be launched. */
#ifndef GMEMCTL_TEST_SNP_BUILD_H
#define GMEMCTL_TEST_SNP_BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "../snp/firmware.h"
#include "../snp/measure.h"

/* Where things are, as distances from the end of the image. */
#define BUILD_FOOTER 50
#define BUILD_RESET (BUILD_FOOTER + 22)
#define BUILD_HASHES (BUILD_RESET + 26)
#define BUILD_METADATA_OFFSET (BUILD_HASHES + 22)
#define BUILD_SVSM (BUILD_METADATA_OFFSET + 22)
#define BUILD_METADATA 0x554

#define BUILD_SIZE (2 * 4096)

extern const struct snp_section build_sections[];
#define BUILD_SECTIONS 7

/**
 * build_firmware() - fill an image with a pattern, a table and SEV metadata
 * @size: a multiple of 4096
 * @svsm_entry: for an SVSM, else 0
 *
 * The AP reset vector is 0x80b004, the kernel hashes are at 0x810c00.
 */
void build_firmware(uint8_t *data, size_t size, const struct snp_section *sections, unsigned int nr,
		    uint32_t svsm_entry);

/** build_kernel_hashes() - of a kernel and an initrd that are these texts */
int build_kernel_hashes(struct snp_kernel_hashes *hashes, const char *kernel,
			const char *initrd, const char *cmdline);

#endif /* GMEMCTL_TEST_SNP_BUILD_H */
