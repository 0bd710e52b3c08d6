// SPDX-License-Identifier: GPL-2.0
/* IGVM files: digests that igvm_vectors.py has computed, and files that are bad. */
#include "../base/bytes.h"
#include "../machine/machine.h"
#include "../snp/measure.h"
#include "igvm_build.h"
#include "snp_vectors.h"
#include "test_hex.h"
#include "ksft.h"

/* What igvm_vectors.py prints. */
static const struct vector_igvm {
	const char *name;
	size_t (*build)(struct igvm_build *build);
	const char *sha256;
	uint64_t pages;
	const char *digest;
} vectors[] = {
	{ "svsm", igvm_build_svsm,
	  "dbb354b00b8ea45da7b28d80ad2f0fb906bd17910f51a6b689873d61fdb16fe3", 524,
	  "41676cc0548bbe92b2cfcb4913dc898a7db0fb4e62d16341"
	  "ee865a28b90616d143aa51d764887be30daeff1647d8c19e" },
	{ "order", igvm_build_order,
	  "97226671796d9fea8cc4acc3d9ebc78b449503bc625804e3f5abe256898dc57a", 5,
	  "1be148c223bd91a9df0e4badd4862686f0a71ba61c09bf93"
	  "c00de93d5ed2d28b9690075c39cf24d600514bbb3c08a3a0" },
	{ "version_2", igvm_build_version_2,
	  "717aff65b5bcf23e2e60b1dbc4ade5501c80ce7c35edf1017b89a4489bbf9542", 3,
	  "cd2813f7ee6390aa1a1bef6b70005a539464b7a5cf1b145c"
	  "41ccc8dae73822f42dce8d18a596466d08e10c006ec4acae" },
};

static struct igvm_build build;

/* A file for SEV-SNP alone */
static void start(void)
{
	igvm_build_start(&build, 1);
	igvm_build_platform(&build, IGVM_SNP, 0, 2);
}

/* What was built, with all that the file says of itself */
static int parse(struct snp_igvm *igvm)
{
	size_t size = igvm_build_finish(&build);
	struct error error;

	return snp_igvm_parse(igvm, "guest.igvm", build.file, size, &error);
}

static int measure(const void *data, size_t size,
		   struct snp_measurement *measurement, struct error *error)
{
	struct snp_image image = { 0 };
	struct snp_igvm igvm;
	int rc;

	rc = snp_igvm_parse(&igvm, "guest.igvm", data, size, error);
	image.igvm = &igvm;
	if (!rc)
		rc = snp_measure(&image, measurement, error);
	snp_igvm_free(&igvm);
	return rc;
}

TEST_OF(igvm, f28_vectors)
{
	ksft_for_each(vector, vectors) {
		size_t size = vector->build(&build);
		struct snp_measurement measurement;
		uint8_t sha256[SNP_SHA256_SIZE];
		struct error error;

		EXPECT_FALSE(snp_sha256(build.file, size, sha256));
		EXPECT_TRUE(is_hex(sha256, sizeof(sha256), vector->sha256));
		EXPECT_FALSE(measure(build.file, size, &measurement, &error));
		EXPECT_TRUE(is_hex(measurement.digest, SNP_DIGEST_SIZE, vector->digest));
		EXPECT_EQ(measurement.pages, vector->pages);
		vector_tell(vector->name, 0);
	}
}

