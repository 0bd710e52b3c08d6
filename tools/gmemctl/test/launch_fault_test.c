// SPDX-License-Identifier: GPL-2.0
/*
 * Launches that fail: each says which step, errno and firmware error, and what
 * to do; nothing dangerous is sent afterwards, and nothing is leaked.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/calls.h"
#include "../kvm/slot.h"
#include "../snp/abi.h"
#include "launch_world.h"
#include "ksft.h"

/* What the last failure has to say. */
static bool says(const struct launch_world *world, const char *action,
		 const char *hint)
{
	return strstr(world->error.action, action) &&
	       strstr(world->error.hint, hint);
}

static bool is_about(const struct launch_world *world, const char *object)
{
	return strstr(world->error.object, object);
}

/* A failed launch refuses every further step by itself. */
static void check_over(struct launch_world *world)
{
	EXPECT_EQ(world->launch.state, SNP_LAUNCH_FAILED);
	EXPECT_EQ(snp_launch_start(&world->launch, &world->error), -EINVAL);
	EXPECT_TRUE(says(world, "SNP_LAUNCH_START", "create a new VM"));
	EXPECT_EQ(snp_launch_populate(&world->launch, &world->memory, &world->vcpus[0],
				      &world->error), -EINVAL);
	EXPECT_EQ(snp_launch_finish(&world->launch, world->vcpus, &world->error), -EINVAL);
	EXPECT_TRUE(says(world, "SNP_LAUNCH_FINISH", "create a new VM"));
}

TEST_OF(launch_fault, no_snp)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	world.host.no_snp = true;
	world.sim = sim_create(&world.host);
	sim_use(world.sim);
	EXPECT_EQ(vm_create_snp(&world.vm, &world.error), -EOPNOTSUPP);
	EXPECT_TRUE(says(&world, "KVM_X86_SNP_VM", "sev_snp=1"));
	launch_world_free(&world);
}

TEST_OF(launch_fault, asids)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_6_12);
	world.host.asids = 0;
	EXPECT_EQ(launch_world_run(&world, SNP_LAUNCH_FINISHED), -EBUSY);
	EXPECT_TRUE(says(&world, "INIT2", "ASID"));
	launch_world_free(&world);
}

/* One guest fits; the second finds a place when the first is gone. */
TEST_OF(launch_fault, asids_taken)
{
	struct launch_world world;
	struct snp_launch second;
	struct vm other;

	launch_world_init(&world, SIM_LINUX_6_12);
	EXPECT_FALSE(launch_world_run(&world, SNP_LAUNCH_FINISHED));
	EXPECT_FALSE(vm_create_snp(&other, &world.error));
	EXPECT_FALSE(snp_launch_open(&second, &world.config, &other, &world.error));
	EXPECT_EQ(snp_launch_init(&second, &world.error), -EBUSY);
	while (world.nr_vcpus)
		vcpu_destroy(&world.vcpus[--world.nr_vcpus]);
	guest_memory_destroy(&world.memory);
	vm_destroy(&world.vm);
	EXPECT_FALSE(snp_launch_init(&second, &world.error));
	snp_launch_close(&second);
	vm_destroy(&other);
	launch_world_free(&world);
}

/* KVM would refuse the initialisation for ever: a case of its own in its API. */
TEST_OF(launch_fault, init_twice)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	EXPECT_FALSE(launch_world_run(&world, SNP_LAUNCH_INITED));
	EXPECT_EQ(snp_launch_init(&world.launch, &world.error), -EINVAL);
	EXPECT_TRUE(says(&world, "SEV_INIT2", "not at this point"));
	EXPECT_EQ(snp_launch_finish(&world.launch, world.vcpus, &world.error), -EINVAL);
	launch_world_free(&world);
}

static void refuse_policy(enum sim_profile profile, uint64_t policy, int rc)
{
	struct launch_world world;

	launch_world_init(&world, profile);
	world.config.policy = policy;
	EXPECT_EQ(launch_world_run(&world, SNP_LAUNCH_FINISHED), rc);
	if (rc) {
		EXPECT_TRUE(is_about(&world, "guest policy"));
		EXPECT_FALSE(launch_world_said(&world, "INIT2", ""));
	}
	launch_world_free(&world);
}

