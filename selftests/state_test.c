// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of the state map: at most 1.2 bits for each page in the worst case, nearly
 * nothing for uniform ranges; it is freed when a range becomes uniform again.
 */
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "ksft.h"

#define BLOCKS 8
#define BLOCK_PAGES (SZ_2M / PAGE)
#define LENGTH (BLOCKS * SZ_2M)
#define BITMAP_BYTES (BLOCK_PAGES / 8)
/* Maximum cost of an index entry: an xarray node has 576 bytes for 64 slots. */
#define ENTRY_BYTES 9
/* The index of this file: an entry for each block, and one for the root. */
#define INDEX_BYTES ((BLOCKS + 1) * ENTRY_BYTES)

FIXTURE(state) {
	int fd;
};

FIXTURE_SETUP(state)
{
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
}

FIXTURE_TEARDOWN(state)
{
	close(self->fd);
}

static uint64_t state_bytes(int fd)
{
	struct gmem_ioctl_stat stat;

	return gmem_stat(fd, &stat) ? ~0ULL : stat.state_bytes;
}

static uint64_t private_pages(int fd)
{
	struct gmem_ioctl_stat stat;

	return gmem_stat(fd, &stat) ? ~0ULL : stat.private_pages;
}

static void alternate(int fd, uint64_t offset, uint64_t pages)
{
	uint64_t i;

	for (i = 0; i < pages; i += 2)
		test_gmem_convert(fd, offset + i * PAGE, PAGE, PRIVATE,
				  PRESERVE);
}

/* A new file costs nothing, even the largest one. */
TEST_F(state, new_file)
{
	int fd = test_gmem_create(GMEM_LENGTH_MAX, 0);

	EXPECT_EQ(0, state_bytes(self->fd));
	EXPECT_EQ(0, state_bytes(fd));
}

/* The worst case, in which every page differs from its neighbour: 1.2 bits for each page. */
TEST_F(state, alternating)
{
	uint64_t bytes;

	alternate(self->fd, 0, BLOCKS * BLOCK_PAGES);
	bytes = state_bytes(self->fd);
	EXPECT_EQ(BLOCKS * BLOCK_PAGES / 2, private_pages(self->fd));
	EXPECT_GE(bytes, BLOCKS * BITMAP_BYTES);
	EXPECT_LE(bytes, BLOCKS * BITMAP_BYTES + INDEX_BYTES);
	EXPECT_LE(bytes * 8 * 10, BLOCKS * BLOCK_PAGES * 12);
}

/* Uniform blocks have no bitmap. */
TEST_F(state, uniform)
{
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	EXPECT_LE(state_bytes(self->fd), ENTRY_BYTES);
	test_gmem_convert(self->fd, SZ_2M, 2 * SZ_2M, SHARED, PRESERVE);
	EXPECT_LE(state_bytes(self->fd), INDEX_BYTES);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	EXPECT_LE(state_bytes(self->fd), ENTRY_BYTES);
}

/* A large file that is uniform in the other state costs nearly nothing. */
TEST_F(state, uniform_large)
{
	int fd = test_gmem_create(SZ_1T, 0);

	test_gmem_convert(fd, 0, SZ_1T, SHARED, PRESERVE);
	EXPECT_EQ(0, private_pages(fd));
	EXPECT_LE(state_bytes(fd), SZ_1T / SZ_1G * ENTRY_BYTES);
	test_gmem_convert(fd, SZ_1G + PAGE, PAGE, PRIVATE, PRESERVE);
	EXPECT_LE(state_bytes(fd), SZ_1T / SZ_1G * ENTRY_BYTES + BITMAP_BYTES +
		  SZ_1G / SZ_2M * ENTRY_BYTES);
}

/* Only a mixed block needs a bitmap. */
TEST_F(state, one_mixed_block)
{
	test_gmem_convert(self->fd, 3 * SZ_2M + 5 * PAGE, PAGE, PRIVATE,
			  PRESERVE);
	EXPECT_LE(state_bytes(self->fd), BITMAP_BYTES + INDEX_BYTES);
	test_gmem_convert(self->fd, 5 * SZ_2M + PAGE, SZ_2M, PRIVATE, PRESERVE);
	EXPECT_LE(state_bytes(self->fd), 3 * BITMAP_BYTES + INDEX_BYTES);
}

