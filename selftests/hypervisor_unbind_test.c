// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a binding: whom it waits for and whom it does not keep waiting. And
 * a memory error, which is told when nobody has the page in his hands any more.
 */
#include <fcntl.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "hold.h"
#include "ksft.h"
#include "mock.h"
#include "poison.h"

#define NR_PAGES 8
#define LENGTH (NR_PAGES * PAGE)
#define GPA 0x300000000ULL
#define AT(page) (GPA + (page) * PAGE)
#define NR_CONVERTERS 4

FIXTURE(unbind) {
	int vm;
	int fd;
	uint8_t *p;
};

FIXTURE_SETUP(unbind)
{
	self->vm = test_mock_create();
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	gmem_fill(self->p, 'A', LENGTH);
	test_mock_bind(self->vm, GPA, self->fd, 0, LENGTH, 0);
	expect_guest('A', self->vm, GPA, LENGTH);
}

FIXTURE_TEARDOWN(unbind)
{
	expect_mock_kept(self->vm);
	close(self->vm);
	close(self->fd);
}

struct caller {
	struct gmem_task task;
	int vm;
	int fd;
	int rc;
	int done;
};

static void *convert_main(void *arg)
{
	struct caller *caller = arg;

	caller->rc = gmem_convert_wait(caller->fd, 0, LENGTH, PRIVATE, PRESERVE,
				       GMEM_CONVERT_TIMEOUT_MAX);
	__atomic_store_n(&caller->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void *unbind_main(void *arg)
{
	struct caller *caller = arg;

	caller->rc = mock_unbind(caller->vm, GPA);
	__atomic_store_n(&caller->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* Nobody who can pin a page keeps a VM from its end by converting. */
TEST_F(unbind, converters_make_haste)
{
	struct caller converters[NR_CONVERTERS] = {};
	struct hold_pipe hold;
	uint64_t start;
	int i;

	ASSERT_EQ(0, hold_pipe_take(&hold, self->p, PAGE));
	for (i = 0; i < NR_CONVERTERS; i++) {
		converters[i].fd = self->fd;
		ASSERT_EQ(0, gmem_task_start(&converters[i].task, -1,
					     convert_main, &converters[i]));
	}
	usleep(300000);
	EXPECT_FALSE(__atomic_load_n(&converters[0].done, __ATOMIC_ACQUIRE));
	start = ksft_now_ms();
	test_mock_unbind(self->vm, GPA);
	EXPECT_LT(ksft_now_ms() - start, 10000);

	hold_pipe_drop(&hold);
	for (i = 0; i < NR_CONVERTERS; i++) {
		gmem_task_join(&converters[i].task);
		EXPECT_TRUE(!converters[i].rc || converters[i].rc == -EAGAIN);
	}
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
}

/* release() may take its time: the range is everybody's again. */
TEST_F(unbind, release_holds_nobody_up)
{
	struct caller unbinder = { .vm = self->vm };

	ASSERT_EQ(0, mock_slow(self->vm, GMEM_TEST_GONE, 3000));
	ASSERT_EQ(0, gmem_task_start(&unbinder.task, -1, unbind_main, &unbinder));
	ASSERT_EQ(0, mock_wait_calls(self->vm, GMEM_TEST_GONE, 1));
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes('A', self->p, LENGTH);
	EXPECT_FALSE(__atomic_load_n(&unbinder.done, __ATOMIC_ACQUIRE));
	gmem_task_join(&unbinder.task);
	EXPECT_EQ(0, unbinder.rc);
}

/* The task that the error hits has a signal pending, and must wait all the same. */
TEST_F(unbind, error_waits_for_look_up)
{
	const char *why = poison_unavailable();
	struct poison_signal signal;
	uint64_t pfn = gmem_pfn(self->p + 3 * PAGE);
	uint64_t start;

	if (why)
		SKIP(return, "%s", why);
	test_mock_hold(self->vm, AT(3), 0, 700);
	start = ksft_now_ms();
	EXPECT_EQ(0, poison_mapped(self->p + 3 * PAGE, &signal));
	EXPECT_GE(ksft_now_ms() - start, 500);
	EXPECT_EQ(1, mock_calls(self->vm, GMEM_TEST_ERROR));
	EXPECT_EQ(-EHWPOISON, mock_hold(self->vm, AT(3), 0, 100));
	expect_guest('A', self->vm, GPA, 3 * PAGE);
	test_gmem_punch(self->fd, 3 * PAGE, PAGE);
	poison_undo(pfn);
}

KSFT_NEEDS_CPUS(2)
TEST_HARNESS_MAIN_IF(mock_unavailable())
