// SPDX-License-Identifier: GPL-2.0
/* IGVM files: what is taken has sane pages, and can be measured. */
#include <string.h>

#include "../../machine/machine.h"
#include "../../snp/measure.h"
#include "../igvm_build.h"
#include "fuzz.h"

/* Hashing more than this for one input would make fuzzing slow. */
#define PAGES_MAX 64

static uint64_t check_runs(const struct snp_igvm *igvm, const uint8_t *data,
			   size_t size)
{
	uint64_t pages = 0, bytes = 0;
	unsigned int vmsas = 0;

	FUZZ_ASSERT(igvm->nr_runs && igvm->mask);
	for (unsigned int i = 0; i < igvm->nr_runs; i++) {
		const struct snp_run *run = &igvm->runs[i];

		FUZZ_ASSERT(run->size && run->size % SNP_PAGE_SIZE == 0);
		FUZZ_ASSERT(run->gpa % SNP_PAGE_SIZE == 0);
		FUZZ_ASSERT(run->type != SNP_PAGE_VMSA || run->data);
		vmsas += run->type == SNP_PAGE_VMSA;
		pages += run->size / SNP_PAGE_SIZE;
		if (!run->data || run->type == SNP_PAGE_UNMEASURED)
			continue;
		FUZZ_ASSERT(run->data >= data &&
			    run->data + run->size <= data + size);
	}
	FUZZ_ASSERT(vmsas == igvm->nr_vcpus);
	for (unsigned int i = 0; i < igvm->nr_parameters; i++) {
		const struct snp_igvm_parameter *parameter =
			&igvm->parameters[i];

		FUZZ_ASSERT(parameter->area < igvm->nr_areas);
		FUZZ_ASSERT(parameter->offset <
			    igvm->areas[parameter->area].size);
	}
	for (unsigned int i = 0; i < igvm->nr_areas; i++)
		bytes += igvm->areas[i].data[igvm->areas[i].size - 1];
	FUZZ_ASSERT(bytes <= 255u * SNP_IGVM_AREAS);
	return pages;
}

/* What a launch makes of it */
static void launch(const struct snp_igvm *igvm, struct error *error)
{
	const struct range ram = { 0, UINT64_C(1) << 30 };
	struct snp_vcpu vcpu;
	struct snp_vmsa vmsa;
	size_t at;

	snp_igvm_kvm_fault(igvm);
	machine_igvm_parameters(igvm, &ram, 1, 3, error);
	for (unsigned int i = 0; i < igvm->nr_vcpus; i++) {
		if (snp_vcpu_from_vmsa(&vcpu, igvm->vcpus[i].vmsa, &at))
			continue;
		snp_vmsa_from_vcpu(&vmsa, &vcpu);
		FUZZ_ASSERT(!memcmp(&vmsa, igvm->vcpus[i].vmsa, sizeof(vmsa)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snp_measurement measurement;
	struct snp_image image = { 0 };
	struct error error = { 0 };
	static uint8_t copy[FUZZ_SIZE_MAX];
	struct snp_igvm igvm;
	int rc;

	if (size > sizeof(copy))
		return 0;
	/* A checksum stops no one who can compute one. */
	memcpy(copy, data, size);
	if (size >= 32) {
		uint32_t offset, headers;

		memcpy(&offset, copy + 8, 4);
		memcpy(&headers, copy + 12, 4);
		if (offset <= size && headers <= size - offset)
			igvm_build_checksum(copy);
	}
	rc = snp_igvm_parse(&igvm, "fuzz", copy, size, &error);
	FUZZ_ASSERT(rc == error.rc || !rc);
	FUZZ_ASSERT(!rc || error.hint[0]);
	image.igvm = &igvm;
	if (!rc && check_runs(&igvm, copy, size) <= PAGES_MAX)
		FUZZ_ASSERT(!snp_measure(&image, &measurement, &error));
	if (!rc)
		launch(&igvm, &error);
	snp_igvm_free(&igvm);
	return 0;
}

static size_t small(struct igvm_build *build, unsigned int version)
{
	uint8_t vmsa[4096];

	igvm_build_start(build, version);
	igvm_build_platform(build, IGVM_SNP, 0, 2);
	igvm_build_policy(build, 0x30000);
	igvm_build_area(build, 0, 0x1000, 0);
	igvm_build_parameter(build, 0x307, 0, 0);
	igvm_build_insert(build, 0x3000, 0);
	igvm_build_page(build, 0x1000, 0, 2, 0, IGVM_SNP);
	igvm_build_page(build, 0x2000, 0, 0, 2, IGVM_SNP);
	igvm_build_vmsa(vmsa, 0x1000);
	igvm_build_vcpu(build, 0, vmsa, IGVM_VMSA_GPA);
	return igvm_build_finish(build);
}

size_t fuzz_seed(unsigned int index, uint8_t *data)
{
	static struct igvm_build build;
	size_t size;

	if (index > 1)
		return 0;
	size = small(&build, index + 1);
	memcpy(data, build.file, size);
	return size;
}
