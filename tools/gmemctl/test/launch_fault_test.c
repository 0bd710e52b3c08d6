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
#include "unit.h"

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
	CHECK_EQ(world->launch.state, SNP_LAUNCH_FAILED);
	CHECK_EQ(snp_launch_start(&world->launch, &world->error), -EINVAL);
	CHECK(says(world, "SNP_LAUNCH_START", "create a new VM"));
	CHECK(snp_launch_populate(&world->launch, &world->memory,
				  &world->vcpus[0], &world->error) == -EINVAL);
	CHECK_EQ(snp_launch_finish(&world->launch, world->vcpus, &world->error),
		 -EINVAL);
	CHECK(says(world, "SNP_LAUNCH_FINISH", "create a new VM"));
}

static void test_fault_no_snp(void)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	world.host.no_snp = true;
	world.sim = sim_create(&world.host);
	sim_use(world.sim);
	CHECK_EQ(vm_create_snp(&world.vm, &world.error), -EOPNOTSUPP);
	CHECK(says(&world, "KVM_X86_SNP_VM", "sev_snp=1"));
	launch_world_free(&world);
}

static void test_fault_asids(void)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_6_12);
	world.host.asids = 0;
	CHECK_EQ(launch_world_run(&world, SNP_LAUNCH_FINISHED), -EBUSY);
	CHECK(says(&world, "INIT2", "ASID"));
	launch_world_free(&world);
}

/* One guest fits; the second finds a place when the first is gone. */
static void test_fault_asids_taken(void)
{
	struct launch_world world;
	struct snp_launch second;
	struct vm other;

	launch_world_init(&world, SIM_LINUX_6_12);
	CHECK(!launch_world_run(&world, SNP_LAUNCH_FINISHED));
	CHECK(!vm_create_snp(&other, &world.error));
	CHECK(!snp_launch_open(&second, &world.config, &other, &world.error));
	CHECK_EQ(snp_launch_init(&second, &world.error), -EBUSY);
	while (world.nr_vcpus)
		vcpu_destroy(&world.vcpus[--world.nr_vcpus]);
	guest_memory_destroy(&world.memory);
	vm_destroy(&world.vm);
	CHECK(!snp_launch_init(&second, &world.error));
	snp_launch_close(&second);
	vm_destroy(&other);
	launch_world_free(&world);
}

/* KVM would refuse the initialisation for ever: a case of its own in its API. */
static void test_fault_init_twice(void)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	CHECK(!launch_world_run(&world, SNP_LAUNCH_INITED));
	CHECK_EQ(snp_launch_init(&world.launch, &world.error), -EINVAL);
	CHECK(says(&world, "SEV_INIT2", "not at this point"));
	CHECK_EQ(snp_launch_finish(&world.launch, world.vcpus, &world.error),
		 -EINVAL);
	launch_world_free(&world);
}

static void refuse_policy(enum sim_profile profile, uint64_t policy, int rc)
{
	struct launch_world world;

	launch_world_init(&world, profile);
	world.config.policy = policy;
	CHECK_EQ(launch_world_run(&world, SNP_LAUNCH_FINISHED), rc);
	if (rc)
		CHECK(is_about(&world, "guest policy") &&
		      !launch_world_said(&world, "INIT2", ""));
	launch_world_free(&world);
}

static void test_fault_policy(void)
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
static void test_fault_policy_smt(void)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	world.config.policy = 0x20000;
	CHECK_EQ(launch_world_run(&world, SNP_LAUNCH_FINISHED), -EIO);
	CHECK(says(&world, "SNP_LAUNCH_START, firmware error 0x7 POLICY_FAILURE",
		   "SMT"));
	launch_world_free(&world);
}

static void refuse_features(enum sim_profile profile, uint64_t features, int rc)
{
	struct launch_world world;

	launch_world_init(&world, profile);
	world.config.image.features = features;
	CHECK_EQ(launch_world_run(&world, SNP_LAUNCH_FINISHED), rc);
	if (rc)
		CHECK(is_about(&world, "guest features"));
	launch_world_free(&world);
}

static void test_fault_features(void)
{
	refuse_features(SIM_LINUX_6_12, 0x21, 0);
	refuse_features(SIM_LINUX_6_12, 0x201, -EOPNOTSUPP);
	refuse_features(SIM_LINUX_7_3, 0x221, 0);
	refuse_features(SIM_LINUX_7_3, 0x3, -EOPNOTSUPP);
	refuse_features(SIM_LINUX_7_3, 0x20, -EINVAL);
}

