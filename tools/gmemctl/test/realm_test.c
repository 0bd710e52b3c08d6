// SPDX-License-Identifier: GPL-2.0
/* Realms on a simulated host: launches, what goes wrong on the way, and runs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/calls.h"
#include "../host/host.h"
#include "../realm/abi.h"
#include "../realm/realm.h"
#include "sim/sim.h"
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

static uint8_t kernel[5 * PAGE], tree[100], initrd[PAGE];

static void lint(void *context, const char *message)
{
	struct launch *launch = context;

	launch->lints++;
	printf("# dangerous on a real host: %s\n", message);
}

static void step(void *data, const char *name, const char *text)
{
	struct launch *launch = data;
	size_t used = strlen(launch->said);

	snprintf(launch->said + used, sizeof(launch->said) - used, "%s: %s\n",
		 name, text);
}

static void launch_init(struct launch *launch)
{
	memset(launch, 0, sizeof(*launch));
	launch->host = (struct sim_config){
		.arm = SIM_ARM_CCA_V14, .lint = lint, .lint_context = launch,
	};
	launch->loads[0] = (struct realm_load){
		"kernel", BASE, kernel, sizeof(kernel), true,
	};
	launch->loads[1] = (struct realm_load){
		"tree", BASE + 16 * PAGE, tree, sizeof(tree), true,
	};
	launch->loads[2] = (struct realm_load){
		"initrd", BASE + 8 * PAGE, initrd, sizeof(initrd), false,
	};
	launch->config = (struct realm_config){
		.nr_vcpus = 1,
		.ram = { BASE, BASE + MEMORY },
		.loads = launch->loads, .nr_loads = 3,
		.entry = BASE, .argument = BASE + 16 * PAGE,
		.step = step, .data = launch,
	};
	launch->realm = malloc(sizeof(*launch->realm));
}

static void launch_start(struct launch *launch)
{
	launch->sim = sim_create(&launch->host);
	sim_use(launch->sim);
}

static void launch_open(struct launch *launch)
{
	if (!launch->sim)
		launch_start(launch);
	launch->rc = realm_open(launch->realm, &launch->config, &launch->error);
}

static void launch_realm(struct launch *launch)
{
	launch_open(launch);
	if (!launch->rc)
		launch->rc = realm_populate(launch->realm, &launch->error);
	if (!launch->rc)
		launch->rc = realm_activate(launch->realm, &launch->error);
}

static void launch_run(struct launch *launch)
{
	launch_realm(launch);
	EXPECT_FALSE(launch->rc);
	if (!launch->rc)
		launch->rc = realm_run(launch->realm, &launch->error);
}

static void launch_free(struct launch *launch)
{
	realm_close(launch->realm);
	EXPECT_FALSE(launch->lints);
	EXPECT_FALSE(sim_open_files(launch->sim));
	sim_use(NULL);
	sim_destroy(launch->sim);
	free(launch->realm);
}

static bool said(const struct launch *launch, const char *text)
{
	return strstr(launch->said, text);
}

static bool failed(const struct launch *launch, int rc, const char *object,
		   const char *action, const char *hint)
{
	bool right = launch->rc == rc && strstr(launch->error.object, object) &&
		     strstr(launch->error.action, action) &&
		     strstr(launch->error.hint, hint);

	if (!right)
		printf("# %d: %s: %s; %s\n", launch->rc, launch->error.object,
		       launch->error.action, launch->error.hint);
	return right;
}

TEST_OF(realm, launch)
{
	struct launch launch;
	int vm;

	launch_init(&launch);
	launch_realm(&launch);
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
	EXPECT_TRUE(said(&launch, "KVM_CREATE_VM: CCA v14, 48 bits"));
	EXPECT_TRUE(said(&launch, "5 pages  measured    kernel, calls: 1"));
	EXPECT_TRUE(said(&launch, "1 pages  unmeasured  initrd, calls: 1"));
	EXPECT_TRUE(said(&launch, "activate: "));
	launch_free(&launch);
}

/* What was put into the realm's vCPUs, before the RMM took them. */
TEST_OF(realm, registers)
{
	uint64_t value;
	struct kvm_one_reg reg = { .addr = (uintptr_t)&value };
	struct launch launch;
	int vcpu;

	launch_init(&launch);
	launch.config.nr_vcpus = 3;
	launch.config.entry = BASE + 0x40;
	launch_open(&launch);
	EXPECT_FALSE(launch.rc);
	EXPECT_EQ(launch.realm->machine.nr_vcpus, 3);
	vcpu = launch.realm->machine.vcpus[0].fd;
	reg.id = REALM_REG_PC;
	EXPECT_FALSE(calls->ioctl(vcpu, KVM_GET_ONE_REG, &reg));
	EXPECT_EQ(value, BASE + 0x40);
	reg.id = REALM_REG_X(0);
	EXPECT_FALSE(calls->ioctl(vcpu, KVM_GET_ONE_REG, &reg));
	EXPECT_EQ(value, BASE + 16 * PAGE);
	launch_free(&launch);
}

