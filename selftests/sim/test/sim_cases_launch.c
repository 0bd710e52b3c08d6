// SPDX-License-Identifier: GPL-2.0
/*
 * Cases of a launch: the commands in their order. LAUNCH_UPDATE: what is refused, what comes
 * back as EIO, what is done in part.
 */
#include <fcntl.h>
#include <openssl/evp.h>

#include "snp/id_block.h"
#include "sim_cases.h"
#include "test_key.h"
#include "ksft.h"

#define POLICY UINT64_C(0x30000)
#define NORMAL 1
#define ZERO 3
#define CPUID 6

/* A command without data */
static int op(struct world *world)
{
	return world_op(world, (uint32_t)world->args[0], NULL);
}

static int legacy_cmd(struct world *world)
{
	int rc = 0;

	for (uint32_t id = 0; id < 100; id++)
		rc = world_agree(world, world_op(world, id, NULL));
	return rc;
}

static void inited_vcpu(struct world *world)
{
	world_inited(world);
	world_vcpu(world);
}

/* With a policy, or with each of two */
static int start(struct world *world)
{
	int rc = world_agree(world, world_start(world, world->args[0]));

	return world->args[1] ? world_agree(world, world_start(world, world->args[1])) : rc;
}

static int start_flags(struct world *world)
{
	struct snp_kvm_launch_start start = { .policy = POLICY, .flags = 1 };

	return world_op(world, SNP_KVM_LAUNCH_START, &start);
}

static void smt_off(struct world *world)
{
	world->host.no_smt = true;
	world_inited(world);
}

