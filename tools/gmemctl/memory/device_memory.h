/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory of a device, such as a BAR that is mapped into the guest: its parts
 * come from files of the device, and the guest moves it about as a whole.
 */
#ifndef GMEMCTL_MEMORY_DEVICE_MEMORY_H
#define GMEMCTL_MEMORY_DEVICE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/error.h"
#include "region.h"

/**
 * struct device_memory - memory of one device
 * @set: the guest's regions
 * @name: for messages
 * @size: bytes
 * @region: where the guest has it, or NULL
 * @mappings: its parts, with fds of their own
 *
 * The caller serialises the functions.
 */
struct device_memory {
	struct region_set *set;
	const char *name;
	uint64_t size;
	struct region *region;
	struct mapping *mappings;
	unsigned int nr_mappings;
};

void device_memory_init(struct device_memory *memory, struct region_set *set,
			const char *name, uint64_t size);
void device_memory_destroy(struct device_memory *memory);

/**
 * device_memory_map() - put a part of a file behind a part of it
 * @range: offsets in the device's memory, where nothing is mapped
 * @fd: duplicated
 */
int device_memory_map(struct device_memory *memory, struct range range, int fd,
		      uint64_t fd_offset, bool writable, struct error *error);

/** device_memory_unmap() - take away whole mappings */
int device_memory_unmap(struct device_memory *memory, struct range range,
			struct error *error);

/** device_memory_show() - let the guest have it at @gpa, and nowhere else */
int device_memory_show(struct device_memory *memory, uint64_t gpa,
		       bool writable, struct error *error);

/** device_memory_hide() - take it away from the guest */
int device_memory_hide(struct device_memory *memory, struct error *error);

#endif /* GMEMCTL_MEMORY_DEVICE_MEMORY_H */