TEST_OF(launch_fault, policy)
{
	/* Single socket; the bit that is one; migration agent; unknown. */
	refuse_policy(SIM_LINUX_6_12, 0x130000, -EINVAL);
	refuse_policy(SIM_LINUX_7_3, 0x130000, 0);
	refuse_policy(SIM_LINUX_6_12, 0x10000, -EINVAL);
	refuse_policy(SIM_LINUX_7_3, 0x10000, -EINVAL);
	refuse_policy(SIM_LINUX_6_12, 0x70000, -EINVAL);
	refuse_policy(SIM_LINUX_7_3, 0x70000, -EINVAL);
	refuse_policy(SIM_LINUX_7_3, 0x4030000, -EINVAL);
	refuse_policy(SIM_LINUX_6_12, 0x20000, -EINVAL);
	refuse_policy(SIM_LINUX_6_12, 0xb0000, 0);
}

/* Only the firmware knows whether the host has SMT. */
TEST_OF(launch_fault, policy_smt)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	world.config.policy = 0x20000;
	EXPECT_EQ(launch_world_run(&world, SNP_LAUNCH_FINISHED), -EIO);
	EXPECT_TRUE(says(&world, "SNP_LAUNCH_START, firmware error 0x7 POLICY_FAILURE", "SMT"));
	launch_world_free(&world);
}

static void refuse_features(enum sim_profile profile, uint64_t features, int rc)
{
	struct launch_world world;

	launch_world_init(&world, profile);
	world.config.image.features = features;
	EXPECT_EQ(launch_world_run(&world, SNP_LAUNCH_FINISHED), rc);
	if (rc)
		EXPECT_TRUE(is_about(&world, "guest features"));
	launch_world_free(&world);
}

TEST_OF(launch_fault, features)
{
	refuse_features(SIM_LINUX_6_12, 0x21, 0);
	refuse_features(SIM_LINUX_6_12, 0x201, -EOPNOTSUPP);
	refuse_features(SIM_LINUX_7_3, 0x221, 0);
	refuse_features(SIM_LINUX_7_3, 0x3, -EOPNOTSUPP);
	refuse_features(SIM_LINUX_7_3, 0x20, -EINVAL);
}

TEST_OF(launch_fault, certs)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_6_12);
	world.config.certs = (const uint8_t *)"certificates";
	world.config.certs_size = 12;
	EXPECT_EQ(launch_world_run(&world, SNP_LAUNCH_FINISHED), -EOPNOTSUPP);
	EXPECT_TRUE(says(&world, "REQ_CERTS", "--certs"));
	launch_world_free(&world);

	launch_world_init(&world, SIM_LINUX_7_3);
	world.config.certs = (const uint8_t *)"certificates";
	world.config.certs_size = 12;
	EXPECT_FALSE(launch_world_run(&world, SNP_LAUNCH_FINISHED));
	launch_world_free(&world);
}

/* The firmware may be asked again. */
TEST_OF(launch_fault, start)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_6_12);
	launch_world_vm(&world);
	EXPECT_FALSE(sim_fail(world.sim, SIM_START, 1, 0x17));
	EXPECT_FALSE(sim_fail(world.sim, SIM_ACTIVATE, 1, 0xd));
	EXPECT_EQ(launch_world_run(&world, SNP_LAUNCH_STARTED), -EIO);
	EXPECT_TRUE(says(&world, "firmware error 0x17 RESOURCE_LIMIT", "end one"));
	EXPECT_EQ(snp_launch_start(&world.launch, &world.error), -EIO);
	EXPECT_TRUE(says(&world, "firmware error 0xd INVALID_ASID", ""));
	EXPECT_FALSE(snp_launch_start(&world.launch, &world.error));
	EXPECT_FALSE(snp_launch_populate(&world.launch, &world.memory, &world.vcpus[0],
					 &world.error));
	EXPECT_FALSE(snp_launch_finish(&world.launch, world.vcpus, &world.error));
	EXPECT_TRUE(launch_world_digest(&world));
	launch_world_free(&world);
}

/* KVM says ENOTTY for a context that the firmware could not create. */
TEST_OF(launch_fault, psp_at_start)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	launch_world_vm(&world);
	sim_kill_psp(world.sim);
	EXPECT_EQ(launch_world_run(&world, SNP_LAUNCH_STARTED), -ENOTTY);
	EXPECT_TRUE(says(&world, "SNP_LAUNCH_START", "does not answer"));
	launch_world_free(&world);
}

