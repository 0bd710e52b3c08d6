// SPDX-License-Identifier: GPL-2.0
/* What a host says before there is a guest: capabilities, attributes, /dev/sev. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "sim_cases.h"
#include "ksft.h"

static int vm_types(struct world *world)
{
	return world_ioctl(world, world->kvm, KVM_CHECK_EXTENSION,
			 (void *)KVM_CAP_VM_TYPES);
}

static int probe_none_1(struct world *world)
{
	world->host.no_snp = true;
	world_host(world);
	return vm_types(world) >> KVM_X86_SNP_VM & 1;
}

static int probe_none_2(struct world *world)
{
	world->host.no_snp = true;
	world_host(world);
	return world_ioctl(world, world->kvm, KVM_CREATE_VM,
			 (void *)KVM_X86_SNP_VM);
}

static void default_vm(struct world *world)
{
	world_host(world);
	world->vm = world_ioctl(world, world->kvm, KVM_CREATE_VM, NULL);
	EXPECT_GE(world->vm, 0);
}

static int probe_none_3(struct world *world)
{
	int results[2];

	world->host.no_snp = true;
	default_vm(world);
	results[0] = world_ioctl(world, world->vm, KVM_MEMORY_ENCRYPT_OP,
				 NULL);
	results[1] = world_init2(world, 0, 0, 0);
	return sim_agree(results, 2);
}

static int get_attr(struct world *world, uint64_t attr, uint64_t *value)
{
	struct kvm_device_attr arg = {
		.group = SNP_KVM_GROUP_SEV, .attr = attr,
		.addr = (uint64_t)value,
	};

	return world_ioctl(world, world->kvm, KVM_GET_DEVICE_ATTR, &arg);
}

static int probe_none_4(struct world *world)
{
	int results[3];
	uint64_t value;

	world->host.no_snp = true;
	world_host(world);
	for (uint64_t i = 0; i < 3; i++)
		results[i] = get_attr(world, i, &value);
	return sim_agree(results, 3);
}

static int probe_1(struct world *world)
{
	world_vm(world);
	EXPECT_TRUE(vm_types(world) >> KVM_X86_SNP_VM & 1);
	return world_ioctl(world, world->vm, KVM_MEMORY_ENCRYPT_OP, NULL);
}

static int probe_attr(struct world *world, uint64_t attr)
{
	uint64_t value = 0;
	int rc;

	world_host(world);
	rc = get_attr(world, attr, &value);
	EXPECT_TRUE(rc || value);
	return rc;
}

static int probe_2(struct world *world)
{
	return probe_attr(world, SNP_KVM_ATTR_VMSA_FEATURES);
}

static int probe_3(struct world *world)
{
	return probe_attr(world, SNP_KVM_ATTR_POLICY_BITS);
}

static int probe_4(struct world *world)
{
	return probe_attr(world, SNP_KVM_ATTR_REQ_CERTS);
}

static int probe_5(struct world *world)
{
	return probe_attr(world, 99);
}

static int sev_op(struct world *world, int fd, uint32_t number, void *data)
{
	struct snp_sev_cmd cmd = { .cmd = number, .data = (uint64_t)data };

	return world_ioctl(world, fd, SNP_SEV_ISSUE_CMD, &cmd);
}

static int sev_cmd_max(struct world *world)
{
	world_host(world);
	return sev_op(world, world->sev, SNP_SEV_MAX + 1, NULL);
}

static int sev_wrong_ioctl(struct world *world)
{
	int results[2];

	world_host(world);
	results[0] = world_ioctl(world, world->sev, KVM_GET_API_VERSION, NULL);
	results[1] = world_ioctl(world, world->sev, _IO('S', 1), NULL);
	return sim_agree(results, 2);
}

static int sev_ro_config(struct world *world)
{
	struct snp_sev_config config = { 0 };
	int results[3], fd;

	world_host(world);
	fd = world_open(world, SNP_DEVICE_PATH, O_RDONLY);
	results[0] = sev_op(world, fd, SNP_SEV_SNP_SET_CONFIG, &config);
	results[1] = sev_op(world, fd, SNP_SEV_SNP_VLEK_LOAD, &config);
	results[2] = sev_op(world, fd, SNP_SEV_PEK_GEN, NULL);
	EXPECT_FALSE(sev_op(world, world->sev, SNP_SEV_SNP_SET_CONFIG, &config));
	return sim_agree(results, 3);
}

static int sev_status(struct world *world)
{
	struct snp_sev_snp_status snp = { 0 };
	struct snp_sev_status status = { 0 };
	int results[2], fd;

	world_host(world);
	fd = world_open(world, SNP_DEVICE_PATH, O_RDONLY);
	results[0] = sev_op(world, fd, SNP_SEV_PLATFORM_STATUS, &status);
	results[1] = sev_op(world, fd, SNP_SEV_SNP_PLATFORM_STATUS, &snp);
	/* KVM wants at least 1.51 for SNP. */
	EXPECT_EQ(status.api_major, 1);
	EXPECT_GE(status.api_minor, 51);
	EXPECT_TRUE(snp.platform_init & SNP_INIT_RMP);
	EXPECT_TRUE(snp.current_tcb);
	return sim_agree(results, 2);
}

