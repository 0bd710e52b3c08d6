// SPDX-License-Identifier: GPL-2.0
/* Realms on a simulated host: launches, what goes wrong on the way, and runs. */
#include "../base/calls.h"
#include "../realm/abi.h"
#include "../realm/realm.h"
#include "sim/sim.h"
#include "host_fake.h"
#include "ksft.h"

#define BASE UINT64_C(0x40000000)
#define PAGE UINT64_C(4096)
#define MEMORY (64 * PAGE)
#define SAID 4096

/**
 * struct launch - a realm that is launched
 * @host: to be changed before launch_start()
 * @config: to be changed before launch_realm()
 * @said: all steps, a line each
 * @rc: of the first step that failed
 */
struct launch {
	struct sim_config host;
	struct sim *sim;
	struct realm_load loads[3];
	struct realm_config config;
	struct realm *realm;
	struct error error;
	unsigned int lints;
	char said[SAID];
	int rc;
};

static struct launch launch;
static uint8_t kernel[5 * PAGE], tree[100], initrd[PAGE];

static void lint(void *context, const char *message)
{
	launch.lints++;
	printf("# dangerous on a real host: %s\n", message);
}

static void step(void *data, const char *name, const char *text)
{
	size_t used = strlen(launch.said);

	snprintf(launch.said + used, sizeof(launch.said) - used, "%s: %s\n", name, text);
}

static void launch_init(void)
{
	memset(&launch, 0, sizeof(launch));
	launch.host = (struct sim_config){
		.arm = SIM_ARM_CCA_V14, .lint = lint,
	};
	launch.loads[0] = (struct realm_load){
		"kernel", BASE, kernel, sizeof(kernel), true,
	};
	launch.loads[1] = (struct realm_load){
		"tree", BASE + 16 * PAGE, tree, sizeof(tree), true,
	};
	launch.loads[2] = (struct realm_load){
		"initrd", BASE + 8 * PAGE, initrd, sizeof(initrd), false,
	};
	launch.config = (struct realm_config){
		.nr_vcpus = 1,
		.ram = { BASE, BASE + MEMORY },
		.loads = launch.loads, .nr_loads = 3,
		.entry = BASE, .argument = BASE + 16 * PAGE,
		.step = step,
	};
	launch.realm = malloc(sizeof(*launch.realm));
}

static void launch_start(void)
{
	launch.sim = sim_create(&launch.host);
	sim_use(launch.sim);
}

static void launch_open(void)
{
	if (!launch.sim)
		launch_start();
	launch.rc = realm_open(launch.realm, &launch.config, &launch.error);
}

static void launch_realm(void)
{
	launch_open();
	if (!launch.rc)
		launch.rc = realm_populate(launch.realm, &launch.error);
	if (!launch.rc)
		launch.rc = realm_activate(launch.realm, &launch.error);
}

static void launch_run(void)
{
	launch_realm();
	EXPECT_FALSE(launch.rc);
	if (!launch.rc)
		launch.rc = realm_run(launch.realm, &launch.error);
}

static void launch_free(void)
{
	realm_close(launch.realm);
	EXPECT_FALSE(launch.lints);
	EXPECT_FALSE(sim_open_files(launch.sim));
	sim_use(NULL);
	sim_destroy(launch.sim);
	free(launch.realm);
}

static bool said(const char *text)
{
	return strstr(launch.said, text);
}

static bool failed(int rc, const char *object,
		   const char *action, const char *hint)
{
	bool right = launch.rc == rc && strstr(launch.error.object, object) &&
		     strstr(launch.error.action, action) &&
		     strstr(launch.error.hint, hint);

	if (!right)
		printf("# %d: %s: %s; %s\n", launch.rc, launch.error.object,
		       launch.error.action, launch.error.hint);
	return right;
}

FIXTURE(realm) {
};

FIXTURE_SETUP(realm)
{
	launch_init();
}

FIXTURE_TEARDOWN(realm)
{
	launch_free();
}

