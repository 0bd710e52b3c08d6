// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages a view has after VIEW_POPULATE, complete or interrupted, and after
 * conversions, holes and other changes: for single pages, and for blocks with one page
 * table entry.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "cgroup.h"
#include "gmem_view.h"
#include "hold.h"
#include "ksft.h"

#define BLOCK (SZ_2M / PAGE)
#define LENGTH (4 * SZ_2M)
#define NR_PAGES (LENGTH / PAGE)
#define BIG_LENGTH (64 * SZ_2M)

FIXTURE(fill) {
	int fd;
	int view;
	uint8_t *p;
	uint8_t *v;
};

FIXTURE_SETUP(fill)
{
	const char *why = gmem_view_unavailable();

	if (why)
		SKIP(return, "%s", why);
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	self->view = test_gmem_view(self->fd, 0, LENGTH);
	self->v = test_gmem_view_map(self->view, 0, LENGTH);
}

FIXTURE_TEARDOWN(fill)
{
	munmap(self->v, LENGTH);
	munmap(self->p, LENGTH);
	close(self->view);
	close(self->fd);
}

#define expect_missing(n, self)						\
	EXPECT_EQ(n, gmem_view_populate((self)->view, (self)->v, LENGTH, NOALLOC))

/* Write different contents to each page. */
static void write_pages(struct fill_data *self)
{
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++)
		*(volatile uint32_t *)(self->p + i * PAGE) = i + 1;
}

/* The view has all pages with their contents; [first, last) are private. */
static void expect_pages(struct fill_data *self, unsigned int first,
			 unsigned int last)
{
	unsigned int i, wrong = 0;
	uint32_t got;
	int sig;

	for (i = 0; i < NR_PAGES; i++) {
		sig = gmem_try_copy(&got, self->v + i * PAGE, sizeof(got));
		if (i >= first && i < last)
			wrong += sig != SIGSEGV;
		else
			wrong += sig || got != i + 1;
	}
	EXPECT_EQ(0, wrong);
}

/* Return: size of page tables in KiB. */
static long page_tables(void)
{
	char text[4096], *at;

	if (gmem_read_file("/proc/self/status", text, sizeof(text)) < 0)
		return -1;
	at = strstr(text, "VmPTE:");
	return at ? strtol(at + 6, NULL, 10) : -1;
}

/* Populate block @i. Return: whether it is one entry, which needs no page table. */
static bool populate_block(struct fill_data *self, unsigned int i)
{
	long before = page_tables();

	EXPECT_EQ(BLOCK, gmem_view_populate(self->view, self->v + i * SZ_2M,
					    SZ_2M, 0));
	return page_tables() == before;
}

/* Populate only pages with memory; only missing pages; only the requested range. */
TEST_F(fill, noalloc)
{
	self->p[0] = 1;
	self->p[7 * PAGE] = 1;
	EXPECT_EQ(1, gmem_view_populate(self->view, self->v, 4 * PAGE, NOALLOC));
	expect_sigsegv(self->v + 7 * PAGE);
	expect_missing(1, self);
	EXPECT_EQ(2, gmem_populated(self->fd, 0, LENGTH));
	EXPECT_EQ(3, gmem_view_populate(self->view, self->v + 6 * PAGE,
					4 * PAGE, 0));
	EXPECT_EQ(5, gmem_populated(self->fd, 0, LENGTH));
	expect_missing(0, self);
	expect_byte(0, self->v + 6 * PAGE);
	expect_sigsegv(self->v + 5 * PAGE);
	expect_sigsegv(self->v + 10 * PAGE);
}

/* The cursor of a call that populates the whole range. */
TEST_F(fill, cursor)
{
	struct gmem_ioctl_view_populate p = {
		.address = (uintptr_t)self->v + PAGE,
		.length = SZ_2M,
	};

	EXPECT_EQ(0, gmem_view_populate_args(self->view, &p));
	EXPECT_EQ((uintptr_t)self->v + PAGE + SZ_2M, p.address);
	EXPECT_EQ(0, p.length);
	EXPECT_EQ(BLOCK, p.pages);
	/* Outputs must be zero as inputs. */
	p.length = PAGE;
	EXPECT_EQ(-EINVAL, gmem_view_populate_args(self->view, &p));
	EXPECT_EQ(BLOCK, p.pages);
	EXPECT_EQ((uintptr_t)self->v + PAGE + SZ_2M, p.address);
}

