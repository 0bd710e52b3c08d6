// SPDX-License-Identifier: GPL-2.0
/*
 * Strict mode of the preloaded simulator: each call that is dangerous on a real
 * host ends the process, and says which it was. Without strict mode it does not.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/calls.h"
#include "preload.h"
#include "sim_world.h"
#include "ksft.h"

#define POLICY 0x30000
#define MESSAGE_SIZE 512

/* Commands with something in the padding */

static void init2_padding(struct world *world)
{
	struct snp_kvm_init2 init = { .pad2[7] = 1 };

	world_vm(world);
	world_op(world, SNP_KVM_INIT2, &init);
}

static void start_padding(struct world *world)
{
	struct snp_kvm_launch_start start = { .policy = POLICY, .pad1[3] = 1 };

	world_inited(world);
	world_op(world, SNP_KVM_LAUNCH_START, &start);
}

static void update_padding(struct world *world)
{
	world_ready(world);
	world_update(world, 1, 0, 0);
	world->update.len = WORLD_PAGE;
	world->update.pad2[0] = 1;
	world_update_again(world);
}

static void finish_padding(struct world *world)
{
	struct snp_kvm_launch_finish finish = { .pad1[0] = 1 };

	world_ready(world);
	world_op(world, SNP_KVM_LAUNCH_FINISH, &finish);
}

static void command_with(struct world *world, uint32_t error, uint32_t pad)
{
	struct snp_kvm_init2 init = { 0 };
	struct snp_kvm_cmd cmd = {
		.id = SNP_KVM_INIT2, .data = (uint64_t)&init, .error = error,
		.pad0 = pad,
	};

	world_vm(world);
	world_ioctl(world, world->vm, KVM_MEMORY_ENCRYPT_OP, &cmd);
}

static void command_padding(struct world *world)
{
	command_with(world, 0, 1);
}

static void command_error(struct world *world)
{
	command_with(world, 1, 0);
}

/* After the end, and before the beginning */

static void late_start(struct world *world)
{
	world_finished(world);
	world_start(world, POLICY);
}

static void late_update(struct world *world)
{
	world_finished(world);
	world_update(world, 1, 0, 1);
}

static void late_finish(struct world *world)
{
	world_finished(world);
	world_finish(world);
}

static void early_vcpu(struct world *world)
{
	world_vcpu(world);
}

static void early_run(struct world *world)
{
	world_ready(world);
	world_ioctl(world, world->vcpu, KVM_RUN, NULL);
}

/* What LAUNCH_UPDATE is given */

static void update_null(struct world *world)
{
	world_ready(world);
	world->update = (struct snp_kvm_launch_update){
		.len = WORLD_PAGE, .type = 1,
	};
	world_update_again(world);
}

static void update_signals(struct world *world)
{
	sigset_t one;

	sigemptyset(&one);
	sigaddset(&one, SIGTERM);
	world_ready(world);
	pthread_sigmask(SIG_UNBLOCK, &one, NULL);
	world_update(world, 1, 0, 1);
}

/* Files */

static void gmem_flags(struct world *world)
{
	world_inited(world);
	world_gmem(world, WORLD_PAGE, 1);
}

static void other_sev(struct world *world)
{
	world_ready(world);
	world->sev = world_open(world, SNP_DEVICE_PATH, O_RDWR);
	world_update(world, 1, 0, 1);
}

static void closed_sev(struct world *world)
{
	world_ready(world);
	world_close(world, world->sev);
	world_update(world, 1, 0, 1);
}

static void run_without_sev(struct world *world)
{
	world_finished(world);
	world_close(world, world->sev);
	world_ioctl(world, world->vcpu, KVM_RUN, NULL);
}

/**
 * struct danger - a call that a VMM must not make
 * @old_only: on Linux 6.12
 * @message: in what is said about it, and about nothing else
 */
struct danger {
	const char *name;
	void (*make)(struct world *world);
	bool old_only;
	const char *message;
};

static const struct danger dangers[] = {
	{ "INIT2 padding", init2_padding, false,
	  "INIT2 with padding that is not zero" },
	{ "LAUNCH_START padding", start_padding, false,
	  "LAUNCH_START with padding" },
	{ "LAUNCH_UPDATE padding", update_padding, false,
	  "LAUNCH_UPDATE with padding" },
	{ "LAUNCH_FINISH padding", finish_padding, false,
	  "LAUNCH_FINISH with padding" },
	{ "command padding", command_padding, false, "error or padding" },
	{ "command error", command_error, false, "error or padding" },
	{ "LAUNCH_START after the end", late_start, false,
	  "LAUNCH_START after LAUNCH_FINISH" },
	{ "LAUNCH_UPDATE after the end", late_update, false,
	  "LAUNCH_UPDATE after LAUNCH_FINISH" },
	{ "LAUNCH_FINISH after the end", late_finish, false,
	  "LAUNCH_FINISH after LAUNCH_FINISH" },
	{ "vCPU before INIT2", early_vcpu, false, "before INIT2" },
	{ "KVM_RUN before the end", early_run, false,
	  "KVM_RUN before LAUNCH_FINISH" },
	{ "no source", update_null, true, "uaddr 0" },
	{ "signals", update_signals, false, "signals that are not blocked" },
	{ "guest_memfd flags", gmem_flags, false, "SNP with flags" },
	{ "another dev sev", other_sev, false, "another number" },
	{ "closed dev sev", closed_sev, false, "/dev/sev was closed" },
	{ "running without dev sev", run_without_sev, false,
	  "KVM_RUN with /dev/sev closed" },
};

#define DANGERS (sizeof(dangers) / sizeof(dangers[0]))

static void set_host(const struct world *world)
{
	setenv("GMEMCTL_SIM_PROFILE",
	       world->host.profile == SIM_LINUX_7_3 ? "7.3" : "6.12", 1);
	setenv("GMEMCTL_SIM_STRICT", world->host.strict ? "1" : "0", 1);
}

static void __attribute__((noreturn))
make_danger(const struct danger *danger, enum sim_profile profile, bool strict,
	    int errors)
{
	struct world world;
	sigset_t all;

	dup2(errors, STDERR_FILENO);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	world_init(&world, profile);
	world.host.strict = strict;
	world.system = set_host;
	danger->make(&world);
	_exit(EXIT_SUCCESS);
}

/* Return: the wait status of a process that makes the call. */
static int in_child(const struct danger *danger, enum sim_profile profile,
		    bool strict, char message[MESSAGE_SIZE])
{
	int fds[2], status = -1;
	ssize_t size;
	pid_t pid;

	EXPECT_FALSE(pipe2(fds, O_CLOEXEC));
	fflush(NULL);
	pid = fork();
	if (!pid)
		make_danger(danger, profile, strict, fds[1]);
	close(fds[1]);
	EXPECT_GT(pid, 0);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	size = read(fds[0], message, MESSAGE_SIZE - 1);
	message[size > 0 ? size : 0] = '\0';
	close(fds[0]);
	return status;
}

static void check_danger(const struct danger *danger, enum sim_profile profile)
{
	char message[MESSAGE_SIZE];
	int status;

	EXPECT_FALSE(in_child(danger, profile, false, message));
	EXPECT_FALSE(*message);
	status = in_child(danger, profile, true, message);
	if (danger->old_only && profile != SIM_LINUX_6_12) {
		EXPECT_FALSE(status);
		return;
	}
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(WTERMSIG(status), SIGABRT);
	EXPECT_STRSTR(message, danger->message);
}

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
	if (!preload_inside())
		preload_self("shim_strict.aborts");
	else
		strict_inside();
}
