// SPDX-License-Identifier: GPL-2.0
/*
 * What KVM answers about realms in each state, as read in version 14 of the CCA
 * series: the simulator gives the same numbers. Patches are named by number.
 */
#include <fcntl.h>

#include "realm/abi.h"
#include "sim_world.h"
#include "ksft.h"

/* Guest memory: the slot of a world at 1 GiB */
#define WORLD_GPA UINT64_C(0x40000000)
#define GIC_DIST UINT64_C(0x08000000)
#define GIC_REDIST UINT64_C(0x080a0000)

static void lint(void *context, const char *message)
{
	struct world *world = context;

	world->lints++;
}

static void realm_init(struct world *world, enum sim_arm arm)
{
	world_init(world, SIM_LINUX_6_12);
	world->host.arm = arm;
	world->host.no_snp = true;
	world->host.lint = lint;
	world->host.lint_context = world;
	world->type = REALM_VM_TYPE | 40;
	world->base = WORLD_GPA;
}

static int realm_private(struct world *world, unsigned int page,
			 unsigned int pages, bool private)
{
	return world_attributes(world, WORLD_GPA + page * UINT64_C(4096), pages * UINT64_C(4096),
				private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0, 0);
}

/* With a guest_memfd, or with a negative number */
static int set_slot(struct world *world, unsigned int slot, uint64_t gpa,
		    uint64_t size, int gmem)
{
	struct kvm_userspace_memory_region2 region = {
		.slot = slot, .flags = gmem < 0 ? 0 : KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = gpa, .memory_size = size,
		.userspace_addr = (uint64_t)world->source,
		.guest_memfd = gmem < 0 ? 0 : (uint32_t)gmem,
	};

	return world_ioctl(world, world->vm, KVM_SET_USER_MEMORY_REGION2, &region);
}

/* One that KVM knows of, not initialised */
static void with_vcpu(struct world *world)
{
	void *run;

	world_vm(world);
	if (world->vcpu >= 0)
		return;
	world->vcpu = world_ioctl(world, world->vm, KVM_CREATE_VCPU, NULL);
	EXPECT_GE(world->vcpu, 0);
	EXPECT_FALSE(sim_map(world->sim, world->vcpu, WORLD_PAGE, &run));
	world->run = run;
}

static int gic_set(struct world *world, uint32_t group, uint64_t attr, const uint64_t *value)
{
	struct kvm_device_attr argument = {
		.group = group, .attr = attr, .addr = (uintptr_t)value,
	};

	return world_ioctl(world, world->gic, KVM_SET_DEVICE_ATTR, &argument);
}

static void with_gic(struct world *world)
{
	struct kvm_create_device create = { .type = REALM_GIC_TYPE };
	const uint64_t dist = GIC_DIST, redist = GIC_REDIST;

	world_vm(world);
	if (world->gic >= 0)
		return;
	EXPECT_FALSE(world_ioctl(world, world->vm, KVM_CREATE_DEVICE, &create));
	world->gic = (int)create.fd;
	EXPECT_FALSE(gic_set(world, REALM_GIC_GROUP_ADDR, REALM_GIC_ADDR_DIST, &dist));
	EXPECT_FALSE(gic_set(world, REALM_GIC_GROUP_ADDR, REALM_GIC_ADDR_REDIST, &redist));
	EXPECT_FALSE(gic_set(world, REALM_GIC_GROUP_CTRL, REALM_GIC_CTRL_INIT, NULL));
}

static int realm_vcpu_init(struct world *world, uint32_t features)
{
	struct realm_kvm_vcpu_init init = {
		.target = REALM_TARGET_GENERIC_V8, .features = { features },
	};

	return world_ioctl(world, world->vcpu, REALM_VCPU_INIT, &init);
}

/* Memory, a vCPU and a GIC: it can be populated or run. */
static void ready(struct world *world)
{
	world_memory(world);
	with_vcpu(world);
	EXPECT_FALSE(realm_vcpu_init(world, 1U << REALM_VCPU_PSCI_0_2));
	with_gic(world);
}

/* Go on with what is left in @populate. */
static int realm_again(struct world *world)
{
	return world_ioctl(world, world->vm, REALM_POPULATE, &world->populate);
}