TEST_OF(launch_fault, psp_later)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	EXPECT_FALSE(launch_world_run(&world, SNP_LAUNCH_STARTED));
	sim_kill_psp(world.sim);
	EXPECT_EQ(snp_launch_populate(&world.launch, &world.memory, &world.vcpus[0], &world.error),
		  -EIO);
	EXPECT_TRUE(says(&world, "SNP_LAUNCH_UPDATE", "does not answer"));
	check_over(&world);
	launch_world_free(&world);

	launch_world_init(&world, SIM_LINUX_7_3);
	EXPECT_FALSE(launch_world_run(&world, SNP_LAUNCH_POPULATED));
	sim_kill_psp(world.sim);
	EXPECT_EQ(snp_launch_finish(&world.launch, world.vcpus, &world.error), -EBUSY);
	EXPECT_TRUE(says(&world, "SNP_LAUNCH_FINISH", "does not answer"));
	check_over(&world);
	launch_world_free(&world);
}

/* The command with the failing page succeeds with the pages before it. */
TEST_OF(launch_fault, update_page)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_6_12);
	launch_world_vm(&world);
	/* Two pages of the image, then the fifth of the first section, twice. */
	EXPECT_FALSE(sim_fail(world.sim, SIM_UPDATE, 7, 0x1a));
	EXPECT_FALSE(sim_fail(world.sim, SIM_UPDATE, 8, 0x1a));
	EXPECT_EQ(launch_world_run(&world, SNP_LAUNCH_FINISHED), -EIO);
	EXPECT_TRUE(says(&world, "firmware error 0x1a INVALID_PAGE_STATE", "in use"));
	EXPECT_TRUE(is_about(&world, "ZERO page at gpa 0x804000"));
	check_over(&world);
	launch_world_free(&world);
}

/* A failure that is over when the command is repeated has cost nothing. */
TEST_OF(launch_fault, update_once)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_6_12);
	launch_world_vm(&world);
	EXPECT_FALSE(sim_fail(world.sim, SIM_UPDATE, 7, 0x1a));
	EXPECT_FALSE(launch_world_run(&world, SNP_LAUNCH_FINISHED));
	EXPECT_TRUE(launch_world_digest(&world));
	launch_world_free(&world);
}

TEST_OF(launch_fault, update_signal)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	launch_world_vm(&world);
	EXPECT_FALSE(sim_fail(world.sim, SIM_SIGNAL, 1, 0));
	EXPECT_EQ(launch_world_run(&world, SNP_LAUNCH_FINISHED), -EIO);
	EXPECT_TRUE(says(&world, "SNP_LAUNCH_UPDATE", "KVM hides the cause"));
	check_over(&world);
	launch_world_free(&world);
}

/* Somebody else has put a page there; KVM says EIO, as for all else. */
TEST_OF(launch_fault, update_twice)
{
	struct snp_kvm_launch_update update = {
		.gfn_start = 0x80d, .len = SNP_PAGE_SIZE, .type = SNP_PAGE_ZERO,
	};
	struct launch_world world;
	struct snp_kvm_cmd cmd = {
		.id = SNP_KVM_LAUNCH_UPDATE, .data = (uintptr_t)&update,
	};

	launch_world_init(&world, SIM_LINUX_7_3);
	world.host.lint = NULL;
	EXPECT_FALSE(launch_world_run(&world, SNP_LAUNCH_STARTED));
	cmd.sev_fd = (uint32_t)world.launch.sev_fd;
	EXPECT_FALSE(calls->ioctl(world.vm.fd, KVM_MEMORY_ENCRYPT_OP, &cmd));
	EXPECT_EQ(snp_launch_populate(&world.launch, &world.memory, &world.vcpus[0], &world.error),
		  -EIO);
	EXPECT_TRUE(is_about(&world, "SECRETS page at gpa 0x80d000"));
	EXPECT_TRUE(says(&world, "SNP_LAUNCH_UPDATE", "in the guest already"));
	check_over(&world);
	launch_world_free(&world);
}

