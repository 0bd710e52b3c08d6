// SPDX-License-Identifier: GPL-2.0
/* The simulator answers as the kernels do, and measures as the firmware does. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>

#include "base/hex.h"
#include "fixture.h"
#include "sim_cases.h"
#include "snp/id_block.h"
#include "snp/measure.h"
#include "snp_build.h"
#include "snp_vectors.h"
#include "test_hex.h"
#include "test_key.h"
#include "ksft.h"

TEST_OF(sim, cases_6_12)
{
	sim_cases_run(SIM_LINUX_6_12);
}

TEST_OF(sim, cases_7_3)
{
	sim_cases_run(SIM_LINUX_7_3);
}

static bool digest_is(struct world *world, const char *text)
{
	const uint8_t *digest = sim_vm_digest(world->sim, world->vm);

	return digest && is_hex(digest, SNP_DIGEST_SIZE, text);
}

static void set_vcpu(struct world *world, const struct snp_vcpu *state)
{
	struct kvm_msrs *msrs = calloc(1, sizeof(*msrs) +
				       sizeof(msrs->entries[0]));
	struct kvm_xcrs xcrs = {
		.nr_xcrs = 1, .xcrs[0].value = state->xcr0,
	};
	struct snp_vcpu copy = *state;

	msrs->nmsrs = 1;
	msrs->entries[0].index = 0x277;
	msrs->entries[0].data = state->pat;
#define SET(request, arg) \
	EXPECT_GE(sim_ioctl(world->sim, world->vcpu, request, arg), 0)
	SET(KVM_SET_REGS, &copy.regs);
	SET(KVM_SET_SREGS, &copy.sregs);
	SET(KVM_SET_FPU, &copy.fpu);
	SET(KVM_SET_XCRS, &xcrs);
	SET(KVM_SET_MSRS, msrs);
#undef SET
	free(msrs);
}

/* The vectors that one page and one vCPU make, from KVM's ioctls up. */
TEST_OF(sim, minimal_guest)
{
	struct snp_vcpu state;
	struct world world;

	world_init(&world, SIM_LINUX_7_3);
	memset(world.source, 0xf4, WORLD_PAGE);
	world_ready(&world);
	EXPECT_FALSE(world_update(&world, 1, 1, 1));
	EXPECT_FALSE(world_finish(&world));
	EXPECT_TRUE(digest_is(&world,
			      "eff8afe28ed0d72884cd7121b564ee7ef6ce100cd48ec68b"
			      "0f19eac85723ab3ebf772974cb4714f5c8f7213c893200bc"));
	world_free(&world);

	world_init(&world, SIM_LINUX_6_12);
	memset(world.source, 0xf4, WORLD_PAGE);
	world_ready(&world);
	snp_vcpu_reset(&state, SNP_RESET_EIP, 0x800f12, 1);
	set_vcpu(&world, &state);
	EXPECT_FALSE(world_update(&world, 1, 1, 1));
	EXPECT_FALSE(world_finish(&world));
	EXPECT_TRUE(digest_is(&world,
			      "2a4b9f61239267b92aef31dc7c3e5e96389f295f9d2da179"
			      "13dc6ae4a52ab74103280587922bc9c0488a44a4cfca2275"));
	world_free(&world);
}

/* A VMM that reads the registers and writes them back changes the digest. */
TEST_OF(sim, sregs_roundtrip)
{
	struct snp_digest digest;
	struct kvm_sregs sregs;
	struct snp_vmsa vmsa;
	struct world world;

	world_init(&world, SIM_LINUX_7_3);
	world_ready(&world);
	EXPECT_FALSE(sim_ioctl(world.sim, world.vcpu, KVM_GET_SREGS, &sregs));
	EXPECT_FALSE(sim_ioctl(world.sim, world.vcpu, KVM_SET_SREGS, &sregs));
	EXPECT_FALSE(world_finish(&world));
	snp_digest_init(&digest);
	snp_vmm_vmsa(&vmsa, SNP_VMM_KVM_SREGS, 0, SNP_RESET_EIP, 0, 1);
	EXPECT_FALSE(snp_digest_page(&digest, SNP_PAGE_VMSA, SNP_VMSA_GPA, &vmsa));
	EXPECT_MEMEQ(digest.value, sim_vm_digest(world.sim, world.vm), SNP_DIGEST_SIZE);
	world_free(&world);
}