TEST_OF(igvm, f28_parse)
{
	size_t size = igvm_build_svsm(&build);
	struct snp_igvm igvm;
	struct error error;

	EXPECT_FALSE(snp_igvm_parse(&igvm, "guest.igvm", build.file, size, &error));
	EXPECT_EQ(igvm.mask, IGVM_SNP);
	EXPECT_EQ(igvm.highest_vtl, 2);
	EXPECT_TRUE(igvm.has_policy);
	EXPECT_EQ(igvm.policy, 0x30000);
	EXPECT_EQ(igvm.nr_vcpus, 1);
	EXPECT_EQ(igvm.vcpus[0].gpa, IGVM_VMSA_GPA);
	EXPECT_EQ(igvm.nr_areas, 2);
	EXPECT_EQ(igvm.areas[1].index, 7);
	EXPECT_TRUE(igvm.areas[0].inserted);
	EXPECT_TRUE(igvm.areas[1].inserted);
	EXPECT_EQ(igvm.areas[1].data[1], (uint8_t)(7 + 9 * 13));
	EXPECT_EQ(igvm.nr_parameters, 3);
	EXPECT_EQ(igvm.parameters[2].type, SNP_IGVM_ENVIRONMENT_INFO);
	EXPECT_EQ(igvm.parameters[2].area, 1);
	EXPECT_EQ(igvm.parameters[2].offset, 8);
	EXPECT_EQ(igvm.nr_required, 2);
	EXPECT_EQ(igvm.required[0].start, 0x10000);
	EXPECT_EQ(igvm.required[0].end, 0x600000);
	EXPECT_EQ(igvm.required[1].start, 0xffffe000);
	EXPECT_EQ(igvm.required[1].end, 0xfffff000);
	EXPECT_FALSE(igvm.has_id_block);
	EXPECT_FALSE(igvm.shared);
	EXPECT_FALSE(igvm.relocatable);
	/* Two pages in a row are one run, and so are the contents of an area. */
	EXPECT_EQ(igvm.runs[0].gpa, 0x10000);
	EXPECT_EQ(igvm.runs[0].size, 0x2000);
	EXPECT_EQ(igvm.nr_runs, 11);
	snp_igvm_free(&igvm);
	size = igvm_build_order(&build);
	EXPECT_FALSE(snp_igvm_parse(&igvm, "guest.igvm", build.file, size, &error));
	EXPECT_TRUE(igvm.shared);
	EXPECT_EQ(igvm.nr_vcpus, 2);
	EXPECT_FALSE(igvm.has_policy);
	snp_igvm_free(&igvm);
}

/* Whether the file is refused, with these words. */
static bool fails(const uint8_t *data, size_t size, int rc, const char *words)
{
	struct error error = { 0 };
	struct snp_igvm igvm;
	uint8_t *copy = malloc(size + 1);
	int is;

	/* What is read beyond is seen. */
	copy = realloc(copy, size ? size : 1);
	memcpy(copy, data, size);
	is = snp_igvm_parse(&igvm, "guest.igvm", copy, size, &error);
	snp_igvm_free(&igvm);
	free(copy);
	return is == rc && strstr(error.hint, words);
}

/* The same of what was built. */
static bool refused(int rc, const char *words)
{
	return fails(build.file, igvm_build_finish(&build), rc, words);
}

/* One change to a good file, whose checksum is right again if it was before. */
static bool fails_with(size_t offset, uint32_t value, int rc, const char *words)
{
	size_t size = igvm_build_svsm(&build);

	bytes_put32(build.file + offset, value);
	if (offset != 20)
		igvm_build_checksum(build.file);
	return fails(build.file, size, rc, words);
}

