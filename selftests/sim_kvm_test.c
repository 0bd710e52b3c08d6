// SPDX-License-Identifier: GPL-2.0
/*
 * gmemctl's simulator of SNP hosts compared with the KVM of this kernel, for calls that
 * do not concern SNP. The cases of slots, attributes and guest_memfds have the same
 * results, and calls in random order get the same answers. If they differ, the simulator
 * is wrong.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>

#include "ksft.h"
#include "sim_trace.h"

#include "sim/test/sim_cases.h"

#define PAGE 4096
#define ROUNDS 4000
#define GMEMS 4
/* Memory for slots, and guest addresses that are used */
#define AREA (64 * PAGE)

static bool profile_of_kernel(enum sim_profile *profile)
{
	struct utsname name;

	uname(&name);
	*profile = strncmp(name.release, "7.", 2) ? SIM_LINUX_6_12 :
						    SIM_LINUX_7_3;
	return !strncmp(name.release, "6.12.", 5) ||
	       *profile == SIM_LINUX_7_3;
}

static int extension(unsigned long capability)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int rc = fd < 0 ? -1 : ioctl(fd, KVM_CHECK_EXTENSION, capability);

	if (fd >= 0)
		close(fd);
	return rc;
}

/* Return: why this kernel cannot be compared, or NULL */
static const char *unusable(enum sim_profile *profile, int *types)
{
	*types = extension(KVM_CAP_VM_TYPES);
	if (*types < 0)
		return "no /dev/kvm";
	if (*types >> KVM_X86_SNP_VM & 1)
		return "this host has SNP: KVM_X86_SW_PROTECTED_VM differs";
	return profile_of_kernel(profile) ? NULL :
	       "the simulator has no profile for this kernel";
}

static void prepare(const struct world *world)
{
}

TEST(cases)
{
	struct sim_system system = { .prepare = prepare };
	unsigned int run;
	const char *why;
	int types;

	why = unusable(&system.profile, &types);
	if (why)
		SKIP(return, "%s", why);
	system.has = SIM_NEEDS_NOTHING;
	if (types >> KVM_X86_SW_PROTECTED_VM & 1) {
		system.has = SIM_NEEDS_PRIVATE;
		system.type = KVM_X86_SW_PROTECTED_VM;
	}
	run = sim_cases_run_system(&system);
	EXPECT_EQ(run, system.has == SIM_NEEDS_PRIVATE ? 15 : 5);
	TH_LOG("table: simulator and KVM | cases asked | %u of %d", run, SIM_CASES);
}

static int kernel_open(void *context)
{
	return open("/dev/kvm", O_RDWR | O_CLOEXEC);
}

static int kernel_ioctl(void *context, int fd, unsigned long request,
			uint64_t arg)
{
	int rc = ioctl(fd, request, arg);

	return rc < 0 ? -errno : rc;
}

static int kernel_map(void *context, int fd, void **run)
{
	void *address = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			     fd, 0);

	if (address == MAP_FAILED)
		return -errno;
	*run = address;
	return 0;
}

static const struct sim_kernel kernel = {
	.open = kernel_open, .ioctl = kernel_ioctl, .map = kernel_map,
	.all_types = true,
};