TEST_F(realm, launch)
{
	int vm;

	launch_realm();
	vm = launch.realm->machine.vm.fd;
	EXPECT_FALSE(launch.rc);
	EXPECT_EQ(launch.realm->state, REALM_ACTIVE);
	EXPECT_TRUE(sim_realm_is_active(launch.sim, vm));
	/* The last page of each is whole. */
	EXPECT_EQ(sim_realm_pages(launch.sim, vm, true), 6);
	EXPECT_EQ(sim_realm_pages(launch.sim, vm, false), 1);
	EXPECT_EQ(launch.realm->counters.measured, 6 * PAGE);
	EXPECT_EQ(launch.realm->counters.unmeasured, PAGE);
	EXPECT_EQ(launch.realm->counters.calls, 3);
	EXPECT_EQ(launch.realm->ipa_bits, 48);
	EXPECT_TRUE(sim_vm_is_private(launch.sim, vm, BASE));
	EXPECT_TRUE(sim_vm_is_private(launch.sim, vm, BASE + MEMORY - PAGE));
	EXPECT_TRUE(said("KVM_CREATE_VM: CCA v14, 48 bits"));
	EXPECT_TRUE(said("5 pages  measured    kernel, calls: 1"));
	EXPECT_TRUE(said("1 pages  unmeasured  initrd, calls: 1"));
	EXPECT_TRUE(said("activate: "));
}

/* What was put into the realm's vCPUs, before the RMM took them. */
TEST_F(realm, registers)
{
	uint64_t value;
	struct kvm_one_reg reg = { .addr = (uintptr_t)&value };
	int vcpu;

	launch.config.nr_vcpus = 3;
	launch.config.entry = BASE + 0x40;
	launch_open();
	EXPECT_FALSE(launch.rc);
	EXPECT_EQ(launch.realm->machine.nr_vcpus, 3);
	vcpu = launch.realm->machine.vcpus[0].fd;
	reg.id = REALM_REG_PC;
	EXPECT_FALSE(calls->ioctl(vcpu, KVM_GET_ONE_REG, &reg));
	EXPECT_EQ(value, BASE + 0x40);
	reg.id = REALM_REG_X(0);
	EXPECT_FALSE(calls->ioctl(vcpu, KVM_GET_ONE_REG, &reg));
	EXPECT_EQ(value, BASE + 16 * PAGE);
}

/**
 * struct launch_case - a launch that may fail
 * @without: the host has no realms, but @arm
 * @ipa_bits: of the host
 * @width: bits asked for
 * @high: the memory goes beyond 2 GiB
 * @progress: pages at a time, or 0
 * @fails: what of the simulator fails
 * @rc: and if it is 0 calls and retries of the launch
 */
static const struct launch_case {
	const char *name;
	bool without;
	enum sim_arm arm;
	unsigned int ipa_bits, width;
	bool high;
	unsigned int progress;
	struct {
		enum sim_event event;
		unsigned int nth;
		uint32_t error;
	} fails[2];
	int rc;
	unsigned int calls, retries;
	const char *object, *action, *hint;
} launch_cases[] = {
#define POPULATE "KVM_ARM_RMI_POPULATE"
#define REFUSED "the RMM refused"
	/* However little KVM does at a time, it is all there in the end. */
	{ "partial", .progress = 2, .calls = 5 },
	/* A page that fails in the middle is found by the next call. */
	{ "page", .fails = { { SIM_RMI_POPULATE, 3, 0 } }, .calls = 4 },
	{ "page twice", .fails = { { SIM_RMI_POPULATE, 3, 0 }, { SIM_RMI_POPULATE, 4, 0 } },
	  .rc = -ENXIO, .object = "kernel, gpa 0x40002000", .action = POPULATE, .hint = REFUSED },
	{ "signal", .fails = { { SIM_SIGNAL, 1, 0 } }, .calls = 4, .retries = 1 },
	/* What cannot be true is not believed, and no page is taken for populated. */
	{ "status 6", .fails = { { SIM_RMI_POPULATE, 1, 6 } }, .rc = -EIO, .object = "kernel",
	  .action = POPULATE, .hint = "an error of the RMM that it does not report" },
	{ "status 0x105", .fails = { { SIM_RMI_POPULATE, 1, 0x105 } }, .rc = -EIO,
	  .object = "kernel", .action = POPULATE,
	  .hint = "an error of the RMM that it does not report" },
	/* This one nobody can tell from pages that were populated. */
	{ "status 5", .fails = { { SIM_RMI_POPULATE, 1, 5 } }, .calls = 3 },
	{ "create", .fails = { { SIM_RMI_CREATE, 1, 0 } }, .rc = -ENXIO, .object = "kernel",
	  .action = POPULATE, .hint = REFUSED },
	{ "populate", .fails = { { SIM_RMI_POPULATE, 1, 0 } }, .rc = -ENXIO, .object = "kernel",
	  .action = POPULATE, .hint = REFUSED },
	{ "REC", .fails = { { SIM_RMI_REC, 1, 0 } }, .rc = -ENXIO, .object = "vCPU 0",
	  .action = "KVM_RUN", .hint = REFUSED },
	{ "RIPAS", .fails = { { SIM_RMI_RIPAS, 1, 0 } }, .rc = -ENXIO, .object = "vCPU 0",
	  .action = "KVM_RUN", .hint = REFUSED },
	{ "activate", .fails = { { SIM_RMI_ACTIVATE, 1, 0 } }, .rc = -ENXIO, .object = "vCPU 0",
	  .action = "KVM_RUN", .hint = REFUSED },
	/* Hosts without realms; the second is an ordinary x86 host. */
	{ "arm64", .without = true, .arm = SIM_ARM_PLAIN, .rc = -EOPNOTSUPP, .object = "KVM",
	  .action = "249 in CCA v14", .hint = "gmemctl realm status" },
	{ "x86", .without = true, .arm = SIM_ARM_NOT, .rc = -EOPNOTSUPP, .object = "KVM",
	  .action = "249 in CCA v14", .hint = "RME" },
	/* The RMM has fewer bits than KVM says for ordinary VMs. */
	{ "36 bits", .ipa_bits = 36, .calls = 3 },
	{ "37 of 36 bits", .ipa_bits = 36, .width = 37, .rc = -EINVAL, .object = "KVM",
	  .action = "KVM_CREATE_VM", .hint = "--ipa-bits" },
	/* 2 GiB would be private, and this is above. */
	{ "host of 32 bits", .ipa_bits = 32, .high = true, .rc = -EINVAL, .object = "memory",
	  .action = "place", .hint = "32-bit guest addresses" },
	{ "32 bits", .width = 32, .high = true, .rc = -EINVAL, .object = "memory",
	  .action = "place", .hint = "32-bit guest addresses" },
};