/* Memory at @gpa, private, all of it. */
static void add_memory(struct world *world, uint32_t slot, uint64_t gpa,
		       uint64_t size)
{
	int gmem = world_gmem(world, size, 0);

	EXPECT_GE(gmem, 0);
	EXPECT_FALSE(world_slot(world, slot, gpa, size, gmem, 0));
	EXPECT_FALSE(world_attributes(world, gpa, size, KVM_MEMORY_ATTRIBUTE_PRIVATE, 0));
}

static void update_all(struct world *world, uint8_t type, uint64_t gpa,
		       const void *data, uint64_t size)
{
	world->update = (struct snp_kvm_launch_update){
		.gfn_start = gpa / WORLD_PAGE, .uaddr = (uint64_t)data,
		.len = size, .type = type,
	};
	while (world->update.len) {
		uint64_t before = world->update.len;

		if (world_update_again(world) || world->update.len == before)
			break;
	}
	EXPECT_FALSE(world->update.len);
}

static void update_sections(struct world *world,
			    const struct snp_firmware *firmware)
{
	static const uint8_t types[] = {
		[SNP_SECTION_MEMORY] = SNP_PAGE_ZERO,
		[SNP_SECTION_SECRETS] = SNP_PAGE_SECRETS,
		[SNP_SECTION_CPUID] = SNP_PAGE_CPUID,
		[SNP_SECTION_SVSM_CAA] = SNP_PAGE_ZERO,
		[SNP_SECTION_KERNEL_HASHES] = SNP_PAGE_ZERO,
	};

	memset(world->source, 0, WORLD_PAGES * WORLD_PAGE);
	for (unsigned int i = 0; i < firmware->nr_sections; i++) {
		const struct snp_section *section = &firmware->sections[i];

		update_all(world, types[section->type], section->base,
			   world->source, section->size);
	}
}

static void add_vcpus(struct world *world, const struct snp_image *image)
{
	struct snp_vcpu state;

	for (unsigned long i = 0; i < image->nr_vcpus; i++) {
		world->vcpu = sim_ioctl(world->sim, world->vm, KVM_CREATE_VCPU,
					(void *)i);
		EXPECT_GE(world->vcpu, 0);
		snp_vcpu_reset(&state, i ? image->firmware->reset_eip :
			       SNP_RESET_EIP, image->signature, image->features);
		set_vcpu(world, &state);
	}
}

/* All of a launch but LAUNCH_FINISH */
static void launch_ready(struct world *world, const struct snp_image *image)
{
	const struct snp_firmware *firmware = image->firmware;
	uint64_t base = SNP_4G - firmware->size;

	world_vm(world);
	EXPECT_FALSE(world_init2(world, image->features & ~SNP_FEATURE_ACTIVE, 0, 2));
	EXPECT_FALSE(world_start(world, 0x30000));
	add_memory(world, 0, 0, 0x1000000);
	add_memory(world, 1, base, firmware->size);
	update_all(world, SNP_PAGE_NORMAL, base, firmware->data,
		   firmware->size);
	update_sections(world, firmware);
	add_vcpus(world, image);
}

/* A whole launch of a firmware image ends with the digest that was predicted. */
static void launch(enum sim_profile profile, unsigned int progress,
		   const struct snp_image *image,
		   const uint8_t digest[SNP_DIGEST_SIZE], uint64_t pages)
{
	struct world world;

	world_init(&world, profile);
	world.host.progress = progress;
	launch_ready(&world, image);
	EXPECT_FALSE(world_finish(&world));
	EXPECT_MEMEQ(sim_vm_digest(world.sim, world.vm), digest, SNP_DIGEST_SIZE);
	EXPECT_EQ(sim_vm_pages(world.sim, world.vm), pages);
	world_free(&world);
}