/* A block that becomes uniform again frees its bitmap, in either state. */
TEST_F(state, becomes_uniform)
{
	uint64_t i;

	alternate(self->fd, 0, BLOCK_PAGES);
	EXPECT_GE(state_bytes(self->fd), BITMAP_BYTES);
	for (i = 0; i < BLOCK_PAGES; i += 2)
		test_gmem_convert(self->fd, i * PAGE, PAGE, SHARED, PRESERVE);
	EXPECT_LE(state_bytes(self->fd), INDEX_BYTES);
	EXPECT_EQ(0, private_pages(self->fd));
	alternate(self->fd, 0, BLOCK_PAGES);
	for (i = 1; i < BLOCK_PAGES; i += 2)
		test_gmem_convert(self->fd, i * PAGE, PAGE, PRIVATE, PRESERVE);
	EXPECT_LE(state_bytes(self->fd), INDEX_BYTES);
	EXPECT_EQ(BLOCK_PAGES, private_pages(self->fd));
	test_gmem_convert(self->fd, 0, SZ_2M, SHARED, PRESERVE);
	EXPECT_LE(state_bytes(self->fd), ENTRY_BYTES);
}

/* A whole file in its initial state costs nothing again. */
TEST_F(state, back_to_initial)
{
	alternate(self->fd, SZ_2M - 20 * PAGE, 40);
	test_gmem_convert(self->fd, 4 * SZ_2M, SZ_2M, PRIVATE, PRESERVE);
	EXPECT_GT(state_bytes(self->fd), 0);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	EXPECT_EQ(0, state_bytes(self->fd));
}

/* A refused conversion leaves no memory allocated. */
TEST_F(state, refused_conversion)
{
	uint8_t *p = test_gmem_map(self->fd, 0, LENGTH);
	uint64_t before;
	int fds[2];

	p[3 * SZ_2M] = 1;
	ASSERT_EQ(0, pipe(fds));
	{
		struct iovec iov = { .iov_base = p + 3 * SZ_2M, .iov_len = 8 };

		ASSERT_EQ(8, vmsplice(fds[1], &iov, 1, 0));
	}
	before = state_bytes(self->fd);
	test_err_gmem_convert(EAGAIN, self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	EXPECT_EQ(before, state_bytes(self->fd));
	test_err_gmem_convert(EAGAIN, self->fd, SZ_2M + PAGE, 3 * SZ_2M,
			      PRIVATE, PRESERVE);
	EXPECT_LE(state_bytes(self->fd), before + INDEX_BYTES);
	EXPECT_EQ(0, private_pages(self->fd));
}

/* A short last block is uniform if all of its pages have one state. */
TEST_F(state, short_last_block)
{
	int fd = test_gmem_create(SZ_2M + 3 * PAGE, 0);

	EXPECT_EQ(BLOCK_PAGES + 3, private_pages(fd));
	test_gmem_convert(fd, SZ_2M, 3 * PAGE, SHARED, PRESERVE);
	EXPECT_LE(state_bytes(fd), 3 * ENTRY_BYTES);
	EXPECT_EQ(BLOCK_PAGES, private_pages(fd));
	test_gmem_convert(fd, SZ_2M + PAGE, PAGE, PRIVATE, PRESERVE);
	EXPECT_GE(state_bytes(fd), BITMAP_BYTES);
	test_gmem_convert(fd, SZ_2M, PAGE, PRIVATE, PRESERVE);
	test_gmem_convert(fd, SZ_2M + 2 * PAGE, PAGE, PRIVATE, PRESERVE);
	EXPECT_LE(state_bytes(fd), 3 * ENTRY_BYTES);
	EXPECT_EQ(BLOCK_PAGES + 3, private_pages(fd));
}

/* The counter of private pages changes with conversions, but not with holes. */
TEST_F(state, private_pages)
{
	uint64_t rng = ksft_seed(), first, count, i, expected;
	uint8_t *model = calloc(BLOCKS, BLOCK_PAGES);
	int n;

	ASSERT_TRUE(model);
	for (n = 0; n < 200; n++) {
		first = gmem_rand(&rng) % (BLOCKS * BLOCK_PAGES);
		count = 1 + gmem_rand(&rng) % 700;
		if (count > BLOCKS * BLOCK_PAGES - first)
			count = BLOCKS * BLOCK_PAGES - first;
		test_gmem_convert(self->fd, first * PAGE, count * PAGE, n % 2,
				  PRESERVE);
		memset(model + first, n % 2, count);
		test_gmem_punch(self->fd, first * PAGE, PAGE);
		for (i = 0, expected = 0; i < BLOCKS * BLOCK_PAGES; i++)
			expected += model[i];
		ASSERT_EQ(expected, private_pages(self->fd));
	}
	EXPECT_LE(state_bytes(self->fd), BLOCKS * BITMAP_BYTES + INDEX_BYTES);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