static void test_fault_certs(void)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_6_12);
	world.config.certs = (const uint8_t *)"certificates";
	world.config.certs_size = 12;
	CHECK_EQ(launch_world_run(&world, SNP_LAUNCH_FINISHED), -EOPNOTSUPP);
	CHECK(says(&world, "REQ_CERTS", "--certs"));
	launch_world_free(&world);

	launch_world_init(&world, SIM_LINUX_7_3);
	world.config.certs = (const uint8_t *)"certificates";
	world.config.certs_size = 12;
	CHECK(!launch_world_run(&world, SNP_LAUNCH_FINISHED));
	launch_world_free(&world);
}

/* The firmware may be asked again. */
static void test_fault_start(void)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_6_12);
	launch_world_vm(&world);
	CHECK(!sim_fail(world.sim, SIM_START, 1, 0x17));
	CHECK(!sim_fail(world.sim, SIM_ACTIVATE, 1, 0xd));
	CHECK_EQ(launch_world_run(&world, SNP_LAUNCH_STARTED), -EIO);
	CHECK(says(&world, "firmware error 0x17 RESOURCE_LIMIT", "end one"));
	CHECK_EQ(snp_launch_start(&world.launch, &world.error), -EIO);
	CHECK(says(&world, "firmware error 0xd INVALID_ASID", ""));
	CHECK(!snp_launch_start(&world.launch, &world.error));
	CHECK(!snp_launch_populate(&world.launch, &world.memory,
				   &world.vcpus[0], &world.error));
	CHECK(!snp_launch_finish(&world.launch, world.vcpus, &world.error));
	CHECK(launch_world_digest(&world));
	launch_world_free(&world);
}

/* KVM says ENOTTY for a context that the firmware could not create. */
static void test_fault_psp_at_start(void)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	launch_world_vm(&world);
	sim_kill_psp(world.sim);
	CHECK_EQ(launch_world_run(&world, SNP_LAUNCH_STARTED), -ENOTTY);
	CHECK(says(&world, "SNP_LAUNCH_START", "does not answer"));
	launch_world_free(&world);
}

static void test_fault_psp_later(void)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	CHECK(!launch_world_run(&world, SNP_LAUNCH_STARTED));
	sim_kill_psp(world.sim);
	CHECK(snp_launch_populate(&world.launch, &world.memory,
				  &world.vcpus[0], &world.error) == -EIO);
	CHECK(says(&world, "SNP_LAUNCH_UPDATE", "does not answer"));
	check_over(&world);
	launch_world_free(&world);

	launch_world_init(&world, SIM_LINUX_7_3);
	CHECK(!launch_world_run(&world, SNP_LAUNCH_POPULATED));
	sim_kill_psp(world.sim);
	CHECK_EQ(snp_launch_finish(&world.launch, world.vcpus, &world.error),
		 -EBUSY);
	CHECK(says(&world, "SNP_LAUNCH_FINISH", "does not answer"));
	check_over(&world);
	launch_world_free(&world);
}

/* The command with the failing page succeeds with the pages before it. */
static void test_fault_update_page(void)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_6_12);
	launch_world_vm(&world);
	/* Two pages of the image, then the fifth of the first section, twice. */
	CHECK(!sim_fail(world.sim, SIM_UPDATE, 7, 0x1a));
	CHECK(!sim_fail(world.sim, SIM_UPDATE, 8, 0x1a));
	CHECK_EQ(launch_world_run(&world, SNP_LAUNCH_FINISHED), -EIO);
	CHECK(says(&world, "firmware error 0x1a INVALID_PAGE_STATE", "in use"));
	CHECK(is_about(&world, "ZERO page at gpa 0x804000"));
	check_over(&world);
	launch_world_free(&world);
}

/* A failure that is over when the command is repeated has cost nothing. */
static void test_fault_update_once(void)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_6_12);
	launch_world_vm(&world);
	CHECK(!sim_fail(world.sim, SIM_UPDATE, 7, 0x1a));
	CHECK(!launch_world_run(&world, SNP_LAUNCH_FINISHED));
	CHECK(launch_world_digest(&world));
	launch_world_free(&world);
}

static void test_fault_update_signal(void)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	launch_world_vm(&world);
	CHECK(!sim_fail(world.sim, SIM_SIGNAL, 1, 0));
	CHECK_EQ(launch_world_run(&world, SNP_LAUNCH_FINISHED), -EIO);
	CHECK(says(&world, "SNP_LAUNCH_UPDATE", "KVM hides the cause"));
	check_over(&world);
	launch_world_free(&world);
}

