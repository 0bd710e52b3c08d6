/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Views of a gmem fd: mappings for KVM alone. As in gmem_utils.h functions return 0,
 * an fd or a number, or a negative errno, and check nothing.
 */
#ifndef GMEM_VIEW_H
#define GMEM_VIEW_H

#include "gmem_utils.h"

#define NOALLOC GMEM_VIEW_POPULATE_F_NOALLOC

/* NULL, or why there are no views here. */
const char *gmem_view_unavailable(void);
int gmem_view(int fd, uint64_t offset, uint64_t length);
/* MAP_FAILED with errno. */
void *gmem_view_map(int view, uint64_t offset, uint64_t length);
int gmem_view_populate_args(int view, struct gmem_ioctl_view_populate *p);
/* Pages that were put into the mapping. */
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

/* The page at p raises SIGSEGV for loads and for stores. */
#define expect_sigsegv(p) do {						\
	EXPECT_EQ(SIGSEGV, gmem_try_read(p, NULL));			\
	EXPECT_EQ(SIGSEGV, gmem_try_write(p, 0xee));			\
} while (0)

#endif /* GMEM_VIEW_H */
