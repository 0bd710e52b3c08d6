/* SPDX-License-Identifier: GPL-2.0 */
/* Predict the launch digest of a VM. */
#ifndef GMEMCTL_SNP_MEASURE_H
#define GMEMCTL_SNP_MEASURE_H

#include "firmware.h"
#include "kernel_hashes.h"
#include "vmm.h"

/**
 * struct snp_image - what is launched, and how
 * @firmware: OVMF
 * @svsm: an SVSM that starts before OVMF, or NULL. It is just below the variable
 *	store, which is just below OVMF; parse it with snp_image_svsm_end().
 * @kernel: hashes for the firmware to check, or NULL
 * @vmm: ignored if there is an SVSM
 * @signature: CPUID leaf 1 EAX of the vCPUs
 * @features: with SNP_FEATURE_ACTIVE
 */
struct snp_image {
	const struct snp_firmware *firmware;
	const struct snp_firmware *svsm;
	const struct snp_kernel_hashes *kernel;
	enum snp_vmm vmm;
	uint32_t nr_vcpus;
	uint32_t signature;
	uint64_t features;
};

#define SNP_VCPUS_MAX 4096

/**
 * struct snp_measurement - the prediction
 * @firmware: digest after the image or images
 * @sections: digest after the metadata sections
 * @digest: digest after the VMSAs: the launch digest
 * @pages: how many pages went into it
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

/** snp_image_svsm_end() - where an SVSM ends, or 0 if there is no place */
uint64_t snp_image_svsm_end(const struct snp_firmware *firmware,
			    uint64_t vars_size);

#endif /* GMEMCTL_SNP_MEASURE_H */
