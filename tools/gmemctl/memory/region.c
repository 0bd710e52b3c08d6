// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "region.h"

static struct dma_mapping region_dma_mapping(const struct region_set *set,
					     const struct region *region,
					     const struct mapping *mapping)
{
	struct range place = mapping_place(mapping, region->range.start);

	return (struct dma_mapping){
		.range = place,
		.host = set->reservation->base + place.start,
		.fd = mapping->fd,
		.fd_offset = mapping->fd_offset,
		.writable = mapping->writable && region->params.writable,
	};
}

static int region_dma_fail(struct error *error, const struct region *region,
			   int rc)
{
	return error_set(error, rc, region->name,
			 "failed to map range for DMA", NULL);
}

/* Make the mappings of an active region known to one */
static int region_tell_target(struct region_set *set, struct region *region,
			      const struct dma_target *target,
			      struct error *error)
{
	for (unsigned int i = 0; i < region->nr_mappings; i++) {
		struct dma_mapping dma = region_dma_mapping(set, region,
						&region->mappings[i]);
		int rc = dma_map(target, &dma);

		if (!rc)
			continue;
		while (i--)
			dma_unmap(target, mapping_place(&region->mappings[i],
							region->range.start));
		return region_dma_fail(error, region, rc);
	}
	return 0;
}

/* One mapping of an active region */
static int region_enable_mapping(struct region_set *set, struct region *region,
				 const struct mapping *mapping,
				 struct error *error)
{
	struct dma_mapping dma = region_dma_mapping(set, region, mapping);
	unsigned int told = 0;
	int rc;

	rc = mapping_enable(mapping, set->reservation, region->range.start,
			    region->params.writable);
	if (rc)
		return error_set(error, rc, region->name,
				 "failed to map memory of region",
				 "0x%llx bytes at 0x%llx, fd %d",
				 (unsigned long long)range_size(mapping->range),
				 (unsigned long long)dma.range.start,
				 mapping->fd);
	while (!rc && told < set->nr_targets)
		rc = dma_map(set->targets[told++], &dma);
	if (!rc)
		return 0;
	/* The last one told is the one that has refused. */
	for (told--; told; told--)
		dma_unmap(set->targets[told - 1], dma.range);
	mapping_disable(mapping, set->reservation, region->range.start);
	return region_dma_fail(error, region, rc);
}

/* What a failure leaves behind is no longer reachable for the guest. */
static void keep_first(int *first, int rc)
{
	if (rc && !*first)
		*first = rc;
}

static int region_disable_mapping(struct region_set *set, struct region *region,
				  const struct mapping *mapping)
{
	struct range place = mapping_place(mapping, region->range.start);
	int rc = 0;

	for (unsigned int i = set->nr_targets; i; i--)
		keep_first(&rc, dma_unmap(set->targets[i - 1], place));
	keep_first(&rc, mapping_disable(mapping, set->reservation,
					region->range.start));
	return rc;
}

static int region_map_partitions(struct region_set *set, struct region *region,
				 struct error *error)
{
	for (unsigned int i = 0; i < set->nr_partitions; i++) {
		int rc = partition_map_region(set->partitions[i], region->range,
					      &region->params, error);

		if (!rc)
			continue;
		while (i--)
			partition_unmap_region(set->partitions[i],
					       region->range);
		return rc;
	}
	return 0;
}

/* Let a region be seen, all or nothing */
static int region_enable(struct region_set *set, struct region *region,
			 struct error *error)
{
	unsigned int enabled = 0;
	int rc = 0;

	while (!rc && enabled < region->nr_mappings) {
		rc = region_enable_mapping(set, region,
					   &region->mappings[enabled], error);
		if (!rc)
			enabled++;
	}
	if (!rc)
		rc = region_map_partitions(set, region, error);
	if (!rc) {
		region->active = true;
		return 0;
	}
	while (enabled--)
		region_disable_mapping(set, region, &region->mappings[enabled]);
	return rc;
}

/* Hide it. Return: 0 or the first failure; it is hidden. */
static int region_disable(struct region_set *set, struct region *region)
{
	int rc = 0;

	for (unsigned int i = set->nr_targets; i; i--)
		keep_first(&rc, dma_unmap(set->targets[i - 1], region->range));
	for (unsigned int i = set->nr_partitions; i; i--)
		keep_first(&rc, partition_unmap_region(set->partitions[i - 1],
						       region->range));
	for (unsigned int i = region->nr_mappings; i; i--)
		keep_first(&rc, mapping_disable(&region->mappings[i - 1],
						set->reservation,
						region->range.start));
	region->active = false;
	return rc;
}

/* A target that works with files only cannot be shown anonymous memory. */
static int mapping_check_targets(const struct region_set *set,
				 const struct region *region,
				 const struct mapping *mapping,
				 struct error *error)
{
	if (mapping->fd >= 0)
		return 0;
	for (unsigned int i = 0; i < set->nr_targets; i++)
		if (set->targets[i]->needs_fd)
			return error_set(error, -EINVAL, region->name,
					 "cannot add a mapping with no backing "
					 "fd: a registered DMA mapper requires "
					 "one", "use a kind of memory that is a "
					 "file: shared, hugetlb, file or gmem");
	return 0;
}

static int mapping_check(const struct region_set *set,
			 const struct region *region,
			 const struct mapping *mapping, struct error *error)
{
	if (region->active || !range_valid(mapping->range) ||
	    !mapping->page_size ||
	    mapping->range.end > range_size(region->range))
		return error_set(error, -EINVAL, region->name,
				 "add mapping to region",
				 "whole pages inside the region's 0x%llx bytes, "
				 "before it is mapped",
				 (unsigned long long)range_size(region->range));
	for (unsigned int i = 0; i < region->nr_mappings; i++)
		if (range_overlaps(region->mappings[i].range, mapping->range))
			return error_set(error, -EEXIST, region->name,
					 "add mapping to region",
					 "there is one at 0x%llx-0x%llx",
					 (unsigned long long)
					 region->mappings[i].range.start,
					 (unsigned long long)
					 region->mappings[i].range.end);
	return mapping_check_targets(set, region, mapping, error);
}

