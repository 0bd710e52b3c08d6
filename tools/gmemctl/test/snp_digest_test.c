// SPDX-License-Identifier: GPL-2.0
/* The chain of digests, VMSA pages and kernel hashes agree with the vectors. */
#include "../base/hex.h"
#include "../snp/measure.h"
#include "snp_build.h"
#include "snp_vectors.h"
#include "test_hex.h"
#include "ksft.h"

TEST_OF(snp, hex)
{
	uint8_t bytes[3] = { 1, 2, 3 };
	char text[7];

	EXPECT_EQ(hex_parse("", bytes, 3), -EINVAL);
	EXPECT_EQ(hex_parse("0a0B0", bytes, 3), -EINVAL);
	EXPECT_EQ(hex_parse("0a0B0c0", bytes, 3), -EINVAL);
	EXPECT_EQ(hex_parse("0a0B0g", bytes, 3), -EINVAL);
	EXPECT_EQ(hex_parse("0x0B0c", bytes, 3), -EINVAL);
	EXPECT_EQ(bytes[0], 1);
	EXPECT_EQ(bytes[1], 2);
	EXPECT_EQ(bytes[2], 3);
	EXPECT_FALSE(hex_parse("ff0Bc0", bytes, 3));
	EXPECT_STREQ(hex_format(bytes, 3, text), "ff0bc0");
	EXPECT_FALSE(hex_parse("", bytes, 0));
}

static void vector_page(unsigned int step, uint8_t page[SNP_PAGE_SIZE])
{
	static const uint8_t fill[] = {
		[0] = 0x00, [6] = 0xaa, [7] = 0x55,
	};

	memset(page, step < sizeof(fill) ? fill[step] : 0, SNP_PAGE_SIZE);
	for (unsigned int i = 0; step == 1 && i < SNP_PAGE_SIZE; i++)
		page[i] = (uint8_t)i;
}

/* Every page type, in one chain; @step is the index into vector_chain. */
static void chain_step(struct snp_digest *digest, unsigned int step)
{
	static const struct {
		enum snp_page_type type;
		uint64_t gpa;
	} steps[] = {
		{ SNP_PAGE_NORMAL, 0x1000 },
		{ SNP_PAGE_NORMAL, 0x2000 },
		{ SNP_PAGE_ZERO, 0x3000 },
		{ SNP_PAGE_UNMEASURED, 0x4000 },
		{ SNP_PAGE_SECRETS, 0x5000 },
		{ SNP_PAGE_CPUID, 0x6000 },
		{ SNP_PAGE_NORMAL, 0xfffff000 },
		{ SNP_PAGE_NORMAL, 0x123456789000 },
		{ SNP_PAGE_VMSA, SNP_VMSA_GPA },
		{ SNP_PAGE_VMSA, SNP_VMSA_GPA },
	};
	uint8_t page[SNP_PAGE_SIZE];

	vector_page(step, page);
	if (step == 8)
		snp_vmm_vmsa((void *)page, SNP_VMM_QEMU, 0, SNP_RESET_EIP, 0x800f12, 1);
	if (step == 9)
		snp_vmm_vmsa((void *)page, SNP_VMM_QEMU, 1, VECTOR_AP_EIP, 0x800f12, 1);
	EXPECT_FALSE(snp_digest_page(digest, steps[step].type, steps[step].gpa, page));
}

TEST_OF(snp, chain)
{
	struct snp_digest digest = { 0 };

	for (unsigned int i = 0; i < VECTOR_CHAIN; i++) {
		chain_step(&digest, i);
		EXPECT_TRUE(is_hex(digest.value, SNP_DIGEST_SIZE, vector_chain[i]));
	}
	EXPECT_EQ(digest.pages, VECTOR_CHAIN);
	vector_tell("chain of every page type", 0);
}

