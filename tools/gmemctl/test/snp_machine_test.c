// SPDX-License-Identifier: GPL-2.0
/*
 * An SNP guest as a machine: launched and run, with the exits that a guest makes
 * in the simulator's script.
 */
#include "../machine/pc.h"
#include "../snp/abi.h"
#include "sim/sim.h"
#include "snp_build.h"
#include "ksft.h"

#define RAM UINT64_C(0x1000000)
#define GPA UINT64_C(0x200000)
#define PAGE RANGE_PAGE_SIZE

static const uint8_t certs[PAGE + 100] = { 1, 2, 3, [PAGE] = 4 };

/**
 * struct guest - a simulated host, and the machine on it
 */
static struct guest {
	struct sim_config host;
	struct sim *sim;
	uint8_t image[BUILD_SIZE];
	struct snp_firmware firmware;
	struct snp_launch_config launch;
	struct range ranges[2];
	struct memory_request request;
	struct pc_config config;
	struct pc pc;
	unsigned int lints;
	struct error error;
} guest;

static void lint(void *context, const char *message)
{
	guest.lints++;
}

static void describe(uint32_t cpus)
{
	build_firmware(guest.image, BUILD_SIZE, build_sections, BUILD_SECTIONS, 0);
	EXPECT_FALSE(snp_firmware_parse(&guest.firmware, "OVMF.fd", guest.image, BUILD_SIZE,
					SNP_4G, &guest.error));
	guest.launch = (struct snp_launch_config){
		.image = {
			.firmware = &guest.firmware, .vmm = SNP_VMM_GMEMCTL,
			.nr_vcpus = cpus, .features = SNP_FEATURE_ACTIVE,
		},
		.policy = SNP_POLICY_DEFAULT,
		.certs = certs,
		.certs_size = sizeof(certs),
	};
	guest.ranges[0] = (struct range){ 0, RAM };
	guest.ranges[1] = (struct range){ SNP_4G - BUILD_SIZE, SNP_4G };
	guest.request = (struct memory_request){
		.ranges = guest.ranges, .nr_ranges = 2, .existing_fd = -1,
		.node = -1,
	};
	guest.config = (struct pc_config){
		.machine = {
			.memory = {
				.requests = &guest.request, .nr_requests = 1,
				.guest_memfd = true, .initial_private = true,
				.encrypted = true,
			},
			.nr_vcpus = cpus, .irqchip = true,
			.snp = &guest.launch, .run_timeout_s = 10,
		},
		.input = -1, .output = -1,
	};
}

static void start_host(enum sim_profile profile, uint32_t cpus)
{
	memset(&guest, 0, sizeof(guest));
	guest.host = (struct sim_config){
		.profile = profile, .asids = 1, .lint = lint,
	};
	guest.sim = sim_create(&guest.host);
	sim_use(guest.sim);
	describe(cpus);
}

static int start(uint32_t cpus)
{
	start_host(SIM_LINUX_7_3, cpus);
	return pc_create(&guest.pc, &guest.config, &guest.error);
}

static void stop(void)
{
	pc_destroy(&guest.pc);
	EXPECT_FALSE(sim_open_files(guest.sim));
	EXPECT_FALSE(guest.lints);
	sim_use(NULL);
	sim_destroy(guest.sim);
}

static void script(struct sim_exit made)
{
	EXPECT_FALSE(sim_script(guest.sim, guest.pc.machine.vcpus[0].fd, &made));
}

static void script_range(uint32_t reason, uint64_t gpa, uint64_t pages, bool private)
{
	script((struct sim_exit){ reason, gpa, pages, private, 0 });
}

static bool is_private(uint64_t gpa)
{
	return sim_vm_is_private(guest.sim, guest.pc.machine.vm.fd, gpa);
}

/* What a guest does from its start to its end, all of it asked for by KVM. */
TEST_OF(snp_machine, run)
{
	struct machine *machine = &guest.pc.machine;
	struct sim_exit made;

	EXPECT_FALSE(start(1));
	script_range(KVM_EXIT_HYPERCALL, GPA, 4, false);
	script_range(KVM_EXIT_HYPERCALL, GPA + PAGE, 1, true);
	/* An access to a page in the other state is a request as well. */
	script_range(KVM_EXIT_MEMORY_FAULT, GPA + 2 * PAGE, 1, true);
	script_range(KVM_EXIT_SNP_REQ_CERTS, GPA, 1, false);
	script((struct sim_exit){ .reason = KVM_EXIT_AP_RESET_HOLD });
	/* Memory that is not there: the guest is told so. */
	script_range(KVM_EXIT_HYPERCALL, RAM, 1, true);
	made = (struct sim_exit){ .reason = KVM_EXIT_SYSTEM_EVENT };
	made.data = 0x21100;
	script(made);
	EXPECT_FALSE(pc_run(&guest.pc, &guest.error));
	EXPECT_EQ(machine->end, END_SYSTEM_EVENT);
	EXPECT_STRSTR(machine->report, "set 1, reason 2: PVALIDATE");
	EXPECT_EQ(machine->counters.conversions, 3);
	EXPECT_EQ(machine->counters.implicit, 1);
	EXPECT_EQ(machine->counters.refused, 1);
	EXPECT_EQ(machine->counters.exits, 7);
	EXPECT_FALSE(is_private(GPA));
	EXPECT_TRUE(is_private(GPA + PAGE));
	EXPECT_TRUE(is_private(GPA + 2 * PAGE));
	EXPECT_FALSE(is_private(GPA + 3 * PAGE));
	stop();
}

