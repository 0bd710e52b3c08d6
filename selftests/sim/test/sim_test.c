// SPDX-License-Identifier: GPL-2.0
/* The simulator answers as the kernels do, and measures as the firmware does. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <openssl/evp.h>

#include "base/calls.h"
#include "kvm/slot.h"
#include "kvm/vcpu.h"
#include "kvm/vm.h"
#include "sim_cases.h"
#include "snp/id_block.h"
#include "snp/measure.h"
#include "snp_build.h"
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
	struct snp_digest digest = { 0 };
	struct kvm_sregs sregs;
	struct snp_vmsa vmsa;
	struct world world;

	world_init(&world, SIM_LINUX_7_3);
	world_ready(&world);
	EXPECT_FALSE(sim_ioctl(world.sim, world.vcpu, KVM_GET_SREGS, &sregs));
	EXPECT_FALSE(sim_ioctl(world.sim, world.vcpu, KVM_SET_SREGS, &sregs));
	EXPECT_FALSE(world_finish(&world));
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

/* What it can get wrong */
static const char *const wrong[] = {
	"none", "a byte of the image", "features", "signature of the CPU", "number of vCPUs",
	"reset vector of APs", "order of sections", "type of a page", "address of a page",
	"registers",
};

static void plant(struct prediction *prediction, size_t which)
{
	struct snp_section *sections = prediction->firmware.sections;
	struct snp_section first = sections[0];

	switch (which) {
	case 1:
		prediction->data[100] ^= 1;
		break;
	case 2:
		prediction->image.features ^= 0x20;
		break;
	case 3:
		prediction->image.signature++;
		break;
	case 4:
		prediction->image.nr_vcpus++;
		break;
	case 5:
		prediction->firmware.reset_eip += 4;
		break;
	case 6:
		sections[0] = sections[1];
		sections[1] = first;
		break;
	case 7:
		sections[2].type = SNP_SECTION_MEMORY;
		break;
	case 8:
		sections[3].base += WORLD_PAGE;
		break;
	case 9:
		prediction->image.vmm = SNP_VMM_KVM;
		break;
	}
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
		plant(&planted, i);
		EXPECT_FALSE(snp_measure(&planted.image, &measurement, &error));
		check_prediction(&right.image, measurement.digest, !i);
		ksft_part("error in the prediction: %s", wrong[i]);
	}
	free(planted.data);
	free(right.data);
	free(data);
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

/* gmemctl's own KVM library works on the simulator as on a kernel. */
#define MEMORY 0x10000

static void open_vm(struct sim *sim, struct vm *vm)
{
	struct error error;

	memset(vm, 0, sizeof(*vm));
	vm->kvm_fd = vm_open_kvm(&error);
	EXPECT_TRUE(sim_is_fd(sim, vm->kvm_fd));
	EXPECT_TRUE(vm_type_supported(vm->kvm_fd, KVM_X86_SNP_VM));
	vm->fd = calls_ioctl_value(vm->kvm_fd, KVM_CREATE_VM, KVM_X86_SNP_VM);
	EXPECT_TRUE(sim_is_fd(sim, vm->fd));
	vm->run_size = (size_t)calls_ioctl_value(vm->kvm_fd,
						 KVM_GET_VCPU_MMAP_SIZE, 0);
}

static void check_memory(struct sim *sim, struct vm *vm)
{
	struct kvm_create_guest_memfd create = { .size = MEMORY };
	struct slot slot = { .size = MEMORY };
	struct error error;
	int memfd, number;

	/* Shared memory is real memory. */
	memfd = calls->memfd("shared", MEMORY);
	EXPECT_GE(memfd, 0);
	EXPECT_FALSE(sim_is_fd(sim, memfd));
	EXPECT_FALSE(calls->map(MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0, &slot.host));
	memset(slot.host, 1, MEMORY);
	slot.guest_memfd = calls->ioctl(vm->fd, KVM_CREATE_GUEST_MEMFD, &create);
	EXPECT_TRUE(sim_is_fd(sim, slot.guest_memfd));
	number = slot_add(vm, &slot, &error);
	EXPECT_GE(number, 0);
	EXPECT_TRUE(slot_covers_private(&vm->slots, 0, MEMORY));
	EXPECT_FALSE(vm_set_private(vm, 0x1000, 0x2000, true));
	EXPECT_TRUE(sim_vm_is_private(sim, vm->fd, 0x2fff));
	EXPECT_FALSE(sim_vm_is_private(sim, vm->fd, 0x3000));
	EXPECT_FALSE(calls->punch(slot.guest_memfd, 0, MEMORY));
	EXPECT_FALSE(slot_remove(vm, (unsigned int)number));
	EXPECT_FALSE(calls->unmap(slot.host, MEMORY));
	EXPECT_FALSE(calls->close(memfd));
	EXPECT_FALSE(calls->close(slot.guest_memfd));
}

static void check_run(struct vm *vm)
{
	int fd = calls_ioctl_value(vm->fd, KVM_CREATE_VCPU, 0);
	struct kvm_run *run;
	void *address;

	EXPECT_FALSE(calls->map(vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0, &address));
	run = address;
	EXPECT_EQ(calls->map(vm->run_size, PROT_READ, MAP_SHARED, fd, 4096, &address), -EINVAL);
	/* Not initialised as an SNP guest yet. */
	EXPECT_EQ(calls_ioctl_value(fd, KVM_RUN, 0), -EINVAL);
	EXPECT_FALSE(run->exit_reason);
	EXPECT_FALSE(calls->unmap(run, vm->run_size));
	EXPECT_FALSE(calls->close(fd));
}

TEST_OF(sim, calls)
{
	const struct sim_config config = {
		.profile = SIM_LINUX_7_3, .asids = 1,
	};
	struct sim *sim = sim_create(&config);
	struct vm vm;

	sim_use(sim);
	open_vm(sim, &vm);
	check_memory(sim, &vm);
	check_run(&vm);
	EXPECT_EQ(calls->open("/dev/null/nothing", 0), -ENOTDIR);
	EXPECT_FALSE(calls->close(vm.fd));
	EXPECT_FALSE(calls->close(vm.kvm_fd));
	sim_use(NULL);
	EXPECT_TRUE(calls == &calls_system);
	sim_destroy(sim);
}
