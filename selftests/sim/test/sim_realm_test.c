// SPDX-License-Identifier: GPL-2.0
/*
 * What KVM answers about realms in each state, as read in version 14 of the CCA
 * series: the simulator gives the same numbers. Patches are named by number.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "realm_world.h"
#include "ksft.h"

#define MEASURE REALM_POPULATE_MEASURE

/**
 * struct realm_case - one of them
 * @patch: of the series, or what of Linux 7.3 it is
 * @run: brings a realm to where the case begins, and does it. Return: 0 or a
 *	negative errno.
 */
struct realm_case {
	const char *id;
	const char *patch;
	int (*run)(struct realm_world *world);
	int expect;
};

static int create_type(struct realm_world *world, unsigned long type)
{
	realm_world_host(world);
	world->vm = realm_world_ioctl(world, world->kvm, KVM_CREATE_VM,
				      (void *)type);
	return world->vm < 0 ? world->vm : 0;
}

static int type_plain(struct realm_world *world)
{
	return create_type(world, 0);
}

static int type_realm(struct realm_world *world)
{
	return create_type(world, REALM_VM_TYPE);
}

static int type_both(struct realm_world *world)
{
	return create_type(world, REALM_VM_TYPE | REALM_VM_TYPE_PROTECTED);
}

static int type_unknown(struct realm_world *world)
{
	return create_type(world, REALM_VM_TYPE | 1UL << 8);
}

static int type_narrow(struct realm_world *world)
{
	return create_type(world, REALM_VM_TYPE | 31);
}

static int type_wide(struct realm_world *world)
{
	return create_type(world, REALM_VM_TYPE | 49);
}

/* The RMM's limit, which is not KVM's */
static int type_rmm_limit(struct realm_world *world)
{
	world->host.ipa_bits = 40;
	EXPECT_FALSE(create_type(world, 41));
	EXPECT_FALSE(create_type(world, REALM_VM_TYPE | 40));
	return create_type(world, REALM_VM_TYPE | 41);
}

static int type_no_rmm(struct realm_world *world)
{
	world->host.arm = SIM_ARM_PLAIN;
	return create_type(world, REALM_VM_TYPE | 40);
}

static int populate_ok(struct realm_world *world)
{
	int rc;

	realm_world_memory(world);
	rc = realm_world_populate(world, 0, 2, MEASURE);
	EXPECT_FALSE(world->args.size);
	EXPECT_FALSE(sim_realm_pages(world->sim, world->vm, false));
	EXPECT_EQ(sim_realm_pages(world->sim, world->vm, true), 2);
	EXPECT_EQ(world->args.base, REALM_WORLD_GPA + 2 * 4096);
	EXPECT_EQ(world->args.source, (uint64_t)world->source + 2 * 4096);
	return rc;
}

static int populate_unmeasured(struct realm_world *world)
{
	int rc;

	realm_world_memory(world);
	rc = realm_world_populate(world, 0, 2, 0);
	EXPECT_EQ(sim_realm_pages(world->sim, world->vm, false), 2);
	EXPECT_FALSE(sim_realm_pages(world->sim, world->vm, true));
	return rc;
}

static int populate_plain_vm(struct realm_world *world)
{
	world->type = 40;
	realm_world_vm(world);
	return realm_world_populate(world, 0, 1, 0);
}

static int populate_no_series(struct realm_world *world)
{
	world->host.arm = SIM_ARM_PLAIN;
	world->type = 40;
	realm_world_vm(world);
	return realm_world_populate(world, 0, 1, 0);
}

static int populate_null(struct realm_world *world)
{
	realm_world_memory(world);
	return realm_world_ioctl(world, world->vm, REALM_POPULATE, NULL);
}

static int populate_with(struct realm_world *world, uint64_t base,
			 uint64_t size, uint64_t source, uint32_t reserved)
{
	realm_world_memory(world);
	world->args = (struct realm_kvm_populate){
		.base = base, .size = size, .source = source,
		.reserved = reserved,
	};
	return realm_world_again(world);
}

static int populate_reserved(struct realm_world *world)
{
	return populate_with(world, REALM_WORLD_GPA, 4096,
			     (uint64_t)world->source, 1);
}

static int populate_flags(struct realm_world *world)
{
	realm_world_memory(world);
	return realm_world_populate(world, 0, 1, 2);
}