TEST_OF(sim, launch)
{
	uint8_t *data = aligned_alloc(WORLD_PAGE, BUILD_SIZE);
	struct snp_measurement measurement;
	struct snp_firmware firmware;
	struct snp_image image = {
		.firmware = &firmware, .vmm = SNP_VMM_GMEMCTL, .nr_vcpus = 3,
		.signature = 0xa00f11, .features = 0x21,
	};
	struct error error;

	build_firmware(data, BUILD_SIZE, build_sections, BUILD_SECTIONS, 0);
	EXPECT_FALSE(snp_firmware_parse(&firmware, "image", data, BUILD_SIZE, SNP_4G, &error));
	EXPECT_FALSE(snp_measure(&image, &measurement, &error));
	for (int profile = 0; profile < SIM_PROFILES; profile++)
		for (unsigned int progress = 0; progress < 4; progress++)
			launch((enum sim_profile)profile, progress, &image,
			       measurement.digest, measurement.pages);
	free(data);
}

/**
 * struct prediction - what a prediction is made from
 */
struct prediction {
	struct snp_firmware firmware;
	struct snp_image image;
	uint8_t *data;
};

static void prediction_init(struct prediction *prediction, const uint8_t *data)
{
	struct error error;

	memcpy(prediction->data, data, BUILD_SIZE);
	EXPECT_FALSE(snp_firmware_parse(&prediction->firmware, "image", prediction->data,
					BUILD_SIZE, SNP_4G, &error));
	prediction->image = (struct snp_image){
		.firmware = &prediction->firmware, .vmm = SNP_VMM_GMEMCTL,
		.nr_vcpus = 2, .signature = 0xa00f11, .features = 0x21,
	};
}

/* What it can get wrong, on purpose */

static void wrong_byte(struct prediction *prediction)
{
	prediction->data[100] ^= 1;
}

static void wrong_features(struct prediction *prediction)
{
	prediction->image.features ^= 0x20;
}

static void wrong_signature(struct prediction *prediction)
{
	prediction->image.signature++;
}

static void wrong_vcpus(struct prediction *prediction)
{
	prediction->image.nr_vcpus++;
}

static void wrong_reset(struct prediction *prediction)
{
	prediction->firmware.reset_eip += 4;
}

static void wrong_order(struct prediction *prediction)
{
	struct snp_section *sections = prediction->firmware.sections;
	struct snp_section first = sections[0];

	sections[0] = sections[1];
	sections[1] = first;
}

static void wrong_type(struct prediction *prediction)
{
	prediction->firmware.sections[2].type = SNP_SECTION_MEMORY;
}

static void wrong_address(struct prediction *prediction)
{
	prediction->firmware.sections[3].base += WORLD_PAGE;
}

static void wrong_registers(struct prediction *prediction)
{
	prediction->image.vmm = SNP_VMM_KVM;
}

/* The firmware finds it by the ID block that has the predicted digest. */
static void check_prediction(const struct snp_image *image,
			     const uint8_t digest[SNP_DIGEST_SIZE], bool right)
{
	struct snp_kvm_launch_finish finish = { .id_block_en = 1 };
	struct snp_id_block block = { .version = 1, .policy = 0x30000 };
	struct snp_id_auth *auth = calloc(1, sizeof(*auth));
	EVP_PKEY *key = test_key(TEST_ID_KEY);
	struct world world;
	struct error error;

	memcpy(block.digest, digest, SNP_DIGEST_SIZE);
	EXPECT_FALSE(snp_id_auth_create(auth, &block, key, NULL, &error));
	finish.id_block_uaddr = (uint64_t)&block;
	finish.id_auth_uaddr = (uint64_t)auth;
	world_init(&world, SIM_LINUX_7_3);
	launch_ready(&world, image);
	EXPECT_EQ(world_op(&world, SNP_KVM_LAUNCH_FINISH, &finish), (right ? 0 : -EIO));
	EXPECT_EQ(world.cmd.error, (right ? 0 : SNP_FW_BAD_MEASUREMENT));
	EXPECT_EQ(right, !memcmp(sim_vm_digest(world.sim, world.vm), digest, SNP_DIGEST_SIZE));
	world_free(&world);
	EVP_PKEY_free(key);
	free(auth);
}

static const struct {
	const char *name;
	void (*plant)(struct prediction *prediction);
} wrong[] = {
	{ "none", NULL },
	{ "a byte of the image", wrong_byte },
	{ "features", wrong_features },
	{ "signature of the CPU", wrong_signature },
	{ "number of vCPUs", wrong_vcpus },
	{ "reset vector of APs", wrong_reset },
	{ "order of sections", wrong_order },
	{ "type of a page", wrong_type },
	{ "address of a page", wrong_address },
	{ "registers", wrong_registers },
};

