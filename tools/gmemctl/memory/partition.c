// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "partition.h"

static int partition_pin(struct partition *partition, uint64_t gpa,
			 uint64_t size, struct error *error)
{
	int rc;

	if (!partition->pin || !partition->ops->pin)
		return 0;
	rc = partition->ops->pin(partition->data, gpa, size);
	if (!rc)
		return 0;
	partition->ops->unmap(partition->data, gpa, size);
	return error_set(error, rc, "partition",
			 "failed to pin range to partition",
			 "raise RLIMIT_MEMLOCK, or do not pin memory");
}

static void partition_prefetch(struct partition *partition,
			       const struct partition_range *place)
{
	const struct partition_ops *ops = partition->ops;
	int rc = 0;

	if (place->params.prefetch && ops->prefetch)
		rc = ops->prefetch(partition->data, place->gpa, place->size);
	if (rc)
		partition->prefetch_rc = rc;
}

/* Where in the partition a region is. Return: 0, or -ERANGE. */
static int partition_place(const struct partition *partition,
			   struct range range, struct partition_range *out)
{
	uint64_t end;

	if (range.end > partition->reservation->size ||
	    __builtin_add_overflow(range.start, partition->offset, &out->gpa) ||
	    __builtin_add_overflow(range.end, partition->offset, &end))
		return -ERANGE;
	out->host = partition->reservation->base + range.start;
	out->size = range_size(range);
	return 0;
}

int partition_map_region(struct partition *partition, struct range range,
			 bool ram, const struct region_params *params,
			 struct error *error)
{
	struct partition_range place = { .ram = ram, .params = *params };
	int rc = partition_place(partition, range, &place);

	if (rc)
		return error_set(error, rc, "partition",
				 "failed to map range to partition",
				 "the address does not fit: 0x%llx at offset "
				 "0x%llx", (unsigned long long)range.start,
				 (unsigned long long)partition->offset);
	rc = partition->ops->map(partition->data, &place, error);
	if (rc)
		return rc;
	partition_prefetch(partition, &place);
	return partition_pin(partition, place.gpa, place.size, error);
}

int partition_unmap_region(struct partition *partition, struct range range)
{
	return partition->ops->unmap(partition->data,
				     range.start + partition->offset,
				     range_size(range));
}
