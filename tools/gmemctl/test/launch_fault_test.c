// SPDX-License-Identifier: GPL-2.0
/*
 * Launches that fail: each says which step, errno and firmware error, and what
 * to do; nothing dangerous is sent afterwards, and nothing is leaked.
 */
#include "../base/calls.h"
#include "../kvm/slot.h"
#include "../snp/abi.h"
#include "launch_world.h"
#include "ksft.h"

/* What the last failure has to say. */
static bool says(const char *action, const char *hint)
{
	return strstr(world.error.action, action) && strstr(world.error.hint, hint);
}

/* A failed launch refuses every further step by itself. */
static void check_over(void)
{
	EXPECT_EQ(world.launch.state, SNP_LAUNCH_FAILED);
	EXPECT_EQ(snp_launch_start(&world.launch, &world.error), -EINVAL);
	EXPECT_TRUE(says("SNP_LAUNCH_START", "create a new VM"));
	EXPECT_EQ(snp_launch_populate(&world.launch, &world.memory, &world.vcpus[0],
				      &world.error), -EINVAL);
	EXPECT_EQ(snp_launch_finish(&world.launch, world.vcpus, &world.error), -EINVAL);
	EXPECT_TRUE(says("SNP_LAUNCH_FINISH", "create a new VM"));
}

/*
 * A kernel that says it is done and has done nothing, or something else than it
 * was asked for.
 */
static const struct calls *real;
static struct calls lying;
static uint32_t lying_msr;
static int regs_rc;

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
	if (request == KVM_SET_REGS && regs_rc)
		return regs_rc;
	rc = real->ioctl(fd, request, arg);
	if (request == KVM_GET_SREGS && !lying_msr && !regs_rc)
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

static void lie_regs(void)
{
	regs_rc = -ENOMEM;
	lie();
}

static void no_asids(void)
{
	world.host.asids = 0;
}

/* Only the firmware knows whether the host has SMT. */
static void no_smt(void)
{
	world.config.policy = 0x20000;
}

static void with_certs(void)
{
	world.config.certs = (const uint8_t *)"certificates";
	world.config.certs_size = 12;
}

static void kill_psp(void)
{
	if (world.vm.fd < 0)
		launch_world_vm();
	sim_kill_psp(world.sim);
}

/* Somebody else has put a page there; KVM says EIO, as for all else. */
static void put_page(void)
{
	struct snp_kvm_launch_update update = {
		.gfn_start = 0x80d, .len = SNP_PAGE_SIZE, .type = SNP_PAGE_ZERO,
	};
	struct snp_kvm_cmd cmd = {
		.id = SNP_KVM_LAUNCH_UPDATE, .data = (uintptr_t)&update,
		.sev_fd = (uint32_t)world.launch.sev_fd,
	};

	EXPECT_FALSE(calls->ioctl(world.vm.fd, KVM_MEMORY_ENCRYPT_OP, &cmd));
	/* With signals that are not blocked, and without a source */
	world.lints = 0;
}

/* The attribute is cleared behind the memory manager's back. */
static void share_page(void)
{
	EXPECT_FALSE(vm_set_private(&world.vm, 0x80e000, 0x1000, false));
}

/* No more is sent than the page has; the parser has seen to one section. */
static void large_cpuid(void)
{
	for (unsigned int i = 0; i < world.launch.plan->nr_runs; i++)
		if (world.launch.plan->runs[i].type == SNP_PAGE_CPUID)
			world.launch.plan->own[i].size = 0x2000;
}

static void debug_vcpu(void)
{
	struct kvm_guest_debug debug = { .control = KVM_GUESTDBG_ENABLE };

	EXPECT_FALSE(calls->ioctl(world.vcpus[1].fd, KVM_SET_GUEST_DEBUG, &debug));
}

/* What comes after the failure: nothing more, the end, or a launch that succeeds */
enum after { NOTHING, OVER, AGAIN };

/**
 * struct fault - a launch that fails
 * @at: how far it gets before
 * @prepare: makes it fail, or NULL
 * @fails: what of the simulator fails
 */
