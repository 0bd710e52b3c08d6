// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../base/calls.h"
#include "view.h"

int gmem_view(int fd, uint64_t offset, uint64_t length)
{
	struct gmem_ioctl_view view = {
		.size = sizeof(view),
		.offset = offset,
		.length = length,
		.fd_flags = O_CLOEXEC,
	};
	int rc = calls->ioctl(fd, GMEM_IOCTL_VIEW, &view);

	return rc ? rc : view.out_fd;
}

const char *gmem_view_refusal(int rc)
{
	switch (rc) {
	case -ENOTTY:
		return "the loaded module gmem has no views: load the one that was "
		       "built together with gmemctl";
	case -EOPNOTSUPP:
		return "this kernel offers no views: they need x86-64, KVM, and the "
		       "module gmem_kvm (`gmemctl load`)";
	case -EPERM:
		return "it needs the guest's consent (consent=on), and conversions "
		       "of a view are the VMM's";
	case -EBUSY:
		return "it is bound to a store or to a hypervisor";
	default:
		return NULL;
	}
}

int gmem_view_populate(int view_fd, uint32_t flags, void *address,
		       uint64_t length, uint64_t *pages)
{
	struct gmem_ioctl_view_populate populate = {
		.size = sizeof(populate),
		.flags = flags,
		.address = (uintptr_t)address,
		.length = length,
	};
	int rc = calls->ioctl(view_fd, GMEM_IOCTL_VIEW_POPULATE, &populate);

	if (pages)
		*pages = populate.pages;
	return rc;
}

int gmem_view_fault(int view_fd, struct gmem_ioctl_view_fault *fault)
{
	memset(fault, 0, sizeof(*fault));
	fault->size = sizeof(*fault);
	return calls->ioctl(view_fd, GMEM_IOCTL_VIEW_FAULT, fault);
}
