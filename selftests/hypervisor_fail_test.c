// SPDX-License-Identifier: GPL-2.0
/*
 * Hypervisors that refuse: a conversion over two bindings is all or nothing, and the
 * error has the failing page, for each method of each binding.
 */
#include <string.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "ksft.h"
#include "mock.h"

#define NR_PAGES 16
#define LENGTH (NR_PAGES * PAGE)
#define GPA 0x40000000ULL

/* Pages 0-5 belong to guest a, 6-7 to no guest, 8-15 to guest b. */
FIXTURE(fail) {
	int a;
	int b;
	int fd;
	uint8_t *p;
};

FIXTURE_SETUP(fail)
{
	self->a = test_mock_create();
	self->b = test_mock_create();
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	gmem_fill(self->p, 'A', LENGTH);
	test_mock_bind(self->a, GPA, self->fd, 0, 6 * PAGE, 0);
	test_mock_bind(self->b, GPA, self->fd, 8 * PAGE, 8 * PAGE, 0);
}

FIXTURE_TEARDOWN(fail)
{
	expect_mock_kept(self->a);
	expect_mock_kept(self->b);
	close(self->fd);
}

/* Conversion of pages 2-13 fails at @page, and changes nothing. */
static void expect_refused(struct fail_data *self, int err, int target,
			   int content, int page)
{
	struct gmem_ioctl_convert c = {
		.offset = 2 * PAGE,
		.length = 12 * PAGE,
		.target = target,
		.content = content,
	};
	int i;

	EXPECT_EQ(-err, gmem_convert_args(self->fd, &c));
	EXPECT_EQ(page * PAGE, c.error_offset);
	for (i = 0; i < NR_PAGES; i++)
		expect_state(i < 2 || i > 13 || target == PRIVATE ?
			     SHARED : PRIVATE, self->fd, i * PAGE);
	expect_guest('A', self->a, GPA, 6 * PAGE);
	expect_guest('A', self->b, GPA, 8 * PAGE);
	expect_bytes('A', self->p, 2 * PAGE);
	if (target == PRIVATE)
		expect_bytes('A', self->p, LENGTH);
	else
		expect_sigbus(self->p + 6 * PAGE);
}

/* The same conversion succeeds, because a method fails only once. */
static void expect_done(struct fail_data *self, int target, int content)
{
	int value = content == ZERO ? 0 : 'A';

	test_gmem_convert(self->fd, 2 * PAGE, 12 * PAGE, target, content);
	expect_guest('A', self->a, GPA, 2 * PAGE);
	expect_guest(value, self->a, GPA + 2 * PAGE, 4 * PAGE);
	expect_guest(value, self->b, GPA, 6 * PAGE);
	expect_guest('A', self->b, GPA + 6 * PAGE, 2 * PAGE);
	if (target == SHARED)
		expect_bytes(value, self->p + 2 * PAGE, 12 * PAGE);
}

static void expect_undone(int vm, enum gmem_test_method method, long long calls)
{
	EXPECT_EQ(calls, mock_calls(vm, method));
}

/* The first binding refuses before it has changed anything. */
TEST_F(fail, first_private)
{
	ASSERT_EQ(0, mock_fail(self->a, GMEM_TEST_MAKE_PRIVATE, 1, EBUSY, 0));
	expect_refused(self, EBUSY, PRIVATE, PRESERVE, 2);
	expect_undone(self->a, GMEM_TEST_UNDO_PRIVATE, 0);
	EXPECT_EQ(0, mock_calls(self->b, GMEM_TEST_MAKE_PRIVATE));
	expect_done(self, PRIVATE, PRESERVE);
}

/* The second binding refuses in the middle: the changes of both are undone. */
TEST_F(fail, second_private)
{
	ASSERT_EQ(0, mock_fail(self->b, GMEM_TEST_MAKE_PRIVATE, 1, EIO, 3));
	expect_refused(self, EIO, PRIVATE, PRESERVE, 11);
	expect_undone(self->a, GMEM_TEST_UNDO_PRIVATE, 1);
	expect_undone(self->b, GMEM_TEST_UNDO_PRIVATE, 1);
	expect_done(self, PRIVATE, PRESERVE);
}

TEST_F(fail, second_private_zero)
{
	ASSERT_EQ(0, mock_fail(self->b, GMEM_TEST_MAKE_PRIVATE, 1, ENOMEM, 5));
	expect_refused(self, ENOMEM, PRIVATE, ZERO, 13);
	expect_undone(self->a, GMEM_TEST_UNDO_PRIVATE, 1);
	expect_done(self, PRIVATE, ZERO);
}

static void make_private(struct fail_data *self)
{
	test_gmem_convert(self->fd, 2 * PAGE, 12 * PAGE, PRIVATE, PRESERVE);
	expect_guest('A', self->a, GPA, 6 * PAGE);
	expect_guest('A', self->b, GPA, 8 * PAGE);
}