/* However little KVM does at a time, it is all there in the end. */
TEST_OF(realm, partial)
{
	struct launch launch;

	launch_init(&launch);
	launch.host.progress = 2;
	launch_realm(&launch);
	EXPECT_FALSE(launch.rc);
	EXPECT_EQ(launch.realm->counters.calls, 5);
	EXPECT_EQ(sim_realm_pages(launch.sim, launch.realm->machine.vm.fd, true), 6);
	launch_free(&launch);

	/* A page that fails in the middle is found by the next call. */
	launch_init(&launch);
	launch_start(&launch);
	sim_fail(launch.sim, SIM_RMI_POPULATE, 3, 0);
	launch_realm(&launch);
	EXPECT_FALSE(launch.rc);
	EXPECT_EQ(launch.realm->counters.calls, 4);
	launch_free(&launch);

	launch_init(&launch);
	launch_start(&launch);
	sim_fail(launch.sim, SIM_RMI_POPULATE, 3, 0);
	sim_fail(launch.sim, SIM_RMI_POPULATE, 4, 0);
	launch_realm(&launch);
	EXPECT_TRUE(failed(&launch, -ENXIO, "kernel, gpa 0x40002000", "KVM_ARM_RMI_POPULATE",
			   "the RMM has refused"));
	launch_free(&launch);
}

TEST_OF(realm, signal)
{
	struct launch launch;

	launch_init(&launch);
	launch_start(&launch);
	sim_fail(launch.sim, SIM_SIGNAL, 1, 0);
	launch_realm(&launch);
	EXPECT_FALSE(launch.rc);
	EXPECT_EQ(launch.realm->counters.retries, 1);
	launch_free(&launch);
}

/* What cannot be true is not believed, and no page is taken for populated. */
static void status_as_pages(uint32_t pages, int rc)
{
	struct launch launch;

	launch_init(&launch);
	launch_start(&launch);
	sim_fail(launch.sim, SIM_RMI_POPULATE, 1, pages);
	launch_realm(&launch);
	if (rc)
		EXPECT_TRUE(failed(&launch, rc, "kernel", "KVM_ARM_RMI_POPULATE",
				   "a refusal of the RMM that it does not report"));
	else
		EXPECT_FALSE(launch.rc);
	launch_free(&launch);
}

TEST_OF(realm, rmm_status)
{
	status_as_pages(6, -EIO);
	status_as_pages(0x105, -EIO);
	/* This one nobody can tell from pages that were populated. */
	status_as_pages(5, 0);
}

