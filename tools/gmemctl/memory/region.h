/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Regions: parts of the guest's address space that it sees as a whole, with the memory
 * behind them.
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
 */
struct dma_mapping {
	struct range range;
	uint8_t *host;
	int fd;
	uint64_t fd_offset;
	bool writable;
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

/** dma_map() - make a mapping known */
static inline int dma_map(const struct dma_target *target,
			  const struct dma_mapping *mapping)
{
	return target->ops->map(target->data, mapping);
}

static inline int dma_unmap(const struct dma_target *target, struct range range)
{
	return target->ops->unmap(target->data, range);
}

#define REGION_NAME_MAX		32
#define REGION_TARGETS_MAX	8

/**
 * struct region - a region
 * @name: for messages
 * @range: guest physical addresses
 * @active: it is seen, as @params says
 * @mappings: what is behind it, in no order; parts may have nothing
 */
struct region {
	char name[REGION_NAME_MAX];
	struct range range;
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
	struct partition *partitions[REGION_TARGETS_MAX];
	unsigned int nr_partitions;
	const struct dma_target *targets[REGION_TARGETS_MAX];
	unsigned int nr_targets;
};

void region_set_init(struct region_set *set, struct reservation *reservation);

/** region_set_destroy() - disable and free all regions */
void region_set_destroy(struct region_set *set);

/**
 * region_add() - add a region, which overlaps none and is not seen yet
 *
 * Return: 0; -EINVAL; -EEXIST; -ENOMEM.
 */
int region_add(struct region_set *set, const char *name, struct range range,
	       struct region **out, struct error *error);

/** region_add_mapping() - put memory behind a part that has none, before it is seen */
int region_add_mapping(struct region_set *set, struct region *region,
		       const struct mapping *mapping, struct error *error);

/** region_map() - let a region be seen, once. On failure all is as before. */
int region_map(struct region_set *set, struct region *region,
	       const struct region_params *params, struct error *error);

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
