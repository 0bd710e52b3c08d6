// SPDX-License-Identifier: GPL-2.0
/*
 * A mapping of a view is never split: calls that would split, move, grow or open it are
 * refused, and change nothing. Only the whole mapping can be removed.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

#include "gmem_view.h"
#include "ksft.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif
#ifndef SYS_mseal
#define SYS_mseal 462
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

#define NR_PAGES 8
#define LENGTH (NR_PAGES * PAGE)
#define PRIVATE_PAGE 3

FIXTURE(mapping) {
	int fd;
	int view;
	uint8_t *p;
	uint8_t *around;	/* a page, the view, and space to move it to */
	uint8_t *v;
};

static uint8_t *map_at(int view, uint8_t *v, uint64_t offset, uint64_t length)
{
	return mmap(v, length, PROT_NONE, MAP_SHARED | MAP_FIXED, view, offset);
}

FIXTURE_SETUP(mapping)
{
	const char *why = gmem_view_unavailable();
	int i;

	if (why)
		SKIP(return, "%s", why);
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	for (i = 0; i < NR_PAGES; i++)
		gmem_fill(self->p + i * PAGE, 0x40 + i, PAGE);
	self->view = test_gmem_view(self->fd, 0, LENGTH);
	self->around = mmap(NULL, 4 * LENGTH, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->around);
	self->around[0] = 1;
	self->v = self->around + PAGE;
	ASSERT_EQ(self->v, map_at(self->view, self->v, 0, LENGTH));
	ASSERT_EQ(NR_PAGES,
		  gmem_view_populate(self->view, self->v, LENGTH, NOALLOC));
	test_gmem_convert(self->fd, PRIVATE_PAGE * PAGE, PAGE, PRIVATE, PRESERVE);
}

FIXTURE_TEARDOWN(mapping)
{
	close(self->view);
	close(self->fd);
}

static void expect_mappings(struct mapping_data *self, unsigned int nr)
{
	struct gmem_ioctl_stat stat;

	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(nr, stat.view_mappings);
}

/* All pages are in the view, and private ones are inaccessible. */
static void expect_whole(struct mapping_data *self)
{
	int i;

	expect_mappings(self, 1);
	EXPECT_EQ(0, gmem_view_populate(self->view, self->v, LENGTH, NOALLOC));
	for (i = 0; i < NR_PAGES; i++) {
		if (i == PRIVATE_PAGE)
			expect_sigsegv(self->v + i * PAGE);
		else
			expect_byte(0x40 + i, self->v + i * PAGE);
	}
}

static void expect_gone(struct mapping_data *self)
{
	expect_mappings(self, 0);
	EXPECT_EQ(-EINVAL,
		  gmem_view_populate(self->view, self->v, LENGTH, NOALLOC));
}