/* A prediction that is wrong somewhere is not what the simulator measures. */
TEST_OF(sim, prediction)
{
	uint8_t *data = aligned_alloc(WORLD_PAGE, BUILD_SIZE);
	struct prediction right, planted;
	struct snp_measurement measurement;
	struct error error;

	right.data = aligned_alloc(WORLD_PAGE, BUILD_SIZE);
	planted.data = aligned_alloc(WORLD_PAGE, BUILD_SIZE);
	build_firmware(data, BUILD_SIZE, build_sections, BUILD_SECTIONS, 0);
	prediction_init(&right, data);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		prediction_init(&planted, data);
		if (wrong[i].plant)
			wrong[i].plant(&planted);
		EXPECT_FALSE(snp_measure(&planted.image, &measurement, &error));
		check_prediction(&right.image, measurement.digest,
				 !wrong[i].plant);
		ksft_part("error in the prediction: %s", wrong[i].name);
	}
	free(planted.data);
	free(right.data);
	free(data);
}

/* Debian's firmware, and the digest that sev-snp-measure has for it. */
static void launch_debian(const struct vector_debian *vector,
			  const struct fixture *fixture)
{
	uint8_t *data = aligned_alloc(WORLD_PAGE, fixture->size);
	struct snp_firmware firmware;
	struct snp_image image = {
		.firmware = &firmware, .nr_vcpus = vector->nr_vcpus,
		.signature = vector->signature, .features = vector->features,
	};
	uint8_t digest[SNP_DIGEST_SIZE];
	struct error error;

	/* KVM takes page-aligned sources only. */
	memcpy(data, fixture->data, fixture->size);
	EXPECT_FALSE(hex_parse(vector->digest, digest, sizeof(digest)));
	EXPECT_FALSE(snp_firmware_parse(&firmware, "OVMF", data, fixture->size, SNP_4G, &error));
	launch(SIM_LINUX_7_3, 100, &image, digest, vector->pages);
	free(data);
}

TEST_OF(sim, launch_debian)
{
	for (unsigned int i = 0; i < VECTOR_DEBIAN; i++) {
		struct fixture fixture;

		if (!fixture_load(&fixture, vector_debian[i].fixture,
				  vector_debian[i].sha256))
			continue;
		launch_debian(&vector_debian[i], &fixture);
		fixture_free(&fixture);
	}
}

TEST_OF(sim, host_data)
{
	struct snp_kvm_launch_finish finish = { .host_data = { 1, 2, 3 } };
	const uint8_t *found;
	struct world world;

	finish.host_data[31] = 0xee;
	world_init(&world, SIM_LINUX_7_3);
	world_ready(&world);
	EXPECT_FALSE(sim_vm_host_data(world.sim, world.vm));
	EXPECT_FALSE(world_op(&world, SNP_KVM_LAUNCH_FINISH, &finish));
	found = sim_vm_host_data(world.sim, world.vm);
	EXPECT_TRUE(found);
	EXPECT_MEMEQ(found, finish.host_data, 32);
	world_free(&world);
}

/* Each command can fail, once, with the firmware's error and no other harm. */
TEST_OF(sim, faults)
{
	struct world world;

	world_init(&world, SIM_LINUX_7_3);
	world.host.progress = 2;
	world_inited(&world);
	sim_fail(world.sim, SIM_GCTX_CREATE, 1, 0x17);
	EXPECT_EQ(world_start(&world, 0x30000), -ENOTTY);
	EXPECT_EQ(world.cmd.error, 0x17);
	sim_fail(world.sim, SIM_ACTIVATE, 1, 0xc);
	EXPECT_EQ(world_start(&world, 0x30000), -EIO);
	EXPECT_EQ(world.cmd.error, 0xc);
	EXPECT_FALSE(sim_vm_digest(world.sim, world.vm));
	EXPECT_FALSE(world_start(&world, 0x30000));
	world_memory(&world);
	world_vcpu(&world);
	EXPECT_FALSE(world_update(&world, 1, 0, 5));
	EXPECT_EQ(world.update.len, 3 * WORLD_PAGE);
	EXPECT_EQ(sim_vm_pages(world.sim, world.vm), 2);
	/* A page that was punched out can be populated again. */
	EXPECT_EQ(world_update(&world, 1, 1, 1), -EIO);
	EXPECT_FALSE(sim_punch(world.sim, world.gmem, WORLD_PAGE, WORLD_PAGE));
	EXPECT_FALSE(world_update(&world, 1, 1, 1));
	sim_fail(world.sim, SIM_FINISH, 1, 0x16);
	EXPECT_EQ(world_finish(&world), -EIO);
	EXPECT_EQ(world.cmd.error, 0x16);
	/* The VMSA was taken before: there is no second attempt. */
	EXPECT_EQ(world_finish(&world), -EINVAL);
	sim_kill_psp(world.sim);
	EXPECT_EQ(world_update(&world, 1, 5, 1), -EIO);
	EXPECT_FALSE(world.cmd.error);
	world_free(&world);
}

