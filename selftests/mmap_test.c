// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of a gmem fd: shared pages only, shared mappings only, never executable; and
 * the effects of mm system calls.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "ksft.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define NR_PAGES 16
#define LENGTH (NR_PAGES * PAGE)

FIXTURE(mmap) {
	int fd;
	uint8_t *p;
};

FIXTURE_SETUP(mmap)
{
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
}

FIXTURE_TEARDOWN(mmap)
{
	munmap(self->p, LENGTH);
	close(self->fd);
}

/* New memory reads zero, keeps its contents, and is the same in all mappings. */
TEST_F(mmap, read_and_write)
{
	uint8_t *q = test_gmem_map(self->fd, 0, LENGTH);

	expect_bytes(0, self->p, LENGTH);
	gmem_fill(self->p, 0xaa, LENGTH);
	expect_bytes(0xaa, q, LENGTH);
	gmem_fill(q + PAGE, 0xbb, PAGE);
	expect_byte(0xbb, self->p + PAGE);
	EXPECT_EQ(gmem_pfn(self->p), gmem_pfn(q));
	EXPECT_NE(0, gmem_pfn(q));
	munmap(q, LENGTH);
	expect_byte(0xbb, self->p + 2 * PAGE - 1);
}

/* A mapping at an offset shows that part of the fd. */
TEST_F(mmap, offset)
{
	uint8_t *q = test_gmem_map(self->fd, 5 * PAGE, 2 * PAGE);

	self->p[5 * PAGE] = 1;
	self->p[7 * PAGE - 1] = 2;
	expect_byte(1, q);
	expect_byte(2, q + 2 * PAGE - 1);
	EXPECT_EQ(MAP_FAILED, gmem_map(self->fd, 1, PAGE));
	EXPECT_EQ(EINVAL, errno);
}

/* The mapping outlives the fd. */
TEST_F(mmap, after_close)
{
	gmem_fill(self->p, 0x3c, LENGTH);
	close(self->fd);
	expect_bytes(0x3c, self->p, LENGTH);
}

/* A private mapping would copy pages to anonymous memory on write: EINVAL. */
TEST_F(mmap, map_private_refused)
{
	static const int prots[] = { PROT_NONE, PROT_READ, PROT_WRITE,
				     PROT_READ | PROT_WRITE };
	size_t i;

	for (i = 0; i < sizeof(prots) / sizeof(prots[0]); i++) {
		EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, prots[i], MAP_PRIVATE,
					   self->fd, 0));
		EXPECT_EQ(EINVAL, errno);
	}
}

/* Neither mmap() nor mprotect() makes guest memory executable. */
TEST_F(mmap, exec_refused)
{
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ | PROT_EXEC,
				   MAP_SHARED, self->fd, 0));
	EXPECT_TRUE(errno == EPERM || errno == EACCES);
	EXPECT_EQ(-1, mprotect(self->p, PAGE, PROT_READ | PROT_EXEC));
	EXPECT_EQ(EACCES, errno);
	EXPECT_FALSE(gmem_vm_flag(self->p, "me"));
	EXPECT_FALSE(gmem_vm_flag(self->p, "ex"));
}

/* mprotect() works as on any shared file. */
TEST_F(mmap, mprotect)
{
	self->p[0] = 7;
	ASSERT_EQ(0, mprotect(self->p, PAGE, PROT_READ));
	EXPECT_EQ(SIGSEGV, gmem_try_write(self->p, 1));
	expect_byte(7, self->p);
	ASSERT_EQ(0, mprotect(self->p, PAGE, PROT_NONE));
	EXPECT_EQ(SIGSEGV, gmem_try_read(self->p, NULL));
	test_gmem_convert(self->fd, 0, PAGE, PRIVATE, PRESERVE);
	ASSERT_EQ(0, mprotect(self->p, PAGE, PROT_READ | PROT_WRITE));
	expect_sigbus(self->p);
	test_gmem_convert(self->fd, 0, PAGE, SHARED, PRESERVE);
	expect_byte(7, self->p);
}

/* SIGBUS beyond the end, without damage before the end. */
TEST_F(mmap, fault_past_the_end)
{
	uint8_t *q = test_gmem_map(self->fd, 0, 4 * LENGTH);
	uint64_t off;

	gmem_fill(q, 0xaa, LENGTH);
	for (off = LENGTH; off < 4 * LENGTH; off += 5 * PAGE)
		expect_sigbus(q + off);
	expect_sigbus(q + LENGTH);
	expect_sigbus(q + 4 * LENGTH - 1);
	expect_bytes(0xaa, q, LENGTH);
}

