// SPDX-License-Identifier: GPL-2.0
/*
 * Launches that succeed: the digest that the simulator computes from what comes
 * in through the ioctls is the predicted one, whatever KVM does at a time.
 */
#include <stddef.h>
#include <openssl/evp.h>

#include "../base/calls.h"
#include "../base/hex.h"
#include "../kvm/slot.h"
#include "../snp/launch.h"
#include "fixture.h"
#include "launch_world.h"
#include "snp_build.h"
#include "snp_vectors.h"
#include "test_hex.h"
#include "test_key.h"
#include "ksft.h"

/* Pages of the made-up firmware: its two, and those of its sections. */
#define MADE_PAGES (2 + 9 + 3 + 1 + 1 + 1 + 1 + 15)

static void check_launched(void)
{
	uint32_t nr_vcpus = world.config.image.nr_vcpus;

	EXPECT_EQ(world.launch.state, SNP_LAUNCH_FINISHED);
	EXPECT_TRUE(launch_world_digest());
	EXPECT_EQ(sim_vm_pages(world.sim, world.vm.fd), world.launch.predicted.pages);
	EXPECT_TRUE(sim_vm_host_data(world.sim, world.vm.fd));
	for (uint32_t i = 0; i < nr_vcpus; i++) {
		struct kvm_regs regs;

		/* They belong to the firmware now. */
		EXPECT_EQ(vcpu_get_regs(&world.vcpus[i], &regs), -EINVAL);
	}
}

static void launch_made(enum sim_profile profile)
{
	char digest[2 * SNP_DIGEST_SIZE + 1];
	const char *predicted;

	launch_world_init(profile);
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_FINISHED));
	check_launched();
	/* Nothing is predicted from what the launch has done: it comes first. */
	hex_format(world.launch.predicted.digest, SNP_DIGEST_SIZE, digest);
	predicted = strstr(world.said, digest);
	EXPECT_TRUE(predicted && predicted < strstr(world.said, "SNP_LAUNCH_FINISH"));
	EXPECT_TRUE(launch_world_said("predicted digest", digest));
	EXPECT_EQ(world.launch.predicted.pages, MADE_PAGES + 2);
	EXPECT_FALSE(world.launch.corrections);
	EXPECT_FALSE(world.launch.retries);
	/* Each run went in with one call. */
	EXPECT_EQ(world.launch.calls, 1 + BUILD_SECTIONS);
	EXPECT_TRUE(sim_vm_is_private(world.sim, world.vm.fd, 0x800000));
	EXPECT_TRUE(launch_world_said("SNP_LAUNCH_UPDATE", "SECRETS"));
	EXPECT_TRUE(launch_world_said("SNP_LAUNCH_FINISH", "vCPUs: 2"));
	launch_world_free();
}

TEST_OF(launch, made)
{
	launch_made(SIM_LINUX_6_12);
	launch_made(SIM_LINUX_7_3);
}

static void launch_debian(const struct vector_debian *vector, const struct fixture *fixture,
			  enum sim_profile profile)
{
	launch_world_init(profile);
	launch_world_firmware(fixture->data, fixture->size);
	world.config.image.nr_vcpus = vector->nr_vcpus;
	world.config.image.signature = vector->signature;
	world.config.image.features = vector->features;
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_FINISHED));
	check_launched();
	/* The registers are QEMU's, so the digest is one that others know. */
	EXPECT_TRUE(is_hex(sim_vm_digest(world.sim, world.vm.fd), SNP_DIGEST_SIZE, vector->digest));
	EXPECT_TRUE(is_hex(world.launch.predicted.firmware, SNP_DIGEST_SIZE, vector->firmware));
	EXPECT_EQ(sim_vm_pages(world.sim, world.vm.fd), vector->pages);
	launch_world_free();
}

TEST_OF(launch, debian)
{
	for (int i = 0; i < VECTOR_DEBIAN; i++) {
		const struct vector_debian *vector = &vector_debian[i];
		struct fixture fixture;

		if (vector->nr_vcpus > LAUNCH_VCPUS ||
		    !fixture_load(&fixture, vector->fixture, vector->sha256))
			continue;
		launch_debian(vector, &fixture, SIM_LINUX_6_12);
		launch_debian(vector, &fixture, SIM_LINUX_7_3);
		vector_tell(vector->fixture, vector->nr_vcpus);
		fixture_free(&fixture);
	}
}

/* The kernel is in the digest, by its hashes. */
TEST_OF(launch, kernel)
{
	uint8_t without[SNP_DIGEST_SIZE];
	struct snp_kernel_hashes hashes;

	EXPECT_FALSE(build_kernel_hashes(&hashes, "kernel", "initrd", "quiet"));
	launch_world_init(SIM_LINUX_7_3);
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_FINISHED));
	memcpy(without, world.launch.predicted.digest, sizeof(without));
	launch_world_free();

	launch_world_init(SIM_LINUX_7_3);
	world.config.image.kernel = &hashes;
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_FINISHED));
	check_launched();
	EXPECT_TRUE(memcmp(without, world.launch.predicted.digest, sizeof(without)));
	launch_world_free();
}

