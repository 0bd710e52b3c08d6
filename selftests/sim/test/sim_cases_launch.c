// SPDX-License-Identifier: GPL-2.0
/* LAUNCH_START, LAUNCH_FINISH, and what goes before and after them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <openssl/evp.h>

#include "snp/id_block.h"
#include "sim_cases.h"
#include "test_key.h"
#include "ksft.h"

#define POLICY 0x30000

static int legacy_cmd(struct world *world)
{
	int results[100];

	world_inited(world);
	for (uint32_t id = 0; id < 100; id++)
		results[id] = world_op(world, id, NULL);
	return sim_agree(results, 100);
}

static int unknown_cmd(struct world *world)
{
	world_inited(world);
	return world_op(world, 104, NULL);
}

static int reqcerts_ok(struct world *world)
{
	world_inited(world);
	return world_op(world, SNP_KVM_ENABLE_REQ_CERTS, NULL);
}

static int reqcerts_late(struct world *world)
{
	world_inited(world);
	world_vcpu(world);
	return world_op(world, SNP_KVM_ENABLE_REQ_CERTS, NULL);
}

static int reqcerts_noinit(struct world *world)
{
	world_vm(world);
	return world_op(world, SNP_KVM_ENABLE_REQ_CERTS, NULL);
}

static int start_noinit(struct world *world)
{
	world_vm(world);
	return world_start(world, POLICY);
}

static int start_ok(struct world *world)
{
	world_inited(world);
	return world_start(world, POLICY);
}

static int start_flags(struct world *world)
{
	struct snp_kvm_launch_start start = { .policy = POLICY, .flags = 1 };

	world_inited(world);
	return world_op(world, SNP_KVM_LAUNCH_START, &start);
}

static int start_mbo(struct world *world)
{
	int results[2];

	world_inited(world);
	results[0] = world_start(world, 0x10000);
	results[1] = world_start(world, 0);
	return sim_agree(results, 2);
}

static int start_smt(struct world *world)
{
	world_inited(world);
	return world_start(world, 0x20000);
}

/* The same on a host that has switched SMT off. */
static int start_smt_off(struct world *world)
{
	world->host.no_smt = true;
	world_inited(world);
	return world_start(world, 0x20000);
}

static int start_ss(struct world *world)
{
	world_inited(world);
	return world_start(world, POLICY | 1 << 20);
}

static int start_migma(struct world *world)
{
	world_inited(world);
	return world_start(world, POLICY | 1 << 18);
}

static int start_hi(struct world *world)
{
	int results[2];

	world_inited(world);
	results[0] = world_start(world, POLICY | 1 << 26);
	results[1] = world_start(world, POLICY | UINT64_C(1) << 63);
	return sim_agree(results, 2);
}

static int start_twice(struct world *world)
{
	world_started(world);
	return world_start(world, POLICY);
}

static int start_badfd(struct world *world)
{
	int results[3], sev;

	world_inited(world);
	sev = world->sev;
	world->sev = -1;
	results[0] = world_start(world, POLICY);
	world->sev = world->kvm;
	results[1] = world_start(world, POLICY);
	world->sev = sev;
	world_close(world, sev);
	results[2] = world_start(world, POLICY);
	return sim_agree(results, 3);
}

static int start_fwfail(struct world *world)
{
	struct snp_kvm_cmd failed;
	int rc;

	world_fail(world, SIM_START, 1, 0x17);
	world_inited(world);
	rc = world_start(world, POLICY);
	failed = world->cmd;
	/* The context is gone again: another attempt is possible. */
	EXPECT_FALSE(world_start(world, POLICY));
	world->cmd = failed;
	return rc;
}

static int fin_noinit(struct world *world)
{
	world_vm(world);
	return world_finish(world);
}

static int fin_nostart(struct world *world)
{
	world_inited(world);
	return world_finish(world);
}

static int fin_flags(struct world *world)
{
	struct snp_kvm_launch_finish finish = { .flags = 1 };

	world_ready(world);
	return world_op(world, SNP_KVM_LAUNCH_FINISH, &finish);
}