static int start_badfd(struct world *world)
{
	int sev = world->sev;

	world->sev = -1;
	world_agree(world, world_start(world, POLICY));
	world->sev = world->kvm;
	world_agree(world, world_start(world, POLICY));
	world->sev = sev;
	world_close(world, sev);
	return world_agree(world, world_start(world, POLICY));
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

static int fin_flags(struct world *world)
{
	struct snp_kvm_launch_finish finish = { .flags = 1 };

	return world_op(world, SNP_KVM_LAUNCH_FINISH, &finish);
}

static int fin_debug(struct world *world)
{
	struct kvm_guest_debug debug = { .control = KVM_GUESTDBG_ENABLE };

	EXPECT_FALSE(world_ioctl(world, world->vcpu, KVM_SET_GUEST_DEBUG, &debug));
	return world_finish(world);
}

static int fin_idptr(struct world *world)
{
	struct snp_kvm_launch_finish finish = { .id_block_en = 1 };
	int rc = world_op(world, SNP_KVM_LAUNCH_FINISH, &finish);

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

/* With an ID block; what is wrong of it: bits of the digest, of the policy, of the signature */
static int fin_id(struct world *world)
{
	struct snp_id_block block = { .version = 1, .policy = POLICY | world->args[1] };
	EVP_PKEY *key = test_key(TEST_ID_KEY);
	struct snp_id_auth auth;
	struct snp_kvm_launch_finish finish = {
		.id_block_uaddr = (uint64_t)&block, .id_block_en = 1,
		.id_auth_uaddr = (uint64_t)&auth,
	};
	struct error error;

	predict(world, block.digest);
	block.digest[47] ^= (uint8_t)world->args[0];
	EXPECT_FALSE(snp_id_auth_create(&auth, &block, key, NULL, &error));
	auth.id_block_signature[0] ^= (uint8_t)world->args[2];
	EVP_PKEY_free(key);
	world_ready(world);
	return world_op(world, SNP_KVM_LAUNCH_FINISH, &finish);
}

static int fin_twice_0vcpu(struct world *world)
{
	EXPECT_FALSE(world_finish(world));
	return world_finish(world);
}

static int regs_after_fin(struct world *world)
{
	static const unsigned long requests[] = {
		KVM_GET_REGS, KVM_SET_REGS, KVM_GET_SREGS, KVM_SET_SREGS,
		KVM_GET_FPU, KVM_SET_FPU, KVM_GET_XSAVE, KVM_SET_XSAVE,
		KVM_SET_XCRS,
	};
	uint8_t buffer[4096] = { 0 };
	int rc = 0;

	for (int i = 0; i < 8; i += 2)
		EXPECT_FALSE(world_ioctl(world, world->vcpu, requests[i], buffer));
	EXPECT_FALSE(world_finish(world));
	for (int i = 0; i < 9; i++)
		rc = world_agree(world, world_ioctl(world, world->vcpu, requests[i], buffer));
	return rc;
}

static int prefault_early(struct world *world)
{
	uint64_t range[8] = { 0, WORLD_PAGE };

	return world_ioctl(world, world->vcpu, KVM_PRE_FAULT_MEMORY, range);
}

static int run(struct world *world)
{
	return world_ioctl(world, world->vcpu, KVM_RUN, NULL);
}

static int sevfd_close(struct world *world)
{
	int first = world->sev;

	world->sev = world_open(world, SNP_DEVICE_PATH, O_RDWR);
	EXPECT_GE(world->sev, 0);
	EXPECT_NE(world->sev, first);
	EXPECT_FALSE(world_close(world, first));
	return world_finish(world);
}

static void inited_memory(struct world *world)
{
	world_inited(world);
	world_memory(world);
}

/* Page frame, pages */
static int update(struct world *world)
{
	return world_update(world, NORMAL, world->args[0], world->args[1]);
}

/* Bytes, flags */
static int update_raw(struct world *world)
{
	world->update = (struct snp_kvm_launch_update){
		.uaddr = (uint64_t)world->source, .len = world->args[0], .type = NORMAL,
		.flags = (uint16_t)world->args[1],
	};
	return world_update_again(world);
}

static int upd_type0(struct world *world)
{
	static const uint8_t types[] = { 0, 2, 7, 255 };
	int rc = 0;

	for (int i = 0; i < 4; i++)
		rc = world_agree(world, world_update(world, types[i], 0, 1));
	return rc;
}

static int update_from(struct world *world, uint8_t type, const void *source)
{
	world->update = (struct snp_kvm_launch_update){
		.uaddr = (uint64_t)source, .len = WORLD_PAGE, .type = type,
	};
	return world_update_again(world);
}

static int upd_uaddr0(struct world *world)
{
	return update_from(world, NORMAL, NULL);
}

static int upd_uaddralign(struct world *world)
{
	return update_from(world, NORMAL, world->source + 8);
}

static int upd_zero_uaddr(struct world *world)
{
	void *garbage = (void *)0x1234567;
	int rc = update_from(world, ZERO, garbage);

	EXPECT_EQ(world->update.uaddr, (uint64_t)garbage);
	EXPECT_EQ(world->update.gfn_start, 1);
	EXPECT_FALSE(world->update.len);
	return rc;
}

static int upd_noslot(struct world *world)
{
	struct kvm_userspace_memory_region region = {
		.slot = 1, .guest_phys_addr = 0x100000,
		.memory_size = WORLD_PAGE,
		.userspace_addr = (uint64_t)world->source,
	};

	EXPECT_FALSE(world_ioctl(world, world->vm, KVM_SET_USER_MEMORY_REGION, &region));
	world_agree(world, world_update(world, NORMAL, 0x999, 1));
	world_agree(world, world_update(world, NORMAL, 0x100, 1));
	return world_agree(world, world_update(world, NORMAL, UINT64_MAX, 1));
}

static int upd_partpriv(struct world *world)
{
	int rc = world_update(world, NORMAL, WORLD_PRIVATE - 3, 8);

	EXPECT_EQ(world->update.gfn_start, WORLD_PRIVATE);
	EXPECT_EQ(world->update.uaddr, (uint64_t)world->source + 3 * WORLD_PAGE);
	EXPECT_EQ(world->update.len, 5 * WORLD_PAGE);
	EXPECT_EQ(world_update_again(world), -EIO);
	EXPECT_FALSE(world->cmd.error);
	EXPECT_EQ(world->update.len, 5 * WORLD_PAGE);
	return rc;
}

static int upd_slotend(struct world *world)
{
	int rc;

	EXPECT_FALSE(world_attributes(world, 0, 2 * WORLD_PAGES * WORLD_PAGE,
				      KVM_MEMORY_ATTRIBUTE_PRIVATE, 0));
	rc = world_update(world, NORMAL, WORLD_PAGES - 2, 6);
	EXPECT_EQ(world->update.gfn_start, WORLD_PAGES);
	EXPECT_EQ(world->update.len, 4 * WORLD_PAGE);
	/* The next call is for the next slot, if there is one. */
	EXPECT_EQ(world_update_again(world), -EINVAL);
	return rc;
}

static int upd_again(struct world *world)
{
	EXPECT_FALSE(world_update(world, NORMAL, 2, 1));
	return world_update(world, NORMAL, 2, 1);
}

static int upd_signal(struct world *world)
{
	int rc;

	world_fail(world, SIM_SIGNAL, 1, 0);
	world_ready(world);
	rc = world_update(world, NORMAL, 0, 1);
	EXPECT_FALSE(world_update(world, NORMAL, 0, 1));
	world->cmd.error = 0;
	return rc;
}

/* Type of page, protection of the source */
static int update_from_mapping(struct world *world)
{
	void *page = mmap(NULL, WORLD_PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int rc;

	EXPECT_NE(page, MAP_FAILED);
	EXPECT_FALSE(mprotect(page, WORLD_PAGE, (int)world->args[1]));
	rc = update_from(world, (uint8_t)world->args[0], page);
	munmap(page, WORLD_PAGE);
	return rc;
}

static int upd_badfd(struct world *world)
{
	int sev = world->sev;

	world->sev = world->kvm;
	world_agree(world, world_update(world, NORMAL, 0, 1));
	EXPECT_FALSE(world->cmd.error);
	world->sev = sev;
	EXPECT_FALSE(world_close(world, sev));
	return world_agree(world, world_update(world, NORMAL, 0, 1));
}

static int upd_cpuid(struct world *world)
{
	struct snp_cpuid_page *page = (void *)world->source;
	int rc;

	memset(page, 0, sizeof(*page));
	page->count = 2;
	page->entries[0] = (struct snp_cpuid_entry){
		.eax_in = 1, .eax = 0x800f12, .ecx = 1 << 24 | 1 << 5,
	};
	page->entries[1] = (struct snp_cpuid_entry){ .eax_in = 2, .ebx = 42 };
	rc = world_update(world, CPUID, 1, 1);
	/* Nothing has moved, but the firmware's values are in the source. */
	EXPECT_EQ(world->update.gfn_start, 1);
	EXPECT_EQ(world->update.len, WORLD_PAGE);
	EXPECT_EQ(page->entries[0].ecx, 1 << 5);
	EXPECT_EQ(page->entries[0].eax, 0x800f12);
	EXPECT_EQ(page->entries[1].ebx, 42);
	EXPECT_EQ(world->cmd.error, SNP_FW_INVALID_PARAM);
	EXPECT_FALSE(world_update_again(world));
	world->cmd.error = SNP_FW_INVALID_PARAM;
	return rc;
}

static int upd_fwfail(struct world *world)
{
	int rc;

	world_fail(world, SIM_UPDATE, 4, 0x17);
	/* It shows with the next call, if the firmware still means it. */
	world_fail(world, SIM_UPDATE, 5, 0x17);
	world_ready(world);
	rc = world_update(world, NORMAL, 0, 6);
	EXPECT_FALSE(world->cmd.error);
	EXPECT_EQ(world->update.gfn_start, 3);
	EXPECT_EQ(world->update.len, 3 * WORLD_PAGE);
	EXPECT_EQ(world_update_again(world), -EIO);
	EXPECT_EQ(world->cmd.error, 0x17);
	EXPECT_FALSE(world_update_again(world));
	EXPECT_FALSE(world->update.len);
	return rc;
}

/* No path of either kernel does it, but it is documented. */
static int upd_eagain(struct world *world)
{
	int rc;

	world_fail(world, SIM_AGAIN, 1, 0);
	world_ready(world);
	rc = world_update(world, NORMAL, 0, 2);
	EXPECT_EQ(world->update.len, 2 * WORLD_PAGE);
	EXPECT_FALSE(world_update_again(world));
	EXPECT_FALSE(world->update.len);
	return rc;
}

#define REQ_CERTS { SNP_KVM_ENABLE_REQ_CERTS }

const struct sim_case sim_cases_launch[] = {
	{ "legacy-cmd", world_inited, legacy_cmd, {}, BOTH(-EPERM) },
	{ "unknown-cmd", world_inited, op, { 104 }, BOTH(-EINVAL) },
	{ "reqcerts-ok", world_inited, op, REQ_CERTS, EACH(-EINVAL, 0) },
	{ "reqcerts-late", inited_vcpu, op, REQ_CERTS, BOTH(-EINVAL) },
	{ "reqcerts-noinit", world_vm, op, REQ_CERTS, BOTH(-EINVAL) },
	{ "start-noinit", world_vm, start, { POLICY }, BOTH(-ENOTTY) },
	{ "start-ok", world_inited, start, { POLICY }, BOTH(0) },
	{ "start-flags", world_inited, start_flags, {}, BOTH(-EINVAL) },
	{ "start-mbo", world_inited, start, { 0, 0x10000 }, BOTH(-EINVAL) },
	{ "start-smt", world_inited, start, { 0x20000 }, EACH_FW(-EINVAL, ANY, -EIO, 7) },
	/* The same on a host that has switched SMT off. */
	{ "start-smt (SMT off)", smt_off, start, { 0x20000 }, EACH(-EINVAL, 0) },
	{ "start-ss", world_inited, start, { POLICY | 1 << 20 }, EACH(-EINVAL, 0) },
	{ "start-migma", world_inited, start, { POLICY | 1 << 18 }, BOTH(-EINVAL) },
	{ "start-hi", world_inited, start, { POLICY | 1 << 26, POLICY | UINT64_C(1) << 63 },
	  BOTH(-EINVAL) },
	{ "start-twice", world_started, start, { POLICY }, BOTH(-EINVAL) },
	{ "start-badfd", world_inited, start_badfd, {}, BOTH_FW(-ENOTTY, 0) },
	{ "start-fwfail", NULL, start_fwfail, {}, BOTH_FW(-EIO, 0x17) },
	{ "fin-noinit", world_vm, world_finish, {}, BOTH(-ENOTTY) },
	{ "fin-nostart", world_inited, world_finish, {}, BOTH(-EINVAL) },
	{ "fin-flags", world_ready, fin_flags, {}, BOTH(-EINVAL) },
	{ "fin-ok", world_ready, world_finish, {}, BOTH(0) },
	/* Not one of the errors: a good ID block is taken. */
	{ "fin-ok (ID block)", NULL, fin_id, {}, BOTH_FW(0, 0) },
	{ "fin-debug", world_ready, fin_debug, {}, BOTH(-EINVAL) },
	{ "fin-idptr", world_ready, fin_idptr, {}, BOTH(-EINVAL) },
	{ "fin-badmeas", NULL, fin_id, { 1, 0, 0 }, BOTH_FW(-EIO, 0xb) },
	{ "fin-badsig", NULL, fin_id, { 0, 0, 1 }, BOTH_FW(-EIO, 0xa) },
	{ "fin-badpolicy", NULL, fin_id, { 0, 1 << 19, 0 }, BOTH_FW(-EIO, 7) },
	{ "fin-twice", world_finished, world_finish, {}, BOTH(-EINVAL) },
	{ "fin-twice-0vcpu", world_started, fin_twice_0vcpu, {}, BOTH_FW(-EIO, 2) },
	{ "upd-after-fin", world_finished, update, { 0, 1 }, BOTH_FW(-EIO, 2) },
	{ "regs-after-fin", world_ready, regs_after_fin, {}, BOTH(-EINVAL) },
	{ "prefault-early", world_ready, prefault_early, {}, BOTH(-EOPNOTSUPP) },
	{ "run-noinit", world_vcpu, run, {}, BOTH(-EINVAL) },
	{ "sevfd-close", world_ready, sevfd_close, {}, BOTH(-EBADF) },
	{ "upd-nostart", inited_memory, update, { 0, 1 }, BOTH(-EINVAL) },
	{ "upd-len0", world_ready, update, { 0, 0 }, EACH(0, -EINVAL) },
	{ "upd-lenalign", world_ready, update_raw, { 100, 0 }, BOTH(-EINVAL) },
	{ "upd-flags", world_ready, update_raw, { WORLD_PAGE, 1 }, BOTH(-EINVAL) },
	{ "upd-type0", world_ready, upd_type0, {}, BOTH(-EINVAL) },
	{ "upd-uaddr0", world_ready, upd_uaddr0, {}, EACH_FW(-EIO, 0, -EINVAL, ANY) },
	{ "upd-uaddralign", world_ready, upd_uaddralign, {}, EACH(0, -EINVAL) },
	{ "upd-zero-uaddr", world_ready, upd_zero_uaddr, {}, BOTH(0) },
	{ "upd-noslot", world_ready, upd_noslot, {}, BOTH(-EINVAL) },
	{ "upd-shared", world_ready, update, { WORLD_PRIVATE, 1 }, BOTH_FW(-EIO, 0) },
	{ "upd-partpriv", world_ready, upd_partpriv, {}, BOTH(0) },
	{ "upd-slotend", world_ready, upd_slotend, {}, BOTH(0) },
	{ "upd-again", world_ready, upd_again, {}, BOTH_FW(-EIO, 0) },
	{ "upd-signal", NULL, upd_signal, {}, BOTH_FW(-EIO, 0) },
	{ "upd-badsrc", world_ready, update_from_mapping, { NORMAL, PROT_NONE },
	  BOTH_FW(-EIO, 0) },
	{ "upd-badfd", world_ready, upd_badfd, {}, BOTH_FW(-EIO, 0) },
	{ "upd-cpuid", world_ready, upd_cpuid, {}, BOTH_FW(-EIO, 0x16) },
	{ "upd-cpuid-ro", world_ready, update_from_mapping, { CPUID, PROT_READ },
	  EACH_FW(0, ANY, -EIO, 0) },
	{ "upd-fwfail", NULL, upd_fwfail, {}, BOTH(0) },
	{ "upd-eagain", NULL, upd_eagain, {}, BOTH(-EAGAIN) },
};

const unsigned int sim_cases_launch_count =
	sizeof(sim_cases_launch) / sizeof(sim_cases_launch[0]);
