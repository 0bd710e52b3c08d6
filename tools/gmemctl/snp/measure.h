/* SPDX-License-Identifier: GPL-2.0 */
/* Predict the launch digest of a VM. */
#ifndef GMEMCTL_SNP_MEASURE_H
#define GMEMCTL_SNP_MEASURE_H

#include "plan.h"

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