/* Parts of a view at any offset, mapped at any address. */
TEST_F(fill, unaligned)
{
	uint8_t *area = mmap(NULL, 3 * SZ_2M, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *w;
	int shift;

	munmap(self->v, LENGTH);
	write_pages(self);
	for (shift = -3; shift <= 3; shift++) {
		w = area + SZ_2M + shift * (int)PAGE;
		ASSERT_EQ(w, mmap(w, SZ_2M + PAGE, PROT_NONE,
				  MAP_SHARED | MAP_FIXED, self->view,
				  SZ_2M - PAGE));
		EXPECT_EQ(BLOCK + 1, gmem_view_populate(self->view, w,
							SZ_2M + PAGE, 0));
		EXPECT_EQ(BLOCK, *(uint32_t *)w);
		EXPECT_EQ(2 * BLOCK, *(uint32_t *)(w + SZ_2M));
		test_gmem_convert(self->fd, SZ_2M, PAGE, PRIVATE, PRESERVE);
		expect_sigsegv(w + PAGE);
		EXPECT_EQ(BLOCK, *(uint32_t *)w);
		EXPECT_EQ(BLOCK + 2, *(uint32_t *)(w + 2 * PAGE));
		test_gmem_convert(self->fd, SZ_2M, PAGE, SHARED, PRESERVE);
		EXPECT_EQ(BLOCK + 1, *(uint32_t *)(w + PAGE));
		munmap(w, SZ_2M + PAGE);
	}
}

/* Holes: contents and entries are gone, states stay, new pages are zero. */
TEST_F(fill, hole)
{
	write_pages(self);
	ASSERT_EQ(NR_PAGES, gmem_view_populate(self->view, self->v, LENGTH, 0));
	test_gmem_convert(self->fd, 4 * PAGE, 4 * PAGE, PRIVATE, PRESERVE);
	test_gmem_punch(self->fd, 2 * PAGE, 4 * PAGE);
	expect_sigsegv(self->v + 2 * PAGE);
	expect_missing(0, self);
	EXPECT_EQ(4, gmem_view_populate(self->view, self->v, LENGTH, 0));
	expect_bytes(0, self->v + 2 * PAGE, 2 * PAGE);
	expect_sigsegv(self->v + 4 * PAGE);
	test_gmem_convert(self->fd, 4 * PAGE, 4 * PAGE, SHARED, PRESERVE);
	expect_bytes(0, self->v + 4 * PAGE, 2 * PAGE);
	EXPECT_EQ(7, *(uint32_t *)(self->v + 6 * PAGE));
	EXPECT_EQ(2, *(uint32_t *)(self->v + PAGE));
}

/* Conversions with ZERO remove entries. */
TEST_F(fill, zero)
{
	write_pages(self);
	ASSERT_EQ(NR_PAGES, gmem_view_populate(self->view, self->v, LENGTH, 0));
	test_gmem_convert(self->fd, 0, 4 * PAGE, PRIVATE, ZERO);
	expect_missing(0, self);
	test_gmem_convert(self->fd, 8 * PAGE, 4 * PAGE, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, 8 * PAGE, 4 * PAGE, SHARED, ZERO);
	expect_sigsegv(self->v + 8 * PAGE);
	expect_missing(0, self);
	EXPECT_EQ(8, gmem_view_populate(self->view, self->v, LENGTH, 0));
	expect_bytes(0, self->v + 8 * PAGE, 4 * PAGE);
	expect_sigsegv(self->v);
	test_gmem_convert(self->fd, 0, 4 * PAGE, SHARED, PRESERVE);
	expect_bytes(0, self->v, 4 * PAGE);
}

/* Commit fills the view with the committed pages, in either state, and with no others. */
TEST_F(fill, committed)
{
	struct gmem_ioctl_stat stat;

	test_gmem_commit(self->fd, SZ_2M, 2 * PAGE);
	expect_bytes(0, self->v + SZ_2M, 2 * PAGE);
	expect_sigsegv(self->v + SZ_2M + 2 * PAGE);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_gmem_commit(self->fd, 0, 4 * PAGE);
	EXPECT_EQ(6, gmem_populated(self->fd, 0, LENGTH));
	expect_missing(0, self);
	test_gmem_stat(self->fd, &stat);
	/* Two of them count twice, because they were converted. */
	EXPECT_EQ(8, stat.view_refills);
	EXPECT_EQ(8, stat.view_pages);
	EXPECT_EQ(4, gmem_view_populate(self->view, self->v + 4 * PAGE,
					4 * PAGE, 0));
	test_gmem_commit(self->fd, 8 * PAGE, 4 * PAGE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes(0, self->v, 12 * PAGE);
	expect_sigsegv(self->v + 12 * PAGE);
}

/* Several ranges in one conversion. */
TEST_F(fill, ranges)
{
	struct gmem_convert_range ranges[] = {
		{ PAGE, 2 * PAGE }, { SZ_2M - PAGE, 2 * PAGE },
		{ 3 * SZ_2M, SZ_2M },
	};
	struct gmem_ioctl_convert c = {
		.flags = GMEM_CONVERT_F_RANGES,
		.target = PRIVATE,
		.ranges = (uintptr_t)ranges,
		.nr_ranges = 3,
	};

	write_pages(self);
	ASSERT_EQ(NR_PAGES, gmem_view_populate(self->view, self->v, LENGTH, 0));
	ASSERT_EQ(0, gmem_convert_args(self->fd, &c));
	expect_missing(0, self);
	expect_sigsegv(self->v + PAGE);
	expect_sigsegv(self->v + SZ_2M);
	expect_sigsegv(self->v + 3 * SZ_2M);
	EXPECT_EQ(1, *(uint32_t *)self->v);
	EXPECT_EQ(4, *(uint32_t *)(self->v + 3 * PAGE));
	c.target = SHARED;
	ASSERT_EQ(0, gmem_convert_args(self->fd, &c));
	expect_pages(self, 0, 0);
}

/* A conversion that fails does not change the view. */
TEST_F(fill, refused)
{
	static const unsigned int held[] = { 0, 5, BLOCK - 1, BLOCK, BLOCK + 9,
					     NR_PAGES - 1 };
	struct hold_pipe hold;
	size_t i;

	write_pages(self);
	ASSERT_EQ(NR_PAGES, gmem_view_populate(self->view, self->v, LENGTH, 0));
	for (i = 0; i < sizeof(held) / sizeof(*held); i++) {
		ASSERT_EQ(0, hold_pipe_take(&hold, self->p + held[i] * PAGE,
					    PAGE));
		test_err_gmem_convert(EAGAIN, self->fd, 0, LENGTH, PRIVATE,
				      PRESERVE);
		expect_pages(self, 0, 0);
		EXPECT_EQ(-EAGAIN, gmem_convert_wait(self->fd, 0, LENGTH,
						     PRIVATE, ZERO, 20));
		expect_pages(self, 0, 0);
		hold_pipe_drop(&hold);
	}
	expect_missing(0, self);
}

/* The second of two ranges fails: the first one is filled again, too. */
TEST_F(fill, refused_ranges)
{
	struct gmem_convert_range ranges[] = {
		{ PAGE, 2 * PAGE }, { SZ_2M, SZ_2M + 3 * PAGE },
	};
	struct gmem_ioctl_convert c = {
		.flags = GMEM_CONVERT_F_RANGES,
		.target = PRIVATE,
		.ranges = (uintptr_t)ranges,
		.nr_ranges = 2,
	};
	struct hold_pipe hold;

	write_pages(self);
	ASSERT_EQ(NR_PAGES, gmem_view_populate(self->view, self->v, LENGTH, 0));
	ASSERT_EQ(0, hold_pipe_take(&hold, self->p + 2 * SZ_2M + PAGE, PAGE));
	EXPECT_EQ(-EAGAIN, gmem_convert_args(self->fd, &c));
	EXPECT_EQ(2 * SZ_2M + PAGE, c.error_offset);
	expect_pages(self, 0, 0);
	expect_missing(0, self);
	hold_pipe_drop(&hold);
}

/* A block is one entry, and one of its pages is converted: the others stay in the view. */
TEST_F(fill, block_convert)
{
	static const unsigned int pages[] = { 0, 7, BLOCK - 1 };
	unsigned int i, at;
	bool huge;

	populate_block(self, 0);
	huge = populate_block(self, 1);
	TH_LOG("a block is %s", huge ? "one entry" : "single pages");
	populate_block(self, 2);
	populate_block(self, 3);
	write_pages(self);
	expect_pages(self, 0, 0);
	for (i = 0; i < 3; i++) {
		at = (i + 1) * BLOCK + pages[i];
		test_gmem_convert(self->fd, at * PAGE, PAGE, PRIVATE, PRESERVE);
		expect_pages(self, at, at + 1);
		expect_missing(0, self);
		test_gmem_convert(self->fd, at * PAGE, PAGE, SHARED, PRESERVE);
		expect_pages(self, 0, 0);
	}
	expect_missing(0, self);
}

/* Memory that is allocated for a view is contiguous, and becomes one entry. */
TEST_F(fill, block_is_one_entry)
{
	char enabled[64] = "";

	gmem_read_file("/sys/kernel/mm/transparent_hugepage/enabled", enabled,
		       sizeof(enabled));
	if (!*enabled || strstr(enabled, "[never]"))
		SKIP(return, KSFT_BY_DESIGN " no large entries of page tables");
	populate_block(self, 0);
	EXPECT_TRUE(populate_block(self, 1) || populate_block(self, 2) ||
		    populate_block(self, 3));
}

/* Several blocks are converted as a whole, in both directions. */
TEST_F(fill, blocks_convert)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		populate_block(self, i);
	write_pages(self);
	for (i = 0; i < 3; i++) {
		test_gmem_convert(self->fd, SZ_2M, 2 * SZ_2M, PRIVATE, PRESERVE);
		expect_pages(self, BLOCK, 3 * BLOCK);
		test_gmem_convert(self->fd, SZ_2M + PAGE, SZ_2M, SHARED, PRESERVE);
		expect_missing(0, self);
		expect_sigsegv(self->v + SZ_2M);
		test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
		expect_pages(self, 0, 0);
	}
}

/*
 * A conversion that is longer than one run, and begins in the middle of a block: the view
 * has all pages afterwards, in both directions.
 */
TEST(longer_than_a_run)
{
	const uint64_t length = BIG_LENGTH + 2 * SZ_2M;
	const char *why = gmem_view_unavailable();
	unsigned int missing = 0;
	int fd, view;
	uint8_t *v, *at;

	if (why)
		SKIP(return, "%s", why);
	fd = test_gmem_create(length, GMEM_CREATE_F_INIT_SHARED);
	view = test_gmem_view(fd, 0, length);
	v = test_gmem_view_map(view, 0, length);
	EXPECT_EQ(length / PAGE, gmem_view_populate(view, v, length, 0));
	test_gmem_convert(fd, SZ_2M / 2, length - SZ_2M, PRIVATE, PRESERVE);
	EXPECT_EQ(0, gmem_view_populate(view, v, length, NOALLOC));
	test_gmem_convert(fd, SZ_2M / 2, length - SZ_2M, SHARED, PRESERVE);
	for (at = v; at < v + length; at += 16 * PAGE)
		missing += !!gmem_try_read(at, NULL);
	EXPECT_EQ(0, missing);
	EXPECT_EQ(0, gmem_view_populate(view, v, length, NOALLOC));
	munmap(v, length);
	close(view);
	close(fd);
}

/*
 * A page of a block becomes shared. The block is one entry in one mapping, and single
 * pages in another.
 */
TEST_F(fill, block_and_pages)
{
	uint8_t *area = mmap(NULL, 3 * SZ_2M, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *w = area + PAGE;

	populate_block(self, 0);
	/* In any order of filling. */
	ASSERT_EQ(w, mmap(w, SZ_2M, PROT_NONE, MAP_SHARED | MAP_FIXED, self->view, 0));
	EXPECT_EQ(BLOCK, gmem_view_populate(self->view, w, SZ_2M, 0));
	write_pages(self);
	test_gmem_convert(self->fd, 0, SZ_2M, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, 7 * PAGE, PAGE, SHARED, PRESERVE);
	EXPECT_EQ(8, *(uint32_t *)(self->v + 7 * PAGE));
	EXPECT_EQ(8, *(uint32_t *)(w + 7 * PAGE));
	EXPECT_EQ(0, gmem_view_populate(self->view, self->v, SZ_2M, NOALLOC));
	EXPECT_EQ(0, gmem_view_populate(self->view, w, SZ_2M, NOALLOC));
	munmap(area, 3 * SZ_2M);
}

/* A hole in a block removes its pages only. */
TEST_F(fill, block_hole)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		populate_block(self, i);
	write_pages(self);
	test_gmem_punch(self->fd, SZ_2M + 5 * PAGE, PAGE);
	expect_sigsegv(self->v + SZ_2M + 5 * PAGE);
	EXPECT_EQ(BLOCK + 1, *(uint32_t *)(self->v + SZ_2M));
	EXPECT_EQ(BLOCK + 5, *(uint32_t *)(self->v + SZ_2M + 4 * PAGE));
	EXPECT_EQ(BLOCK + 7, *(uint32_t *)(self->v + SZ_2M + 6 * PAGE));
	EXPECT_EQ(2 * BLOCK, *(uint32_t *)(self->v + 2 * SZ_2M - PAGE));
	/* From the middle of one block to the middle of another */
	test_gmem_punch(self->fd, 3 * SZ_2M - PAGE, 2 * PAGE);
	EXPECT_EQ(2 * BLOCK + 1, *(uint32_t *)(self->v + 2 * SZ_2M));
	EXPECT_EQ(3 * BLOCK + 2, *(uint32_t *)(self->v + 3 * SZ_2M + PAGE));
	EXPECT_EQ(NR_PAGES, *(uint32_t *)(self->v + LENGTH - PAGE));
	expect_sigsegv(self->v + 3 * SZ_2M);
	expect_missing(0, self);
	EXPECT_EQ(3, gmem_view_populate(self->view, self->v, LENGTH, 0));
}

#define SPARSE_LENGTH GMEM_LENGTH_MAX

/* A file of many TiB with two populated pages: the time depends on these pages. */
TEST(sparse)
{
	const char *why = gmem_view_unavailable();
	uint8_t *p, *v;
	int fd, view;

	if (why)
		SKIP(return, "%s", why);
	fd = test_gmem_create(SPARSE_LENGTH, GMEM_CREATE_F_INIT_SHARED);
	view = test_gmem_view(fd, 0, SPARSE_LENGTH);
	v = test_gmem_view_map(view, 0, SPARSE_LENGTH);
	p = test_gmem_map(fd, 0, SPARSE_LENGTH);
	p[SZ_1T] = 0x41;
	p[SPARSE_LENGTH - 1] = 0x42;
	EXPECT_EQ(2, gmem_view_populate(view, v, SPARSE_LENGTH, NOALLOC));
	expect_byte(0x41, v + SZ_1T);
	test_gmem_convert(fd, 0, SPARSE_LENGTH, PRIVATE, PRESERVE);
	expect_sigsegv(v + SZ_1T);
	EXPECT_EQ(0, gmem_view_populate(view, v, SPARSE_LENGTH, NOALLOC));
	test_gmem_convert(fd, 0, SPARSE_LENGTH, SHARED, PRESERVE);
	expect_byte(0x41, v + SZ_1T);
	expect_byte(0x42, v + SPARSE_LENGTH - 1);
	close(view);
	close(fd);
}

static int set_thp(const char *value)
{
	return gmem_write_file("/sys/kernel/mm/transparent_hugepage/enabled",
			       value);
}

/* With each setting for transparent huge pages, and with these disabled for the process. */
TEST_F(fill, thp_settings)
{
	static const char *const values[] = { "never", "always", "madvise" };
	char old[64] = "", *end, *start;
	unsigned int i;

	gmem_read_file("/sys/kernel/mm/transparent_hugepage/enabled", old,
		       sizeof(old));
	start = strchr(old, '[');
	end = strchr(old, ']');
	if (!start || !end)
		SKIP(return, KSFT_BY_DESIGN " no transparent huge pages");
	*end = '\0';
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, set_thp(values[i]));
		TH_LOG("%s: a block is %s", values[i],
		       populate_block(self, i) ? "one entry" : "single pages");
	}
	EXPECT_EQ(0, set_thp(start + 1));
	EXPECT_EQ(0, prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	populate_block(self, 3);
	write_pages(self);
	test_gmem_convert(self->fd, PAGE, LENGTH - 2 * PAGE, PRIVATE, PRESERVE);
	expect_pages(self, 1, NR_PAGES - 1);
	test_gmem_convert(self->fd, PAGE, LENGTH - 2 * PAGE, SHARED, PRESERVE);
	expect_pages(self, 0, 0);
}

