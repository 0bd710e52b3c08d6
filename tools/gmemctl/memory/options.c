// SPDX-License-Identifier: GPL-2.0
/* Requests of memory: their layout, and checks whether they are possible. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "range.h"

static int layout_fail(struct error *error, int rc, const char *action,
		       struct range range)
{
	return error_set(error, rc, "guest memory", action,
			 "the range is 0x%llx-0x%llx",
			 (unsigned long long)range.start,
			 (unsigned long long)range.end);
}

/* @start: offset in the layout at which the memory of @request starts */
static int layout_add(struct layout *layout, const struct memory_request *request,
		      uint64_t start, struct range range, struct error *error)
{
	struct layout_range *ranges;
	uint64_t size;

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
	ranges[layout->nr_ranges++] = (struct layout_range){ range, layout->size, request,
							     layout->size - start };
	layout->ranges = ranges;
	layout->size = size;
	return 0;
}

int layout_create(struct layout *layout, const struct memory_config *config,
		  struct error *error)
{
	int rc = 0;

	memset(layout, 0, sizeof(*layout));
	for (unsigned int i = 0; !rc && i < config->nr_requests; i++) {
		const struct memory_request *request = &config->requests[i];
		uint64_t start = layout->size;

		for (unsigned int j = 0; !rc && j < request->nr_ranges; j++)
			rc = layout_add(layout, request, start, request->ranges[j], error);
	}
	if (rc)
		layout_destroy(layout);
	return rc;
}

void layout_destroy(struct layout *layout)
{
	free(layout->ranges);
	memset(layout, 0, sizeof(*layout));
}

const struct layout_range *layout_find(const struct layout *layout, struct range range)
{
	for (unsigned int i = 0; i < layout->nr_ranges; i++)
		if (range.start < range.end && range_contains(layout->ranges[i].range, range))
			return &layout->ranges[i];
	return NULL;
}

static const char *const kind_names[BACKING_KINDS] = {
	[BACKING_SHARED]	= "shared",
	[BACKING_PRIVATE]	= "private",
	[BACKING_HUGETLB]	= "hugetlb",
	[BACKING_FILE]		= "file",
	[BACKING_GMEM]		= "gmem",
	[BACKING_GMEM_STORE]	= "gmem-store",
	[BACKING_GUEST_MEMFD]	= "guest-memfd",
};

const char *backing_kind_name(enum backing_kind kind)
{
	return kind < BACKING_KINDS ? kind_names[kind] : "?";
}

int backing_kind_find(const char *name, size_t length, enum backing_kind *kind)
{
	for (unsigned int i = 0; i < BACKING_KINDS; i++) {
		if (strlen(kind_names[i]) != length ||
		    memcmp(kind_names[i], name, length))
			continue;
		*kind = (enum backing_kind)i;
		return 0;
	}
	return -ENOENT;
}

const char *memory_size_text(uint64_t size, char text[32])
{
	static const char *const units[] = { "KB", "MB", "GB", "TB" };

	for (unsigned int i = 4; i; i--) {
		uint64_t unit = UINT64_C(1) << (10 * i);

		if (!size || size % unit)
			continue;
		snprintf(text, 32, "%" PRIu64 " %s", size / unit, units[i - 1]);
		return text;
	}
	snprintf(text, 32, "%" PRIu64 " bytes", size);
	return text;
}

int memory_request_size(const struct memory_request *request, uint64_t *size)
{
	uint64_t total = 0;

	for (unsigned int i = 0; i < request->nr_ranges; i++)
		if (__builtin_add_overflow(total,
					   range_size(request->ranges[i]),
					   &total))
			total = UINT64_MAX;
	*size = total;
	return total > INT64_MAX ? -EOVERFLOW : 0;
}

uint64_t memory_request_hugepage(const struct memory_request *request)
{
	if (!request->hugepages && request->kind != BACKING_HUGETLB)
		return 0;
	return request->hugepage_size ? request->hugepage_size :
					HUGEPAGE_SIZE_DEFAULT;
}

uint64_t memory_config_end(const struct memory_config *config)
{
	uint64_t end = 0;

	for (unsigned int i = 0; i < config->nr_requests; i++) {
		const struct memory_request *request = &config->requests[i];

		for (unsigned int j = 0; j < request->nr_ranges; j++)
			if (request->ranges[j].end > end)
				end = request->ranges[j].end;
	}
	return end;
}

static int refuse(struct error *error, const char *hint, const char *format,
		  ...) __attribute__((format(printf, 3, 4)));

static int refuse(struct error *error, const char *hint, const char *format,
		  ...)
{
	char action[192];
	va_list args;

	va_start(args, format);
	vsnprintf(action, sizeof(action), format, args);
	va_end(args);
	return error_set(error, -EINVAL, "guest memory", action,
			 hint ? "%s" : NULL, hint);
}

static bool is_gmem(const struct memory_request *request)
{
	return request->kind == BACKING_GMEM || request->kind == BACKING_GMEM_STORE;
}

