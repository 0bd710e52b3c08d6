/* SPDX-License-Identifier: GPL-2.0 */
/* A partition that is a KVM VM: each region is a memory slot. */
#ifndef GMEMCTL_MEMORY_SLOTS_H
#define GMEMCTL_MEMORY_SLOTS_H

#include <stdbool.h>

#include "../kvm/vm.h"
#include "guest_memfd.h"
#include "partition.h"
#include "view.h"

/**
 * struct slots - data of slots_ops
 * @vm: the VM
 * @memfd: where private pages of RAM live, or NULL: not in a guest_memfd
 * @views: of the backings, @nr_views of them; some may not be there
 * @nr_views: see there
 * @offset: of the partition
 * @pinned: slots are locked in memory
 */
struct slots {
	struct vm *vm;
	struct guest_memfd *memfd;
	const struct view *views;
	unsigned int nr_views;
	uint64_t offset;
	bool pinned;
};

/**
 * slots_ops: regions become slots
 *
 * KVM cannot forbid to execute, so that parameter is ignored. A region of RAM
 * with a guest_memfd is read-write or not there at all.
 */
extern const struct partition_ops slots_ops;

#endif /* GMEMCTL_MEMORY_SLOTS_H */