/* A run is its pages, one after the other, with contents or of zeros. */
TEST_OF(snp, runs)
{
	static uint8_t data[3 * SNP_PAGE_SIZE], zeros[SNP_PAGE_SIZE];
	const struct snp_run runs[] = {
		{ "data", SNP_PAGE_NORMAL, 0x10000, sizeof(data), data },
		{ "no data", SNP_PAGE_NORMAL, 0x30000, SNP_PAGE_SIZE, NULL },
		{ "zero", SNP_PAGE_ZERO, 0x20000, 0x2000, NULL },
	};
	struct snp_digest whole = { 0 }, pages = { 0 };

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i / 13);
	for (int i = 0; i < 3; i++)
		EXPECT_FALSE(snp_digest_run(&whole, &runs[i]));
	for (unsigned int i = 0; i < 3; i++)
		EXPECT_FALSE(snp_digest_page(&pages, SNP_PAGE_NORMAL, 0x10000 + i * SNP_PAGE_SIZE,
					     data + i * SNP_PAGE_SIZE));
	EXPECT_FALSE(snp_digest_page(&pages, SNP_PAGE_NORMAL, 0x30000, zeros));
	EXPECT_FALSE(snp_digest_page(&pages, SNP_PAGE_ZERO, 0x20000, NULL));
	EXPECT_FALSE(snp_digest_page(&pages, SNP_PAGE_ZERO, 0x21000, NULL));
	EXPECT_MEMEQ(&whole, &pages, sizeof(whole));
}

static void check_vmsa(const struct vector_vmsa *vector, const struct snp_vmsa *vmsa)
{
	uint8_t digest[SNP_DIGEST_SIZE];

	EXPECT_FALSE(snp_sha384(vmsa, sizeof(*vmsa), digest));
	EXPECT_TRUE(is_hex(digest, sizeof(digest), vector->sha384));
}

TEST_OF(snp, vmsa)
{
	for (unsigned int i = 0; i < VECTOR_VMSAS; i++) {
		const struct vector_vmsa *vector = &vector_vmsas[i];
		struct snp_vmsa vmsa;

		snp_vmm_vmsa(&vmsa, vector->vmm, vector->index,
			     vector->index ? VECTOR_AP_EIP : SNP_RESET_EIP,
			     vector->signature, vector->features);
		check_vmsa(vector, &vmsa);
		/* What gmemctl sets, through KVM's transform, is what QEMU's guests have. */
		if (vector->vmm == SNP_VMM_QEMU) {
			snp_vmm_vmsa(&vmsa, SNP_VMM_GMEMCTL, vector->index,
				     vector->index ? VECTOR_AP_EIP : SNP_RESET_EIP,
				     vector->signature, vector->features);
			check_vmsa(vector, &vmsa);
		}
		vector_tell(vector->name, 0);
	}
}

/* The state of a vCPU that KVM has reset and nobody has touched. */
static void vcpu_untouched(struct snp_vcpu *vcpu)
{
	struct kvm_sregs *sregs = &vcpu->sregs;

	snp_vcpu_reset(vcpu, SNP_RESET_EIP, 0x600, 1);
	sregs->es.type = 2;
	sregs->ss.type = 2;
	sregs->ds.type = 2;
	sregs->fs.type = 2;
	sregs->gs.type = 2;
	sregs->cs.type = 0xa;
	sregs->tr.type = 3;
	sregs->cr0 = 0x60000010;
}

TEST_OF(snp, vmsa_transform)
{
	struct snp_vcpu vcpu;
	struct snp_vmsa vmsa;

	vcpu_untouched(&vcpu);
	snp_vmsa_from_vcpu(&vmsa, &vcpu);
	for (unsigned int i = 0; i < VECTOR_VMSAS; i++)
		if (vector_vmsas[i].vmm == SNP_VMM_KVM)
			check_vmsa(&vector_vmsas[i], &vmsa);

	/* Long mode: every attribute, CPL, the general registers, the FPU. */
	vcpu.sregs.cs = (struct kvm_segment){
		.selector = 8, .limit = 0xffffffff, .type = 0xb, .present = 1,
		.dpl = 3, .s = 1, .l = 1, .g = 1, .avl = 1,
	};
	vcpu.sregs.ss.dpl = 3;
	vcpu.sregs.ds.unusable = 1;
	vcpu.sregs.ds.db = 1;
	vcpu.sregs.efer = 0x500;
	vcpu.regs.r8 = 8;
	vcpu.regs.r15 = 15;
	vcpu.regs.rflags = 0x200;
	memset(vcpu.fpu.fpr[1], 0x77, 10);
	vcpu.fpu.xmm[15][15] = 0x99;
	snp_vmsa_from_vcpu(&vmsa, &vcpu);
	EXPECT_EQ(vmsa.cs.attributes, 0xbfb);
	EXPECT_EQ(vmsa.cs.limit, 0xffffffff);
	EXPECT_EQ(vmsa.ds.attributes, 0x412);
	EXPECT_EQ(vmsa.cpl, 3);
	EXPECT_EQ(vmsa.efer, 0x1500);
	EXPECT_EQ(vmsa.rflags, 0x202);
	EXPECT_EQ(vmsa.r8_r15[0], 8);
	EXPECT_EQ(vmsa.r8_r15[7], 15);
	EXPECT_EQ(vmsa.x87[7], 0);
	EXPECT_EQ(vmsa.x87[8], 0x77);
	EXPECT_EQ(vmsa.x87[15], 0x77);
	EXPECT_EQ(vmsa.x87[16], 0);
	EXPECT_EQ(vmsa.x87[66], 0x77);
	EXPECT_EQ(vmsa.x87[68], 0);
	EXPECT_EQ(vmsa.xmm[255], 0x99);
	EXPECT_EQ(vmsa.xmm[254], 0);
}

