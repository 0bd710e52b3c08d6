// SPDX-License-Identifier: GPL-2.0
/*
 * Look-ups in flight, references that a hypervisor keeps, and slow methods: what waits
 * for what and how long, and the error of a conversion that gives up.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "hold.h"
#include "ksft.h"
#include "mock.h"

#define NR_PAGES 16
#define LENGTH (NR_PAGES * PAGE)
#define GPA 0x200000000ULL
#define AT(page) (GPA + (page) * PAGE)

/* Longer than any wait of a test, and the duration of slow methods. */
#define LONG_MS 10000
#define SLOW_MS 600

FIXTURE(lookup) {
	int vm;
	int fd;
	uint8_t *p;
};

FIXTURE_SETUP(lookup)
{
	self->vm = test_mock_create();
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	gmem_fill(self->p, 'A', LENGTH);
	test_mock_bind(self->vm, GPA, self->fd, 0, LENGTH, 0);
	expect_guest('A', self->vm, GPA, LENGTH);
}

FIXTURE_TEARDOWN(lookup)
{
	expect_mock_kept(self->vm);
	close(self->vm);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	close(self->fd);
}

/* A conversion of pages 0-7 gives up, with @page as the error. */
static void expect_held(struct lookup_data *self, int target, int content,
			int page)
{
	struct gmem_ioctl_convert c = {
		.length = 8 * PAGE,
		.target = target,
		.content = content,
	};

	EXPECT_EQ(-EAGAIN, gmem_convert_args(self->fd, &c));
	EXPECT_EQ(page * PAGE, c.error_offset);
	EXPECT_GT(c.refs_seen, c.refs_expected);
	EXPECT_EQ(0, c.out_flags);
}

/* A page that is being looked up is not converted, in either direction. */
TEST_F(lookup, holds_conversion)
{
	int id = test_mock_hold(self->vm, AT(5), 0, LONG_MS);

	expect_held(self, PRIVATE, PRESERVE, 5);
	expect_held(self, PRIVATE, ZERO, 5);
	expect_bytes('A', self->p, LENGTH);
	ASSERT_EQ(0, mock_release(self->vm, id));
	test_gmem_convert(self->fd, 0, 8 * PAGE, PRIVATE, PRESERVE);

	id = test_mock_hold(self->vm, AT(7), 0, LONG_MS);
	expect_held(self, SHARED, PRESERVE, 7);
	expect_held(self, SHARED, ZERO, 7);
	ASSERT_EQ(0, mock_release(self->vm, id));
	EXPECT_EQ(-ENOENT, mock_release(self->vm, id));
	test_gmem_convert(self->fd, 0, 8 * PAGE, SHARED, PRESERVE);
	expect_bytes('A', self->p, LENGTH);
}

/* The error names the first held page. */
TEST_F(lookup, first_is_named)
{
	int ids[3];

	ids[0] = test_mock_hold(self->vm, AT(6), 0, LONG_MS);
	ids[1] = test_mock_hold(self->vm, AT(3), 0, LONG_MS);
	ids[2] = test_mock_hold(self->vm, AT(3), 0, LONG_MS);
	expect_held(self, PRIVATE, PRESERVE, 3);
	ASSERT_EQ(0, mock_release(self->vm, ids[1]));
	expect_held(self, PRIVATE, PRESERVE, 3);
	ASSERT_EQ(0, mock_release(self->vm, ids[2]));
	expect_held(self, PRIVATE, PRESERVE, 6);
	/* A conversion of other pages does not wait. */
	test_gmem_convert(self->fd, 0, 6 * PAGE, PRIVATE, PRESERVE);
	ASSERT_EQ(0, mock_release(self->vm, ids[0]));
}

/* A guest that converts gets the error in its own addresses. */
TEST_F(lookup, guest_is_told)
{
	struct gmem_test_convert c = {
		.gpa = AT(2),
		.length = 4 * PAGE,
		.target = PRIVATE,
	};

	test_mock_hold(self->vm, AT(4), 0, LONG_MS);
	EXPECT_EQ(-EAGAIN, mock_convert_args(self->vm, &c));
	EXPECT_EQ(AT(4), c.error_gpa);
	EXPECT_GT(c.refs_seen, c.refs_expected);
}

/* The look-up ends within the timeout: the conversion waits no longer than that. */
TEST_F(lookup, within_timeout)
{
	uint64_t start = ksft_now_ms();

	test_mock_hold(self->vm, AT(1), 0, SLOW_MS);
	EXPECT_EQ(0, gmem_convert_wait(self->fd, 0, LENGTH, PRIVATE, PRESERVE,
				       60000));
	EXPECT_GE(ksft_now_ms() - start, SLOW_MS - 50);
	EXPECT_LT(ksft_now_ms() - start, 20000);
	expect_guest('A', self->vm, GPA, LENGTH);
	test_mock_hold(self->vm, AT(1), 0, SLOW_MS);
	EXPECT_EQ(0, gmem_convert_wait(self->fd, 0, LENGTH, SHARED, PRESERVE,
				       60000));
	expect_bytes('A', self->p, LENGTH);
}

