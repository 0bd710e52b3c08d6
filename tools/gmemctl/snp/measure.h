/* SPDX-License-Identifier: GPL-2.0 */
/* Predict the launch digest of a VM. */
#ifndef GMEMCTL_SNP_MEASURE_H
#define GMEMCTL_SNP_MEASURE_H

#include <stdint.h>

#include "digest.h"
#include "firmware.h"
#include "igvm.h"
#include "vmsa.h"

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
int snp_kernel_hashes_init(struct snp_kernel_hashes *hashes, const char *cmdline);

/** snp_kernel_hashes_table() - the table, as QEMU builds it */
void snp_kernel_hashes_table(const struct snp_kernel_hashes *hashes,
			     uint8_t table[SNP_KERNEL_TABLE_SIZE]);

/**
 * struct snp_image - what is launched, and how
 * @igvm: an IGVM file, which says all by itself: the other members do not count, but
 *	@vmm for a launch, and @nr_vcpus and @features, which are its own; or NULL
 * @firmware: OVMF
 * @firmware_digest: the digest after @firmware, which is not looked at for more
 *	than its metadata then; or NULL: its pages are measured
 * @svsm: an SVSM that starts before OVMF, or NULL. It is just below the variable
 *	store, which is just below OVMF; parse it with snp_image_svsm_end().
 * @kernel: hashes for the firmware to check, or NULL
 * @vmm: ignored if there is an SVSM
 * @signature: CPUID leaf 1 EAX of the vCPUs
 * @features: with SNP_FEATURE_ACTIVE
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
 * struct snp_plan - all of them, in the order in which they are measured
 * @runs: @own, or those of an IGVM file, which also has the VMSAs
 * @nr_images: the first runs, of the firmware images; metadata sections follow. Of
 *	an IGVM file, those before the first VMSA.
 * @own: the runs of OVMF
 * @hashes: the page of kernel hashes, which a run points to
 */
struct snp_plan {
	const struct snp_run *runs;
	unsigned int nr_runs;
	unsigned int nr_images;
	struct snp_run own[SNP_RUNS_MAX];
	uint8_t hashes[SNP_PAGE_SIZE];
};

/**
 * snp_plan_build() - find out what is to be added
 * @plan: points into @image and itself: it must not be copied or moved
 *
 * Return: 0; -EINVAL for an image that cannot be launched like that.
 */
int snp_plan_build(struct snp_plan *plan, const struct snp_image *image, struct error *error);

/** snp_image_svsm_end() - where an SVSM ends, or 0 if there is no place */
uint64_t snp_image_svsm_end(const struct snp_firmware *firmware, uint64_t vars_size);

/** snp_image_eip() - where a vCPU starts; @vcpu 0 is the first one */
uint32_t snp_image_eip(const struct snp_image *image, uint32_t vcpu);

/**
 * struct snp_measurement - the prediction
 * @firmware: digest after the image or images; of an IGVM file, before its VMSAs
 * @sections: digest after the metadata sections
 * @digest: digest after the VMSAs: the launch digest
 * @pages: how many pages were measured
 */
struct snp_measurement {
	uint8_t firmware[SNP_DIGEST_SIZE];
	uint8_t sections[SNP_DIGEST_SIZE];
	uint8_t digest[SNP_DIGEST_SIZE];
	uint64_t pages;
};

/**
 * snp_measure() - predict
 *
 * Return: 0; -EINVAL for an image that cannot be launched like that; -EIO from
 * OpenSSL.
 */
int snp_measure(const struct snp_image *image,
		struct snp_measurement *measurement, struct error *error);

/** snp_plan_measure() - the same for a plan that was built from @image */
int snp_plan_measure(const struct snp_plan *plan, const struct snp_image *image,
		     struct snp_measurement *measurement, struct error *error);

#endif /* GMEMCTL_SNP_MEASURE_H */