static int check_existing(const struct memory_request *request, struct error *error)
{
	bool existing = request->existing_fd >= 0 || request->path ||
			request->kind == BACKING_FILE;

	if (request->kind == BACKING_PRIVATE && existing)
		return refuse(error, "use kind=shared or kind=file",
			      "private memory is incompatible with an existing "
			      "memory backing");
	if (!memory_request_hugepage(request))
		return 0;
	if (request->kind == BACKING_PRIVATE)
		return refuse(error, "use kind=hugetlb, or thp=on",
			      "hugepages require shared memory mode");
	if (existing)
		return refuse(error, "leave hugepages off",
			      "hugepages are incompatible with existing memory "
			      "backing");
	if (request->kind != BACKING_HUGETLB && request->kind != BACKING_SHARED)
		return refuse(error, "use kind=hugetlb, or leave hugepages off",
			      "hugepages are incompatible with memory of kind "
			      "%s", backing_kind_name(request->kind));
	return 0;
}

static int check_file(const struct memory_request *request,
		      struct error *error)
{
	bool existing = request->existing_fd >= 0;

	if (request->kind == BACKING_FILE && !!request->path == existing)
		return refuse(error, "give file=PATH",
			      "memory of kind file needs one file");
	if (request->kind != BACKING_FILE && request->path)
		return refuse(error, "use kind=file",
			      "memory of kind %s takes no file",
			      backing_kind_name(request->kind));
	if (request->consent && !is_gmem(request))
		return refuse(error, "use kind=gmem-store, or leave consent off",
			      "consent is incompatible with memory of kind %s",
			      backing_kind_name(request->kind));
	if (request->dump && is_gmem(request))
		return refuse(error, "gmem keeps it out of core dumps: leave dump "
			      "off",
			      "dump is incompatible with memory of kind %s",
			      backing_kind_name(request->kind));
	if (request->kind == BACKING_GUEST_MEMFD && existing)
		return refuse(error, "a guest_memfd belongs to its VM",
			      "memory of kind guest-memfd is incompatible with "
			      "an existing memory backing");
	return 0;
}

/* A VM has one guest_memfd, which either has private pages or is mappable. */
static int check_guest_memfd(const struct memory_config *config,
			     struct error *error)
{
	bool private = config->guest_memfd, mappable = false;

	for (unsigned int i = 0; i < config->nr_requests; i++) {
		enum backing_kind kind = config->requests[i].kind;

		private |= kind == BACKING_GMEM_STORE;
		mappable |= kind == BACKING_GUEST_MEMFD;
	}
	if (private && mappable)
		return refuse(error, "use the same kind for all memory",
			      "memory of kind guest-memfd is incompatible with "
			      "private memory of the VM");
	return 0;
}

static int check_hugepage_size(const struct memory_request *request,
			       struct error *error)
{
	uint64_t size = memory_request_hugepage(request);
	char text[32];

	if (!size)
		return 0;
	if (size < RANGE_PAGE_SIZE || size & (size - 1))
		return refuse(error, "most hosts have 2M and 1G",
			      "hugepage size %s must be a power of two and at "
			      "least the host page size",
			      memory_size_text(size, text));
	if (size > INT64_MAX)
		return refuse(error, "most hosts have 2M and 1G",
			      "hugepage size %s is too large",
			      memory_size_text(size, text));
	return 0;
}

static int check_size(const struct memory_request *request,
		      struct error *error)
{
	uint64_t hugepage = memory_request_hugepage(request), size;
	char text[32], unit[32];

	for (unsigned int i = 0; i < request->nr_ranges; i++)
		if (!range_valid(request->ranges[i]))
			return refuse(error, "a multiple of 4K, not 0",
				      "RAM range 0x%" PRIx64 "-0x%" PRIx64
				      " is not whole pages",
				      request->ranges[i].start,
				      request->ranges[i].end);
	if (memory_request_size(request, &size))
		return refuse(error, NULL, "ram size %" PRIu64 " is too large",
			      size);
	if (!hugepage)
		return 0;
	if (size % hugepage)
		return refuse(error, NULL,
			      "RAM size %s is not aligned to %s hugepages; "
			      "choose a memory size that is a multiple of the "
			      "hugepage size", memory_size_text(size, text),
			      memory_size_text(hugepage, unit));
	for (unsigned int i = 0; i < request->nr_ranges; i++) {
		struct range range = request->ranges[i];

		if (range_aligned(range, hugepage))
			continue;
		return refuse(error, NULL,
			      "RAM range 0x%" PRIx64 "-0x%" PRIx64 " (%s) is not "
			      "aligned to %s hugepages; range start and size "
			      "must both be multiples of the hugepage size",
			      range.start, range.end,
			      memory_size_text(range_size(range), text),
			      memory_size_text(hugepage, unit));
	}
	return 0;
}

int memory_config_check(const struct memory_config *config,
			struct error *error)
{
	int rc = 0;

	for (unsigned int i = 0; !rc && i < config->nr_requests; i++) {
		rc = check_existing(&config->requests[i], error);
		if (!rc)
			rc = check_file(&config->requests[i], error);
	}
	if (!rc)
		rc = check_guest_memfd(config, error);
	for (unsigned int i = 0; !rc && i < config->nr_requests; i++)
		rc = check_hugepage_size(&config->requests[i], error);
	for (unsigned int i = 0; !rc && i < config->nr_requests; i++)
		rc = check_size(&config->requests[i], error);
	return rc;
}