/* Without one, it is the CPU's; the page has the one that was asked for. */
TEST_OF(launch, signature)
{
	launch_world_init(SIM_LINUX_6_12);
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_FINISHED));
	EXPECT_EQ(world.launch.image.signature, 0xa00f11);
	launch_world_free();

	launch_world_init(SIM_LINUX_6_12);
	world.config.image.signature = 0x800f12;
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_FINISHED));
	check_launched();
	for (uint32_t i = 0; i < world.launch.cpuid->count; i++)
		if (world.launch.cpuid->entries[i].eax_in == 1)
			EXPECT_EQ(world.launch.cpuid->entries[i].eax, 0x800f12);
	launch_world_free();
}

static void set_msr(struct vcpu *vcpu, uint32_t index, uint64_t value)
{
	struct {
		struct kvm_msrs header;
		struct kvm_msr_entry entry;
	} msr = { { .nmsrs = 1 }, { .index = index, .data = value } };

	EXPECT_EQ(calls->ioctl(vcpu->fd, KVM_SET_MSRS, &msr), 1);
}

/* What a vCPU may be left with by whoever had it before. */
static void soil(struct vcpu *vcpu)
{
	static const uint32_t msrs[] = {
		0x277, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084,
		0xc0000102, 0x174, 0x175, 0x176, 0x48, 0xda0,
	};
	struct kvm_debugregs debug = { .dr6 = 0xffff0ff1, .dr7 = 0x401 };
	struct kvm_xcrs xcrs = { .nr_xcrs = 1, .xcrs[0].value = 7 };
	struct kvm_xsave xsave = { 0 };
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	memset(&regs, 0x5a, sizeof(regs));
	memset(xsave.region, 0x5a, 512);
	EXPECT_FALSE(vcpu_get_sregs(vcpu, &sregs));
	memset(&sregs, 0x5a, offsetof(struct kvm_sregs, apic_base));
	EXPECT_FALSE(vcpu_set_sregs(vcpu, &sregs));
	EXPECT_FALSE(vcpu_set_regs(vcpu, &regs));
	EXPECT_FALSE(calls->ioctl(vcpu->fd, KVM_SET_XSAVE, &xsave));
	EXPECT_FALSE(calls->ioctl(vcpu->fd, KVM_SET_XCRS, &xcrs));
	EXPECT_FALSE(calls->ioctl(vcpu->fd, KVM_SET_DEBUGREGS, &debug));
	ksft_for_each(msr, msrs)
		set_msr(vcpu, *msr, 0x5a5a);
}

/* No register is left as it was found: each of these is in the digest. */
TEST_OF(launch, registers)
{
	launch_world_init(SIM_LINUX_7_3);
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_POPULATED));
	for (unsigned int i = 0; i < world.nr_vcpus; i++)
		soil(&world.vcpus[i]);
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_FINISHED));
	check_launched();
	launch_world_free();
}

static void launch_slowly(unsigned int pages)
{
	launch_world_init(SIM_LINUX_6_12);
	world.host.progress = pages;
	launch_world_vm();
	EXPECT_FALSE(sim_fail(world.sim, SIM_AGAIN, 1, 0));
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_FINISHED));
	check_launched();
	EXPECT_EQ(world.launch.retries, 1);
	EXPECT_GT(world.launch.calls, MADE_PAGES / pages);
	launch_world_free();
}

TEST_OF(launch, partial)
{
	launch_slowly(1);
	launch_slowly(2);
	launch_slowly(7);
}

/* Pages become private where they are not, and stay so where they are. */
TEST_OF(launch, attributes)
{
	char why[64];

	launch_world_init(SIM_LINUX_7_3);
	world.starts_shared = true;
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_STARTED));
	EXPECT_FALSE(sim_vm_is_private(world.sim, world.vm.fd, 0x800000));
	/* Somebody has converted the middle of a section long before. */
	EXPECT_FALSE(guest_memory_convert(&world.memory, (struct range){ 0x803000, 0x805000 },
					  true, why, sizeof(why)));
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_POPULATED));
	EXPECT_TRUE(sim_vm_is_private(world.sim, world.vm.fd, 0x800000));
	EXPECT_TRUE(sim_vm_is_private(world.sim, world.vm.fd, 0xffffffff));
	EXPECT_FALSE(sim_vm_is_private(world.sim, world.vm.fd, 0x900000));
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_FINISHED));
	check_launched();
	launch_world_free();
}

static void launch_signed(bool author)
{
	struct launch_signature signature;

	launch_world_init(SIM_LINUX_7_3);
	launch_world_sign(&signature, author);
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_FINISHED));
	check_launched();
	EXPECT_MEMEQ(sim_vm_host_data(world.sim, world.vm.fd), signature.host_data,
		     SNP_HOST_DATA_SIZE);
	EXPECT_TRUE(launch_world_said("SNP_LAUNCH_FINISH", "ID block"));
	EXPECT_EQ(launch_world_said("SNP_LAUNCH_FINISH", "author key"), author);
	launch_world_free();
}

