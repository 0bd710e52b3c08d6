// SPDX-License-Identifier: GPL-2.0
/*
 * Views of a gmem fd.
 */
#include <sys/mman.h>

#include "gmem_view.h"

const char *gmem_view_unavailable(void)
{
	struct gmem_ioctl_info info;

	if (gmem_info(&info))
		return "no /dev/gmem";
	return info.features & GMEM_FEATURE_VIEW ?
		       NULL : "unsupported-by-design: views are for x86-64";
}

int gmem_view(int fd, uint64_t offset, uint64_t length)
{
	struct gmem_ioctl_view v = {
		.size = sizeof(v),
		.offset = offset,
		.length = length,
	};
	int rc = gmem_ioctl(fd, GMEM_IOCTL_VIEW, &v);

	return rc ? rc : v.out_fd;
}

void *gmem_view_map(int view, uint64_t offset, uint64_t length)
{
	return mmap(NULL, length, PROT_NONE, MAP_SHARED, view, (off_t)offset);
}

int gmem_view_populate_args(int view, struct gmem_ioctl_view_populate *p)
{
	p->size = sizeof(*p);
	return gmem_ioctl(view, GMEM_IOCTL_VIEW_POPULATE, p);
}

long long gmem_view_populate(int view, const void *address, uint64_t length,
			     uint32_t flags)
{
	struct gmem_ioctl_view_populate p = {
		.address = (uintptr_t)address,
		.length = length,
		.flags = flags,
	};
	int rc = gmem_view_populate_args(view, &p);

	return rc ? rc : (long long)p.pages;
}

int gmem_view_fault(int view, struct gmem_ioctl_view_fault *fault)
{
	*fault = (struct gmem_ioctl_view_fault){ .size = sizeof(*fault) };
	return gmem_ioctl(view, GMEM_IOCTL_VIEW_FAULT, fault);
}
