// SPDX-License-Identifier: GPL-2.0
/*
 * BIND and UNBIND with a guest_memfd of KVM, without a guest: private pages of the bound
 * range move to the guest_memfd, and come back in the same frames with their contents.
 * bind_refuse_test tests what BIND refuses.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "hold.h"
#include "ksft.h"
#include "kvm_utils.h"

#define NR_PAGES 16
#define LENGTH (NR_PAGES * PAGE)

FIXTURE(bind) {
	int vm;
	int store;
	int fd;
	uint8_t *p;
	uint64_t pfn[NR_PAGES];
};

/* 16 shared pages, page i full of 0x40 + i, and a guest_memfd of that size. */
FIXTURE_SETUP(bind)
{
	const char *why = kvm_store_unavailable();
	int i;

	if (why)
		SKIP(return, "%s", why);
	self->store = test_kvm_store(LENGTH, &self->vm);
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	for (i = 0; i < NR_PAGES; i++) {
		gmem_fill(self->p + i * PAGE, 0x40 + i, PAGE);
		self->pfn[i] = gmem_pfn(self->p + i * PAGE);
	}
}

FIXTURE_TEARDOWN(bind)
{
	munmap(self->p, LENGTH);
	close(self->fd);
	close(self->store);
	close(self->vm);
}

static void expect_counts(struct bind_data *self, uint64_t resident,
			  uint64_t store, uint64_t moved)
{
	struct gmem_ioctl_stat stat;

	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(resident, stat.resident_pages);
	EXPECT_EQ(store, stat.store_pages);
	EXPECT_EQ(moved, stat.moved_pages);
}

/* Shared pages first to last - 1 have their contents, in their frames. */
static void expect_kept(struct bind_data *self, int first, int last)
{
	int i;

	for (i = first; i < last; i++) {
		expect_bytes(0x40 + i, self->p + i * PAGE, PAGE);
		EXPECT_EQ(self->pfn[i], gmem_pfn(self->p + i * PAGE));
	}
}

/* A binding is counted by STAT and reported by QUERY, until UNBIND. */
TEST_F(bind, bind_and_unbind)
{
	struct gmem_ioctl_stat stat;
	struct gmem_range r;

	test_gmem_bind(self->fd, 4 * PAGE, 4 * PAGE, self->store, 0);
	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(1, stat.bindings);
	ASSERT_EQ(0, gmem_query_one(self->fd, 0, LENGTH, &r));
	EXPECT_EQ(4 * PAGE, r.length);
	EXPECT_EQ(GMEM_STORE_RESIDENT, r.store);
	ASSERT_EQ(0, gmem_query_one(self->fd, 4 * PAGE, 12 * PAGE, &r));
	EXPECT_EQ(4 * PAGE, r.length);
	EXPECT_EQ(GMEM_STORE_KVM, r.store);
	EXPECT_EQ(SHARED, r.state);
	EXPECT_EQ(4, r.populated);
	test_gmem_unbind(self->fd, 4 * PAGE, 4 * PAGE);
	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(0, stat.bindings);
	ASSERT_EQ(0, gmem_query_one(self->fd, 0, LENGTH, &r));
	EXPECT_EQ(LENGTH, r.length);
	expect_kept(self, 0, NR_PAGES);
}

/* An id is never used for a second binding. */
TEST_F(bind, id)
{
	struct gmem_ioctl_bind b = {
		.size = sizeof(b),
		.length = 2 * PAGE,
		.store = GMEM_STORE_KVM,
		.store_fd = self->store,
	};
	struct gmem_ioctl_unbind u = { .size = sizeof(u) };
	struct gmem_ioctl_stat stat;

	ASSERT_EQ(0, gmem_ioctl(self->fd, GMEM_IOCTL_BIND, &b));
	EXPECT_NE(0, b.binding_id);
	u.binding_id = b.binding_id;
	b.offset = 4 * PAGE;
	b.store_offset = 4 * PAGE;
	b.binding_id = 0;
	ASSERT_EQ(0, gmem_ioctl(self->fd, GMEM_IOCTL_BIND, &b));
	EXPECT_NE(u.binding_id, b.binding_id);
	EXPECT_EQ(0, gmem_ioctl(self->fd, GMEM_IOCTL_UNBIND, &u));
	EXPECT_EQ(-ENOENT, gmem_ioctl(self->fd, GMEM_IOCTL_UNBIND, &u));
	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(1, stat.bindings);
	test_gmem_unbind(self->fd, 4 * PAGE, 2 * PAGE);
	expect_kept(self, 0, NR_PAGES);
}

