/* SPDX-License-Identifier: GPL-2.0 */
/* The ioctls of /dev/gmem and of a gmem fd, through the call table. */
#ifndef GMEMCTL_GMEM_GMEM_H
#define GMEMCTL_GMEM_GMEM_H

#include <linux/gmem.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/error.h"

/** gmem_open() - open /dev/gmem. Return: an fd, or a negative errno. */
int gmem_open(struct error *error);

int gmem_info(int device, struct gmem_ioctl_info *info);

/**
 * gmem_check_abi() - check that the module has the ABI version of this program
 * @abi: out: the version of the module; may be NULL
 */
int gmem_check_abi(int device, unsigned int *abi, struct error *error);

/**
 * gmem_check_length() - check that a gmem fd can have this length
 *
 * Return: 0; -EFBIG with the limit in words, where GMEM_IOCTL_CREATE would return EINVAL.
 */
int gmem_check_length(int device, uint64_t length, struct error *error);

/** gmem_create() - Return: a gmem fd, or a negative errno. */
int gmem_create(int device, uint64_t length, uint32_t flags);

/**
 * gmem_convert() - convert a range
 * @convert: offset, length, target, content and timeout_ms from the caller;
 *	the rest is set up here, and the outputs are left in it
 */
int gmem_convert(int fd, struct gmem_ioctl_convert *convert);

/** gmem_convert_reason() - say in words why a conversion failed with @rc */
void gmem_convert_reason(const struct gmem_ioctl_convert *convert, int rc,
			 char *text, size_t size);

/**
 * gmem_query() - report the ranges of a part of the memory
 * @visit: called for each range in ascending order, none of them of the state of its
 *	neighbour; not 0 ends the walk
 *
 * Return: 0, what @visit returned, or a negative errno.
 */
int gmem_query(int fd, uint64_t offset, uint64_t length,
	       int (*visit)(const struct gmem_range *range, void *data),
	       void *data);

/**
 * gmem_held() - report the shared pages of a part of the memory that somebody holds
 * @visit: called for each in ascending order; not 0 ends the walk
 *
 * Return: 0, what @visit returned, or a negative errno.
 */
int gmem_held(int fd, uint64_t offset, uint64_t length,
	      int (*visit)(const struct gmem_ioctl_holder *page, void *data), void *data);

int gmem_stat(int fd, struct gmem_ioctl_stat *stat);
int gmem_bind(int fd, uint64_t offset, uint64_t length, int store_fd,
	      uint64_t store_offset);
int gmem_unbind(int fd, uint64_t offset, uint64_t length);

/** gmem_view() - make a view. Return: its fd, or a negative errno. */
int gmem_view(int fd, uint64_t offset, uint64_t length);

/**
 * gmem_view_refusal() - the reason why there is no view, in words
 * @rc: result of gmem_view() or gmem_view_fault()
 *
 * Return: a constant text if this host or this fd does not support views; NULL for other
 * errors.
 */
const char *gmem_view_refusal(int rc);

/**
 * gmem_view_populate() - call GMEM_IOCTL_VIEW_POPULATE
 * @flags: GMEM_VIEW_POPULATE_F_*
 * @pages: out: number of pages newly mapped; may be NULL
 */
int gmem_view_populate(int view_fd, uint32_t flags, void *address,
		       uint64_t length, uint64_t *pages);

/**
 * gmem_view_fault() - get the last fault of the calling thread's vCPU
 *
 * Return: 0; -EAGAIN if there was no fault since the first call; -EOPNOTSUPP without
 * gmem_kvm.
 */
int gmem_view_fault(int view_fd, struct gmem_ioctl_view_fault *fault);

#endif /* GMEMCTL_GMEM_GMEM_H */