static void count_lint(void *context, const char *message)
{
	struct {
		unsigned int count;
		char last[160];
	} *lint = context;

	lint->count++;
	snprintf(lint->last, sizeof(lint->last), "%s", message);
}

/**
 * struct strict - a strict host that counts what it does not like
 */
struct strict {
	struct world world;
	struct {
		unsigned int count;
		char last[160];
	} lint;
};

static void strict_init(struct strict *strict, enum sim_profile profile)
{
	memset(&strict->lint, 0, sizeof(strict->lint));
	world_init(&strict->world, profile);
	strict->world.host.strict = true;
	strict->world.host.lint = count_lint;
	strict->world.host.lint_context = &strict->lint;
}

/* Return: whether just this was complained about, once, since the last call. */
static bool complained(struct strict *strict, const char *words)
{
	bool right = strict->lint.count == 1 && strstr(strict->lint.last, words);

	strict->lint.count = 0;
	return right;
}

static void strict_launch(struct strict *strict)
{
	struct world *world = &strict->world;
	int sev;

	world_ready(world);
	EXPECT_FALSE(strict->lint.count);
	EXPECT_FALSE(world_update(world, 1, 0, 1));
	EXPECT_FALSE(strict->lint.count);
	world->update.len = WORLD_PAGE;
	world->update.pad2[3] = 1;
	world_update_again(world);
	EXPECT_TRUE(complained(strict, "padding"));
	world->cmd.error = 5;
	sim_ioctl(world->sim, world->vm, KVM_MEMORY_ENCRYPT_OP, &world->cmd);
	EXPECT_TRUE(strict->lint.count);
	EXPECT_STRSTR(strict->lint.last, "padding");
	strict->lint.count = 0;
	sim_ioctl(world->sim, world->vcpu, KVM_RUN, NULL);
	EXPECT_TRUE(complained(strict, "before LAUNCH_FINISH"));
	EXPECT_FALSE(world_finish(world));
	EXPECT_FALSE(strict->lint.count);
	world_finish(world);
	EXPECT_TRUE(complained(strict, "after LAUNCH_FINISH"));
	world_update(world, 1, 4, 1);
	EXPECT_TRUE(complained(strict, "after LAUNCH_FINISH"));
	world_start(world, 0x30000);
	EXPECT_TRUE(complained(strict, "after LAUNCH_FINISH"));
	sev = world->sev;
	world->sev = sim_open(world->sim, SNP_DEVICE_PATH, 2);
	world_op(world, SNP_KVM_ENABLE_REQ_CERTS, NULL);
	EXPECT_TRUE(complained(strict, "another number"));
	world->sev = sev;
	sim_close(world->sim, sev);
	world_op(world, SNP_KVM_ENABLE_REQ_CERTS, NULL);
	EXPECT_TRUE(complained(strict, "closed"));
}

/* What is dangerous on a real host is said, and a clean launch is not blamed. */
TEST_OF(sim, strict)
{
	struct strict strict;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	strict_init(&strict, SIM_LINUX_7_3);
	strict_launch(&strict);
	world_free(&strict.world);

	strict_init(&strict, SIM_LINUX_7_3);
	world_vcpu(&strict.world);
	EXPECT_TRUE(complained(&strict, "before INIT2"));
	world_gmem(&strict.world, 0x1000, 1);
	EXPECT_TRUE(complained(&strict, "flags"));
	world_free(&strict.world);

	strict_init(&strict, SIM_LINUX_6_12);
	world_ready(&strict.world);
	strict.world.update = (struct snp_kvm_launch_update){
		.len = WORLD_PAGE, .type = 1,
	};
	world_update_again(&strict.world);
	EXPECT_TRUE(complained(&strict, "uaddr 0"));
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	world_update(&strict.world, 1, 0, 1);
	EXPECT_TRUE(complained(&strict, "signals"));
	world_free(&strict.world);
}

