// SPDX-License-Identifier: GPL-2.0
/*
 * The library used by a hypervisor other than KVM: bind, look up, map, convert,
 * invalidate, with one guest that does one thing at a time.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "ksft.h"
#include "mock.h"

#define NR_PAGES 16
#define LENGTH (NR_PAGES * PAGE)
#define GPA 0x100000000ULL
#define AT(page) (GPA + (page) * PAGE)

FIXTURE(guest) {
	int vm;
	int fd;
	uint8_t *p;
};

FIXTURE_SETUP(guest)
{
	self->vm = test_mock_create();
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	gmem_fill(self->p, 'A', LENGTH);
	test_mock_bind(self->vm, GPA, self->fd, 0, LENGTH, 0);
}

FIXTURE_TEARDOWN(guest)
{
	expect_mock_kept(self->vm);
	close(self->vm);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	EXPECT_EQ(0, gmem_try_read(self->p, NULL));
	close(self->fd);
}

/* Guest and host see the same shared pages; each page is mapped once. */
TEST_F(guest, shared_pages)
{
	struct gmem_test_count c;

	expect_guest('A', self->vm, GPA, LENGTH);
	test_mock_fill(self->vm, AT(3) + 100, 2 * PAGE, 'B');
	expect_bytes('A', self->p, 3 * PAGE + 100);
	expect_bytes('B', self->p + 3 * PAGE + 100, 2 * PAGE);
	expect_bytes('A', self->p + 5 * PAGE + 100, LENGTH - 5 * PAGE - 100);
	self->p[0] = 'C';
	expect_guest('C', self->vm, GPA, 1);
	ASSERT_EQ(0, mock_count(self->vm, &c));
	EXPECT_EQ(NR_PAGES, c.mapped);
	EXPECT_EQ(NR_PAGES, c.calls[GMEM_TEST_MAP]);
	EXPECT_EQ(0, c.calls[GMEM_TEST_INVALIDATE_START]);
}

/* The guest touches memory first: it reads zero, and so does the host. */
TEST_F(guest, populates)
{
	test_gmem_punch(self->fd, 0, LENGTH);
	expect_guest(0, self->vm, AT(2), PAGE);
	EXPECT_EQ(1, gmem_populated(self->fd, 0, LENGTH));
	test_mock_fill(self->vm, AT(7), PAGE, 'G');
	EXPECT_EQ(2, gmem_populated(self->fd, 0, LENGTH));
	expect_bytes('G', self->p + 7 * PAGE, PAGE);
	expect_bytes(0, self->p + 2 * PAGE, PAGE);
}

static uint64_t guest_pfn(int vm, uint64_t gpa, uint32_t state)
{
	struct gmem_test_hold h = { .gpa = gpa, .timeout_ms = 5000 };

	ASSERT_EQ(0, mock_hold_args(vm, &h));
	EXPECT_EQ(state, h.state);
	ASSERT_EQ(0, mock_release(vm, h.id));
	return h.pfn;
}

/* Conversion in both directions with PRESERVE: the same frame and contents. */
TEST_F(guest, preserve)
{
	uint64_t pfn = gmem_pfn(self->p + 5 * PAGE);

	ASSERT_NE(0, pfn);
	EXPECT_EQ(pfn, guest_pfn(self->vm, AT(5), SHARED));
	test_mock_convert(self->vm, AT(4), 4 * PAGE, PRIVATE, PRESERVE);
	expect_sigbus(self->p + 5 * PAGE);
	expect_byte('A', self->p + 8 * PAGE);
	expect_guest('A', self->vm, GPA, LENGTH);
	EXPECT_EQ(pfn, guest_pfn(self->vm, AT(5), PRIVATE));
	test_mock_fill(self->vm, AT(5), PAGE, 'P');

	test_mock_convert(self->vm, AT(4), 4 * PAGE, SHARED, PRESERVE);
	EXPECT_EQ(pfn, guest_pfn(self->vm, AT(5), SHARED));
	expect_bytes('A', self->p, 5 * PAGE);
	expect_bytes('P', self->p + 5 * PAGE, PAGE);
	expect_bytes('A', self->p + 6 * PAGE, LENGTH - 6 * PAGE);
	EXPECT_EQ(pfn, gmem_pfn(self->p + 5 * PAGE));
}

