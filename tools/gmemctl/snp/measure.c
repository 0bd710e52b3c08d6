// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

static int measure_zeros(const struct snp_run *run, struct snp_digest *digest)
{
	static const uint8_t zeros[SNP_PAGE_SIZE];
	int rc = 0;

	for (uint64_t at = 0; at < run->size && !rc; at += SNP_PAGE_SIZE)
		rc = snp_digest_page(digest, SNP_PAGE_NORMAL, run->gpa + at,
				     zeros);
	return rc;
}

static int measure_run(const struct snp_run *run, struct snp_digest *digest)
{
	if (run->type == SNP_PAGE_VMSA)
		return snp_digest_page(digest, run->type, run->gpa, run->data);
	if (run->type != SNP_PAGE_NORMAL)
		return snp_digest_range(digest, run->type, run->gpa, run->size);
	if (!run->data)
		return measure_zeros(run, digest);
	return snp_digest_normal(digest, run->gpa, run->data, run->size);
}

static int measure_runs(const struct snp_plan *plan, unsigned int first,
			unsigned int end, struct snp_digest *digest)
{
	int rc = 0;

	for (unsigned int i = first; i < end && !rc; i++)
		rc = measure_run(&plan->runs[i], digest);
	return rc;
}

static int measure_vcpus(const struct snp_image *image,
			 struct snp_digest *digest)
{
	enum snp_vmm vmm = image->svsm ? SNP_VMM_SVSM : image->vmm;
	struct snp_vmsa vmsa;
	int rc = 0;

	for (uint32_t i = 0; i < image->nr_vcpus && !rc; i++) {
		snp_vmm_vmsa(&vmsa, vmm, i, snp_image_eip(image, i),
			     image->signature, image->features);
		rc = snp_digest_page(digest, SNP_PAGE_VMSA, SNP_VMSA_GPA, &vmsa);
	}
	return rc;
}

int snp_plan_measure(const struct snp_plan *plan, const struct snp_image *image,
		     struct snp_measurement *measurement, struct error *error)
{
	unsigned int first = 0;
	struct snp_digest digest;
	int rc;

	snp_digest_init(&digest);
	/* The first run is the firmware's. */
	if (image->firmware_digest && !image->igvm) {
		memcpy(digest.value, image->firmware_digest, SNP_DIGEST_SIZE);
		first = 1;
	}
	rc = measure_runs(plan, first, plan->nr_images, &digest);
	memcpy(measurement->firmware, digest.value, sizeof(digest.value));
	if (!rc)
		rc = measure_runs(plan, plan->nr_images, plan->nr_runs, &digest);
	memcpy(measurement->sections, digest.value, sizeof(digest.value));
	/* Those of an IGVM file are among its runs. */
	if (!rc && !image->igvm)
		rc = measure_vcpus(image, &digest);
	memcpy(measurement->digest, digest.value, sizeof(digest.value));
	measurement->pages = digest.pages;
	return rc ? error_set(error, rc, "OpenSSL", "SHA-384", NULL) : 0;
}

int snp_measure(const struct snp_image *image,
		struct snp_measurement *measurement, struct error *error)
{
	struct snp_plan *plan = malloc(sizeof(*plan));
	int rc;

	if (!plan)
		return error_set(error, -ENOMEM, "image", "measure", NULL);
	rc = snp_plan_build(plan, image, error);
	if (!rc)
		rc = snp_plan_measure(plan, image, measurement, error);
	free(plan);
	return rc;
}
