// SPDX-License-Identifier: GPL-2.0
/*
 * Basic use of views: populating them, and conversions of their pages.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "gmem_view.h"
#include "hold.h"
#include "ksft.h"

#define NR_PAGES 32
#define LENGTH (NR_PAGES * PAGE)

FIXTURE(view) {
	int fd;
	int view;
	uint8_t *p;
	uint8_t *v;
};

FIXTURE_SETUP(view)
{
	const char *why = gmem_view_unavailable();

	if (why)
		SKIP(return, "%s", why);
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	self->view = test_gmem_view(self->fd, 0, LENGTH);
	self->v = test_gmem_view_map(self->view, 0, LENGTH);
}

FIXTURE_TEARDOWN(view)
{
	munmap(self->v, LENGTH);
	munmap(self->p, LENGTH);
	close(self->view);
	close(self->fd);
}

/* No page is in the view before it is populated; afterwards shared pages are accessible. */
TEST_F(view, populate)
{
	gmem_fill(self->p, 0x41, 2 * PAGE);
	expect_sigsegv(self->v);
	EXPECT_EQ(2, gmem_view_populate(self->view, self->v, LENGTH, NOALLOC));
	expect_byte(0x41, self->v + PAGE);
	expect_sigsegv(self->v + 2 * PAGE);
	EXPECT_EQ(2, gmem_populated(self->fd, 0, LENGTH));
	EXPECT_EQ(NR_PAGES - 2, gmem_view_populate(self->view, self->v, LENGTH, 0));
	EXPECT_EQ(0, gmem_view_populate(self->view, self->v, LENGTH, 0));
	expect_bytes(0, self->v + 2 * PAGE, LENGTH - 2 * PAGE);
	gmem_fill(self->v, 0x42, LENGTH);
	expect_bytes(0x42, self->p, LENGTH);
}

/* Conversion to private prevents access of the host, and conversion to shared permits it. */
TEST_F(view, convert)
{
	gmem_fill(self->p, 0x41, LENGTH);
	EXPECT_EQ(NR_PAGES, gmem_view_populate(self->view, self->v, LENGTH, 0));
	test_gmem_convert(self->fd, PAGE, 2 * PAGE, PRIVATE, PRESERVE);
	expect_sigsegv(self->v + PAGE);
	expect_sigsegv(self->v + 3 * PAGE - 1);
	expect_byte(0x41, self->v);
	expect_byte(0x41, self->v + 3 * PAGE);
	/* The private page is still in the view. */
	EXPECT_EQ(0, gmem_view_populate(self->view, self->v, LENGTH, 0));
	test_gmem_convert(self->fd, PAGE, 2 * PAGE, SHARED, PRESERVE);
	expect_bytes(0x41, self->v, LENGTH);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