static int __region_add_mapping(struct region_set *set, struct region *region,
				const struct mapping *mapping,
				struct error *error)
{
	struct mapping *mappings;
	int rc = mapping_check(set, region, mapping, error);

	if (rc)
		return rc;
	mappings = reallocarray(region->mappings, region->nr_mappings + 1,
				sizeof(*mappings));
	if (!mappings)
		return error_set(error, -ENOMEM, region->name,
				 "add mapping to region", NULL);
	region->mappings = mappings;
	mappings[region->nr_mappings++] = *mapping;
	return 0;
}

int region_add_mapping(struct region_set *set, struct region *region,
		       const struct mapping *mapping, struct error *error)
{
	int rc;

	pthread_rwlock_wrlock(&set->lock);
	rc = __region_add_mapping(set, region, mapping, error);
	pthread_rwlock_unlock(&set->lock);
	return rc;
}

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

	pthread_rwlock_wrlock(&set->lock);
	rc = __region_set_add_partition(set, partition, error);
	pthread_rwlock_unlock(&set->lock);
	return rc;
}

void region_set_remove_partition(struct region_set *set,
				 struct partition *partition)
{
	unsigned int kept = 0;

	pthread_rwlock_wrlock(&set->lock);
	for (unsigned int i = 0; i < set->nr_partitions; i++)
		if (set->partitions[i] != partition)
			set->partitions[kept++] = set->partitions[i];
	if (kept != set->nr_partitions)
		partition_forget(set, partition, set->nr_regions);
	set->nr_partitions = kept;
	pthread_rwlock_unlock(&set->lock);
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

	pthread_rwlock_wrlock(&set->lock);
	rc = __region_set_add_target(set, target, error);
	pthread_rwlock_unlock(&set->lock);
	return rc;
}

void region_set_remove_target(struct region_set *set,
			      const struct dma_target *target)
{
	unsigned int kept = 0;

	pthread_rwlock_wrlock(&set->lock);
	for (unsigned int i = 0; i < set->nr_targets; i++)
		if (set->targets[i] != target)
			set->targets[kept++] = set->targets[i];
	if (kept != set->nr_targets)
		target_forget(set, target, set->nr_regions);
	set->nr_targets = kept;
	pthread_rwlock_unlock(&set->lock);
}

void region_set_init(struct region_set *set, struct reservation *reservation)
{
	memset(set, 0, sizeof(*set));
	set->reservation = reservation;
	pthread_rwlock_init(&set->lock, NULL);
}

static void region_free(struct region *region)
{
	free(region->mappings);
	free(region);
}

void region_set_destroy(struct region_set *set)
{
	for (unsigned int i = 0; i < set->nr_regions; i++) {
		if (set->regions[i]->active)
			region_disable(set, set->regions[i]);
		region_free(set->regions[i]);
	}
	free(set->regions);
	pthread_rwlock_destroy(&set->lock);
	memset(set, 0, sizeof(*set));
}

static int region_check_overlap(const struct region_set *set, const char *name,
				struct range range, struct error *error)
{
	char action[128];

	for (unsigned int i = 0; i < set->nr_regions; i++) {
		const struct region *existing = set->regions[i];

		if (!range_overlaps(existing->range, range))
			continue;
		snprintf(action, sizeof(action),
			 "memory region %s overlaps with existing region %s",
			 name, existing->name);
		return error_set(error, -EEXIST, "guest memory", action,
				 "0x%llx-0x%llx and 0x%llx-0x%llx",
				 (unsigned long long)range.start,
				 (unsigned long long)range.end,
				 (unsigned long long)existing->range.start,
				 (unsigned long long)existing->range.end);
	}
	return 0;
}

static int region_insert(struct region_set *set, const struct region *region,
			 struct region **out)
{
	struct region **regions;
	struct region *copy;

	regions = reallocarray(set->regions, set->nr_regions + 1,
			       sizeof(*regions));
	if (!regions)
		return -ENOMEM;
	set->regions = regions;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*copy = *region;
	regions[set->nr_regions++] = copy;
	*out = copy;
	return 0;
}

int region_add(struct region_set *set, const char *name, struct range range,
	       struct region **out, struct error *error)
{
	struct region region = { .range = range };
	int rc;

	if (!range_valid(range) || range.end > set->reservation->size)
		return error_set(error, -EINVAL, name, "add memory region",
				 "whole pages below 0x%llx, not 0x%llx-0x%llx",
				 (unsigned long long)set->reservation->size,
				 (unsigned long long)range.start,
				 (unsigned long long)range.end);
	snprintf(region.name, sizeof(region.name), "%s", name);
	pthread_rwlock_wrlock(&set->lock);
	rc = region_check_overlap(set, name, range, error);
	if (!rc) {
		rc = region_insert(set, &region, out);
		if (rc)
			error_set(error, rc, name, "add memory region", NULL);
	}
	pthread_rwlock_unlock(&set->lock);
	return rc;
}

int region_map(struct region_set *set, struct region *region,
	       const struct region_params *params, struct error *error)
{
	int rc = 0;

	pthread_rwlock_wrlock(&set->lock);
	if (!region->active) {
		region->params = *params;
		rc = region_enable(set, region, error);
	}
	pthread_rwlock_unlock(&set->lock);
	return rc;
}
