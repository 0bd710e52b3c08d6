/* SPDX-License-Identifier: GPL-2.0 */
/* A partition that is a KVM VM: each region is a memory slot. */
#ifndef GMEMCTL_MEMORY_SLOTS_H
#define GMEMCTL_MEMORY_SLOTS_H

#include <stdbool.h>

#include "../kvm/vm.h"
#include "guest_memfd.h"
#include "partition.h"

/**
 * struct slots - data of slots_ops
 * @vm: the VM
 * @memfd: where private pages of RAM live, or NULL: there is no private memory
 * @pinned: slots are locked in memory
 */
struct slots {
	struct vm *vm;
	struct guest_memfd *memfd;
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
