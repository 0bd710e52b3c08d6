// SPDX-License-Identifier: GPL-2.0
/*
 * Soft offlining: the kernel stops using a frame that is about to fail, and drops clean
 * pages from the page cache. Guest memory has no other copy, so no page of it may be
 * clean, in any file.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "ksft.h"
#include "kvm_utils.h"
#include "poison.h"

#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif

#define NR_PAGES 8
#define LENGTH (NR_PAGES * PAGE)
#define BAD 3U				/* the page whose frame is taken out of use */
#define KPF_DIRTY 4

FIXTURE(soft_offline) {
	int fd;
	uint8_t *p;
	int vm;
	int store;
	uint64_t pfn[NR_PAGES];
	bool offline;
};

FIXTURE_SETUP(soft_offline)
{
	unsigned int i;

	self->vm = -1;
	self->store = -1;
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	for (i = 0; i < NR_PAGES; i++) {
		gmem_fill(self->p + i * PAGE, 0x40 + i, PAGE);
		self->pfn[i] = gmem_pfn(self->p + i * PAGE);
		ASSERT_NE(0, self->pfn[i]);
	}
}

FIXTURE_TEARDOWN(soft_offline)
{
	munmap(self->p, LENGTH);
	close(self->fd);
	close(self->store);
	close(self->vm);
	if (self->offline && !poison_pfn_unavailable())
		EXPECT_EQ(0, poison_undo(self->pfn[BAD]));
}

static void open_store(struct soft_offline_data *self)
{
	self->store = test_kvm_store(LENGTH, &self->vm);
}

/* Return: the kernel's flags of a frame, or 0. */
static uint64_t frame_flags(uint64_t pfn)
{
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	uint64_t flags = 0;

	if (pread(fd, &flags, sizeof(flags), (off_t)(pfn * sizeof(flags))) !=
	    sizeof(flags))
		flags = 0;
	close(fd);
	return flags;
}

/* All frames are dirty, so the kernel cannot drop their contents. */
static void expect_dirty(const struct soft_offline_data *self)
{
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++)
		EXPECT_TRUE(frame_flags(self->pfn[i]) >> KPF_DIRTY & 1);
}

/* The contents are unchanged, or an error reports that they are lost. */
static void expect_contents(const struct soft_offline_data *self)
{
	int rc = gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	unsigned int i;

	EXPECT_TRUE(!rc || rc == -EHWPOISON);
	for (i = 0; !rc && i < NR_PAGES; i++)
		expect_bytes(0x40 + i, self->p + i * PAGE, PAGE);
}

/* Soft-offline the frame of a private page. */
static void expect_kept(struct soft_offline_data *self)
{
	int rc = poison_soft(self->pfn[BAD]);

	self->offline = !rc;
	TH_LOG("soft offline: %s", strerror(-rc));
	expect_contents(self);
}

#define skip_without_store() do {					\
	const char *__why = kvm_store_unavailable();			\
									\
	if (__why)							\
		SKIP(return, "%s", __why);				\
} while (0)

#define skip_without_soft_offline() do {				\
	const char *__why = poison_soft_unavailable();			\
									\
	if (__why)							\
		SKIP(return, KSFT_BY_DESIGN " %s", __why);		\
} while (0)

#define skip_without_flags() do {					\
	if (access("/proc/kpageflags", R_OK))				\
		SKIP(return, KSFT_BY_DESIGN " no /proc/kpageflags");	\
} while (0)

/* In gmem's file, in either state. */
TEST_F(soft_offline, D2_resident_is_dirty)
{
	skip_without_flags();
	expect_dirty(self);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	expect_dirty(self);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_dirty(self);
	expect_contents(self);
}

/* Moved to the store by a conversion, and back. */
TEST_F(soft_offline, D2_handed_over_is_dirty)
{
	skip_without_store();
	skip_without_flags();
	open_store(self);
	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	expect_dirty(self);
	test_gmem_convert(self->fd, 0, LENGTH, SHARED, PRESERVE);
	expect_dirty(self);
	expect_contents(self);
}

/* Moved to the store by BIND. */
TEST_F(soft_offline, D2_bound_late_is_dirty)
{
	skip_without_store();
	skip_without_flags();
	open_store(self);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	expect_dirty(self);
	expect_contents(self);
}

TEST_F(soft_offline, D2_resident)
{
	skip_without_soft_offline();
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	expect_kept(self);
}

TEST_F(soft_offline, D2_handed_over)
{
	skip_without_soft_offline();
	skip_without_store();
	open_store(self);
	test_gmem_bind(self->fd, 0, LENGTH, self->store, 0);
	test_gmem_convert(self->fd, 0, LENGTH, PRIVATE, PRESERVE);
	expect_kept(self);
}

/* The frame of a shared page, selected by its address. */
TEST_F(soft_offline, D2_mapped)
{
	const char *why = poison_unavailable();
	int rc;

	if (why)
		SKIP(return, "%s", why);
	rc = gmem_try_madvise(self->p + BAD * PAGE, PAGE, MADV_SOFT_OFFLINE);
	self->offline = !rc;
	TH_LOG("soft offline: %s", strerror(-rc));
	expect_contents(self);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
