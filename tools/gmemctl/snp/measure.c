// SPDX-License-Identifier: GPL-2.0
/* The pages that are measured, their order, and the resulting digest. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "measure.h"

#define HEADER_SIZE (GUID_SIZE + 2)
#define ENTRY_SIZE (GUID_SIZE + 2 + SNP_SHA256_SIZE)
#define ENTRIES 3

_Static_assert(HEADER_SIZE + ENTRIES * ENTRY_SIZE + 8 == SNP_KERNEL_TABLE_SIZE,
	       "the table is padded to a multiple of 16");

static const struct guid guid_table =
	GUID(0x9438d606, 0x4f22, 0x4cc9, 0xb4, 0x79, 0xa7, 0x93, 0xd4, 0x11, 0xfd, 0x21);
static const struct guid guid_cmdline =
	GUID(0x97d02dd8, 0xbd20, 0x4c94, 0xaa, 0x78, 0xe7, 0x71, 0x4d, 0x36, 0xab, 0x2a);
static const struct guid guid_initrd =
	GUID(0x44baf731, 0x3a2f, 0x4bd7, 0x9a, 0xf1, 0x41, 0xe2, 0x91, 0x69, 0x78, 0x1d);
static const struct guid guid_kernel =
	GUID(0x4de79437, 0xabd2, 0x427f, 0xb8, 0x35, 0xd5, 0xb1, 0x72, 0xd2, 0x04, 0x5b);

int snp_kernel_hashes_init(struct snp_kernel_hashes *hashes, const char *cmdline)
{
	int rc;

	if (!cmdline)
		cmdline = "";
	rc = snp_sha256("", 0, hashes->kernel);
	if (!rc)
		rc = snp_sha256("", 0, hashes->initrd);
	if (!rc)
		rc = snp_sha256(cmdline, strlen(cmdline) + 1, hashes->cmdline);
	return rc;
}

static uint8_t *table_put(uint8_t *at, const struct guid *guid, uint16_t length)
{
	memcpy(at, guid->bytes, GUID_SIZE);
	bytes_put16(at + GUID_SIZE, length);
	return at + HEADER_SIZE;
}

void snp_kernel_hashes_table(const struct snp_kernel_hashes *hashes,
			     uint8_t table[SNP_KERNEL_TABLE_SIZE])
{
	const struct {
		const struct guid *guid;
		const uint8_t *hash;
	} entries[ENTRIES] = {
		{ &guid_cmdline, hashes->cmdline }, { &guid_initrd, hashes->initrd },
		{ &guid_kernel, hashes->kernel },
	};
	uint8_t *at;

	memset(table, 0, SNP_KERNEL_TABLE_SIZE);
	at = table_put(table, &guid_table, HEADER_SIZE + ENTRIES * ENTRY_SIZE);
	for (int i = 0; i < ENTRIES; i++) {
		at = table_put(at, entries[i].guid, ENTRY_SIZE);
		memcpy(at, entries[i].hash, SNP_SHA256_SIZE);
		at += SNP_SHA256_SIZE;
	}
}

uint64_t snp_image_svsm_end(const struct snp_firmware *firmware, uint64_t vars_size)
{
	uint64_t below = SNP_4G - firmware->size;

	return vars_size < below && vars_size % SNP_PAGE_SIZE == 0 ? below - vars_size : 0;
}

static int image_check_kernel(const struct snp_firmware *firmware, struct error *error)
{
	const struct snp_section *section =
		snp_firmware_section(firmware, SNP_SECTION_KERNEL_HASHES);

	if (!section)
		return error_set(error, -EINVAL, firmware->name, "place kernel hashes",
				 "firmware metadata has no SNP_KERNEL_HASHES section: it "
				 "cannot check a kernel. Leave --kernel out, or take a build "
				 "that can, such as OVMF.amdsev.fd");
	if (!firmware->has_hash_table || !firmware->hash_table)
		return error_set(error, -EINVAL, firmware->name, "place kernel hashes",
				 "it has a section for them but no table: leave --kernel out, "
				 "or take OVMF.amdsev.fd");
	if (firmware->hash_table_size < SNP_KERNEL_TABLE_SIZE)
		return error_set(error, -EINVAL, firmware->name, "place kernel hashes", "its table "
				 "has 0x%x bytes, and 0x%x are needed: this build cannot check a "
				 "kernel; leave --kernel out, or take another one",
				 firmware->hash_table_size, SNP_KERNEL_TABLE_SIZE);
	if (section->size != SNP_PAGE_SIZE ||
	    firmware->hash_table / SNP_PAGE_SIZE != section->base / SNP_PAGE_SIZE ||
	    firmware->hash_table % SNP_PAGE_SIZE + SNP_KERNEL_TABLE_SIZE > SNP_PAGE_SIZE)
		return error_set(error, -EINVAL, firmware->name, "place kernel hashes", "its table "
				 "is not within the one page that is measured for it: this build "
				 "cannot check a kernel; leave --kernel out, or take another one");
	return 0;
}

static int image_check(const struct snp_image *image, struct error *error)
{
	if (!image->nr_vcpus || image->nr_vcpus > SNP_VCPUS_MAX)
		return error_set(error, -EINVAL, "vCPUs", "launch", "%u of them; expected 1 to %u",
				 image->nr_vcpus, SNP_VCPUS_MAX);
	if (!(image->features & SNP_FEATURE_ACTIVE))
		return error_set(error, -EINVAL, "guest features", "launch",
				 "bit 0, which every SNP guest has, is clear in 0x%llx",
				 (unsigned long long)image->features);
	if (image->svsm && !image->svsm->has_svsm)
		return error_set(error, -EINVAL, image->svsm->name, "find the SVSM's entry",
				 "its table has none: give an SVSM's image");
	if (image->svsm && image->kernel)
		return error_set(error, -EINVAL, image->svsm->name, "place kernel hashes",
				 "an SVSM does not check a kernel: leave --kernel or --svsm out");
	if (!image->svsm && image->nr_vcpus > 1 && !image->firmware->has_reset)
		return error_set(error, -EINVAL, image->firmware->name, "find the AP reset vector",
				 "its table has none, so that only one vCPU can be measured");
	if (image->kernel)
		return image_check_kernel(image->firmware, error);
	return 0;
}

static void plan_add(struct snp_plan *plan, const char *name, enum snp_page_type type, uint64_t gpa,
		     uint64_t size, const uint8_t *data)
{
	plan->own[plan->nr_runs++] = (struct snp_run){
		name, type, gpa, size, data,
	};
}

static void plan_add_image(struct snp_plan *plan, const struct snp_firmware *firmware)
{
	plan_add(plan, firmware->name, SNP_PAGE_NORMAL, firmware->end - firmware->size,
		 firmware->size, firmware->data);
}

static void plan_add_section(struct snp_plan *plan, const struct snp_image *image,
			     const struct snp_section *section)
{
	enum snp_page_type type = SNP_PAGE_ZERO;
	const uint8_t *data = NULL;

	switch (section->type) {
	case SNP_SECTION_KERNEL_HASHES:
		if (!image->kernel)
			break;
		memset(plan->hashes, 0, sizeof(plan->hashes));
		snp_kernel_hashes_table(image->kernel, plan->hashes +
					image->firmware->hash_table % SNP_PAGE_SIZE);
		type = SNP_PAGE_NORMAL;
		data = plan->hashes;
		break;
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
	/* The hashes are one page, whatever the size of the section. */
	plan_add(plan, snp_section_name(section->type), type, section->base,
		 data ? sizeof(plan->hashes) : section->size, data);
}