static volatile sig_atomic_t alarms;

static void on_alarm(int sig)
{
	alarms++;
}

/* Raise a signal after @us; 0: none. */
static void set_alarm(int flags, unsigned long us)
{
	struct sigaction sa = { .sa_handler = on_alarm, .sa_flags = flags };
	struct itimerval it = { .it_value = { us / 1000000, us % 1000000 } };

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
}

/* A call that a signal interrupts after @us. */
static int interrupted_populate(int view, struct gmem_ioctl_view_populate *p,
				unsigned long us)
{
	int rc;

	set_alarm(0, us);
	rc = gmem_view_populate_args(view, p);
	set_alarm(0, 0);
	return rc;
}

/*
 * Populate the whole view, with calls that signals interrupt. Return: number of
 * interruptions.
 */
static unsigned int populate_with_signals(int view, uint8_t *v, unsigned long us)
{
	struct gmem_ioctl_view_populate p = {
		.address = (uintptr_t)v,
		.length = BIG_LENGTH,
	};
	uint64_t begin = p.address, last = begin;
	unsigned int interrupted = 0;
	int rc;

	while ((rc = interrupted_populate(view, &p, us)) == -EINTR) {
		interrupted++;
		EXPECT_EQ(0, p.pages);
		ASSERT_EQ(begin + BIG_LENGTH, p.address + p.length);
		ASSERT_EQ(0, p.address % PAGE);
		/* Pages before the cursor are populated. */
		if (p.address > begin)
			expect_byte(0, (uint8_t *)p.address - PAGE);
		if (p.address == last)
			us *= 2;
		last = p.address;
	}
	EXPECT_EQ(0, rc);
	EXPECT_EQ(0, p.length);
	return interrupted;
}