/* Somebody else has put a page there; KVM says EIO, as for all else. */
static void test_fault_update_twice(void)
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
	CHECK(!launch_world_run(&world, SNP_LAUNCH_STARTED));
	cmd.sev_fd = (uint32_t)world.launch.sev_fd;
	CHECK(!calls->ioctl(world.vm.fd, KVM_MEMORY_ENCRYPT_OP, &cmd));
	CHECK(snp_launch_populate(&world.launch, &world.memory,
				  &world.vcpus[0], &world.error) == -EIO);
	CHECK(is_about(&world, "SECRETS page at gpa 0x80d000"));
	CHECK(says(&world, "SNP_LAUNCH_UPDATE", "in the guest already"));
	check_over(&world);
	launch_world_free(&world);
}

/* The attribute was cleared behind the memory manager's back. */
static void test_fault_update_shared(void)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_6_12);
	CHECK(!launch_world_run(&world, SNP_LAUNCH_STARTED));
	CHECK(!vm_set_private(&world.vm, 0x80e000, 0x1000, false));
	CHECK(snp_launch_populate(&world.launch, &world.memory,
				  &world.vcpus[0], &world.error) == -EIO);
	CHECK(is_about(&world, "CPUID page at gpa 0x80e000"));
	CHECK(says(&world, "SNP_LAUNCH_UPDATE", "is not private"));
	check_over(&world);
	launch_world_free(&world);
}

/* No more is sent than the page has; the parser has seen to one section. */
static void test_fault_cpuid_large(void)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	CHECK(!launch_world_run(&world, SNP_LAUNCH_STARTED));
	for (unsigned int i = 0; i < world.launch.plan->nr_runs; i++)
		if (world.launch.plan->runs[i].type == SNP_PAGE_CPUID)
			world.launch.plan->own[i].size = 0x2000;
	CHECK(snp_launch_populate(&world.launch, &world.memory,
				  &world.vcpus[0], &world.error) == -EINVAL);
	CHECK(says(&world, "SNP_LAUNCH_UPDATE", "0x2000 bytes"));
	check_over(&world);
	launch_world_free(&world);
}

static void test_fault_memory_small(void)
{
	static struct snp_section far;
	uint8_t image[BUILD_SIZE];
	struct launch_world world;

	far = (struct snp_section){ LAUNCH_RAM, 0x1000, SNP_SECTION_MEMORY };
	build_firmware(image, sizeof(image), &far, 1, 0);
	launch_world_init(&world, SIM_LINUX_7_3);
	launch_world_firmware(&world, image, sizeof(image));
	CHECK_EQ(launch_world_run(&world, SNP_LAUNCH_FINISHED), -EFAULT);
	CHECK(says(&world, "place in guest memory", "give the guest more"));
	/* The firmware has not heard of the guest. */
	CHECK(!launch_world_said(&world, "SNP_LAUNCH_START", ""));
	CHECK(!world.launch.calls && world.launch.state == SNP_LAUNCH_INITED);
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

static void test_fault_no_progress(void)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	CHECK(!launch_world_run(&world, SNP_LAUNCH_STARTED));
	lie();
	CHECK(snp_launch_populate(&world.launch, &world.memory,
				  &world.vcpus[0], &world.error) == -EIO);
	calls = real;
	CHECK(says(&world, "SNP_LAUNCH_UPDATE", "done nothing"));
	CHECK_EQ(world.launch.calls, 1);
	launch_world_free(&world);
}

/* The digest would be wrong: SNP_LAUNCH_FINISH is not sent. */
static void test_fault_registers(void)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	CHECK(!launch_world_run(&world, SNP_LAUNCH_POPULATED));
	lie();
	CHECK_EQ(snp_launch_finish(&world.launch, world.vcpus, &world.error),
		 -EIO);
	calls = real;
	/* The base of CS is at byte 0x18. */
	CHECK(says(&world, "registers of vCPU 0", "byte 0x1a of the VMSA"));
	CHECK_EQ(world.launch.state, SNP_LAUNCH_POPULATED);
	CHECK(!snp_launch_finish(&world.launch, world.vcpus, &world.error));
	CHECK(launch_world_digest(&world));
	launch_world_free(&world);
}

static void test_fault_msrs(void)
{
	static const uint32_t indices[] = {
		0x277, 0xc0000081, 0xc0000102, 0x176, 0x48, 0xc0000103,
	};
	struct launch_world world;
	char action[32];

	launch_world_init(&world, SIM_LINUX_7_3);
	CHECK(!launch_world_run(&world, SNP_LAUNCH_POPULATED));
	for (size_t i = 0; i < sizeof(indices) / sizeof(indices[0]); i++) {
		lying_msr = indices[i];
		lie();
		CHECK(snp_launch_finish(&world.launch, world.vcpus,
					&world.error) == -EIO);
		calls = real;
		snprintf(action, sizeof(action), "check MSR 0x%x of vCPU 0",
			 lying_msr);
		CHECK(says(&world, action, "the digest would not be"));
	}
	lying_msr = 0;
	CHECK(!snp_launch_finish(&world.launch, world.vcpus, &world.error));
	CHECK(launch_world_digest(&world));
	launch_world_free(&world);
}

