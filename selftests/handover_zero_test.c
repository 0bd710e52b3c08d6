// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of an encrypted guest, like SNP: pages change their state without their
 * contents. Private pages are in the gmem fd itself, or in a store of the mock
 * hypervisor, like in KVM's guest_memfd. The mock keeps an RMP, which records the frames
 * of guests. A guest has to give back a frame before it gets another user, and no page
 * may exist on both sides; otherwise the mock counts a violation.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cgroup.h"
#include "gmem_utils.h"
#include "hold.h"
#include "ksft.h"
#include "mock.h"

#define NR_PAGES 64
#define LENGTH (NR_PAGES * PAGE)
#define GPA 0x100000000ULL
#define AT(page) (GPA + (page) * PAGE)
#define ROUNDS 100
#define COST_LENGTH (4 * SZ_2M)
#define COST_REST (SZ_2M / 2)		/* charged early or late, and page tables */

FIXTURE(encrypted) {
	uint32_t flags;
	int vm;
	int fd;
	uint8_t *p;
};

FIXTURE_SETUP(encrypted)
{
}

FIXTURE_TEARDOWN(encrypted)
{
}

typedef void (*guest_fn)(struct encrypted_data *self);

static void run_guest(struct encrypted_data *self, uint32_t flags, guest_fn fn)
{
	self->flags = GMEM_TEST_BIND_F_ENCRYPTED | flags;
	self->vm = test_mock_create();
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	test_mock_bind(self->vm, GPA, self->fd, 0, LENGTH, self->flags);
	fn(self);
	expect_mock_kept(self->vm);
	munmap(self->p, LENGTH);
	close(self->vm);
	close(self->fd);
}