TEST_F(fail, first_shared)
{
	make_private(self);
	ASSERT_EQ(0, mock_fail(self->a, GMEM_TEST_MAKE_SHARED, 1, EPERM, 1));
	expect_refused(self, EPERM, SHARED, PRESERVE, 3);
	expect_undone(self->a, GMEM_TEST_UNDO_SHARED, 1);
	EXPECT_EQ(0, mock_calls(self->b, GMEM_TEST_MAKE_SHARED));
	expect_done(self, SHARED, PRESERVE);
}

TEST_F(fail, second_shared)
{
	make_private(self);
	ASSERT_EQ(0, mock_fail(self->b, GMEM_TEST_MAKE_SHARED, 1, EIO, 4));
	expect_refused(self, EIO, SHARED, PRESERVE, 12);
	expect_undone(self->a, GMEM_TEST_UNDO_SHARED, 1);
	expect_undone(self->b, GMEM_TEST_UNDO_SHARED, 1);
	expect_done(self, SHARED, PRESERVE);
}

/* No contents are dropped before all hypervisors have agreed. */
TEST_F(fail, second_shared_zero)
{
	make_private(self);
	ASSERT_EQ(0, mock_fail(self->b, GMEM_TEST_MAKE_SHARED, 1, EIO, 0));
	expect_refused(self, EIO, SHARED, ZERO, 8);
	expect_undone(self->a, GMEM_TEST_UNDO_SHARED, 1);
	expect_undone(self->b, GMEM_TEST_UNDO_SHARED, 0);
	expect_done(self, SHARED, ZERO);
}

/* check() refuses before any method has changed anything. */
TEST_F(fail, check)
{
	ASSERT_EQ(0, mock_fail(self->b, GMEM_TEST_CHECK, 1, EBUSY, 2));
	expect_refused(self, EBUSY, PRIVATE, PRESERVE, 10);
	EXPECT_EQ(0, mock_calls(self->a, GMEM_TEST_MAKE_PRIVATE));
	make_private(self);
	ASSERT_EQ(0, mock_fail(self->a, GMEM_TEST_CHECK, 1, EACCES, 3));
	expect_refused(self, EACCES, SHARED, ZERO, 5);
	EXPECT_EQ(0, mock_calls(self->a, GMEM_TEST_MAKE_SHARED));
	EXPECT_EQ(0, mock_calls(self->b, GMEM_TEST_MAKE_SHARED));
	expect_done(self, SHARED, PRESERVE);
}

/* The second run of one binding fails: the first run is undone, too. */
TEST_F(fail, second_run)
{
	struct gmem_test_convert c = {
		.gpa = GPA,
		.length = 6 * PAGE,
		.target = PRIVATE,
	};

	test_mock_convert(self->a, GPA + 2 * PAGE, PAGE, PRIVATE, PRESERVE);
	ASSERT_EQ(0, mock_fail(self->a, GMEM_TEST_MAKE_PRIVATE, 2, EIO, 1));
	EXPECT_EQ(-EIO, mock_convert_args(self->a, &c));
	EXPECT_EQ(GPA + 4 * PAGE, c.error_gpa);
	expect_undone(self->a, GMEM_TEST_UNDO_PRIVATE, 2);
	expect_mock_state(SHARED, self->a, GPA);
	expect_mock_state(PRIVATE, self->a, GPA + 2 * PAGE);
	expect_mock_state(SHARED, self->a, GPA + 5 * PAGE);
	expect_guest('A', self->a, GPA, 6 * PAGE);
	c = (struct gmem_test_convert){
		.gpa = GPA,
		.length = 6 * PAGE,
		.target = PRIVATE,
	};
	EXPECT_EQ(0, mock_convert_args(self->a, &c));
	expect_guest('A', self->a, GPA, 6 * PAGE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
}

/* A page that cannot be mapped is an error for the guest alone. */
TEST_F(fail, map)
{
	ASSERT_EQ(0, mock_fail(self->a, GMEM_TEST_MAP, 2, ENOMEM, 0));
	EXPECT_EQ(-ENOMEM, mock_op(self->a, GMEM_TEST_OP_EXPECT, GPA, 6 * PAGE,
				   'A', NULL));
	make_private(self);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes('A', self->p, LENGTH);
}

/* Each errno of a method is returned unchanged. */
TEST_F(fail, every_errno)
{
	static const int errors[] = {
		EPERM, EIO, E2BIG, ENOMEM, EACCES, EBUSY, EEXIST, EINVAL,
		ENOSPC, EOPNOTSUPP, EHWPOISON,
	};
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		ASSERT_EQ(0, mock_fail(self->b, GMEM_TEST_MAKE_PRIVATE, 1,
				       errors[i], 1));
		expect_refused(self, errors[i], PRIVATE, PRESERVE, 9);
	}
	expect_done(self, PRIVATE, PRESERVE);
}

TEST_HARNESS_MAIN_IF(mock_unavailable())