/* The attribute was cleared behind the memory manager's back. */
TEST_OF(launch_fault, update_shared)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_6_12);
	EXPECT_FALSE(launch_world_run(&world, SNP_LAUNCH_STARTED));
	EXPECT_FALSE(vm_set_private(&world.vm, 0x80e000, 0x1000, false));
	EXPECT_EQ(snp_launch_populate(&world.launch, &world.memory, &world.vcpus[0], &world.error),
		  -EIO);
	EXPECT_TRUE(is_about(&world, "CPUID page at gpa 0x80e000"));
	EXPECT_TRUE(says(&world, "SNP_LAUNCH_UPDATE", "is not private"));
	check_over(&world);
	launch_world_free(&world);
}

/* No more is sent than the page has; the parser has seen to one section. */
TEST_OF(launch_fault, cpuid_large)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	EXPECT_FALSE(launch_world_run(&world, SNP_LAUNCH_STARTED));
	for (unsigned int i = 0; i < world.launch.plan->nr_runs; i++)
		if (world.launch.plan->runs[i].type == SNP_PAGE_CPUID)
			world.launch.plan->own[i].size = 0x2000;
	EXPECT_EQ(snp_launch_populate(&world.launch, &world.memory, &world.vcpus[0], &world.error),
		  -EINVAL);
	EXPECT_TRUE(says(&world, "SNP_LAUNCH_UPDATE", "0x2000 bytes"));
	check_over(&world);
	launch_world_free(&world);
}

TEST_OF(launch_fault, memory_small)
{
	static struct snp_section far;
	uint8_t image[BUILD_SIZE];
	struct launch_world world;

	far = (struct snp_section){ LAUNCH_RAM, 0x1000, SNP_SECTION_MEMORY };
	build_firmware(image, sizeof(image), &far, 1, 0);
	launch_world_init(&world, SIM_LINUX_7_3);
	launch_world_firmware(&world, image, sizeof(image));
	EXPECT_EQ(launch_world_run(&world, SNP_LAUNCH_FINISHED), -EFAULT);
	EXPECT_TRUE(says(&world, "place in guest memory", "give the guest more"));
	/* The firmware has not heard of the guest. */
	EXPECT_FALSE(launch_world_said(&world, "SNP_LAUNCH_START", ""));
	EXPECT_FALSE(world.launch.calls);
	EXPECT_EQ(world.launch.state, SNP_LAUNCH_INITED);
	launch_world_free(&world);
}

/*
 * A kernel that says it is done and has done nothing, or something else than it
 * was asked for.
 */
static const struct calls *real;
static struct calls lying;
static uint32_t lying_msr;

static int lying_ioctl(int fd, unsigned long request, void *arg)
{
	struct {
		struct kvm_msrs header;
		struct kvm_msr_entry entry;
	} *msr = arg;
	struct kvm_sregs *sregs = arg;
	struct snp_kvm_cmd *cmd = arg;
	int rc;

	if (request == KVM_MEMORY_ENCRYPT_OP && cmd->id == SNP_KVM_LAUNCH_UPDATE)
		return 0;
	rc = real->ioctl(fd, request, arg);
	if (request == KVM_GET_SREGS && !lying_msr)
		sregs->cs.base ^= 0x10000;
	if (request == KVM_GET_MSRS && msr->entry.index == lying_msr)
		msr->entry.data ^= 1;
	return rc;
}

static void lie(void)
{
	real = calls;
	lying = *calls;
	lying.ioctl = lying_ioctl;
	calls = &lying;
}

TEST_OF(launch_fault, no_progress)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	EXPECT_FALSE(launch_world_run(&world, SNP_LAUNCH_STARTED));
	lie();
	EXPECT_EQ(snp_launch_populate(&world.launch, &world.memory, &world.vcpus[0], &world.error),
		  -EIO);
	calls = real;
	EXPECT_TRUE(says(&world, "SNP_LAUNCH_UPDATE", "done nothing"));
	EXPECT_EQ(world.launch.calls, 1);
	launch_world_free(&world);
}

