// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel does to memory by itself while it is in a view. Memory that fails
 * leaves the view immediately, and does not come back before a hole is punched. Nothing
 * is moved or dropped, and entries of a view do not count as mappings.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/mempolicy.h>

#include "gmem_view.h"
#include "ksft.h"
#include "poison.h"

#ifndef MADV_HWPOISON
#define MADV_HWPOISON 100
#endif

#define BLOCK (SZ_2M / PAGE)
#define LENGTH (2 * SZ_2M)
#define NR_PAGES (LENGTH / PAGE)
#define BAD (BLOCK + 37)		/* the page that fails */

FIXTURE(memory) {
	int fd;
	int view;
	uint8_t *p;
	uint8_t *v;
	uint64_t bad_pfn;
	bool bad;
};

/* The contents of each page begin with its number. */
FIXTURE_SETUP(memory)
{
	const char *why = gmem_view_unavailable();
	unsigned int i;

	if (why)
		SKIP(return, "%s", why);
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	self->view = test_gmem_view(self->fd, 0, LENGTH);
	self->v = test_gmem_view_map(self->view, 0, LENGTH);
	ASSERT_EQ(NR_PAGES, gmem_view_populate(self->view, self->v, LENGTH, 0));
	for (i = 0; i < NR_PAGES; i++)
		*(volatile uint32_t *)(self->p + i * PAGE) = i + 1;
	self->bad_pfn = gmem_pfn(self->p + BAD * PAGE);
	ASSERT_NE(0, self->bad_pfn);
}

/* Remove the poison of a frame that has no user any more, if possible. */
FIXTURE_TEARDOWN(memory)
{
	munmap(self->v, LENGTH);
	munmap(self->p, LENGTH);
	close(self->view);
	close(self->fd);
	if (self->bad && !poison_pfn_unavailable())
		EXPECT_EQ(0, poison_undo(self->bad_pfn));
}

#define expect_missing(n, self)						\
	EXPECT_EQ(n, gmem_view_populate((self)->view, (self)->v, LENGTH, NOALLOC))

/* All pages except one are in the view, shared, with their contents. */
static void expect_others(struct memory_data *self, unsigned int but)
{
	unsigned int i, wrong = 0;
	uint32_t got;

	for (i = 0; i < NR_PAGES; i++)
		if (i != but &&
		    (gmem_try_copy(&got, self->v + i * PAGE, sizeof(got)) ||
		     got != i + 1))
			wrong++;
	EXPECT_EQ(0, wrong);
}

/* Populating the view from @first on stops at the page that has failed. */
static void expect_stops(struct memory_data *self, unsigned int first)
{
	struct gmem_ioctl_view_populate p = {
		.address = (uintptr_t)self->v + first * PAGE,
		.length = LENGTH - first * PAGE,
	};

	EXPECT_EQ(-EHWPOISON, gmem_view_populate_args(self->view, &p));
	EXPECT_EQ((uintptr_t)self->v + BAD * PAGE, p.address);
	EXPECT_EQ((NR_PAGES - BAD) * PAGE, p.length);
	/* Again: the call stops at the same page. */
	p.pages = 0;
	EXPECT_EQ(-EHWPOISON, gmem_view_populate_args(self->view, &p));
	EXPECT_EQ(0, p.pages);
	EXPECT_EQ((uintptr_t)self->v + BAD * PAGE, p.address);
	/* After this page the call succeeds. */
	p.address += PAGE;
	p.length -= PAGE;
	EXPECT_EQ(0, gmem_view_populate_args(self->view, &p));
}

static void expect_hole_heals(struct memory_data *self)
{
	uint8_t *p = self->v + BAD * PAGE;

	test_gmem_punch(self->fd, BAD * PAGE, PAGE);
	expect_sigsegv(p);
	EXPECT_EQ(1, gmem_view_populate(self->view, self->v, LENGTH, 0));
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes(0, p, PAGE);
	EXPECT_EQ(0, gmem_try_write(p, 0x77));
	expect_byte(0x77, self->p + BAD * PAGE);
	EXPECT_NE(self->bad_pfn, gmem_pfn(self->p + BAD * PAGE));
	expect_others(self, BAD);
}

