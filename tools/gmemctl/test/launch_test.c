// SPDX-License-Identifier: GPL-2.0
/*
 * Launches that succeed: the digest that the simulator computes from what comes
 * in through the ioctls is the predicted one, whatever KVM does at a time.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>

#include "../base/calls.h"
#include "../kvm/slot.h"
#include "../snp/launch.h"
#include "fixture.h"
#include "launch_world.h"
#include "snp_build.h"
#include "snp_vectors.h"
#include "test_hex.h"
#include "test_key.h"
#include "unit.h"

/* Pages of the made-up firmware: its two, and those of its sections. */
#define MADE_PAGES (2 + 9 + 3 + 1 + 1 + 1 + 1 + 15)

static void check_launched(struct launch_world *world)
{
	uint32_t nr_vcpus = world->config.image.nr_vcpus;

	CHECK_EQ(world->launch.state, SNP_LAUNCH_FINISHED);
	CHECK(launch_world_digest(world));
	CHECK_EQ(sim_vm_pages(world->sim, world->vm.fd),
		 world->launch.predicted.pages);
	CHECK(sim_vm_host_data(world->sim, world->vm.fd));
	for (uint32_t i = 0; i < nr_vcpus; i++) {
		struct kvm_regs regs;

		/* They belong to the firmware now. */
		CHECK_EQ(vcpu_get_regs(&world->vcpus[i], &regs), -EINVAL);
	}
}

static void launch_made(enum sim_profile profile)
{
	struct launch_world world;

	launch_world_init(&world, profile);
	CHECK(!launch_world_run(&world, SNP_LAUNCH_FINISHED));
	check_launched(&world);
	CHECK_EQ(world.launch.predicted.pages, MADE_PAGES + 2);
	CHECK(!world.launch.corrections);
	CHECK(!world.launch.retries);
	/* Each run went in with one call. */
	CHECK_EQ(world.launch.calls, 1 + BUILD_SECTIONS);
	CHECK(sim_vm_is_private(world.sim, world.vm.fd, 0x800000));
	CHECK(launch_world_said(&world, "SNP_LAUNCH_UPDATE", "SECRETS"));
	CHECK(launch_world_said(&world, "SNP_LAUNCH_FINISH", "vCPUs: 2"));
	launch_world_free(&world);
}

static void test_launch_made(void)
{
	launch_made(SIM_LINUX_6_12);
	launch_made(SIM_LINUX_7_3);
}

/* Nothing has been predicted from what the launch has done: the order says so. */
static void test_launch_predicted_first(void)
{
	const char *predicted, *finish;
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	CHECK(!launch_world_run(&world, SNP_LAUNCH_FINISHED));
	predicted = strstr(world.said, "predicted digest: ");
	finish = strstr(world.said, "SNP_LAUNCH_FINISH");
	CHECK(predicted && finish && predicted < finish);
	CHECK(predicted && is_hex(world.launch.predicted.digest,
				  SNP_DIGEST_SIZE, strtok(world.said + (predicted -
				  world.said) + strlen("predicted digest: "),
				  "\n")));
	launch_world_free(&world);
}

static void launch_debian(const struct vector_debian *vector,
			  const struct fixture *fixture,
			  enum sim_profile profile)
{
	struct launch_world world;

	launch_world_init(&world, profile);
	launch_world_firmware(&world, fixture->data, fixture->size);
	world.config.image.nr_vcpus = vector->nr_vcpus;
	world.config.image.signature = vector->signature;
	world.config.image.features = vector->features;
	CHECK(!launch_world_run(&world, SNP_LAUNCH_FINISHED));
	check_launched(&world);
	/* The registers are QEMU's, so the digest is one that others know. */
	CHECK(is_hex(sim_vm_digest(world.sim, world.vm.fd), SNP_DIGEST_SIZE,
		     vector->digest));
	CHECK_EQ(sim_vm_pages(world.sim, world.vm.fd), vector->pages);
	launch_world_free(&world);
}

