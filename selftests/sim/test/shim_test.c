// SPDX-License-Identifier: GPL-2.0
/*
 * The simulator as a preloaded library. A test runs this program once more with
 * the library loaded, and does there what it is about.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload.h"
#include "sim_cases.h"
#include "ksft.h"

static const char *const event_names[SIM_EVENTS] = {
	[SIM_GCTX_CREATE] = "gctx-create", [SIM_START] = "start",
	[SIM_ACTIVATE] = "activate", [SIM_UPDATE] = "update",
	[SIM_FINISH] = "finish", [SIM_SIGNAL] = "signal",
	[SIM_AGAIN] = "again",
};

static void set_number(const char *name, unsigned int value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	setenv(name, text, 1);
}

static void set_faults(const struct world *world)
{
	char text[128] = "";
	size_t used = 0;

	for (unsigned int i = 0; i < world->nr_faults; i++) {
		const struct world_fault *fault = &world->faults[i];

		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s%s:%u", i ? "," : "",
					 event_names[fault->event], fault->nth);
		if (fault->event < SIM_SIGNAL)
			used += (size_t)snprintf(text + used,
						 sizeof(text) - used, ":0x%x",
						 fault->error);
	}
	if (used)
		setenv("GMEMCTL_SIM_FAIL", text, 1);
}

/* The host that a case wants, in the environment of the library */
static void set_host(const struct world *world)
{
	const struct sim_config *host = &world->host;
	char text[128];

	snprintf(text, sizeof(text), "%s%s%s%s",
		 host->no_snp ? ",no-snp" : "",
		 host->snp_uninitialized ? ",snp-uninitialized" : "",
		 host->psp_dead ? ",psp-dead" : "",
		 host->no_smt ? ",no-smt" : "");
	if (*text)
		setenv("GMEMCTL_SIM_HOST", text + 1, 1);
	setenv("GMEMCTL_SIM_PROFILE",
	       host->profile == SIM_LINUX_7_3 ? "7.3" : "6.12", 1);
	set_number("GMEMCTL_SIM_ASIDS", host->asids);
	set_number("GMEMCTL_SIM_PROGRESS", host->progress);
	set_faults(world);
}

/* On one profile: both are run without the library, see sim_test.c. */
static void run_cases(void)
{
	const struct sim_system system = {
		.profile = SIM_LINUX_7_3, .has = SIM_NEEDS_SNP,
		.type = KVM_X86_SNP_VM, .prepare = set_host,
	};

	EXPECT_EQ(sim_cases_run_system(&system), SIM_CASES);
}

TEST_OF(shim, cases)
{
	if (!preload_inside())
		preload_self("shim.cases");
	else
		run_cases();
}

static bool is_vm(int fd)
{
	return ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY) == 1;
}

/* Numbers are the process's, and duplicates keep a VM alive. */
static void files_inside(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm = ioctl(kvm, KVM_CREATE_VM, KVM_X86_SNP_VM);
	int copies[4], other = open("/dev/null", O_RDWR);

	EXPECT_GE(kvm, 0);
	EXPECT_LT(kvm, 100);
	EXPECT_GE(vm, 0);
	EXPECT_LT(vm, 100);
	EXPECT_EQ(fcntl(kvm, F_GETFD), FD_CLOEXEC);
	copies[0] = dup(vm);
	copies[1] = fcntl(vm, F_DUPFD_CLOEXEC, 50);
	copies[2] = dup2(vm, 60);
	copies[3] = dup3(vm, other, O_CLOEXEC);
	EXPECT_GE(copies[1], 50);
	EXPECT_EQ(copies[2], 60);
	EXPECT_EQ(copies[3], other);
	EXPECT_FALSE(close(vm));
	EXPECT_FALSE(is_vm(vm));
	for (int i = 0; i < 4; i++)
		EXPECT_TRUE(is_vm(copies[i]));
	EXPECT_EQ(dup2(STDIN_FILENO, copies[2]), copies[2]);
	EXPECT_FALSE(is_vm(copies[2]));
	EXPECT_FALSE(close_range((unsigned int)copies[1], (unsigned int)copies[1], 0));
	EXPECT_FALSE(is_vm(copies[1]));
	EXPECT_TRUE(is_vm(copies[0]));
	EXPECT_EQ(mmap(NULL, 4096, PROT_READ, MAP_SHARED, copies[0], 0), MAP_FAILED);
	EXPECT_EQ(errno, ENODEV);
	EXPECT_LT(ioctl(other, KVM_RUN, 0), 0);
	EXPECT_EQ(errno, ENOTTY);
	close(open("/dev/null", O_RDONLY));
	close(kvm);
	kvm = open("/dev/kvm", O_RDONLY);
	EXPECT_GE(kvm, 0);
	EXPECT_FALSE(fcntl(kvm, F_GETFD) & FD_CLOEXEC);
	close(kvm);
	/* What is neither /dev/kvm nor /dev/sev is the kernel's. */
	EXPECT_LT(open("/dev/null/kvm", O_RDWR), 0);
	EXPECT_EQ(errno, ENOTDIR);
}

TEST_OF(shim, files)
{
	if (!preload_inside())
		preload_self("shim.files");
	else
		files_inside();
}

