// SPDX-License-Identifier: GPL-2.0
/* Whole launch digests: published ones, Debian's, and of made-up images. */
#include "../base/bytes.h"
#include "../snp/measure.h"
#include "fixture.h"
#include "snp_build.h"
#include "snp_vectors.h"
#include "test_hex.h"
#include "ksft.h"

#define AMDSEV_SHA256 \
	"8f765dfabc127fc0a938a0744a3103ec15864d7d794eb4c398aa976b6d6ab16c"
#define OVMFX64_SHA256 \
	"b4c021e085fb83ceffe6571a3d357b4a98773c83c474e47f76c876708fe316da"
#define SVSM_OVMF_SHA256 \
	"50d1bf8676c7fb2ff6b8e50cf8fc0491534de27c12d6345a2dcefef51cbac97e"
#define SVSM_SHA256 \
	"287fcee67b501b072e4953b5006059d088b454e9197bc318885385acb233d5d1"

static bool digest_is(const uint8_t digest[SNP_DIGEST_SIZE], const char *text)
{
	return is_hex(digest, SNP_DIGEST_SIZE, text);
}

static const char *suffix_sha256(const char *name)
{
	return strstr(name, "AmdSev") ? AMDSEV_SHA256 : OVMFX64_SHA256;
}

static void check_published(const struct vector_published *vector, const struct fixture *fixture)
{
	struct snp_kernel_hashes hashes = { 0 };
	struct snp_firmware firmware;
	struct snp_measurement measurement;
	struct snp_image image = {
		.firmware = &firmware,
		.kernel = vector->cmdline ? &hashes : NULL,
		.vmm = vector->vmm,
		.nr_vcpus = vector->nr_vcpus,
		.signature = vector->signature,
		.features = vector->features,
	};
	struct error error;

	EXPECT_FALSE(snp_kernel_hashes_init(&hashes, vector->cmdline));
	EXPECT_FALSE(snp_firmware_parse(&firmware, vector->fixture, fixture->data, fixture->size,
					SNP_4G, &error));
	EXPECT_FALSE(snp_measure(&image, &measurement, &error));
	EXPECT_TRUE(digest_is(measurement.firmware, vector->firmware));
	EXPECT_TRUE(digest_is(measurement.sections, vector->sections));
	EXPECT_TRUE(digest_is(measurement.digest, vector->digest));
	EXPECT_EQ(measurement.pages, vector->pages);
}

TEST_OF(snp, published)
{
	for (unsigned int i = 0; i < VECTOR_PUBLISHED; i++) {
		const struct vector_published *vector = &vector_published[i];
		struct fixture fixture;

		if (!fixture_load(&fixture, vector->fixture, suffix_sha256(vector->fixture)))
			continue;
		check_published(vector, &fixture);
		vector_tell(vector->name, vector->nr_vcpus);
		fixture_free(&fixture);
	}
}

TEST_OF(snp, published_svsm)
{
	struct snp_firmware firmware, svsm;
	struct snp_measurement measurement;
	struct snp_image image = {
		.firmware = &firmware, .svsm = &svsm,
		.nr_vcpus = 4, .signature = 0x800f12, .features = 1,
	};
	struct fixture ovmf_file, svsm_file;
	struct error error;

	if (!fixture_load(&ovmf_file, "svsm_ovmf.fd", SVSM_OVMF_SHA256))
		return;
	if (fixture_load(&svsm_file, "svsm.bin", SVSM_SHA256)) {
		EXPECT_FALSE(snp_firmware_parse(&firmware, "OVMF", ovmf_file.data, ovmf_file.size,
						SNP_4G, &error));
		EXPECT_FALSE(snp_firmware_parse(&svsm, "SVSM", svsm_file.data, svsm_file.size,
						snp_image_svsm_end(&firmware, 540672), &error));
		EXPECT_FALSE(snp_measure(&image, &measurement, &error));
		EXPECT_TRUE(digest_is(measurement.digest,
				      "27d154c27b7b359c935e250ec6fee72aa0ae8c1225e3b0e1"
				      "cf46a9567e938066d7d6f94bbdc4a857818bdb79277a44b2"));
		fixture_free(&svsm_file);
	}
	fixture_free(&ovmf_file);
}