/* Return: what KVM is told; a request for pages that are not there. */
static uint64_t ask_hypercall(uint64_t nr)
{
	struct vcpu *vcpu = &guest.pc.machine.vcpus[0];

	vcpu->run->exit_reason = KVM_EXIT_HYPERCALL;
	vcpu->run->hypercall.nr = nr;
	vcpu->run->hypercall.args[0] = RAM;
	vcpu->run->hypercall.args[1] = 1;
	vcpu->run->hypercall.args[2] = 1 << 4;
	EXPECT_TRUE(machine_exit(&guest.pc.machine, vcpu));
	return vcpu->run->hypercall.ret;
}

/* Another value than a positive EINVAL would fail the next KVM_RUN. */
TEST_OF(snp_machine, refused)
{
	EXPECT_FALSE(start(1));
	EXPECT_EQ(ask_hypercall(KVM_HC_MAP_GPA_RANGE), EINVAL);
	EXPECT_EQ(ask_hypercall(4711), EINVAL);
	EXPECT_EQ(guest.pc.machine.counters.refused, 2);
	stop();
}

/* A fault that no conversion could help would come again for ever. */
TEST_OF(snp_machine, fault)
{
	EXPECT_FALSE(start(1));
	script_range(KVM_EXIT_MEMORY_FAULT, GPA, 1, true);
	EXPECT_FALSE(pc_run(&guest.pc, &guest.error));
	EXPECT_EQ(guest.pc.machine.end, END_MEMORY);
	stop();
}

TEST_OF(snp_machine, shutdown)
{
	EXPECT_FALSE(start(2));
	EXPECT_EQ(guest.pc.machine.launch.state, SNP_LAUNCH_FINISHED);
	EXPECT_MEMEQ(sim_vm_digest(guest.sim, guest.pc.machine.vm.fd),
		     guest.pc.machine.launch.predicted.digest, SNP_DIGEST_SIZE);
	script((struct sim_exit){ .reason = KVM_EXIT_SHUTDOWN });
	EXPECT_FALSE(pc_run(&guest.pc, &guest.error));
	EXPECT_EQ(guest.pc.machine.end, END_TRIPLE_FAULT);
	stop();
}

/* Return: what the guest is told; @pages is what KVM is told it needs. */
static uint64_t ask_certs(uint64_t gpa, uint64_t *pages)
{
	struct vcpu *vcpu = &guest.pc.machine.vcpus[0];
	struct kvm_snp_certs_request *request = kvm_run_snp_req_certs(vcpu->run);

	vcpu->run->exit_reason = KVM_EXIT_SNP_REQ_CERTS;
	*request = (struct kvm_snp_certs_request){ gpa, *pages, 0 };
	EXPECT_TRUE(machine_exit(&guest.pc.machine, vcpu));
	*pages = request->npages;
	return request->ret;
}

TEST_OF(snp_machine, certs)
{
	uint64_t pages = 1;
	char why[64];

	EXPECT_FALSE(start(1));
	EXPECT_EQ(ask_certs(GPA, &pages), ENOSPC);
	EXPECT_EQ(pages, 2);
	/* Private pages are not the host's to write to. */
	EXPECT_EQ(ask_certs(GPA, &pages), EIO);
	EXPECT_FALSE(guest_memory_convert(&guest.pc.machine.memory,
					  (struct range){ GPA, GPA + PAGE }, false, why,
					  sizeof(why)));
	EXPECT_EQ(ask_certs(GPA, &pages), EIO);
	EXPECT_FALSE(guest_memory_convert(&guest.pc.machine.memory,
					  (struct range){ GPA + PAGE, GPA + 2 * PAGE }, false, why,
					  sizeof(why)));
	EXPECT_FALSE(ask_certs(GPA, &pages));
	EXPECT_MEMEQ(machine_host(&guest.pc.machine, GPA), certs, sizeof(certs));
	/* Past the end of RAM, and past the end of all addresses. */
	EXPECT_EQ(ask_certs(RAM - PAGE, &pages), EIO);
	EXPECT_EQ(ask_certs(-PAGE, &pages), EIO);
	EXPECT_EQ(ask_certs(GPA + 1, &pages), EIO);
	stop();
}

/* A launch that fails leaves nothing of the machine. */
TEST_OF(snp_machine, fails)
{
	start_host(SIM_LINUX_6_12, 2);
	guest.launch.certs = NULL;
	EXPECT_FALSE(sim_fail(guest.sim, SIM_FINISH, 1, 0xb));
	EXPECT_EQ(pc_create(&guest.pc, &guest.config, &guest.error), -EIO);
	EXPECT_STRSTR(guest.error.action, "BAD_MEASUREMENT");
	EXPECT_FALSE(sim_open_files(guest.sim));
	/* Its ASID is free again. */
	EXPECT_FALSE(pc_create(&guest.pc, &guest.config, &guest.error));
	stop();
}

static bool termination_is(uint64_t msr, const char *text)
{
	char buffer[160];

	return strstr(snp_termination_format(msr, buffer, sizeof(buffer)), text);
}

TEST_OF(snp_machine, termination)
{
	EXPECT_TRUE(termination_is(0x100, "set 0, reason 0: no reason given"));
	EXPECT_TRUE(termination_is(0xc1100, "set 1, reason 12: its secure AVIC"));
	EXPECT_TRUE(termination_is(0xd1100, "set 1, reason 13"));
	EXPECT_FALSE(termination_is(0xd1100, ":  "));
	EXPECT_TRUE(termination_is(0xff2100, "set 2, reason 255"));
	/* Only the address of its GHCB. */
	EXPECT_TRUE(termination_is(0x7fff000, "without a reason code"));
}
