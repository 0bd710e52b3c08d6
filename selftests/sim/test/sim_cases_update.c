// SPDX-License-Identifier: GPL-2.0
/* LAUNCH_UPDATE: what is refused, what comes back as EIO, what is done in part. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "sim_cases.h"
#include "ksft.h"

#define NORMAL 1
#define ZERO 3
#define CPUID 6

static int upd_nostart(struct world *world)
{
	world_inited(world);
	world_memory(world);
	return world_update(world, NORMAL, 0, 1);
}

static int upd_len0(struct world *world)
{
	world_ready(world);
	return world_update(world, NORMAL, 0, 0);
}

static int upd_lenalign(struct world *world)
{
	world_ready(world);
	world->update = (struct snp_kvm_launch_update){
		.uaddr = (uint64_t)world->source, .len = 100, .type = NORMAL,
	};
	return world_update_again(world);
}

static int upd_flags(struct world *world)
{
	world_ready(world);
	world->update = (struct snp_kvm_launch_update){
		.uaddr = (uint64_t)world->source, .len = WORLD_PAGE,
		.type = NORMAL, .flags = 1,
	};
	return world_update_again(world);
}

static int upd_type0(struct world *world)
{
	static const uint8_t types[] = { 0, 2, 7, 255 };
	int results[4];

	world_ready(world);
	for (int i = 0; i < 4; i++)
		results[i] = world_update(world, types[i], 0, 1);
	return sim_agree(results, 4);
}

static int update_from(struct world *world, uint8_t type, const void *source)
{
	world_ready(world);
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
	int results[3];

	world_ready(world);
	EXPECT_FALSE(world_ioctl(world, world->vm, KVM_SET_USER_MEMORY_REGION, &region));
	results[0] = world_update(world, NORMAL, 0x999, 1);
	results[1] = world_update(world, NORMAL, 0x100, 1);
	results[2] = world_update(world, NORMAL, UINT64_MAX, 1);
	return sim_agree(results, 3);
}

static int upd_shared(struct world *world)
{
	world_ready(world);
	return world_update(world, NORMAL, WORLD_PRIVATE, 1);
}

static int upd_partpriv(struct world *world)
{
	int rc;

	world_ready(world);
	rc = world_update(world, NORMAL, WORLD_PRIVATE - 3, 8);
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

	world_ready(world);
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
	world_ready(world);
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

static void *map_page(int protection)
{
	void *page = mmap(NULL, WORLD_PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_NE(page, MAP_FAILED);
	EXPECT_FALSE(mprotect(page, WORLD_PAGE, protection));
	return page;
}

static int update_from_mapping(struct world *world, uint8_t type,
			       int protection)
{
	void *page = map_page(protection);
	int rc = update_from(world, type, page);

	munmap(page, WORLD_PAGE);
	return rc;
}

static int upd_badsrc(struct world *world)
{
	return update_from_mapping(world, NORMAL, PROT_NONE);
}

static int upd_badfd(struct world *world)
{
	int results[2], sev;

	world_ready(world);
	sev = world->sev;
	world->sev = world->kvm;
	results[0] = world_update(world, NORMAL, 0, 1);
	EXPECT_FALSE(world->cmd.error);
	world->sev = sev;
	EXPECT_FALSE(world_close(world, sev));
	results[1] = world_update(world, NORMAL, 0, 1);
	return sim_agree(results, 2);
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
	world_ready(world);
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

static int upd_cpuid_ro(struct world *world)
{
	return update_from_mapping(world, CPUID, PROT_READ);
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

const struct sim_case sim_cases_update[] = {
	{ "upd-nostart", upd_nostart, BOTH(-EINVAL) },
	{ "upd-len0", upd_len0, EACH(0, -EINVAL) },
	{ "upd-lenalign", upd_lenalign, BOTH(-EINVAL) },
	{ "upd-flags", upd_flags, BOTH(-EINVAL) },
	{ "upd-type0", upd_type0, BOTH(-EINVAL) },
	{ "upd-uaddr0", upd_uaddr0, EACH_FW(-EIO, 0, -EINVAL, ANY) },
	{ "upd-uaddralign", upd_uaddralign, EACH(0, -EINVAL) },
	{ "upd-zero-uaddr", upd_zero_uaddr, BOTH(0) },
	{ "upd-noslot", upd_noslot, BOTH(-EINVAL) },
	{ "upd-shared", upd_shared, BOTH_FW(-EIO, 0) },
	{ "upd-partpriv", upd_partpriv, BOTH(0) },
	{ "upd-slotend", upd_slotend, BOTH(0) },
	{ "upd-again", upd_again, BOTH_FW(-EIO, 0) },
	{ "upd-signal", upd_signal, BOTH_FW(-EIO, 0) },
	{ "upd-badsrc", upd_badsrc, BOTH_FW(-EIO, 0) },
	{ "upd-badfd", upd_badfd, BOTH_FW(-EIO, 0) },
	{ "upd-cpuid", upd_cpuid, BOTH_FW(-EIO, 0x16) },
	{ "upd-cpuid-ro", upd_cpuid_ro, EACH_FW(0, ANY, -EIO, 0) },
	{ "upd-fwfail", upd_fwfail, BOTH(0) },
	{ "upd-eagain", upd_eagain, BOTH(-EAGAIN) },
};

const unsigned int sim_cases_update_count =
	sizeof(sim_cases_update) / sizeof(sim_cases_update[0]);
