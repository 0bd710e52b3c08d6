// SPDX-License-Identifier: GPL-2.0
/* The simulator answers as the kernels do, and measures as the firmware does. */
#include <fcntl.h>

#include "base/calls.h"
#include "sim_cases.h"
#include "snp/measure.h"
#include "test_hex.h"
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
	struct kvm_msrs *msrs = calloc(1, sizeof(*msrs) + sizeof(msrs->entries[0]));
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

/* The table of calls: what is the simulator's, and what the kernel's. */
TEST_OF(sim, calls)
{
	const struct sim_config config = {
		.profile = SIM_LINUX_7_3, .asids = 1,
	};
	struct sim *sim = sim_create(&config);
	int kvm, vm, vcpu;
	void *run;

	sim_use(sim);
	kvm = calls->open(KVM_DEVICE_PATH, O_RDWR);
	vm = calls_ioctl_value(kvm, KVM_CREATE_VM, KVM_X86_SNP_VM);
	vcpu = calls_ioctl_value(vm, KVM_CREATE_VCPU, 0);
	EXPECT_TRUE(sim_is_fd(sim, vcpu));
	EXPECT_EQ(calls->map(4096, PROT_READ, MAP_SHARED, vcpu, 4096, &run), -EINVAL);
	EXPECT_FALSE(calls->map(4096, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0, &run));
	EXPECT_FALSE(calls->unmap(run, 4096));
	EXPECT_EQ(calls->punch(vcpu, 0, 4096), -ENODEV);
	EXPECT_EQ(calls->allocate(vcpu, 0, 4096), -ENODEV);
	EXPECT_EQ(calls->open("/dev/null/nothing", 0), -ENOTDIR);
	EXPECT_FALSE(calls->close(vcpu));
	EXPECT_FALSE(calls->close(vm));
	EXPECT_FALSE(calls->close(kvm));
	EXPECT_FALSE(sim_open_files(sim));
	sim_use(NULL);
	EXPECT_TRUE(calls == &calls_system);
	sim_destroy(sim);
}