/* A shared page fails while the process has it mapped. */
TEST_F(memory, poison_mapped)
{
	const char *why = poison_unavailable();
	struct poison_signal signal;

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, poison_mapped(self->p + BAD * PAGE, &signal));
	self->bad = true;
	expect_sigsegv(self->v + BAD * PAGE);
	expect_stops(self, 0);
	expect_stops(self, BLOCK + 3);
	expect_stops(self, BAD);
	expect_sigsegv(self->v + BAD * PAGE);
	expect_missing(0, self);
	expect_others(self, BAD);
	test_err_gmem_convert(EHWPOISON, self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	expect_others(self, BAD);
	expect_hole_heals(self);
}

/* A page cannot be poisoned by its address in the view. */
TEST_F(memory, poison_by_view)
{
	EXPECT_EQ(-1, madvise(self->v + BAD * PAGE, PAGE, MADV_HWPOISON));
	expect_missing(0, self);
	expect_others(self, NR_PAGES);
}

/* A frame fails. Return: false if this cannot be injected. */
static bool frame_fails(struct memory_data *self)
{
	const char *why = poison_pfn_unavailable();
	int rc;

	if (why)
		SKIP(return false, KSFT_BY_DESIGN " %s", why);
	rc = poison_pfn(self->bad_pfn);
	if (rc)
		TH_LOG("corrupt-pfn: %s", strerror(-rc));
	self->bad = true;
	return true;
}

/* A shared page fails that is only in the view. */
TEST_F(memory, poison_shared)
{
	munmap(self->p, LENGTH);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	if (!frame_fails(self))
		return;
	expect_sigsegv(self->v + BAD * PAGE);
	expect_stops(self, 0);
	expect_others(self, BAD);
	expect_hole_heals(self);
}

