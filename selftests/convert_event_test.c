// SPDX-License-Identifier: GPL-2.0
/*
 * GMEM_CONVERT_F_EVENT: after a refused conversion an eventfd is signalled as soon as the
 * held page is free.
 */
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "hold.h"
#include "ksft.h"

#define NR_PAGES 8
#define LENGTH (NR_PAGES * PAGE)
#define SOON_MS 5000

FIXTURE(event) {
	int fd;
	int event;
	uint8_t *p;
	struct hold_pipe hold;
};

/* Page 3 is held. */
FIXTURE_SETUP(event)
{
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	gmem_fill(self->p, 'A', LENGTH);
	self->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_GE(self->event, 0);
	ASSERT_EQ(0, hold_pipe_take(&self->hold, self->p + 3 * PAGE, PAGE));
}

FIXTURE_TEARDOWN(event)
{
	close(self->event);
	close(self->fd);
}

static int convert_event(int fd, int event, uint64_t offset, uint64_t length)
{
	struct gmem_ioctl_convert c = {
		.flags = GMEM_CONVERT_F_EVENT,
		.offset = offset,
		.length = length,
		.target = PRIVATE,
		.content = PRESERVE,
		.event_fd = event,
	};

	return gmem_convert_args(fd, &c);
}

/* Return: how often the eventfd was signalled within the timeout. */
static unsigned long long signalled(int event, int timeout_ms)
{
	struct pollfd p = { .fd = event, .events = POLLIN };
	uint64_t value = 0;

	if (poll(&p, 1, timeout_ms) == 1 &&
	    read(event, &value, sizeof(value)) != sizeof(value))
		return ~0ULL;
	return value;
}

/* The event comes once, when the page is free and not before; then CONVERT succeeds. */
TEST_F(event, held_page)
{
	EXPECT_EQ(-EAGAIN, convert_event(self->fd, self->event, 0, LENGTH));
	EXPECT_EQ(0, signalled(self->event, 200));
	expect_bytes('A', self->p, LENGTH);
	hold_pipe_drop(&self->hold);
	EXPECT_EQ(1, signalled(self->event, SOON_MS));
	EXPECT_EQ(0, signalled(self->event, 100));
	EXPECT_EQ(0, convert_event(self->fd, self->event, 0, LENGTH));
	EXPECT_EQ(0, signalled(self->event, 100));
	expect_state(PRIVATE, self->fd, 3 * PAGE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes('A', self->p, LENGTH);
}

/* The event also comes when the page is punched, or when the memory goes away. */
TEST_F(event, page_goes)
{
	EXPECT_EQ(-EAGAIN, convert_event(self->fd, self->event, 0, LENGTH));
	test_gmem_punch(self->fd, 3 * PAGE, PAGE);
	EXPECT_EQ(1, signalled(self->event, SOON_MS));
	hold_pipe_drop(&self->hold);
}

TEST_F(event, memory_goes)
{
	EXPECT_EQ(-EAGAIN, convert_event(self->fd, self->event, 0, LENGTH));
	munmap(self->p, LENGTH);
	close(self->fd);
	EXPECT_EQ(1, signalled(self->event, SOON_MS));
	hold_pipe_drop(&self->hold);
	self->fd = -1;
}

/* The eventfd is closed before the page is free. */
TEST_F(event, event_goes)
{
	EXPECT_EQ(-EAGAIN, convert_event(self->fd, self->event, 0, LENGTH));
	close(self->event);
	self->event = -1;
	hold_pipe_drop(&self->hold);
	usleep(100000);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
}

/* Calls with another result than EAGAIN use no resources, even when repeated often. */
TEST_F(event, only_for_eagain)
{
	for (int i = 0; i < 2 * GMEM_CONVERT_MAX_EVENTS; i++) {
		EXPECT_EQ(0, convert_event(self->fd, self->event, 4 * PAGE, PAGE));
		EXPECT_EQ(-EINVAL, convert_event(self->fd, self->event, 1, PAGE));
	}
	EXPECT_EQ(0, signalled(self->event, 100));
	hold_pipe_drop(&self->hold);
}

/* The number of pending events is limited; each signal makes room for another one. */
TEST_F(event, limit)
{
	for (int i = 0; i < GMEM_CONVERT_MAX_EVENTS; i++)
		ASSERT_EQ(-EAGAIN, convert_event(self->fd, self->event, 3 * PAGE,
						 PAGE));
	EXPECT_EQ(-EBUSY, convert_event(self->fd, self->event, 3 * PAGE, PAGE));
	EXPECT_EQ(0, signalled(self->event, 100));
	hold_pipe_drop(&self->hold);
	usleep(300000);
	EXPECT_EQ(GMEM_CONVERT_MAX_EVENTS, signalled(self->event, SOON_MS));
	EXPECT_EQ(0, convert_event(self->fd, self->event, 3 * PAGE, PAGE));
}

/* An fd that is no eventfd or not open, and an fd without the flag. */
TEST_F(event, refused)
{
	struct gmem_ioctl_convert c = {
		.length = LENGTH,
		.target = PRIVATE,
		.event_fd = self->event,
	};

	EXPECT_EQ(-EBADF, convert_event(self->fd, -1, 0, LENGTH));
	EXPECT_EQ(-EBADF, convert_event(self->fd, 1000, 0, LENGTH));
	EXPECT_EQ(-EINVAL, convert_event(self->fd, self->fd, 0, LENGTH));
	EXPECT_EQ(-EINVAL, gmem_convert_args(self->fd, &c));
	hold_pipe_drop(&self->hold);
	expect_state(SHARED, self->fd, 0);
	EXPECT_EQ(0, signalled(self->event, 50));
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
