// SPDX-License-Identifier: GPL-2.0
/*
 * Cases: what a host says before there is a guest, and what KVM says without SNP, too. And
 * how all are run.
 */
#include <fcntl.h>

#include "sim_cases.h"
#include "ksft.h"

static void no_snp(struct world *world)
{
	world->host.no_snp = true;
	world_host(world);
}

static int probe_types(struct world *world)
{
	return world_ioctl(world, world->kvm, KVM_CHECK_EXTENSION,
			   (void *)KVM_CAP_VM_TYPES) >> KVM_X86_SNP_VM & 1;
}

static int probe_create(struct world *world)
{
	return world_ioctl(world, world->kvm, KVM_CREATE_VM, (void *)KVM_X86_SNP_VM);
}

static void default_vm(struct world *world)
{
	world_host(world);
	world->vm = world_ioctl(world, world->kvm, KVM_CREATE_VM, NULL);
	EXPECT_GE(world->vm, 0);
}

static int probe_none_op(struct world *world)
{
	default_vm(world);
	world_agree(world, world_ioctl(world, world->vm, KVM_MEMORY_ENCRYPT_OP, NULL));
	return world_agree(world, world_init2(world, 0, 0, 0));
}

static int get_attr(struct world *world, uint64_t attr, uint64_t *value)
{
	struct kvm_device_attr arg = {
		.group = SNP_KVM_GROUP_SEV, .attr = attr,
		.addr = (uint64_t)value,
	};

	return world_ioctl(world, world->kvm, KVM_GET_DEVICE_ATTR, &arg);
}

static int probe_none_attr(struct world *world)
{
	uint64_t value;
	int rc = 0;

	for (uint64_t i = 0; i < 3; i++)
		rc = world_agree(world, get_attr(world, i, &value));
	return rc;
}

static int probe_op(struct world *world)
{
	EXPECT_EQ(probe_types(world), 1);
	return world_ioctl(world, world->vm, KVM_MEMORY_ENCRYPT_OP, NULL);
}

static int probe_attr(struct world *world)
{
	uint64_t value = 0;
	int rc = get_attr(world, world->args[0], &value);

	EXPECT_TRUE(rc || value);
	return rc;
}

static int sev_op(struct world *world, int fd, uint32_t number, void *data)
{
	struct snp_sev_cmd cmd = { .cmd = number, .data = (uint64_t)data };

	return world_ioctl(world, fd, SNP_SEV_ISSUE_CMD, &cmd);
}

/* A command without data */
static int sev_cmd(struct world *world)
{
	return sev_op(world, world->sev, (uint32_t)world->args[0], NULL);
}

static int sev_wrong_ioctl(struct world *world)
{
	world_agree(world, world_ioctl(world, world->sev, KVM_GET_API_VERSION, NULL));
	return world_agree(world, world_ioctl(world, world->sev, _IO('S', 1), NULL));
}

static int sev_ro_config(struct world *world)
{
	struct snp_sev_config config = { 0 };
	int fd = world_open(world, SNP_DEVICE_PATH, O_RDONLY);

	EXPECT_FALSE(sev_op(world, world->sev, SNP_SEV_SNP_SET_CONFIG, &config));
	world_agree(world, sev_op(world, fd, SNP_SEV_SNP_SET_CONFIG, &config));
	world_agree(world, sev_op(world, fd, SNP_SEV_SNP_VLEK_LOAD, &config));
	return world_agree(world, sev_op(world, fd, SNP_SEV_PEK_GEN, NULL));
}

static int sev_status(struct world *world)
{
	int rc, fd = world_open(world, SNP_DEVICE_PATH, O_RDONLY);
	struct snp_sev_snp_status snp = { 0 };
	struct snp_sev_status status = { 0 };

	world_agree(world, sev_op(world, fd, SNP_SEV_PLATFORM_STATUS, &status));
	rc = world_agree(world, sev_op(world, fd, SNP_SEV_SNP_PLATFORM_STATUS, &snp));
	/* KVM wants at least 1.51 for SNP. */
	EXPECT_EQ(status.api_major, 1);
	EXPECT_GE(status.api_minor, 51);
	EXPECT_TRUE(snp.platform_init & SNP_INIT_RMP);
	EXPECT_TRUE(snp.current_tcb);
	return rc;
}

