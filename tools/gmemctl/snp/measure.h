/* SPDX-License-Identifier: GPL-2.0 */
/* Predicts the launch digest of a VM. */
#ifndef GMEMCTL_SNP_MEASURE_H
#define GMEMCTL_SNP_MEASURE_H

#include <stdint.h>

#include "digest.h"
#include "firmware.h"
#include "igvm.h"
#include "vmsa.h"

#define SNP_KERNEL_TABLE_SIZE 176

/**
 * struct snp_kernel_hashes - SHA-256 of the kernel and its files
 * @kernel: hash of the bzImage file
 * @initrd: hash of the initrd, or of no bytes if there is none
 * @cmdline: hash of the command line, with its terminating NUL
 */
struct snp_kernel_hashes {
	uint8_t kernel[SNP_SHA256_SIZE];
	uint8_t initrd[SNP_SHA256_SIZE];
	uint8_t cmdline[SNP_SHA256_SIZE];
};

/**
 * snp_kernel_hashes_init() - initialise the hashes for no kernel, no initrd, and a command line
 * @cmdline: the command line; NULL means ""
 */
int snp_kernel_hashes_init(struct snp_kernel_hashes *hashes, const char *cmdline);

/** snp_kernel_hashes_table() - build the table of hashes, as QEMU does */
void snp_kernel_hashes_table(const struct snp_kernel_hashes *hashes,
			     uint8_t table[SNP_KERNEL_TABLE_SIZE]);

/**
 * struct snp_image - what is launched
 * @igvm: an IGVM file, or NULL. With one, the other members are ignored, except for @vmm in a
 *	launch, and for @nr_vcpus and @features, which are those of the file.
 * @firmware: OVMF
 * @firmware_digest: the digest after @firmware, of which then only the metadata are used; NULL:
 *	measure its pages
 * @svsm: an SVSM that starts before OVMF, or NULL. It is just below the variable
 *	store, which is just below OVMF; snp_image_svsm_end() returns its end.
 * @kernel: hashes that the firmware checks, or NULL
 * @vmm: the VMM; ignored if there is an SVSM
 * @nr_vcpus: number of vCPUs
 * @signature: CPUID leaf 1 EAX of the vCPUs
 * @features: guest features, with SNP_FEATURE_ACTIVE
 */
struct snp_image {
	const struct snp_igvm *igvm;
	const struct snp_firmware *firmware;
	const uint8_t *firmware_digest;
	const struct snp_firmware *svsm;
	const struct snp_kernel_hashes *kernel;
	enum snp_vmm vmm;
	uint32_t nr_vcpus;
	uint32_t signature;
	uint64_t features;
};

#define SNP_VCPUS_MAX 4096
#define SNP_RUNS_MAX (2 + SNP_SECTIONS_MAX)

/**
 * struct snp_plan - all pages, in the order in which they are measured
 * @runs: @own, or the runs of an IGVM file, VMSAs included
 * @nr_runs: number of runs
 * @nr_images: number of runs of firmware images, which are the first ones; metadata sections
 *	follow. For an IGVM file: number of runs before the first VMSA.
 * @own: runs of OVMF and an SVSM
 * @hashes: the page of kernel hashes, to which a run points
 */
struct snp_plan {
	const struct snp_run *runs;
	unsigned int nr_runs;
	unsigned int nr_images;
	struct snp_run own[SNP_RUNS_MAX];
	uint8_t hashes[SNP_PAGE_SIZE];
};

/**
 * snp_plan_build() - list the pages of an image
 * @plan: out: the plan. It points to @image and to itself, so it must not be copied or moved.
 *
 * Return: 0; -EINVAL for an image that cannot be launched with this configuration.
 */
int snp_plan_build(struct snp_plan *plan, const struct snp_image *image, struct error *error);

/** snp_image_svsm_end() - address of the end of an SVSM; 0: there is no space for it */
uint64_t snp_image_svsm_end(const struct snp_firmware *firmware, uint64_t vars_size);

/** snp_image_eip() - address at which a vCPU starts; @vcpu 0 is the first one */
uint32_t snp_image_eip(const struct snp_image *image, uint32_t vcpu);

/**
 * struct snp_measurement - a prediction
 * @firmware: digest after the images; for an IGVM file, before its VMSAs
 * @sections: digest after the metadata sections
 * @digest: digest after the VMSAs, which is the launch digest
 * @pages: number of measured pages
 */
struct snp_measurement {
	uint8_t firmware[SNP_DIGEST_SIZE];
	uint8_t sections[SNP_DIGEST_SIZE];
	uint8_t digest[SNP_DIGEST_SIZE];
	uint64_t pages;
};

/**
 * snp_measure() - predict the launch digest of an image
 *
 * Return: 0; -EINVAL as snp_plan_build(); -EIO from OpenSSL.
 */
int snp_measure(const struct snp_image *image,
		struct snp_measurement *measurement, struct error *error);

/** snp_plan_measure() - predict the launch digest of a plan that was built from @image */
int snp_plan_measure(const struct snp_plan *plan, const struct snp_image *image,
		     struct snp_measurement *measurement, struct error *error);

#endif /* GMEMCTL_SNP_MEASURE_H */