/* Each failure of the RMM, what is said of it, and that it is the end. */
TEST_OF(realm, faults)
{
	static const struct {
		enum sim_event event;
		const char *object, *action;
	} faults[] = {
		{ SIM_RMI_CREATE, "kernel", "KVM_ARM_RMI_POPULATE" },
		{ SIM_RMI_POPULATE, "kernel", "KVM_ARM_RMI_POPULATE" },
		{ SIM_RMI_REC, "vCPU 0", "KVM_RUN" },
		{ SIM_RMI_RIPAS, "vCPU 0", "KVM_RUN" },
		{ SIM_RMI_ACTIVATE, "vCPU 0", "KVM_RUN" },
	};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct launch launch;

		launch_init(&launch);
		launch_start(&launch);
		sim_fail(launch.sim, faults[i].event, 1, 0);
		launch_realm(&launch);
		EXPECT_TRUE(failed(&launch, -ENXIO, faults[i].object, faults[i].action,
				   "the RMM has refused"));
		EXPECT_EQ(launch.realm->state, REALM_FAILED);
		launch.rc = realm_populate(launch.realm, &launch.error);
		EXPECT_TRUE(failed(&launch, -EINVAL, "realm", "populate", "create a new VM"));
		launch.rc = realm_activate(launch.realm, &launch.error);
		EXPECT_TRUE(failed(&launch, -EINVAL, "realm", "activate", "create a new VM"));
		launch.rc = realm_run(launch.realm, &launch.error);
		EXPECT_TRUE(failed(&launch, -EINVAL, "realm", "run", "create a new VM"));
		launch_free(&launch);
	}
}

TEST_OF(realm, order)
{
	struct launch launch;

	launch_init(&launch);
	launch_open(&launch);
	launch.rc = realm_activate(launch.realm, &launch.error);
	EXPECT_TRUE(failed(&launch, -EINVAL, "realm", "activate", "it is open"));
	launch.rc = realm_run(launch.realm, &launch.error);
	EXPECT_TRUE(failed(&launch, -EINVAL, "realm", "run", "it is open"));
	EXPECT_FALSE(realm_populate(launch.realm, &launch.error));
	EXPECT_FALSE(realm_activate(launch.realm, &launch.error));
	launch.rc = realm_populate(launch.realm, &launch.error);
	EXPECT_TRUE(failed(&launch, -EINVAL, "realm", "populate", "it is active"));
	launch_free(&launch);
}

/* Hosts without realms, and with another version of the series */
TEST_OF(realm, hosts)
{
	struct launch launch;

	launch_init(&launch);
	launch.host.arm = SIM_ARM_PLAIN;
	launch_realm(&launch);
	EXPECT_TRUE(failed(&launch, -EOPNOTSUPP, "KVM", "249 in CCA v14", "gmemctl realm status"));
	launch_free(&launch);

	/* An ordinary x86 host */
	launch_init(&launch);
	launch.host.arm = SIM_ARM_NOT;
	launch_realm(&launch);
	EXPECT_TRUE(failed(&launch, -EOPNOTSUPP, "KVM", "249 in CCA v14", "RME"));
	launch_free(&launch);
}

static const struct calls *real;

static int ioctl_no_gic(int fd, unsigned long request, void *arg)
{
	return request == KVM_CREATE_DEVICE ? -ENODEV :
	       real->ioctl(fd, request, arg);
}

/* A host with another controller is one that lacks something. */
TEST_OF(realm, no_gic)
{
	struct launch launch;
	struct calls fake;

	launch_init(&launch);
	launch_start(&launch);
	real = calls;
	fake = *calls;
	fake.ioctl = ioctl_no_gic;
	calls = &fake;
	launch_realm(&launch);
	calls = real;
	EXPECT_TRUE(failed(&launch, -EOPNOTSUPP, "VM", "KVM_DEV_TYPE_ARM_VGIC_V3", "GICv3"));
	launch_free(&launch);
}