static const struct fault {
	const char *name;
	enum sim_profile profile;
	enum snp_launch_state at;
	void (*prepare)(void);
	struct {
		enum sim_event event;
		unsigned int nth;
		uint32_t error;
	} fails[2];
	int rc;
	enum after after;
	const char *object, *action, *hint;
} faults[] = {
	{ "no ASID", SIM_LINUX_6_12, 0, no_asids, {}, -EBUSY, NOTHING, "", "INIT2", "ASID" },
	{ "SMT", SIM_LINUX_7_3, 0, no_smt, {}, -EIO, NOTHING, "",
	  "SNP_LAUNCH_START, firmware error 0x7 POLICY_FAILURE", "SMT" },
	{ "certificates", SIM_LINUX_6_12, 0, with_certs, {}, -EOPNOTSUPP, NOTHING, "",
	  "REQ_CERTS", "--certs" },
	{ "certificates taken", SIM_LINUX_7_3, 0, with_certs, {}, 0, NOTHING, "", "", "" },
	/* KVM says ENOTTY for a context that the firmware could not create. */
	{ "PSP at the start", SIM_LINUX_7_3, 0, kill_psp, {}, -ENOTTY, NOTHING, "",
	  "SNP_LAUNCH_START", "does not answer" },
	{ "PSP at pages", SIM_LINUX_7_3, SNP_LAUNCH_STARTED, kill_psp, {}, -EIO, OVER, "",
	  "SNP_LAUNCH_UPDATE", "does not answer" },
	{ "PSP at the end", SIM_LINUX_7_3, SNP_LAUNCH_POPULATED, kill_psp, {}, -EBUSY, OVER, "",
	  "SNP_LAUNCH_FINISH", "does not answer" },
	/*
	 * Two pages of the image, then the fifth of the first section, twice: the command with
	 * the failing page succeeds with the pages before it.
	 */
	{ "page", SIM_LINUX_6_12, 0, NULL, { { SIM_UPDATE, 7, 0x1a }, { SIM_UPDATE, 8, 0x1a } },
	  -EIO, OVER, "ZERO page at gpa 0x804000", "firmware error 0x1a INVALID_PAGE_STATE",
	  "in use" },
	/* A failure that is over when the command is repeated has cost nothing. */
	{ "page once", SIM_LINUX_6_12, 0, NULL, { { SIM_UPDATE, 7, 0x1a } }, 0, NOTHING,
	  "", "", "" },
	{ "signal", SIM_LINUX_7_3, 0, NULL, { { SIM_SIGNAL, 1, 0 } }, -EIO, OVER, "",
	  "SNP_LAUNCH_UPDATE", "KVM does not report the cause" },
	{ "page twice", SIM_LINUX_7_3, SNP_LAUNCH_STARTED, put_page, {}, -EIO, OVER,
	  "SECRETS page at gpa 0x80d000", "SNP_LAUNCH_UPDATE", "was added already" },
	{ "shared page", SIM_LINUX_6_12, SNP_LAUNCH_STARTED, share_page, {}, -EIO, OVER,
	  "CPUID page at gpa 0x80e000", "SNP_LAUNCH_UPDATE", "is not private" },
	{ "large CPUID", SIM_LINUX_7_3, SNP_LAUNCH_STARTED, large_cpuid, {}, -EINVAL, OVER, "",
	  "SNP_LAUNCH_UPDATE", "0x2000 bytes" },
	{ "no progress", SIM_LINUX_7_3, SNP_LAUNCH_STARTED, lie, {}, -EIO, OVER, "",
	  "SNP_LAUNCH_UPDATE", "KVM reported success but added no page" },
	/* The digest would be wrong: SNP_LAUNCH_FINISH is not sent. The base of CS is at 0x18. */
	{ "registers", SIM_LINUX_7_3, SNP_LAUNCH_POPULATED, lie, {}, -EIO, AGAIN, "",
	  "registers of vCPU 0", "byte 0x1a of the VMSA" },
	{ "registers refused", SIM_LINUX_7_3, SNP_LAUNCH_POPULATED, lie_regs, {}, -ENOMEM, AGAIN,
	  "vCPU 0", "KVM_SET_REGS", "" },
	{ "digest", SIM_LINUX_6_12, SNP_LAUNCH_POPULATED, NULL, { { SIM_FINISH, 1, 0xb } },
	  -EIO, OVER, "", "firmware error 0xb BAD_MEASUREMENT", "predicted" },
	{ "signature", SIM_LINUX_6_12, SNP_LAUNCH_POPULATED, NULL, { { SIM_FINISH, 1, 0xa } },
	  -EIO, OVER, "", "firmware error 0xa BAD_SIGNATURE", "id-check" },
	{ "policy", SIM_LINUX_6_12, SNP_LAUNCH_POPULATED, NULL, { { SIM_FINISH, 1, 0x7 } },
	  -EIO, OVER, "", "firmware error 0x7 POLICY_FAILURE", "ID block" },
	{ "unknown error", SIM_LINUX_6_12, SNP_LAUNCH_POPULATED, NULL, { { SIM_FINISH, 1, 0x77 } },
	  -EIO, OVER, "", "firmware error 0x77 not known", "" },
	{ "debugged vCPU", SIM_LINUX_7_3, SNP_LAUNCH_POPULATED, debug_vcpu, {}, -EINVAL, OVER, "",
	  "SNP_LAUNCH_FINISH", "being debugged" },
};