static void finish_fails(uint32_t code, const char *action, const char *hint)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_6_12);
	CHECK(!launch_world_run(&world, SNP_LAUNCH_POPULATED));
	CHECK(!sim_fail(world.sim, SIM_FINISH, 1, code));
	CHECK_EQ(snp_launch_finish(&world.launch, world.vcpus, &world.error),
		 -EIO);
	CHECK(says(&world, action, hint));
	check_over(&world);
	launch_world_free(&world);
}

static void test_fault_finish(void)
{
	finish_fails(0xb, "firmware error 0xb BAD_MEASUREMENT", "predicted");
	finish_fails(0xa, "firmware error 0xa BAD_SIGNATURE", "id-check");
	finish_fails(0x7, "firmware error 0x7 POLICY_FAILURE", "ID block");
	finish_fails(0x77, "firmware error 0x77 not known", "");
}

static void test_fault_finish_debugged(void)
{
	struct kvm_guest_debug debug = { .control = KVM_GUESTDBG_ENABLE };
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	CHECK(!launch_world_run(&world, SNP_LAUNCH_POPULATED));
	CHECK(!calls->ioctl(world.vcpus[1].fd, KVM_SET_GUEST_DEBUG, &debug));
	CHECK_EQ(snp_launch_finish(&world.launch, world.vcpus, &world.error),
		 -EINVAL);
	CHECK(says(&world, "SNP_LAUNCH_FINISH", "being debugged"));
	check_over(&world);
	launch_world_free(&world);
}

static void test_fault_finish_twice(void)
{
	struct launch_world world;

	launch_world_init(&world, SIM_LINUX_7_3);
	CHECK(!launch_world_run(&world, SNP_LAUNCH_FINISHED));
	CHECK_EQ(snp_launch_finish(&world.launch, world.vcpus, &world.error),
		 -EINVAL);
	CHECK(says(&world, "SNP_LAUNCH_FINISH", "launched already"));
	CHECK_EQ(snp_launch_start(&world.launch, &world.error), -EINVAL);
	CHECK(snp_launch_populate(&world.launch, &world.memory,
				  &world.vcpus[0], &world.error) == -EINVAL);
	launch_world_free(&world);
}

static void test_fault_names(void)
{
	CHECK_STR(snp_fw_error_name(0x16), "INVALID_PARAM");
	CHECK_STR(snp_fw_error_name(UINT32_MAX), "NO_FW_CALL");
	CHECK_STR(snp_fw_error_name(0x1e), "not known to gmemctl");
	CHECK(!snp_fw_error_hint(0x1e));
}

static const struct unit_test tests[] = {
	{ "launch_fault.no_snp", test_fault_no_snp },
	{ "launch_fault.asids", test_fault_asids },
	{ "launch_fault.asids_taken", test_fault_asids_taken },
	{ "launch_fault.init_twice", test_fault_init_twice },
	{ "launch_fault.policy", test_fault_policy },
	{ "launch_fault.policy_smt", test_fault_policy_smt },
	{ "launch_fault.features", test_fault_features },
	{ "launch_fault.certs", test_fault_certs },
	{ "launch_fault.start", test_fault_start },
	{ "launch_fault.psp_at_start", test_fault_psp_at_start },
	{ "launch_fault.psp_later", test_fault_psp_later },
	{ "launch_fault.update_page", test_fault_update_page },
	{ "launch_fault.update_once", test_fault_update_once },
	{ "launch_fault.update_signal", test_fault_update_signal },
	{ "launch_fault.update_twice", test_fault_update_twice },
	{ "launch_fault.update_shared", test_fault_update_shared },
	{ "launch_fault.cpuid_large", test_fault_cpuid_large },
	{ "launch_fault.memory_small", test_fault_memory_small },
	{ "launch_fault.no_progress", test_fault_no_progress },
	{ "launch_fault.registers", test_fault_registers },
	{ "launch_fault.msrs", test_fault_msrs },
	{ "launch_fault.finish", test_fault_finish },
	{ "launch_fault.finish_debugged", test_fault_finish_debugged },
	{ "launch_fault.finish_twice", test_fault_finish_twice },
	{ "launch_fault.names", test_fault_names },
};

UNIT_TESTS(tests)