TEST_OF(igvm, f28_fixed)
{
	size_t size = igvm_build_svsm(&build);

	EXPECT_TRUE(fails(build.file, 0, -EINVAL, "begin with the header"));
	EXPECT_TRUE(fails(build.file, 23, -EINVAL, "begin with the header"));
	EXPECT_TRUE(fails(build.file, size - 1, -EINVAL, "but its header says"));
	EXPECT_TRUE(fails_with(0, 0, -EINVAL, "begin with the header"));
	EXPECT_TRUE(fails_with(20, 0, -EINVAL, "checksum"));
	EXPECT_TRUE(fails_with(16, 0, -EINVAL, "but its header says"));
	igvm_build_svsm(&build);
	bytes_put32(build.file + 4, 3);
	EXPECT_TRUE(fails(build.file, size, -EOPNOTSUPP, "version 3"));
	bytes_put32(build.file + 4, 0);
	EXPECT_TRUE(fails(build.file, size, -EOPNOTSUPP, "version 0"));
	/* Where the headers are */
	for (unsigned int i = 0; i < 4; i++) {
		static const uint32_t wrong[4][2] = {
			{ 16, 8 }, { 28, 8 }, { 24, UINT32_MAX },
			{ UINT32_MAX - 7, 8 },
		};

		igvm_build_svsm(&build);
		bytes_put32(build.file + 8, wrong[i][0]);
		bytes_put32(build.file + 12, wrong[i][1]);
		EXPECT_TRUE(fails(build.file, size, -EINVAL, "not in the file"));
	}
	size = igvm_build_version_2(&build);
	bytes_put32(build.file + 24, 1);
	EXPECT_TRUE(fails(build.file, size, -EOPNOTSUPP, "its architecture is not"));
	bytes_put32(build.file + 24, 0);
	bytes_put32(build.file + 28, 65536);
	EXPECT_TRUE(fails(build.file, size, -EOPNOTSUPP, "its architecture is not"));
	EXPECT_TRUE(fails(build.file, 28, -EINVAL, "ends in its header"));
}

/* A file with a platform and one header more */
static bool header_fails(uint32_t type, const void *body, size_t size, int rc, const char *words)
{
	start();
	igvm_build_area(&build, 1, 0x1000, 0);
	igvm_build_page(&build, 0x1000, 1, 0, 0, IGVM_SNP);
	igvm_build_header(&build, type, body, size);
	return refused(rc, words);
}

#define NUMBERS 5

/* A body of numbers; those that are not given are zero. */
static bool numbers_fail(uint32_t type, size_t size, const char *words,
			 const uint32_t numbers[NUMBERS])
{
	uint8_t body[64] = { 0 };

	for (size_t i = 0; i < NUMBERS; i++)
		bytes_put32(body + 4 * i, numbers[i]);
	return header_fails(type, body, size, -EINVAL, words);
}

#define FAILS(type, size, words, ...)					\
({									\
	const uint32_t numbers[NUMBERS] = { __VA_ARGS__ };		\
									\
	numbers_fail(type, size, words, numbers);			\
})

