// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "layout.h"

static int layout_fail(struct error *error, int rc, const char *action,
		       struct range range)
{
	return error_set(error, rc, "guest memory", action,
			 "the range is 0x%llx-0x%llx",
			 (unsigned long long)range.start,
			 (unsigned long long)range.end);
}

int layout_add(struct layout *layout, struct range range, struct error *error)
{
	struct layout_range *ranges;
	uint64_t size;

	if (!range_valid(range))
		return layout_fail(error, -EINVAL, "RAM ranges are whole pages",
				   range);
	if (__builtin_add_overflow(layout->size, range_size(range), &size) ||
	    size > INT64_MAX)
		return layout_fail(error, -EOVERFLOW, "too much RAM in all",
				   range);
	for (unsigned int i = 0; i < layout->nr_ranges; i++)
		if (range_overlaps(layout->ranges[i].range, range))
			return layout_fail(error, -EEXIST, "RAM ranges overlap",
					   range);
	ranges = reallocarray(layout->ranges, layout->nr_ranges + 1,
			      sizeof(*ranges));
	if (!ranges)
		return layout_fail(error, -ENOMEM, "add RAM range", range);
	ranges[layout->nr_ranges++] = (struct layout_range){ range,
							     layout->size };
	layout->ranges = ranges;
	layout->size = size;
	return 0;
}

void layout_destroy(struct layout *layout)
{
	free(layout->ranges);
	memset(layout, 0, sizeof(*layout));
}

int layout_classify(const struct layout *layout, struct range range,
		    uint64_t *offset, struct error *error)
{
	int found = 0;

	for (unsigned int i = 0; i < layout->nr_ranges; i++) {
		const struct layout_range *ram = &layout->ranges[i];

		if (!range_overlaps(ram->range, range))
			continue;
		if (!range_contains(ram->range, range))
			return layout_fail(error, -EINVAL,
					   "KVM guest_memfd mappings must be "
					   "fully contained in one RAM range",
					   range);
		if (found)
			return layout_fail(error, -EINVAL,
					   "KVM guest_memfd mappings must be "
					   "contained in exactly one RAM range",
					   range);
		*offset = ram->offset + (range.start - ram->range.start);
		found = 1;
	}
	return found;
}