/* Only /dev/sev is opened without the kernel. */
static int sev_open(void *context, enum sim_kind kind, void **run)
{
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static void run_forget(void *context, void *run)
{
	munmap(run, 2 * PAGE);
}

static const struct sim_files files = { sev_open, run_forget, NULL };

/**
 * struct both - a VM both of the kernel and of the simulator
 * @type: type of the VM
 * @random: state of the random numbers
 * @area: memory for slots
 */
struct both {
	struct sim *sim;
	unsigned long type;
	int kvm, vm;
	int gmem[GMEMS];
	unsigned int nr_gmems;
	uint64_t random;
	uint8_t *area;
	FILE *trace;
};

static uint64_t draw(struct both *both, uint64_t below)
{
	both->random = both->random * 6364136223846793005ULL + 1;
	return (both->random >> 33) % below;
}

/* Mostly a multiple of the page size in the area, sometimes any value. */
static uint64_t draw_offset(struct both *both)
{
	static const uint64_t odd[] = {
		1, PAGE - 1, PAGE + 8, 1ULL << 36, 1ULL << 52, 1ULL << 63,
		-(uint64_t)PAGE, -1ULL,
	};

	if (!draw(both, 8))
		return odd[draw(both, 8)];
	return draw(both, 16) * PAGE;
}

static uint64_t draw_flags(struct both *both, uint64_t usual)
{
	return draw(both, 8) ? usual : draw(both, 16);
}

static void call_gmem(struct both *both)
{
	struct kvm_create_guest_memfd create = {
		.size = draw_offset(both), .flags = draw_flags(both, 0),
	};
	int fd = sim_ioctl(both->sim, both->vm, KVM_CREATE_GUEST_MEMFD, &create);

	if (fd < 0)
		return;
	if (both->nr_gmems < GMEMS) {
		both->gmem[both->nr_gmems++] = fd;
		return;
	}
	sim_close(both->sim, fd);
	close(fd);
}

static uint32_t draw_gmem(struct both *both)
{
	if (!draw(both, 8))
		return draw(both, 2) ? (uint32_t)both->kvm : (uint32_t)-1;
	return both->nr_gmems ?
	       (uint32_t)both->gmem[draw(both, both->nr_gmems)] : 0;
}

static void call_region(struct both *both)
{
	struct kvm_userspace_memory_region2 region = {
		.slot = (uint32_t)draw(both, 4),
		.flags = (uint32_t)draw_flags(both, draw(both, 4) ?
					      KVM_MEM_GUEST_MEMFD : 0),
		.guest_phys_addr = draw_offset(both),
		.memory_size = draw(both, 4) ? draw_offset(both) : 0,
		.userspace_addr = (uint64_t)both->area +
				  draw(both, 4) * PAGE + !draw(both, 16),
		.guest_memfd_offset = draw(both, 2) ? draw_offset(both) : 0,
		.guest_memfd = draw_gmem(both),
	};

	/* Higher numbers are other address spaces of ordinary VMs, for SMM: not simulated. */
	if (!draw(both, 64))
		region.slot = (uint32_t)draw(both, both->type ==
					     KVM_X86_DEFAULT_VM ?
					     1 << 16 : 1 << 20);
	sim_ioctl(both->sim, both->vm, draw(both, 8) ?
		  KVM_SET_USER_MEMORY_REGION2 : KVM_SET_USER_MEMORY_REGION,
		  draw(both, 64) ? &region : NULL);
}

/*
 * Use small sizes: KVM has an entry for each page, and sets those of a TiB one by one,
 * even without memory, and cannot be interrupted.
 */
static void call_attributes(struct both *both)
{
	struct kvm_memory_attributes attributes = {
		.address = draw_offset(both),
		.size = draw(both, 16) * PAGE + !draw(both, 8),
		.attributes = draw_flags(both, draw(both, 2) ?
					 KVM_MEMORY_ATTRIBUTE_PRIVATE : 0),
		.flags = !draw(both, 16),
	};

	sim_ioctl(both->sim, both->vm, KVM_SET_MEMORY_ATTRIBUTES,
		  draw(both, 64) ? &attributes : NULL);
}

static void call_vcpu(struct both *both)
{
	uint64_t id = draw(both, 8);
	int fd = sim_ioctl(both->sim, both->vm, KVM_CREATE_VCPU, (void *)id);

	if (fd < 0)
		return;
	sim_close(both->sim, fd);
	close(fd);
}

static void call_cap(struct both *both)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_EXIT_HYPERCALL, .flags = !draw(both, 4),
		.args[0] = draw(both, 2) ? 1 << 12 : draw(both, 1 << 14),
	};

	sim_ioctl(both->sim, both->vm, KVM_ENABLE_CAP, &cap);
}

static void call_any(struct both *both)
{
	static void (*const calls[])(struct both *both) = {
		call_gmem, call_region, call_region, call_region,
		call_attributes, call_vcpu, call_cap,
	};

	calls[draw(both, sizeof(calls) / sizeof(calls[0]))](both);
}

/* The kernel clears the flag if it does not use the feature. */
static bool has_la57(void)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	bool found = false;
	char line[4096];

	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, " la57");
	if (file)
		fclose(file);
	return found;
}

static void both_open(struct both *both, enum sim_profile profile,
		      unsigned long type)
{
	struct sim_config config = {
		.profile = profile, .asids = 1, .kernel = &kernel,
		.files = &files, .sw_protected = true,
		.no_gmem = !extension(KVM_CAP_GUEST_MEMFD), .la57 = has_la57(),
	};

	/* Since 6.18 there can be guest_memfds without attributes. */
	if (extension(KVM_CAP_MEMORY_ATTRIBUTES) <= 0)
		config.without[0] = KVM_CAP_MEMORY_ATTRIBUTES;
	memset(both, 0, sizeof(*both));
	both->random = ksft_seed();
	both->type = type;
	both->area = mmap(NULL, AREA, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	both->sim = sim_create(&config);
	both->trace = tmpfile();
	ASSERT_TRUE(both->sim && both->trace && both->area != MAP_FAILED);
	both->kvm = sim_open(both->sim, "/dev/kvm", O_RDWR);
	ASSERT_GE(both->kvm, 0);
	both->vm = sim_ioctl(both->sim, both->kvm, KVM_CREATE_VM,
			     (void *)type);
	ASSERT_GE(both->vm, 0);
	sim_trace(both->sim, both->trace);
}

/* Return: the number of different answers; prints the first ones. */
static unsigned int compare(enum sim_profile profile, unsigned long type)
{
	struct both both;

	both_open(&both, profile, type);
	for (int i = 0; i < ROUNDS && sim_differences(both.sim) < 8; i++)
		call_any(&both);
	rewind(both.trace);
	return sim_trace_differences(both.trace, type == KVM_X86_DEFAULT_VM ?
				     "any calls, ordinary VM" :
				     "any calls, private memory");
}

TEST(any_calls)
{
	enum sim_profile profile;
	const char *why;
	int types;

	why = unusable(&profile, &types);
	if (why)
		SKIP(return, "%s", why);
	EXPECT_EQ(0, compare(profile, KVM_X86_DEFAULT_VM));
}

TEST(any_calls_private)
{
	enum sim_profile profile;
	const char *why;
	int types;

	why = unusable(&profile, &types);
	if (!why && !(types >> KVM_X86_SW_PROTECTED_VM & 1))
		why = "this KVM has no VM type with private memory";
	if (why)
		SKIP(return, "%s", why);
	EXPECT_EQ(0, compare(profile, KVM_X86_SNP_VM));
}

TEST_HARNESS_MAIN