TEST_OF(igvm, f28_headers)
{
	/* Types and lengths, and their order */
	EXPECT_TRUE(header_fails(0x350, "", 0, -EOPNOTSUPP, "not known"));
	EXPECT_TRUE(header_fails(0x250, "", 0, -EOPNOTSUPP, "not known"));
	EXPECT_TRUE(header_fails(0, "", 0, -EOPNOTSUPP, "not known"));
	EXPECT_TRUE(header_fails(0x101, "", 0, -EINVAL, "out of order"));
	EXPECT_TRUE(header_fails(0x1, "", 0, -EINVAL, "out of order"));
	EXPECT_TRUE(FAILS(0x302, 16, "0x10 bytes, not 0x18", 0));
	/* Pages: alignment, place of the data */
	EXPECT_TRUE(FAILS(0x302, 24, "0x1001 is not aligned", 0x1001, 0, 1));
	EXPECT_TRUE(FAILS(0x302, 24, "not aligned", 0, 0x100000, 1));
	EXPECT_TRUE(FAILS(0x302, 24, "not aligned", 0x1000, 0x100000, 1));
	EXPECT_TRUE(FAILS(0x302, 24, "not in the file", 0, 0, 1, 0x2001));
	EXPECT_TRUE(FAILS(0x302, 24, "not in the file", 0, 0, 1, UINT32_MAX));
	EXPECT_TRUE(FAILS(0x302, 24, "not aligned", 0x1000, 0, 1, 0, 1));
	EXPECT_TRUE(FAILS(0x302, 24, "not in the file", 0, 0, 1, 0x2000, 1));
	EXPECT_TRUE(header_fails(0x302, "\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\x8\0\0\0\0\0\0", 24,
				 -EOPNOTSUPP, "flags 0x8"));
	EXPECT_TRUE(header_fails(0x302, "\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\4\0\0", 24,
				 -EOPNOTSUPP, "type 4"));
	/* Parameter areas */
	EXPECT_TRUE(FAILS(0x301, 16, "declared twice", 0x1000, 0, 1));
	EXPECT_TRUE(FAILS(0x301, 16, "has 0x0 bytes", 0, 0, 2));
	EXPECT_TRUE(FAILS(0x301, 16, "has 0x800 bytes", 0x800, 0, 2));
	EXPECT_TRUE(FAILS(0x301, 16, "at most 1 MiB", 0x101000, 0, 2));
	EXPECT_TRUE(FAILS(0x301, 16, "not in the file", 0x1000, 0, 2, 0x2001));
	EXPECT_TRUE(FAILS(0x303, 16, "not declared", 0x1000, 0, 1, 2));
	EXPECT_TRUE(FAILS(0x303, 16, "not a valid page address", 0x1001, 0, 1, 1));
	EXPECT_TRUE(FAILS(0x307, 8, "cannot be at", 2, 0));
	EXPECT_TRUE(FAILS(0x307, 8, "cannot be at", 1, 0x1000));
	/* vCPUs, ranges */
	EXPECT_TRUE(FAILS(0x304, 20, "not in the file", 0x1000, 0, 1, 0));
	EXPECT_TRUE(FAILS(0x304, 20, "not in the file", 0x1000, 0, 1, 0x2001));
	EXPECT_TRUE(FAILS(0x304, 20, "is not valid", 0x1001, 0, 1, 0x2000));
	EXPECT_TRUE(FAILS(0x305, 24, "not whole pages", 0x1000, 0, 1, 0x1001));
	EXPECT_TRUE(FAILS(0x305, 24, "not whole pages", 0xfffff000, 0xfffff, 1, 0x2000));
	EXPECT_TRUE(FAILS(0x30d, 16, "not whole pages", 0x1000, 0, 1, 0));
	EXPECT_TRUE(FAILS(0x30b, 16, "0x10 bytes, not 0x2b8", 0));
}

/* What is in an area is measured when it is inserted, which is once. */
TEST_OF(igvm, f28_inserted)
{
	start();
	igvm_build_area(&build, 1, 0x1000, 0);
	igvm_build_insert(&build, 0x4000, 1);
	igvm_build_insert(&build, 0x5000, 1);
	EXPECT_TRUE(refused(-EINVAL, "is inserted twice"));
	start();
	igvm_build_area(&build, 1, 0x1000, 0);
	igvm_build_insert(&build, 0x4000, 1);
	igvm_build_parameter(&build, SNP_IGVM_VP_COUNT, 1, 0);
	EXPECT_TRUE(refused(-EINVAL, "cannot be at offset 0x0 of parameter area 1"));
}

/* Memory that the guest wants is private, but for where it leaves its errors. */
TEST_OF(igvm, f28_error_range)
{
	static const struct {
		uint32_t type;
		size_t size;
	} ranges[] = { { 0x305, 24 }, { 0x30d, 16 } };

	for (unsigned int i = 0; i < 2; i++) {
		uint8_t body[24] = { 0 };
		struct snp_igvm igvm;

		bytes_put32(body, 0x8000);
		bytes_put32(body + 8, IGVM_SNP);
		bytes_put32(body + 12, 0x1000);
		start();
		igvm_build_page(&build, 0x1000, 1, 0, 0, IGVM_SNP);
		igvm_build_header(&build, ranges[i].type, body, ranges[i].size);
		EXPECT_FALSE(parse(&igvm));
		EXPECT_EQ(igvm.shared, i);
		snp_igvm_free(&igvm);
	}
}

