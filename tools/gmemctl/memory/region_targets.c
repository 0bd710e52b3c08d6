// SPDX-License-Identifier: GPL-2.0
/* Who is told of regions: the partitions, and the DMA targets. */
#include <errno.h>

#include "activation.h"
#include "region.h"

/* Undo what a partition has of the first @count regions. */
static void partition_forget(struct region_set *set,
			     struct partition *partition, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (set->regions[i]->active)
			partition_unmap_region(partition,
					       set->regions[i]->range);
}

static int __region_set_add_partition(struct region_set *set,
				      struct partition *partition,
				      struct error *error)
{
	int rc;

	if (set->nr_partitions == REGION_TARGETS_MAX)
		return error_set(error, -ENOSPC, "guest memory",
				 "failed to attach partition to memory manager",
				 "at most %d partitions", REGION_TARGETS_MAX);
	for (unsigned int i = 0; i < set->nr_regions; i++) {
		const struct region *region = set->regions[i];

		if (!region->active)
			continue;
		rc = partition_map_region(partition, region->range,
					  region->type == REGION_RAM,
					  &region->params, error);
		if (!rc)
			continue;
		partition_forget(set, partition, i);
		return rc;
	}
	set->partitions[set->nr_partitions++] = partition;
	return 0;
}

int region_set_add_partition(struct region_set *set,
			     struct partition *partition, struct error *error)
{
	int rc;

	pthread_mutex_lock(&set->lock);
	rc = __region_set_add_partition(set, partition, error);
	pthread_mutex_unlock(&set->lock);
	return rc;
}

void region_set_remove_partition(struct region_set *set,
				 struct partition *partition)
{
	unsigned int kept = 0;

	pthread_mutex_lock(&set->lock);
	for (unsigned int i = 0; i < set->nr_partitions; i++)
		if (set->partitions[i] != partition)
			set->partitions[kept++] = set->partitions[i];
	if (kept != set->nr_partitions)
		partition_forget(set, partition, set->nr_regions);
	set->nr_partitions = kept;
	pthread_mutex_unlock(&set->lock);
}

static int target_check(const struct region_set *set,
			const struct dma_target *target, struct error *error)
{
	if (set->nr_targets == REGION_TARGETS_MAX)
		return error_set(error, -ENOSPC, "guest memory",
				 "register a DMA mapper", "at most %d",
				 REGION_TARGETS_MAX);
	for (unsigned int i = 0; target->needs_fd && i < set->nr_regions; i++) {
		const struct region *region = set->regions[i];

		for (unsigned int j = 0; j < region->nr_mappings; j++)
			if (region->mappings[j].fd < 0)
				return error_set(error, -EINVAL, region->name,
						 "cannot register a DMA mapper "
						 "that requires a backing fd",
						 "the region contains a mapping "
						 "with no backing fd (private "
						 "RAM)");
	}
	return 0;
}

/* Undo what a target has of the first @count regions. */
static void target_forget(struct region_set *set,
			  const struct dma_target *target, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (set->regions[i]->active)
			dma_unmap(target, set->regions[i]->range);
}

static int __region_set_add_target(struct region_set *set,
				   const struct dma_target *target,
				   struct error *error)
{
	int rc = target_check(set, target, error);

	if (rc)
		return rc;
	for (unsigned int i = 0; i < set->nr_regions; i++) {
		if (!set->regions[i]->active)
			continue;
		rc = region_tell_target(set, set->regions[i], target, error);
		if (!rc)
			continue;
		target_forget(set, target, i);
		return rc;
	}
	set->targets[set->nr_targets++] = target;
	return 0;
}

int region_set_add_target(struct region_set *set,
			  const struct dma_target *target, struct error *error)
{
	int rc;

	pthread_mutex_lock(&set->lock);
	rc = __region_set_add_target(set, target, error);
	pthread_mutex_unlock(&set->lock);
	return rc;
}

void region_set_remove_target(struct region_set *set,
			      const struct dma_target *target)
{
	unsigned int kept = 0;

	pthread_mutex_lock(&set->lock);
	for (unsigned int i = 0; i < set->nr_targets; i++)
		if (set->targets[i] != target)
			set->targets[kept++] = set->targets[i];
	if (kept != set->nr_targets)
		target_forget(set, target, set->nr_regions);
	set->nr_targets = kept;
	pthread_mutex_unlock(&set->lock);
}