static void test_launch_debian(void)
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
static void test_launch_kernel(void)
{
	uint8_t without[SNP_DIGEST_SIZE];
	struct snp_kernel_hashes hashes;
	struct launch_world world;

	CHECK(!build_kernel_hashes(&hashes, "kernel", "initrd", "quiet"));
	launch_world_init(&world, SIM_LINUX_7_3);
	CHECK(!launch_world_run(&world, SNP_LAUNCH_FINISHED));
	memcpy(without, world.launch.predicted.digest, sizeof(without));
	launch_world_free(&world);

	launch_world_init(&world, SIM_LINUX_7_3);
	world.config.image.kernel = &hashes;
	CHECK(!launch_world_run(&world, SNP_LAUNCH_FINISHED));
	check_launched(&world);
	CHECK(memcmp(without, world.launch.predicted.digest, sizeof(without)));
	launch_world_free(&world);
}

/* Without one, it is the CPU's; the page has the one that was asked for. */
static void test_launch_signature(void)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_6_12);
	CHECK(!launch_world_run(&world, SNP_LAUNCH_FINISHED));
	CHECK_EQ(world.launch.image.signature, 0xa00f11);
	launch_world_free(&world);

	launch_world_init(&world, SIM_LINUX_6_12);
	world.config.image.signature = 0x800f12;
	CHECK(!launch_world_run(&world, SNP_LAUNCH_FINISHED));
	check_launched(&world);
	for (uint32_t i = 0; i < world.launch.cpuid->count; i++)
		if (world.launch.cpuid->entries[i].eax_in == 1)
			CHECK_EQ(world.launch.cpuid->entries[i].eax, 0x800f12);
	launch_world_free(&world);
}

static void set_msr(struct vcpu *vcpu, uint32_t index, uint64_t value)
{
	struct {
		struct kvm_msrs header;
		struct kvm_msr_entry entry;
	} msr = { { .nmsrs = 1 }, { .index = index, .data = value } };

	CHECK_EQ(calls->ioctl(vcpu->fd, KVM_SET_MSRS, &msr), 1);
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
	CHECK(!vcpu_get_sregs(vcpu, &sregs));
	memset(&sregs, 0x5a, offsetof(struct kvm_sregs, apic_base));
	CHECK(!vcpu_set_sregs(vcpu, &sregs));
	CHECK(!vcpu_set_regs(vcpu, &regs));
	CHECK(!calls->ioctl(vcpu->fd, KVM_SET_XSAVE, &xsave));
	CHECK(!calls->ioctl(vcpu->fd, KVM_SET_XCRS, &xcrs));
	CHECK(!calls->ioctl(vcpu->fd, KVM_SET_DEBUGREGS, &debug));
	for (size_t i = 0; i < sizeof(msrs) / sizeof(msrs[0]); i++)
		set_msr(vcpu, msrs[i], 0x5a5a);
}

/* No register is left as it was found: each of these is in the digest. */
static void test_launch_registers(void)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	CHECK(!launch_world_run(&world, SNP_LAUNCH_POPULATED));
	for (unsigned int i = 0; i < world.nr_vcpus; i++)
		soil(&world.vcpus[i]);
	CHECK(!snp_launch_finish(&world.launch, world.vcpus, &world.error));
	check_launched(&world);
	launch_world_free(&world);
}

static void launch_slowly(unsigned int pages)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_6_12);
	world.host.progress = pages;
	launch_world_vm(&world);
	CHECK(!sim_fail(world.sim, SIM_AGAIN, 1, 0));
	CHECK(!launch_world_run(&world, SNP_LAUNCH_FINISHED));
	check_launched(&world);
	CHECK_EQ(world.launch.retries, 1);
	CHECK(world.launch.calls > MADE_PAGES / pages);
	launch_world_free(&world);
}