TEST_OF(igvm, f28_platforms)
{
	igvm_build_start(&build, 1);
	EXPECT_TRUE(refused(-ENODATA, "other platforms"));
	igvm_build_platform(&build, IGVM_TDX, 0, 3);
	EXPECT_TRUE(refused(-ENODATA, "other platforms"));
	igvm_build_page(&build, 0x1000, 1, 0, 0, IGVM_TDX);
	EXPECT_TRUE(refused(-ENODATA, "other platforms"));
	igvm_build_start(&build, 1);
	igvm_build_platform(&build, 3, 0, 2);
	EXPECT_TRUE(refused(-EINVAL, "one bit"));
	start();
	EXPECT_TRUE(refused(-EINVAL, "no page"));
	igvm_build_page(&build, 0x1000, 1, 0, 0, IGVM_TDX);
	EXPECT_TRUE(refused(-EINVAL, "no page"));
	/* The last header says that it is longer than the rest. */
	build.headers -= 8;
	EXPECT_TRUE(refused(-EINVAL, "beyond"));
}

/* Few bytes that ask for many pages: 64 KiB of headers for more than 4 GiB */
TEST_OF(igvm, f28_pages)
{
	const uint64_t pages = (UINT64_C(4) << 30) / (2 << 20);
	struct snp_igvm igvm;

	start();
	/* Room for the headers. */
	build.pages = IGVM_PAGES;
	for (uint64_t i = 0; i < pages; i++)
		igvm_build_page(&build, i * (2 << 20), 0, 0, 1, IGVM_SNP);
	EXPECT_FALSE(parse(&igvm));
	EXPECT_EQ(igvm.nr_runs, 1);
	snp_igvm_free(&igvm);
	igvm_build_page(&build, pages * (2 << 20), 0, 0, 0, IGVM_SNP);
	EXPECT_TRUE(refused(-EINVAL, "more than 4096 MiB of pages"));
}

/* The same page twice: the firmware refuses the second in the midst of a launch. */
TEST_OF(igvm, f28_twice)
{
	static const uint64_t pages[][2] = {
		{ 0x400000, 0x400000 }, { 0x5ff000, 0x400000 },
		{ 0x200000, 0x400000 }, { 0x600000, 0x400000 },
	};
	uint8_t vmsa[4096];

	igvm_build_vmsa(vmsa, 0x1000);
	for (unsigned int i = 0; i < 4; i++) {
		struct snp_igvm igvm;
		const char *fault;

		start();
		igvm_build_page(&build, pages[i][0], 1, 0, 0, IGVM_SNP);
		igvm_build_page(&build, 0x100000, 1, 0, 0, IGVM_SNP);
		/* 2 MiB of zeros */
		igvm_build_page(&build, pages[i][1], 0, 0, 1, IGVM_SNP);
		igvm_build_vcpu(&build, 0, vmsa, IGVM_VMSA_GPA);
		EXPECT_FALSE(parse(&igvm));
		fault = snp_igvm_kvm_fault(&igvm);
		EXPECT_EQ(!fault, (i >= 2));
		EXPECT_TRUE(!fault || strstr(fault, "listed twice"));
		snp_igvm_free(&igvm);
	}
}

/* A file for several platforms: what is another's is not looked at. */
TEST_OF(igvm, f28_vbs)
{
	uint8_t measurement[864] = { IGVM_TDX };
	struct snp_igvm igvm;

	start();
	igvm_build_platform(&build, IGVM_TDX, 0, 1);
	igvm_build_page(&build, 0x1000, 1, 0, 0, IGVM_SNP);
	igvm_build_header(&build, 0x311, measurement, sizeof(measurement));
	EXPECT_FALSE(parse(&igvm));
	EXPECT_EQ(igvm.nr_runs, 1);
	EXPECT_FALSE(igvm.nr_parameters);
	snp_igvm_free(&igvm);
	EXPECT_TRUE(header_fails(0x311, "", 0, -EINVAL, "0x0 bytes, not 0x360"));
	start();
	igvm_build_page(&build, 0x1000, 1, 0, 0, IGVM_SNP);
	measurement[0] = IGVM_SNP;
	igvm_build_header(&build, 0x311, measurement, sizeof(measurement));
	EXPECT_TRUE(refused(-EINVAL, "not valid for the SEV-SNP platform"));
}