/* A signal interrupts the call; the cursor is where the next call continues. */
TEST(signals)
{
	const char *why = gmem_view_unavailable();
	unsigned int interrupted = 0;
	unsigned long us;
	int fd, view;
	uint8_t *v;

	if (why)
		SKIP(return, "%s", why);
	fd = test_gmem_create(BIG_LENGTH, GMEM_CREATE_F_INIT_SHARED);
	view = test_gmem_view(fd, 0, BIG_LENGTH);
	v = test_gmem_view_map(view, 0, BIG_LENGTH);
	/* A signal before the call begins interrupts nothing. */
	for (us = 1000; !interrupted && us < 1000000; us *= 2) {
		test_gmem_punch(fd, 0, BIG_LENGTH);
		interrupted = populate_with_signals(view, v, us);
	}
	TH_LOG("interrupted %u times", interrupted);
	EXPECT_GT(interrupted, 0);
	EXPECT_EQ(0, gmem_view_populate(view, v, BIG_LENGTH, 0));
	expect_byte(0, v + BIG_LENGTH - 1);
	close(view);
	close(fd);
}

/* With SA_RESTART the call succeeds. */
TEST(signals_restarted)
{
	const char *why = gmem_view_unavailable();
	struct gmem_ioctl_view_populate p;
	int fd, view;
	uint8_t *v;

	if (why)
		SKIP(return, "%s", why);
	fd = test_gmem_create(BIG_LENGTH, GMEM_CREATE_F_INIT_SHARED);
	view = test_gmem_view(fd, 0, BIG_LENGTH);
	v = test_gmem_view_map(view, 0, BIG_LENGTH);
	p = (struct gmem_ioctl_view_populate){ .address = (uintptr_t)v,
					       .length = BIG_LENGTH };
	alarms = 0;
	set_alarm(SA_RESTART, 1000);
	EXPECT_EQ(0, gmem_view_populate_args(view, &p));
	EXPECT_EQ(1, alarms);
	EXPECT_EQ(0, p.length);
	EXPECT_EQ(0, gmem_view_populate(view, v, BIG_LENGTH, 0));
	close(view);
	close(fd);
}

