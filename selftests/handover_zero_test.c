// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of an encrypted guest, as SNP has it: pages change hands without their
 * contents. The mock hypervisor keeps an RMP: a bit for each page that is the
 * guest's, which has to be clear before the host gets the page, and it complains
 * if it is not.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "hold.h"
#include "ksft.h"
#include "mock.h"

#define NR_PAGES 64
#define LENGTH (NR_PAGES * PAGE)
#define GPA 0x100000000ULL
#define AT(page) (GPA + (page) * PAGE)
#define ROUNDS 200

FIXTURE(encrypted) {
	int vm;
	int fd;
	uint8_t *p;
};

FIXTURE_SETUP(encrypted)
{
	self->vm = test_mock_create();
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	test_mock_bind(self->vm, GPA, self->fd, 0, LENGTH,
		       GMEM_TEST_BIND_F_ENCRYPTED);
}

FIXTURE_TEARDOWN(encrypted)
{
	expect_mock_kept(self->vm);
	close(self->vm);
	close(self->fd);
}

/* A page is in one place, or in none: never twice. */
static void expect_once(int fd)
{
	struct gmem_ioctl_stat stat;

	test_gmem_stat(fd, &stat);
	EXPECT_LE(stat.resident_pages + stat.store_pages,
		  (unsigned long long)NR_PAGES);
}

/* What a launch does: the host's bytes go, the guest's come from elsewhere. */
TEST_F(encrypted, launch)
{
	memset(self->p, 'H', LENGTH);
	test_gmem_convert(self->fd, 4 * PAGE, 8 * PAGE, PRIVATE, ZERO);
	expect_sigbus(self->p + 4 * PAGE);
	EXPECT_EQ(NR_PAGES - 8, gmem_populated(self->fd, 0, LENGTH));
	expect_guest(0, self->vm, AT(4), 8 * PAGE);
	test_mock_fill(self->vm, AT(4), 8 * PAGE, 'G');
	expect_guest('G', self->vm, AT(4), 8 * PAGE);
	expect_guest('H', self->vm, AT(12), PAGE);
	expect_once(self->fd);
}

/* There and back, many times: no byte of one side is seen by the other. */
TEST_F(encrypted, exchange)
{
	for (int i = 0; i < 8; i++) {
		memset(self->p, 'H', LENGTH);
		test_mock_convert(self->vm, GPA, LENGTH, PRIVATE, ZERO);
		expect_guest(0, self->vm, GPA, LENGTH);
		test_mock_fill(self->vm, GPA, LENGTH, 'G');
		expect_once(self->fd);
		test_mock_convert(self->vm, GPA, LENGTH, SHARED, ZERO);
		expect_bytes(0, self->p, LENGTH);
		expect_once(self->fd);
	}
}

/* A pinned page would be there twice with a VMM that discards: here it waits. */
TEST_F(encrypted, held)
{
	struct hold_pipe pipe;

	memset(self->p, 'H', LENGTH);
	ASSERT_EQ(0, hold_pipe_take(&pipe, self->p + 5 * PAGE, PAGE));
	test_err_mock_convert(EAGAIN, self->vm, GPA, LENGTH, PRIVATE, ZERO);
	expect_state(SHARED, self->fd, 5 * PAGE);
	expect_bytes('H', self->p, LENGTH);
	expect_once(self->fd);
	hold_pipe_drop(&pipe);
	test_mock_convert(self->vm, GPA, LENGTH, PRIVATE, ZERO);
	expect_guest(0, self->vm, GPA, LENGTH);
}

/* Bytes that only the guest can read cannot be preserved, in either direction. */
TEST_F(encrypted, preserve)
{
	memset(self->p, 'H', LENGTH);
	test_err_mock_convert(EOPNOTSUPP, self->vm, GPA, PAGE, PRIVATE,
			      PRESERVE);
	expect_byte('H', self->p);
	test_mock_convert(self->vm, GPA, PAGE, PRIVATE, ZERO);
	test_mock_fill(self->vm, GPA, PAGE, 'G');
	test_err_mock_convert(EOPNOTSUPP, self->vm, GPA, PAGE, SHARED, PRESERVE);
	expect_guest('G', self->vm, GPA, PAGE);
	expect_sigbus(self->p);
}

/* The hypervisor refuses half way: all is as before, but for what it was. */
TEST_F(encrypted, refused)
{
	test_mock_convert(self->vm, GPA, 8 * PAGE, PRIVATE, ZERO);
	test_mock_fill(self->vm, GPA, 8 * PAGE, 'G');
	ASSERT_EQ(0, mock_fail(self->vm, GMEM_TEST_MAKE_SHARED, 1, EIO, 3));
	test_err_mock_convert(EIO, self->vm, GPA, 8 * PAGE, SHARED, ZERO);
	expect_state(PRIVATE, self->fd, 0);
	expect_guest('G', self->vm, GPA, 8 * PAGE);
	test_mock_convert(self->vm, GPA, 8 * PAGE, SHARED, ZERO);
	expect_bytes(0, self->p, 8 * PAGE);
}

/* The VMM drops memory of the guest: it leaves the guest before. */
TEST_F(encrypted, punched)
{
	test_mock_convert(self->vm, GPA, LENGTH, PRIVATE, ZERO);
	test_mock_fill(self->vm, GPA, LENGTH, 'G');
	test_gmem_punch(self->fd, 2 * PAGE, 4 * PAGE);
	EXPECT_EQ(NR_PAGES - 4, gmem_populated(self->fd, 0, LENGTH));
	expect_guest(0, self->vm, AT(2), 4 * PAGE);
	expect_guest('G', self->vm, AT(6), PAGE);
	expect_state(PRIVATE, self->fd, 2 * PAGE);
}

/* Any ranges, in any order; what each side has last written is known. */
TEST_F(encrypted, random)
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
		expect_once(self->fd);
	}
	for (unsigned int at = 0; at < NR_PAGES; at++)
		if (states[at] == SHARED)
			expect_bytes(bytes[at], self->p + at * PAGE, PAGE);
		else
			expect_sigbus(self->p + at * PAGE);
}

TEST_HARNESS_MAIN_IF(mock_unavailable())
