// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "../base/calls.h"
#include "device_memory.h"

void device_memory_init(struct device_memory *memory, struct region_set *set,
			const char *name, uint64_t size)
{
	memset(memory, 0, sizeof(*memory));
	memory->set = set;
	memory->name = name;
	memory->size = size;
}

void device_memory_destroy(struct device_memory *memory)
{
	device_memory_hide(memory, NULL);
	for (unsigned int i = 0; i < memory->nr_mappings; i++)
		calls->close(memory->mappings[i].fd);
	free(memory->mappings);
	memset(memory, 0, sizeof(*memory));
}

static int device_memory_check(const struct device_memory *memory,
			       struct range range, struct error *error)
{
	if (!range_valid(range) || range.end > memory->size)
		return error_set(error, -EINVAL, memory->name,
				 "map device memory",
				 "whole pages inside its 0x%llx bytes",
				 (unsigned long long)memory->size);
	for (unsigned int i = 0; i < memory->nr_mappings; i++)
		if (range_overlaps(memory->mappings[i].range, range))
			return error_set(error, -EEXIST, memory->name,
					 "map device memory",
					 "unmap what is there first");
	return 0;
}

static int device_memory_insert(struct device_memory *memory,
				const struct mapping *mapping,
				struct error *error)
{
	struct mapping *mappings;
	int rc = 0;

	mappings = reallocarray(memory->mappings, memory->nr_mappings + 1,
				sizeof(*mappings));
	if (!mappings)
		return error_set(error, -ENOMEM, memory->name,
				 "map device memory", NULL);
	memory->mappings = mappings;
	if (memory->region)
		rc = region_add_mapping(memory->set, memory->region, mapping,
					error);
	if (!rc)
		mappings[memory->nr_mappings++] = *mapping;
	return rc;
}

int device_memory_map(struct device_memory *memory, struct range range, int fd,
		      uint64_t fd_offset, bool writable, struct error *error)
{
	struct mapping mapping = {
		.range = range,
		.fd_offset = fd_offset,
		.page_size = RANGE_PAGE_SIZE,
		.writable = writable,
		.node = -1,
	};
	int rc = device_memory_check(memory, range, error);

	if (rc)
		return rc;
	mapping.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (mapping.fd < 0)
		return error_set(error, -errno, memory->name,
				 "duplicate fd of device memory", NULL);
	rc = device_memory_insert(memory, &mapping, error);
	if (rc)
		calls->close(mapping.fd);
	return rc;
}

/* What is inside @range goes, what is outside stays. */
static void device_memory_forget(struct device_memory *memory,
				 struct range range)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < memory->nr_mappings; i++) {
		if (range_contains(range, memory->mappings[i].range))
			calls->close(memory->mappings[i].fd);
		else
			memory->mappings[kept++] = memory->mappings[i];
	}
	memory->nr_mappings = kept;
}

int device_memory_unmap(struct device_memory *memory, struct range range,
			struct error *error)
{
	int rc = 0;

	for (unsigned int i = 0; i < memory->nr_mappings; i++) {
		struct range mapping = memory->mappings[i].range;

		if (range_overlaps(mapping, range) &&
		    !range_contains(range, mapping))
			return error_set(error, -EINVAL, memory->name,
					 "no partial unmappings allowed",
					 "the mapping is 0x%llx-0x%llx",
					 (unsigned long long)mapping.start,
					 (unsigned long long)mapping.end);
	}
	if (memory->region)
		rc = region_remove_mappings(memory->set, memory->region, range,
					    error);
	device_memory_forget(memory, range);
	return rc;
}

static int device_memory_fill(struct device_memory *memory, bool writable,
			      struct error *error)
{
	struct region_params params = { .writable = writable };
	int rc = 0;

	for (unsigned int i = 0; !rc && i < memory->nr_mappings; i++)
		rc = region_add_mapping(memory->set, memory->region,
					&memory->mappings[i], error);
	return rc ? rc : region_map(memory->set, memory->region, &params,
				    error);
}

int device_memory_show(struct device_memory *memory, uint64_t gpa,
		       bool writable, struct error *error)
{
	struct range range = { gpa, gpa + memory->size };
	int rc = device_memory_hide(memory, error);

	if (rc)
		return rc;
	rc = region_add(memory->set, memory->name, range,
			REGION_PRIORITY_DEVICE, REGION_DEVICE, &memory->region,
			error);
	if (rc)
		return rc;
	rc = device_memory_fill(memory, writable, error);
	if (rc)
		device_memory_hide(memory, NULL);
	return rc;
}

int device_memory_hide(struct device_memory *memory, struct error *error)
{
	int rc = 0;

	if (memory->region)
		rc = region_remove(memory->set, memory->region, error);
	memory->region = NULL;
	return rc;
}
