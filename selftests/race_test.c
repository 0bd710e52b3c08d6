// SPDX-License-Identifier: GPL-2.0
/*
 * After CONVERT to private has returned, no access succeeds, however it races
 * with the conversion.
 *
 * One thread converts to and fro. It makes a sequence number odd when a
 * conversion to private has returned and even before it converts back. Attackers
 * on the other CPU access the pages by one path each: an access that succeeds
 * between two looks at the same odd number is a violation.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "hold.h"
#include "ksft.h"
#include "kvm_utils.h"

#define NR_PAGES 16
#define LENGTH (NR_PAGES * PAGE)

struct race {
	int fd;
	uint8_t *p;
	int (*attack)(struct race *r, uint8_t *p);
	uint64_t end_ms;
	volatile uint64_t sequence;
	uint64_t tried;
	uint64_t succeeded;
	uint64_t violations;
	int pipe[2];
};

static int attack_load(struct race *r __ksft_unused, uint8_t *p)
{
	return gmem_try_read(p, NULL);
}

static int attack_store(struct race *r __ksft_unused, uint8_t *p)
{
	return gmem_try_write(p, 1);
}

/* A fresh fault for each load: the fault-around path. */
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

static int attack_write(struct race *r, uint8_t *p)
{
	char byte;

	if (write(r->pipe[1], p, 1) != 1)
		return -1;
	return read(r->pipe[0], &byte, 1) != 1;
}

static void *attacker_main(void *arg)
{
	struct race *r = arg;
	uint64_t before, n = 0;
	int rc;

	while (ksft_now_ms() < r->end_ms) {
		before = __atomic_load_n(&r->sequence, __ATOMIC_SEQ_CST);
		rc = r->attack(r, r->p + n++ % NR_PAGES * PAGE);
		r->tried++;
		r->succeeded += !rc;
		if (!rc && before & 1 &&
		    before == __atomic_load_n(&r->sequence, __ATOMIC_SEQ_CST))
			r->violations++;
	}
	return NULL;
}

/* To private with all kinds of ranges and pauses, and back. */
static uint64_t convert_loop(struct race *r)
{
	uint64_t rng = ksft_seed(), conversions = 0;

	while (ksft_now_ms() < r->end_ms) {
		if (gmem_convert_wait(r->fd, 0, LENGTH, PRIVATE, PRESERVE,
				      20000))
			continue;
		__atomic_add_fetch(&r->sequence, 1, __ATOMIC_SEQ_CST);
		conversions++;
		if (gmem_rand(&rng) & 1)
			usleep(gmem_rand(&rng) & 511);
		__atomic_add_fetch(&r->sequence, 1, __ATOMIC_SEQ_CST);
		EXPECT_EQ(0, gmem_convert(r->fd, 0, LENGTH, SHARED, PRESERVE));
		if (gmem_rand(&rng) & 1)
			usleep(gmem_rand(&rng) & 511);
	}
	return conversions;
}

static void race(int (*attack)(struct race *r, uint8_t *p), bool store)
{
	struct race r = { .attack = attack };
	struct gmem_task task = { 0 };
	uint64_t conversions;
	int vm, memfd;

	r.fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	r.p = test_gmem_map(r.fd, 0, LENGTH);
	gmem_fill(r.p, 1, LENGTH);
	ASSERT_EQ(0, pipe2(r.pipe, O_NONBLOCK));
	if (store) {
		vm = kvm_create_vm();
		memfd = kvm_create_guest_memfd(vm, LENGTH, 0);
		ASSERT_GE(memfd, 0);
		test_gmem_bind(r.fd, 0, LENGTH, memfd, 0);
	}
	r.end_ms = ksft_now_ms() + 1000 + gmem_stress_seconds() * 60;
	gmem_pin_cpu(0);
	ASSERT_EQ(0, gmem_task_start(&task, 1, attacker_main, &r));
	conversions = convert_loop(&r);
	gmem_task_join(&task);
	TH_LOG("%llu conversions, %llu of %llu accesses succeeded",
	       (unsigned long long)conversions, (unsigned long long)r.succeeded,
	       (unsigned long long)r.tried);
	EXPECT_EQ(0, r.violations);
	EXPECT_GT(conversions, 0);
	EXPECT_GT(r.succeeded, 0);
	EXPECT_LT(r.succeeded, r.tried);
	test_gmem_convert(r.fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes(1, r.p, LENGTH);
}

TEST(load)
{
	race(attack_load, false);
}

TEST(store)
{
	race(attack_store, false);
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
	race(attack_write, false);
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
	race(attack_store, true);
}

/* Nothing is written to a page while it is private: contents stand still. */
TEST(contents_stand_still)
{
	struct race r = { .attack = attack_store };
	struct gmem_task task = { 0 };
	uint64_t first, second;
	int i;

	r.fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	r.p = test_gmem_map(r.fd, 0, LENGTH);
	r.end_ms = ksft_now_ms() + 1000 + gmem_stress_seconds() * 60;
	ASSERT_EQ(0, gmem_task_start(&task, 1, attacker_main, &r));
	for (i = 0; i < 100 && ksft_now_ms() < r.end_ms; i++) {
		ASSERT_EQ(0, gmem_convert_wait(r.fd, 0, LENGTH, PRIVATE,
					       PRESERVE, 20000));
		first = __atomic_load_n(&r.succeeded, __ATOMIC_SEQ_CST);
		usleep(1000);
		second = __atomic_load_n(&r.succeeded, __ATOMIC_SEQ_CST);
		/* One store may have been done and not counted yet. */
		EXPECT_LE(second - first, 1);
		test_gmem_convert(r.fd, 0, LENGTH, SHARED, PRESERVE);
	}
	r.end_ms = 0;
	gmem_task_join(&task);
}

KSFT_NEEDS_CPUS(2)
TEST_HARNESS_MAIN_IF(gmem_unavailable())
