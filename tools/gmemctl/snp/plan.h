/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a launch puts into guest memory before the vCPUs, in which order: the
 * digest is computed from it, and pages are added to the guest from it.
 */
#ifndef GMEMCTL_SNP_PLAN_H
#define GMEMCTL_SNP_PLAN_H

#include <stdint.h>

#include "firmware.h"
#include "igvm.h"
#include "kernel_hashes.h"
#include "run.h"
#include "vmm.h"

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
int snp_plan_build(struct snp_plan *plan, const struct snp_image *image,
		   struct error *error);

/** snp_image_svsm_end() - where an SVSM ends, or 0 if there is no place */
uint64_t snp_image_svsm_end(const struct snp_firmware *firmware,
			    uint64_t vars_size);

/** snp_image_eip() - where a vCPU starts; @vcpu 0 is the first one */
uint32_t snp_image_eip(const struct snp_image *image, uint32_t vcpu);

#endif /* GMEMCTL_SNP_PLAN_H */