static int sev_nosnp(struct world *world)
{
	struct snp_sev_config config = { 0 };

	world->host.snp_uninitialized = true;
	world_host(world);
	return sev_op(world, world->sev, SNP_SEV_SNP_SET_CONFIG, &config);
}

static int sev_dead(struct world *world)
{
	struct snp_sev_snp_status status;

	world->host.psp_dead = true;
	world_host(world);
	world_agree(world, sev_op(world, world->sev, SNP_SEV_PLATFORM_STATUS, &status));
	world_agree(world, sev_op(world, world->sev, SNP_SEV_SNP_PLATFORM_STATUS, &status));
	world_agree(world, sev_op(world, world->sev, SNP_SEV_SNP_COMMIT, NULL));
	return world_agree(world, sev_op(world, world->sev, SNP_SEV_PEK_GEN, NULL));
}

/* Features, flags, GHCB version */
static int init2(struct world *world)
{
	return world_init2(world, world->args[0], (uint32_t)world->args[1],
			   (uint16_t)world->args[2]);
}

static int init2_feat(struct world *world)
{
	int rc;

	world_agree(world, world_init2(world, 1, 0, 0));
	world_agree(world, world_init2(world, 1 << 1, 0, 0));
	rc = world_agree(world, world_init2(world, UINT64_C(1) << 63, 0, 0));
	EXPECT_FALSE(world_init2(world, 1 << 5, 0, 0));
	return rc;
}

static int init2_efault(struct world *world)
{
	return world_op(world, SNP_KVM_INIT2, (void *)8);
}

static int init2_asid(struct world *world)
{
	world->host.asids = 1;
	world_inited(world);
	world->vm = -1;
	world_vm(world);
	return world_init2(world, 0, 0, 0);
}

#define PRIVATE KVM_MEMORY_ATTRIBUTE_PRIVATE

static int attr_flags(struct world *world)
{
	static const struct {
		uint64_t address, size, attributes, flags;
	} bad[] = {
		{ 0, 0x1000, PRIVATE, 1 }, { 0, 0, PRIVATE, 0 }, { 0x10, 0x1000, PRIVATE, 0 },
		{ 0, 0x1001, PRIVATE, 0 }, { -0x1000ULL, 0x2000, PRIVATE, 0 },
		{ 0, 0x1000, PRIVATE << 1, 0 }, { 0, 0x1000, 1, 0 },
	};
	int rc = 0;

	ksft_for_each(item, bad)
		rc = world_agree(world, world_attributes(world, item->address, item->size,
							 item->attributes, item->flags));
	EXPECT_FALSE(world_attributes(world, 0, 0x1000, PRIVATE, 0));
	/* A kernel does not say. */
	if (world->sim) {
		EXPECT_TRUE(sim_vm_is_private(world->sim, world->vm, 0xfff));
		EXPECT_FALSE(sim_vm_is_private(world->sim, world->vm, 0x1000));
	}
	return rc;
}

static int attr_def(struct world *world)
{
	return world_attributes(world, 0, 0x1000, PRIVATE, 0);
}

/* Two that are the same, and perhaps a third: sizes, or flags of a page */
static int gmem_size(struct world *world)
{
	world_agree(world, world_gmem(world, world->args[0], 0));
	world_agree(world, world_gmem(world, world->args[1], 0));
	return world_agree(world, world_gmem(world, world->args[2], 0));
}

static int gmem_flags(struct world *world)
{
	int fd = world_agree(world, world_gmem(world, 0x1000, world->args[0]));

	if (world->args[1])
		fd = world_agree(world, world_gmem(world, 0x1000, world->args[1]));
	return fd < 0 ? fd : 0;
}

static int slot_badfd(struct world *world)
{
	return world_slot(world, 0, 0, 0x1000, -1, 0);
}

static int slot_otherfd(struct world *world)
{
	int gmem = world_gmem(world, 0x2000, 0), first, rc;

	world_agree(world, world_slot(world, 0, 0, 0x1000, world->kvm, 0));
	world_agree(world, world_slot(world, 0, 0, 0x1000, 0, 0));
	world_agree(world, world_slot(world, 0, 0, 0x3000, gmem, 0));
	world_agree(world, world_slot(world, 0, 0, 0x1000, gmem, 0x2000));
	first = world->vm;
	world->vm = -1;
	world_vm(world);
	rc = world_agree(world, world_slot(world, 0, 0, 0x1000, gmem, 0));
	world->vm = first;
	EXPECT_FALSE(world_slot(world, 0, 0, 0x2000, gmem, 0));
	return rc;
}

