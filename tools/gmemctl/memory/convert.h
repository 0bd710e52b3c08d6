/* SPDX-License-Identifier: GPL-2.0 */
/* How a range of guest memory goes from shared to private and back. */
#ifndef GMEMCTL_MEMORY_CONVERT_H
#define GMEMCTL_MEMORY_CONVERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../kvm/vm.h"
#include "guest_memfd.h"
#include "range.h"

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

/**
 * struct conversion - a range of RAM that is to change its state
 * @strategy: see enum memory_strategy
 * @vm: whose attribute changes
 * @range: guest physical addresses, whole pages
 * @to_private: what it is to be
 * @host: where the shared side is mapped
 * @shared_fd: the shared side, or -1: anonymous memory at @host
 * @shared_offset: where in @shared_fd it starts
 * @store_fd: the private side, KVM's guest_memfd; or -1: in place, in a view, and
 *	there is no attribute
 * @store_offset: where in @store_fd it starts
 * @encrypted: private contents mean nothing to the host: the in-place strategy
 *	changes whose page it is, and preserves no contents
 * @timeout_ms: how long a conversion to private may wait for references
 * @private: KVM's PRIVATE attribute of each page of @store_fd as last set here; KVM
 *	has no call that reads it. NULL without @store_fd
 * @why: out: a text of @why_size bytes that explains a failure; may be NULL
 * @why_size: see there
 */
struct conversion {
	enum memory_strategy strategy;
	struct vm *vm;
	struct range range;
	bool to_private;
	uint8_t *host;
	int shared_fd;
	uint64_t shared_offset;
	int store_fd;
	uint64_t store_offset;
	bool encrypted;
	uint32_t timeout_ms;
	struct page_map *private;
	char *why;
	size_t why_size;
};

/**
 * convert_range() - do it, KVM's attribute included
 * @lock: of all conversions of the VM, by guest physical address
 *
 * All or nothing for the in-place strategy, but for contents where the private side
 * is encrypted: they are lost also if KVM refuses in the end. Conversions of overlapping ranges
 * by several threads take turns.
 *
 * Return: 0; what gmem or KVM says.
 */
int convert_range(const struct conversion *conversion, struct range_lock *lock);

#endif /* GMEMCTL_MEMORY_CONVERT_H */
