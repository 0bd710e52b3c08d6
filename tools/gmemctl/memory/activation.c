// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "activation.h"

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
		.device = region->type == REGION_DEVICE,
	};
}

static int region_dma_fail(struct error *error, const struct region *region,
			   int rc)
{
	return error_set(error, rc, region->name,
			 "failed to map range for DMA", NULL);
}

int region_tell_target(struct region_set *set, struct region *region,
		       const struct dma_target *target, struct error *error)
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

int region_enable_mapping(struct region_set *set, struct region *region,
			  const struct mapping *mapping, struct error *error)
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

int region_disable_mapping(struct region_set *set, struct region *region,
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
					      region->type == REGION_RAM,
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

int region_enable(struct region_set *set, struct region *region,
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

int region_disable(struct region_set *set, struct region *region)
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

static bool region_is_better(const struct region *region,
			     const struct region *than)
{
	if (!than)
		return true;
	if (region->range.start != than->range.start)
		return region->range.start < than->range.start;
	return region->priority > than->priority;
}

/* Of the mapped regions inside @rest: the lowest, then the highest priority. */
static struct region *region_find_best(const struct region_set *set,
				       struct range rest)
{
	struct region *best = NULL;

	for (unsigned int i = 0; i < set->nr_regions; i++) {
		struct region *region = set->regions[i];

		if (region->mapped && range_contains(rest, region->range) &&
		    region_is_better(region, best))
			best = region;
	}
	return best;
}

/*
 * Whatever is mapped and overlaps @range is inside it: a region that is seen
 * contains all that it covers, so disabling it opens no more than its range.
 */
int region_enable_best(struct region_set *set, struct range range,
		       struct error *error)
{
	struct region *best;
	int rc, first_rc = 0;

	while ((best = region_find_best(set, range))) {
		rc = best->active ? 0 : region_enable(set, best, error);
		keep_first(&first_rc, rc);
		range.start = best->range.end;
	}
	return first_rc;
}
