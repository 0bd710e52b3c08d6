// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "../base/calls.h"
#include "../kvm/slot.h"
#include "guest_memfd.h"

int guest_memfd_create(struct guest_memfd *memfd, struct vm *vm,
		       struct layout *layout, bool mappable,
		       bool initial_private, struct error *error)
{
	memset(memfd, 0, sizeof(*memfd));
	memfd->fd = -1;
	memfd->mappable = mappable;
	if (page_map_create(&memfd->private, layout->size / RANGE_PAGE_SIZE,
			    initial_private && !mappable))
		return error_set(error, -ENOMEM, "guest_memfd", "create", NULL);
	if (mappable)
		memfd->fd = vm_create_mappable_guest_memfd(vm, layout->size,
							   error);
	else
		memfd->fd = vm_create_guest_memfd(vm, layout->size, error);
	if (memfd->fd < 0) {
		int rc = memfd->fd;

		guest_memfd_destroy(memfd);
		return rc;
	}
	memfd->layout = *layout;
	memset(layout, 0, sizeof(*layout));
	return 0;
}

void guest_memfd_destroy(struct guest_memfd *memfd)
{
	if (memfd->fd >= 0)
		calls->close(memfd->fd);
	page_map_destroy(&memfd->private);
	layout_destroy(&memfd->layout);
	memset(memfd, 0, sizeof(*memfd));
	memfd->fd = -1;
}

/*
 * Shared is said as well as private: attributes outlive slots, and what another
 * slot has left at this address must not become this one's state.
 */
int guest_memfd_set_attributes(const struct guest_memfd *memfd, struct vm *vm,
			       struct range range, uint64_t offset)
{
	uint64_t first = offset / RANGE_PAGE_SIZE;
	uint64_t end = first + range_size(range) / RANGE_PAGE_SIZE;
	uint64_t page = first, next;
	int rc = 0;

	if (memfd->mappable)
		return 0;
	for (; !rc && page < end; page = next) {
		next = page_map_run(&memfd->private, page, end);
		rc = vm_set_private(vm, range.start +
				    (page - first) * RANGE_PAGE_SIZE,
				    (next - page) * RANGE_PAGE_SIZE,
				    page_map_get(&memfd->private, page));
	}
	if (rc)
		guest_memfd_clear_attributes(memfd, vm, range);
	return rc;
}

int guest_memfd_clear_attributes(const struct guest_memfd *memfd, struct vm *vm,
				 struct range range)
{
	if (memfd->mappable)
		return 0;
	return vm_set_private(vm, range.start, range_size(range), false);
}

int guest_memfd_prefetch(const struct guest_memfd *memfd, uint8_t *host,
			 uint64_t offset, uint64_t size)
{
	uint64_t first = offset / RANGE_PAGE_SIZE;
	uint64_t end = first + size / RANGE_PAGE_SIZE;
	uint64_t page = first, next;
	int rc = 0;

	for (; !rc && page < end; page = next) {
		next = page_map_run(&memfd->private, page, end);
		size = (next - page) * RANGE_PAGE_SIZE;
		if (page_map_get(&memfd->private, page))
			rc = calls->allocate(memfd->fd, page * RANGE_PAGE_SIZE,
					     size);
		else
			rc = calls->advise(host + (page - first) *
					   RANGE_PAGE_SIZE, size,
					   MADV_POPULATE_WRITE);
	}
	return rc;
}

bool guest_memfd_is_private(const struct guest_memfd *memfd, uint64_t gpa)
{
	struct range page = { gpa, gpa + 1 };
	uint64_t offset;

	if (memfd->fd < 0 ||
	    layout_classify(&memfd->layout, page, &offset, NULL) != 1)
		return false;
	return page_map_get(&memfd->private, offset / RANGE_PAGE_SIZE);
}