TEST_OF(realm, width)
{
	struct launch launch;

	/* The RMM has fewer bits than KVM says for ordinary VMs. */
	launch_init(&launch);
	launch.host.ipa_bits = 36;
	launch_realm(&launch);
	EXPECT_FALSE(launch.rc);
	EXPECT_EQ(launch.realm->ipa_bits, 36);
	launch_free(&launch);

	launch_init(&launch);
	launch.host.ipa_bits = 36;
	launch.config.ipa_bits = 37;
	launch_realm(&launch);
	EXPECT_TRUE(failed(&launch, -EINVAL, "KVM", "KVM_CREATE_VM", "--ipa-bits"));
	launch_free(&launch);

	/* 2 GiB would be private, and this is above. */
	launch_init(&launch);
	launch.host.ipa_bits = 32;
	launch.config.ram = (struct range){ BASE, (UINT64_C(1) << 31) + PAGE };
	launch_realm(&launch);
	EXPECT_TRUE(failed(&launch, -EINVAL, "memory", "place", "32 bits"));
	launch_free(&launch);

	launch_init(&launch);
	launch.config.ipa_bits = 32;
	launch.config.ram = (struct range){ BASE, (UINT64_C(1) << 31) + PAGE };
	launch_realm(&launch);
	EXPECT_TRUE(failed(&launch, -EINVAL, "memory", "place", "32 bits"));
	launch_free(&launch);
}

/**
 * struct bad - a configuration that cannot be
 */
struct bad {
	void (*spoil)(struct launch *launch);
	const char *object;
	const char *hint;
};

static void spoil_vcpus(struct launch *launch)
{
	launch->config.nr_vcpus = REALM_VCPUS_MAX + 1;
}

static void spoil_no_vcpus(struct launch *launch)
{
	launch->config.nr_vcpus = 0;
}

static void spoil_ram(struct launch *launch)
{
	launch->config.ram.end += 1;
}

static void spoil_gic(struct launch *launch)
{
	launch->config.ram.start = REALM_GIC_DIST;
}

static void spoil_backwards(struct launch *launch)
{
	launch->config.ram.end = launch->config.ram.start;
}

static void spoil_bits(struct launch *launch)
{
	launch->config.ipa_bits = 31;
}

static void spoil_empty(struct launch *launch)
{
	launch->loads[1].size = 0;
}

static void spoil_aligned(struct launch *launch)
{
	launch->loads[1].gpa += 4;
}

static void spoil_outside(struct launch *launch)
{
	launch->loads[0].gpa = BASE + MEMORY - PAGE;
}

static void spoil_wraps(struct launch *launch)
{
	launch->loads[0].gpa = UINT64_MAX - PAGE + 1;
}

static void spoil_overlap(struct launch *launch)
{
	launch->loads[2].gpa = BASE + 4 * PAGE;
}

static void spoil_entry(struct launch *launch)
{
	launch->config.entry = BASE + 2;
}

static void spoil_entry_outside(struct launch *launch)
{
	launch->config.entry = BASE + MEMORY;
}

static void spoil_count(struct launch *launch)
{
	launch->config.nr_loads = REALM_LOADS_MAX + 1;
}

TEST_OF(realm, bad)
{
	static const struct bad bads[] = {
		{ spoil_vcpus, "VM", "between 1 and 32, not 33" },
		{ spoil_no_vcpus, "VM", "between 1 and 32, not 0" },
		{ spoil_ram, "memory", "page size of the host" },
		{ spoil_gic, "memory", "--base" },
		{ spoil_backwards, "memory", "page size of the host" },
		{ spoil_bits, "guest addresses", "not 31" },
		{ spoil_empty, "tree", "it is empty" },
		{ spoil_aligned, "tree", "0x40010004 is not a multiple" },
		{ spoil_outside, "kernel", "is not all memory" },
		{ spoil_wraps, "kernel", "is not all memory" },
		{ spoil_overlap, "initrd", "kernel is there already" },
		{ spoil_entry, "vCPU", "0x40000002 is no place" },
		{ spoil_entry_outside, "vCPU", "is no place" },
		{ spoil_count, "realm", "at most 16 files" },
	};

	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		struct launch launch;

		launch_init(&launch);
		bads[i].spoil(&launch);
		launch_realm(&launch);
		EXPECT_TRUE(failed(&launch, -EINVAL, bads[i].object, "", bads[i].hint));
		launch_free(&launch);
	}
}