/* A guest_memfd and a kvm_run, in the way of a VMM */
static void memory_inside(void)
{
	struct kvm_create_guest_memfd create = { .size = 0x10000 };
	struct kvm_run *run;
	int kvm, vm, vcpu, gmem;

	setenv("GMEMCTL_SIM_HOST", "sw-protected", 1);
	setenv("GMEMCTL_SIM_SCRIPT", "map-private:0x3000:2,1/shutdown", 1);
	kvm = open("/dev/kvm", O_RDWR);
	vm = ioctl(kvm, KVM_CREATE_VM, KVM_X86_SW_PROTECTED_VM);
	gmem = ioctl(vm, KVM_CREATE_GUEST_MEMFD, &create);
	EXPECT_GE(gmem, 0);
	EXPECT_FALSE(fallocate(gmem, 0, 0, 0x10000));
	EXPECT_FALSE(fallocate(gmem, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0x1000, 0x1000));
	EXPECT_LT(fallocate(gmem, 0, 0, 1), 0);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_LT(fallocate(gmem, FALLOC_FL_COLLAPSE_RANGE, 0, 0x1000), 0);
	EXPECT_EQ(errno, EOPNOTSUPP);
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	run = mmap(NULL, (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0),
		   PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	EXPECT_NE(run, MAP_FAILED);
	close(kvm);
	close(vm);
	EXPECT_FALSE(ioctl(vcpu, KVM_RUN, 0));
	EXPECT_EQ(run->exit_reason, KVM_EXIT_HYPERCALL);
	EXPECT_EQ(run->hypercall.args[0], 0x3000);
	EXPECT_EQ(run->hypercall.args[1], 2);
	run->immediate_exit = 1;
	EXPECT_LT(ioctl(vcpu, KVM_RUN, 0), 0);
	EXPECT_EQ(errno, EINTR);
	close(vcpu);
	close(gmem);
	/* The mapping outlives the vCPU. */
	EXPECT_EQ(run->exit_reason, KVM_EXIT_INTR);
}

TEST_OF(shim, memory)
{
	if (!preload_inside())
		preload_self("shim.memory");
	else
		memory_inside();
}

static const char *const info[] = { "info", NULL };

TEST_OF(shim, settings)
{
	static const char *const bad[] = { "PROFILE=6.13", NULL };
	static const char *const without[] = { "WITHOUT=201,234", NULL };
	static const char *const many[] = { "WITHOUT=1,2,3,4,5,6,7,8,9", NULL };
	static const char *const gone[] = { "HOST=no-gmem", NULL };
	static const char *const none[] = { NULL };
	static char output[65536];

	EXPECT_GE(preload_run("gmemctl", info, none, output, sizeof(output)), 0);
	EXPECT_STRSTR(output, "/dev/kvm                               can be");
	EXPECT_STRSTR(output, "VM types 0x1d");
	EXPECT_GE(preload_run("gmemctl", info, without, output, sizeof(output)), 0);
	EXPECT_STRSTR(output, "FAIL  KVM_CAP_GUEST_MEMFD                    0x0");
	EXPECT_STRSTR(output, "FAIL  KVM_CAP_EXIT_HYPERCALL (MAP_GPA_RANGE) 0x0");
	EXPECT_STRSTR(output, "PASS  KVM_CAP_MEMORY_ATTRIBUTES");
	EXPECT_GE(preload_run("gmemctl", info, many, output, sizeof(output)), 0);
	EXPECT_STRSTR(output, "numbers of capabilities, at most 8");
	EXPECT_GE(preload_run("gmemctl", info, gone, output, sizeof(output)), 0);
	EXPECT_STRSTR(output, "VM types 0x1");
	EXPECT_STRSTR(output, "FAIL  KVM_CAP_MEMORY_ATTRIBUTES (PRIVATE)    0x0");
	EXPECT_GE(preload_run("gmemctl", info, bad, output, sizeof(output)), 0);
	EXPECT_STRSTR(output, "GMEMCTL_SIM_PROFILE=6.13: not understood; it is 6.12 or 7.3");
	EXPECT_STRSTR(output, "Invalid argument");
}

/* D19: the host that a launch would have, and not the one that the tests run on */
TEST_OF(shim, status)
{
	static const char *const status[] = { "snp", "status", NULL };
	static const char *const none[] = { NULL }, *const no_snp[] = { "HOST=no-snp", NULL };
	static const char *const no_device[] = { "HOST=no-dev-sev", NULL };
	static const char *const typo[] = { "HOST=no-spn", NULL };
	static const char *const passes[] = {
		"cpu            AMD EPYC 9654", "sev-snp", "asids          99 for", "syscfg",
		"rmp            0x1000000000", "kernel-config", "kernel-snp", "iommu", "kvm_amd",
		"/dev/sev", "firmware", "vm ", "policy-bits    0x3fbffff; SMT is on",
	};
	char line[128], *first;

	EXPECT_GE(preload_gmemctl(status, none), 0);
	for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]); i++) {
		snprintf(line, sizeof(line), "PASS  %s", passes[i]);
		EXPECT_STRSTR(preload_said, line);
	}
	EXPECT_EQ(preload_gmemctl(status, no_snp), 4);
	EXPECT_STRSTR(preload_said, "FAIL  sev-snp        SEV no");
	EXPECT_EQ(preload_gmemctl(status, no_device), 4);
	EXPECT_STRSTR(preload_said, "FAIL  /dev/sev");
	EXPECT_EQ(preload_gmemctl(status, typo), 4);
	first = strstr(preload_said, "gmemctl-sim: ");
	EXPECT_TRUE(first && !strstr(first + 1, "gmemctl-sim: "));
}
