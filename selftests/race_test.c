// SPDX-License-Identifier: GPL-2.0
/*
 * After CONVERT to private has returned, no access succeeds, in any race with the
 * conversion.
 */
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "hold.h"
#include "ksft.h"
#include "kvm_utils.h"
#include "race.h"

#define LENGTH (16 * PAGE)

/* A new page fault for each load, with fault-around. */
static int attack_refault(struct race *r, uint8_t *p)
{
	madvise(r->p, LENGTH, MADV_DONTNEED);
	return gmem_try_read(p, NULL);
}

static int attack_populate(struct race *r __ksft_unused, uint8_t *p)
{
	return madvise(p, PAGE, MADV_POPULATE_WRITE);
}

static int attack_process_vm(struct race *r __ksft_unused, uint8_t *p)
{
	uint8_t buf[16];
	struct iovec local = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct iovec remote = { .iov_base = p, .iov_len = sizeof(buf) };

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) < 0;
}

static int attack_vmsplice(struct race *r __ksft_unused, uint8_t *p)
{
	struct hold_pipe hold;
	int rc = hold_pipe_take(&hold, p, PAGE);

	if (!rc)
		hold_pipe_drop(&hold);
	return rc;
}

static void race(int (*attack)(struct race *r, uint8_t *p), bool store)
{
	struct race r = { .attack = attack, .length = LENGTH, .view = -1 };
	int memfd;

	r.fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	r.p = test_gmem_map(r.fd, 0, LENGTH);
	gmem_fill(r.p, 1, LENGTH);
	if (store) {
		memfd = kvm_create_guest_memfd(kvm_create_vm(), LENGTH, 0);
		ASSERT_GE(memfd, 0);
		test_gmem_bind(r.fd, 0, LENGTH, memfd, 0);
	}
	race_run(&r);
	expect_bytes(1, r.p, LENGTH);
}

TEST(load)
{
	race(race_load, false);
}

TEST(store)
{
	race(race_store, false);
}

TEST(refault)
{
	race(attack_refault, false);
}

TEST(populate)
{
	race(attack_populate, false);
}

TEST(process_vm)
{
	race(attack_process_vm, false);
}

TEST(vmsplice)
{
	race(attack_vmsplice, false);
}

TEST(system_call)
{
	race(race_write, false);
}

/* The same with pages that move to a store and back. */
TEST(refault_with_store)
{
	const char *why = kvm_store_unavailable();

	if (why)
		SKIP(return, "%s", why);
	race(attack_refault, true);
}

TEST(store_with_store)
{
	const char *why = kvm_store_unavailable();

	if (why)
		SKIP(return, "%s", why);
	race(race_store, true);
}

/* The contents of a page do not change while it is private. */
TEST(contents_stand_still)
{
	struct race r = { .attack = race_store, .length = LENGTH };
	struct gmem_task task = { 0 };
	uint64_t first, second;
	int i;

	r.fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	r.p = test_gmem_map(r.fd, 0, LENGTH);
	r.end_ms = ksft_now_ms() + 1000 + gmem_stress_seconds() * 60;
	ASSERT_EQ(0, gmem_task_start(&task, 1, race_attacker_main, &r));
	for (i = 0; i < 100 && ksft_now_ms() < r.end_ms; i++) {
		ASSERT_EQ(0, gmem_convert_wait(r.fd, 0, LENGTH, PRIVATE,
					       PRESERVE, 20000));
		first = __atomic_load_n(&r.succeeded, __ATOMIC_SEQ_CST);
		usleep(1000);
		second = __atomic_load_n(&r.succeeded, __ATOMIC_SEQ_CST);
		/* One store may have been made, but not counted yet. */
		EXPECT_LE(second - first, 1);
		test_gmem_convert(r.fd, 0, LENGTH, SHARED, PRESERVE);
	}
	r.end_ms = 0;
	gmem_task_join(&task);
}

KSFT_NEEDS_CPUS(2)
TEST_HARNESS_MAIN_IF(gmem_unavailable())