TEST_OF(snp, vcpu_types)
{
	static const struct {
		const char *name;
		uint32_t signature;
	} types[] = {
		{ "EPYC", 0x800f12 }, { "EPYC-v4", 0x800f12 },
		{ "EPYC-Rome", 0x830f10 }, { "EPYC-Milan", 0xa00f11 },
		{ "epyc-milan-v2", 0xa00f11 }, { "EPYC-Genoa", 0xa10f10 },
		{ "EPYC-Turin", 0xb00f00 },
		{ "", 0 }, { "EPY", 0 }, { "EPYC-", 0 }, { "EPYC-v", 0 },
		{ "EPYC-v10", 0 }, { "EPYC-v0", 0 }, { "EPYC-Milano", 0 },
	};

	ksft_for_each(type, types)
		EXPECT_EQ(snp_vcpu_type_find(type->name), type->signature);
	EXPECT_EQ(snp_vcpu_signature(14, 1, 2), 0xe12);
	EXPECT_EQ(snp_vcpu_signature(23, 1, 2), 0x800f12);
	EXPECT_EQ(snp_vmm_find("ec2-old"), SNP_VMM_EC2_OLD);
	EXPECT_EQ(snp_vmm_find("EC2"), SNP_VMM_EC2);
	EXPECT_EQ(snp_vmm_find("ec"), -ENOENT);
	EXPECT_EQ(snp_vmm_find(""), -ENOENT);
	for (int i = 0; i < SNP_VMM_COUNT; i++)
		EXPECT_EQ(snp_vmm_find(snp_vmm_name((enum snp_vmm)i)), i);
}

TEST_OF(snp, kernel_hashes)
{
	struct snp_kernel_hashes hashes;
	uint8_t page[SNP_PAGE_SIZE] = { 0 };
	uint8_t table[SNP_KERNEL_TABLE_SIZE], digest[SNP_DIGEST_SIZE];

	EXPECT_FALSE(build_kernel_hashes(&hashes, "KERNEL", "INITRD", "console=ttyS0 loglevel=7"));
	snp_kernel_hashes_table(&hashes, page + 0xc00);
	EXPECT_TRUE(is_hex(page + 0xc00, SNP_KERNEL_TABLE_SIZE,
			   "06d63894224fc94cb479a793d411fd21a800d82dd09720bd944caa78"
			   "e7714d36ab2a3200321c8eec6a77bad179511397f913a083067ad8cb"
			   "737bb260aacbfe8df70fc50a31f7ba442f3ad74b9af141e29169781d"
			   "3200f5e3dba158c542884540793cb24e361afb19e6874c5934e2a030"
			   "4203b7626fe43794e74dd2ab7f42b835d5b172d2045b3200a204d4ad"
			   "1de3e9b07751899e5cf4d4a3017328c41372c70fdcc8db9587bb38fb"
			   "0000000000000000"));
	EXPECT_FALSE(snp_sha384(page, sizeof(page), digest));
	EXPECT_TRUE(is_hex(digest, sizeof(digest),
			   "42f2a7387872a8d0601299f693c9e34f33fe548f9fd4e931"
			   "ca4ab322d7f83413d42da1988da1d2d8e11752355e3f1aa7"));
	EXPECT_FALSE(snp_kernel_hashes_init(&hashes, NULL));
	snp_kernel_hashes_table(&hashes, table);
	EXPECT_TRUE(is_hex(table, SNP_KERNEL_TABLE_SIZE,
			   "06d63894224fc94cb479a793d411fd21a800d82dd09720bd944caa78"
			   "e7714d36ab2a32006e340b9cffb37a989ca544e6bb780a2c78901d3f"
			   "b33738768511a30617afa01d31f7ba442f3ad74b9af141e29169781d"
			   "3200e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495"
			   "991b7852b8553794e74dd2ab7f42b835d5b172d2045b3200e3b0c442"
			   "98fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
			   "0000000000000000"));
}
