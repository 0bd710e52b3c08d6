// SPDX-License-Identifier: GPL-2.0
/*
 * DOC: Where regions overlap
 *
 * region_add() lets regions overlap only if one contains the other, and the one
 * outside has the higher priority, or if both are the same range. Of those that
 * are mapped, the guest sees the highest priority, and the oldest of equal ones.
 * Thus RAM hides the devices below it, and unmapping a piece of RAM shows them.
 */
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
		.device = region->type == REGION_DEVICE,
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
static int region_enable_best(struct region_set *set, struct range range,
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

	pthread_rwlock_wrlock(&set->lock);
	rc = __region_add_mapping(set, region, mapping, error);
	pthread_rwlock_unlock(&set->lock);
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

	pthread_rwlock_wrlock(&set->lock);
	rc = __region_remove_mappings(set, region, range, error);
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
	set->next_id = 1;
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

static bool region_may_overlap(const struct region *existing,
			       struct range range, uint8_t priority)
{
	if (priority < existing->priority)
		return range_contains(existing->range, range);
	if (priority > existing->priority)
		return range_contains(range, existing->range);
	return range_equal(existing->range, range);
}

static int region_check_overlap(const struct region_set *set, const char *name,
				struct range range, uint8_t priority,
				struct error *error)
{
	char action[128];

	for (unsigned int i = 0; i < set->nr_regions; i++) {
		const struct region *existing = set->regions[i];

		if (!range_overlaps(existing->range, range) ||
		    region_may_overlap(existing, range, priority))
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
	copy->id = set->next_id++;
	regions[set->nr_regions++] = copy;
	*out = copy;
	return 0;
}

int region_add(struct region_set *set, const char *name, struct range range,
	       uint8_t priority, enum region_type type, struct region **out,
	       struct error *error)
{
	struct region region = {
		.range = range,
		.priority = priority,
		.type = type,
	};
	int rc;

	if (!range_valid(range) || range.end > set->reservation->size)
		return error_set(error, -EINVAL, name, "add memory region",
				 "whole pages below 0x%llx, not 0x%llx-0x%llx",
				 (unsigned long long)set->reservation->size,
				 (unsigned long long)range.start,
				 (unsigned long long)range.end);
	snprintf(region.name, sizeof(region.name), "%s", name);
	pthread_rwlock_wrlock(&set->lock);
	rc = region_check_overlap(set, name, range, priority, error);
	if (!rc) {
		rc = region_insert(set, &region, out);
		if (rc)
			error_set(error, rc, name, "add memory region", NULL);
	}
	pthread_rwlock_unlock(&set->lock);
	return rc;
}

static bool region_is_anonymous(const struct region *region)
{
	for (unsigned int i = 0; i < region->nr_mappings; i++)
		if (region->mappings[i].fd < 0)
			return true;
	return false;
}

/* Whether @region hides @other, both being mapped. */
static bool region_hides(const struct region_set *set,
			 const struct region *region,
			 const struct region *other)
{
	if (region->priority != other->priority)
		return region->priority > other->priority;
	for (unsigned int i = 0; set->regions[i] != other; i++)
		if (set->regions[i] == region)
			return true;
	return false;
}

static bool region_is_hidden(const struct region_set *set,
			     const struct region *region)
{
	for (unsigned int i = 0; i < set->nr_regions; i++) {
		const struct region *other = set->regions[i];

		if (other->active &&
		    range_overlaps(other->range, region->range) &&
		    region_hides(set, other, region))
			return true;
	}
	return false;
}

/* The next active region that has to make way for @range, from @at on. */
static struct region *region_next_active(const struct region_set *set,
					 struct range range, unsigned int *at)
{
	while (*at < set->nr_regions) {
		struct region *region = set->regions[(*at)++];

		if (region->active && range_overlaps(region->range, range))
			return region;
	}
	return NULL;
}

static int region_refuse_loss(const struct region *region, struct error *error)
{
	return error_set(error, -EBUSY, region->name,
			 "disabling the region would lose its contents",
			 "private anonymous memory lives in the mapping alone: "
			 "use another kind of memory");
}

/* Disable what is seen in @range, unless contents would be lost for good. */
static int region_clear_range(struct region_set *set, struct range range,
			      struct error *error)
{
	struct region *region;
	unsigned int at = 0;
	int rc = 0;

	while ((region = region_next_active(set, range, &at)))
		if (region_is_anonymous(region))
			return region_refuse_loss(region, error);
	at = 0;
	while (!rc && (region = region_next_active(set, range, &at)))
		rc = region_disable(set, region);
	if (rc)
		error_set(error, rc, "guest memory", "disable memory region",
			  NULL);
	return rc;
}

static int __region_map(struct region_set *set, struct region *region,
			const struct region_params *params, struct error *error)
{
	struct region_params old_params = region->params;
	bool old_mapped = region->mapped;
	int rc;

	if (region_is_hidden(set, region)) {
		region->params = *params;
		region->mapped = true;
		return 0;
	}
	rc = region_clear_range(set, region->range, error);
	if (rc == -EBUSY)
		return rc;
	region->params = *params;
	region->mapped = true;
	if (!rc)
		rc = region_enable_best(set, region->range, error);
	if (!rc)
		return 0;
	region->params = old_params;
	region->mapped = old_mapped;
	region_enable_best(set, region->range, NULL);
	return rc;
}

static bool params_equal(const struct region_params *a,
			 const struct region_params *b)
{
	return a->writable == b->writable && a->executable == b->executable &&
	       a->prefetch == b->prefetch;
}

int region_map(struct region_set *set, struct region *region,
	       const struct region_params *params, struct error *error)
{
	int rc = 0;

	pthread_rwlock_wrlock(&set->lock);
	if (!region->active || !params_equal(&region->params, params))
		rc = __region_map(set, region, params, error);
	pthread_rwlock_unlock(&set->lock);
	return rc;
}

static int __region_unmap(struct region_set *set, struct region *region,
			  struct error *error)
{
	bool was_active = region->active;
	int rc = 0;

	region->mapped = false;
	if (!was_active)
		return 0;
	rc = region_disable(set, region);
	if (rc)
		return error_set(error, rc, region->name,
				 "disable memory region", NULL);
	return region_enable_best(set, region->range, error);
}

int region_unmap(struct region_set *set, struct region *region,
		 struct error *error)
{
	int rc;

	pthread_rwlock_wrlock(&set->lock);
	if (region->active && region_is_anonymous(region))
		rc = region_refuse_loss(region, error);
	else
		rc = __region_unmap(set, region, error);
	pthread_rwlock_unlock(&set->lock);
	return rc;
}

static void region_forget(struct region_set *set, const struct region *region)
{
	unsigned int at = 0;

	while (set->regions[at] != region)
		at++;
	set->nr_regions--;
	memmove(&set->regions[at], &set->regions[at + 1],
		(set->nr_regions - at) * sizeof(*set->regions));
}

int region_remove(struct region_set *set, struct region *region,
		  struct error *error)
{
	int rc;

	pthread_rwlock_wrlock(&set->lock);
	rc = __region_unmap(set, region, error);
	region_forget(set, region);
	pthread_rwlock_unlock(&set->lock);
	region_free(region);
	return rc;
}