/* The look-up does not end: the conversion gives up after the timeout. */
TEST_F(lookup, beyond_timeout)
{
	uint64_t start = ksft_now_ms();

	test_mock_hold(self->vm, AT(1), 0, LONG_MS);
	EXPECT_EQ(-EAGAIN, gmem_convert_wait(self->fd, 0, LENGTH, PRIVATE,
					     PRESERVE, SLOW_MS));
	EXPECT_GE(ksft_now_ms() - start, SLOW_MS);
	EXPECT_LT(ksft_now_ms() - start, LONG_MS - 1000);
	expect_bytes('A', self->p, LENGTH);
	expect_guest('A', self->vm, GPA, LENGTH);
}

/* A reference that a hypervisor keeps counts like any other. */
TEST_F(lookup, kept_reference)
{
	struct gmem_ioctl_convert c = { .length = LENGTH, .target = PRIVATE };
	int id = test_mock_hold(self->vm, AT(9), GMEM_TEST_HOLD_F_REF, LONG_MS);

	EXPECT_EQ(-EAGAIN, gmem_convert_args(self->fd, &c));
	EXPECT_EQ(9 * PAGE, c.error_offset);
	EXPECT_EQ(c.refs_expected + 1, c.refs_seen);
	expect_bytes('A', self->p, LENGTH);
	expect_guest('A', self->vm, GPA, LENGTH);
	/* The reference outlives its slot, and still counts. */
	test_mock_unbind(self->vm, GPA);
	test_err_gmem_convert(EAGAIN, self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	ASSERT_EQ(0, mock_release(self->vm, id));
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
}

/*
 * References to a private page do not prevent its conversion to shared: they give no
 * access to it.
 */
TEST_F(lookup, kept_private_reference)
{
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_mock_hold(self->vm, AT(9), GMEM_TEST_HOLD_F_REF, LONG_MS);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes('A', self->p, LENGTH);
	test_err_gmem_convert(EAGAIN, self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	close(self->vm);
	self->vm = test_mock_create();
}

/* Punching a hole waits a little, and then fails. */
TEST_F(lookup, holds_hole)
{
	int id = test_mock_hold(self->vm, AT(5), 0, LONG_MS);

	test_err_gmem_punch(EAGAIN, self->fd, 0, LENGTH);
	expect_bytes('A', self->p, LENGTH);
	expect_guest('A', self->vm, GPA, LENGTH);
	test_gmem_punch(self->fd, 0, 5 * PAGE);
	ASSERT_EQ(0, mock_release(self->vm, id));
	test_gmem_punch(self->fd, 0, LENGTH);
	expect_bytes(0, self->p, LENGTH);
}

/* A look-up with NOALLOC does not populate pages. */
TEST_F(lookup, noalloc)
{
	test_gmem_punch(self->fd, 0, 4 * PAGE);
	EXPECT_EQ(-ENOENT, mock_hold(self->vm, AT(2),
				     GMEM_TEST_HOLD_F_NOALLOC, 1000));
	EXPECT_EQ(NR_PAGES - 4, gmem_populated(self->fd, 0, LENGTH));
	test_mock_hold(self->vm, AT(4), GMEM_TEST_HOLD_F_NOALLOC, 1000);
	test_mock_hold(self->vm, AT(2), 0, 1000);
	EXPECT_EQ(NR_PAGES - 3, gmem_populated(self->fd, 0, LENGTH));
	expect_byte(0, self->p + 2 * PAGE);
}

/* A conversion in a thread. */
struct converter {
	struct gmem_task task;
	int fd;
	int target;
	int content;
	uint32_t timeout_ms;
	int rc;
};

static void *converter_main(void *arg)
{
	struct converter *c = arg;

	c->rc = gmem_convert_wait(c->fd, 0, LENGTH, c->target, c->content, c->timeout_ms);
	return NULL;
}

/* Start the conversion, and wait until it is in the slow @method. */
static void converter_start(struct lookup_data *self, struct converter *c,
			    enum gmem_test_method method, uint32_t delay_ms)
{
	long long calls = mock_calls(self->vm, method);

	c->fd = self->fd;
	ASSERT_EQ(0, mock_slow(self->vm, method, delay_ms));
	ASSERT_EQ(0, gmem_task_start(&c->task, -1, converter_main, c));
	ASSERT_EQ(0, mock_wait_calls(self->vm, method, calls + 1));
	ASSERT_EQ(0, mock_slow(self->vm, method, 0));
}

/* The guest waits for a conversion, and sees the new state. */
TEST_F(lookup, guest_waits)
{
	static const enum gmem_test_method slow[] = {
		GMEM_TEST_INVALIDATE_START, GMEM_TEST_CHECK,
		GMEM_TEST_MAKE_PRIVATE, GMEM_TEST_INVALIDATE_END,
	};
	struct converter c = { .target = PRIVATE };
	size_t i;

	for (i = 0; i < sizeof(slow) / sizeof(slow[0]); i++) {
		converter_start(self, &c, slow[i], SLOW_MS);
		EXPECT_EQ(-EAGAIN, mock_hold(self->vm, AT(3),
					     GMEM_TEST_HOLD_F_NOWAIT, 1000));
		EXPECT_EQ(0, mock_op_in(self->vm, GMEM_TEST_F_PRIVATE,
					GMEM_TEST_OP_EXPECT, AT(3), PAGE, 'A'));
		gmem_task_join(&c.task);
		EXPECT_EQ(0, c.rc);
		test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	}
}

/* The guest waits for a conversion that is refused, and sees the old state. */
TEST_F(lookup, guest_waits_for_refusal)
{
	struct converter c = { .target = PRIVATE };

	ASSERT_EQ(0, mock_fail(self->vm, GMEM_TEST_MAKE_PRIVATE, 1, EIO, 5));
	converter_start(self, &c, GMEM_TEST_UNDO_PRIVATE, SLOW_MS);
	EXPECT_EQ(0, mock_op_in(self->vm, GMEM_TEST_F_SHARED,
				GMEM_TEST_OP_EXPECT, AT(3), PAGE, 'A'));
	gmem_task_join(&c.task);
	EXPECT_EQ(-EIO, c.rc);
	expect_bytes('A', self->p, LENGTH);
}

/* A page fault of the host waits for a slow method, and sees the new state, too. */
TEST_F(lookup, host_fault_waits)
{
	struct converter c = { .target = PRIVATE };
	uint64_t start = ksft_now_ms();

	converter_start(self, &c, GMEM_TEST_MAKE_PRIVATE, SLOW_MS);
	expect_sigbus(self->p);
	EXPECT_GE(ksft_now_ms() - start, SLOW_MS - 100);
	gmem_task_join(&c.task);

	c.target = SHARED;
	converter_start(self, &c, GMEM_TEST_MAKE_SHARED, SLOW_MS);
	expect_byte('A', self->p + PAGE);
	gmem_task_join(&c.task);
	EXPECT_EQ(0, c.rc);
}

/* The kernel waits in the same way when it copies from such a page. */
TEST_F(lookup, kernel_access_waits)
{
	struct converter c = { .target = SHARED };
	char byte = 0;
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	converter_start(self, &c, GMEM_TEST_MAKE_SHARED, SLOW_MS);
	EXPECT_EQ(1, write(fds[1], self->p + PAGE, 1));
	EXPECT_EQ(1, read(fds[0], &byte, 1));
	EXPECT_EQ('A', byte);
	gmem_task_join(&c.task);
	EXPECT_EQ(0, c.rc);
}

/* Another part of the file is not blocked. */
TEST_F(lookup, elsewhere_goes_on)
{
	int other = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	struct converter c = { .target = PRIVATE };
	uint64_t start;

	test_mock_unbind(self->vm, GPA);
	test_mock_bind(self->vm, GPA, self->fd, 0, LENGTH / 2, 0);
	test_mock_bind(self->vm, GPA + LENGTH, other, 0, LENGTH, 0);
	converter_start(self, &c, GMEM_TEST_MAKE_PRIVATE, 4000);
	start = ksft_now_ms();
	expect_guest(0, self->vm, GPA + LENGTH, LENGTH);
	test_mock_convert(self->vm, GPA + LENGTH, PAGE, SHARED, PRESERVE);
	expect_mock_state(SHARED, self->vm, GPA + 3 * PAGE);
	EXPECT_LT(ksft_now_ms() - start, 3000);
	gmem_task_join(&c.task);
	EXPECT_EQ(0, c.rc);
	close(other);
}

/* A guest in a thread. */
struct toucher {
	struct gmem_task task;
	int vm;
	int rc;
};

static void *toucher_main(void *arg)
{
	struct toucher *t = arg;

	t->rc = mock_op(t->vm, GMEM_TEST_OP_EXPECT, AT(2), 1, 'A', NULL);
	return NULL;
}

static void toucher_start(struct lookup_data *self, struct toucher *t,
			  uint32_t delay_ms)
{
	long long calls = mock_calls(self->vm, GMEM_TEST_MAP);

	t->vm = self->vm;
	ASSERT_EQ(0, mock_slow(self->vm, GMEM_TEST_MAP, delay_ms));
	ASSERT_EQ(0, gmem_task_start(&t->task, -1, toucher_main, t));
	ASSERT_EQ(0, mock_wait_calls(self->vm, GMEM_TEST_MAP, calls + 1));
	ASSERT_EQ(0, mock_slow(self->vm, GMEM_TEST_MAP, 0));
}

/*
 * A guest that waits for a conversion keeps no lock of the host: the conversion waits for
 * references as without it, and does not begin again.
 */
TEST_F(lookup, guest_waits_for_references)
{
	long long calls = mock_calls(self->vm, GMEM_TEST_INVALIDATE_START);
	struct converter c = { .fd = self->fd, .target = PRIVATE, .timeout_ms = SLOW_MS };
	struct toucher t = { .vm = self->vm };
	struct hold_pipe hold;

	ASSERT_EQ(0, hold_pipe_take(&hold, self->p + 9 * PAGE, PAGE));
	ASSERT_EQ(0, gmem_task_start(&c.task, -1, converter_main, &c));
	ASSERT_EQ(0, mock_wait_calls(self->vm, GMEM_TEST_INVALIDATE_START, calls + 1));
	ASSERT_EQ(0, gmem_task_start(&t.task, -1, toucher_main, &t));
	gmem_task_join(&t.task);
	EXPECT_EQ(0, t.rc);
	gmem_task_join(&c.task);
	EXPECT_EQ(-EAGAIN, c.rc);
	EXPECT_EQ(calls + 1, mock_calls(self->vm, GMEM_TEST_INVALIDATE_START));
	hold_pipe_drop(&hold);
}

static void on_alarm(int sig)
{
}

/* A signal ends the wait of a guest. */
TEST_F(lookup, interrupted)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct converter c = { .target = PRIVATE };
	struct toucher t = { .vm = self->vm };
	uint64_t start = ksft_now_ms();

	sigaction(SIGALRM, &sa, NULL);
	converter_start(self, &c, GMEM_TEST_MAKE_PRIVATE, 4000);
	ASSERT_EQ(0, gmem_task_start(&t.task, -1, toucher_main, &t));
	usleep(300000);
	pthread_kill(t.task.thread, SIGALRM);
	gmem_task_join(&t.task);
	EXPECT_EQ(-EINTR, t.rc);
	EXPECT_LT(ksft_now_ms() - start, 3500);
	gmem_task_join(&c.task);
	EXPECT_EQ(0, c.rc);
	expect_guest('A', self->vm, GPA, LENGTH);
}

/* The guest is slow between look-up and map: a conversion waits for it. */
TEST_F(lookup, slow_map)
{
	struct toucher t = { 0 };

	/* First remove the pages from the guest's page table. */
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	toucher_start(self, &t, SLOW_MS);
	EXPECT_EQ(0, gmem_convert_wait(self->fd, 0, LENGTH, SHARED, PRESERVE,
				       30000));
	gmem_task_join(&t.task);
	EXPECT_EQ(0, t.rc);
	expect_bytes('A', self->p, LENGTH);
	expect_guest('A', self->vm, GPA, LENGTH);
}

/* Unbind waits for look-ups. */
TEST_F(lookup, unbind_waits)
{
	uint64_t start = ksft_now_ms();

	test_mock_hold(self->vm, AT(1), 0, SLOW_MS);
	EXPECT_EQ(0, mock_unbind_late(self->vm, GPA));
	EXPECT_GE(ksft_now_ms() - start, SLOW_MS - 50);
	EXPECT_EQ(1, mock_calls(self->vm, GMEM_TEST_GONE));
	expect_bytes('A', self->p, LENGTH);
}

/* Many guests touch the same page at once: all get it, and it is mapped once. */
TEST_F(lookup, same_page)
{
	struct toucher t[8] = { 0 };
	struct gmem_test_count count;
	int i;

	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	ASSERT_EQ(0, mock_slow(self->vm, GMEM_TEST_MAP, 100));
	for (i = 0; i < 8; i++) {
		t[i].vm = self->vm;
		ASSERT_EQ(0, gmem_task_start(&t[i].task, -1, toucher_main,
					     &t[i]));
	}
	for (i = 0; i < 8; i++) {
		gmem_task_join(&t[i].task);
		EXPECT_EQ(0, t[i].rc);
	}
	ASSERT_EQ(0, mock_count(self->vm, &count));
	EXPECT_EQ(1, count.mapped);
	ASSERT_EQ(0, mock_slow(self->vm, GMEM_TEST_MAP, 0));
}

KSFT_NEEDS_CPUS(2)
TEST_HARNESS_MAIN_IF(mock_unavailable())