static void populate_at_limit(int fd, const struct cgroup *cg)
{
	struct gmem_ioctl_view_populate p;
	uint8_t *v, *at;
	int view, rc, limit;
	char path[128];

	snprintf(path, sizeof(path), "%s/memory.max", cg->path);
	limit = open(path, O_WRONLY | O_CLOEXEC);
	ASSERT_GE(limit, 0);
	ASSERT_EQ(0, cgroup_enter(cg));
	view = test_gmem_view(fd, 0, BIG_LENGTH);
	v = test_gmem_view_map(view, 0, BIG_LENGTH);
	p = (struct gmem_ioctl_view_populate){ .address = (uintptr_t)v,
					       .length = BIG_LENGTH };
	rc = gmem_view_populate_args(view, &p);
	/* At the limit this process cannot open a file, so use the fd from above. */
	ASSERT_EQ(3, write(limit, "max", 3));
	EXPECT_EQ(-ENOMEM, rc);
	EXPECT_EQ((uintptr_t)v + BIG_LENGTH, p.address + p.length);
	EXPECT_GT(p.length, 0);
	EXPECT_GT(p.address, (uintptr_t)v);
	EXPECT_EQ((p.address - (uintptr_t)v) / PAGE, p.pages);
	for (at = v; at < (uint8_t *)p.address; at += 7 * PAGE)
		expect_byte(0, at);
	expect_sigsegv((uint8_t *)p.address + SZ_2M);
	/* Without the limit the call continues. */
	p.pages = 0;
	EXPECT_EQ(0, gmem_view_populate_args(view, &p));
	EXPECT_EQ(0, p.length);
	expect_byte(0, v + BIG_LENGTH - 1);
}