/* One page and one vCPU: no firmware, no metadata. */
TEST_OF(snp, minimal_guest)
{
	static const struct {
		enum snp_vmm vmm;
		const char *digest;
	} guests[] = {
		{ SNP_VMM_KVM,
		  "eff8afe28ed0d72884cd7121b564ee7ef6ce100cd48ec68b"
		  "0f19eac85723ab3ebf772974cb4714f5c8f7213c893200bc" },
		{ SNP_VMM_QEMU,
		  "2a4b9f61239267b92aef31dc7c3e5e96389f295f9d2da179"
		  "13dc6ae4a52ab74103280587922bc9c0488a44a4cfca2275" },
	};
	uint8_t page[SNP_PAGE_SIZE];
	struct snp_digest digest;
	struct snp_vmsa vmsa;

	memset(page, 0xf4, sizeof(page));
	for (unsigned int i = 0; i < 2; i++) {
		memset(&digest, 0, sizeof(digest));
		EXPECT_FALSE(snp_digest_page(&digest, SNP_PAGE_NORMAL, 0x1000, page));
		snp_vmm_vmsa(&vmsa, guests[i].vmm, 0, SNP_RESET_EIP, 0x800f12, 1);
		EXPECT_FALSE(snp_digest_page(&digest, SNP_PAGE_VMSA, SNP_VMSA_GPA, &vmsa));
		EXPECT_TRUE(digest_is(digest.value, guests[i].digest));
	}
}

/**
 * struct built - an image made by build_firmware(), ready to be measured
 */
struct built {
	uint8_t data[BUILD_SIZE];
	struct snp_firmware firmware;
	struct snp_kernel_hashes hashes;
	struct snp_image image;
	struct snp_measurement measurement;
	struct error error;
};

static void built_init(struct built *built, const struct snp_section *sections, unsigned int nr)
{
	memset(built, 0, sizeof(*built));
	build_firmware(built->data, BUILD_SIZE, sections, nr, 0);
	EXPECT_FALSE(snp_firmware_parse(&built->firmware, "image", built->data, BUILD_SIZE, SNP_4G,
					&built->error));
	EXPECT_FALSE(build_kernel_hashes(&built->hashes, "k", "i", "c"));
	built->image = (struct snp_image){
		.firmware = &built->firmware, .nr_vcpus = 1,
		.signature = 0x800f12, .features = 1,
	};
}

static int built_measure(struct built *built)
{
	return snp_measure(&built->image, &built->measurement, &built->error);
}

static void add(struct snp_digest *digest, enum snp_page_type type, uint64_t gpa,
		uint64_t size, const uint8_t *data)
{
	const struct snp_run run = { "", type, gpa, size, data };

	EXPECT_FALSE(snp_digest_run(digest, &run));
}

/* What a VMM does, spelled out page by page for one image. */
static void expect_pages(struct built *built, struct snp_digest *digest)
{
	uint8_t page[SNP_PAGE_SIZE] = { 0 };
	struct snp_vmsa vmsa;

	memset(digest, 0, sizeof(*digest));
	snp_digest_page(digest, SNP_PAGE_NORMAL, 0xffffe000, built->data);
	snp_digest_page(digest, SNP_PAGE_NORMAL, 0xfffff000, built->data + SNP_PAGE_SIZE);
	add(digest, SNP_PAGE_ZERO, 0x800000, 0x9000, NULL);
	add(digest, SNP_PAGE_ZERO, 0x80a000, 0x3000, NULL);
	snp_digest_page(digest, SNP_PAGE_SECRETS, 0x80d000, NULL);
	snp_digest_page(digest, SNP_PAGE_CPUID, 0x80e000, NULL);
	snp_digest_page(digest, SNP_PAGE_ZERO, 0x80f000, NULL);
	snp_kernel_hashes_table(&built->hashes, page + 0xc00);
	snp_digest_page(digest, SNP_PAGE_NORMAL, 0x810000, page);
	add(digest, SNP_PAGE_ZERO, 0x811000, 0xf000, NULL);
	for (unsigned int i = 0; i < built->image.nr_vcpus; i++) {
		snp_vmm_vmsa(&vmsa, SNP_VMM_QEMU, i, i ? 0x80b004 : SNP_RESET_EIP, 0x800f12, 1);
		snp_digest_page(digest, SNP_PAGE_VMSA, SNP_VMSA_GPA, &vmsa);
	}
}