/* Each private page raises SIGBUS with its address; neighbouring pages do not. */
TEST_F(mmap, fault_private)
{
	int i;

	gmem_fill(self->p, 0x11, LENGTH);
	test_gmem_convert(self->fd, 4 * PAGE, 4 * PAGE, PRIVATE, PRESERVE);
	for (i = 4; i < 8; i++) {
		expect_sigbus(self->p + i * PAGE);
		expect_sigbus(self->p + i * PAGE + PAGE - 1);
		EXPECT_EQ(BUS_ADRERR, gmem_signal_code());
		EXPECT_EQ(self->p + i * PAGE + PAGE - 1, gmem_signal_addr());
		EXPECT_EQ(0, gmem_pfn(self->p + i * PAGE));
	}
	expect_bytes(0x11, self->p, 4 * PAGE);
	expect_bytes(0x11, self->p + 8 * PAGE, LENGTH - 8 * PAGE);
}

/* The host cannot access any page of a new fd without INIT_SHARED. */
TEST_F(mmap, fault_initially_private)
{
	int fd = test_gmem_create(LENGTH, 0);
	uint8_t *p = test_gmem_map(fd, 0, LENGTH);
	struct gmem_ioctl_stat stat;
	int i;

	for (i = 0; i < NR_PAGES; i++)
		expect_sigbus(p + i * PAGE);
	test_gmem_stat(fd, &stat);
	EXPECT_EQ(0, stat.resident_pages);
}

/* Mappings are left out of core dumps and cannot be merged by KSM. */
TEST_F(mmap, vm_flags)
{
	EXPECT_TRUE(gmem_vm_flag(self->p, "sh"));
	EXPECT_TRUE(gmem_vm_flag(self->p, "dd"));
	madvise(self->p, LENGTH, MADV_MERGEABLE);
	EXPECT_FALSE(gmem_vm_flag(self->p, "mg"));
}

/* MADV_HUGEPAGE changes nothing, MADV_COLLAPSE is refused; no oops. */
TEST_F(mmap, collapse)
{
	int fd = test_gmem_create(2 * SZ_2M, GMEM_CREATE_F_INIT_SHARED);
	uint8_t *area, *p;

	area = mmap(NULL, 4 * SZ_2M, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	ASSERT_NE(MAP_FAILED, area);
	p = (uint8_t *)(((uintptr_t)area + SZ_2M - 1) & ~(SZ_2M - 1));
	ASSERT_EQ(p, mmap(p, 2 * SZ_2M, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_FIXED, fd, 0));
	gmem_fill(p, 0x55, SZ_2M);
	if (madvise(p, SZ_2M, MADV_HUGEPAGE))
		EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, madvise(p, SZ_2M, MADV_COLLAPSE));
	EXPECT_EQ(EINVAL, errno);
	expect_bytes(0x55, p, SZ_2M);
	test_gmem_convert(fd, 0, PAGE, PRIVATE, PRESERVE);
	EXPECT_EQ(-1, madvise(p, SZ_2M, MADV_COLLAPSE));
	expect_sigbus(p);
	expect_bytes(0x55, p + PAGE, SZ_2M - PAGE);
}

/* MADV_DONTNEED removes page table entries; contents come back by a page fault. */
TEST_F(mmap, dontneed)
{
	uint64_t pfn;

	gmem_fill(self->p, 0x66, LENGTH);
	pfn = gmem_pfn(self->p);
	ASSERT_EQ(0, madvise(self->p, LENGTH, MADV_DONTNEED));
	EXPECT_EQ(0, gmem_pfn(self->p));
	expect_bytes(0x66, self->p, LENGTH);
	EXPECT_EQ(pfn, gmem_pfn(self->p));
	test_gmem_convert(self->fd, 0, PAGE, PRIVATE, PRESERVE);
	ASSERT_EQ(0, madvise(self->p, LENGTH, MADV_DONTNEED));
	expect_sigbus(self->p);
	test_gmem_convert(self->fd, 0, PAGE, SHARED, PRESERVE);
	expect_bytes(0x66, self->p, LENGTH);
}

