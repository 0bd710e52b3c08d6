/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A partition: a view of the guest's memory that a VM has. Regions are mapped
 * into it as a whole, at their address.
 */
#ifndef GMEMCTL_MEMORY_PARTITION_H
#define GMEMCTL_MEMORY_PARTITION_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/error.h"
#include "../kvm/vm.h"
#include "guest_memfd.h"
#include "range.h"
#include "reservation.h"
#include "view.h"

/**
 * struct slots - data of slots_ops
 * @vm: the VM
 * @memfd: where private pages of RAM live, or NULL: not in a guest_memfd
 * @views: of the backings, @nr_views of them; some may not be there
 * @nr_views: see there
 */
struct slots {
	struct vm *vm;
	struct guest_memfd *memfd;
	const struct view *views;
	unsigned int nr_views;
};

/**
 * slots_ops: regions become slots
 *
 * A region with a guest_memfd is read-write or not there at all.
 */
extern const struct partition_ops slots_ops;

/**
 * struct region_params - how an enabled region may be used
 * @writable: the guest may write; if not, its writes exit
 * @prefetch: populate at once
 */
struct region_params {
	bool writable;
	bool prefetch;
};

/**
 * struct partition_range - a region, as a partition sees it
 * @host: where this process has it
 * @gpa: where the partition has it
 * @size: bytes
 * @params: how it may be used
 */
struct partition_range {
	uint8_t *host;
	uint64_t gpa;
	uint64_t size;
	struct region_params params;
};

/**
 * struct partition_ops - what a VM does to map guest memory
 * @map: map a region; may fail, and has then done nothing
 * @unmap: unmap a range that contains what it overlaps; there may be nothing
 * @prefetch: populate what is mapped; NULL: nothing to do
 */
struct partition_ops {
	int (*map)(void *data, const struct partition_range *range,
		   struct error *error);
	int (*unmap)(void *data, uint64_t gpa, uint64_t size);
	int (*prefetch)(void *data, uint64_t gpa, uint64_t size);
};

/**
 * struct partition - one such view
 * @ops: what does the work
 * @data: for @ops
 * @reservation: where guest memory is in this process
 * @prefetch_rc: why a prefetch has failed, the last that did; 0: none did.
 *	Guests run without it, so nothing else fails.
 */
struct partition {
	const struct partition_ops *ops;
	void *data;
	const struct reservation *reservation;
	int prefetch_rc;
};

/** partition_map_region() - map a region, all or nothing */
int partition_map_region(struct partition *partition, struct range range,
			 const struct region_params *params,
			 struct error *error);

/** partition_unmap_region() - unmap all that is in @range */
int partition_unmap_region(struct partition *partition, struct range range);

#endif /* GMEMCTL_MEMORY_PARTITION_H */