TEST_OF(snp, measure_order)
{
	struct snp_digest digest;
	struct built built;

	built_init(&built, build_sections, BUILD_SECTIONS);
	built.image.kernel = &built.hashes;
	built.image.nr_vcpus = 3;
	EXPECT_FALSE(built_measure(&built));
	expect_pages(&built, &digest);
	EXPECT_MEMEQ(digest.value, built.measurement.digest, SNP_DIGEST_SIZE);
	EXPECT_EQ(digest.pages, built.measurement.pages);
}

/* EC2 keeps the CPUID page for last, Google leaves memory unmeasured. */
TEST_OF(snp, measure_vmm_sections)
{
	static const struct snp_section sections[] = {
		{ 0x80e000, 0x1000, SNP_SECTION_CPUID },
		{ 0x800000, 0x2000, SNP_SECTION_MEMORY },
	};
	struct snp_digest ec2 = { 0 }, gce;
	struct snp_vmsa vmsa;
	struct built built;

	built_init(&built, sections, 2);
	add(&ec2, SNP_PAGE_NORMAL, 0xffffe000, BUILD_SIZE, built.data);
	gce = ec2;
	add(&ec2, SNP_PAGE_ZERO, 0x800000, 0x2000, NULL);
	snp_digest_page(&ec2, SNP_PAGE_CPUID, 0x80e000, NULL);
	snp_vmm_vmsa(&vmsa, SNP_VMM_EC2, 0, SNP_RESET_EIP, 0, 1);
	snp_digest_page(&ec2, SNP_PAGE_VMSA, SNP_VMSA_GPA, &vmsa);
	snp_digest_page(&gce, SNP_PAGE_CPUID, 0x80e000, NULL);
	add(&gce, SNP_PAGE_UNMEASURED, 0x800000, 0x2000, NULL);
	snp_vmm_vmsa(&vmsa, SNP_VMM_GCE, 0, SNP_RESET_EIP, 0, 1);
	snp_digest_page(&gce, SNP_PAGE_VMSA, SNP_VMSA_GPA, &vmsa);
	built.image.vmm = SNP_VMM_EC2;
	EXPECT_FALSE(built_measure(&built));
	EXPECT_MEMEQ(ec2.value, built.measurement.digest, SNP_DIGEST_SIZE);
	built.image.vmm = SNP_VMM_GCE;
	EXPECT_FALSE(built_measure(&built));
	EXPECT_MEMEQ(gce.value, built.measurement.digest, SNP_DIGEST_SIZE);
}