static int populate_base(struct realm_world *world)
{
	return populate_with(world, REALM_WORLD_GPA + 8, 4096 - 8,
			     (uint64_t)world->source, 0);
}

static int populate_size(struct realm_world *world)
{
	return populate_with(world, REALM_WORLD_GPA, 100,
			     (uint64_t)world->source, 0);
}

static int populate_source(struct realm_world *world)
{
	return populate_with(world, REALM_WORLD_GPA, 4096,
			     (uint64_t)world->source + 8, 0);
}

static int populate_empty(struct realm_world *world)
{
	int rc = populate_with(world, REALM_WORLD_GPA, 0,
			       (uint64_t)world->source, 0);

	EXPECT_EQ(world->lints, 1);
	return rc;
}

static int populate_no_slot(struct realm_world *world)
{
	return populate_with(world, 4096, 4096, (uint64_t)world->source, 0);
}

static int populate_no_source(struct realm_world *world)
{
	return populate_with(world, REALM_WORLD_GPA, 4096, 0, 0);
}

static int populate_bad_source(struct realm_world *world)
{
	return populate_with(world, REALM_WORLD_GPA, 4096, 0x1000, 0);
}

static int populate_shared(struct realm_world *world)
{
	realm_world_memory(world);
	return realm_world_populate(world, REALM_WORLD_PRIVATE, 1, 0);
}

static int populate_twice(struct realm_world *world)
{
	realm_world_memory(world);
	EXPECT_FALSE(realm_world_populate(world, 0, 1, 0));
	return realm_world_populate(world, 0, 1, 0);
}

/* A hole gives the page back: it can be populated again. */
static int populate_punched(struct realm_world *world)
{
	realm_world_memory(world);
	EXPECT_FALSE(realm_world_populate(world, 0, 1, 0));
	EXPECT_FALSE(sim_punch(world->sim, world->gmem, 0, 4096));
	return realm_world_populate(world, 0, 1, 0);
}

static int populate_closed_gmem(struct realm_world *world)
{
	realm_world_memory(world);
	EXPECT_FALSE(sim_close(world->sim, world->gmem));
	return realm_world_populate(world, 0, 1, 0);
}

/* It goes as far as it can, and the next call finds out why no further. */
static int populate_partial(struct realm_world *world)
{
	realm_world_memory(world);
	EXPECT_FALSE(realm_world_populate(world, REALM_WORLD_PRIVATE - 2, 4, 0));
	EXPECT_EQ(world->args.size, 2 * 4096);
	EXPECT_EQ(world->args.base, REALM_WORLD_GPA + REALM_WORLD_PRIVATE * 4096);
	EXPECT_EQ(world->args.source, (uint64_t)world->source + 2 * 4096);
	return realm_world_again(world);
}

static int populate_slot_end(struct realm_world *world)
{
	realm_world_memory(world);
	EXPECT_FALSE(realm_world_private(world, 0, REALM_WORLD_PAGES, true));
	EXPECT_FALSE(realm_world_populate(world, REALM_WORLD_PAGES - 1, 2, 0));
	EXPECT_EQ(world->args.size, 4096);
	return realm_world_again(world);
}

static int populate_limit(struct realm_world *world)
{
	unsigned int calls = 0;
	int rc;

	world->host.progress = 3;
	realm_world_memory(world);
	rc = realm_world_populate(world, 0, 8, MEASURE);
	for (calls = 1; !rc && world->args.size; calls++)
		rc = realm_world_again(world);
	EXPECT_EQ(calls, 3);
	EXPECT_EQ(sim_realm_pages(world->sim, world->vm, true), 8);
	return rc;
}

static int populate_active(struct realm_world *world)
{
	realm_world_ready(world);
	EXPECT_EQ(realm_world_run(world, true), -EINTR);
	return realm_world_populate(world, 0, 1, 0);
}

static int populate_dead(struct realm_world *world)
{
	realm_world_ready(world);
	EXPECT_FALSE(sim_fail(world->sim, SIM_RMI_ACTIVATE, 1, 0));
	EXPECT_EQ(realm_world_run(world, true), -ENXIO);
	return realm_world_populate(world, 0, 1, 0);
}