static void test_launch_partial(void)
{
	launch_slowly(1);
	launch_slowly(2);
	launch_slowly(7);
}

/* Pages become private where they are not, and stay so where they are. */
static void test_launch_attributes(void)
{
	struct launch_world world;
	char why[64];

	launch_world_init(&world, SIM_LINUX_7_3);
	world.starts_shared = true;
	CHECK(!launch_world_run(&world, SNP_LAUNCH_STARTED));
	CHECK(!sim_vm_is_private(world.sim, world.vm.fd, 0x800000));
	/* Somebody has converted the middle of a section long before. */
	CHECK(!guest_memory_convert(&world.memory,
				    (struct range){ 0x803000, 0x805000 }, true,
				    why, sizeof(why)));
	CHECK(!snp_launch_populate(&world.launch, &world.memory,
				   &world.vcpus[0], &world.error));
	CHECK(sim_vm_is_private(world.sim, world.vm.fd, 0x800000));
	CHECK(sim_vm_is_private(world.sim, world.vm.fd, 0xffffffff));
	CHECK(!sim_vm_is_private(world.sim, world.vm.fd, 0x900000));
	CHECK(!snp_launch_finish(&world.launch, world.vcpus, &world.error));
	check_launched(&world);
	launch_world_free(&world);
}

static void launch_signed(bool author)
{
	struct launch_signature signature;
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	launch_world_sign(&world, &signature, author);
	CHECK(!launch_world_run(&world, SNP_LAUNCH_FINISHED));
	check_launched(&world);
	CHECK(!memcmp(sim_vm_host_data(world.sim, world.vm.fd),
		      signature.host_data, SNP_HOST_DATA_SIZE));
	CHECK(launch_world_said(&world, "SNP_LAUNCH_FINISH", "ID block"));
	CHECK_EQ(launch_world_said(&world, "SNP_LAUNCH_FINISH", "author key"),
		 author);
	launch_world_free(&world);
}

static void test_launch_id_block(void)
{
	launch_signed(false);
	launch_signed(true);
}

/* A wrong ID block costs nothing: the VM is launched without it afterwards. */
static void refuse_signed(void (*spoil)(struct launch_signature *signature),
			  const char *action)
{
	struct launch_signature signature;
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_6_12);
	launch_world_sign(&world, &signature, true);
	spoil(&signature);
	CHECK_EQ(launch_world_run(&world, SNP_LAUNCH_FINISHED), -EBADMSG);
	CHECK(strstr(world.error.action, action));
	CHECK(!launch_world_said(&world, "INIT2", ""));
	CHECK_EQ(world.launch.state, SNP_LAUNCH_CLOSED);
	world.config.id_block = NULL;
	CHECK(!launch_world_run(&world, SNP_LAUNCH_FINISHED));
	check_launched(&world);
	launch_world_free(&world);
}

static void resign(struct launch_signature *signature)
{
	EVP_PKEY *key = test_key(TEST_ID_KEY);

	CHECK(!snp_id_auth_create(&signature->auth, &signature->block, key, NULL,
				  NULL));
	EVP_PKEY_free(key);
}

static void spoil_digest(struct launch_signature *signature)
{
	signature->block.digest[0] ^= 1;
	resign(signature);
}

static void spoil_policy(struct launch_signature *signature)
{
	signature->block.policy |= 1 << 19;
	resign(signature);
}

static void spoil_signature(struct launch_signature *signature)
{
	signature->block.guest_svn++;
}

static void test_launch_id_block_wrong(void)
{
	refuse_signed(spoil_digest, "compare digest");
	refuse_signed(spoil_policy, "compare policy");
	refuse_signed(spoil_signature, "");
}

/* The CPU does not have bit 6. */
static const struct sim_cpuid_value unknown_bit = {
	.leaf = 0x7, .reg = 1, .value = 0x219c97ab | 1 << 6,
};