/* Define a test of each kind of guest */
#define TEST_BOTH(name)							\
	static void name(struct encrypted_data *self);			\
	TEST_F(encrypted, name##_resident)				\
	{								\
		run_guest(self, 0, name);				\
	}								\
	TEST_F(encrypted, name##_store)					\
	{								\
		run_guest(self, GMEM_TEST_BIND_F_STORE, name);		\
	}								\
	static void name(struct encrypted_data *self)

/* A page is in one place or in none, never in two. */
static void expect_once(struct encrypted_data *self)
{
	struct gmem_ioctl_stat stat;

	test_gmem_stat(self->fd, &stat);
	EXPECT_LE(stat.resident_pages + stat.store_pages,
		  (unsigned long long)NR_PAGES);
}

/* Expect this number of private pages with memory, in the fd or in the store. */
static void expect_private(struct encrypted_data *self, unsigned long long pages)
{
	struct gmem_ioctl_stat stat;

	test_gmem_stat(self->fd, &stat);
	if (self->flags & GMEM_TEST_BIND_F_STORE)
		EXPECT_EQ(pages, stat.store_pages);
	else
		EXPECT_EQ(0ULL, stat.store_pages);
}

/*
 * A launch: the host's contents are dropped, and the guest gets its contents from
 * elsewhere.
 */
TEST_BOTH(launch)
{
	memset(self->p, 'H', LENGTH);
	test_gmem_convert(self->fd, 4 * PAGE, 8 * PAGE, PRIVATE, ZERO);
	expect_sigbus(self->p + 4 * PAGE);
	EXPECT_EQ(NR_PAGES - 8, gmem_populated(self->fd, 0, LENGTH));
	expect_guest(0, self->vm, AT(4), 8 * PAGE);
	test_mock_fill(self->vm, AT(4), 8 * PAGE, 'G');
	expect_guest('G', self->vm, AT(4), 8 * PAGE);
	expect_guest('H', self->vm, AT(12), PAGE);
	expect_private(self, 8);
	expect_once(self);
}

/*
 * Pages are converted in both directions many times: neither side sees contents of the
 * other one.
 */
TEST_BOTH(exchange)
{
	for (int i = 0; i < 8; i++) {
		memset(self->p, 'H', LENGTH);
		test_mock_convert(self->vm, GPA, LENGTH, PRIVATE, ZERO);
		expect_guest(0, self->vm, GPA, LENGTH);
		test_mock_fill(self->vm, GPA, LENGTH, 'G');
		expect_private(self, NR_PAGES);
		expect_once(self);
		test_mock_convert(self->vm, GPA, LENGTH, SHARED, ZERO);
		expect_private(self, 0);
		expect_bytes(0, self->p, LENGTH);
		expect_once(self);
	}
}

/* Frames that one guest gives back are soon used by another one. */
TEST_BOTH(two_guests)
{
	int vm = test_mock_create();
	int fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);

	test_mock_bind(vm, GPA, fd, 0, LENGTH, self->flags);
	for (int i = 0; i < 8; i++) {
		test_mock_convert(self->vm, GPA, LENGTH, PRIVATE, ZERO);
		test_mock_fill(self->vm, GPA, LENGTH, 'A');
		test_mock_convert(self->vm, GPA, LENGTH, SHARED, ZERO);
		test_mock_convert(vm, GPA, LENGTH, PRIVATE, ZERO);
		expect_guest(0, vm, GPA, LENGTH);
		test_mock_fill(vm, GPA, LENGTH, 'B');
		expect_bytes(0, self->p, LENGTH);
		test_mock_convert(vm, GPA, LENGTH, SHARED, ZERO);
	}
	expect_mock_kept(vm);
	close(vm);
	close(fd);
}

/* With a VMM that discards, a pinned page would exist twice. Here the conversion waits. */
TEST_BOTH(held)
{
	struct hold_pipe pipe;

	memset(self->p, 'H', LENGTH);
	ASSERT_EQ(0, hold_pipe_take(&pipe, self->p + 5 * PAGE, PAGE));
	test_err_mock_convert(EAGAIN, self->vm, GPA, LENGTH, PRIVATE, ZERO);
	expect_state(SHARED, self->fd, 5 * PAGE);
	expect_bytes('H', self->p, LENGTH);
	expect_once(self);
	hold_pipe_drop(&pipe);
	test_mock_convert(self->vm, GPA, LENGTH, PRIVATE, ZERO);
	expect_guest(0, self->vm, GPA, LENGTH);
}

/* Contents that only the guest can read cannot be preserved in either direction. */
TEST_BOTH(preserve)
{
	memset(self->p, 'H', LENGTH);
	test_err_mock_convert(EOPNOTSUPP, self->vm, GPA, PAGE, PRIVATE,
			      PRESERVE);
	test_err_gmem_convert(EOPNOTSUPP, self->fd, 0, LENGTH, PRIVATE,
			      PRESERVE);
	expect_state(SHARED, self->fd, 0);
	expect_bytes('H', self->p, LENGTH);
	test_mock_convert(self->vm, GPA, PAGE, PRIVATE, ZERO);
	test_mock_fill(self->vm, GPA, PAGE, 'G');
	test_err_mock_convert(EOPNOTSUPP, self->vm, GPA, PAGE, SHARED, PRESERVE);
	test_err_gmem_convert(EOPNOTSUPP, self->fd, 0, PAGE, SHARED, PRESERVE);
	expect_guest('G', self->vm, GPA, PAGE);
	expect_sigbus(self->p);
}

/* The hypervisor refuses some or all pages: the host still has them. */
TEST_BOTH(refused_private)
{
	memset(self->p, 'H', LENGTH);
	ASSERT_EQ(0, mock_fail(self->vm, GMEM_TEST_MAKE_PRIVATE, 1, EIO, 3));
	test_err_mock_convert(EIO, self->vm, GPA, 8 * PAGE, PRIVATE, ZERO);
	expect_state(SHARED, self->fd, 0);
	expect_bytes('H', self->p, LENGTH);
	expect_guest('H', self->vm, GPA, LENGTH);
	expect_private(self, 0);
	test_mock_convert(self->vm, GPA, 8 * PAGE, PRIVATE, ZERO);
	expect_guest(0, self->vm, GPA, 8 * PAGE);
}

/* The hypervisor keeps some or all pages: the guest still has them. */
TEST_BOTH(refused_shared)
{
	test_mock_convert(self->vm, GPA, 8 * PAGE, PRIVATE, ZERO);
	test_mock_fill(self->vm, GPA, 8 * PAGE, 'G');
	ASSERT_EQ(0, mock_fail(self->vm, GMEM_TEST_MAKE_SHARED, 1, EIO, 3));
	test_err_mock_convert(EIO, self->vm, GPA, 8 * PAGE, SHARED, ZERO);
	expect_state(PRIVATE, self->fd, 0);
	expect_sigbus(self->p);
	expect_guest('G', self->vm, GPA, 8 * PAGE);
	expect_private(self, 8);
	test_mock_convert(self->vm, GPA, 8 * PAGE, SHARED, ZERO);
	expect_bytes(0, self->p, 8 * PAGE);
}

/* The VMM frees memory of the guest: first the guest loses it. */
TEST_BOTH(punched)
{
	test_mock_convert(self->vm, GPA, LENGTH, PRIVATE, ZERO);
	test_mock_fill(self->vm, GPA, LENGTH, 'G');
	test_gmem_punch(self->fd, 2 * PAGE, 4 * PAGE);
	expect_private(self, NR_PAGES - 4);
	expect_guest(0, self->vm, AT(2), 4 * PAGE);
	expect_guest('G', self->vm, AT(6), PAGE);
	expect_state(PRIVATE, self->fd, 2 * PAGE);
	ASSERT_EQ(0, mock_fail(self->vm, GMEM_TEST_MAKE_SHARED, 1, EIO, 1));
	test_err_gmem_punch(EIO, self->fd, 8 * PAGE, 4 * PAGE);
	expect_guest('G', self->vm, AT(8), 4 * PAGE);
}

/* Committed memory belongs to the guest only after the guest has got it. */
TEST_BOTH(committed)
{
	test_mock_convert(self->vm, GPA, LENGTH, PRIVATE, ZERO);
	test_gmem_commit(self->fd, 0, LENGTH);
	expect_private(self, NR_PAGES);
	expect_guest(0, self->vm, GPA, 8 * PAGE);
	test_mock_convert(self->vm, GPA, LENGTH, SHARED, ZERO);
	expect_private(self, 0);
	expect_bytes(0, self->p, LENGTH);
}

/* After the VM has ended, private pages in the fd are not readable, and can be used again. */
TEST_BOTH(unbound)
{
	test_mock_convert(self->vm, GPA, LENGTH, PRIVATE, ZERO);
	test_mock_fill(self->vm, GPA, LENGTH, 'G');
	test_mock_unbind(self->vm, GPA);
	expect_sigbus(self->p);
	expect_private(self, 0);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, ZERO);
	expect_bytes(0, self->p, LENGTH);
	test_mock_bind(self->vm, GPA, self->fd, 0, LENGTH, self->flags);
	test_mock_convert(self->vm, GPA, LENGTH, PRIVATE, ZERO);
	expect_guest(0, self->vm, GPA, LENGTH);
}