/* A failure of the RMM is the end of the realm. */
static void check_over(void)
{
	EXPECT_EQ(launch.realm->state, REALM_FAILED);
	launch.rc = realm_populate(launch.realm, &launch.error);
	EXPECT_TRUE(failed(-EINVAL, "realm", "populate", "create a new VM"));
	launch.rc = realm_activate(launch.realm, &launch.error);
	EXPECT_TRUE(failed(-EINVAL, "realm", "activate", "create a new VM"));
	launch.rc = realm_run(launch.realm, &launch.error);
	EXPECT_TRUE(failed(-EINVAL, "realm", "run", "create a new VM"));
}

static void check_launch(const struct launch_case *expect)
{
	launch_init();
	if (expect->without)
		launch.host.arm = expect->arm;
	launch.host.ipa_bits = expect->ipa_bits;
	launch.host.progress = expect->progress;
	launch.config.ipa_bits = expect->width;
	if (expect->high)
		launch.config.ram = (struct range){ BASE, (UINT64_C(1) << 31) + PAGE };
	launch_start();
	for (int i = 0; i < 2 && expect->fails[i].nth; i++)
		sim_fail(launch.sim, expect->fails[i].event, expect->fails[i].nth,
			 expect->fails[i].error);
	launch_realm();
	if (expect->rc) {
		EXPECT_TRUE(failed(expect->rc, expect->object, expect->action,
				   expect->hint));
		check_over();
	} else {
		EXPECT_FALSE(launch.rc);
		EXPECT_EQ(launch.realm->counters.calls, expect->calls);
		EXPECT_EQ(launch.realm->counters.retries, expect->retries);
		EXPECT_EQ(launch.realm->ipa_bits, expect->ipa_bits ? expect->ipa_bits : 48);
	}
	launch_free();
}

TEST_OF(realm, launches)
{
	ksft_for_each(launch_case, launch_cases) {
		check_launch(launch_case);
		ksft_part("%s", launch_case->name);
	}
}

TEST_F(realm, order)
{
	launch_open();
	launch.rc = realm_activate(launch.realm, &launch.error);
	EXPECT_TRUE(failed(-EINVAL, "realm", "activate", "the realm is open"));
	launch.rc = realm_run(launch.realm, &launch.error);
	EXPECT_TRUE(failed(-EINVAL, "realm", "run", "the realm is open"));
	EXPECT_FALSE(realm_populate(launch.realm, &launch.error));
	EXPECT_FALSE(realm_activate(launch.realm, &launch.error));
	launch.rc = realm_populate(launch.realm, &launch.error);
	EXPECT_TRUE(failed(-EINVAL, "realm", "populate", "the realm is active"));
}

static const struct calls *real;