/* Access rights, private mappings, and ranges outside of the view are refused. */
TEST_F(mapping, mmap)
{
	static const int prots[] = { PROT_READ, PROT_WRITE, PROT_EXEC,
				     PROT_READ | PROT_WRITE,
				     PROT_READ | PROT_WRITE | PROT_EXEC };
	int view = test_gmem_view(self->fd, 2 * PAGE, 4 * PAGE);
	size_t i;

	for (i = 0; i < sizeof(prots) / sizeof(*prots); i++) {
		EXPECT_EQ(MAP_FAILED, mmap(NULL, LENGTH, prots[i], MAP_SHARED,
					   self->view, 0));
		/* On some kernels the file cannot be mapped executable at all. */
		if (!(prots[i] & PROT_EXEC) || errno != EPERM)
			EXPECT_EQ(EINVAL, errno);
	}
	EXPECT_EQ(MAP_FAILED, mmap(NULL, LENGTH, PROT_NONE, MAP_PRIVATE,
				   self->view, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, gmem_view_map(view, PAGE, PAGE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, gmem_view_map(view, PAGE, 2 * PAGE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, gmem_view_map(view, 5 * PAGE, 2 * PAGE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, gmem_view_map(view, 6 * PAGE, PAGE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, gmem_view_map(view, 0, LENGTH));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, gmem_view_map(view, 1ULL << 62, PAGE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, gmem_view_map(view, -PAGE, PAGE));
	expect_whole(self);
	munmap(test_gmem_view_map(view, 2 * PAGE, 4 * PAGE), 4 * PAGE);
	munmap(test_gmem_view_map(view, 5 * PAGE, PAGE), PAGE);
	expect_whole(self);
	close(view);
}

/* The VMA's flags: I/O, not inherited, not dumped. */
TEST_F(mapping, flags)
{
	static const char *const has[] = { "sh", "pf", "io", "de", "dc", "dd" };
	static const char *const lacks[] = { "rd", "wr", "ex", "mr", "mw", "me",
					     "lo", "mg" };
	size_t i;

	if (access("/proc/self/smaps", R_OK))
		SKIP(return, KSFT_BY_DESIGN " no /proc/PID/smaps");
	for (i = 0; i < sizeof(has) / sizeof(*has); i++)
		EXPECT_TRUE(gmem_vm_flag(self->v, has[i]));
	for (i = 0; i < sizeof(lacks) / sizeof(*lacks); i++)
		EXPECT_FALSE(gmem_vm_flag(self->v, lacks[i]));
}

/* A part cannot be unmapped, also not together with neighbouring memory. */
TEST_F(mapping, munmap_part)
{
	EXPECT_EQ(-1, munmap(self->v, PAGE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, munmap(self->v + PAGE, PAGE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, munmap(self->v + LENGTH - PAGE, PAGE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, munmap(self->around, 2 * PAGE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, munmap(self->v + PAGE, LENGTH));
	EXPECT_EQ(EINVAL, errno);
	expect_whole(self);
	EXPECT_EQ(1, self->around[0]);
}

TEST_F(mapping, munmap_whole)
{
	EXPECT_EQ(0, munmap(self->v, LENGTH));
	expect_gone(self);
	expect_sigsegv(self->v);
}

/* Unmap it together with neighbouring memory. */
TEST_F(mapping, munmap_more)
{
	EXPECT_EQ(0, munmap(self->around, LENGTH + 2 * PAGE));
	expect_gone(self);
	expect_sigsegv(self->v);
}

/* Another mapping in the place of a part, or of the whole mapping. */
TEST_F(mapping, map_fixed)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
	int prot = PROT_READ | PROT_WRITE;

	EXPECT_EQ(MAP_FAILED, mmap(self->v, PAGE, prot, flags, -1, 0));
	EXPECT_EQ(MAP_FAILED, mmap(self->v + PAGE, PAGE, prot, flags, -1, 0));
	EXPECT_EQ(MAP_FAILED, mmap(self->v + PAGE, LENGTH, prot, flags, -1, 0));
	expect_whole(self);
	EXPECT_EQ(MAP_FAILED, mmap(self->v, LENGTH, prot,
				   MAP_PRIVATE | MAP_ANONYMOUS |
					   MAP_FIXED_NOREPLACE, -1, 0));
	EXPECT_EQ(EEXIST, errno);
	expect_whole(self);
	EXPECT_EQ(self->v, mmap(self->v, LENGTH, prot, flags, -1, 0));
	expect_gone(self);
	expect_bytes(0, self->v, LENGTH);
}

/* Map the view over itself: a part, the whole, and outside of the view. */
TEST_F(mapping, map_itself)
{
	EXPECT_EQ(MAP_FAILED, map_at(self->view, self->v + PAGE, PAGE, PAGE));
	expect_whole(self);
	EXPECT_EQ(self->v, map_at(self->view, self->v, 0, LENGTH));
	expect_mappings(self, 1);
	expect_sigsegv(self->v);
	EXPECT_EQ(NR_PAGES,
		  gmem_view_populate(self->view, self->v, LENGTH, NOALLOC));
	expect_whole(self);
	EXPECT_EQ(MAP_FAILED, map_at(self->view, self->v, LENGTH, LENGTH));
	EXPECT_EQ(EINVAL, errno);
	/* The kernel may or may not have removed the old mapping. */
	munmap(self->v, LENGTH);
	expect_gone(self);
}

TEST_F(mapping, remap_file_pages)
{
	if (syscall(SYS_remap_file_pages, self->v, PAGE, 0, 1, 0))
		expect_whole(self);
	else
		TH_LOG("remap_file_pages() of a part");
	/* Remapping the whole range creates a new mapping, which has to be populated. */
	if (!syscall(SYS_remap_file_pages, self->v, LENGTH, 0, 0, 0))
		EXPECT_EQ(NR_PAGES, gmem_view_populate(self->view, self->v,
						       LENGTH, NOALLOC));
	expect_whole(self);
	EXPECT_NE(0, syscall(SYS_remap_file_pages, self->v, LENGTH, 0, 1, 0));
	expect_mappings(self, gmem_view_populate(self->view, self->v, LENGTH,
						 NOALLOC) >= 0);
}

static void expect_no_mremap(struct mapping_data *self, uint8_t *from,
			     size_t old, size_t new, int flags)
{
	uint8_t *to = self->around + LENGTH + 4 * PAGE;
	void *p = mremap(from, old, new, flags, to);

	EXPECT_EQ(MAP_FAILED, p);
	EXPECT_TRUE(errno == EINVAL || errno == EFAULT);
	expect_whole(self);
}

/* mremap() cannot grow, shrink, move, duplicate or keep it, as a whole or in part. */
TEST_F(mapping, mremap)
{
	const int move = MREMAP_MAYMOVE, fixed = MREMAP_MAYMOVE | MREMAP_FIXED;
	const int leave = MREMAP_MAYMOVE | MREMAP_DONTUNMAP;

	expect_no_mremap(self, self->v, LENGTH, LENGTH + PAGE, move);
	expect_no_mremap(self, self->v, LENGTH, 2 * LENGTH, move);
	expect_no_mremap(self, self->v, LENGTH, LENGTH - PAGE, 0);
	expect_no_mremap(self, self->v, LENGTH, LENGTH, fixed);
	expect_no_mremap(self, self->v, LENGTH, LENGTH - PAGE, fixed);
	expect_no_mremap(self, self->v, LENGTH, LENGTH + PAGE, fixed);
	expect_no_mremap(self, self->v, 0, LENGTH, move);
	expect_no_mremap(self, self->v, 0, LENGTH, fixed);
	expect_no_mremap(self, self->v, LENGTH, LENGTH, leave);
	expect_no_mremap(self, self->v + PAGE, PAGE, PAGE, fixed);
	expect_no_mremap(self, self->v + PAGE, PAGE, 2 * PAGE, move);
	expect_no_mremap(self, self->v + PAGE, 2 * PAGE, PAGE, 0);
	expect_no_mremap(self, self->v + PAGE, 0, PAGE, move);
	expect_no_mremap(self, self->v + PAGE, PAGE, PAGE, leave);
}

/* mprotect() is refused, even with PROT_NONE. */
TEST_F(mapping, mprotect)
{
	static const int prots[] = { PROT_READ, PROT_WRITE, PROT_EXEC,
				     PROT_READ | PROT_WRITE };
	size_t i;

	for (i = 0; i < sizeof(prots) / sizeof(*prots); i++) {
		EXPECT_EQ(-1, mprotect(self->v, LENGTH, prots[i]));
		EXPECT_EQ(EACCES, errno);
		EXPECT_EQ(-1, mprotect(self->v + PAGE, PAGE, prots[i]));
		EXPECT_EQ(EACCES, errno);
	}
	EXPECT_EQ(-1, mprotect(self->v, LENGTH, PROT_NONE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, mprotect(self->v + PAGE, PAGE, PROT_NONE));
	EXPECT_EQ(EINVAL, errno);
	expect_whole(self);
}

/* A change of the protection key would change the access rights of guests. */
TEST_F(mapping, pkey_mprotect)
{
	int key = pkey_alloc(0, 0);

	if (key < 0)
		SKIP(return, KSFT_BY_DESIGN " no protection keys");
	EXPECT_EQ(-1, pkey_mprotect(self->v, LENGTH, PROT_NONE, key));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, pkey_mprotect(self->v + PAGE, PAGE, PROT_NONE, key));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, pkey_mprotect(self->v, LENGTH, PROT_READ, key));
	EXPECT_EQ(EACCES, errno);
	expect_whole(self);
}

/* mlock() has no effect. */
TEST_F(mapping, mlock)
{
	mlock(self->v, LENGTH);
	mlock(self->v + PAGE, PAGE);
	munlock(self->v + 2 * PAGE, PAGE);
	EXPECT_EQ(0, mlockall(MCL_CURRENT | MCL_FUTURE));
	munmap(test_gmem_view_map(self->view, 0, LENGTH), LENGTH);
	EXPECT_FALSE(gmem_vm_flag(self->v, "lo"));
	EXPECT_EQ(0, munlockall());
	expect_whole(self);
}

/* A sealed mapping stays until its process ends. */
TEST_F(mapping, mseal)
{
	pid_t pid;
	int view;

	if (syscall(SYS_mseal, self->v + PAGE, PAGE, 0) && errno == ENOSYS)
		SKIP(return, KSFT_BY_DESIGN " no mseal()");
	expect_whole(self);
	pid = fork();
	if (!pid) {
		view = test_gmem_view(self->fd, 0, LENGTH);
		ASSERT_EQ(self->v, map_at(view, self->v, 0, LENGTH));
		EXPECT_EQ(NR_PAGES,
			  gmem_view_populate(view, self->v, LENGTH, NOALLOC));
		EXPECT_EQ(0, syscall(SYS_mseal, self->v, LENGTH, 0));
		EXPECT_EQ(-1, munmap(self->v, LENGTH));
		EXPECT_EQ(EPERM, errno);
		test_gmem_convert(self->fd, 0, PAGE, PRIVATE, PRESERVE);
		expect_sigsegv(self->v);
		test_gmem_convert(self->fd, 0, PAGE, SHARED, PRESERVE);
		expect_byte(0x40, self->v);
		_exit(0);
	}
	EXPECT_EQ(0, gmem_wait_pid(pid));
	/* The child's conversions have removed the page from this process's view. */
	EXPECT_EQ(1, gmem_view_populate(self->view, self->v, LENGTH, NOALLOC));
	expect_whole(self);
}

/* madvise() of the whole mapping or a part has no visible effect. */
TEST_F(mapping, madvise)
{
	static const int advices[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED,
		MADV_DONTNEED, MADV_FREE, MADV_REMOVE, MADV_DONTFORK, MADV_DOFORK,
		MADV_MERGEABLE, MADV_UNMERGEABLE, MADV_HUGEPAGE, MADV_NOHUGEPAGE,
		MADV_DONTDUMP, MADV_DODUMP, MADV_WIPEONFORK, MADV_KEEPONFORK,
		MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ, MADV_POPULATE_WRITE,
		MADV_COLLAPSE, MADV_GUARD_INSTALL, MADV_GUARD_REMOVE, 100, 101,
	};
	size_t i;

	for (i = 0; i < sizeof(advices) / sizeof(*advices); i++) {
		madvise(self->v + PAGE, PAGE, advices[i]);
		madvise(self->v, LENGTH, advices[i]);
		expect_whole(self);
		if (ksft_result->failed) {
			TH_LOG("advice %d", advices[i]);
			return;
		}
	}
	EXPECT_FALSE(gmem_vm_flag(self->v, "mg"));
	EXPECT_TRUE(gmem_vm_flag(self->v, "dc"));
	EXPECT_TRUE(gmem_vm_flag(self->v, "dd"));
}

/* Advice that must fail, and the errno. */
TEST_F(mapping, madvise_errors)
{
	static const struct {
		int advice;
		int err;
	} cases[] = {
		{ MADV_DONTNEED, EINVAL }, { MADV_FREE, EINVAL },
		{ MADV_REMOVE, EACCES }, { MADV_DOFORK, EINVAL },
		{ MADV_DODUMP, EINVAL }, { MADV_WIPEONFORK, EINVAL },
		{ MADV_COLD, EINVAL }, { MADV_PAGEOUT, EINVAL },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		EXPECT_EQ(-1, madvise(self->v, LENGTH, cases[i].advice));
		EXPECT_EQ(cases[i].err, errno);
	}
	EXPECT_EQ(-1, madvise(self->v, LENGTH, MADV_POPULATE_READ));
	EXPECT_EQ(-1, madvise(self->v, LENGTH, MADV_POPULATE_WRITE));
	expect_whole(self);
}

static int uffd_register(int uffd, uint8_t *p, uint64_t mode)
{
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)p, .len = LENGTH },
		.mode = mode,
	};

	return ioctl(uffd, UFFDIO_REGISTER, &reg) ? -errno : 0;
}

/* userfaultfd cannot register the mapping, neither for faults nor for write protection. */
TEST_F(mapping, userfaultfd)
{
	struct uffdio_api api = { .api = UFFD_API };
	int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

	if (uffd < 0)
		SKIP(return, KSFT_BY_DESIGN " no userfaultfd");
#ifdef UFFD_FEATURE_WP_ASYNC
	api.features = UFFD_FEATURE_WP_ASYNC;
#endif
	if (ioctl(uffd, UFFDIO_API, &api)) {
		close(uffd);
		uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
		api = (struct uffdio_api){ .api = UFFD_API };
		ASSERT_EQ(0, ioctl(uffd, UFFDIO_API, &api));
	}
	EXPECT_LT(uffd_register(uffd, self->v, UFFDIO_REGISTER_MODE_MISSING), 0);
	EXPECT_LT(uffd_register(uffd, self->v, UFFDIO_REGISTER_MODE_MINOR), 0);
	EXPECT_LT(uffd_register(uffd, self->v, UFFDIO_REGISTER_MODE_WP), 0);
	close(uffd);
	expect_whole(self);
}

/* A memory policy of the mapping does not affect its pages. */
TEST_F(mapping, mbind)
{
	unsigned long node = 1;

	syscall(SYS_mbind, self->v + PAGE, PAGE, MPOL_BIND, &node, 64,
		MPOL_MF_MOVE | MPOL_MF_STRICT);
	expect_whole(self);
	syscall(SYS_mbind, self->v, LENGTH, MPOL_BIND, &node, 64, MPOL_MF_MOVE);
	expect_whole(self);
}

/* clear_refs walks over the page tables of mappings. */
TEST_F(mapping, clear_refs)
{
	if (access("/proc/self/clear_refs", W_OK))
		SKIP(return, KSFT_BY_DESIGN " no /proc/PID/clear_refs");
	gmem_write_file("/proc/self/clear_refs", "4");
	gmem_write_file("/proc/self/clear_refs", "1");
	expect_whole(self);
}

/* File operations that a view does not offer. */
TEST_F(mapping, file_calls)
{
	uint8_t buf[16];

	EXPECT_EQ(-1, read(self->view, buf, sizeof(buf)));
	EXPECT_EQ(-1, write(self->view, buf, sizeof(buf)));
	EXPECT_EQ(-1, ftruncate(self->view, PAGE));
	EXPECT_EQ(-1, fallocate(self->view, 0, 0, PAGE));
	EXPECT_EQ(-1, fallocate(self->view, FALLOC_FL_PUNCH_HOLE |
				FALLOC_FL_KEEP_SIZE, 0, PAGE));
	posix_fadvise(self->view, 0, LENGTH, POSIX_FADV_DONTNEED);
	posix_fadvise(self->view, 0, LENGTH, POSIX_FADV_WILLNEED);
	readahead(self->view, 0, LENGTH);
	msync(self->v, LENGTH, MS_SYNC);
	msync(self->v, LENGTH, MS_INVALIDATE);
	fsync(self->view);
	sync_file_range(self->view, 0, LENGTH, 7);
	expect_whole(self);
}

/* The maximum number of mappings, and one more; unmapping makes room for another one. */
TEST_F_TIMEOUT(mapping, max_mappings, 300)
{
	unsigned int i;
	uint8_t *v;

	for (i = 1; i < GMEM_VIEW_MAX_MAPPINGS; i++) {
		v = gmem_view_map(self->view, 0, LENGTH);
		if (v == MAP_FAILED)
			break;
	}
	EXPECT_EQ(GMEM_VIEW_MAX_MAPPINGS, i);
	expect_mappings(self, GMEM_VIEW_MAX_MAPPINGS);
	EXPECT_EQ(MAP_FAILED, gmem_view_map(self->view, 0, LENGTH));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(MAP_FAILED, gmem_view_map(test_gmem_view(self->fd, 0, PAGE),
					    0, PAGE));
	EXPECT_EQ(EBUSY, errno);
	munmap(v, LENGTH);
	EXPECT_NE(MAP_FAILED, gmem_view_map(self->view, 0, LENGTH));
	expect_byte(0x40, self->v);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
