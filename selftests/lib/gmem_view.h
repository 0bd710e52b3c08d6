/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Views of a gmem fd: mappings for KVM alone. Functions return 0, an fd, a number or a
 * negative errno, and check nothing.
 */
#ifndef GMEM_VIEW_H
#define GMEM_VIEW_H

#include "gmem_utils.h"

#define NOALLOC GMEM_VIEW_POPULATE_F_NOALLOC

/* Return: NULL, or why views are unavailable. */
const char *gmem_view_unavailable(void);
int gmem_view(int fd, uint64_t offset, uint64_t length);
/* Return: the mapping, or MAP_FAILED with errno. */
void *gmem_view_map(int view, uint64_t offset, uint64_t length);
int gmem_view_populate_args(int view, struct gmem_ioctl_view_populate *p);
/* Return: the number of pages that were put into the mapping, or a negative errno. */
long long gmem_view_populate(int view, const void *address, uint64_t length,
			     uint32_t flags);
int gmem_view_fault(int view, struct gmem_ioctl_view_fault *fault);

#define test_gmem_view(fd, offset, length) ({				\
	int __view = gmem_view(fd, offset, length);			\
									\
	ASSERT_GE(__view, 0);						\
	__view;								\
})

#define test_gmem_view_map(view, offset, length) ({			\
	void *__p = gmem_view_map(view, offset, length);		\
									\
	ASSERT_NE((void *)-1, __p);					\
	(uint8_t *)__p;							\
})

/* Loads and stores at p raise SIGSEGV. */
#define expect_sigsegv(p) do {						\
	EXPECT_EQ(SIGSEGV, gmem_try_read(p, NULL));			\
	EXPECT_EQ(SIGSEGV, gmem_try_write(p, 0xee));			\
} while (0)

#endif /* GMEM_VIEW_H */
