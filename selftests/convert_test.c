// SPDX-License-Identifier: GPL-2.0
/*
 * GMEM_IOCTL_CONVERT without a guest: the cases of the in-place conversion suite proposed
 * for guest_memfd, contents, early success, all or nothing. Conversions of held pages are
 * in convert_wait_test and pins_test.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "hold.h"
#include "ksft.h"

#define NR_PAGES 8
#define LENGTH (NR_PAGES * PAGE)

FIXTURE(convert) {
	int fd;
	uint8_t *p;
};

FIXTURE_SETUP(convert)
{
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
}

FIXTURE_TEARDOWN(convert)
{
	munmap(self->p, LENGTH);
	close(self->fd);
}

static uint8_t *page(struct convert_data *self, int n)
{
	return self->p + n * PAGE;
}

/* Starts private: SIGBUS, shared reads 0, private and back keeps contents. */
TEST_F(convert, init_private)
{
	int fd = test_gmem_create(PAGE, 0);
	uint8_t *p = test_gmem_map(fd, 0, PAGE);

	expect_sigbus(p);
	test_gmem_convert(fd, 0, PAGE, SHARED, PRESERVE);
	expect_bytes(0, p, PAGE);
	gmem_fill(p, 'A', PAGE);
	test_gmem_convert(fd, 0, PAGE, PRIVATE, PRESERVE);
	expect_sigbus(p);
	test_gmem_convert(fd, 0, PAGE, SHARED, PRESERVE);
	expect_bytes('A', p, PAGE);
}

/* The same for a file that starts shared. */
TEST_F(convert, init_shared)
{
	expect_byte(0, self->p);
	gmem_fill(self->p, 'A', PAGE);
	test_gmem_convert(self->fd, 0, PAGE, PRIVATE, PRESERVE);
	expect_sigbus(self->p);
	expect_state(PRIVATE, self->fd, 0);
	test_gmem_convert(self->fd, 0, PAGE, SHARED, PRESERVE);
	expect_bytes('A', self->p, PAGE);
	gmem_fill(self->p, 'B', PAGE);
	test_gmem_convert(self->fd, 0, PAGE, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, 0, PAGE, SHARED, PRESERVE);
	expect_bytes('B', self->p, PAGE);
}

/* Exactly the requested page changes, from the highest index down. */
TEST_F(convert, indexing)
{
	int i, k;

	for (k = NR_PAGES - 1; k >= 0; k--) {
		for (i = 0; i < NR_PAGES; i++)
			gmem_fill(page(self, i), 0x20 + 16 * k + i, PAGE);
		test_gmem_convert(self->fd, k * PAGE, PAGE, PRIVATE, PRESERVE);
		for (i = 0; i < NR_PAGES; i++) {
			expect_state(i == k ? PRIVATE : SHARED, self->fd,
				     i * PAGE);
			if (i == k)
				expect_sigbus(page(self, i));
			else
				expect_bytes(0x20 + 16 * k + i, page(self, i),
					     PAGE);
		}
		test_gmem_convert(self->fd, k * PAGE, PAGE, SHARED, PRESERVE);
		for (i = 0; i < NR_PAGES; i++)
			expect_bytes(0x20 + 16 * k + i, page(self, i), PAGE);
	}
}

/* Pages beside the converted range keep state and contents. */
TEST_F(convert, surroundings)
{
	int i;

	gmem_fill(self->p, 0x42, LENGTH);
	test_gmem_convert(self->fd, 3 * PAGE, 2 * PAGE, PRIVATE, PRESERVE);
	for (i = 0; i < NR_PAGES; i++)
		expect_state(i == 3 || i == 4 ? PRIVATE : SHARED, self->fd,
			     i * PAGE);
	expect_bytes(0x42, self->p, 3 * PAGE);
	expect_bytes(0x42, page(self, 5), 3 * PAGE);
	test_gmem_convert(self->fd, 4 * PAGE, PAGE, SHARED, PRESERVE);
	expect_sigbus(page(self, 3));
	expect_bytes(0x42, page(self, 4), 4 * PAGE);
}

