// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "measure.h"

/* Where sections and the start of the vCPUs come from. */
static const struct snp_firmware *image_boot(const struct snp_image *image)
{
	return image->svsm ? image->svsm : image->firmware;
}

static int image_bad(const struct snp_firmware *firmware, const char *action,
		     const char *hint, struct error *error)
{
	return error_set(error, -EINVAL, firmware->name, action, "%s", hint);
}

uint64_t snp_image_svsm_end(const struct snp_firmware *firmware,
			    uint64_t vars_size)
{
	uint64_t below = SNP_4G - firmware->size;

	return vars_size < below && vars_size % SNP_PAGE_SIZE == 0 ?
	       below - vars_size : 0;
}

static int image_check_kernel(const struct snp_firmware *firmware,
			      struct error *error)
{
	const struct snp_section *section =
		snp_firmware_section(firmware, SNP_SECTION_KERNEL_HASHES);

	if (!section)
		return image_bad(firmware, "place kernel hashes",
				 "firmware metadata has no SNP_KERNEL_HASHES "
				 "section: it cannot check a kernel. Leave "
				 "--kernel out, or take a build that can, such as "
				 "OVMF.amdsev.fd", error);
	if (!firmware->has_hash_table || !firmware->hash_table)
		return image_bad(firmware, "place kernel hashes",
				 "it has a section for them but no table: leave "
				 "--kernel out, or take OVMF.amdsev.fd", error);
	if (section->size != SNP_PAGE_SIZE ||
	    firmware->hash_table / SNP_PAGE_SIZE != section->base / SNP_PAGE_SIZE ||
	    firmware->hash_table % SNP_PAGE_SIZE + SNP_KERNEL_TABLE_SIZE >
	    SNP_PAGE_SIZE)
		return image_bad(firmware, "place kernel hashes",
				 "its table is not within the one page that is "
				 "measured for it: take the image from its package "
				 "again", error);
	return 0;
}

static int image_check(const struct snp_image *image, struct error *error)
{
	if (!image->nr_vcpus || image->nr_vcpus > SNP_VCPUS_MAX)
		return error_set(error, -EINVAL, "vCPUs", "measure",
				 "%u of them; expected 1 to %u", image->nr_vcpus,
				 SNP_VCPUS_MAX);
	if (!(image->features & SNP_FEATURE_ACTIVE))
		return error_set(error, -EINVAL, "guest features", "measure",
				 "0x%llx lacks bit 0, which every SNP guest has",
				 (unsigned long long)image->features);
	if (image->svsm && !image->svsm->has_svsm)
		return image_bad(image->svsm, "find the SVSM's entry",
				 "its table has none: give an SVSM's image", error);
	if (image->svsm && image->kernel)
		return image_bad(image->svsm, "place kernel hashes",
				 "an SVSM does not check a kernel: leave --kernel "
				 "or --svsm out", error);
	if (!image->svsm && image->nr_vcpus > 1 && !image->firmware->has_reset)
		return image_bad(image->firmware, "find the AP reset vector",
				 "its table has none, so that only one vCPU can be "
				 "measured", error);
	if (image->kernel)
		return image_check_kernel(image->firmware, error);
	return 0;
}

static int measure_kernel_hashes(const struct snp_image *image,
				 const struct snp_section *section,
				 struct snp_digest *digest)
{
	uint8_t page[SNP_PAGE_SIZE] = { 0 };

	if (!image->kernel)
		return snp_digest_range(digest, SNP_PAGE_ZERO, section->base,
					section->size);
	snp_kernel_hashes_table(image->kernel, page + image->firmware->hash_table %
				SNP_PAGE_SIZE);
	return snp_digest_page(digest, SNP_PAGE_NORMAL, section->base, page);
}

static int measure_section(const struct snp_image *image,
			   const struct snp_section *section,
			   struct snp_digest *digest)
{
	enum snp_page_type type = SNP_PAGE_ZERO;

	switch (section->type) {
	case SNP_SECTION_KERNEL_HASHES:
		return measure_kernel_hashes(image, section, digest);
	case SNP_SECTION_SECRETS:
		type = SNP_PAGE_SECRETS;
		break;
	case SNP_SECTION_CPUID:
		type = SNP_PAGE_CPUID;
		break;
	case SNP_SECTION_MEMORY:
		if (image->vmm == SNP_VMM_GCE && !image->svsm)
			type = SNP_PAGE_UNMEASURED;
		break;
	}
	return snp_digest_range(digest, type, section->base, section->size);
}

/* In the order of the image; EC2 keeps the CPUID page for last. */
static int measure_sections(const struct snp_image *image,
			    struct snp_digest *digest)
{
	const struct snp_firmware *firmware = image_boot(image);
	bool ec2 = !image->svsm && (image->vmm == SNP_VMM_EC2 ||
				    image->vmm == SNP_VMM_EC2_OLD);
	int rc = 0;

	for (unsigned int i = 0; i < firmware->nr_sections && !rc; i++)
		if (!ec2 || firmware->sections[i].type != SNP_SECTION_CPUID)
			rc = measure_section(image, &firmware->sections[i],
					     digest);
	for (unsigned int i = 0; ec2 && i < firmware->nr_sections && !rc; i++)
		if (firmware->sections[i].type == SNP_SECTION_CPUID)
			rc = measure_section(image, &firmware->sections[i],
					     digest);
	return rc;
}

static int measure_firmware(const struct snp_image *image,
			    struct snp_digest *digest)
{
	int rc = snp_digest_normal(digest, SNP_4G - image->firmware->size,
				   image->firmware->data, image->firmware->size);

	if (rc || !image->svsm)
		return rc;
	return snp_digest_normal(digest, image->svsm->end - image->svsm->size,
				 image->svsm->data, image->svsm->size);
}

static uint32_t image_eip(const struct snp_image *image, uint32_t vcpu)
{
	if (image->svsm)
		return (uint32_t)(image->svsm->end - image->svsm->size) +
		       image->svsm->svsm_offset;
	return vcpu ? image->firmware->reset_eip : SNP_RESET_EIP;
}

static int measure_vcpus(const struct snp_image *image,
			 struct snp_digest *digest)
{
	enum snp_vmm vmm = image->svsm ? SNP_VMM_SVSM : image->vmm;
	struct snp_vmsa vmsa;
	int rc = 0;

	for (uint32_t i = 0; i < image->nr_vcpus && !rc; i++) {
		snp_vmm_vmsa(&vmsa, vmm, i, image_eip(image, i),
			     image->signature, image->features);
		rc = snp_digest_page(digest, SNP_PAGE_VMSA, SNP_VMSA_GPA, &vmsa);
	}
	return rc;
}

int snp_measure(const struct snp_image *image,
		struct snp_measurement *measurement, struct error *error)
{
	struct snp_digest digest;
	int rc;

	rc = image_check(image, error);
	if (rc)
		return rc;
	snp_digest_init(&digest);
	rc = measure_firmware(image, &digest);
	memcpy(measurement->firmware, digest.value, sizeof(digest.value));
	if (!rc)
		rc = measure_sections(image, &digest);
	memcpy(measurement->sections, digest.value, sizeof(digest.value));
	if (!rc)
		rc = measure_vcpus(image, &digest);
	memcpy(measurement->digest, digest.value, sizeof(digest.value));
	measurement->pages = digest.pages;
	return rc ? error_set(error, rc, "OpenSSL", "SHA-384", NULL) : 0;
}