TEST_OF(launch, id_block)
{
	launch_signed(false);
	launch_signed(true);
}

/* A wrong ID block costs nothing: the VM is launched without it afterwards. */
static void refuse_signed(uint8_t digest, uint64_t policy, uint32_t unsigned_svn,
			  const char *action)
{
	EVP_PKEY *key = test_key(TEST_ID_KEY);
	struct launch_signature signature;

	launch_world_init(SIM_LINUX_6_12);
	launch_world_sign(&signature, true);
	signature.block.digest[0] ^= digest;
	signature.block.policy |= policy;
	EXPECT_FALSE(snp_id_auth_create(&signature.auth, &signature.block, key, NULL, NULL));
	signature.block.guest_svn += unsigned_svn;
	EXPECT_EQ(launch_world_run(SNP_LAUNCH_FINISHED), -EBADMSG);
	EXPECT_STRSTR(world.error.action, action);
	EXPECT_FALSE(launch_world_said("INIT2", ""));
	EXPECT_EQ(world.launch.state, SNP_LAUNCH_CLOSED);
	world.config.id_block = NULL;
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_FINISHED));
	check_launched();
	launch_world_free();
	EVP_PKEY_free(key);
}

TEST_OF(launch, id_block_wrong)
{
	refuse_signed(1, 0, 0, "compare digest");
	refuse_signed(0, 1 << 19, 0, "compare policy");
	refuse_signed(0, 0, 1, "check signature");
}

/* The CPU does not have bit 6. */
static const struct sim_cpuid_value unknown_bit = {
	.leaf = 0x7, .reg = 1, .value = 0x219c97ab | 1 << 6,
};

/* The firmware lacks a bit that KVM has: it is told, taken, and KVM follows. */
TEST_OF(launch, cpuid_corrected)
{
	struct kvm_cpuid2 *cpuid;
	bool seen = false;

	launch_world_init(SIM_LINUX_7_3);
	world.host.cpuid[0] = unknown_bit;
	world.host.nr_cpuid = 1;
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_POPULATED));
	EXPECT_EQ(world.launch.corrections, 1);
	EXPECT_TRUE(launch_world_said("CPUID page",
				      "leaf 0x7.0 EBX: 0x219c97e9, but the firmware "
				      "requires 0x219c97a9"));
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_FINISHED));
	check_launched();
	EXPECT_FALSE(snp_launch_get_cpuid(&world.vcpus[1], &cpuid, &world.error));
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == 7)
			seen = cpuid->entries[i].ebx == 0x219c97a9;
		/* Its APIC ID is still its own. */
		if (cpuid->entries[i].function == 1)
			EXPECT_EQ(cpuid->entries[i].ebx >> 24, 1);
	}
	EXPECT_TRUE(seen);
	free(cpuid);
	launch_world_free();
}

TEST_OF(launch, cpuid_strict)
{
	launch_world_init(SIM_LINUX_7_3);
	world.config.cpuid_strict = true;
	world.host.cpuid[0] = unknown_bit;
	world.host.nr_cpuid = 1;
	EXPECT_EQ(launch_world_run(SNP_LAUNCH_FINISHED), -EIO);
	EXPECT_STRSTR(world.error.action, "INVALID_PARAM");
	EXPECT_STRSTR(world.error.hint, "--cpuid-strict");
	EXPECT_TRUE(launch_world_said("CPUID page", "leaf 0x7.0 EBX"));
	EXPECT_EQ(world.launch.state, SNP_LAUNCH_FAILED);
	launch_world_free();
}

TEST_OF(launch, cpuid_page)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + 80 * sizeof(cpuid->entries[0]));
	struct snp_cpuid_page page;
	struct error error;

	cpuid->nent = 3;
	cpuid->entries[0] = (struct kvm_cpuid_entry2){
		.function = 1, .index = 5, .ecx = UINT32_MAX,
	};
	cpuid->entries[2] = (struct kvm_cpuid_entry2){
		.function = 0xd, .index = 1, .ebx = 0x988,
		.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
	};
	EXPECT_FALSE(snp_cpuid_page_build(&page, cpuid, &error));
	EXPECT_EQ(page.count, 2);
	/* An index that is not significant says nothing. */
	EXPECT_EQ(page.entries[0].eax_in, 1);
	EXPECT_FALSE(page.entries[0].ecx_in);
	EXPECT_EQ(page.entries[0].ecx, ~(1U << 24));
	EXPECT_EQ(page.entries[1].ecx_in, 1);
	EXPECT_EQ(page.entries[1].ebx, 0x240);
	EXPECT_EQ(page.entries[1].xcr0_in, 1);
	cpuid->nent = 65;
	for (uint32_t i = 0; i < 65; i++)
		cpuid->entries[i] = (struct kvm_cpuid_entry2){
			.function = 0x100 + i, .eax = 1,
		};
	EXPECT_EQ(snp_cpuid_page_build(&page, cpuid, &error), -E2BIG);
	cpuid->nent = 64;
	EXPECT_FALSE(snp_cpuid_page_build(&page, cpuid, &error));
	EXPECT_EQ(page.count, 64);
	free(cpuid);
}