/* No other advice changes contents or states. */
TEST_F(mmap, other_advice)
{
	static const int advice[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED,
		MADV_FREE, MADV_COLD, MADV_PAGEOUT, MADV_DONTFORK,
		MADV_DOFORK, MADV_UNMERGEABLE, MADV_NOHUGEPAGE, MADV_WIPEONFORK,
		MADV_KEEPONFORK, MADV_POPULATE_READ,
	};
	uint64_t pfn;
	size_t i;

	gmem_fill(self->p, 0x67, LENGTH);
	pfn = gmem_pfn(self->p);
	test_gmem_convert(self->fd, PAGE, PAGE, PRIVATE, PRESERVE);
	for (i = 0; i < sizeof(advice) / sizeof(advice[0]); i++) {
		madvise(self->p, LENGTH, advice[i]);
		expect_bytes(0x67, self->p, PAGE);
		expect_sigbus(self->p + PAGE);
		expect_bytes(0x67, self->p + 2 * PAGE, LENGTH - 2 * PAGE);
	}
	EXPECT_EQ(pfn, gmem_pfn(self->p));
	test_gmem_convert(self->fd, PAGE, PAGE, SHARED, PRESERVE);
	expect_byte(0x67, self->p + PAGE);
}

/* MADV_POPULATE stops at a private page, and does not map it. */
TEST_F(mmap, populate)
{
	ASSERT_EQ(0, madvise(self->p, 2 * PAGE, MADV_POPULATE_WRITE));
	EXPECT_EQ(2, gmem_populated(self->fd, 0, LENGTH));
	test_gmem_convert(self->fd, 4 * PAGE, PAGE, PRIVATE, PRESERVE);
	EXPECT_EQ(-1, madvise(self->p, LENGTH, MADV_POPULATE_WRITE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, madvise(self->p + 4 * PAGE, PAGE, MADV_POPULATE_READ));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, gmem_pfn(self->p + 4 * PAGE));
	EXPECT_EQ(0, gmem_populated(self->fd, 4 * PAGE, PAGE));
}

/* MAP_POPULATE of a range with private pages maps only shared ones. */
TEST_F(mmap, map_populate)
{
	uint8_t *q;

	test_gmem_convert(self->fd, 4 * PAGE, PAGE, PRIVATE, PRESERVE);
	q = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_POPULATE, self->fd, 0);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_NE(0, gmem_pfn(q));
	EXPECT_EQ(0, gmem_pfn(q + 4 * PAGE));
	expect_sigbus(q + 4 * PAGE);
	expect_bytes(0, q + 5 * PAGE, PAGE);
}