/* A conversion of pages without memory is recorded, and allocates no memory. */
TEST_F(convert, before_allocation)
{
	int fd = test_gmem_create(LENGTH, 0);
	uint8_t *p = test_gmem_map(fd, 0, LENGTH);
	struct gmem_ioctl_stat stat;

	test_gmem_convert(self->fd, 0, PAGE, PRIVATE, PRESERVE);
	test_gmem_convert(fd, 0, PAGE, SHARED, PRESERVE);
	test_gmem_stat(fd, &stat);
	EXPECT_EQ(0, stat.resident_pages);
	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(0, stat.resident_pages);
	expect_sigbus(self->p);
	expect_bytes(0, p, PAGE);
	expect_sigbus(p + PAGE);
	test_gmem_convert(self->fd, 0, PAGE, SHARED, PRESERVE);
	expect_bytes(0, self->p, PAGE);
}

/* Two of eight pages have memory; all are converted, and keep their contents. */
TEST_F(convert, unallocated_folios)
{
	int i, k;

	for (k = 0; k < NR_PAGES - 1; k++) {
		gmem_fill(page(self, k), 'A', PAGE);
		gmem_fill(page(self, k + 1), 'A', PAGE);
		test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
		EXPECT_EQ(2, gmem_populated(self->fd, 0, LENGTH));
		for (i = 0; i < NR_PAGES; i++) {
			expect_sigbus(page(self, i));
			test_gmem_convert(self->fd, i * PAGE, PAGE, SHARED,
					  PRESERVE);
			expect_bytes(i == k || i == k + 1 ? 'A' : 0,
				     page(self, i), PAGE);
		}
		test_gmem_punch(self->fd, 0, LENGTH);
	}
}

/* A hole punched in a shared or private page does not change its state. */
TEST_F(convert, truncate)
{
	gmem_fill(self->p, 'A', PAGE);
	test_gmem_punch(self->fd, 0, PAGE);
	expect_state(SHARED, self->fd, 0);
	expect_bytes(0, self->p, PAGE);
	gmem_fill(self->p, 'A', PAGE);
	test_gmem_convert(self->fd, 0, PAGE, PRIVATE, PRESERVE);
	test_gmem_punch(self->fd, 0, PAGE);
	expect_state(PRIVATE, self->fd, 0);
	expect_sigbus(self->p);
	test_gmem_convert(self->fd, 0, PAGE, SHARED, PRESERVE);
	expect_bytes(0, self->p, PAGE);
}

/* A forked child maps the page too: after the conversion both get SIGBUS. */
TEST_F(convert, forked_accesses)
{
	int go[2], done[2];
	char byte = 0;
	pid_t pid;

	ASSERT_EQ(0, pipe(go));
	ASSERT_EQ(0, pipe(done));
	gmem_fill(self->p, 'A', PAGE);
	pid = fork();
	if (!pid) {
		expect_byte('A', self->p);
		ASSERT_EQ(1, write(done[1], &byte, 1));
		ASSERT_EQ(1, read(go[0], &byte, 1));
		expect_sigbus(self->p);
		ASSERT_EQ(1, write(done[1], &byte, 1));
		ASSERT_EQ(1, read(go[0], &byte, 1));
		expect_bytes('A', self->p, PAGE);
		_exit(0);
	}
	ASSERT_EQ(1, read(done[0], &byte, 1));
	test_gmem_convert(self->fd, 0, PAGE, PRIVATE, PRESERVE);
	ASSERT_EQ(1, write(go[1], &byte, 1));
	ASSERT_EQ(1, read(done[0], &byte, 1));
	expect_sigbus(self->p);
	test_gmem_convert(self->fd, 0, PAGE, SHARED, PRESERVE);
	ASSERT_EQ(1, write(go[1], &byte, 1));
	EXPECT_EQ(0, gmem_wait_pid(pid));
	expect_bytes('A', self->p, PAGE);
}

/*
 * A long-term pin of page k: a range with it is refused with offset k; other pages
 * convert.
 */