/* Random ranges in random order; each side finds what it has written last. */
TEST_BOTH(any_order)
{
	uint8_t bytes[NR_PAGES] = { 0 }, states[NR_PAGES];

	memset(states, SHARED, sizeof(states));
	for (int i = 0; i < ROUNDS; i++) {
		unsigned int page = (unsigned int)rand() % NR_PAGES;
		unsigned int count = 1 + (unsigned int)rand() % 8;
		uint8_t target = rand() % 2 ? PRIVATE : SHARED;

		if (count > NR_PAGES - page)
			count = NR_PAGES - page;
		test_mock_convert(self->vm, AT(page), count * PAGE, target, ZERO);
		for (unsigned int at = page; at < page + count; at++) {
			if (states[at] != target)
				bytes[at] = 0;
			states[at] = target;
			expect_guest(bytes[at], self->vm, AT(at), PAGE);
			bytes[at] = (uint8_t)(1 + rand() % 255);
			test_mock_fill(self->vm, AT(at), PAGE, bytes[at]);
		}
		expect_once(self);
	}
	for (unsigned int at = 0; at < NR_PAGES; at++)
		if (states[at] == SHARED)
			expect_bytes(bytes[at], self->p + at * PAGE, PAGE);
		else
			expect_sigbus(self->p + at * PAGE);
}

/* BIND cannot move private contents of the fd into a store that encrypts. */
TEST_F(encrypted, bind)
{
	uint32_t flags = GMEM_TEST_BIND_F_ENCRYPTED | GMEM_TEST_BIND_F_STORE;
	int vm = test_mock_create();
	int fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);

	test_err_mock_bind(EINVAL, vm, GPA, fd, 0, LENGTH, GMEM_TEST_BIND_F_STORE);
	/* The first of two private runs has no memory, so nothing has to be undone there. */
	test_gmem_convert(fd, 0, 4 * PAGE, PRIVATE, ZERO);
	test_gmem_convert(fd, 8 * PAGE, 4 * PAGE, PRIVATE, ZERO);
	test_gmem_commit(fd, 8 * PAGE, PAGE);
	test_err_mock_bind(EOPNOTSUPP, vm, GPA, fd, 0, LENGTH, flags);
	test_gmem_punch(fd, 8 * PAGE, PAGE);
	test_mock_bind(vm, GPA, fd, 0, LENGTH, flags);
	expect_guest(0, vm, AT(8), 4 * PAGE);
	expect_mock_kept(vm);
	close(vm);
	close(fd);
}

/**
 * struct cost - the memory that a guest uses, in bytes
 * @shared: while all of it is shared, and pinned by a device
 * @pinned: after conversion to private and use by the guest, still pinned
 * @released: after the pin was released
 */
struct cost {
	struct cgroup cg;
	long long start;
	long long shared;
	long long pinned;
	long long released;
};

static long long cost_now(const struct cost *cost)
{
	return cgroup_read(&cost->cg, "memory.current") - cost->start;
}

