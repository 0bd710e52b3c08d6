/* SPDX-License-Identifier: GPL-2.0 */
/* How a range of guest memory goes from shared to private and back. */
#ifndef GMEMCTL_MEMORY_CONVERT_H
#define GMEMCTL_MEMORY_CONVERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../kvm/vm.h"
#include "page_map.h"
#include "range.h"
#include "range_lock.h"

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
 * struct convertible - a range of RAM with a shared and a private side
 * @strategy: see enum memory_strategy
 * @gpa: its first guest physical address
 * @size: bytes
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
 */
struct convertible {
	enum memory_strategy strategy;
	uint64_t gpa;
	uint64_t size;
	uint8_t *host;
	int shared_fd;
	uint64_t shared_offset;
	int store_fd;
	uint64_t store_offset;
	bool encrypted;
	uint32_t timeout_ms;
	struct page_map *private;
};

/**
 * memory_convert_range() - convert a range, KVM's attribute included
 * @lock: of all conversions of the VM, by guest physical address
 * @part: guest physical addresses
 * @why: out: a text that explains a failure; may be NULL
 * @why_size: bytes of @why
 *
 * All or nothing for the in-place strategy, but for contents where the private side
 * is encrypted: they are lost also if KVM refuses in the end. Conversions of overlapping ranges
 * by several threads take turns.
 *
 * Return: 0; -EINVAL for a range that is not inside or not whole pages; what
 * gmem or KVM says.
 */
int memory_convert_range(const struct convertible *memory, struct range_lock *lock,
			 struct vm *vm, struct range part, bool to_private,
			 char *why, size_t why_size);

#endif /* GMEMCTL_MEMORY_CONVERT_H */
