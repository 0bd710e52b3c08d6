// SPDX-License-Identifier: GPL-2.0
/*
 * The tests of a launch on a host with SNP. Elsewhere they are skipped, and run
 * once with the simulator in the host's place, so that they are not found broken
 * on the day that they are needed.
 */
#include <fcntl.h>
#include <sys/utsname.h>
#include <linux/gmem.h>

#include "../base/calls.h"
#include "fixture.h"
#include "launch_world.h"
#include "preload.h"
#include "sim/test/sim_cases.h"
#include "snp_vectors.h"
#include "ksft.h"

#define SKIPPED 77

/* Why this host cannot be tested, or NULL */
static const char *unusable(void)
{
	int fd = calls->open(KVM_DEVICE_PATH, O_RDWR);
	const char *why = NULL;
	int sev;

	if (fd < 0)
		return "/dev/kvm cannot be opened";
	if (!vm_type_supported(fd, KVM_X86_SNP_VM))
		why = "KVM has no KVM_X86_SNP_VM";
	calls->close(fd);
	if (why)
		return why;
	sev = calls->open(SNP_DEVICE_PATH, O_RDWR);
	if (sev < 0)
		return "/dev/sev cannot be opened";
	calls->close(sev);
	return NULL;
}

static bool is_usable(void)
{
	const char *why = unusable();

	if (why)
		ksft_skip(KSFT_BY_DESIGN " %s; `gmemctl snp status` says more", why);
	return !why;
}

static bool find_profile(enum sim_profile *profile)
{
	struct utsname name;

	uname(&name);
	*profile = SIM_LINUX_7_3;
	if (preload_inside() || !strncmp(name.release, "7.", 2))
		return true;
	*profile = SIM_LINUX_6_12;
	return !strncmp(name.release, "6.12.", 5);
}

/*
 * What some kernels do not survive, or warn of. A real host has no simulator to
 * stop at it.
 */
static bool is_dangerous(const char *id)
{
	static const char *const ids[] = {
		"fin-twice", "fin-twice-0vcpu", "upd-after-fin", "upd-uaddr0",
	};

	ksft_for_each(item, ids)
		if (!strcmp(*item, id))
			return true;
	return false;
}

/* Called where a simulator would be made as the case wants it. */
static void skip_other_hosts(const struct world *world)
{
	const struct sim_config *host = &world->host;
	struct world usual;

	world_init(&usual, host->profile);
	if (host->no_snp || host->snp_uninitialized || host->psp_dead ||
	    host->no_smt || host->sw_protected || host->progress ||
	    host->asids != usual.host.asids || world->nr_faults)
		_exit(SKIPPED);
	world_free(&usual);
}