/* Pages move to the store and return in the same frames. */
TEST_F(bind, round_trip)
{
	int n;

	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	expect_counts(self, NR_PAGES, 0, 0);
	for (n = 0; n < 10; n++) {
		test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
		expect_counts(self, 0, NR_PAGES, (2 * n + 1) * NR_PAGES);
		EXPECT_EQ(NR_PAGES, gmem_populated(self->fd, 0, LENGTH));
		EXPECT_EQ(-1, lseek(self->fd, 0, SEEK_DATA));
		EXPECT_EQ(ENXIO, errno);
		expect_sigbus(self->p);
		expect_sigbus(self->p + LENGTH - 1);
		test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
		expect_counts(self, NR_PAGES, 0, (2 * n + 2) * NR_PAGES);
		expect_kept(self, 0, NR_PAGES);
	}
}

/* Single pages can be converted in any order, and their neighbours do not move. */
TEST_F(bind, single_pages)
{
	static const int order[] = { 15, 0, 7, 8, 3 };
	int i;

	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	for (i = 0; i < 5; i++) {
		test_gmem_convert(self->fd, order[i] * PAGE, PAGE, PRIVATE,
				  PRESERVE);
		expect_counts(self, NR_PAGES - i - 1, i + 1, i + 1);
		expect_sigbus(self->p + order[i] * PAGE);
	}
	expect_kept(self, 4, 7);
	EXPECT_EQ(PAGE, lseek(self->fd, 0, SEEK_DATA));
	EXPECT_EQ(3 * PAGE, lseek(self->fd, PAGE, SEEK_HOLE));
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_kept(self, 0, NR_PAGES);
}