/* @pages of the source's first ones, from @page on */
static int realm_populate(struct world *world, unsigned int page,
			  unsigned int pages, uint32_t flags)
{
	world->populate = (struct realm_kvm_populate){
		.base = WORLD_GPA + page * UINT64_C(4096),
		.size = pages * UINT64_C(4096),
		.source = (uint64_t)world->source, .flags = flags,
	};
	return realm_again(world);
}

static int realm_run(struct world *world, bool immediate_exit)
{
	world->run->immediate_exit = immediate_exit;
	return world_ioctl(world, world->vcpu, KVM_RUN, NULL);
}

#define MEASURE REALM_POPULATE_MEASURE

/**
 * struct realm_case - one of them
 * @patch: of the series, or what of Linux 7.3 it is
 * @before: brings a realm to where the case begins, or NULL
 * @run: does it, with @args. Return: 0 or a negative errno.
 */
struct realm_case {
	const char *id;
	const char *patch;
	void (*before)(struct world *world);
	int (*run)(struct world *world);
	uint64_t args[4];
	int expect;
};

static void plain_host(struct world *world)
{
	world->host.arm = SIM_ARM_PLAIN;
}

static void plain_vm(struct world *world)
{
	world->type = 40;
	world_vm(world);
}

static void plain_host_vm(struct world *world)
{
	plain_host(world);
	plain_vm(world);
}

static int create_type(struct world *world, uint64_t type)
{
	world_host(world);
	world->vm = world_ioctl(world, world->kvm, KVM_CREATE_VM, (void *)type);
	return world->vm < 0 ? world->vm : 0;
}

static int type(struct world *world)
{
	return create_type(world, world->args[0]);
}

/* The RMM's limit, which is not KVM's */
static int type_rmm_limit(struct world *world)
{
	world->host.ipa_bits = 40;
	EXPECT_FALSE(create_type(world, 41));
	EXPECT_FALSE(create_type(world, REALM_VM_TYPE | 40));
	return create_type(world, REALM_VM_TYPE | 41);
}

/* From page, pages, flags */
static int populate(struct world *world)
{
	return realm_populate(world, (unsigned int)world->args[0],
				    (unsigned int)world->args[1], (uint32_t)world->args[2]);
}

static int populate_ok(struct world *world)
{
	int rc = realm_populate(world, 0, 2, MEASURE);

	EXPECT_FALSE(world->populate.size);
	EXPECT_FALSE(sim_realm_pages(world->sim, world->vm, false));
	EXPECT_EQ(sim_realm_pages(world->sim, world->vm, true), 2);
	EXPECT_EQ(world->populate.base, WORLD_GPA + 2 * 4096);
	EXPECT_EQ(world->populate.source, (uint64_t)world->source + 2 * 4096);
	return rc;
}

static int populate_unmeasured(struct world *world)
{
	int rc = realm_populate(world, 0, 2, 0);

	EXPECT_EQ(sim_realm_pages(world->sim, world->vm, false), 2);
	EXPECT_FALSE(sim_realm_pages(world->sim, world->vm, true));
	return rc;
}

static int populate_null(struct world *world)
{
	return world_ioctl(world, world->vm, REALM_POPULATE, NULL);
}

/* Base, size, offset into the source, reserved */
static int populate_raw(struct world *world)
{
	world->populate = (struct realm_kvm_populate){
		.base = world->args[0], .size = world->args[1],
		.source = (uint64_t)world->source + world->args[2],
		.reserved = (uint32_t)world->args[3],
	};
	return realm_again(world);
}

static int populate_empty(struct world *world)
{
	int rc = populate_raw(world);

	EXPECT_EQ(world->lints, 1);
	return rc;
}

/* From an address that is no memory, or from none */
static int populate_from(struct world *world)
{
	world->populate = (struct realm_kvm_populate){
		.base = WORLD_GPA, .size = 4096, .source = world->args[0],
	};
	return realm_again(world);
}

/* A hole, if there is one, gives the page back: it can be populated again. */
static int populate_twice(struct world *world)
{
	EXPECT_FALSE(realm_populate(world, 0, 1, 0));
	if (world->args[0])
		EXPECT_FALSE(sim_punch(world->sim, world->gmem, 0, world->args[0]));
	return realm_populate(world, 0, 1, 0);
}

static int populate_closed_gmem(struct world *world)
{
	EXPECT_FALSE(world_close(world, world->gmem));
	return realm_populate(world, 0, 1, 0);
}