/* In a process of its own, which begins without files. */
static int run_case(const struct sim_case *sim_case, enum sim_profile profile)
{
	struct world world;
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		world_init(&world, profile);
		world.system = skip_other_hosts;
		sim_case_run(sim_case, &world);
		world_free(&world);
		fflush(NULL);
		_exit(EXIT_SUCCESS);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

TEST_OF(hw, cases)
{
	unsigned int run = 0, skipped = 0;
	enum sim_profile profile;

	if (!is_usable())
		return;
	if (!find_profile(&profile)) {
		ksft_skip(KSFT_BY_DESIGN " there is no table of errors for this kernel");
		return;
	}
	for (unsigned int i = 0; sim_case_get(i); i++) {
		const struct sim_case *sim_case = sim_case_get(i);
		int code = is_dangerous(sim_case->id) ? SKIPPED :
			   run_case(sim_case, profile);

		if (code && code != SKIPPED)
			printf("# case %s: failed\n", sim_case->id);
		EXPECT_TRUE(!code || code == SKIPPED);
		*(code == SKIPPED ? &skipped : &run) += 1;
	}
	printf("# %u cases on this host, %u need another one\n", run, skipped);
	EXPECT_GT(run, skipped);
}

/*
 * The host cannot read the digest. But with an ID block the firmware compares its
 * own with the predicted one, and refuses a guest that differs.
 */
static void launch_signed(const void *data, size_t size, uint32_t cpus)
{
	struct launch_signature signature;

	launch_world_init(SIM_LINUX_7_3);
	world.real = true;
	world.config.image.nr_vcpus = cpus;
	if (data)
		launch_world_firmware(data, size);
	launch_world_sign(&signature, true);
	if (launch_world_run(SNP_LAUNCH_FINISHED))
		printf("# %s: %s: %s\n", world.error.object, world.error.action, world.error.hint);
	EXPECT_EQ(world.launch.state, SNP_LAUNCH_FINISHED);
	printf("# %u CPUs, %llu pages, %u calls, %u CPUID corrections\n", cpus,
	       (unsigned long long)world.launch.predicted.pages,
	       world.launch.calls, world.launch.corrections);
	launch_world_free();
}

TEST_OF(hw, launch)
{
	if (!is_usable())
		return;
	launch_signed(NULL, 0, 1);
	launch_signed(NULL, 0, LAUNCH_VCPUS);
}

TEST_OF(hw, debian)
{
	struct fixture fixture;

	if (!is_usable() || !fixture_load(&fixture, vector_debian[0].fixture,
					  vector_debian[0].sha256))
		return;
	launch_signed(fixture.data, fixture.size, 2);
	fixture_free(&fixture);
}

/* The check is a real one: another digest is refused, by the firmware. */
TEST_OF(hw, refused)
{
	struct launch_signature signature;

	if (!is_usable())
		return;
	launch_world_init(SIM_LINUX_7_3);
	world.real = true;
	launch_world_sign(&signature, false);
	/* The library would not even begin: it is told of the block later. */
	world.config.id_block = NULL;
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_POPULATED));
	memset(&signature.auth.id_block_signature, 0x11, 96);
	world.config.id_block = &signature.block;
	EXPECT_EQ(snp_launch_finish(&world.launch, world.vcpus, &world.error), -EIO);
	EXPECT_STRSTR(world.error.action, "BAD_SIGNATURE");
	EXPECT_EQ(world.launch.state, SNP_LAUNCH_FAILED);
	launch_world_free();
}

/* Handover with ZERO: what --conversion handover is marked hw for. */
static bool has_gmem(void)
{
	int fd = preload_inside() ? -ENODEV :
				    calls->open(GMEM_DEVICE_PATH, O_RDWR);

	if (fd < 0)
		ksft_skip(KSFT_BY_DESIGN " " GMEM_DEVICE_PATH " cannot be opened: `gmemctl load`");
	else
		calls->close(fd);
	return fd >= 0;
}

static void exchange(uint64_t gpa, uint64_t size)
{
	uint8_t *host = world.memory.reservation.base + gpa;
	struct range range = { gpa, gpa + size };
	char why[128] = "";

	memset(host, 0x5a, size);
	EXPECT_FALSE(guest_memory_convert(&world.memory, range, true, why, sizeof(why)));
	EXPECT_FALSE(guest_memory_convert(&world.memory, range, false, why, sizeof(why)));
	if (*why)
		printf("# %s\n", why);
	for (uint64_t i = 0; i < size; i++)
		EXPECT_FALSE(host[i]);
}

TEST_OF(hw, handover)
{
	if (!is_usable() || !has_gmem())
		return;
	launch_world_init(SIM_LINUX_7_3);
	world.real = true;
	world.kind = BACKING_GMEM_STORE;
	EXPECT_FALSE(launch_world_run(SNP_LAUNCH_FINISHED));
	for (int i = 0; i < 3; i++)
		exchange(0x100000, 0x4000);
	launch_world_free();
}

TEST(hw_simulated)
{
	if (!preload_inside())
		preload_self("hw.");
}