static int slot_overlap_gmem(struct world *world)
{
	return world_slot(world, 1, 0x100000, 0x1000, world->gmem, 0x1000);
}

static int slot_overlap_gpa(struct world *world)
{
	return world_slot(world, 1, 0x1000, 0x1000, world_gmem(world, 0x1000, 0), 0);
}

static int slot_modify(struct world *world)
{
	int gmem = world_gmem(world, 0x1000, 0);
	int rc = world_slot(world, 0, 0x100000, 0x1000, gmem, 0);

	/* Deleted, it can be made anew. */
	EXPECT_FALSE(world_slot(world, 0, 0, 0, -1, 0));
	EXPECT_FALSE(world_slot(world, 0, 0x100000, 0x1000, gmem, 0));
	return rc;
}

static int slot_v1(struct world *world)
{
	struct kvm_userspace_memory_region region = {
		.flags = KVM_MEM_GUEST_MEMFD, .memory_size = 0x1000,
		.userspace_addr = (uint64_t)world->source,
	};

	return world_ioctl(world, world->vm, KVM_SET_USER_MEMORY_REGION, &region);
}

static const struct sim_case cases[] = {
	{ "probe-none-1", no_snp, probe_types, {}, BOTH_ON(SIM_NEEDS_NOTHING, 0) },
	{ "probe-none-2", no_snp, probe_create, {}, BOTH_ON(SIM_NEEDS_NOTHING, -EINVAL) },
	{ "probe-none-3", no_snp, probe_none_op, {}, BOTH_ON(SIM_NEEDS_NOTHING, -ENOTTY) },
	{ "probe-none-4", no_snp, probe_none_attr, {}, BOTH_ON(SIM_NEEDS_NOTHING, -ENXIO) },
	{ "probe-1", world_vm, probe_op, {}, BOTH(0) },
	{ "probe-2", world_host, probe_attr, { SNP_KVM_ATTR_VMSA_FEATURES }, BOTH(0) },
	{ "probe-3", world_host, probe_attr, { SNP_KVM_ATTR_POLICY_BITS }, EACH(-ENXIO, 0) },
	{ "probe-4", world_host, probe_attr, { SNP_KVM_ATTR_REQ_CERTS }, EACH(-ENXIO, 0) },
	{ "probe-5", world_host, probe_attr, { 99 }, BOTH(-ENXIO) },
	{ "init2-ok", world_vm, init2, { 0, 0, 0 }, BOTH(0) },
	{ "init2-flags", world_vm, init2, { 0, 1, 0 }, BOTH(-EINVAL) },
	{ "init2-feat", world_vm, init2_feat, {}, BOTH(-EINVAL) },
	{ "init2-ghcb3", world_vm, init2, { 0, 0, 3 }, BOTH(-EINVAL) },
	{ "init2-ghcb1", world_vm, init2, { 0, 0, 1 }, EACH(0, -EINVAL) },
	{ "init2-vcpu", world_vcpu, init2, {}, BOTH(-EINVAL) },
	{ "init2-twice", world_inited, init2, {}, BOTH(-EPERM) },
	{ "init2-deftype", default_vm, init2, {}, BOTH(-EINVAL) },
	{ "init2-efault", world_vm, init2_efault, {}, BOTH(-EFAULT) },
	{ "init2-asid", NULL, init2_asid, {}, BOTH(-EBUSY) },
	{ "sev-cmd-max", world_host, sev_cmd, { SNP_SEV_MAX + 1 }, BOTH(-EINVAL) },
	{ "sev-wrong-ioctl", world_host, sev_wrong_ioctl, {}, BOTH(-EINVAL) },
	{ "sev-ro-config", world_host, sev_ro_config, {}, BOTH(-EPERM) },
	{ "sev-status", world_host, sev_status, {}, BOTH(0) },
	{ "sev-status-null", world_host, sev_cmd, { SNP_SEV_SNP_PLATFORM_STATUS }, BOTH(-EINVAL) },
	{ "sev-nosnp", NULL, sev_nosnp, {}, BOTH(-ENODEV) },
	{ "sev-dead", NULL, sev_dead, {}, BOTH(-EBUSY) },
	{ "attr-flags", world_vm, attr_flags, {}, BOTH_ON(SIM_NEEDS_PRIVATE, -EINVAL) },
	{ "attr-def", default_vm, attr_def, {}, BOTH_ON(SIM_NEEDS_PRIVATE, -EINVAL) },
	{ "gmem-size", world_vm, gmem_size, { 0, 0x1001, UINT64_C(1) << 63 },
	  BOTH_ON(SIM_NEEDS_PRIVATE, -EINVAL) },
	{ "gmem-flags", world_vm, gmem_flags, { 2, 3 }, BOTH_ON(SIM_NEEDS_PRIVATE, -EINVAL) },
	{ "gmem-flags-mmap", world_vm, gmem_flags, { 1 }, EACH_ON(SIM_NEEDS_PRIVATE, -EINVAL, 0) },
	{ "slot-badfd", world_vm, slot_badfd, {}, BOTH_ON(SIM_NEEDS_PRIVATE, -EBADF) },
	{ "slot-otherfd", world_vm, slot_otherfd, {}, BOTH_ON(SIM_NEEDS_PRIVATE, -EINVAL) },
	{ "slot-overlap-gmem", world_memory, slot_overlap_gmem, {},
	  EACH_ON(SIM_NEEDS_PRIVATE, -EINVAL, -EEXIST) },
	{ "slot-overlap-gpa", world_memory, slot_overlap_gpa, {},
	  BOTH_ON(SIM_NEEDS_PRIVATE, -EEXIST) },
	{ "slot-modify", world_memory, slot_modify, {}, BOTH_ON(SIM_NEEDS_PRIVATE, -EINVAL) },
	{ "slot-v1", world_vm, slot_v1, {}, BOTH_ON(SIM_NEEDS_NOTHING, -EINVAL) },
};

