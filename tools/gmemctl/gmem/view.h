/* SPDX-License-Identifier: GPL-2.0 */
/* The ioctls of views: mappings of a gmem fd for KVM alone. */
#ifndef GMEMCTL_GMEM_VIEW_H
#define GMEMCTL_GMEM_VIEW_H

#include <stddef.h>
#include <stdint.h>
#include <linux/gmem.h>

/** gmem_view() - make a view. Return: its fd, or a negative errno. */
int gmem_view(int fd, uint64_t offset, uint64_t length);

/**
 * gmem_view_refusal() - why there is no view, in words
 * @rc: of gmem_view() or gmem_view_fault()
 *
 * Return: a constant text; NULL for what is a failure of the call, not something
 * that this host or this fd does not offer.
 */
const char *gmem_view_refusal(int rc);

/**
 * gmem_view_populate() - give a mapping of a view its pages
 * @flags: GMEM_VIEW_POPULATE_F_*
 * @pages: out: how many it did not have; may be NULL
 */
int gmem_view_populate(int view_fd, uint32_t flags, void *address,
		       uint64_t length, uint64_t *pages);

/**
 * gmem_view_fault() - where the calling thread's vCPU has faulted last
 *
 * Return: 0; -EAGAIN if it has not, since the first call; -EOPNOTSUPP without
 * gmem_kvm.
 */
int gmem_view_fault(int view_fd, struct gmem_ioctl_view_fault *fault);

#endif /* GMEMCTL_GMEM_VIEW_H */