static int populate_fails(struct realm_world *world, enum sim_event event,
			  unsigned int nth)
{
	realm_world_memory(world);
	EXPECT_FALSE(sim_fail(world->sim, event, nth, 0));
	return realm_world_populate(world, 0, 4, 0);
}

static int populate_rmi_create(struct realm_world *world)
{
	int rc = populate_fails(world, SIM_RMI_CREATE, 1);

	/* The realm is as it was: the next call creates it. */
	EXPECT_FALSE(realm_world_again(world));
	EXPECT_FALSE(world->args.size);
	return rc;
}

static int populate_rmi_first(struct realm_world *world)
{
	return populate_fails(world, SIM_RMI_POPULATE, 1);
}

static int populate_rmi_third(struct realm_world *world)
{
	int rc = populate_fails(world, SIM_RMI_POPULATE, 3);

	EXPECT_EQ(world->args.size, 2 * 4096);
	return rc;
}

static int populate_signal(struct realm_world *world)
{
	return populate_fails(world, SIM_SIGNAL, 1);
}

/* Version 14 takes what the RMM says for a number of pages. */
static int populate_status(struct realm_world *world)
{
	int rc;

	realm_world_memory(world);
	EXPECT_FALSE(sim_fail(world->sim, SIM_RMI_POPULATE, 1, 2));
	rc = realm_world_populate(world, 0, 4, MEASURE);
	EXPECT_EQ(world->args.size, 2 * 4096);
	EXPECT_FALSE(sim_realm_pages(world->sim, world->vm, true));
	return rc;
}

static int run_ok(struct realm_world *world)
{
	int rc;

	realm_world_ready(world);
	rc = realm_world_run(world, false);
	EXPECT_TRUE(sim_realm_is_active(world->sim, world->vm));
	EXPECT_EQ(world->run->exit_reason, KVM_EXIT_SYSTEM_EVENT);
	EXPECT_EQ(world->run->system_event.type, KVM_SYSTEM_EVENT_SHUTDOWN);
	return rc;
}

/* It is activated all the same. */
static int run_immediate(struct realm_world *world)
{
	int rc;

	realm_world_ready(world);
	rc = realm_world_run(world, true);
	EXPECT_TRUE(sim_realm_is_active(world->sim, world->vm));
	return rc;
}

static int run_not_initialized(struct realm_world *world)
{
	realm_world_vcpu(world);
	realm_world_gic(world);
	return realm_world_run(world, false);
}

static int run_no_gic(struct realm_world *world)
{
	realm_world_vcpu(world);
	EXPECT_FALSE(realm_world_vcpu_init(world, 1U << REALM_VCPU_PSCI_0_2));
	return realm_world_run(world, false);
}

/* KVM gives such a VM up: seen with the KVM of Linux 6.12. */
static int run_gic_nowhere(struct realm_world *world)
{
	struct kvm_create_device create = { .type = REALM_GIC_TYPE };
	int rc;

	realm_world_vcpu(world);
	EXPECT_FALSE(realm_world_vcpu_init(world, 1U << REALM_VCPU_PSCI_0_2));
	EXPECT_FALSE(realm_world_ioctl(world, world->vm, KVM_CREATE_DEVICE, &create));
	rc = realm_world_run(world, false);
	EXPECT_EQ(realm_world_run(world, false), -EIO);
	EXPECT_EQ(realm_world_populate(world, 0, 1, 0), -EIO);
	EXPECT_EQ(realm_world_ioctl(world, (int)create.fd, KVM_SET_DEVICE_ATTR, NULL), -EIO);
	return rc;
}

static int run_no_psci(struct realm_world *world)
{
	int rc;

	realm_world_vcpu(world);
	EXPECT_FALSE(realm_world_vcpu_init(world, 0));
	realm_world_gic(world);
	rc = realm_world_run(world, false);
	/* And that was the end of it. */
	EXPECT_FALSE(realm_world_vcpu_init(world, 1U << REALM_VCPU_PSCI_0_2));
	EXPECT_EQ(realm_world_run(world, false), -EINVAL);
	return rc;
}

static int run_fails(struct realm_world *world, enum sim_event event)
{
	int rc;

	realm_world_ready(world);
	EXPECT_FALSE(sim_fail(world->sim, event, 1, 0));
	rc = realm_world_run(world, false);
	EXPECT_FALSE(sim_realm_is_active(world->sim, world->vm));
	return rc;
}

