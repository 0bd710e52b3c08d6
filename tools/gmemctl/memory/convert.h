/* SPDX-License-Identifier: GPL-2.0 */
/* How a range of guest memory goes from shared to private and back. */
#ifndef GMEMCTL_MEMORY_CONVERT_H
#define GMEMCTL_MEMORY_CONVERT_H

/**
 * enum memory_strategy - how a range is converted
 * @MEMORY_INPLACE: all pages are gmem's, and KVM has a view of them; or shared
 *	pages are gmem's, and a conversion hands the very same pages over to KVM's
 *	guest_memfd
 * @MEMORY_DISCARD: shared pages are those of a memfd, or the like. As QEMU does
 *	it: the attribute changes, then a hole is punched on the side that is
 *	stale. Contents are lost; a guest that needs them copies them.
 */
enum memory_strategy {
	MEMORY_INPLACE,
	MEMORY_DISCARD,
};

#endif /* GMEMCTL_MEMORY_CONVERT_H */