/* Ranges of one fd in two guest_memfds, at other offsets, with gaps. */
TEST_F(bind, several_ranges)
{
	int other = kvm_create_guest_memfd(self->vm, LENGTH, 0);
	struct gmem_ioctl_stat stat;

	ASSERT_GE(other, 0);
	test_gmem_bind(self->fd, 0, 3 * PAGE, self->store, 8 * PAGE);
	test_gmem_bind(self->fd, 5 * PAGE, 4 * PAGE, other, 0);
	test_gmem_bind(self->fd, 9 * PAGE, 2 * PAGE, self->store, 0);
	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(3, stat.bindings);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	expect_counts(self, NR_PAGES - 9, 9, 9);
	EXPECT_EQ(3 * PAGE, lseek(self->fd, 0, SEEK_DATA));
	EXPECT_EQ(5 * PAGE, lseek(self->fd, 3 * PAGE, SEEK_HOLE));
	EXPECT_EQ(11 * PAGE, lseek(self->fd, 5 * PAGE, SEEK_DATA));
	test_gmem_convert(self->fd, 2 * PAGE, 8 * PAGE, SHARED, PRESERVE);
	expect_kept(self, 2, 10);
	expect_sigbus(self->p + PAGE);
	expect_sigbus(self->p + 10 * PAGE);
	test_gmem_unbind(self->fd, 5 * PAGE, 4 * PAGE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_kept(self, 0, NR_PAGES);
}

/* Unpopulated pages convert without being allocated anywhere. */
TEST_F(bind, holes)
{
	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	test_gmem_punch(self->fd, 2 * PAGE, 3 * PAGE);
	test_gmem_punch(self->fd, 10 * PAGE, PAGE);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	expect_counts(self, 0, NR_PAGES - 4, NR_PAGES - 4);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_counts(self, NR_PAGES - 4, 0, 2 * (NR_PAGES - 4));
	expect_kept(self, 0, 2);
	expect_bytes(0, self->p + 2 * PAGE, 3 * PAGE);
	expect_kept(self, 5, 10);
	expect_bytes(0, self->p + 10 * PAGE, PAGE);
	expect_kept(self, 11, NR_PAGES);
}

/* ZERO to private: no page moves to the store. */
TEST_F(bind, zero_to_private)
{
	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	test_gmem_convert(self->fd, 0, 8 * PAGE, PRIVATE, ZERO);
	expect_counts(self, 8, 0, 0);
	test_gmem_convert(self->fd, 0, 8 * PAGE, SHARED, PRESERVE);
	expect_bytes(0, self->p, 8 * PAGE);
	expect_kept(self, 8, NR_PAGES);
}

/* ZERO to shared: the contents in the store are lost. */
TEST_F(bind, zero_to_shared)
{
	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, 0, 8 * PAGE, SHARED, ZERO);
	expect_counts(self, 0, 8, NR_PAGES);
	expect_bytes(0, self->p, 8 * PAGE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes(0, self->p, 8 * PAGE);
	expect_kept(self, 8, NR_PAGES);
}

/* Commit puts private pages into the store and shared ones into the fd. */
TEST_F(bind, commit)
{
	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	test_gmem_punch(self->fd, 0, LENGTH);
	test_gmem_convert(self->fd, 4 * PAGE, 4 * PAGE, PRIVATE, PRESERVE);
	test_gmem_commit(self->fd, 0, 8 * PAGE);
	expect_counts(self, 4, 4, 0);
	EXPECT_EQ(8, gmem_populated(self->fd, 0, 8 * PAGE));
	test_gmem_convert(self->fd, 4 * PAGE, 4 * PAGE, SHARED, PRESERVE);
	expect_counts(self, 8, 0, 4);
	expect_bytes(0, self->p, 8 * PAGE);
}

/* A hole punched through gmem frees pages of the store; states do not change. */
TEST_F(bind, punch_through_gmem)
{
	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	test_gmem_convert(self->fd, 0, 8 * PAGE, PRIVATE, PRESERVE);
	test_gmem_punch(self->fd, 4 * PAGE, 8 * PAGE);
	expect_counts(self, 4, 4, 8);
	expect_state(PRIVATE, self->fd, 4 * PAGE);
	expect_state(SHARED, self->fd, 8 * PAGE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_kept(self, 0, 4);
	expect_bytes(0, self->p + 4 * PAGE, 8 * PAGE);
	expect_kept(self, 12, NR_PAGES);
}

/* A hole punched in KVM's file frees its pages; gmem stays usable. */
TEST_F(bind, punch_behind_gmem)
{
	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	ASSERT_EQ(0, gmem_punch(self->store, 3 * PAGE, 2 * PAGE));
	expect_counts(self, 0, NR_PAGES - 2, NR_PAGES);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_kept(self, 0, 3);
	expect_bytes(0, self->p + 3 * PAGE, 2 * PAGE);
	expect_kept(self, 5, NR_PAGES);
}

static void expect_conflict(struct bind_data *self, uint64_t offset,
			    uint64_t length, uint64_t at)
{
	struct gmem_ioctl_convert c = {
		.offset = offset,
		.length = length,
		.target = PRIVATE,
	};
	struct gmem_ioctl_stat before, after;

	test_gmem_stat(self->fd, &before);
	EXPECT_EQ(-EEXIST, gmem_convert_args(self->fd, &c));
	EXPECT_EQ(at, c.error_offset);
	test_gmem_stat(self->fd, &after);
	EXPECT_EQ(before.resident_pages, after.resident_pages);
	EXPECT_EQ(before.private_pages, after.private_pages);
	EXPECT_EQ(before.store_pages, after.store_pages);
	EXPECT_EQ(before.moved_pages, after.moved_pages);
}

/* The store has a page of its own: EEXIST with the offset, and nothing has moved. */
TEST_F(bind, conflict)
{
	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	ASSERT_EQ(0, gmem_commit(self->store, 9 * PAGE, PAGE));
	ASSERT_EQ(0, gmem_commit(self->store, 12 * PAGE, PAGE));
	expect_conflict(self, 0, LENGTH, 9 * PAGE);
	expect_conflict(self, 10 * PAGE, 6 * PAGE, 12 * PAGE);
	expect_kept(self, 0, NR_PAGES);
	test_gmem_convert(self->fd, 0, 9 * PAGE, PRIVATE, PRESERVE);
	ASSERT_EQ(0, gmem_punch(self->store, 9 * PAGE, 4 * PAGE));
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_kept(self, 0, NR_PAGES);
}

/* A conflict in the last of several bindings moves nothing in the first. */
TEST_F(bind, conflict_in_the_last_range)
{
	test_gmem_bind(self->fd, 0, 4 * PAGE, self->store, 4 * PAGE);
	test_gmem_bind(self->fd, 8 * PAGE, 4 * PAGE, self->store, 8 * PAGE);
	ASSERT_EQ(0, gmem_commit(self->store, 11 * PAGE, PAGE));
	expect_conflict(self, 0, LENGTH, 11 * PAGE);
	expect_kept(self, 0, NR_PAGES);
}

/* A held page stops a conversion in a bound range like in any other range. */
TEST_F(bind, held_page)
{
	struct hold_pipe hold;

	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	ASSERT_EQ(0, hold_pipe_take(&hold, self->p + 5 * PAGE, PAGE));
	test_err_gmem_convert(EAGAIN, self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	expect_counts(self, NR_PAGES, 0, 0);
	expect_kept(self, 0, NR_PAGES);
	hold_pipe_drop(&hold);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_kept(self, 0, NR_PAGES);
}

/* BIND moves private pages that have memory to the store. */
TEST_F(bind, bind_hands_over)
{
	test_gmem_convert(self->fd, 4 * PAGE, 8 * PAGE, PRIVATE, PRESERVE);
	test_gmem_punch(self->fd, 5 * PAGE, PAGE);
	expect_counts(self, NR_PAGES - 1, 0, 0);
	test_gmem_bind(self->fd, 2 * PAGE, 8 * PAGE, self->store, 0);
	expect_counts(self, NR_PAGES - 6, 5, 5);
	test_gmem_convert(self->fd, 4 * PAGE, 8 * PAGE, SHARED, PRESERVE);
	expect_kept(self, 0, 5);
	expect_bytes(0, self->p + 5 * PAGE, PAGE);
	expect_kept(self, 6, NR_PAGES);
}

/* The store has a page where BIND has to move one: EEXIST, not bound, nothing moved. */
TEST_F(bind, bind_conflict)
{
	struct gmem_ioctl_stat stat;

	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	ASSERT_EQ(0, gmem_commit(self->store, 12 * PAGE, PAGE));
	test_err_gmem_bind(EEXIST, self->fd, 0, LENGTH, self->store, 0);
	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(0, stat.bindings);
	EXPECT_EQ(NR_PAGES, stat.resident_pages);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_kept(self, 0, NR_PAGES);
	/* BIND does not move shared pages, so the store's page is no conflict. */
	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	expect_conflict(self, 0, LENGTH, 12 * PAGE);
}

/* UNBIND leaves private pages in the store. The fd no longer has their contents. */
TEST_F(bind, unbind_with_private_pages)
{
	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	test_gmem_convert(self->fd, 0, 8 * PAGE, PRIVATE, PRESERVE);
	test_gmem_unbind(self->fd, 0, LENGTH);
	expect_counts(self, 8, 0, 8);
	expect_state(PRIVATE, self->fd, 0);
	expect_sigbus(self->p);
	EXPECT_EQ(0, gmem_populated(self->fd, 0, 8 * PAGE));
	test_gmem_convert(self->fd, 0, 4 * PAGE, SHARED, PRESERVE);
	expect_bytes(0, self->p, 4 * PAGE);
	expect_kept(self, 8, NR_PAGES);
	/*
	 * When the range is bound again, the pages that stayed in the store are used
	 * again.
	 */
	test_gmem_bind(self->fd, 4 * PAGE, 4 * PAGE, self->store, 4 * PAGE);
	EXPECT_EQ(4, gmem_populated(self->fd, 4 * PAGE, 4 * PAGE));
	test_gmem_convert(self->fd, 4 * PAGE, 4 * PAGE, SHARED, PRESERVE);
	expect_kept(self, 4, NR_PAGES);
}

/* One conversion over unbound, bound and unbound pages. */
TEST_F(bind, partly_bound)
{
	test_gmem_bind(self->fd, 6 * PAGE, 4 * PAGE, self->store, 0);
	test_gmem_convert(self->fd, 2 * PAGE, 12 * PAGE, PRIVATE, PRESERVE);
	expect_counts(self, NR_PAGES - 4, 4, 4);
	EXPECT_EQ(0, gmem_pfn(self->p + 2 * PAGE));
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_counts(self, NR_PAGES, 0, 8);
	expect_kept(self, 0, NR_PAGES);
}

/* A conversion of more than one run of 2 MiB, with holes and unaligned ends. */
TEST_F(bind, several_runs)
{
	uint64_t pages = 3 * 512 + 5, length = pages * PAGE, i;
	int store = kvm_create_guest_memfd(self->vm, length, 0);
	int fd = test_gmem_create(length, GMEM_CREATE_F_INIT_SHARED);
	uint8_t *p = test_gmem_map(fd, 0, length);
	struct gmem_ioctl_stat stat;

	ASSERT_GE(store, 0);
	for (i = 0; i < pages; i++)
		if (i % 97)
			memset(p + i * PAGE, (int)(i % 251) + 1, 64);
	test_gmem_bind(fd, 0, length, store, 0);
	test_gmem_convert(fd, 0, length, PRIVATE, PRESERVE);
	test_gmem_stat(fd, &stat);
	EXPECT_EQ(0, stat.resident_pages);
	EXPECT_EQ(pages - (pages + 96) / 97, stat.store_pages);
	test_gmem_convert(fd, 0, length, SHARED, PRESERVE);
	for (i = 0; i < pages; i++)
		expect_bytes(i % 97 ? (int)(i % 251) + 1 : 0, p + i * PAGE, 64);
	close(fd);
	close(store);
}

/*
 * Close the three fds in every order, with pages in the store. The binding has a
 * reference to the store and its VM, so conversions still work.
 */
static void close_in_order(struct bind_data *self, const int *order)
{
	int vm = kvm_create_vm();
	int store = kvm_create_guest_memfd(vm, 4 * PAGE, 0);
	int fd = test_gmem_create(4 * PAGE, GMEM_CREATE_F_INIT_SHARED);
	int fds[3] = { vm, store, fd };
	uint8_t *p = test_gmem_map(fd, 0, 4 * PAGE);
	bool open = true;
	int i;

	ASSERT_GE(store, 0);
	gmem_fill(p, 0x77, 4 * PAGE);
	test_gmem_bind(fd, 0, 4 * PAGE, store, 0);
	test_gmem_convert(fd, 0, 2 * PAGE, PRIVATE, PRESERVE);
	for (i = 0; i < 3; i++) {
		close(fds[order[i]]);
		open &= order[i] != 2;
		if (!open)
			continue;
		test_gmem_convert(fd, PAGE, 2 * PAGE, PRIVATE, PRESERVE);
		test_gmem_convert(fd, PAGE, 2 * PAGE, SHARED, PRESERVE);
		expect_bytes(0x77, p + PAGE, 3 * PAGE);
		expect_sigbus(p);
	}
	expect_sigbus(p);
	expect_bytes(0x77, p + 2 * PAGE, 2 * PAGE);
	munmap(p, 4 * PAGE);
	expect_kept(self, 0, NR_PAGES);
}

TEST_F(bind, close_orders)
{
	static const int orders[6][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
		{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};
	int i;

	for (i = 0; i < 6; i++)
		close_in_order(self, orders[i]);
}

/* The process that has created everything dies; its child continues to use the memory. */
TEST_F(bind, owner_killed)
{
	int sv[2], status, fd;
	uint8_t *p;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	pid = fork();
	if (!pid) {
		int vm = kvm_create_vm();
		int store = kvm_create_guest_memfd(vm, LENGTH, 0);

		fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
		p = test_gmem_map(fd, 0, LENGTH);
		gmem_fill(p, 0x66, LENGTH);
		test_gmem_bind(fd, 0, LENGTH, store, 0);
		test_gmem_convert(fd, 0, LENGTH, PRIVATE, PRESERVE);
		ASSERT_EQ(0, gmem_send_fd(sv[1], fd));
		pause();
	}
	fd = gmem_recv_fd(sv[0]);
	ASSERT_GE(fd, 0);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	p = test_gmem_map(fd, 0, LENGTH);
	expect_sigbus(p);
	test_gmem_convert(fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes(0x66, p, LENGTH);
}

/* Neither module can be unloaded while a binding exists. */
TEST_F(bind, modules_are_held)
{
	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	EXPECT_EQ(-1, syscall(SYS_delete_module, "gmem_kvm", O_NONBLOCK));
	EXPECT_EQ(EWOULDBLOCK, errno);
	EXPECT_EQ(-1, syscall(SYS_delete_module, "gmem", O_NONBLOCK));
	EXPECT_EQ(EWOULDBLOCK, errno);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_kept(self, 0, NR_PAGES);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