static int sev_status_null(struct world *world)
{
	world_host(world);
	return sev_op(world, world->sev, SNP_SEV_SNP_PLATFORM_STATUS, NULL);
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
	int results[4];

	world->host.psp_dead = true;
	world_host(world);
	results[0] = sev_op(world, world->sev, SNP_SEV_PLATFORM_STATUS, &status);
	results[1] = sev_op(world, world->sev, SNP_SEV_SNP_PLATFORM_STATUS,
			    &status);
	results[2] = sev_op(world, world->sev, SNP_SEV_SNP_COMMIT, NULL);
	results[3] = sev_op(world, world->sev, SNP_SEV_PEK_GEN, NULL);
	return sim_agree(results, 4);
}

static int init2_ok(struct world *world)
{
	world_vm(world);
	return world_init2(world, 0, 0, 0);
}

static int init2_flags(struct world *world)
{
	world_vm(world);
	return world_init2(world, 0, 1, 0);
}

static int init2_feat(struct world *world)
{
	int results[3];

	world_vm(world);
	results[0] = world_init2(world, 1, 0, 0);
	results[1] = world_init2(world, 1 << 1, 0, 0);
	results[2] = world_init2(world, UINT64_C(1) << 63, 0, 0);
	EXPECT_FALSE(world_init2(world, 1 << 5, 0, 0));
	return sim_agree(results, 3);
}

static int init2_ghcb3(struct world *world)
{
	world_vm(world);
	return world_init2(world, 0, 0, 3);
}

static int init2_ghcb1(struct world *world)
{
	world_vm(world);
	return world_init2(world, 0, 0, 1);
}

static int init2_vcpu(struct world *world)
{
	world_vcpu(world);
	return world_init2(world, 0, 0, 0);
}

static int init2_twice(struct world *world)
{
	world_inited(world);
	return world_init2(world, 0, 0, 0);
}

static int init2_deftype(struct world *world)
{
	default_vm(world);
	return world_init2(world, 0, 0, 0);
}

static int init2_efault(struct world *world)
{
	world_vm(world);
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

const struct sim_case sim_cases_host[] = {
	{ "probe-none-1", probe_none_1, BOTH_ON(SIM_NEEDS_NOTHING, 0) },
	{ "probe-none-2", probe_none_2, BOTH_ON(SIM_NEEDS_NOTHING, -EINVAL) },
	{ "probe-none-3", probe_none_3, BOTH_ON(SIM_NEEDS_NOTHING, -ENOTTY) },
	{ "probe-none-4", probe_none_4, BOTH_ON(SIM_NEEDS_NOTHING, -ENXIO) },
	{ "probe-1", probe_1, BOTH(0) },
	{ "probe-2", probe_2, BOTH(0) },
	{ "probe-3", probe_3, EACH(-ENXIO, 0) },
	{ "probe-4", probe_4, EACH(-ENXIO, 0) },
	{ "probe-5", probe_5, BOTH(-ENXIO) },
	{ "init2-ok", init2_ok, BOTH(0) },
	{ "init2-flags", init2_flags, BOTH(-EINVAL) },
	{ "init2-feat", init2_feat, BOTH(-EINVAL) },
	{ "init2-ghcb3", init2_ghcb3, BOTH(-EINVAL) },
	{ "init2-ghcb1", init2_ghcb1, EACH(0, -EINVAL) },
	{ "init2-vcpu", init2_vcpu, BOTH(-EINVAL) },
	{ "init2-twice", init2_twice, BOTH(-EPERM) },
	{ "init2-deftype", init2_deftype, BOTH(-EINVAL) },
	{ "init2-efault", init2_efault, BOTH(-EFAULT) },
	{ "init2-asid", init2_asid, BOTH(-EBUSY) },
	{ "sev-cmd-max", sev_cmd_max, BOTH(-EINVAL) },
	{ "sev-wrong-ioctl", sev_wrong_ioctl, BOTH(-EINVAL) },
	{ "sev-ro-config", sev_ro_config, BOTH(-EPERM) },
	{ "sev-status", sev_status, BOTH(0) },
	{ "sev-status-null", sev_status_null, BOTH(-EINVAL) },
	{ "sev-nosnp", sev_nosnp, BOTH(-ENODEV) },
	{ "sev-dead", sev_dead, BOTH(-EBUSY) },
};

const unsigned int sim_cases_host_count =
	sizeof(sim_cases_host) / sizeof(sim_cases_host[0]);