/* A moved mapping has the same pages, and is unmapped like any other. */
TEST_F(mmap, mremap_move)
{
	uint8_t *to = mmap(NULL, LENGTH, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	uint8_t *q;

	ASSERT_NE(MAP_FAILED, to);
	gmem_fill(self->p, 0x68, LENGTH);
	test_gmem_convert(self->fd, PAGE, PAGE, PRIVATE, PRESERVE);
	q = mremap(self->p, LENGTH, LENGTH, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	ASSERT_EQ(to, q);
	expect_bytes(0x68, q, PAGE);
	expect_sigbus(q + PAGE);
	EXPECT_TRUE(gmem_vm_flag(q, "dd"));
	test_gmem_convert(self->fd, 2 * PAGE, PAGE, PRIVATE, PRESERVE);
	expect_sigbus(q + 2 * PAGE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes(0x68, q, LENGTH);
	self->p = q;
}

/* A mapping that mremap() grows or duplicates gives no access to private pages. */
TEST_F(mmap, mremap_grow_and_duplicate)
{
	uint8_t *q = test_gmem_map(self->fd, 0, PAGE), *grown, *twin;

	gmem_fill(self->p, 0x69, LENGTH);
	test_gmem_convert(self->fd, PAGE, PAGE, PRIVATE, PRESERVE);
	grown = mremap(q, PAGE, 4 * PAGE, MREMAP_MAYMOVE);
	if (grown != MAP_FAILED) {
		expect_bytes(0x69, grown, PAGE);
		expect_sigbus(grown + PAGE);
		expect_bytes(0x69, grown + 2 * PAGE, 2 * PAGE);
	}
	twin = mremap(self->p, 0, 4 * PAGE, MREMAP_MAYMOVE);
	if (twin != MAP_FAILED) {
		expect_bytes(0x69, twin, PAGE);
		expect_sigbus(twin + PAGE);
		test_gmem_convert(self->fd, 0, PAGE, PRIVATE, PRESERVE);
		expect_sigbus(twin);
	}
	expect_sigbus(self->p + PAGE);
}

/* remap_file_pages() gives no access to private pages. */
TEST_F(mmap, remap_file_pages)
{
	gmem_fill(self->p, 0x6a, LENGTH);
	test_gmem_convert(self->fd, 5 * PAGE, PAGE, PRIVATE, PRESERVE);
	if (!remap_file_pages(self->p, PAGE, 0, 5, 0))
		expect_sigbus(self->p);
	if (!remap_file_pages(self->p + PAGE, PAGE, 0, 6, 0))
		expect_byte(0x6a, self->p + PAGE);
	expect_sigbus(self->p + 5 * PAGE);
}

/* After a part is unmapped, the rest stays, and conversion finds it. */
TEST_F(mmap, partial_munmap)
{
	gmem_fill(self->p, 0x6b, LENGTH);
	ASSERT_EQ(0, munmap(self->p + 4 * PAGE, 4 * PAGE));
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	expect_sigbus(self->p);
	expect_sigbus(self->p + 8 * PAGE);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_bytes(0x6b, self->p, 4 * PAGE);
	expect_bytes(0x6b, self->p + 8 * PAGE, LENGTH - 8 * PAGE);
}

/* After fork() parent and child share the memory. */
TEST_F(mmap, fork_shares)
{
	pid_t pid;

	gmem_fill(self->p, 1, PAGE);
	pid = fork();
	if (!pid) {
		expect_byte(1, self->p);
		gmem_fill(self->p, 2, PAGE);
		_exit(0);
	}
	EXPECT_EQ(0, gmem_wait_pid(pid));
	expect_bytes(2, self->p, PAGE);
}

/* mlock() of shared pages works, and does not prevent conversions. */
TEST_F(mmap, mlock)
{
	struct rlimit rl = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_MEMLOCK, &rl);
	gmem_fill(self->p, 0x6c, LENGTH);
	ASSERT_EQ(0, mlock(self->p, LENGTH));
	test_gmem_convert(self->fd, 0, PAGE, PRIVATE, PRESERVE);
	expect_sigbus(self->p);
	EXPECT_NE(0, mlock(self->p, PAGE));
	EXPECT_EQ(0, gmem_pfn(self->p));
	ASSERT_EQ(0, munlock(self->p, LENGTH));
	test_gmem_convert(self->fd, 0, PAGE, SHARED, PRESERVE);
	expect_bytes(0x6c, self->p, LENGTH);
}

/* mincore() and a policy of the mapping do not disturb it. */
TEST_F(mmap, mincore)
{
	unsigned char vec[NR_PAGES];

	gmem_fill(self->p, 0x6d, 2 * PAGE);
	ASSERT_EQ(0, mincore(self->p, LENGTH, vec));
	EXPECT_TRUE(vec[0] & 1);
	test_gmem_convert(self->fd, 0, PAGE, PRIVATE, PRESERVE);
	ASSERT_EQ(0, mincore(self->p, LENGTH, vec));
	syscall(SYS_mbind, self->p, LENGTH, 0 /* MPOL_DEFAULT */, NULL, 0, 0);
	expect_sigbus(self->p);
	expect_byte(0x6d, self->p + PAGE);
}

/* Read-only mappings show the memory, but cannot change it. */
TEST_F(mmap, read_only)
{
	uint8_t *q = mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, self->fd, 0);

	ASSERT_NE(MAP_FAILED, q);
	expect_bytes(0, q, 2 * PAGE);
	EXPECT_EQ(SIGSEGV, gmem_try_write(q, 1));
	self->p[PAGE] = 9;
	expect_byte(9, q + PAGE);
	test_gmem_convert(self->fd, 0, 2 * PAGE, PRIVATE, PRESERVE);
	EXPECT_EQ(SIGBUS, gmem_try_read(q + PAGE, NULL));
}

/* A page that a load has populated is the page that a later store writes. */
TEST_F(mmap, read_then_write)
{
	uint64_t pfn;

	expect_byte(0, self->p);
	pfn = gmem_pfn(self->p);
	EXPECT_NE(0, pfn);
	self->p[0] = 3;
	EXPECT_EQ(pfn, gmem_pfn(self->p));
	EXPECT_EQ(1, gmem_populated(self->fd, 0, PAGE));
}

/* msync() and fsync() succeed: nothing has to be written back. */
TEST_F(mmap, D11_sync)
{
	gmem_fill(self->p, 0x5a, 2 * PAGE);
	EXPECT_EQ(0, msync(self->p, LENGTH, MS_SYNC));
	EXPECT_EQ(0, msync(self->p, LENGTH, MS_ASYNC));
	EXPECT_EQ(0, msync(self->p, PAGE, MS_SYNC | MS_INVALIDATE));
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_EQ(0, fdatasync(self->fd));
	expect_bytes(0x5a, self->p, 2 * PAGE);
	test_gmem_convert(self->fd, 0, PAGE, PRIVATE, PRESERVE);
	EXPECT_EQ(0, msync(self->p, LENGTH, MS_SYNC));
	expect_sigbus(self->p);
	expect_bytes(0x5a, self->p + PAGE, PAGE);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