/* A private page fails, which only a guest can use. */
TEST_F(memory, poison_private)
{
	test_gmem_convert(self->fd, BAD * PAGE, PAGE, PRIVATE, PRESERVE);
	if (!frame_fails(self))
		return;
	expect_stops(self, 0);
	expect_stops(self, BLOCK);
	expect_others(self, BAD);
	test_err_gmem_convert(EHWPOISON, self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_others(self, BAD);
	expect_hole_heals(self);
}

/* Two views lose the page. */
TEST_F(memory, poison_aliases)
{
	const char *why = poison_unavailable();
	uint8_t *w = test_gmem_view_map(self->view, SZ_2M, SZ_2M);
	struct poison_signal signal;

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(BLOCK, gmem_view_populate(self->view, w, SZ_2M, 0));
	ASSERT_EQ(0, poison_mapped(self->p + BAD * PAGE, &signal));
	self->bad = true;
	expect_sigsegv(self->v + BAD * PAGE);
	expect_sigsegv(w + (BAD - BLOCK) * PAGE);
	expect_stops(self, 0);
	EXPECT_EQ(BLOCK + 1, *(uint32_t *)w);
	munmap(w, SZ_2M);
}

/* Soft offline does not move or drop a page that a view has. */
TEST_F(memory, soft_offline)
{
	const char *why = poison_soft_unavailable();
	int rc;

	if (why)
		SKIP(return, KSFT_BY_DESIGN " %s", why);
	rc = poison_soft(self->bad_pfn);
	TH_LOG("soft offline of a shared page: %s", strerror(-rc));
	EXPECT_NE(0, rc);
	expect_others(self, NR_PAGES);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	rc = poison_soft(self->bad_pfn);
	TH_LOG("soft offline of a private page: %s", strerror(-rc));
	EXPECT_NE(0, rc);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_others(self, NR_PAGES);
	EXPECT_EQ(0, gmem_try_read(self->p + BAD * PAGE, NULL));
	EXPECT_EQ(self->bad_pfn, gmem_pfn(self->p + BAD * PAGE));
}

/* The map count of a page counts only ordinary mappings. */
TEST_F(memory, mapcount)
{
	uint64_t count = ~0ULL, pos = self->bad_pfn * sizeof(count);
	int fd = open("/proc/kpagecount", O_RDONLY);

	if (fd < 0)
		SKIP(return, KSFT_BY_DESIGN " no /proc/kpagecount");
	ASSERT_EQ(sizeof(count), pread(fd, &count, sizeof(count), pos));
	EXPECT_EQ(1, count);
	munmap(self->p, LENGTH);
	ASSERT_EQ(sizeof(count), pread(fd, &count, sizeof(count), pos));
	EXPECT_EQ(0, count);
	expect_others(self, NR_PAGES);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	close(fd);
}

/* Compact and reclaim memory. */
static void stir(void)
{
	gmem_write_file("/proc/sys/vm/compact_memory", "1");
	gmem_write_file("/proc/sys/vm/drop_caches", "3");
	gmem_write_file("/sys/fs/cgroup/memory.reclaim", "4M");
}

TEST_F(memory, compaction)
{
	int round;

	for (round = 0; round < 3; round++) {
		stir();
		expect_others(self, NR_PAGES);
		test_gmem_convert(self->fd, round * PAGE, SZ_2M, PRIVATE,
				  PRESERVE);
		stir();
		expect_missing(0, self);
		test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
		expect_others(self, NR_PAGES);
	}
	EXPECT_EQ(self->bad_pfn, gmem_pfn(self->p + BAD * PAGE));
}

/* Migration on request: of the ordinary mapping, of the view's, and of the whole process. */
TEST_F(memory, migration)
{
	void *pages[2] = { self->p + BAD * PAGE, self->v + BAD * PAGE };
	unsigned long one = 1, two = 2, node;
	int nodes[2], status[2], i;

	if (access("/sys/devices/system/node/node1", F_OK))
		SKIP(return, KSFT_BY_DESIGN " one NUMA node");
	for (i = 0; i < 4; i++) {
		node = 1UL << (i & 1);
		nodes[0] = i & 1;
		nodes[1] = i & 1;
		syscall(SYS_move_pages, 0, 2UL, pages, nodes, status, 4);
		syscall(SYS_mbind, self->p, LENGTH, MPOL_BIND, &node, 64,
			MPOL_MF_MOVE | MPOL_MF_MOVE_ALL);
		syscall(SYS_mbind, self->v, LENGTH, MPOL_BIND, &node, 64,
			MPOL_MF_MOVE | MPOL_MF_MOVE_ALL);
		syscall(SYS_migrate_pages, 0, 64UL, i & 1 ? &one : &two,
			i & 1 ? &two : &one);
		expect_missing(0, self);
		expect_others(self, NR_PAGES);
	}
	EXPECT_EQ(self->bad_pfn, gmem_pfn(self->p + BAD * PAGE));
}

#define BALANCING "/proc/sys/kernel/numa_balancing"

/* NUMA balancing does not unmap pages from a view. */
TEST_F(memory, balancing)
{
	uint64_t end = ksft_now_ms() + 1500;
	unsigned int i = 0;
	char old[16];

	if (gmem_read_file(BALANCING, old, sizeof(old)) < 0)
		SKIP(return, KSFT_BY_DESIGN " no NUMA balancing");
	EXPECT_EQ(0, gmem_write_file(BALANCING, "1"));
	while (ksft_now_ms() < end) {
		gmem_pin_cpu(i++ & 1);
		expect_others(self, NR_PAGES);
		test_gmem_convert(self->fd, SZ_2M - PAGE, 2 * PAGE, PRIVATE,
				  PRESERVE);
		expect_missing(0, self);
		test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	}
	EXPECT_EQ(0, gmem_write_file(BALANCING, old));
	EXPECT_EQ(self->bad_pfn, gmem_pfn(self->p + BAD * PAGE));
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