static void check_fault(const struct fault *fault)
{
	regs_rc = 0;
	launch_world_init(fault->profile);
	if (fault->at)
		EXPECT_FALSE(launch_world_run(fault->at));
	if (fault->prepare)
		fault->prepare();
	if (fault->fails[0].nth && world.vm.fd < 0)
		launch_world_vm();
	for (int i = 0; i < 2 && fault->fails[i].nth; i++)
		EXPECT_FALSE(sim_fail(world.sim, fault->fails[i].event, fault->fails[i].nth,
				      fault->fails[i].error));
	EXPECT_EQ(launch_world_run(SNP_LAUNCH_FINISHED), fault->rc);
	/* Not a lie any more */
	sim_use(world.sim);
	if (fault->rc) {
		EXPECT_STRSTR(world.error.object, fault->object);
		EXPECT_STRSTR(world.error.action, fault->action);
		EXPECT_STRSTR(world.error.hint, fault->hint);
	}
	if (fault->after == OVER)
		check_over();
	else if (fault->after == AGAIN)
		EXPECT_FALSE(launch_world_run(SNP_LAUNCH_FINISHED));
	if (fault->after == AGAIN || !fault->rc)
		EXPECT_TRUE(launch_world_digest());
	launch_world_free();
}

TEST_OF(launch_fault, faults)
{
	ksft_for_each(fault, faults) {
		check_fault(fault);
		ksft_part("%s", fault->name);
	}
}

TEST_OF(launch_fault, no_snp)
{
	launch_world_init(SIM_LINUX_7_3);
	world.host.no_snp = true;
	world.sim = sim_create(&world.host);
	sim_use(world.sim);
	EXPECT_EQ(vm_create_snp(&world.vm, &world.error), -EOPNOTSUPP);
	EXPECT_TRUE(says("KVM_X86_SNP_VM", "sev_snp=1"));
	launch_world_free();
}

/* One guest fits; the second finds a place when the first is gone. */
TEST_OF(launch_fault, asids_taken)
{
	struct snp_launch second;
	struct vm other;

	launch_world_init(SIM_LINUX_6_12);
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_FINISHED));
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
	launch_world_free();
}

/* KVM would refuse the initialisation for ever: a case of its own in its API. */
TEST_OF(launch_fault, init_twice)
{
	launch_world_init(SIM_LINUX_7_3);
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_INITED));
	EXPECT_EQ(snp_launch_init(&world.launch, &world.error), -EINVAL);
	EXPECT_TRUE(says("SEV_INIT2", "not allowed in this state"));
	EXPECT_EQ(snp_launch_finish(&world.launch, world.vcpus, &world.error), -EINVAL);
	launch_world_free();
}

/* A policy and features, and whether the launch is refused before it begins */
TEST_OF(launch_fault, refused)
{
	static const struct {
		enum sim_profile profile;
		uint64_t policy, features;
		int rc;
		const char *about;
	} cases[] = {
		/* Single socket; the bit that is one; migration agent; unknown. */
		{ SIM_LINUX_6_12, 0x130000, 1, -EINVAL, "guest policy" },
		{ SIM_LINUX_7_3, 0x130000, 1, 0, NULL },
		{ SIM_LINUX_6_12, 0x10000, 1, -EINVAL, "guest policy" },
		{ SIM_LINUX_7_3, 0x10000, 1, -EINVAL, "guest policy" },
		{ SIM_LINUX_6_12, 0x70000, 1, -EINVAL, "guest policy" },
		{ SIM_LINUX_7_3, 0x70000, 1, -EINVAL, "guest policy" },
		{ SIM_LINUX_7_3, 0x4030000, 1, -EINVAL, "guest policy" },
		{ SIM_LINUX_6_12, 0x20000, 1, -EINVAL, "guest policy" },
		{ SIM_LINUX_6_12, 0xb0000, 1, 0, NULL },
		{ SIM_LINUX_6_12, SNP_POLICY_DEFAULT, 0x21, 0, NULL },
		{ SIM_LINUX_6_12, SNP_POLICY_DEFAULT, 0x201, -EOPNOTSUPP, "guest features" },
		{ SIM_LINUX_7_3, SNP_POLICY_DEFAULT, 0x221, 0, NULL },
		{ SIM_LINUX_7_3, SNP_POLICY_DEFAULT, 0x3, -EOPNOTSUPP, "guest features" },
		{ SIM_LINUX_7_3, SNP_POLICY_DEFAULT, 0x20, -EINVAL, "guest features" },
	};

	ksft_for_each(c, cases) {
		launch_world_init(c->profile);
		world.config.policy = c->policy;
		world.config.image.features = c->features;
		EXPECT_EQ(launch_world_run(SNP_LAUNCH_FINISHED), c->rc);
		if (c->rc) {
			EXPECT_STREQ(world.error.object, c->about);
			EXPECT_FALSE(launch_world_said("INIT2", ""));
		}
		launch_world_free();
	}
}