static int fin_ok(struct world *world)
{
	world_ready(world);
	return world_finish(world);
}

static int fin_debug(struct world *world)
{
	struct kvm_guest_debug debug = { .control = KVM_GUESTDBG_ENABLE };

	world_ready(world);
	EXPECT_FALSE(world_ioctl(world, world->vcpu, KVM_SET_GUEST_DEBUG, &debug));
	return world_finish(world);
}

static int fin_idptr(struct world *world)
{
	struct snp_kvm_launch_finish finish = { .id_block_en = 1 };
	int rc;

	world_ready(world);
	rc = world_op(world, SNP_KVM_LAUNCH_FINISH, &finish);
	/* Too late: the vCPUs belong to the firmware. */
	EXPECT_EQ(world_finish(world), -EINVAL);
	return rc;
}

/* What a launch of world_ready() ends with, from another that is the same. */
static void predict(struct world *world, uint8_t digest[SNP_DIGEST_SIZE])
{
	struct world other;
	const uint8_t *found;

	world_init(&other, world->host.profile);
	world_finished(&other);
	found = sim_vm_digest(other.sim, other.vm);
	EXPECT_TRUE(found);
	if (found)
		memcpy(digest, found, SNP_DIGEST_SIZE);
	world_free(&other);
}

static int finish_id(struct world *world, struct snp_id_block *block,
		     bool spoil_signature)
{
	EVP_PKEY *key = test_key(TEST_ID_KEY);
	struct snp_id_auth auth;
	struct snp_kvm_launch_finish finish = {
		.id_block_uaddr = (uint64_t)block, .id_block_en = 1,
		.id_auth_uaddr = (uint64_t)&auth,
	};
	struct error error;

	EXPECT_FALSE(snp_id_auth_create(&auth, block, key, NULL, &error));
	auth.id_block_signature[0] ^= spoil_signature;
	EVP_PKEY_free(key);
	world_ready(world);
	return world_op(world, SNP_KVM_LAUNCH_FINISH, &finish);
}

/* Not one of the errors: a good ID block is taken. */
static int fin_idok(struct world *world)
{
	struct snp_id_block block = { .version = 1, .policy = POLICY };

	predict(world, block.digest);
	return finish_id(world, &block, false);
}

static int fin_badmeas(struct world *world)
{
	struct snp_id_block block = { .version = 1, .policy = POLICY };

	predict(world, block.digest);
	block.digest[47] ^= 1;
	return finish_id(world, &block, false);
}

static int fin_badsig(struct world *world)
{
	struct snp_id_block block = { .version = 1, .policy = POLICY };

	predict(world, block.digest);
	return finish_id(world, &block, true);
}

static int fin_badpolicy(struct world *world)
{
	struct snp_id_block block = { .version = 1, .policy = POLICY | 1 << 19 };

	predict(world, block.digest);
	return finish_id(world, &block, false);
}

static int fin_twice(struct world *world)
{
	world_finished(world);
	return world_finish(world);
}

static int fin_twice_0vcpu(struct world *world)
{
	world_started(world);
	EXPECT_FALSE(world_finish(world));
	return world_finish(world);
}

static int upd_after_fin(struct world *world)
{
	world_finished(world);
	return world_update(world, 1, 0, 1);
}

static int regs_after_fin(struct world *world)
{
	static const unsigned long requests[] = {
		KVM_GET_REGS, KVM_SET_REGS, KVM_GET_SREGS, KVM_SET_SREGS,
		KVM_GET_FPU, KVM_SET_FPU, KVM_GET_XSAVE, KVM_SET_XSAVE,
		KVM_SET_XCRS,
	};
	uint8_t buffer[4096] = { 0 };
	int results[9];

	world_ready(world);
	for (int i = 0; i < 8; i += 2)
		EXPECT_FALSE(world_ioctl(world, world->vcpu, requests[i], buffer));
	EXPECT_FALSE(world_finish(world));
	for (int i = 0; i < 9; i++)
		results[i] = world_ioctl(world, world->vcpu, requests[i],
					 buffer);
	return sim_agree(results, 9);
}