/* It goes as far as it can, and the next call finds out why no further. */
static int populate_partial(struct world *world)
{
	EXPECT_FALSE(realm_populate(world, WORLD_PRIVATE - 2, 4, 0));
	EXPECT_EQ(world->populate.size, 2 * 4096);
	EXPECT_EQ(world->populate.base, WORLD_GPA + WORLD_PRIVATE * 4096);
	EXPECT_EQ(world->populate.source, (uint64_t)world->source + 2 * 4096);
	return realm_again(world);
}

static int populate_slot_end(struct world *world)
{
	EXPECT_FALSE(realm_private(world, 0, WORLD_PAGES, true));
	EXPECT_FALSE(realm_populate(world, WORLD_PAGES - 1, 2, 0));
	EXPECT_EQ(world->populate.size, 4096);
	return realm_again(world);
}

static int populate_limit(struct world *world)
{
	unsigned int calls = 0;
	int rc;

	world->host.progress = 3;
	world_memory(world);
	rc = realm_populate(world, 0, 8, MEASURE);
	for (calls = 1; !rc && world->populate.size; calls++)
		rc = realm_again(world);
	EXPECT_EQ(calls, 3);
	EXPECT_EQ(sim_realm_pages(world->sim, world->vm, true), 8);
	return rc;
}

static int populate_active(struct world *world)
{
	EXPECT_EQ(realm_run(world, true), -EINTR);
	return realm_populate(world, 0, 1, 0);
}

static int populate_dead(struct world *world)
{
	EXPECT_FALSE(sim_fail(world->sim, SIM_RMI_ACTIVATE, 1, 0));
	EXPECT_EQ(realm_run(world, true), -ENXIO);
	return realm_populate(world, 0, 1, 0);
}

/* What fails, and which time */
static int populate_fails(struct world *world)
{
	EXPECT_FALSE(sim_fail(world->sim, (enum sim_event)world->args[0],
			      (unsigned int)world->args[1], 0));
	return realm_populate(world, 0, 4, 0);
}

static int populate_rmi_create(struct world *world)
{
	int rc = populate_fails(world);

	/* The realm is as it was: the next call creates it. */
	EXPECT_FALSE(realm_again(world));
	EXPECT_FALSE(world->populate.size);
	return rc;
}

static int populate_rmi_third(struct world *world)
{
	int rc = populate_fails(world);

	EXPECT_EQ(world->populate.size, 2 * 4096);
	return rc;
}

/* Version 14 takes what the RMM says for a number of pages. */
static int populate_status(struct world *world)
{
	int rc;

	EXPECT_FALSE(sim_fail(world->sim, SIM_RMI_POPULATE, 1, 2));
	rc = realm_populate(world, 0, 4, MEASURE);
	EXPECT_EQ(world->populate.size, 2 * 4096);
	EXPECT_FALSE(sim_realm_pages(world->sim, world->vm, true));
	return rc;
}

static int run(struct world *world)
{
	return realm_run(world, false);
}

static int run_ok(struct world *world)
{
	int rc = realm_run(world, false);

	EXPECT_TRUE(sim_realm_is_active(world->sim, world->vm));
	EXPECT_EQ(world->run->exit_reason, KVM_EXIT_SYSTEM_EVENT);
	EXPECT_EQ(world->run->system_event.type, KVM_SYSTEM_EVENT_SHUTDOWN);
	return rc;
}

/* It is activated all the same. */
static int run_immediate(struct world *world)
{
	int rc = realm_run(world, true);

	EXPECT_TRUE(sim_realm_is_active(world->sim, world->vm));
	return rc;
}

static void not_initialized(struct world *world)
{
	with_vcpu(world);
	with_gic(world);
}

static void no_gic(struct world *world)
{
	with_vcpu(world);
	EXPECT_FALSE(realm_vcpu_init(world, 1U << REALM_VCPU_PSCI_0_2));
}

/* KVM gives such a VM up: seen with the KVM of Linux 6.12. */
static int run_gic_nowhere(struct world *world)
{
	struct kvm_create_device create = { .type = REALM_GIC_TYPE };
	int rc;

	EXPECT_FALSE(world_ioctl(world, world->vm, KVM_CREATE_DEVICE, &create));
	rc = realm_run(world, false);
	EXPECT_EQ(realm_run(world, false), -EIO);
	EXPECT_EQ(realm_populate(world, 0, 1, 0), -EIO);
	EXPECT_EQ(world_ioctl(world, (int)create.fd, KVM_SET_DEVICE_ATTR, NULL), -EIO);
	return rc;
}

