// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "plan.h"

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
	if (firmware->hash_table_size < SNP_KERNEL_TABLE_SIZE)
		return error_set(error, -EINVAL, firmware->name,
				 "place kernel hashes", "its table has 0x%x bytes, "
				 "and 0x%x are needed: this build cannot check a "
				 "kernel; leave --kernel out, or take another one",
				 firmware->hash_table_size,
				 SNP_KERNEL_TABLE_SIZE);
	if (section->size != SNP_PAGE_SIZE ||
	    firmware->hash_table / SNP_PAGE_SIZE != section->base / SNP_PAGE_SIZE ||
	    firmware->hash_table % SNP_PAGE_SIZE + SNP_KERNEL_TABLE_SIZE >
	    SNP_PAGE_SIZE)
		return image_bad(firmware, "place kernel hashes",
				 "its table is not within the one page that is "
				 "measured for it: this build cannot check a kernel; "
				 "leave --kernel out, or take another one", error);
	return 0;
}

static int image_check(const struct snp_image *image, struct error *error)
{
	if (!image->nr_vcpus || image->nr_vcpus > SNP_VCPUS_MAX)
		return error_set(error, -EINVAL, "vCPUs", "launch",
				 "%u of them; expected 1 to %u", image->nr_vcpus,
				 SNP_VCPUS_MAX);
	if (!(image->features & SNP_FEATURE_ACTIVE))
		return error_set(error, -EINVAL, "guest features", "launch",
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

static void plan_add(struct snp_plan *plan, const char *name,
		     enum snp_page_type type, uint64_t gpa, uint64_t size,
		     const uint8_t *data)
{
	plan->own[plan->nr_runs++] = (struct snp_run){
		name, type, gpa, size, data,
	};
}

static void plan_add_image(struct snp_plan *plan,
			   const struct snp_firmware *firmware)
{
	plan_add(plan, firmware->name, SNP_PAGE_NORMAL,
		 firmware->end - firmware->size, firmware->size,
		 firmware->data);
}

static void plan_add_hashes(struct snp_plan *plan,
			    const struct snp_image *image,
			    const struct snp_section *section)
{
	memset(plan->hashes, 0, sizeof(plan->hashes));
	snp_kernel_hashes_table(image->kernel, plan->hashes +
				image->firmware->hash_table % SNP_PAGE_SIZE);
	plan_add(plan, snp_section_name(section->type), SNP_PAGE_NORMAL,
		 section->base, sizeof(plan->hashes), plan->hashes);
}

static void plan_add_section(struct snp_plan *plan,
			     const struct snp_image *image,
			     const struct snp_section *section)
{
	enum snp_page_type type = SNP_PAGE_ZERO;

	switch (section->type) {
	case SNP_SECTION_KERNEL_HASHES:
		if (!image->kernel)
			break;
		plan_add_hashes(plan, image, section);
		return;
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
	plan_add(plan, snp_section_name(section->type), type, section->base,
		 section->size, NULL);
}

/* In the order of the image; EC2 keeps the CPUID page for last. */
static void plan_add_sections(struct snp_plan *plan,
			      const struct snp_image *image)
{
	const struct snp_firmware *firmware = image_boot(image);
	bool ec2 = !image->svsm && (image->vmm == SNP_VMM_EC2 ||
				    image->vmm == SNP_VMM_EC2_OLD);

	for (unsigned int i = 0; i < firmware->nr_sections; i++)
		if (!ec2 || firmware->sections[i].type != SNP_SECTION_CPUID)
			plan_add_section(plan, image, &firmware->sections[i]);
	for (unsigned int i = 0; ec2 && i < firmware->nr_sections; i++)
		if (firmware->sections[i].type == SNP_SECTION_CPUID)
			plan_add_section(plan, image, &firmware->sections[i]);
}

static int plan_take_igvm(struct snp_plan *plan, const struct snp_igvm *igvm)
{
	plan->runs = igvm->runs;
	plan->nr_runs = igvm->nr_runs;
	plan->nr_images = 0;
	while (plan->nr_images < plan->nr_runs &&
	       plan->runs[plan->nr_images].type != SNP_PAGE_VMSA)
		plan->nr_images++;
	return 0;
}

int snp_plan_build(struct snp_plan *plan, const struct snp_image *image,
		   struct error *error)
{
	int rc;

	if (image->igvm)
		return plan_take_igvm(plan, image->igvm);
	rc = image_check(image, error);
	if (rc)
		return rc;
	plan->runs = plan->own;
	plan->nr_runs = 0;
	plan_add_image(plan, image->firmware);
	if (image->svsm)
		plan_add_image(plan, image->svsm);
	plan->nr_images = plan->nr_runs;
	plan_add_sections(plan, image);
	return 0;
}

uint32_t snp_image_eip(const struct snp_image *image, uint32_t vcpu)
{
	if (image->svsm)
		return (uint32_t)(image->svsm->end - image->svsm->size) +
		       image->svsm->svsm_offset;
	return vcpu ? image->firmware->reset_eip : SNP_RESET_EIP;
}