/* The firmware may be asked again. */
TEST_OF(launch_fault, start)
{
	launch_world_init(SIM_LINUX_6_12);
	launch_world_vm();
	EXPECT_FALSE(sim_fail(world.sim, SIM_START, 1, 0x17));
	EXPECT_FALSE(sim_fail(world.sim, SIM_ACTIVATE, 1, 0xd));
	EXPECT_EQ(launch_world_run(SNP_LAUNCH_STARTED), -EIO);
	EXPECT_TRUE(says("firmware error 0x17 RESOURCE_LIMIT", "end one"));
	EXPECT_EQ(launch_world_run(SNP_LAUNCH_STARTED), -EIO);
	EXPECT_TRUE(says("firmware error 0xd INVALID_ASID", ""));
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_FINISHED));
	EXPECT_TRUE(launch_world_digest());
	launch_world_free();
}

TEST_OF(launch_fault, memory_small)
{
	static struct snp_section far;
	uint8_t image[BUILD_SIZE];

	far = (struct snp_section){ LAUNCH_RAM, 0x1000, SNP_SECTION_MEMORY };
	build_firmware(image, sizeof(image), &far, 1, 0);
	launch_world_init(SIM_LINUX_7_3);
	launch_world_firmware(image, sizeof(image));
	EXPECT_EQ(launch_world_run(SNP_LAUNCH_FINISHED), -EFAULT);
	EXPECT_TRUE(says("place in guest memory", "give the guest more"));
	/* The firmware has not heard of the guest. */
	EXPECT_FALSE(launch_world_said("SNP_LAUNCH_START", ""));
	EXPECT_FALSE(world.launch.calls);
	EXPECT_EQ(world.launch.state, SNP_LAUNCH_INITED);
	launch_world_free();
}

TEST_OF(launch_fault, msrs)
{
	static const uint32_t indices[] = {
		0x277, 0xc0000081, 0xc0000102, 0x176, 0x48, 0xc0000103,
	};
	char action[32];

	launch_world_init(SIM_LINUX_7_3);
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_POPULATED));
	ksft_for_each(index, indices) {
		lying_msr = *index;
		lie();
		EXPECT_EQ(launch_world_run(SNP_LAUNCH_FINISHED), -EIO);
		calls = real;
		snprintf(action, sizeof(action), "check MSR 0x%x of vCPU 0", lying_msr);
		EXPECT_TRUE(says(action, "the digest would differ"));
	}
	lying_msr = 0;
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_FINISHED));
	EXPECT_TRUE(launch_world_digest());
	launch_world_free();
}

TEST_OF(launch_fault, finish_twice)
{
	launch_world_init(SIM_LINUX_7_3);
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_FINISHED));
	EXPECT_EQ(snp_launch_finish(&world.launch, world.vcpus, &world.error), -EINVAL);
	EXPECT_TRUE(says("SNP_LAUNCH_FINISH", "launched already"));
	EXPECT_EQ(snp_launch_start(&world.launch, &world.error), -EINVAL);
	EXPECT_EQ(snp_launch_populate(&world.launch, &world.memory, &world.vcpus[0], &world.error),
		  -EINVAL);
	launch_world_free();
}

TEST_OF(launch_fault, names)
{
	EXPECT_STREQ(snp_fw_error_name(0x16), "INVALID_PARAM");
	EXPECT_STREQ(snp_fw_error_name(UINT32_MAX), "NO_FW_CALL");
	EXPECT_STREQ(snp_fw_error_name(0x1e), "not known to gmemctl");
	EXPECT_FALSE(snp_fw_error_hint(0x1e));
}