/* Share and pin all of it, like VFIO. */
static uint8_t *cost_start(struct cost *cost, int fd, struct hold_uring *u)
{
	uint8_t *p = mmap(NULL, COST_LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED,
			  fd, 0);

	ASSERT_NE(MAP_FAILED, p);
	cost->start = cgroup_read(&cost->cg, "memory.current");
	memset(p, 'H', COST_LENGTH);
	ASSERT_EQ(0, hold_uring_register(u, p, COST_LENGTH));
	cost->shared = cost_now(cost);
	return p;
}

/* Like QEMU: set attributes and punch holes, even if pages are pinned. */
static void cost_of_discard(struct cost *cost, struct hold_uring *u)
{
	int vm = test_mock_create(), memfd = memfd_create("shared", 0);
	int private = test_gmem_create(COST_LENGTH, 0);

	ASSERT_EQ(0, ftruncate(memfd, COST_LENGTH));
	test_mock_bind(vm, GPA, private, 0, COST_LENGTH,
		       GMEM_TEST_BIND_F_ENCRYPTED | GMEM_TEST_BIND_F_STORE);
	cost_start(cost, memfd, u);
	ASSERT_EQ(0, fallocate(memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       0, COST_LENGTH));
	test_mock_fill(vm, GPA, COST_LENGTH, 'G');
	cost->pinned = cost_now(cost);
	ASSERT_EQ(0, hold_uring_unregister(u));
	cost->released = cost_now(cost);
}

static void cost_of_handover(struct cost *cost, struct hold_uring *u)
{
	int vm = test_mock_create();
	int fd = test_gmem_create(COST_LENGTH, GMEM_CREATE_F_INIT_SHARED);

	test_mock_bind(vm, GPA, fd, 0, COST_LENGTH,
		       GMEM_TEST_BIND_F_ENCRYPTED | GMEM_TEST_BIND_F_STORE);
	cost_start(cost, fd, u);
	test_err_mock_convert(EAGAIN, vm, GPA, COST_LENGTH, PRIVATE, ZERO);
	expect_guest('H', vm, GPA, COST_LENGTH);
	cost->pinned = cost_now(cost);
	ASSERT_EQ(0, hold_uring_unregister(u));
	test_mock_convert(vm, GPA, COST_LENGTH, PRIVATE, ZERO);
	test_mock_fill(vm, GPA, COST_LENGTH, 'G');
	cost->released = cost_now(cost);
	expect_mock_kept(vm);
}

static bool cost_of(struct cost *cost,
		    void (*fn)(struct cost *cost, struct hold_uring *u))
{
	struct cost *told = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct hold_uring u;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, told);
	ASSERT_EQ(0, cgroup_create(&told->cg, "gmem_handover_zero_test"));
	told->start = -1;
	pid = fork();
	if (!pid) {
		ASSERT_EQ(0, cgroup_enter(&told->cg));
		if (hold_uring_open(&u))
			_exit(KSFT_SKIP);
		fn(told, &u);
		_exit(KSFT_PASS);
	}
	pid = gmem_wait_pid(pid);
	EXPECT_TRUE(pid == KSFT_PASS || pid == KSFT_SKIP);
	EXPECT_EQ(0, cgroup_wait_uncharged(&told->cg));
	EXPECT_EQ(0, cgroup_remove(&told->cg));
	*cost = *told;
	munmap(told, PAGE);
	return pid == KSFT_PASS;
}

#define expect_about(bytes, cost) do {					\
	EXPECT_LT((long long)((bytes) - COST_REST), cost);		\
	EXPECT_GT((long long)((bytes) + COST_REST), cost);		\
} while (0)

/* With a VMM that discards, the memory of a pinned page exists twice. */
TEST_F(encrypted, doubling)
{
	const char *why = cgroup_unavailable();
	struct cost discard, handover;

	if (why)
		SKIP(return, "%s", why);
	if (!cost_of(&discard, cost_of_discard) ||
	    !cost_of(&handover, cost_of_handover))
		SKIP(return, "no io_uring");
	TH_LOG("KiB of a guest of %llu: shared, pinned, released",
	       COST_LENGTH >> 10);
	TH_LOG("discard: %lld, %lld, %lld", discard.shared >> 10,
	       discard.pinned >> 10, discard.released >> 10);
	TH_LOG("handover: %lld, %lld, %lld", handover.shared >> 10,
	       handover.pinned >> 10, handover.released >> 10);
	expect_about(2 * COST_LENGTH, discard.pinned);
	expect_about(COST_LENGTH, discard.released);
	expect_about(COST_LENGTH, handover.shared);
	expect_about(COST_LENGTH, handover.pinned);
	expect_about(COST_LENGTH, handover.released);
}

TEST_HARNESS_MAIN_IF(mock_unavailable())