#define HOST_CASES (sizeof(cases) / sizeof(cases[0]))

const struct sim_case *sim_case_get(unsigned int index)
{
	if (index < HOST_CASES)
		return &cases[index];
	index -= HOST_CASES;
	return index < sim_cases_launch_count ? &sim_cases_launch[index] : NULL;
}

void sim_case_run(const struct sim_case *sim_case, struct world *world)
{
	const struct sim_result *expect = &sim_case->expect[world->host.profile];
	bool as_expected;
	int rc;

	world->args = sim_case->args;
	if (sim_case->before)
		sim_case->before(world);
	rc = sim_case->run(world);
	as_expected = rc == expect->rc && (expect->error == ANY ||
					   expect->error == world->cmd.error);
	if (!as_expected)
		printf("# case %s: %d, firmware error 0x%x; expected %d, 0x%x\n", sim_case->id, rc,
		       world->cmd.error, expect->rc, expect->error);
	EXPECT_TRUE(as_expected);
}

void sim_cases_run(enum sim_profile profile)
{
	unsigned int total = 0;

	for (; sim_case_get(total); total++) {
		struct world world;

		world_init(&world, profile);
		sim_case_run(sim_case_get(total), &world);
		world_free(&world);
		ksft_part("%s", sim_case_get(total)->id);
	}
	EXPECT_EQ(total, SIM_CASES);
}

static void run_system(const struct sim_case *sim_case, const struct sim_system *system)
{
	struct world world;

	world_init(&world, system->profile);
	world.system = system->prepare;
	world.type = system->type;
	world.host.no_snp = system->has > SIM_NEEDS_SNP;
	sim_case_run(sim_case, &world);
	world_free(&world);
}

/* A process for each: it begins without files, and with another simulator. */
unsigned int sim_cases_run_system(const struct sim_system *system)
{
	const struct sim_case *sim_case;
	unsigned int run = 0;

	for (unsigned int i = 0; (sim_case = sim_case_get(i)); i++) {
		pid_t pid;

		if (sim_case->needs < system->has)
			continue;
		fflush(NULL);
		pid = fork();
		if (!pid) {
			run_system(sim_case, system);
			fflush(NULL);
			_exit(EXIT_SUCCESS);
		}
		EXPECT_GT(pid, 0);
		EXPECT_FALSE(ksft_wait(pid));
		ksft_part("%s", sim_case->id);
		run++;
	}
	fflush(stdout);
	return run;
}
