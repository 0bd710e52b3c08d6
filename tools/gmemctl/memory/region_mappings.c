// SPDX-License-Identifier: GPL-2.0
/* What is behind a region. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "activation.h"
#include "region.h"

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
	if (!range_valid(mapping->range) || !mapping->page_size ||
	    mapping->range.end > range_size(region->range))
		return error_set(error, -EINVAL, region->name,
				 "add mapping to region",
				 "whole pages inside the region's 0x%llx bytes",
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
	if (region->active)
		rc = region_enable_mapping(set, region, mapping, error);
	if (!rc)
		mappings[region->nr_mappings++] = *mapping;
	return rc;
}

int region_add_mapping(struct region_set *set, struct region *region,
		       const struct mapping *mapping, struct error *error)
{
	int rc;

	pthread_mutex_lock(&set->lock);
	rc = __region_add_mapping(set, region, mapping, error);
	pthread_mutex_unlock(&set->lock);
	return rc;
}

static int mappings_check_whole(const struct region *region, struct range range,
				struct error *error)
{
	for (unsigned int i = 0; i < region->nr_mappings; i++) {
		struct range mapping = region->mappings[i].range;

		if (range_overlaps(mapping, range) &&
		    !range_contains(range, mapping))
			return error_set(error, -EINVAL, region->name,
					 "no partial unmappings allowed",
					 "the mapping is 0x%llx-0x%llx",
					 (unsigned long long)mapping.start,
					 (unsigned long long)mapping.end);
	}
	return 0;
}

static int __region_remove_mappings(struct region_set *set,
				    struct region *region, struct range range,
				    struct error *error)
{
	int rc = mappings_check_whole(region, range, error);
	unsigned int kept = 0;
	int failed = 0;

	if (rc)
		return rc;
	for (unsigned int i = 0; i < region->nr_mappings; i++) {
		const struct mapping *mapping = &region->mappings[i];

		if (!range_overlaps(mapping->range, range)) {
			region->mappings[kept++] = *mapping;
			continue;
		}
		if (region->active)
			failed = region_disable_mapping(set, region, mapping);
		if (failed && !rc)
			rc = failed;
	}
	region->nr_mappings = kept;
	if (rc)
		error_set(error, rc, region->name, "unmap memory of region",
			  NULL);
	return rc;
}

int region_remove_mappings(struct region_set *set, struct region *region,
			   struct range range, struct error *error)
{
	int rc;

	pthread_mutex_lock(&set->lock);
	rc = __region_remove_mappings(set, region, range, error);
	pthread_mutex_unlock(&set->lock);
	return rc;
}