/* Nothing is lost: the next run tries again. */
static int run_rmi_create(struct realm_world *world)
{
	int rc = run_fails(world, SIM_RMI_CREATE);

	EXPECT_FALSE(realm_world_run(world, false));
	return rc;
}

static int run_rmi_rec(struct realm_world *world)
{
	return run_fails(world, SIM_RMI_REC);
}

static int run_rmi_ripas(struct realm_world *world)
{
	return run_fails(world, SIM_RMI_RIPAS);
}

static int run_rmi_activate(struct realm_world *world)
{
	return run_fails(world, SIM_RMI_ACTIVATE);
}

static int run_dead(struct realm_world *world)
{
	run_fails(world, SIM_RMI_ACTIVATE);
	EXPECT_EQ(realm_world_run(world, true), -EINTR);
	return realm_world_run(world, false);
}

/* Of 32 bits of addresses the upper 2 GiB are the shared alias. */
static int run_shared_half(struct realm_world *world)
{
	struct kvm_create_guest_memfd create = { .size = 4096 };
	struct kvm_userspace_memory_region2 region = {
		.slot = 1, .flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = UINT64_C(1) << 31, .memory_size = 4096,
		.userspace_addr = (uint64_t)world->source,
	};
	int rc;

	world->type = REALM_VM_TYPE | 32;
	realm_world_ready(world);
	region.guest_memfd = (uint32_t)
		realm_world_ioctl(world, world->vm, KVM_CREATE_GUEST_MEMFD,
				  &create);
	EXPECT_FALSE(realm_world_ioctl(world, world->vm, KVM_SET_USER_MEMORY_REGION2, &region));
	rc = realm_world_run(world, false);
	EXPECT_EQ(world->lints, 1);
	return rc;
}

static int slot_too_high(struct realm_world *world)
{
	struct kvm_userspace_memory_region2 region = {
		.guest_phys_addr = UINT64_C(1) << 40, .memory_size = 4096,
		.userspace_addr = (uint64_t)world->source,
	};

	realm_world_vm(world);
	return realm_world_ioctl(world, world->vm, KVM_SET_USER_MEMORY_REGION2,
				 &region);
}

/* Of a VM that is no realm the host would have to map the guest_memfd. */
static int slot_plain(struct realm_world *world)
{
	struct kvm_create_guest_memfd create = { .size = 4096 };
	struct kvm_userspace_memory_region2 region = {
		.flags = KVM_MEM_GUEST_MEMFD, .memory_size = 4096,
		.userspace_addr = (uint64_t)world->source,
	};

	world->type = 40;
	realm_world_vm(world);
	region.guest_memfd = (uint32_t)
		realm_world_ioctl(world, world->vm, KVM_CREATE_GUEST_MEMFD,
				  &create);
	return realm_world_ioctl(world, world->vm, KVM_SET_USER_MEMORY_REGION2,
				 &region);
}

static int attributes_plain(struct realm_world *world)
{
	world->type = 40;
	realm_world_vm(world);
	return realm_world_private(world, 0, 1, true);
}

static int set_reg(struct realm_world *world, uint64_t id)
{
	uint64_t value = 1;
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	return realm_world_ioctl(world, world->vcpu, KVM_SET_ONE_REG, &reg);
}

static int reg_ok(struct realm_world *world)
{
	realm_world_ready(world);
	EXPECT_FALSE(set_reg(world, REALM_REG_X(0)));
	EXPECT_FALSE(set_reg(world, REALM_REG_X(30)));
	return set_reg(world, REALM_REG_PC);
}

/* sp, which is between x30 and pc */
static int reg_sp(struct realm_world *world)
{
	realm_world_ready(world);
	return set_reg(world, REALM_REG_X(31));
}

static int reg_half(struct realm_world *world)
{
	realm_world_ready(world);
	return set_reg(world, REALM_REG_X(0) + 1);
}

static int reg_early(struct realm_world *world)
{
	realm_world_vcpu(world);
	return set_reg(world, REALM_REG_PC);
}

static int init_32bit(struct realm_world *world)
{
	realm_world_vcpu(world);
	return realm_world_vcpu_init(world, 1U << REALM_VCPU_EL1_32BIT |
				     1U << REALM_VCPU_PSCI_0_2);
}