/* Each of these is part of the digest. */
TEST_OF(snp, measure_depends)
{
	uint8_t base[SNP_DIGEST_SIZE];
	struct snp_section changed[BUILD_SECTIONS];
	struct built built;

	built_init(&built, build_sections, BUILD_SECTIONS);
	EXPECT_FALSE(built_measure(&built));
	memcpy(base, built.measurement.digest, sizeof(base));
#define DIFFERS() (!built_measure(&built) && \
		   memcmp(base, built.measurement.digest, sizeof(base)))
	built.image.nr_vcpus = 2;
	EXPECT_TRUE(DIFFERS());
	built.image.nr_vcpus = 1;
	built.image.features = 0x21;
	EXPECT_TRUE(DIFFERS());
	built.image.features = 1;
	built.image.signature++;
	EXPECT_TRUE(DIFFERS());
	built.image.signature--;
	built.image.kernel = &built.hashes;
	EXPECT_TRUE(DIFFERS());
	built.image.kernel = NULL;
	built.data[0]++;
	EXPECT_TRUE(DIFFERS());
	built.data[0]--;
	EXPECT_FALSE(DIFFERS());
	built.image.vmm = SNP_VMM_KVM;
	EXPECT_TRUE(DIFFERS());
	memcpy(changed, build_sections, sizeof(changed));
	changed[0] = build_sections[1];
	changed[1] = build_sections[0];
	built_init(&built, changed, BUILD_SECTIONS);
	EXPECT_TRUE(DIFFERS());
	memcpy(changed, build_sections, sizeof(changed));
	changed[2].type = SNP_SECTION_MEMORY;
	built_init(&built, changed, BUILD_SECTIONS);
	EXPECT_TRUE(DIFFERS());
	memcpy(changed, build_sections, sizeof(changed));
	changed[5].base += 0x200000;
	built_init(&built, changed, BUILD_SECTIONS);
	EXPECT_TRUE(DIFFERS());
	/* Where the APs start, of which there have to be some. */
	built_init(&built, build_sections, BUILD_SECTIONS);
	EXPECT_FALSE(DIFFERS());
	built.image.nr_vcpus = 2;
	EXPECT_FALSE(built_measure(&built));
	memcpy(base, built.measurement.digest, sizeof(base));
	built.firmware.reset_eip += 4;
	EXPECT_TRUE(DIFFERS());
#undef DIFFERS
}

TEST_OF(snp, measure_refused)
{
	struct snp_section sections[2] = {
		{ 0x810000, 0x2000, SNP_SECTION_KERNEL_HASHES },
		{ 0x820000, 0x1000, SNP_SECTION_KERNEL_HASHES },
	};
	struct built built;

	built_init(&built, build_sections, 5);
	built.image.kernel = &built.hashes;
	EXPECT_EQ(built_measure(&built), -EINVAL);
	EXPECT_STRSTR(built.error.hint, "no SNP_KERNEL_HASHES");
	built_init(&built, sections, 1);
	built.image.kernel = &built.hashes;
	EXPECT_EQ(built_measure(&built), -EINVAL);
	EXPECT_STRSTR(built.error.hint, "one page");
	built_init(&built, sections + 1, 1);
	built.image.kernel = &built.hashes;
	EXPECT_EQ(built_measure(&built), -EINVAL);
	built.firmware.hash_table = 0;
	EXPECT_EQ(built_measure(&built), -EINVAL);
	EXPECT_STRSTR(built.error.hint, "no table");
	built.firmware.hash_table = 0x820000 + 0xf60;
	EXPECT_EQ(built_measure(&built), -EINVAL);
	built.firmware.hash_table = 0x820000 + 0xf50;
	EXPECT_FALSE(built_measure(&built));
	built.image.features = 0x20;
	EXPECT_EQ(built_measure(&built), -EINVAL);
	built.image.features = 1;
	built.image.nr_vcpus = 0;
	EXPECT_EQ(built_measure(&built), -EINVAL);
	built.image.nr_vcpus = SNP_VCPUS_MAX + 1;
	EXPECT_EQ(built_measure(&built), -EINVAL);
	built.image.nr_vcpus = 2;
	built.firmware.has_reset = false;
	EXPECT_EQ(built_measure(&built), -EINVAL);
	EXPECT_STRSTR(built.error.action, "AP reset vector");
	built.image.nr_vcpus = 1;
	EXPECT_FALSE(built_measure(&built));
}

/* Smaller than what QEMU writes to it: QEMU refuses it, too. */
TEST_OF(snp, f13)
{
	static const uint32_t sizes[] = { 0, 100, SNP_KERNEL_TABLE_SIZE - 1 };
	struct built built;

	built_init(&built, build_sections, BUILD_SECTIONS);
	for (unsigned int i = 0; i < 3; i++) {
		bytes_put32(built.data + BUILD_SIZE - BUILD_HASHES + 4, sizes[i]);
		EXPECT_FALSE(snp_firmware_parse(&built.firmware, "image", built.data, BUILD_SIZE,
						SNP_4G, &built.error));
		built.image.kernel = NULL;
		EXPECT_FALSE(built_measure(&built));
		built.image.kernel = &built.hashes;
		EXPECT_EQ(built_measure(&built), -EINVAL);
		EXPECT_STRSTR(built.error.hint, "0xb0 are needed");
	}
	bytes_put32(built.data + BUILD_SIZE - BUILD_HASHES + 4, SNP_KERNEL_TABLE_SIZE);
	EXPECT_FALSE(snp_firmware_parse(&built.firmware, "image", built.data, BUILD_SIZE, SNP_4G,
					&built.error));
	EXPECT_FALSE(built_measure(&built));
}