static int ioctl_no_gic(int fd, unsigned long request, void *arg)
{
	return request == KVM_CREATE_DEVICE ? -ENODEV : real->ioctl(fd, request, arg);
}

/* A host with another controller is one that lacks something. */
TEST_F(realm, no_gic)
{
	struct calls fake;

	launch_start();
	real = calls;
	fake = *calls;
	fake.ioctl = ioctl_no_gic;
	calls = &fake;
	launch_realm();
	calls = real;
	EXPECT_TRUE(failed(-EOPNOTSUPP, "VM", "KVM_DEV_TYPE_ARM_VGIC_V3", "GICv3"));
}

/* A configuration in which one field has a value that cannot be; what is said, and of what */
#define FIELD(field) offsetof(struct launch, field), sizeof(launch.field)

static const struct {
	size_t at, size;
	uint64_t value;
	const char *object, *hint;
} bads[] = {
	{ FIELD(config.nr_vcpus), REALM_VCPUS_MAX + 1, "VM", "between 1 and 32, not 33" },
	{ FIELD(config.nr_vcpus), 0, "VM", "between 1 and 32, not 0" },
	{ FIELD(config.ram.end), BASE + MEMORY + 1, "memory", "page size of the host" },
	{ FIELD(config.ram.start), REALM_GIC_DIST, "memory", "--base" },
	{ FIELD(config.ram.end), BASE, "memory", "page size of the host" },
	{ FIELD(config.ipa_bits), 31, "guest addresses", "not 31" },
	{ FIELD(loads[1].size), 0, "tree", "it is empty" },
	{ FIELD(loads[1].gpa), BASE + 16 * PAGE + 4, "tree", "0x40010004 is not a multiple" },
	{ FIELD(loads[0].gpa), BASE + MEMORY - PAGE, "kernel", "is not within the memory" },
	{ FIELD(loads[0].gpa), UINT64_MAX - PAGE + 1, "kernel", "is not within the memory" },
	{ FIELD(loads[2].gpa), BASE + 4 * PAGE, "initrd", "it overlaps kernel" },
	{ FIELD(config.entry), BASE + 2, "vCPU", "0x40000002 is not a multiple of 4 within" },
	{ FIELD(config.entry), BASE + MEMORY, "vCPU", "is not a multiple of 4 within" },
	{ FIELD(config.nr_loads), REALM_LOADS_MAX + 1, "realm", "at most 16 files" },
};

TEST_OF(realm, bad)
{
	ksft_for_each(bad, bads) {
		launch_init();
		memcpy((char *)&launch + bad->at, &bad->value, bad->size);
		launch_realm();
		EXPECT_TRUE(failed(-EINVAL, bad->object, "", bad->hint));
		launch_free();
	}
}

static void plan(uint32_t reason, uint64_t gpa,
		 uint64_t pages, bool private, uint64_t data)
{
	const struct sim_exit exit = { reason, gpa, pages, private, data };

	EXPECT_FALSE(sim_plan(launch.sim, 0, &exit));
}

TEST_F(realm, run)
{
	launch.config.nr_vcpus = 2;
	launch_run();
	EXPECT_FALSE(launch.rc);
	EXPECT_EQ(launch.realm->machine.end, END_POWER_OFF);
	EXPECT_STRSTR(launch.realm->machine.report, "shutdown");
}

/* The realm shares memory, takes it back, and says what is so already. */
TEST_F(realm, conversions)
{
	int vm;

	launch_start();
	plan(KVM_EXIT_MEMORY_FAULT, BASE, 64, true, 0);
	plan(KVM_EXIT_MEMORY_FAULT, BASE + 32 * PAGE, 8, false, 0);
	plan(KVM_EXIT_MEMORY_FAULT, BASE + 34 * PAGE, 2, true, 0);
	/* What is beyond the memory is nobody's. */
	plan(KVM_EXIT_MEMORY_FAULT, BASE + 63 * PAGE, 16, false, 0);
	plan(KVM_EXIT_MMIO, 0x9000000, 4, false, 0);
	plan(KVM_EXIT_MMIO, 0x9000000, 4, true, 0);
	launch_run();
	vm = launch.realm->machine.vm.fd;
	EXPECT_FALSE(launch.rc);
	EXPECT_EQ(launch.realm->machine.end, END_POWER_OFF);
	EXPECT_EQ(launch.realm->counters.confirmed, 1);
	EXPECT_EQ(launch.realm->machine.counters.conversions, 3);
	EXPECT_EQ(launch.realm->machine.counters.converted_bytes, 11 * PAGE);
	EXPECT_EQ(launch.realm->machine.counters.stray_io, 2);
	EXPECT_EQ(launch.realm->machine.counters.exits, 7);
	EXPECT_TRUE(sim_vm_is_private(launch.sim, vm, BASE + 31 * PAGE));
	EXPECT_FALSE(sim_vm_is_private(launch.sim, vm, BASE + 33 * PAGE));
	EXPECT_TRUE(sim_vm_is_private(launch.sim, vm, BASE + 34 * PAGE));
	EXPECT_FALSE(sim_vm_is_private(launch.sim, vm, BASE + 36 * PAGE));
	EXPECT_FALSE(sim_vm_is_private(launch.sim, vm, BASE + 63 * PAGE));
}