static int init_unknown(struct realm_world *world)
{
	realm_world_vcpu(world);
	return realm_world_vcpu_init(world, 1U << 31);
}

static int create_device(struct realm_world *world, uint32_t type,
			 uint32_t flags)
{
	struct kvm_create_device create = { .type = type, .flags = flags };

	realm_world_vm(world);
	return realm_world_ioctl(world, world->vm, KVM_CREATE_DEVICE, &create);
}

static int gic_v2(struct realm_world *world)
{
	return create_device(world, KVM_DEV_TYPE_ARM_VGIC_V2, 0);
}

static int gic_twice(struct realm_world *world)
{
	EXPECT_FALSE(create_device(world, REALM_GIC_TYPE, KVM_CREATE_DEVICE_TEST));
	EXPECT_FALSE(create_device(world, REALM_GIC_TYPE, 0));
	return create_device(world, REALM_GIC_TYPE, 0);
}

static int gic_late_vcpu(struct realm_world *world)
{
	realm_world_gic(world);
	return realm_world_ioctl(world, world->vm, KVM_CREATE_VCPU, NULL);
}

static int enable_cap(struct realm_world *world)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_EXIT_HYPERCALL };

	realm_world_vm(world);
	return realm_world_ioctl(world, world->vm, KVM_ENABLE_CAP, &cap);
}