static int run_vcpu(struct world *world)
{
	return sim_ioctl(world->sim, world->vcpu, KVM_RUN, NULL);
}

static struct kvm_run *map_run(struct world *world)
{
	void *run = NULL;

	EXPECT_FALSE(sim_map(world->sim, world->vcpu, 4096, &run));
	EXPECT_EQ(sim_map(world->sim, world->vm, 4096, &run), -ENODEV);
	return run;
}

static void check_certs(struct world *world, struct kvm_run *run)
{
	const struct sim_exit certs = {
		.reason = KVM_EXIT_SNP_REQ_CERTS, .gpa = 0x5000, .pages = 4,
	};
	uint64_t *fields = (void *)run->padding;

	EXPECT_FALSE(sim_script(world->sim, world->vcpu, &certs));
	EXPECT_FALSE(sim_script(world->sim, world->vcpu, &certs));
	EXPECT_FALSE(run_vcpu(world));
	EXPECT_EQ(run->exit_reason, KVM_EXIT_SNP_REQ_CERTS);
	EXPECT_EQ(fields[0], 0x5000);
	EXPECT_EQ(fields[1], 4);
	fields[2] = ENOSPC;
	EXPECT_FALSE(run_vcpu(world));
	EXPECT_EQ(run->exit_reason, KVM_EXIT_SNP_REQ_CERTS);
	fields[2] = 99;
	EXPECT_EQ(run_vcpu(world), -EINVAL);
	/* Then the script is at its end. */
	EXPECT_FALSE(run_vcpu(world));
	EXPECT_EQ(run->exit_reason, KVM_EXIT_SHUTDOWN);
}

/* Return: what the KVM_RUN says that is told @ret of a request for pages. */
static int answer_hypercall(enum sim_profile profile, uint64_t ret)
{
	const struct sim_exit made = {
		.reason = KVM_EXIT_HYPERCALL, .gpa = 0x3000, .pages = 1,
	};
	struct kvm_run *run;
	struct world world;
	int rc;

	world_init(&world, profile);
	world_ready(&world);
	EXPECT_FALSE(world_finish(&world));
	run = map_run(&world);
	EXPECT_FALSE(sim_script(world.sim, world.vcpu, &made));
	EXPECT_FALSE(run_vcpu(&world));
	EXPECT_EQ(run->exit_reason, KVM_EXIT_HYPERCALL);
	run->hypercall.ret = ret;
	rc = run_vcpu(&world);
	/* It is taken once; then the script is at its end. */
	EXPECT_FALSE(run_vcpu(&world));
	EXPECT_EQ(run->exit_reason, KVM_EXIT_SHUTDOWN);
	world_free(&world);
	return rc;
}

TEST_OF(sim, hypercall)
{
	EXPECT_FALSE(answer_hypercall(SIM_LINUX_7_3, 0));
	EXPECT_FALSE(answer_hypercall(SIM_LINUX_7_3, EINVAL));
	EXPECT_FALSE(answer_hypercall(SIM_LINUX_7_3, EAGAIN));
	EXPECT_EQ(answer_hypercall(SIM_LINUX_7_3, -(uint64_t)EINVAL), -EINVAL);
	EXPECT_EQ(answer_hypercall(SIM_LINUX_7_3, ENOMEM), -EINVAL);
	EXPECT_FALSE(answer_hypercall(SIM_LINUX_6_12, -(uint64_t)EINVAL));
}