/* Exits that end a run, and how. */
TEST_OF(realm, ends)
{
	static const struct {
		struct sim_exit exit;
		enum end end;
		const char *report;
	} ends[] = {
		{ { KVM_EXIT_SYSTEM_EVENT, 0, 0, false, 2 }, END_RESET, "reset" },
		{ { KVM_EXIT_SYSTEM_EVENT, 0, 0, false, 3 }, END_PANIC, "crash" },
		{ { KVM_EXIT_SYSTEM_EVENT, 0, 0, false, 99 }, END_SYSTEM_EVENT, "type 99" },
		{ { KVM_EXIT_SHUTDOWN, 0, 0, false, 0 }, END_POWER_OFF, "" },
		{ { KVM_EXIT_FAIL_ENTRY, 0, 0, false, 0 }, END_ENTRY_FAILED, "" },
		{ { 77, 0, 0, false, 0 }, END_INTERNAL_ERROR, "exit 77" },
		{ { KVM_EXIT_MEMORY_FAULT, 0x1000, 1, true, 0 }, END_MEMORY, "gpa 0x1000" },
		{ { KVM_EXIT_MEMORY_FAULT, BASE + 1, 1, true, 0 }, END_MEMORY, "gpa 0x40000001" },
		{ { KVM_EXIT_MEMORY_FAULT, BASE, 0, true, 0 }, END_MEMORY, "" },
		{ { KVM_EXIT_MEMORY_FAULT, BASE, UINT64_MAX / PAGE, true, 0 },
		  END_MEMORY, "" },
	};

	ksft_for_each(item, ends) {
		launch_init();
		launch_start();
		EXPECT_FALSE(sim_plan(launch.sim, 0, &item->exit));
		launch_run();
		EXPECT_FALSE(launch.rc);
		EXPECT_EQ(launch.realm->machine.end, item->end);
		EXPECT_STRSTR(launch.realm->machine.report, item->report);
		launch_free();
	}
}

/* What a line of the report is, on a host like this */
static enum host_verdict look(enum sim_arm arm, const char *machine, const char *line)
{
	struct sim_config config = { .arm = arm };
	struct sim *sim = sim_create(&config);
	struct host_report report;
	struct host host = { 0 };

	snprintf(host.machine, sizeof(host.machine), "%s", machine);
	sim_use(sim);
	host_check_realm(&host, &report);
	sim_use(NULL);
	EXPECT_FALSE(sim_open_files(sim));
	sim_destroy(sim);
	if (line)
		return host_fake_line(&report, line)->verdict;
	return report.failed ? HOST_FAIL : HOST_PASS;
}

TEST_OF(realm, status)
{
	EXPECT_EQ(look(SIM_ARM_CCA_V14, "aarch64", NULL), HOST_PASS);
	EXPECT_EQ(look(SIM_ARM_CCA_V14, "aarch64", "gic"), HOST_PASS);
	EXPECT_EQ(look(SIM_ARM_CCA_V14, "x86_64", "machine"), HOST_SKIP);
	EXPECT_EQ(look(SIM_ARM_PLAIN, "aarch64", "capability"), HOST_FAIL);
	EXPECT_EQ(look(SIM_ARM_PLAIN, "aarch64", "vm"), HOST_SKIP);
	/* The number says yes, and there are no realms. */
	EXPECT_EQ(look(SIM_ARM_OTHER, "aarch64", "capability"), HOST_PASS);
	EXPECT_EQ(look(SIM_ARM_OTHER, "aarch64", "vm"), HOST_FAIL);
	EXPECT_EQ(look(SIM_ARM_OTHER, "aarch64", "populate"), HOST_SKIP);
	EXPECT_EQ(look(SIM_ARM_NOT, "x86_64", NULL), HOST_FAIL);
}
