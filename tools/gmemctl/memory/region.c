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

#include "activation.h"
#include "region.h"

void region_set_init(struct region_set *set, struct reservation *reservation)
{
	memset(set, 0, sizeof(*set));
	set->reservation = reservation;
	set->next_id = 1;
	pthread_mutex_init(&set->lock, NULL);
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
	pthread_mutex_destroy(&set->lock);
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
	pthread_mutex_lock(&set->lock);
	rc = region_check_overlap(set, name, range, priority, error);
	if (!rc) {
		rc = region_insert(set, &region, out);
		if (rc)
			error_set(error, rc, name, "add memory region", NULL);
	}
	pthread_mutex_unlock(&set->lock);
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

	pthread_mutex_lock(&set->lock);
	if (!region->active || !params_equal(&region->params, params))
		rc = __region_map(set, region, params, error);
	pthread_mutex_unlock(&set->lock);
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

	pthread_mutex_lock(&set->lock);
	if (region->active && region_is_anonymous(region))
		rc = region_refuse_loss(region, error);
	else
		rc = __region_unmap(set, region, error);
	pthread_mutex_unlock(&set->lock);
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

	pthread_mutex_lock(&set->lock);
	rc = __region_unmap(set, region, error);
	region_forget(set, region);
	pthread_mutex_unlock(&set->lock);
	region_free(region);
	return rc;
}