static const struct range ram[] = {
	{ 0, 0x10000000 }, { 0xffe00000, 0x100000000 },
	{ 0x100000000, 0x140000000 },
};

/* What a loader tells the guest, and where it ends */
TEST_OF(igvm, f28_parameters)
{
	size_t size = igvm_build_svsm(&build);
	const uint8_t *map, *info;
	struct snp_igvm igvm;
	struct error error;

	EXPECT_FALSE(snp_igvm_parse(&igvm, "guest.igvm", build.file, size, &error));
	info = igvm.areas[1].data;
	EXPECT_TRUE(bytes_get32(info + 8));
	EXPECT_FALSE(machine_igvm_parameters(&igvm, ram, 3, 5, &error));
	EXPECT_EQ(bytes_get32(igvm.areas[0].data), 5);
	map = igvm.areas[0].data + 0x1000;
	EXPECT_FALSE(bytes_get64(map));
	EXPECT_EQ(bytes_get64(map + 8), 0x10000);
	EXPECT_EQ(bytes_get64(map + 24), 0x100000);
	EXPECT_EQ(bytes_get64(map + 32), 0x40000);
	EXPECT_TRUE(bytes_are_zero(map + 40, 0x1000 - 40));
	EXPECT_FALSE(bytes_get32(info + 8));
	/* The rest of its first contents is as it was. */
	EXPECT_EQ(info[7], (uint8_t)(7 * 7 + 9 * 13));
	EXPECT_EQ(info[12], (uint8_t)(12 * 7 + 9 * 13));
	/* The table of CPUs, which has a checksum */
	igvm.parameters[0].type = SNP_IGVM_MADT;
	EXPECT_FALSE(machine_igvm_parameters(&igvm, ram, 3, 2, &error));
	EXPECT_MEMEQ(igvm.areas[0].data, "APIC", 4);
	igvm.parameters[0].offset = 0x2000 - 64;
	EXPECT_EQ(machine_igvm_parameters(&igvm, ram, 3, 2, &error), -ENOSPC);
	igvm.parameters[0].type = SNP_IGVM_VP_COUNT;
	igvm.parameters[0].offset = 0x2000 - 3;
	EXPECT_EQ(machine_igvm_parameters(&igvm, ram, 3, 2, &error), -ENOSPC);
	snp_igvm_free(&igvm);
}

/* Relocation is an offer: what is measured is where the file has it. */
TEST_OF(igvm, f28_relocatable)
{
	struct snp_igvm igvm;
	uint8_t body[48] = { IGVM_SNP };

	start();
	igvm_build_header(&build, 0x102, body, 48);
	igvm_build_header(&build, 0x103, body, 32);
	igvm_build_page(&build, 0x1000, 1, 0, 0, IGVM_SNP);
	EXPECT_FALSE(parse(&igvm));
	EXPECT_TRUE(igvm.relocatable);
	snp_igvm_free(&igvm);
	start();
	igvm_build_header(&build, 0x102, body, 40);
	EXPECT_TRUE(refused(-EINVAL, "0x28 bytes, not 0x30"));
}

/* Pages in any order become few ranges, but not one that is full of holes. */
TEST_OF(igvm, f28_required)
{
	struct snp_igvm igvm;

	start();
	for (uint64_t i = 0; i < 5; i++)
		igvm_build_page(&build, i * 2 * 0x400000, 0, 0, 0, IGVM_SNP);
	for (uint64_t i = 0; i < 4; i++)
		igvm_build_page(&build, (i * 2 + 1) * 0x400000, 0, 0, 1, IGVM_SNP);
	EXPECT_FALSE(parse(&igvm));
	EXPECT_EQ(igvm.nr_required, 5);
	snp_igvm_free(&igvm);
	for (uint64_t i = 0; i < 40; i++)
		igvm_build_page(&build, (i + 10) << 30, 0, 0, 0, IGVM_SNP);
	EXPECT_TRUE(refused(-EINVAL, "more than 32 memory ranges"));
}
