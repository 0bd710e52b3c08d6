/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Regions: parts of the guest's address space that are enabled and disabled as a
 * whole. Where regions overlap, priority decides which of them the guest sees.
 */
#ifndef GMEMCTL_MEMORY_REGION_H
#define GMEMCTL_MEMORY_REGION_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/error.h"
#include "mapping.h"
#include "partition.h"
#include "range.h"
#include "reservation.h"

/**
 * struct dma_mapping - one mapping, as a target sees it
 * @range: guest physical addresses
 * @host: where this process has it
 * @fd: the file behind it, or -1
 * @fd_offset: offset in @fd
 * @writable: whether devices may write
 * @device: memory of a device, not RAM: a target may refuse it and no harm done
 */
struct dma_mapping {
	struct range range;
	uint8_t *host;
	int fd;
	uint64_t fd_offset;
	bool writable;
	bool device;
};

/**
 * struct dma_ops - what a target does
 * @map: make @mapping known
 * @unmap: forget a range, which may cover several mappings and gaps, but never
 *	a part of one
 */
struct dma_ops {
	int (*map)(void *data, const struct dma_mapping *mapping);
	int (*unmap)(void *data, struct range range);
};

/**
 * struct dma_target - a target
 * @needs_fd: it cannot use memory by address alone
 */
struct dma_target {
	const struct dma_ops *ops;
	void *data;
	bool needs_fd;
};

/** dma_map() - make a mapping known; a device's may fail without harm */
static inline int dma_map(const struct dma_target *target,
			  const struct dma_mapping *mapping)
{
	int rc = target->ops->map(target->data, mapping);

	return mapping->device ? 0 : rc;
}

static inline int dma_unmap(const struct dma_target *target, struct range range)
{
	return target->ops->unmap(target->data, range);
}

#define REGION_PRIORITY_RAM	255
#define REGION_PRIORITY_DEVICE	0
#define REGION_NAME_MAX		32
#define REGION_TARGETS_MAX	8

enum region_type {
	REGION_RAM,
	REGION_DEVICE,
};

/**
 * struct region - a region
 * @name: for messages
 * @id: never used twice in a set, from 1
 * @range: guest physical addresses
 * @priority: the higher one is seen; of equal ones, the older
 * @type: RAM, or memory of a device
 * @mapped: it is to be seen, and @params says how
 * @active: it is seen: nothing of a higher priority covers it
 * @mappings: what is behind it, in no order; parts may have nothing
 */
struct region {
	char name[REGION_NAME_MAX];
	unsigned int id;
	struct range range;
	uint8_t priority;
	enum region_type type;
	bool mapped;
	bool active;
	struct region_params params;
	struct mapping *mappings;
	unsigned int nr_mappings;
};

/**
 * struct region_set - all regions of a guest
 * @reservation: where their memory is mapped in this process
 * @lock: protects what follows, and the mappings in @reservation; who works on memory
 *	where it is mapped has it for reading
 * @regions: oldest first
 * @partitions: what regions are mapped into
 * @targets: what mappings are made known to
 */
struct region_set {
	struct reservation *reservation;
	pthread_rwlock_t lock;
	struct region **regions;
	unsigned int nr_regions;
	unsigned int next_id;
	struct partition *partitions[REGION_TARGETS_MAX];
	unsigned int nr_partitions;
	const struct dma_target *targets[REGION_TARGETS_MAX];
	unsigned int nr_targets;
};

void region_set_init(struct region_set *set, struct reservation *reservation);

/** region_set_destroy() - disable and free all regions */
void region_set_destroy(struct region_set *set);

/**
 * region_add() - add a region that is not mapped
 *
 * A region of a higher priority has to contain those of a lower one that it
 * overlaps, and one of equal priority has to be at the same place.
 */
int region_add(struct region_set *set, const char *name, struct range range,
	       uint8_t priority, enum region_type type, struct region **out,
	       struct error *error);

/** region_remove() - disable and free a region, with the memory in it */
int region_remove(struct region_set *set, struct region *region,
		  struct error *error);

/**
 * region_map() - let a region be seen, or change how
 *
 * What it covers is disabled. On failure all is as before.
 *
 * Return: 0; -EBUSY if anonymous memory would have to go for it.
 */
int region_map(struct region_set *set, struct region *region,
	       const struct region_params *params, struct error *error);

/** region_unmap() - hide a region; what it covered is seen again */
int region_unmap(struct region_set *set, struct region *region,
		 struct error *error);

/** region_add_mapping() - put memory behind a part that has none */
int region_add_mapping(struct region_set *set, struct region *region,
		       const struct mapping *mapping, struct error *error);

/**
 * region_remove_mappings() - take away all memory in a range of offsets
 *
 * Return: 0; -EINVAL if a mapping is only partly in @range: nothing changes.
 */
int region_remove_mappings(struct region_set *set, struct region *region,
			   struct range range, struct error *error);

/** region_set_add_partition() - map active regions there too, now and later */
int region_set_add_partition(struct region_set *set,
			     struct partition *partition, struct error *error);
void region_set_remove_partition(struct region_set *set,
				 struct partition *partition);

/** region_set_add_target() - make mappings known there too, now and later */
int region_set_add_target(struct region_set *set,
			  const struct dma_target *target,
			  struct error *error);
void region_set_remove_target(struct region_set *set,
			      const struct dma_target *target);

#endif /* GMEMCTL_MEMORY_REGION_H */