static int run_no_psci(struct world *world)
{
	int rc;

	EXPECT_FALSE(realm_vcpu_init(world, 0));
	with_gic(world);
	rc = realm_run(world, false);
	/* And that was the end of it. */
	EXPECT_FALSE(realm_vcpu_init(world, 1U << REALM_VCPU_PSCI_0_2));
	EXPECT_EQ(realm_run(world, false), -EINVAL);
	return rc;
}

static int run_fails(struct world *world)
{
	int rc;

	EXPECT_FALSE(sim_fail(world->sim, (enum sim_event)world->args[0], 1, 0));
	rc = realm_run(world, false);
	EXPECT_FALSE(sim_realm_is_active(world->sim, world->vm));
	return rc;
}

/* Nothing is lost: the next run tries again. */
static int run_rmi_create(struct world *world)
{
	int rc = run_fails(world);

	EXPECT_FALSE(realm_run(world, false));
	return rc;
}

static int run_dead(struct world *world)
{
	run_fails(world);
	EXPECT_EQ(realm_run(world, true), -EINTR);
	return realm_run(world, false);
}

/* Address of a slot, and whether it has a guest_memfd */
static int slot(struct world *world)
{
	return set_slot(world, 1, world->args[0], 4096,
			world->args[1] ? world_gmem(world, 4096, 0) : -1);
}

/* Of 32 bits of addresses the upper 2 GiB are the shared alias. */
static int run_shared_half(struct world *world)
{
	int rc;

	world->type = REALM_VM_TYPE | 32;
	ready(world);
	EXPECT_FALSE(slot(world));
	rc = realm_run(world, false);
	EXPECT_EQ(world->lints, 1);
	return rc;
}

static int make_private(struct world *world)
{
	return realm_private(world, 0, 1, true);
}

static int set_reg(struct world *world, uint64_t id)
{
	uint64_t value = 1;
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	return world_ioctl(world, world->vcpu, KVM_SET_ONE_REG, &reg);
}

static int reg(struct world *world)
{
	return set_reg(world, world->args[0]);
}

static int reg_ok(struct world *world)
{
	EXPECT_FALSE(set_reg(world, REALM_REG_X(0)));
	EXPECT_FALSE(set_reg(world, REALM_REG_X(30)));
	return set_reg(world, REALM_REG_PC);
}

static int init(struct world *world)
{
	return realm_vcpu_init(world, (uint32_t)world->args[0]);
}

static int create_device(struct world *world, uint32_t type, uint32_t flags)
{
	struct kvm_create_device create = { .type = type, .flags = flags };

	return world_ioctl(world, world->vm, KVM_CREATE_DEVICE, &create);
}

static int gic_v2(struct world *world)
{
	return create_device(world, KVM_DEV_TYPE_ARM_VGIC_V2, 0);
}

static int gic_twice(struct world *world)
{
	EXPECT_FALSE(create_device(world, REALM_GIC_TYPE, KVM_CREATE_DEVICE_TEST));
	EXPECT_FALSE(create_device(world, REALM_GIC_TYPE, 0));
	return create_device(world, REALM_GIC_TYPE, 0);
}

static int create_vcpu(struct world *world)
{
	return world_ioctl(world, world->vm, KVM_CREATE_VCPU, NULL);
}

static int enable_cap(struct world *world)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_EXIT_HYPERCALL };

	return world_ioctl(world, world->vm, KVM_ENABLE_CAP, &cap);
}