/* Add the sections in the order of the image; EC2 adds the CPUID page last. */
static void plan_add_sections(struct snp_plan *plan, const struct snp_image *image)
{
	const struct snp_firmware *firmware = image->svsm ? image->svsm : image->firmware;
	bool ec2 = !image->svsm && (image->vmm == SNP_VMM_EC2 || image->vmm == SNP_VMM_EC2_OLD);

	for (unsigned int i = 0; i < firmware->nr_sections; i++)
		if (!ec2 || firmware->sections[i].type != SNP_SECTION_CPUID)
			plan_add_section(plan, image, &firmware->sections[i]);
	for (unsigned int i = 0; ec2 && i < firmware->nr_sections; i++)
		if (firmware->sections[i].type == SNP_SECTION_CPUID)
			plan_add_section(plan, image, &firmware->sections[i]);
}

int snp_plan_build(struct snp_plan *plan, const struct snp_image *image, struct error *error)
{
	int rc;

	if (image->igvm) {
		plan->runs = image->igvm->runs;
		plan->nr_runs = image->igvm->nr_runs;
		plan->nr_images = 0;
		while (plan->nr_images < plan->nr_runs &&
		       plan->runs[plan->nr_images].type != SNP_PAGE_VMSA)
			plan->nr_images++;
		return 0;
	}
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
		return (uint32_t)(image->svsm->end - image->svsm->size) + image->svsm->svsm_offset;
	return vcpu ? image->firmware->reset_eip : SNP_RESET_EIP;
}

static int measure_runs(const struct snp_plan *plan, unsigned int first,
			unsigned int end, struct snp_digest *digest)
{
	int rc = 0;

	for (unsigned int i = first; i < end && !rc; i++)
		rc = snp_digest_run(digest, &plan->runs[i]);
	return rc;
}

static int measure_vcpus(const struct snp_image *image, struct snp_digest *digest)
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
	struct snp_digest digest = { 0 };
	unsigned int first = 0;
	int rc;

	/* The first run is the firmware, whose digest is known. */
	if (image->firmware_digest && !image->igvm) {
		memcpy(digest.value, image->firmware_digest, SNP_DIGEST_SIZE);
		first = 1;
	}
	rc = measure_runs(plan, first, plan->nr_images, &digest);
	memcpy(measurement->firmware, digest.value, sizeof(digest.value));
	if (!rc)
		rc = measure_runs(plan, plan->nr_images, plan->nr_runs, &digest);
	memcpy(measurement->sections, digest.value, sizeof(digest.value));
	/* The runs of an IGVM file include its VMSAs. */
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
