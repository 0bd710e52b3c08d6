/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which regions are seen. The caller holds the lock of the set.
 *
 * Enabling goes from the reservation to DMA targets to partitions, so that nobody
 * is told of memory that is not there yet. Disabling takes it from DMA targets,
 * from partitions, then from the reservation: devices first, since they take no
 * faults.
 */
#ifndef GMEMCTL_MEMORY_ACTIVATION_H
#define GMEMCTL_MEMORY_ACTIVATION_H

#include "region.h"

/** region_enable() - let a region be seen, all or nothing */
int region_enable(struct region_set *set, struct region *region,
		  struct error *error);

/** region_disable() - hide it. Return: 0 or the first failure; it is hidden. */
int region_disable(struct region_set *set, struct region *region);

/** region_enable_best() - enable what is to be seen in a range */
int region_enable_best(struct region_set *set, struct range range,
		       struct error *error);

/** region_enable_mapping() - one mapping of an active region */
int region_enable_mapping(struct region_set *set, struct region *region,
			  const struct mapping *mapping, struct error *error);

int region_disable_mapping(struct region_set *set, struct region *region,
			   const struct mapping *mapping);

/** region_tell_target() - make the mappings of an active region known to one */
int region_tell_target(struct region_set *set, struct region *region,
		       const struct dma_target *target, struct error *error);

#endif /* GMEMCTL_MEMORY_ACTIVATION_H */
