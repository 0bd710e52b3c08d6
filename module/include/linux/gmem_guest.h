/* SPDX-License-Identifier: GPL-2.0 */
/* The interface of gmem_guest.ko for other modules of a guest. */
#ifndef _LINUX_GMEM_GUEST_H
#define _LINUX_GMEM_GUEST_H

#include <linux/types.h>

/**
 * gmem_guest_convert() - ask the host to convert memory of this guest
 * @pfn: guest frame number of the first page
 * @pages: number of pages
 * @to_private: to private, or to shared
 *
 * A host with gmem preserves the contents; another one may not. The function asks once, takes
 * no lock, and does not record what is private. The caller makes sure that the host does not
 * have to access private pages, and makes the pages shared before it frees them.
 *
 * Context: not atomic; the host can take long.
 * Return: 0; -EAGAIN if the host cannot convert a page now, and has changed none; -EINVAL if the
 * host refuses the range; -EOPNOTSUPP if it does not convert memory; -EIO for an invalid answer.
 */
int gmem_guest_convert(unsigned long pfn, unsigned long pages, bool to_private);

#endif /* _LINUX_GMEM_GUEST_H */