static const struct realm_case cases[] = {
	{ "type-plain", "7.3", NULL, type, { 0 }, 0 },
	{ "type-realm", "16", NULL, type, { REALM_VM_TYPE }, 0 },
	{ "type-both", "16", NULL, type, { REALM_VM_TYPE | REALM_VM_TYPE_PROTECTED }, -EINVAL },
	{ "type-unknown", "16", NULL, type, { REALM_VM_TYPE | 1UL << 8 }, -EINVAL },
	{ "type-narrow", "14", NULL, type, { REALM_VM_TYPE | 31 }, -EINVAL },
	{ "type-wide", "14", NULL, type, { REALM_VM_TYPE | 49 }, -EINVAL },
	{ "type-rmm-limit", "14", NULL, type_rmm_limit, {}, -EINVAL },
	{ "type-no-rmm", "16", plain_host, type, { REALM_VM_TYPE | 40 }, -EINVAL },
	{ "populate", "26", world_memory, populate_ok, {}, 0 },
	{ "populate-unmeasured", "26", world_memory, populate_unmeasured, {}, 0 },
	{ "populate-plain-vm", "26", plain_vm, populate, { 0, 1, 0 }, -ENXIO },
	{ "populate-no-series", "7.3", plain_host_vm, populate, { 0, 1, 0 }, -EINVAL },
	{ "populate-null", "26", world_memory, populate_null, {}, -EFAULT },
	{ "populate-reserved", "26", world_memory, populate_raw, { WORLD_GPA, 4096, 0, 1 },
	  -EINVAL },
	{ "populate-flags", "26", world_memory, populate, { 0, 1, 2 }, -EINVAL },
	{ "populate-base", "26", world_memory, populate_raw, { WORLD_GPA + 8, 4096 - 8 }, -EINVAL },
	{ "populate-size", "26", world_memory, populate_raw, { WORLD_GPA, 100 }, -EINVAL },
	{ "populate-source", "26", world_memory, populate_raw, { WORLD_GPA, 4096, 8 }, -EINVAL },
	{ "populate-empty", "guest_memfd.c", world_memory, populate_empty, { WORLD_GPA, 0 },
	  -EINVAL },
	{ "populate-no-slot", "guest_memfd.c", world_memory, populate_raw, { 4096, 4096 },
	  -EINVAL },
	{ "populate-no-source", "26", world_memory, populate_from, { 0 }, -EOPNOTSUPP },
	{ "populate-bad-source", "guest_memfd.c", world_memory, populate_from, { 0x1000 },
	  -EFAULT },
	{ "populate-shared", "guest_memfd.c", world_memory, populate, { WORLD_PRIVATE, 1, 0 },
	  -EINVAL },
	{ "populate-twice", "26", world_memory, populate_twice, { 0 }, -ENXIO },
	{ "populate-punched", "26", world_memory, populate_twice, { 4096 }, 0 },
	{ "populate-closed-gmem", "guest_memfd.c", world_memory, populate_closed_gmem, {},
	  -EFAULT },
	{ "populate-partial", "26", world_memory, populate_partial, {}, -EINVAL },
	{ "populate-slot-end", "guest_memfd.c", world_memory, populate_slot_end, {}, -EINVAL },
	{ "populate-limit", "26", NULL, populate_limit, {}, 0 },
	{ "populate-active", "28", ready, populate_active, {}, -EBUSY },
	{ "populate-dead", "28", ready, populate_dead, {}, -ENXIO },
	{ "populate-rmi-create", "28", world_memory, populate_rmi_create, { SIM_RMI_CREATE, 1 },
	  -ENXIO },
	{ "populate-rmi-first", "26", world_memory, populate_fails, { SIM_RMI_POPULATE, 1 },
	  -ENXIO },
	{ "populate-rmi-third", "26", world_memory, populate_rmi_third, { SIM_RMI_POPULATE, 3 },
	  0 },
	{ "populate-signal", "guest_memfd.c", world_memory, populate_fails, { SIM_SIGNAL, 1 },
	  -EINTR },
	{ "populate-status", "26", world_memory, populate_status, {}, 0 },
	{ "run", "18", ready, run_ok, {}, 0 },
	{ "run-immediate", "18", ready, run_immediate, {}, -EINTR },
	{ "run-not-initialized", "7.3", not_initialized, run, {}, -ENOEXEC },
	{ "run-no-gic", "18", no_gic, run, {}, -EOPNOTSUPP },
	{ "run-gic-nowhere", "7.3", no_gic, run_gic_nowhere, {}, -ENXIO },
	{ "run-no-psci", "19", with_vcpu, run_no_psci, {}, -EINVAL },
	{ "run-rmi-create", "28", ready, run_rmi_create, { SIM_RMI_CREATE }, -ENXIO },
	{ "run-rmi-rec", "19", ready, run_fails, { SIM_RMI_REC }, -ENXIO },
	{ "run-rmi-ripas", "27", ready, run_fails, { SIM_RMI_RIPAS }, -ENXIO },
	{ "run-rmi-activate", "18", ready, run_fails, { SIM_RMI_ACTIVATE }, -ENXIO },
	{ "run-dead", "22", ready, run_dead, { SIM_RMI_ACTIVATE }, -EINVAL },
	{ "run-shared-half", "27", NULL, run_shared_half, { UINT64_C(1) << 31, true }, -ENXIO },
	{ "slot-too-high", "7.3", world_vm, slot, { UINT64_C(1) << 40, false }, -EFAULT },
	/* Of a VM that is no realm the host would have to map the guest_memfd. */
	{ "slot-plain", "29", plain_vm, slot, { 0, true }, -EINVAL },
	{ "attributes-plain", "25", plain_vm, make_private, {}, -EINVAL },
	{ "reg", "31", ready, reg_ok, {}, 0 },
	/* sp, which is between x30 and pc */
	{ "reg-sp", "31", ready, reg, { REALM_REG_X(31) }, -EINVAL },
	{ "reg-half", "31", ready, reg, { REALM_REG_X(0) + 1 }, -EINVAL },
	{ "reg-early", "7.3", with_vcpu, reg, { REALM_REG_PC }, -ENOEXEC },
	{ "init-32bit", "19", with_vcpu, init,
	  { 1U << REALM_VCPU_EL1_32BIT | 1U << REALM_VCPU_PSCI_0_2 }, -EINVAL },
	{ "init-unknown", "7.3", with_vcpu, init, { 1U << 31 }, -ENOENT },
	{ "gic-v2", "20", world_vm, gic_v2, {}, -ENODEV },
	{ "gic-twice", "7.3", world_vm, gic_twice, {}, -EEXIST },
	{ "gic-late-vcpu", "7.3", with_gic, create_vcpu, {}, -EBUSY },
	{ "enable-cap", "15", world_vm, enable_cap, {}, -EINVAL },
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

TEST_OF(sim_realm, cases)
{
	for (size_t i = 0; i < CASES; i++) {
		struct world world;
		int rc;

		realm_init(&world, SIM_ARM_CCA_V14);
		world.args = cases[i].args;
		if (cases[i].before)
			cases[i].before(&world);
		rc = cases[i].run(&world);
		if (rc != cases[i].expect)
			printf("# case %s (%s): %d, expected %d\n", cases[i].id,
			       cases[i].patch, rc, cases[i].expect);
		EXPECT_EQ(rc, cases[i].expect);
		world_free(&world);
	}
}

static int extension(struct world *world, int fd, unsigned long number)
{
	return world_ioctl(world, fd, KVM_CHECK_EXTENSION, (void *)number);
}

/* The same number is realms here and something else there. */
TEST_OF(sim_realm, capabilities)
{
	static const struct {
		enum sim_arm arm;
		int has;
	} hosts[] = {
		{ SIM_ARM_PLAIN, 0 },
		{ SIM_ARM_CCA_V14, 1 },
		{ SIM_ARM_OTHER, 1 },
	};
	struct world world;

	for (size_t i = 0; i < 3; i++) {
		realm_init(&world, hosts[i].arm);
		world_host(&world);
		EXPECT_EQ(extension(&world, world.kvm, REALM_CAP_RMI), hosts[i].has);
		world_free(&world);
	}
	/* A realm's VM shows few of the capabilities that /dev/kvm has. */
	realm_init(&world, SIM_ARM_CCA_V14);
	world_vm(&world);
	EXPECT_EQ(extension(&world, world.vm, REALM_CAP_RMI), 1);
	EXPECT_EQ(extension(&world, world.kvm, KVM_CAP_DEVICE_CTRL), 1);
	EXPECT_EQ(extension(&world, world.vm, KVM_CAP_DEVICE_CTRL), 0);
	EXPECT_EQ(extension(&world, world.vm, KVM_CAP_GUEST_MEMFD), 1);
	EXPECT_EQ(extension(&world, world.vm, KVM_CAP_MEMORY_ATTRIBUTES),
		  KVM_MEMORY_ATTRIBUTE_PRIVATE);
	world_free(&world);
}

/* Files may be closed in any order; what belongs to a VM keeps it alive. */
TEST_OF(sim_realm, lifetime)
{
	struct world world;

	realm_init(&world, SIM_ARM_CCA_V14);
	ready(&world);
	EXPECT_FALSE(world_close(&world, world.vm));
	EXPECT_FALSE(realm_run(&world, false));
	EXPECT_FALSE(world_close(&world, world.vcpu));
	EXPECT_FALSE(world_close(&world, world.gmem));
	EXPECT_FALSE(world_close(&world, world.gic));
	EXPECT_FALSE(world_close(&world, world.kvm));
	EXPECT_FALSE(sim_open_files(world.sim));
	world_free(&world);
}