TEST_F(convert, elevated_refcount)
{
	struct gmem_ioctl_convert c;
	int i, k, hold;

	for (k = 0; k < 4; k++) {
		gmem_fill(self->p, 'A' + k, 4 * PAGE);
		hold = hold_gup_take(page(self, k), PAGE);
		if (hold == -ENOENT)
			SKIP(return, KSFT_BY_DESIGN " no CONFIG_GUP_TEST");
		ASSERT_GE(hold, 0);
		c = (struct gmem_ioctl_convert){ .length = 4 * PAGE,
						 .target = PRIVATE };
		EXPECT_EQ(-EAGAIN, gmem_convert_args(self->fd, &c));
		EXPECT_EQ(k * PAGE, c.error_offset);
		EXPECT_EQ(GMEM_CONVERT_OUT_PINNED, c.out_flags);
		EXPECT_GT(c.refs_seen, c.refs_expected);
		EXPECT_EQ(0, c.mapcount);
		expect_bytes('A' + k, self->p, 4 * PAGE);
		test_err_gmem_convert(EAGAIN, self->fd, k * PAGE, PAGE,
				      PRIVATE, PRESERVE);
		for (i = 0; i < 4; i++)
			if (i != k)
				test_gmem_convert(self->fd, i * PAGE, PAGE,
						  PRIVATE, PRESERVE);
		expect_byte('A' + k, page(self, k));
		hold_gup_drop(hold);
		test_gmem_convert(self->fd, 0, 4 * PAGE, PRIVATE, PRESERVE);
		expect_sigbus(page(self, k));
		test_gmem_convert(self->fd, 0, 4 * PAGE, SHARED, PRESERVE);
		expect_bytes('A' + k, self->p, 4 * PAGE);
	}
}

/* PRESERVE keeps contents and frames, over many conversions in both directions. */
TEST_F(convert, preserve_keeps_frames)
{
	uint64_t pfn[NR_PAGES];
	int i, n;

	for (i = 0; i < NR_PAGES; i++) {
		gmem_fill(page(self, i), 0x30 + i, PAGE);
		pfn[i] = gmem_pfn(page(self, i));
		ASSERT_NE(0, pfn[i]);
	}
	for (n = 0; n < 10; n++) {
		test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
		EXPECT_EQ(NR_PAGES, gmem_populated(self->fd, 0, LENGTH));
		test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	}
	for (i = 0; i < NR_PAGES; i++) {
		expect_bytes(0x30 + i, page(self, i), PAGE);
		EXPECT_EQ(pfn[i], gmem_pfn(page(self, i)));
	}
}

/* ZERO to private: memory is freed, and new memory reads zero. */
TEST_F(convert, zero_to_private)
{
	struct gmem_ioctl_stat stat;

	gmem_fill(self->p, 'A', LENGTH);
	test_gmem_convert(self->fd, PAGE, 2 * PAGE, PRIVATE, ZERO);
	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(NR_PAGES - 2, stat.resident_pages);
	expect_sigbus(page(self, 1));
	EXPECT_EQ(0, gmem_populated(self->fd, PAGE, 2 * PAGE));
	test_gmem_convert(self->fd, PAGE, 2 * PAGE, SHARED, PRESERVE);
	expect_bytes('A', self->p, PAGE);
	expect_bytes(0, page(self, 1), 2 * PAGE);
	expect_bytes('A', page(self, 3), LENGTH - 3 * PAGE);
}

/* ZERO to shared: the host never sees the private contents. */
TEST_F(convert, zero_to_shared)
{
	struct gmem_ioctl_stat stat;

	gmem_fill(self->p, 'A', LENGTH);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, PAGE, 2 * PAGE, SHARED, ZERO);
	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(NR_PAGES - 2, stat.resident_pages);
	expect_bytes(0, page(self, 1), 2 * PAGE);
	expect_sigbus(self->p);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes('A', self->p, PAGE);
	expect_bytes(0, page(self, 1), 2 * PAGE);
}

/* ZERO does not free a held page. */
TEST_F(convert, zero_of_a_held_page)
{
	struct hold_pipe hold;
	uint8_t byte = 0;

	gmem_fill(self->p, 'A', 2 * PAGE);
	ASSERT_EQ(0, hold_pipe_take(&hold, page(self, 1), PAGE));
	test_err_gmem_convert(EAGAIN, self->fd, 0, 2 * PAGE, PRIVATE, ZERO);
	expect_bytes('A', self->p, 2 * PAGE);
	EXPECT_EQ(1, read(hold.rd, &byte, 1));
	EXPECT_EQ('A', byte);
	hold_pipe_drop(&hold);
	test_gmem_convert(self->fd, 0, 2 * PAGE, PRIVATE, ZERO);
	EXPECT_EQ(0, gmem_populated(self->fd, 0, 2 * PAGE));
}