static int prefault_early(struct world *world)
{
	uint64_t range[8] = { 0, WORLD_PAGE };

	world_ready(world);
	return world_ioctl(world, world->vcpu, KVM_PRE_FAULT_MEMORY, range);
}

static int run_noinit(struct world *world)
{
	world_vcpu(world);
	return world_ioctl(world, world->vcpu, KVM_RUN, NULL);
}

static int sevfd_close(struct world *world)
{
	int first;

	world_ready(world);
	first = world->sev;
	world->sev = world_open(world, SNP_DEVICE_PATH, O_RDWR);
	EXPECT_GE(world->sev, 0);
	EXPECT_NE(world->sev, first);
	EXPECT_FALSE(world_close(world, first));
	return world_finish(world);
}

const struct sim_case sim_cases_launch[] = {
	{ "legacy-cmd", legacy_cmd, BOTH(-EPERM) },
	{ "unknown-cmd", unknown_cmd, BOTH(-EINVAL) },
	{ "reqcerts-ok", reqcerts_ok, EACH(-EINVAL, 0) },
	{ "reqcerts-late", reqcerts_late, BOTH(-EINVAL) },
	{ "reqcerts-noinit", reqcerts_noinit, BOTH(-EINVAL) },
	{ "start-noinit", start_noinit, BOTH(-ENOTTY) },
	{ "start-ok", start_ok, BOTH(0) },
	{ "start-flags", start_flags, BOTH(-EINVAL) },
	{ "start-mbo", start_mbo, BOTH(-EINVAL) },
	{ "start-smt", start_smt, EACH_FW(-EINVAL, ANY, -EIO, 7) },
	{ "start-smt (SMT off)", start_smt_off, EACH(-EINVAL, 0) },
	{ "start-ss", start_ss, EACH(-EINVAL, 0) },
	{ "start-migma", start_migma, BOTH(-EINVAL) },
	{ "start-hi", start_hi, BOTH(-EINVAL) },
	{ "start-twice", start_twice, BOTH(-EINVAL) },
	{ "start-badfd", start_badfd, BOTH_FW(-ENOTTY, 0) },
	{ "start-fwfail", start_fwfail, BOTH_FW(-EIO, 0x17) },
	{ "fin-noinit", fin_noinit, BOTH(-ENOTTY) },
	{ "fin-nostart", fin_nostart, BOTH(-EINVAL) },
	{ "fin-flags", fin_flags, BOTH(-EINVAL) },
	{ "fin-ok", fin_ok, BOTH(0) },
	{ "fin-ok (ID block)", fin_idok, BOTH_FW(0, 0) },
	{ "fin-debug", fin_debug, BOTH(-EINVAL) },
	{ "fin-idptr", fin_idptr, BOTH(-EINVAL) },
	{ "fin-badmeas", fin_badmeas, BOTH_FW(-EIO, 0xb) },
	{ "fin-badsig", fin_badsig, BOTH_FW(-EIO, 0xa) },
	{ "fin-badpolicy", fin_badpolicy, BOTH_FW(-EIO, 7) },
	{ "fin-twice", fin_twice, BOTH(-EINVAL) },
	{ "fin-twice-0vcpu", fin_twice_0vcpu, BOTH_FW(-EIO, 2) },
	{ "upd-after-fin", upd_after_fin, BOTH_FW(-EIO, 2) },
	{ "regs-after-fin", regs_after_fin, BOTH(-EINVAL) },
	{ "prefault-early", prefault_early, BOTH(-EOPNOTSUPP) },
	{ "run-noinit", run_noinit, BOTH(-EINVAL) },
	{ "sevfd-close", sevfd_close, BOTH(-EBADF) },
};

const unsigned int sim_cases_launch_count =
	sizeof(sim_cases_launch) / sizeof(sim_cases_launch[0]);
