// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory is not a cache: the kernel's reclaim never frees populated pages, and they
 * keep their contents until they are punched.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cgroup.h"
#include "gmem_utils.h"
#include "ksft.h"
#include "kvm_utils.h"

#define NR_PAGES 32
#define LENGTH (NR_PAGES * PAGE)

FIXTURE(reclaim) {
	int fd;
};

/*
 * Four kinds of unmapped pages, a quarter each: written, committed only, private, and
 * converted back from private.
 */
FIXTURE_SETUP(reclaim)
{
	uint8_t *p;

	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	p = test_gmem_map(self->fd, 0, LENGTH);
	gmem_fill(p, 0x51, 8 * PAGE);
	gmem_fill(p + 16 * PAGE, 0x52, 16 * PAGE);
	munmap(p, LENGTH);
	test_gmem_commit(self->fd, 0, LENGTH);
	test_gmem_convert(self->fd, 16 * PAGE, 16 * PAGE, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, 24 * PAGE, 8 * PAGE, SHARED, PRESERVE);
}

FIXTURE_TEARDOWN(reclaim)
{
	struct gmem_ioctl_stat stat;
	uint8_t *p;

	test_gmem_stat(self->fd, &stat);
	EXPECT_EQ(NR_PAGES, stat.resident_pages + stat.store_pages);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	p = test_gmem_map(self->fd, 0, LENGTH);
	expect_bytes(0x51, p, 8 * PAGE);
	expect_bytes(0, p + 8 * PAGE, 8 * PAGE);
	expect_bytes(0x52, p + 16 * PAGE, 16 * PAGE);
	close(self->fd);
}

static void drop_caches(void)
{
	int i;

	sync();
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, gmem_write_file("/proc/sys/vm/drop_caches", "3"));
}

/* drop_caches drops no guest memory. */
TEST_F(reclaim, drop_caches)
{
	drop_caches();
}

/* posix_fadvise() with POSIX_FADV_DONTNEED frees nothing. */
TEST_F(reclaim, fadvise)
{
	posix_fadvise(self->fd, 0, LENGTH, POSIX_FADV_DONTNEED);
	posix_fadvise(self->fd, 0, 0, POSIX_FADV_DONTNEED);
	posix_fadvise(self->fd, 0, LENGTH, POSIX_FADV_NOREUSE);
	EXPECT_EQ(NR_PAGES, gmem_populated(self->fd, 0, LENGTH));
}

/* The same for pages that were in a store and have come back. */
TEST_F(reclaim, after_the_store)
{
	const char *why = kvm_store_unavailable();
	int vm, store;

	if (why)
		SKIP(return, "%s", why);
	store = test_kvm_store(LENGTH, &vm);
	test_gmem_bind(self->fd, 0, LENGTH, store, 0);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	drop_caches();
	test_gmem_convert(self->fd, 0, 28 * PAGE, SHARED, PRESERVE);
	drop_caches();
	posix_fadvise(self->fd, 0, LENGTH, POSIX_FADV_DONTNEED);
	EXPECT_EQ(NR_PAGES, gmem_populated(self->fd, 0, LENGTH));
}

/* memory.reclaim of a cgroup does not reclaim guest memory. */
TEST_F(reclaim, memory_reclaim)
{
	const char *why = cgroup_unavailable();
	struct cgroup cg;
	uint8_t *p;
	pid_t pid;
	int fd, i;

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, cgroup_create(&cg, "gmem_reclaim_test"));
	pid = fork();
	if (!pid) {
		ASSERT_EQ(0, cgroup_enter(&cg));
		fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
		p = test_gmem_map(fd, 0, LENGTH);
		gmem_fill(p, 0x53, LENGTH);
		test_gmem_convert(fd, 0, 8 * PAGE, PRIVATE, PRESERVE);
		test_gmem_convert(fd, 0, 4 * PAGE, SHARED, PRESERVE);
		for (i = 0; i < 5; i++)
			cgroup_write(&cg, "memory.reclaim", SZ_2M);
		EXPECT_EQ(NR_PAGES, gmem_populated(fd, 0, LENGTH));
		test_gmem_convert(fd, 0, LENGTH, SHARED, PRESERVE);
		expect_bytes(0x53, p, LENGTH);
		_exit(0);
	}
	EXPECT_EQ(0, gmem_wait_pid(pid));
	EXPECT_EQ(0, cgroup_remove(&cg));
}

/* Advice on a mapping has no effect: pages are not paged out or freed. */
TEST_F(reclaim, madvise)
{
	uint8_t *p = test_gmem_map(self->fd, 0, LENGTH);
	int i;

	for (i = 0; i < 8; i++)
		expect_byte(0x51, p + i * PAGE);
	madvise(p, LENGTH, MADV_COLD);
	madvise(p, LENGTH, MADV_PAGEOUT);
	madvise(p, LENGTH, MADV_FREE);
	madvise(p, LENGTH, MADV_DONTNEED);
	EXPECT_EQ(NR_PAGES, gmem_populated(self->fd, 0, LENGTH));
	munmap(p, LENGTH);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