/* The digest would be wrong: SNP_LAUNCH_FINISH is not sent. */
TEST_OF(launch_fault, registers)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	EXPECT_FALSE(launch_world_run(&world, SNP_LAUNCH_POPULATED));
	lie();
	EXPECT_EQ(snp_launch_finish(&world.launch, world.vcpus, &world.error), -EIO);
	calls = real;
	/* The base of CS is at byte 0x18. */
	EXPECT_TRUE(says(&world, "registers of vCPU 0", "byte 0x1a of the VMSA"));
	EXPECT_EQ(world.launch.state, SNP_LAUNCH_POPULATED);
	EXPECT_FALSE(snp_launch_finish(&world.launch, world.vcpus, &world.error));
	EXPECT_TRUE(launch_world_digest(&world));
	launch_world_free(&world);
}

TEST_OF(launch_fault, msrs)
{
	static const uint32_t indices[] = {
		0x277, 0xc0000081, 0xc0000102, 0x176, 0x48, 0xc0000103,
	};
	struct launch_world world;
	char action[32];

	launch_world_init(&world, SIM_LINUX_7_3);
	EXPECT_FALSE(launch_world_run(&world, SNP_LAUNCH_POPULATED));
	for (size_t i = 0; i < sizeof(indices) / sizeof(indices[0]); i++) {
		lying_msr = indices[i];
		lie();
		EXPECT_EQ(snp_launch_finish(&world.launch, world.vcpus, &world.error), -EIO);
		calls = real;
		snprintf(action, sizeof(action), "check MSR 0x%x of vCPU 0",
			 lying_msr);
		EXPECT_TRUE(says(&world, action, "the digest would not be"));
	}
	lying_msr = 0;
	EXPECT_FALSE(snp_launch_finish(&world.launch, world.vcpus, &world.error));
	EXPECT_TRUE(launch_world_digest(&world));
	launch_world_free(&world);
}

static void finish_fails(uint32_t code, const char *action, const char *hint)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_6_12);
	EXPECT_FALSE(launch_world_run(&world, SNP_LAUNCH_POPULATED));
	EXPECT_FALSE(sim_fail(world.sim, SIM_FINISH, 1, code));
	EXPECT_EQ(snp_launch_finish(&world.launch, world.vcpus, &world.error), -EIO);
	EXPECT_TRUE(says(&world, action, hint));
	check_over(&world);
	launch_world_free(&world);
}

TEST_OF(launch_fault, finish)
{
	finish_fails(0xb, "firmware error 0xb BAD_MEASUREMENT", "predicted");
	finish_fails(0xa, "firmware error 0xa BAD_SIGNATURE", "id-check");
	finish_fails(0x7, "firmware error 0x7 POLICY_FAILURE", "ID block");
	finish_fails(0x77, "firmware error 0x77 not known", "");
}

TEST_OF(launch_fault, finish_debugged)
{
	struct kvm_guest_debug debug = { .control = KVM_GUESTDBG_ENABLE };
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	EXPECT_FALSE(launch_world_run(&world, SNP_LAUNCH_POPULATED));
	EXPECT_FALSE(calls->ioctl(world.vcpus[1].fd, KVM_SET_GUEST_DEBUG, &debug));
	EXPECT_EQ(snp_launch_finish(&world.launch, world.vcpus, &world.error), -EINVAL);
	EXPECT_TRUE(says(&world, "SNP_LAUNCH_FINISH", "being debugged"));
	check_over(&world);
	launch_world_free(&world);
}

TEST_OF(launch_fault, finish_twice)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	EXPECT_FALSE(launch_world_run(&world, SNP_LAUNCH_FINISHED));
	EXPECT_EQ(snp_launch_finish(&world.launch, world.vcpus, &world.error), -EINVAL);
	EXPECT_TRUE(says(&world, "SNP_LAUNCH_FINISH", "launched already"));
	EXPECT_EQ(snp_launch_start(&world.launch, &world.error), -EINVAL);
	EXPECT_EQ(snp_launch_populate(&world.launch, &world.memory, &world.vcpus[0], &world.error),
		  -EINVAL);
	launch_world_free(&world);
}

TEST_OF(launch_fault, names)
{
	EXPECT_STREQ(snp_fw_error_name(0x16), "INVALID_PARAM");
	EXPECT_STREQ(snp_fw_error_name(UINT32_MAX), "NO_FW_CALL");
	EXPECT_STREQ(snp_fw_error_name(0x1e), "not known to gmemctl");
	EXPECT_FALSE(snp_fw_error_hint(0x1e));
}