/* Conversion in both directions with ZERO: no contents are left on either side. */
TEST_F(guest, zero)
{
	test_mock_convert(self->vm, AT(4), 4 * PAGE, PRIVATE, ZERO);
	EXPECT_EQ(NR_PAGES - 4, gmem_populated(self->fd, 0, LENGTH));
	expect_guest(0, self->vm, AT(4), 4 * PAGE);
	expect_guest('A', self->vm, GPA, 4 * PAGE);
	test_mock_fill(self->vm, AT(4), 4 * PAGE, 'P');
	test_mock_convert(self->vm, AT(4), 2 * PAGE, SHARED, ZERO);
	expect_bytes(0, self->p + 4 * PAGE, 2 * PAGE);
	expect_guest(0, self->vm, AT(4), 2 * PAGE);
	expect_guest('P', self->vm, AT(6), 2 * PAGE);
}

/* Userspace converts pages of a hypervisor: the guest sees the new state. */
TEST_F(guest, host_converts)
{
	expect_guest('A', self->vm, GPA, LENGTH);
	test_gmem_convert(self->fd, 2 * PAGE, PAGE, PRIVATE, PRESERVE);
	expect_mock_state(SHARED, self->vm, AT(1));
	expect_mock_state(PRIVATE, self->vm, AT(2));
	expect_guest('A', self->vm, AT(2), PAGE);
	EXPECT_EQ(1, mock_calls(self->vm, GMEM_TEST_MAKE_PRIVATE));
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	EXPECT_EQ(1, mock_calls(self->vm, GMEM_TEST_MAKE_SHARED));
	EXPECT_EQ(2, mock_calls(self->vm, GMEM_TEST_INVALIDATE_START));
	expect_bytes('A', self->p, LENGTH);
}

/* An access that needs the other state is refused, and changes nothing. */
TEST_F(guest, wrong_state)
{
	test_mock_convert(self->vm, AT(1), PAGE, PRIVATE, PRESERVE);
	EXPECT_EQ(-EACCES, mock_op_in(self->vm, GMEM_TEST_F_SHARED,
				      GMEM_TEST_OP_FILL, AT(1), PAGE, 'x'));
	EXPECT_EQ(-EACCES, mock_op_in(self->vm, GMEM_TEST_F_PRIVATE,
				      GMEM_TEST_OP_FILL, AT(0), PAGE, 'x'));
	EXPECT_EQ(0, mock_op_in(self->vm, GMEM_TEST_F_PRIVATE,
				GMEM_TEST_OP_EXPECT, AT(1), PAGE, 'A'));
	EXPECT_EQ(0, mock_op_in(self->vm, GMEM_TEST_F_SHARED,
				GMEM_TEST_OP_EXPECT, AT(0), PAGE, 'A'));
}