TEST_OF(sim, exits)
{
	static const struct sim_exit exits[] = {
		{ KVM_EXIT_HYPERCALL, 0x3000, 2, true, 0 },
		{ KVM_EXIT_MEMORY_FAULT, 0x4000, 1, true, 0 },
		{ KVM_EXIT_SYSTEM_EVENT, 0, 0, false, 0x1234 },
	};
	const struct kvm_exit_memory_fault *fault;
	struct kvm_run *run;
	struct world world;

	world_init(&world, SIM_LINUX_7_3);
	world_inited(&world);
	EXPECT_FALSE(world_op(&world, SNP_KVM_ENABLE_REQ_CERTS, NULL));
	EXPECT_FALSE(world_start(&world, 0x30000));
	world_vcpu(&world);
	EXPECT_FALSE(world_finish(&world));
	run = map_run(&world);
	for (int i = 0; i < 3; i++)
		EXPECT_FALSE(sim_script(world.sim, world.vcpu, &exits[i]));
	run->immediate_exit = 1;
	EXPECT_EQ(run_vcpu(&world), -EINTR);
	run->immediate_exit = 0;
	EXPECT_FALSE(run_vcpu(&world));
	EXPECT_EQ(run->exit_reason, KVM_EXIT_HYPERCALL);
	EXPECT_EQ(run->hypercall.nr, KVM_HC_MAP_GPA_RANGE);
	EXPECT_EQ(run->hypercall.args[0], 0x3000);
	EXPECT_EQ(run->hypercall.args[1], 2);
	EXPECT_EQ(run->hypercall.args[2], 1 << 4);
	EXPECT_EQ(run_vcpu(&world), -EFAULT);
	fault = kvm_run_memory_fault(run);
	EXPECT_EQ(run->exit_reason, KVM_EXIT_MEMORY_FAULT);
	EXPECT_EQ(fault->gpa, 0x4000);
	EXPECT_EQ(fault->size, 0x1000);
	EXPECT_EQ(fault->flags, KVM_MEMORY_EXIT_FLAG_PRIVATE);
	EXPECT_FALSE(run_vcpu(&world));
	EXPECT_EQ(run->exit_reason, KVM_EXIT_SYSTEM_EVENT);
	EXPECT_EQ(run->system_event.type, KVM_SYSTEM_EVENT_SEV_TERM);
	EXPECT_EQ(run->system_event.data[0], 0x1234);
	check_certs(&world, run);
	world_free(&world);
}

/* Ranges of attributes against one bit for each page, in random order. */
TEST_OF(sim, attributes)
{
	bool private[64] = { 0 };
	uint32_t seed = 1;
	struct world world;

	world_init(&world, SIM_LINUX_7_3);
	world_vm(&world);
	for (int round = 0; round < 2000; round++) {
		unsigned int start, count;
		bool on;

		seed = seed * 1664525 + 1013904223;
		start = seed >> 26;
		count = 1 + (seed >> 20 & 63) % (64 - start);
		on = seed >> 19 & 1;
		EXPECT_FALSE(world_attributes(&world, start * 4096, count * 4096, on ?
					      KVM_MEMORY_ATTRIBUTE_PRIVATE : 0, 0));
		memset(private + start, on, count);
		for (unsigned int i = 0; i < 64; i++)
			EXPECT_EQ(sim_vm_is_private(world.sim, world.vm, i * 4096), private[i]);
	}
	world_free(&world);
}

/* Files may be closed in any order; what belongs to a VM keeps it alive. */
TEST_OF(sim, lifetime)
{
	struct world world;

	world_init(&world, SIM_LINUX_7_3);
	world_ready(&world);
	EXPECT_FALSE(sim_close(world.sim, world.vm));
	EXPECT_EQ(sim_close(world.sim, world.vm), -EBADF);
	EXPECT_GE(run_vcpu(&world), 0);
	EXPECT_FALSE(sim_close(world.sim, world.vcpu));
	EXPECT_FALSE(sim_close(world.sim, world.gmem));
	EXPECT_EQ(sim_ioctl(world.sim, world.vm, KVM_RUN, NULL), -EBADF);
	EXPECT_EQ(sim_open(world.sim, "/dev/null", 0), -ENOENT);
	EXPECT_EQ(sim_punch(world.sim, world.kvm, 0, 4096), -ENODEV);
	world_free(&world);

	world_init(&world, SIM_LINUX_6_12);
	world_ready(&world);
	EXPECT_FALSE(sim_close(world.sim, world.gmem));
	/* Its slot is still there, without memory. */
	EXPECT_EQ(world_update(&world, 1, 0, 1), -EIO);
	EXPECT_FALSE(world.cmd.error);
	world_free(&world);
}