/* At the limit of a memory cgroup: ENOMEM, no process is killed, and populated pages stay. */
TEST(memory_limit)
{
	const char *why = gmem_view_unavailable();
	struct cgroup cg;
	pid_t pid;
	int fd;

	if (!why)
		why = cgroup_unavailable();
	if (why)
		SKIP(return, "%s", why);
	fd = test_gmem_create(BIG_LENGTH, GMEM_CREATE_F_INIT_SHARED);
	ASSERT_EQ(0, cgroup_create(&cg, "gmem_view_fill_test"));
	ASSERT_EQ(0, cgroup_write(&cg, "memory.max", 16 * SZ_2M + 37 * PAGE));
	pid = fork();
	if (!pid) {
		populate_at_limit(fd, &cg);
		_exit(0);
	}
	EXPECT_EQ(0, gmem_wait_pid(pid));
	close(fd);
	EXPECT_EQ(0, cgroup_wait_uncharged(&cg));
	EXPECT_EQ(0, cgroup_remove(&cg));
}

struct populate_task {
	int view;
	uint8_t *v;
	long long pages;
	pid_t tid;
};

static void *populate_main(void *arg)
{
	struct populate_task *t = arg;

	__atomic_store_n(&t->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	t->pages = gmem_view_populate(t->view, t->v, LENGTH, 0);
	return NULL;
}

static void *slow_convert_main(void *arg)
{
	int fd = *(int *)arg;

	return (void *)(intptr_t)gmem_convert_wait(fd, 0, LENGTH, PRIVATE,
						   PRESERVE, 30000);
}

/*
 * VIEW_POPULATE waits for a conversion that waits for a page, and then sees the new
 * states.
 */
TEST_F(fill, waits_for_conversion)
{
	struct populate_task populate = { .view = self->view, .v = self->v };
	struct gmem_task convert = { 0 }, task = { 0 };
	struct hold_pipe hold;
	int i;

	write_pages(self);
	ASSERT_EQ(0, hold_pipe_take(&hold, self->p + 5 * PAGE, PAGE));
	ASSERT_EQ(0, gmem_task_start(&convert, -1, slow_convert_main, &self->fd));
	/* Wait until the conversion has begun. */
	usleep(300000);
	ASSERT_EQ(0, gmem_task_start(&task, -1, populate_main, &populate));
	for (i = 0; i < 1000 && !__atomic_load_n(&populate.tid, __ATOMIC_ACQUIRE);
	     i++)
		usleep(10000);
	EXPECT_EQ(0, gmem_wait_sleeping(populate.tid, 10000));
	usleep(100000);
	EXPECT_EQ(0, populate.pages);
	hold_pipe_drop(&hold);
	EXPECT_EQ(0, (intptr_t)gmem_task_join(&convert));
	gmem_task_join(&task);
	/* Either this call or the conversion has populated all pages. */
	EXPECT_TRUE(populate.pages == NR_PAGES || populate.pages == 0);
	expect_missing(0, self);
	expect_sigsegv(self->v);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_pages(self, 0, 0);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
