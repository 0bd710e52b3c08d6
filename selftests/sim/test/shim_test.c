// SPDX-License-Identifier: GPL-2.0
/*
 * The simulator as a preloaded library. A test runs this program once more with
 * the library loaded, and does there what it is about. And the gmemctl that is
 * installed, on a simulated host: what it launches is what it has predicted, and
 * what goes wrong on the way it says.
 */
#include <fcntl.h>
#include <sys/ioctl.h>

#include "cli_run.h"
#include "preload.h"
#include "sim_cases.h"
#include "ksft.h"

/* Have the test @name run with the library loaded, and there do what it is about. */
static void inside(const char *name, void (*run)(void))
{
	if (preload_inside())
		run();
	else
		preload_self(name);
}

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

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s:%u", i ? "," : "",
					 event_names[fault->event], fault->nth);
		if (fault->event < SIM_SIGNAL)
			used += (size_t)snprintf(text + used, sizeof(text) - used, ":0x%x",
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

	snprintf(text, sizeof(text), "%s%s%s%s", host->no_snp ? ",no-snp" : "",
		 host->snp_uninitialized ? ",snp-uninitialized" : "",
		 host->psp_dead ? ",psp-dead" : "", host->no_smt ? ",no-smt" : "");
	if (*text)
		setenv("GMEMCTL_SIM_HOST", text + 1, 1);
	setenv("GMEMCTL_SIM_PROFILE", host->profile == SIM_LINUX_7_3 ? "7.3" : "6.12", 1);
	set_number("GMEMCTL_SIM_STRICT", host->strict);
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
	inside("shim.cases", run_cases);
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
	inside("shim.files", files_inside);
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
	inside("shim.memory", memory_inside);
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
	ksft_for_each(pass, passes) {
		snprintf(line, sizeof(line), "PASS  %s", *pass);
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

#define TRACE_SIZE (1 << 20)
#define DIGEST_DIGITS 96

/* Firmware in the test's folder */
static void firmware(void)
{
	ASSERT_FALSE(chdir(ksft_folder()));
	cli_write_firmware();
}

static int launch(const char *const *settings)
{
	const char *const arguments[] = {
		"snp", "launch", "--firmware", "fw", "--cpus", "2",
		"--vcpu-type", "EPYC-v4", "--memory", "64M", NULL,
	};

	return preload_gmemctl(arguments, settings);
}

/* The file's last text after @key, as far as a digest goes */
static bool last_digest(const char *text, const char *key, char digest[DIGEST_DIGITS + 1])
{
	const char *found = NULL;

	for (const char *at = text; (at = strstr(at, key)); at++)
		found = at + strlen(key);
	if (!found || strspn(found, "0123456789abcdef") != DIGEST_DIGITS)
		return false;
	memcpy(digest, found, DIGEST_DIGITS);
	digest[DIGEST_DIGITS] = '\0';
	return true;
}

static char *read_text(const char *path)
{
	char *text = calloc(1, TRACE_SIZE);
	FILE *file = fopen(path, "re");

	if (text && file)
		text[fread(text, 1, TRACE_SIZE - 1, file)] = '\0';
	if (file)
		fclose(file);
	return text;
}

/* Launched, with the digest that gmemctl has predicted. Return: the trace. */
static char *launch_traced(const char *profile, const char *limit)
{
	char told[DIGEST_DIGITS + 1], predicted[DIGEST_DIGITS + 1];
	char measured[DIGEST_DIGITS + 1], *text;
	const char *const settings[] = {
		profile, limit, "STRICT=1", "TRACE=trace", NULL,
	};

	EXPECT_FALSE(launch(settings));
	text = read_text("trace");
	EXPECT_TRUE(last_digest(preload_said, "predicted digest   ", predicted));
	EXPECT_TRUE(last_digest(preload_said, "launch digest ", told));
	EXPECT_TRUE(last_digest(text, "\"digest\":\"", measured));
	EXPECT_STREQ(predicted, measured);
	EXPECT_STREQ(told, measured);
	unlink("trace");
	return text;
}

/* However many pages go at a time; and two runs have the same trace. */
TEST_OF(shim_launch, launch)
{
	char *first, *second, *other;

	firmware();
	first = launch_traced("PROFILE=6.12", "PROGRESS=0");
	second = launch_traced("PROFILE=6.12", "PROGRESS=0");
	EXPECT_STRSTR(first, "KVM_SEV_SNP_LAUNCH_FINISH");
	EXPECT_STREQ(first, second);
	other = launch_traced("PROFILE=7.3", "PROGRESS=3");
	EXPECT_TRUE(strcmp(first, other));
	free(first);
	free(second);
	free(other);
}

TEST_OF(shim_launch, exits)
{
	static const char *const settings[] = {
		"STRICT=1", "SCRIPT=map-shared:0x3000:2,fault-private:0x3000:1,"
		"map-private:0x4000:1,term:0x1100", NULL,
	};
	const char *const arguments[] = {
		"run", "--vm-type", "snp", "--firmware", "fw", "--vcpu-type",
		"EPYC-v4", "--memory", "64M", "--trace", NULL,
	};

	firmware();
	EXPECT_GT(preload_gmemctl(arguments, settings), 0);
	EXPECT_STRSTR(preload_said, "0x3000 + 0x2000 to shared: done");
	EXPECT_STRSTR(preload_said, "0x3000 + 0x1000 to private: done");
	EXPECT_STRSTR(preload_said, "0x4000 + 0x1000 to private: done");
	EXPECT_STRSTR(preload_said, "1 implicit conversions");
	EXPECT_STRSTR(preload_said, "end:         system-event");
}

#define POLICY 0x30000
#define MESSAGE_SIZE 512

/* Calls that a VMM must not make, each after what comes before it */

static int init2_padding(struct world *world)
{
	struct snp_kvm_init2 init = { .pad2[7] = 1 };

	return world_op(world, SNP_KVM_INIT2, &init);
}

static int start_padding(struct world *world)
{
	struct snp_kvm_launch_start start = { .policy = POLICY, .pad1[3] = 1 };

	return world_op(world, SNP_KVM_LAUNCH_START, &start);
}

static int update_padding(struct world *world)
{
	world_update(world, 1, 0, 0);
	world->update.len = WORLD_PAGE;
	world->update.pad2[0] = 1;
	return world_update_again(world);
}

static int finish_padding(struct world *world)
{
	struct snp_kvm_launch_finish finish = { .pad1[0] = 1 };

	return world_op(world, SNP_KVM_LAUNCH_FINISH, &finish);
}

static int command_with(struct world *world, uint32_t error, uint32_t pad)
{
	struct snp_kvm_init2 init = { 0 };
	struct snp_kvm_cmd cmd = {
		.id = SNP_KVM_INIT2, .data = (uint64_t)&init, .error = error,
		.pad0 = pad,
	};

	return world_ioctl(world, world->vm, KVM_MEMORY_ENCRYPT_OP, &cmd);
}

static int command_padding(struct world *world)
{
	return command_with(world, 0, 1);
}

static int command_error(struct world *world)
{
	return command_with(world, 1, 0);
}

static int start(struct world *world)
{
	return world_start(world, POLICY);
}

static int update(struct world *world)
{
	return world_update(world, 1, 0, 1);
}

static int run(struct world *world)
{
	return world_ioctl(world, world->vcpu, KVM_RUN, NULL);
}

static int update_null(struct world *world)
{
	world->update = (struct snp_kvm_launch_update){
		.len = WORLD_PAGE, .type = 1,
	};
	return world_update_again(world);
}

static int update_signals(struct world *world)
{
	sigset_t one;

	sigemptyset(&one);
	sigaddset(&one, SIGTERM);
	pthread_sigmask(SIG_UNBLOCK, &one, NULL);
	return update(world);
}

static int gmem_flags(struct world *world)
{
	return world_gmem(world, WORLD_PAGE, 1);
}

static int other_sev(struct world *world)
{
	world->sev = world_open(world, SNP_DEVICE_PATH, O_RDWR);
	return update(world);
}

static int closed_sev(struct world *world)
{
	world_close(world, world->sev);
	return update(world);
}

static int run_without_sev(struct world *world)
{
	world_close(world, world->sev);
	return run(world);
}

/**
 * struct danger - a call that is dangerous on a real host
 * @before: brings a world to where it is made
 * @old_only: on Linux 6.12
 * @message: in what is said about it, and about nothing else
 */
static const struct danger {
	const char *name;
	void (*before)(struct world *world);
	int (*make)(struct world *world);
	bool old_only;
	const char *message;
} dangers[] = {
	{ "INIT2 padding", world_vm, init2_padding, false, "INIT2 with padding that is not zero" },
	{ "LAUNCH_START padding", world_inited, start_padding, false, "LAUNCH_START with padding" },
	{ "LAUNCH_UPDATE padding", world_ready, update_padding, false,
	  "LAUNCH_UPDATE with padding" },
	{ "LAUNCH_FINISH padding", world_ready, finish_padding, false,
	  "LAUNCH_FINISH with padding" },
	{ "command padding", world_vm, command_padding, false, "error or padding" },
	{ "command error", world_vm, command_error, false, "error or padding" },
	{ "LAUNCH_START after the end", world_finished, start, false,
	  "LAUNCH_START after LAUNCH_FINISH" },
	{ "LAUNCH_UPDATE after the end", world_finished, update, false,
	  "LAUNCH_UPDATE after LAUNCH_FINISH" },
	{ "LAUNCH_FINISH after the end", world_finished, world_finish, false,
	  "LAUNCH_FINISH after LAUNCH_FINISH" },
	{ "vCPU before INIT2", world_vcpu, NULL, false, "before INIT2" },
	{ "KVM_RUN before the end", world_ready, run, false, "KVM_RUN before LAUNCH_FINISH" },
	{ "no source", world_ready, update_null, true, "uaddr 0" },
	{ "signals", world_ready, update_signals, false, "signals that are not blocked" },
	{ "guest_memfd flags", world_inited, gmem_flags, false, "SNP with flags" },
	{ "another dev sev", world_ready, other_sev, false, "another number" },
	{ "closed dev sev", world_ready, closed_sev, false, "/dev/sev was closed" },
	{ "running without dev sev", world_finished, run_without_sev, false,
	  "KVM_RUN with /dev/sev closed" },
};

#define DANGERS (sizeof(dangers) / sizeof(dangers[0]))

static void __attribute__((noreturn))
make_danger(const struct danger *danger, enum sim_profile profile, bool strict, int errors)
{
	struct world world;
	sigset_t all;

	dup2(errors, STDERR_FILENO);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	world_init(&world, profile);
	world.host.strict = strict;
	world.system = set_host;
	danger->before(&world);
	if (danger->make)
		danger->make(&world);
	_exit(EXIT_SUCCESS);
}

/* Return: what ksft_wait() says of a process that makes the call. */
static int in_child(const struct danger *danger, enum sim_profile profile,
		    bool strict, char message[MESSAGE_SIZE])
{
	int fds[2], code;
	ssize_t size;
	pid_t pid;

	EXPECT_FALSE(pipe2(fds, O_CLOEXEC));
	fflush(NULL);
	pid = fork();
	if (!pid)
		make_danger(danger, profile, strict, fds[1]);
	close(fds[1]);
	EXPECT_GT(pid, 0);
	code = ksft_wait(pid);
	size = read(fds[0], message, MESSAGE_SIZE - 1);
	message[size > 0 ? size : 0] = '\0';
	close(fds[0]);
	return code;
}

static void check_danger(const struct danger *danger, enum sim_profile profile)
{
	char message[MESSAGE_SIZE];
	int code;

	EXPECT_FALSE(in_child(danger, profile, false, message));
	EXPECT_FALSE(*message);
	code = in_child(danger, profile, true, message);
	if (danger->old_only && profile != SIM_LINUX_6_12) {
		EXPECT_FALSE(code);
		return;
	}
	EXPECT_EQ(code, -SIGABRT);
	EXPECT_STRSTR(message, danger->message);
}

/* Each ends the process, and says which it was. Without strict mode it does not. */
static void strict_inside(void)
{
	for (size_t i = 0; i < 2 * DANGERS; i++) {
		const struct danger *danger = &dangers[i / 2];

		check_danger(danger, i % 2 ? SIM_LINUX_7_3 : SIM_LINUX_6_12);
		ksft_part("%s, %s", danger->name, i % 2 ? "7.3" : "6.12");
	}
}

TEST_OF(shim_strict, aborts)
{
	inside("shim_strict.aborts", strict_inside);
}