static void plan(struct launch *launch, uint32_t reason, uint64_t gpa,
		 uint64_t pages, bool private, uint64_t data)
{
	const struct sim_exit exit = { reason, gpa, pages, private, data };

	EXPECT_FALSE(sim_plan(launch->sim, 0, &exit));
}

TEST_OF(realm, run)
{
	struct launch launch;

	launch_init(&launch);
	launch.config.nr_vcpus = 2;
	launch_run(&launch);
	EXPECT_FALSE(launch.rc);
	EXPECT_EQ(launch.realm->machine.end, END_POWER_OFF);
	EXPECT_STRSTR(launch.realm->machine.report, "shutdown");
	launch_free(&launch);
}

/* The realm shares memory, takes it back, and says what is so already. */
TEST_OF(realm, conversions)
{
	struct launch launch;
	int vm;

	launch_init(&launch);
	launch_start(&launch);
	plan(&launch, KVM_EXIT_MEMORY_FAULT, BASE, 64, true, 0);
	plan(&launch, KVM_EXIT_MEMORY_FAULT, BASE + 32 * PAGE, 8, false, 0);
	plan(&launch, KVM_EXIT_MEMORY_FAULT, BASE + 34 * PAGE, 2, true, 0);
	/* What is beyond the memory is nobody's. */
	plan(&launch, KVM_EXIT_MEMORY_FAULT, BASE + 63 * PAGE, 16, false, 0);
	plan(&launch, KVM_EXIT_MMIO, 0x9000000, 4, false, 0);
	plan(&launch, KVM_EXIT_MMIO, 0x9000000, 4, true, 0);
	launch_run(&launch);
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
	launch_free(&launch);
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
		{ { KVM_EXIT_SYSTEM_EVENT, 0, 0, false, 99 }, END_SYSTEM_EVENT,
		  "type 99" },
		{ { KVM_EXIT_SHUTDOWN, 0, 0, false, 0 }, END_POWER_OFF, "" },
		{ { KVM_EXIT_FAIL_ENTRY, 0, 0, false, 0 }, END_ENTRY_FAILED, "" },
		{ { 77, 0, 0, false, 0 }, END_INTERNAL_ERROR, "exit 77" },
		{ { KVM_EXIT_MEMORY_FAULT, 0x1000, 1, true, 0 }, END_MEMORY,
		  "gpa 0x1000" },
		{ { KVM_EXIT_MEMORY_FAULT, BASE + 1, 1, true, 0 }, END_MEMORY,
		  "gpa 0x40000001" },
		{ { KVM_EXIT_MEMORY_FAULT, BASE, 0, true, 0 }, END_MEMORY, "" },
		{ { KVM_EXIT_MEMORY_FAULT, BASE, UINT64_MAX / PAGE, true, 0 },
		  END_MEMORY, "" },
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct launch launch;

		launch_init(&launch);
		launch_start(&launch);
		EXPECT_FALSE(sim_plan(launch.sim, 0, &ends[i].exit));
		launch_run(&launch);
		EXPECT_FALSE(launch.rc);
		EXPECT_EQ(launch.realm->machine.end, ends[i].end);
		EXPECT_STRSTR(launch.realm->machine.report, ends[i].report);
		launch_free(&launch);
	}
}

/* What a line of the report is, on a host like this */
static enum host_verdict look(enum sim_arm arm, const char *machine,
			      const char *line)
{
	struct sim_config config = { .arm = arm };
	struct sim *sim = sim_create(&config);
	struct host_report report;
	struct host host = { 0 };
	enum host_verdict verdict = HOST_SKIP;

	snprintf(host.machine, sizeof(host.machine), "%s", machine);
	sim_use(sim);
	host_check_realm(&host, &report);
	sim_use(NULL);
	EXPECT_FALSE(sim_open_files(sim));
	sim_destroy(sim);
	if (line)
		verdict = host_report_find(&report, line)->verdict;
	else if (report.failed)
		verdict = HOST_FAIL;
	else
		verdict = HOST_PASS;
	return verdict;
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