/* A range that has the target state already succeeds, also if pages are held. */
TEST_F(convert, early_success)
{
	struct hold_pipe hold;

	gmem_fill(self->p, 'A', LENGTH);
	ASSERT_EQ(0, hold_pipe_take(&hold, self->p, PAGE));
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, ZERO);
	expect_bytes('A', self->p, LENGTH);
	hold_pipe_drop(&hold);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, ZERO);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes('A', self->p, LENGTH);
}

/* Pages that have the target state already are left alone, also by ZERO. */
TEST_F(convert, mixed_range)
{
	gmem_fill(self->p, 'A', LENGTH);
	test_gmem_convert(self->fd, 2 * PAGE, 2 * PAGE, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, ZERO);
	EXPECT_EQ(2, gmem_populated(self->fd, 0, LENGTH));
	test_gmem_convert(self->fd, 0, PAGE, SHARED, PRESERVE);
	gmem_fill(self->p, 'B', PAGE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, ZERO);
	expect_bytes('B', self->p, PAGE);
	expect_bytes(0, page(self, 1), LENGTH - PAGE);
}

/* A held page that is private already does not stop the conversion of the others. */
TEST_F(convert, held_page_outside)
{
	struct hold_pipe hold;

	gmem_fill(self->p, 'A', LENGTH);
	ASSERT_EQ(0, hold_pipe_take(&hold, page(self, 4), PAGE));
	test_gmem_convert(self->fd, 0, 4 * PAGE, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, 5 * PAGE, 3 * PAGE, PRIVATE, PRESERVE);
	expect_bytes('A', page(self, 4), PAGE);
	test_err_gmem_convert(EAGAIN, self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	expect_state(SHARED, self->fd, 4 * PAGE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes('A', self->p, LENGTH);
	hold_pipe_drop(&hold);
}

/* All or nothing: the error names the first held page, and no state changes. */
TEST_F(convert, error_offset_names_the_first)
{
	struct gmem_ioctl_convert c;
	struct hold_pipe a, b;
	int i;

	gmem_fill(self->p, 'A', LENGTH);
	ASSERT_EQ(0, hold_pipe_take(&a, page(self, 6), PAGE));
	ASSERT_EQ(0, hold_pipe_take(&b, page(self, 3), PAGE));
	c = (struct gmem_ioctl_convert){ .length = LENGTH, .target = PRIVATE };
	EXPECT_EQ(-EAGAIN, gmem_convert_args(self->fd, &c));
	EXPECT_EQ(3 * PAGE, c.error_offset);
	EXPECT_EQ(2, c.refs_expected);
	EXPECT_EQ(3, c.refs_seen);
	EXPECT_EQ(0, c.mapcount);
	EXPECT_EQ(0, c.out_flags);
	for (i = 0; i < NR_PAGES; i++)
		expect_state(SHARED, self->fd, i * PAGE);
	expect_bytes('A', self->p, LENGTH);
	hold_pipe_drop(&b);
	EXPECT_EQ(-EAGAIN, gmem_convert_args(self->fd, &c));
	EXPECT_EQ(6 * PAGE, c.error_offset);
	c.offset = 4 * PAGE;
	c.length = 4 * PAGE;
	EXPECT_EQ(-EAGAIN, gmem_convert_args(self->fd, &c));
	EXPECT_EQ(6 * PAGE, c.error_offset);
	hold_pipe_drop(&a);
	ASSERT_EQ(0, gmem_convert_args(self->fd, &c));
	EXPECT_EQ(c.offset, c.error_offset);
}

/* Held pages never stop a conversion to shared. */
TEST_F(convert, to_shared_has_no_condition)
{
	uint8_t *q = test_gmem_map(self->fd, 0, LENGTH);

	gmem_fill(self->p, 'A', LENGTH);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	ASSERT_EQ(0, madvise(q, LENGTH, MADV_RANDOM));
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes('A', q, LENGTH);
}

/* Ranges over several 2 MiB blocks, with ends inside blocks, and the last page. */
TEST_F(convert, across_blocks)
{
	int fd = test_gmem_create(3 * SZ_2M + 3 * PAGE, 0);
	uint8_t *p = test_gmem_map(fd, 0, 3 * SZ_2M + 3 * PAGE);
	struct gmem_range r[4];

	test_gmem_convert(fd, SZ_2M - PAGE, SZ_2M + 2 * PAGE, SHARED, PRESERVE);
	ASSERT_EQ(3, gmem_query_all(fd, r, 4));
	EXPECT_EQ(SZ_2M - PAGE, r[1].offset);
	EXPECT_EQ(SZ_2M + 2 * PAGE, r[1].length);
	EXPECT_EQ(SHARED, r[1].state);
	expect_sigbus(p + SZ_2M - 2 * PAGE);
	expect_byte(0, p + SZ_2M - PAGE);
	expect_byte(0, p + 2 * SZ_2M);
	expect_sigbus(p + 2 * SZ_2M + PAGE);
	test_gmem_convert(fd, 3 * SZ_2M + 2 * PAGE, PAGE, SHARED, PRESERVE);
	expect_byte(0, p + 3 * SZ_2M + 2 * PAGE);
	expect_sigbus(p + 3 * SZ_2M + PAGE);
	test_gmem_convert(fd, 0, 3 * SZ_2M + 3 * PAGE, SHARED, PRESERVE);
	ASSERT_EQ(1, gmem_query_all(fd, r, 4));
	test_gmem_convert(fd, 0, 3 * SZ_2M + 3 * PAGE, PRIVATE, PRESERVE);
	ASSERT_EQ(1, gmem_query_all(fd, r, 4));
	EXPECT_EQ(2 + 1, r[0].populated);
}

/* A TiB without memory, at the end of a file of 16 TiB, is converted quickly. */
TEST_F_TIMEOUT(convert, largest_file, 300)
{
	int fd = test_gmem_create(GMEM_LENGTH_MAX, 0);
	uint64_t start = ksft_now_ms();
	struct gmem_ioctl_stat stat;

	test_gmem_convert(fd, 15 * SZ_1T, SZ_1T, SHARED, PRESERVE);
	expect_state(SHARED, fd, GMEM_LENGTH_MAX - PAGE);
	expect_state(PRIVATE, fd, 15 * SZ_1T - PAGE);
	test_gmem_stat(fd, &stat);
	EXPECT_EQ(15 * SZ_1T / PAGE, stat.private_pages);
	test_gmem_convert(fd, 0, GMEM_LENGTH_MAX, PRIVATE, PRESERVE);
	test_gmem_stat(fd, &stat);
	EXPECT_EQ(GMEM_LENGTH_MAX / PAGE, stat.private_pages);
	TH_LOG("1 TiB to shared and back: %llu ms",
	       (unsigned long long)(ksft_now_ms() - start));
}

/* Short ranges around a block boundary, at every alignment, compared with a model. */
TEST_F(convert, random_ranges_against_model)
{
	int nr = 1100, fd = test_gmem_create(nr * PAGE, 0);
	uint8_t model[1100] = { 0 }, target;
	uint64_t rng = ksft_seed();
	int i, n, first, count;
	struct gmem_range *r = calloc(nr, sizeof(*r));

	ASSERT_TRUE(r);
	for (n = 0; n < 300; n++) {
		first = gmem_rand(&rng) % nr;
		count = 1 + gmem_rand(&rng) % (n % 3 ? 40 : nr);
		if (count > nr - first)
			count = nr - first;
		target = gmem_rand(&rng) & 1;
		test_gmem_convert(fd, first * PAGE, count * PAGE,
				  target ? SHARED : PRIVATE, n & 1);
		memset(model + first, target, count);
	}
	count = gmem_query_all(fd, r, nr);
	ASSERT_GT(count, 0);
	for (i = 0, n = 0; n < nr; n++) {
		if (n * PAGE >= r[i].offset + r[i].length)
			i++;
		ASSERT_LT(i, count);
		ASSERT_EQ(model[n] ? SHARED : PRIVATE, r[i].state);
	}
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
