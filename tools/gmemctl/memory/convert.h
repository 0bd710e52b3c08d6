/* SPDX-License-Identifier: GPL-2.0 */
/* Converts a range of guest memory from shared to private, or back. */
#ifndef GMEMCTL_MEMORY_CONVERT_H
#define GMEMCTL_MEMORY_CONVERT_H

/**
 * enum memory_strategy - how a range is converted
 * @MEMORY_INPLACE: all pages are in gmem, and KVM has a view of them; or shared pages
 *	are in gmem, and a conversion moves the same pages to KVM's guest_memfd
 * @MEMORY_DISCARD: shared pages are in a memfd or the like. As in QEMU, the attribute is
 *	changed, and then a hole is punched on the stale side. Contents are lost; a guest
 *	that needs them copies them.
 */
enum memory_strategy {
	MEMORY_INPLACE,
	MEMORY_DISCARD,
};

#endif /* GMEMCTL_MEMORY_CONVERT_H */