/* The parser lets no second one through; here it is after the parser. */
TEST_OF(snp, measure_second_hashes)
{
	struct built built;

	built_init(&built, build_sections, BUILD_SECTIONS);
	built.firmware.sections[BUILD_SECTIONS - 1].type = SNP_SECTION_KERNEL_HASHES;
	built.image.kernel = &built.hashes;
	EXPECT_FALSE(built_measure(&built));
	/* Each is the one page that there is. */
	EXPECT_EQ(built.measurement.pages, 2 + 9 + 3 + 1 + 1 + 1 + 1 + 1 + 1);
}

/* An SVSM's sections, entry and place are used, not the firmware's. */
TEST_OF(snp, measure_svsm)
{
	static const struct snp_section section = {
		0, 0x2000, SNP_SECTION_MEMORY,
	};
	uint8_t data[2 * BUILD_SIZE], sha384[SNP_DIGEST_SIZE];
	struct snp_firmware svsm;
	struct snp_digest digest = { 0 };
	struct snp_vmsa vmsa;
	struct built built;
	uint64_t end;

	built_init(&built, build_sections, BUILD_SECTIONS);
	build_firmware(data, sizeof(data), &section, 1, 0x3210);
	EXPECT_EQ(snp_image_svsm_end(&built.firmware, SNP_4G), 0);
	EXPECT_EQ(snp_image_svsm_end(&built.firmware, 1), 0);
	end = snp_image_svsm_end(&built.firmware, 0x10000);
	EXPECT_EQ(end, 0xfffee000);
	EXPECT_FALSE(snp_firmware_parse(&svsm, "SVSM", data, sizeof(data), end, &built.error));
	built.image.svsm = &svsm;
	built.image.nr_vcpus = 2;
	EXPECT_FALSE(built_measure(&built));
	add(&digest, SNP_PAGE_NORMAL, 0xffffe000, BUILD_SIZE, built.data);
	add(&digest, SNP_PAGE_NORMAL, end - sizeof(data), sizeof(data), data);
	add(&digest, SNP_PAGE_ZERO, 0, 0x2000, NULL);
	snp_vmm_vmsa(&vmsa, SNP_VMM_SVSM, 0, 0xfffea000 + 0x3210, 0x800f12, 1);
	EXPECT_EQ(vmsa.rip, 0xfffea000 + 0x3210);
	EXPECT_EQ(vmsa.cs.selector, 8);
	/* As it was when the published digest of an SVSM was that of snp.published_svsm. */
	EXPECT_FALSE(snp_sha384(&vmsa, sizeof(vmsa), sha384));
	EXPECT_TRUE(digest_is(sha384, "fcae1ae0b2b66b77aeffbbc630981d5cf03a994cad95fa60"
				      "105ff0a629b1f6e329075bc79d134d90e2110b0efa5cdf40"));
	snp_digest_page(&digest, SNP_PAGE_VMSA, SNP_VMSA_GPA, &vmsa);
	snp_digest_page(&digest, SNP_PAGE_VMSA, SNP_VMSA_GPA, &vmsa);
	EXPECT_MEMEQ(digest.value, built.measurement.digest, SNP_DIGEST_SIZE);
	built.image.kernel = &built.hashes;
	EXPECT_EQ(built_measure(&built), -EINVAL);
	built.image.kernel = NULL;
	svsm.has_svsm = false;
	EXPECT_EQ(built_measure(&built), -EINVAL);
}
