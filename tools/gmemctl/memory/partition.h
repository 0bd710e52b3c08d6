/* SPDX-License-Identifier: GPL-2.0 */
/* Guest memory as a VM sees it: a slot for each range of RAM. */
#ifndef GMEMCTL_MEMORY_PARTITION_H
#define GMEMCTL_MEMORY_PARTITION_H

#include <stdint.h>

#include "../base/error.h"
#include "../kvm/vm.h"
#include "backing.h"
#include "guest_memfd.h"
#include "options.h"

/**
 * struct partition - what the slots are made of
 * @vm: the VM; NULL: none sees the memory yet
 * @memfd: its guest_memfd, where private pages live, if it has one
 * @views: of the backings, @nr_views of them; some may not be there
 * @nr_views: see there
 * @prefetch_rc: why a prefetch has failed, the last that did; 0: none did.
 *	Guests run without it, so nothing else fails.
 */
struct partition {
	struct vm *vm;
	const struct guest_memfd *memfd;
	const struct view *views;
	unsigned int nr_views;
	int prefetch_rc;
};

/**
 * partition_map() - make a range of RAM a slot, all or nothing
 * @host: where this process has it
 */
int partition_map(struct partition *partition, const struct layout_range *ram,
		  uint8_t *host, struct error *error);

/** partition_unmap() - delete the slot of a range that was mapped */
void partition_unmap(struct partition *partition, const struct layout_range *ram);

#endif /* GMEMCTL_MEMORY_PARTITION_H */