/* Methods are not called for pages that have the target state already. */
TEST_F(guest, nothing_to_do)
{
	struct gmem_test_count before, after;

	test_mock_convert(self->vm, AT(8), 4 * PAGE, PRIVATE, PRESERVE);
	test_mock_fill(self->vm, AT(8), 4 * PAGE, 'P');
	ASSERT_EQ(0, mock_count(self->vm, &before));
	test_mock_convert(self->vm, AT(8), 4 * PAGE, PRIVATE, ZERO);
	test_mock_convert(self->vm, AT(0), 8 * PAGE, SHARED, ZERO);
	test_gmem_convert(self->fd, 12 * PAGE, 4 * PAGE, SHARED, ZERO);
	ASSERT_EQ(0, mock_count(self->vm, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	expect_guest('P', self->vm, AT(8), 4 * PAGE);
	expect_bytes('A', self->p, 8 * PAGE);
}

/* Methods are called once for each run of pages that change. */
TEST_F(guest, runs)
{
	test_mock_convert(self->vm, AT(2), PAGE, PRIVATE, PRESERVE);
	test_mock_convert(self->vm, AT(6), 2 * PAGE, PRIVATE, PRESERVE);
	EXPECT_EQ(2, mock_calls(self->vm, GMEM_TEST_MAKE_PRIVATE));
	test_mock_convert(self->vm, GPA, LENGTH, PRIVATE, PRESERVE);
	/* 0-1, 3-5, 8-15 */
	EXPECT_EQ(5, mock_calls(self->vm, GMEM_TEST_MAKE_PRIVATE));
	EXPECT_EQ(5, mock_calls(self->vm, GMEM_TEST_CHECK));
	EXPECT_EQ(3, mock_calls(self->vm, GMEM_TEST_INVALIDATE_START));
	expect_guest('A', self->vm, GPA, LENGTH);
	test_mock_convert(self->vm, GPA, LENGTH, SHARED, PRESERVE);
	EXPECT_EQ(1, mock_calls(self->vm, GMEM_TEST_MAKE_SHARED));
	expect_bytes('A', self->p, LENGTH);
}

/* Unpopulated pages convert without being allocated. */
TEST_F(guest, unpopulated)
{
	test_gmem_punch(self->fd, 0, LENGTH);
	test_mock_convert(self->vm, GPA, LENGTH, PRIVATE, PRESERVE);
	test_mock_convert(self->vm, GPA, 8 * PAGE, SHARED, PRESERVE);
	EXPECT_EQ(0, gmem_populated(self->fd, 0, LENGTH));
	expect_guest(0, self->vm, AT(7), 2 * PAGE);
	EXPECT_EQ(2, gmem_populated(self->fd, 0, LENGTH));
	expect_byte(0, self->p + 7 * PAGE);
	expect_sigbus(self->p + 8 * PAGE);
}

/* A hypervisor with references in its page table drops them when it is asked to. */
TEST_F(guest, references)
{
	uint64_t gpa = GPA + LENGTH;
	int fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	uint8_t *p = test_gmem_map(fd, 0, LENGTH);

	test_mock_bind(self->vm, gpa, fd, 0, LENGTH, GMEM_TEST_BIND_F_REFS);
	test_mock_fill(self->vm, gpa, LENGTH, 'R');
	test_mock_convert(self->vm, gpa, LENGTH, PRIVATE, PRESERVE);
	expect_guest('R', self->vm, gpa, LENGTH);
	test_gmem_convert(fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes('R', p, LENGTH);
	expect_guest('R', self->vm, gpa, LENGTH);
	test_gmem_punch(fd, 0, LENGTH);
	expect_guest(0, self->vm, gpa, LENGTH);
	test_mock_unbind(self->vm, gpa);
	test_gmem_convert(fd, 0, LENGTH, PRIVATE, PRESERVE);
	close(fd);
}

/* A hole removes pages from the guest; states do not change. */
TEST_F(guest, hole)
{
	test_mock_convert(self->vm, AT(4), 4 * PAGE, PRIVATE, PRESERVE);
	expect_guest('A', self->vm, GPA, LENGTH);
	test_gmem_punch(self->fd, 2 * PAGE, 4 * PAGE);
	EXPECT_EQ(1, mock_calls(self->vm, GMEM_TEST_MAKE_SHARED));
	expect_mock_state(SHARED, self->vm, AT(3));
	expect_mock_state(PRIVATE, self->vm, AT(5));
	expect_guest('A', self->vm, GPA, 2 * PAGE);
	expect_guest(0, self->vm, AT(2), 4 * PAGE);
	expect_guest('A', self->vm, AT(6), 10 * PAGE);
	expect_sigbus(self->p + 5 * PAGE);
}

/* The hypervisor refuses a hole: nothing is punched. */
TEST_F(guest, hole_refused)
{
	test_mock_convert(self->vm, AT(4), 8 * PAGE, PRIVATE, PRESERVE);
	ASSERT_EQ(0, mock_fail(self->vm, GMEM_TEST_MAKE_SHARED, 1, EIO, 3));
	test_err_gmem_punch(EIO, self->fd, 0, LENGTH);
	EXPECT_EQ(1, mock_calls(self->vm, GMEM_TEST_UNDO_SHARED));
	expect_guest('A', self->vm, GPA, LENGTH);
	expect_mock_state(PRIVATE, self->vm, AT(4));
	test_gmem_punch(self->fd, 0, LENGTH);
	expect_guest(0, self->vm, GPA, LENGTH);
}

/* fallocate() populates pages of both states. */
TEST_F(guest, commit)
{
	test_mock_convert(self->vm, AT(4), 4 * PAGE, PRIVATE, ZERO);
	test_gmem_commit(self->fd, 0, LENGTH);
	EXPECT_EQ(NR_PAGES, gmem_populated(self->fd, 0, LENGTH));
	expect_guest(0, self->vm, AT(4), 4 * PAGE);
	test_mock_fill(self->vm, AT(4), PAGE, 'P');
	test_gmem_commit(self->fd, 0, LENGTH);
	expect_guest('P', self->vm, AT(4), PAGE);
	expect_guest('A', self->vm, GPA, 4 * PAGE);
}

/* PRESERVE is refused if contents are encrypted. */
TEST_F(guest, encrypted)
{
	uint64_t gpa = GPA + LENGTH;
	int fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	struct gmem_ioctl_convert c = {
		.offset = 2 * PAGE,
		.length = 4 * PAGE,
		.target = PRIVATE,
	};

	test_mock_bind(self->vm, gpa, fd, 0, LENGTH, GMEM_TEST_BIND_F_ENCRYPTED);
	test_mock_fill(self->vm, gpa, LENGTH, 'E');
	EXPECT_EQ(-EOPNOTSUPP, gmem_convert_args(fd, &c));
	EXPECT_EQ(2 * PAGE, c.error_offset);
	test_err_mock_convert(EOPNOTSUPP, self->vm, gpa, PAGE, PRIVATE,
			      PRESERVE);
	expect_guest('E', self->vm, gpa, LENGTH);
	test_mock_convert(self->vm, gpa, 2 * PAGE, PRIVATE, ZERO);
	expect_guest(0, self->vm, gpa, 2 * PAGE);
	test_err_mock_convert(EOPNOTSUPP, self->vm, gpa, PAGE, SHARED,
			      PRESERVE);
	test_mock_convert(self->vm, gpa, 2 * PAGE, SHARED, ZERO);
	close(fd);
}

/* A guest can convert only its own pages. */
TEST_F(guest, convert_outside)
{
	int fd = test_gmem_create(2 * LENGTH, GMEM_CREATE_F_INIT_SHARED);
	uint64_t gpa = GPA + LENGTH;

	test_mock_bind(self->vm, gpa, fd, 0, LENGTH, 0);
	test_err_mock_convert(EINVAL, self->vm, gpa, LENGTH + PAGE, PRIVATE,
			      PRESERVE);
	test_err_mock_convert(EINVAL, self->vm, gpa, 0, PRIVATE, PRESERVE);
	test_err_mock_convert(EINVAL, self->vm, AT(8), LENGTH, PRIVATE,
			      PRESERVE);
	test_err_mock_convert(EINVAL, self->vm, gpa, PAGE, 2, PRESERVE);
	test_err_mock_convert(EINVAL, self->vm, gpa, PAGE, PRIVATE, 2);
	test_err_mock_convert(ENXIO, self->vm, gpa + LENGTH, PAGE, PRIVATE,
			      PRESERVE);
	expect_state(SHARED, fd, LENGTH);
	expect_state(SHARED, fd, 0);
	expect_state(SHARED, self->fd, 8 * PAGE);
	close(fd);
}

/* A script of the guest: writes, a conversion in the middle, reads. */
TEST_F(guest, script)
{
	uint64_t shared = SHARED | PRESERVE << 8, private = PRIVATE;
	struct gmem_test_op ops[] = {
		{ GMEM_TEST_OP_STORE, 0, AT(1), 8, 40, 0 },
		{ GMEM_TEST_OP_CONVERT, 0, AT(1), PAGE, private, 0 },
		{ GMEM_TEST_OP_CHECK, 0, AT(1), PAGE, PRIVATE, 0 },
		{ GMEM_TEST_OP_ADD, GMEM_TEST_F_PRIVATE, AT(1), 8, 2, 0 },
		{ GMEM_TEST_OP_PAUSE, 0, 0, 0, 1, 0 },
		{ GMEM_TEST_OP_CONVERT, 0, AT(1), PAGE, shared, 0 },
		{ GMEM_TEST_OP_LOAD, GMEM_TEST_F_SHARED, AT(1), 8, 0, 0 },
		{ GMEM_TEST_OP_EXPECT, 0, AT(2), PAGE, 'A', 0 },
	};
	uint64_t where;

	ASSERT_EQ(0, mock_run(self->vm, ops, sizeof(ops) / sizeof(ops[0]), 3));
	EXPECT_EQ(42, ops[3].result);
	EXPECT_EQ(42, ops[6].result);
	EXPECT_EQ(42, *(uint64_t *)(self->p + PAGE));
	EXPECT_EQ(3, mock_calls(self->vm, GMEM_TEST_MAKE_PRIVATE));
	self->p[2 * PAGE + 77] = 'x';
	EXPECT_EQ(-EBADMSG, mock_op(self->vm, GMEM_TEST_OP_EXPECT, AT(2), PAGE,
				    'A', &where));
	EXPECT_EQ(AT(2) + 77, where);
}

/* Two adjacent slots of one fd in reverse order: pages are not mixed up. */
TEST(side_by_side)
{
	int fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	uint8_t *p = test_gmem_map(fd, 0, LENGTH), data[2 * PAGE];
	int vm = test_mock_create(), page;

	for (page = 0; page < NR_PAGES; page++)
		gmem_fill(p + page * PAGE, page + 1, PAGE);
	test_mock_bind(vm, GPA + LENGTH / 2, fd, 0, LENGTH / 2, 0);
	test_mock_bind(vm, GPA, fd, LENGTH / 2, LENGTH / 2, 0);
	for (page = 0; page < NR_PAGES; page++)
		expect_guest((page + NR_PAGES / 2) % NR_PAGES + 1, vm, AT(page),
			     PAGE);
	/* One access of the guest across the border, and one conversion of the host. */
	ASSERT_EQ(0, mock_read(vm, AT(NR_PAGES / 2 - 1), data, sizeof(data)));
	EXPECT_EQ(NR_PAGES, data[PAGE - 1]);
	EXPECT_EQ(1, data[PAGE]);
	test_gmem_convert(fd, 6 * PAGE, 4 * PAGE, PRIVATE, PRESERVE);
	EXPECT_EQ(2, mock_calls(vm, GMEM_TEST_MAKE_PRIVATE));
	EXPECT_EQ(2, mock_calls(vm, GMEM_TEST_INVALIDATE_START));
	for (page = 0; page < NR_PAGES; page++)
		expect_guest((page + NR_PAGES / 2) % NR_PAGES + 1, vm, AT(page),
			     PAGE);
	/* The other slot gets no call. */
	test_gmem_convert(fd, 0, 2 * PAGE, PRIVATE, PRESERVE);
	EXPECT_EQ(3, mock_calls(vm, GMEM_TEST_INVALIDATE_START));
	expect_mock_kept(vm);
}

/* Two guests have the two ends of an fd, with unbound pages between them. */
TEST(two_guests)
{
	int fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	uint8_t *p = test_gmem_map(fd, 0, LENGTH);
	int a = test_mock_create(), b = test_mock_create();
	struct gmem_ioctl_stat stat;

	gmem_fill(p, 'A', LENGTH);
	test_mock_bind(a, GPA, fd, 0, 6 * PAGE, 0);
	test_mock_bind(b, GPA, fd, 10 * PAGE, 6 * PAGE, 0);
	test_gmem_stat(fd, &stat);
	EXPECT_EQ(2, stat.bindings);
	test_gmem_convert(fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_mock_fill(a, GPA, 6 * PAGE, 'a');
	test_mock_fill(b, GPA, 6 * PAGE, 'b');
	test_mock_unbind(a, GPA);
	expect_guest('b', b, GPA, 6 * PAGE);
	test_gmem_convert(fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes('a', p, 6 * PAGE);
	expect_bytes('A', p + 6 * PAGE, 4 * PAGE);
	expect_bytes('b', p + 10 * PAGE, 6 * PAGE);
	EXPECT_EQ(1, mock_calls(a, GMEM_TEST_GONE));
	expect_mock_kept(a);
	expect_mock_kept(b);
}

/* A page can be bound only once. */
TEST(overlap)
{
	static const struct { int first, count; } bad[] = {
		{ 4, 4 }, { 5, 2 }, { 4, 1 }, { 7, 1 }, { 0, 16 }, { 2, 3 },
		{ 7, 4 },
	};
	int fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	int a = test_mock_create(), b = test_mock_create();
	size_t i;

	test_mock_bind(a, GPA, fd, 4 * PAGE, 4 * PAGE, 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		test_err_mock_bind(EBUSY, b, GPA, fd, bad[i].first * PAGE,
				   bad[i].count * PAGE, 0);
		test_err_mock_bind(EBUSY, a, GPA + LENGTH, fd,
				   bad[i].first * PAGE, bad[i].count * PAGE, 0);
	}
	test_mock_bind(b, GPA, fd, 3 * PAGE, PAGE, 0);
	test_mock_bind(b, GPA + LENGTH, fd, 8 * PAGE, PAGE, 0);
	test_mock_unbind(a, GPA);
	test_mock_bind(b, GPA + 2 * LENGTH, fd, 4 * PAGE, 4 * PAGE, 0);
	expect_mock_kept(a);
	expect_mock_kept(b);
}

/* The errors of gmem_bind(). */
TEST(bind_refused)
{
	int fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	int vm = test_mock_create(), ro;
	struct gmem_ioctl_stat stat;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY);
	ASSERT_GE(ro, 0);
	test_err_mock_bind(EBADF, vm, GPA, ro, 0, LENGTH, 0);
	test_err_mock_bind(EBADF, vm, GPA, 1000, 0, LENGTH, 0);
	test_err_mock_bind(EINVAL, vm, GPA, gmem_open_dev(), 0, LENGTH, 0);
	test_err_mock_bind(EINVAL, vm, GPA, memfd_create("x", 0), 0, PAGE, 0);
	test_err_mock_bind(EINVAL, vm, GPA, vm, 0, LENGTH, 0);
	test_err_mock_bind(EINVAL, vm, GPA, fd, 0, LENGTH + PAGE, 0);
	test_err_mock_bind(EINVAL, vm, GPA, fd, LENGTH, PAGE, 0);
	test_err_mock_bind(EINVAL, vm, GPA, fd, 1ULL << 50, PAGE, 0);
	test_gmem_stat(fd, &stat);
	EXPECT_EQ(0, stat.bindings);
	test_mock_bind(vm, GPA, fd, 0, LENGTH, 0);
	/* Userspace cannot unbind it. */
	test_err_gmem_unbind(EPERM, fd, 0, LENGTH);
	expect_guest(0, vm, GPA, LENGTH);
	expect_mock_kept(vm);
}

TEST_HARNESS_MAIN_IF(mock_unavailable())
