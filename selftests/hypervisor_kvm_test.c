// SPDX-License-Identifier: GPL-2.0
/*
 * Two hypervisors in one conversion: KVM, whose private pages move to its guest_memfd,
 * and the mock, which refuses afterwards. Pages that have moved must come back, even if
 * KVM has allocated others in their place meanwhile.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "ksft.h"
#include "kvm_utils.h"
#include "mock.h"

#define NR_PAGES 12
#define LENGTH (NR_PAGES * PAGE)
#define GPA 0x40000000ULL

/* Pages 0-5 are bound to a guest_memfd, 6-11 to the mock. */
#define KVM_LENGTH (6 * PAGE)
#define MOCK_OFFSET KVM_LENGTH
#define MOCK_LENGTH (LENGTH - MOCK_OFFSET)

FIXTURE(mixed) {
	int vm;
	int store;
	int mock;
	int fd;
	uint8_t *p;
};

static void expect_contents(struct mixed_data *self)
{
	int i;

	for (i = 0; i < NR_PAGES; i++)
		expect_bytes('a' + i, self->p + i * PAGE, PAGE);
}

FIXTURE_SETUP(mixed)
{
	const char *why = kvm_store_unavailable();
	int i;

	if (why)
		SKIP(return, "%s", why);
	self->store = test_kvm_store(KVM_LENGTH, &self->vm);
	self->mock = test_mock_create();
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	for (i = 0; i < NR_PAGES; i++)
		gmem_fill(self->p + i * PAGE, 'a' + i, PAGE);
	test_gmem_bind(self->fd, 0, KVM_LENGTH, self->store, 0);
	test_mock_bind(self->mock, GPA, self->fd, MOCK_OFFSET, MOCK_LENGTH, 0);
}

FIXTURE_TEARDOWN(mixed)
{
	expect_mock_kept(self->mock);
	close(self->mock);
	close(self->fd);
	close(self->store);
	close(self->vm);
}

static void expect_refused(struct mixed_data *self, uint32_t target,
			   uint32_t content)
{
	struct gmem_ioctl_convert c = {
		.length = LENGTH,
		.target = target,
		.content = content,
	};
	int i;

	EXPECT_EQ(-EBUSY, gmem_convert_args(self->fd, &c));
	EXPECT_EQ(MOCK_OFFSET + 2 * PAGE, c.error_offset);
	for (i = 0; i < NR_PAGES; i++)
		expect_state(target == PRIVATE ? SHARED : PRIVATE, self->fd,
			     i * PAGE);
}

static unsigned long long store_pages(struct mixed_data *self)
{
	struct gmem_ioctl_stat stat = {};

	EXPECT_EQ(0, gmem_stat(self->fd, &stat));
	return stat.store_pages;
}

TEST_F(mixed, to_private)
{
	ASSERT_EQ(0, mock_fail(self->mock, GMEM_TEST_MAKE_PRIVATE, 1, EBUSY, 2));
	expect_refused(self, PRIVATE, PRESERVE);
	EXPECT_EQ(0, store_pages(self));
	expect_contents(self);

	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	EXPECT_EQ(6, store_pages(self));
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_contents(self);
}

/* With ZERO no contents are dropped before all hypervisors have agreed. */
TEST_F(mixed, to_private_zero)
{
	ASSERT_EQ(0, mock_fail(self->mock, GMEM_TEST_MAKE_PRIVATE, 1, EBUSY, 2));
	expect_refused(self, PRIVATE, ZERO);
	expect_contents(self);
}

TEST_F(mixed, to_shared)
{
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	ASSERT_EQ(0, mock_fail(self->mock, GMEM_TEST_MAKE_SHARED, 1, EBUSY, 2));
	expect_refused(self, SHARED, PRESERVE);
	EXPECT_EQ(6, store_pages(self));
	expect_sigbus(self->p);

	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	EXPECT_EQ(0, store_pages(self));
	expect_contents(self);
}

TEST_F(mixed, to_shared_zero)
{
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	ASSERT_EQ(0, mock_fail(self->mock, GMEM_TEST_MAKE_SHARED, 1, EBUSY, 2));
	expect_refused(self, SHARED, ZERO);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_contents(self);
}

static void *commit_store(void *arg)
{
	struct mixed_data *self = arg;

	/* KVM's pages have moved to gmem, so their places are free. */
	if (mock_wait_calls(self->mock, GMEM_TEST_MAKE_SHARED, 1))
		return (void *)1;
	return (void *)(intptr_t)fallocate(self->store, FALLOC_FL_KEEP_SIZE, 0,
					   KVM_LENGTH);
}

/* A thread allocates pages in the free places during the conversion, and loses them. */
TEST_F(mixed, to_shared_seats_taken)
{
	struct gmem_test_knob slow_and_failing = {
		.size = sizeof(slow_and_failing),
		.method = GMEM_TEST_MAKE_SHARED,
		.delay_ms = 1000,
		.nth = 1,
		.error = EBUSY,
		.pages = 2,
	};
	struct gmem_task task;

	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	ASSERT_EQ(0, gmem_ioctl(self->mock, GMEM_TEST_KNOB, &slow_and_failing));
	ASSERT_EQ(0, gmem_task_start(&task, -1, commit_store, self));
	expect_refused(self, SHARED, PRESERVE);
	EXPECT_EQ(NULL, gmem_task_join(&task));
	EXPECT_EQ(6, store_pages(self));

	ASSERT_EQ(0, mock_slow(self->mock, GMEM_TEST_MAKE_SHARED, 0));
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_contents(self);
}

TEST_HARNESS_MAIN_IF(mock_unavailable())