static const struct realm_case cases[] = {
	{ "type-plain", "7.3", type_plain, 0 },
	{ "type-realm", "16", type_realm, 0 },
	{ "type-both", "16", type_both, -EINVAL },
	{ "type-unknown", "16", type_unknown, -EINVAL },
	{ "type-narrow", "14", type_narrow, -EINVAL },
	{ "type-wide", "14", type_wide, -EINVAL },
	{ "type-rmm-limit", "14", type_rmm_limit, -EINVAL },
	{ "type-no-rmm", "16", type_no_rmm, -EINVAL },
	{ "populate", "26", populate_ok, 0 },
	{ "populate-unmeasured", "26", populate_unmeasured, 0 },
	{ "populate-plain-vm", "26", populate_plain_vm, -ENXIO },
	{ "populate-no-series", "7.3", populate_no_series, -EINVAL },
	{ "populate-null", "26", populate_null, -EFAULT },
	{ "populate-reserved", "26", populate_reserved, -EINVAL },
	{ "populate-flags", "26", populate_flags, -EINVAL },
	{ "populate-base", "26", populate_base, -EINVAL },
	{ "populate-size", "26", populate_size, -EINVAL },
	{ "populate-source", "26", populate_source, -EINVAL },
	{ "populate-empty", "guest_memfd.c", populate_empty, -EINVAL },
	{ "populate-no-slot", "guest_memfd.c", populate_no_slot, -EINVAL },
	{ "populate-no-source", "26", populate_no_source, -EOPNOTSUPP },
	{ "populate-bad-source", "guest_memfd.c", populate_bad_source,
	  -EFAULT },
	{ "populate-shared", "guest_memfd.c", populate_shared, -EINVAL },
	{ "populate-twice", "26", populate_twice, -ENXIO },
	{ "populate-punched", "26", populate_punched, 0 },
	{ "populate-closed-gmem", "guest_memfd.c", populate_closed_gmem,
	  -EFAULT },
	{ "populate-partial", "26", populate_partial, -EINVAL },
	{ "populate-slot-end", "guest_memfd.c", populate_slot_end, -EINVAL },
	{ "populate-limit", "26", populate_limit, 0 },
	{ "populate-active", "28", populate_active, -EBUSY },
	{ "populate-dead", "28", populate_dead, -ENXIO },
	{ "populate-rmi-create", "28", populate_rmi_create, -ENXIO },
	{ "populate-rmi-first", "26", populate_rmi_first, -ENXIO },
	{ "populate-rmi-third", "26", populate_rmi_third, 0 },
	{ "populate-signal", "guest_memfd.c", populate_signal, -EINTR },
	{ "populate-status", "26", populate_status, 0 },
	{ "run", "18", run_ok, 0 },
	{ "run-immediate", "18", run_immediate, -EINTR },
	{ "run-not-initialized", "7.3", run_not_initialized, -ENOEXEC },
	{ "run-no-gic", "18", run_no_gic, -EOPNOTSUPP },
	{ "run-gic-nowhere", "7.3", run_gic_nowhere, -ENXIO },
	{ "run-no-psci", "19", run_no_psci, -EINVAL },
	{ "run-rmi-create", "28", run_rmi_create, -ENXIO },
	{ "run-rmi-rec", "19", run_rmi_rec, -ENXIO },
	{ "run-rmi-ripas", "27", run_rmi_ripas, -ENXIO },
	{ "run-rmi-activate", "18", run_rmi_activate, -ENXIO },
	{ "run-dead", "22", run_dead, -EINVAL },
	{ "run-shared-half", "27", run_shared_half, -ENXIO },
	{ "slot-too-high", "7.3", slot_too_high, -EFAULT },
	{ "slot-plain", "29", slot_plain, -EINVAL },
	{ "attributes-plain", "25", attributes_plain, -EINVAL },
	{ "reg", "31", reg_ok, 0 },
	{ "reg-sp", "31", reg_sp, -EINVAL },
	{ "reg-half", "31", reg_half, -EINVAL },
	{ "reg-early", "7.3", reg_early, -ENOEXEC },
	{ "init-32bit", "19", init_32bit, -EINVAL },
	{ "init-unknown", "7.3", init_unknown, -ENOENT },
	{ "gic-v2", "20", gic_v2, -ENODEV },
	{ "gic-twice", "7.3", gic_twice, -EEXIST },
	{ "gic-late-vcpu", "7.3", gic_late_vcpu, -EBUSY },
	{ "enable-cap", "15", enable_cap, -EINVAL },
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

TEST_OF(sim_realm, cases)
{
	for (size_t i = 0; i < CASES; i++) {
		struct realm_world world;
		int rc;

		realm_world_init(&world, SIM_ARM_CCA_V14);
		rc = cases[i].run(&world);
		if (rc != cases[i].expect)
			printf("# case %s (%s): %d, expected %d\n", cases[i].id,
			       cases[i].patch, rc, cases[i].expect);
		EXPECT_EQ(rc, cases[i].expect);
		realm_world_free(&world);
	}
}

static int extension(struct realm_world *world, int fd, unsigned long number)
{
	return realm_world_ioctl(world, fd, KVM_CHECK_EXTENSION,
				 (void *)number);
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
	struct realm_world world;

	for (size_t i = 0; i < 3; i++) {
		realm_world_init(&world, hosts[i].arm);
		realm_world_host(&world);
		EXPECT_EQ(extension(&world, world.kvm, REALM_CAP_RMI), hosts[i].has);
		realm_world_free(&world);
	}
	/* A realm's VM shows few of the capabilities that /dev/kvm has. */
	realm_world_init(&world, SIM_ARM_CCA_V14);
	realm_world_vm(&world);
	EXPECT_EQ(extension(&world, world.vm, REALM_CAP_RMI), 1);
	EXPECT_EQ(extension(&world, world.kvm, KVM_CAP_DEVICE_CTRL), 1);
	EXPECT_EQ(extension(&world, world.vm, KVM_CAP_DEVICE_CTRL), 0);
	EXPECT_EQ(extension(&world, world.vm, KVM_CAP_GUEST_MEMFD), 1);
	EXPECT_EQ(extension(&world, world.vm, KVM_CAP_MEMORY_ATTRIBUTES),
		  KVM_MEMORY_ATTRIBUTE_PRIVATE);
	realm_world_free(&world);
}

/* Files may be closed in any order; what belongs to a VM keeps it alive. */
TEST_OF(sim_realm, lifetime)
{
	struct realm_world world;

	realm_world_init(&world, SIM_ARM_CCA_V14);
	realm_world_ready(&world);
	EXPECT_FALSE(sim_close(world.sim, world.vm));
	EXPECT_FALSE(realm_world_run(&world, false));
	EXPECT_FALSE(sim_close(world.sim, world.vcpu));
	EXPECT_FALSE(sim_close(world.sim, world.gmem));
	EXPECT_FALSE(sim_close(world.sim, world.gic));
	EXPECT_FALSE(sim_close(world.sim, world.kvm));
	EXPECT_FALSE(sim_open_files(world.sim));
	realm_world_free(&world);
}