/* The firmware lacks a bit that KVM has: it is told, taken, and KVM follows. */
static void test_launch_cpuid_corrected(void)
{
	struct kvm_cpuid2 *cpuid;
	struct launch_world world;
	bool seen = false;

	launch_world_init(&world, SIM_LINUX_7_3);
	world.host.cpuid[0] = unknown_bit;
	world.host.nr_cpuid = 1;
	CHECK(!launch_world_run(&world, SNP_LAUNCH_POPULATED));
	CHECK_EQ(world.launch.corrections, 1);
	CHECK(launch_world_said(&world, "CPUID page",
				"leaf 0x7.0 EBX: 0x219c97e9 is to be 0x219c97a9"));
	CHECK(!snp_launch_finish(&world.launch, world.vcpus, &world.error));
	check_launched(&world);
	CHECK(!snp_launch_get_cpuid(&world.vcpus[1], &cpuid, &world.error));
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == 7)
			seen = cpuid->entries[i].ebx == 0x219c97a9;
		/* Its APIC ID is still its own. */
		if (cpuid->entries[i].function == 1)
			CHECK(cpuid->entries[i].ebx >> 24 == 1);
	}
	CHECK(seen);
	free(cpuid);
	launch_world_free(&world);
}

static void test_launch_cpuid_strict(void)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	world.config.cpuid_strict = true;
	world.host.cpuid[0] = unknown_bit;
	world.host.nr_cpuid = 1;
	CHECK_EQ(launch_world_run(&world, SNP_LAUNCH_FINISHED), -EIO);
	CHECK(strstr(world.error.action, "INVALID_PARAM"));
	CHECK(strstr(world.error.hint, "--cpuid-strict"));
	CHECK(launch_world_said(&world, "CPUID page", "leaf 0x7.0 EBX"));
	CHECK_EQ(world.launch.state, SNP_LAUNCH_FAILED);
	launch_world_free(&world);
}

static void test_launch_cpuid_page(void)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + 80 *
					  sizeof(cpuid->entries[0]));
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
	CHECK(!snp_cpuid_page_build(&page, cpuid, &error));
	CHECK_EQ(page.count, 2);
	/* An index that is not significant says nothing. */
	CHECK(page.entries[0].eax_in == 1 && !page.entries[0].ecx_in);
	CHECK_EQ(page.entries[0].ecx, ~(1U << 24));
	CHECK(page.entries[1].ecx_in == 1 && page.entries[1].ebx == 0x240);
	CHECK_EQ(page.entries[1].xcr0_in, 1);
	cpuid->nent = 65;
	for (uint32_t i = 0; i < 65; i++)
		cpuid->entries[i] = (struct kvm_cpuid_entry2){
			.function = 0x100 + i, .eax = 1,
		};
	CHECK_EQ(snp_cpuid_page_build(&page, cpuid, &error), -E2BIG);
	cpuid->nent = 64;
	CHECK(!snp_cpuid_page_build(&page, cpuid, &error));
	CHECK_EQ(page.count, 64);
	free(cpuid);
}

static const struct unit_test tests[] = {
	{ "launch.made", test_launch_made },
	{ "launch.predicted_first", test_launch_predicted_first },
	{ "launch.debian", test_launch_debian },
	{ "launch.kernel", test_launch_kernel },
	{ "launch.signature", test_launch_signature },
	{ "launch.registers", test_launch_registers },
	{ "launch.partial", test_launch_partial },
	{ "launch.attributes", test_launch_attributes },
	{ "launch.id_block", test_launch_id_block },
	{ "launch.id_block_wrong", test_launch_id_block_wrong },
	{ "launch.cpuid_corrected", test_launch_cpuid_corrected },
	{ "launch.cpuid_strict", test_launch_cpuid_strict },
	{ "launch.cpuid_page", test_launch_cpuid_page },
};

UNIT_TESTS(tests)
