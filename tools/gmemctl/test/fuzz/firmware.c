// SPDX-License-Identifier: GPL-2.0
/* Firmware images: what is taken can be measured, and only with sane sections. */
#include <string.h>

#include "../../snp/measure.h"
#include "../snp_build.h"
#include "fuzz.h"

/* Hashing more than this for one input would make fuzzing slow. */
#define PAGES_MAX 64

static uint64_t check_sections(const struct snp_firmware *firmware)
{
	uint64_t pages = firmware->size / SNP_PAGE_SIZE;
	unsigned int seen[SNP_SECTION_KERNEL_HASHES + 1] = { 0 };

	FUZZ_ASSERT(firmware->nr_sections);
	FUZZ_ASSERT(firmware->nr_sections <= SNP_SECTIONS_MAX);
	for (unsigned int i = 0; i < firmware->nr_sections; i++) {
		const struct snp_section *section = &firmware->sections[i];

		FUZZ_ASSERT(section->size);
		FUZZ_ASSERT(section->base + (uint64_t)section->size <=
			    firmware->end - firmware->size);
		FUZZ_ASSERT(snp_section_name(section->type));
		pages += section->size / SNP_PAGE_SIZE;
		seen[section->type]++;
	}
	FUZZ_ASSERT(seen[SNP_SECTION_SECRETS] <= 1);
	FUZZ_ASSERT(seen[SNP_SECTION_CPUID] <= 1);
	FUZZ_ASSERT(seen[SNP_SECTION_KERNEL_HASHES] <= 1);
	return pages;
}

static void measure(const struct snp_firmware *firmware)
{
	struct snp_kernel_hashes hashes = { { 1 }, { 2 }, { 3 } };
	struct snp_measurement measurement;
	struct snp_image image = {
		.firmware = firmware, .nr_vcpus = 2, .features = 1,
	};
	struct error error;

	for (int vmm = 0; vmm < SNP_VMM_SVSM; vmm++) {
		image.vmm = (enum snp_vmm)vmm;
		snp_measure(&image, &measurement, &error);
	}
	image.kernel = &hashes;
	snp_measure(&image, &measurement, &error);
	image.kernel = NULL;
	image.svsm = firmware;
	snp_measure(&image, &measurement, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snp_firmware firmware;
	struct error error = { 0 };
	int rc;

	rc = snp_firmware_parse(&firmware, "fuzz", data, size, SNP_4G, &error);
	FUZZ_ASSERT(rc == error.rc);
	FUZZ_ASSERT(!rc || error.hint[0]);
	if (!rc && check_sections(&firmware) <= PAGES_MAX)
		measure(&firmware);
	return 0;
}

size_t fuzz_seed(unsigned int index, uint8_t *data)
{
	size_t size = index == 1 ? 2 * SNP_PAGE_SIZE : SNP_PAGE_SIZE;
	struct snp_section sections[BUILD_SECTIONS];

	if (index > 3)
		return 0;
	memcpy(sections, build_sections, sizeof(sections));
	/* Refused, and close to what would be measured beyond a page. */
	if (index == 3)
		sections[BUILD_SECTIONS - 1].type = SNP_SECTION_KERNEL_HASHES;
	build_firmware(data, size, sections, BUILD_SECTIONS,
		       index == 2 ? 0x1000 : 0);
	return size;
}
