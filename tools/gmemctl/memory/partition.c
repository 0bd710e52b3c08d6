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

int partition_map_region(struct partition *partition, struct range range,
			 const struct region_params *params,
			 struct error *error)
{
	uint64_t size = range_size(range);
	uint64_t gpa, end;
	int rc;

	if (range.end > partition->reservation->size ||
	    __builtin_add_overflow(range.start, partition->offset, &gpa) ||
	    __builtin_add_overflow(gpa, size, &end))
		return error_set(error, -ERANGE, "partition",
				 "failed to map range to partition",
				 "the address does not fit: 0x%llx at offset "
				 "0x%llx", (unsigned long long)range.start,
				 (unsigned long long)partition->offset);
	rc = partition->ops->map(partition->data,
				 partition->reservation->base + range.start,
				 gpa, size, params, error);
	if (rc)
		return rc;
	if (params->prefetch && partition->ops->prefetch)
		partition->prefetch_rc =
			partition->ops->prefetch(partition->data, gpa, size);
	return partition_pin(partition, gpa, size, error);
}

int partition_unmap_region(struct partition *partition, struct range range)
{
	return partition->ops->unmap(partition->data,
				     range.start + partition->offset,
				     range_size(range));
}
