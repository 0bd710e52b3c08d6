/* SPDX-License-Identifier: GPL-2.0 */
/* gmem_guest.ko: for other modules of a guest. */
#ifndef _LINUX_GMEM_GUEST_H
#define _LINUX_GMEM_GUEST_H

#include <linux/types.h>

/**
 * gmem_guest_convert() - have the host convert memory of this guest
 * @pfn: the first page, as the guest numbers them
 * @pages: how many
 * @to_private: to private, or to shared
 *
 * Contents survive, if the host keeps them (gmem does). It asks once, takes no lock, and keeps
 * no account of what is private: the caller knows that nobody needs @pages from the host, and
 * makes them shared before others get them. It takes as long as the host takes; not from
 * atomic context.
 *
 * Return: 0; -EAGAIN if the host cannot convert a page now, and has changed none; -EINVAL if it
 * has no such memory; -EOPNOTSUPP if it converts none; -EIO for an answer that is none.
 */
int gmem_guest_convert(unsigned long pfn, unsigned long pages, bool to_private);

#endif /* _LINUX_GMEM_GUEST_H */
