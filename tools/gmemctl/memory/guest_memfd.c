// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../base/calls.h"
#include "../kvm/slot.h"
#include "guest_memfd.h"

#define WORD_BITS 64

int page_map_create(struct page_map *map, uint64_t pages, bool value)
{
	uint64_t words = (pages + WORD_BITS - 1) / WORD_BITS;

	map->words = calloc(words ? words : 1, sizeof(*map->words));
	if (!map->words)
		return -ENOMEM;
	if (value)
		memset(map->words, 0xff, words * sizeof(*map->words));
	return 0;
}

void page_map_destroy(struct page_map *map)
{
	free(map->words);
	map->words = NULL;
}

static uint64_t word_get(const struct page_map *map, uint64_t page)
{
	return __atomic_load_n(&map->words[page / WORD_BITS], __ATOMIC_RELAXED);
}

bool page_map_get(const struct page_map *map, uint64_t page)
{
	return word_get(map, page) >> page % WORD_BITS & 1;
}

/* Atomic, because other threads may set other pages of the first and the last word. */
void page_map_set(struct page_map *map, uint64_t first, uint64_t end, bool value)
{
	uint64_t next, bits;

	for (; first < end; first = next) {
		next = (first / WORD_BITS + 1) * WORD_BITS;
		bits = UINT64_MAX << first % WORD_BITS;
		if (next > end) {
			bits &= UINT64_MAX >> (next - end);
			next = end;
		}
		if (value)
			__atomic_fetch_or(&map->words[first / WORD_BITS], bits, __ATOMIC_RELAXED);
		else
			__atomic_fetch_and(&map->words[first / WORD_BITS], ~bits,
					   __ATOMIC_RELAXED);
	}
}

/* The first word is read once, so that the value matches the length even during changes. */
uint64_t page_map_run(const struct page_map *map, uint64_t page, uint64_t end, bool *value)
{
	uint64_t word = page < end ? word_get(map, page) : 0, others;

	*value = word >> page % WORD_BITS & 1;
	while (page < end) {
		/* A bit is set for each page with another value, from this page on */
		others = (word ^ (*value ? UINT64_MAX : 0)) >> page % WORD_BITS;
		if (others) {
			page += (uint64_t)__builtin_ctzll(others);
			break;
		}
		page = (page / WORD_BITS + 1) * WORD_BITS;
		word = page < end ? word_get(map, page) : 0;
	}
	return page < end ? page : end;
}

int guest_memfd_create(struct guest_memfd *memfd, struct vm *vm, bool mappable,
		       bool initial_private, struct error *error)
{
	uint64_t size = memfd->layout.size;

	memfd->mappable = mappable;
	if (page_map_create(&memfd->private, size / RANGE_PAGE_SIZE,
			    initial_private && !mappable))
		return error_set(error, -ENOMEM, "guest_memfd", "create", NULL);
	memfd->fd = mappable ? vm_create_mappable_guest_memfd(vm, size, error) :
			       vm_create_guest_memfd(vm, size, error);
	return memfd->fd < 0 ? memfd->fd : 0;
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
 * Set shared as well as private pages. Attributes outlive slots, so an earlier slot at this
 * address may have left private ones.
 */
int guest_memfd_set_attributes(const struct guest_memfd *memfd, struct vm *vm,
			       const struct layout_range *ram)
{
	uint64_t first = ram->offset / RANGE_PAGE_SIZE;
	uint64_t end = first + range_size(ram->range) / RANGE_PAGE_SIZE;
	uint64_t page = first, next;
	bool private;
	int rc = 0;

	if (memfd->fd < 0 || memfd->mappable)
		return 0;
	for (; !rc && page < end; page = next) {
		next = page_map_run(&memfd->private, page, end, &private);
		rc = vm_set_private(vm, ram->range.start +
				    (page - first) * RANGE_PAGE_SIZE,
				    (next - page) * RANGE_PAGE_SIZE, private);
	}
	if (rc)
		guest_memfd_clear_attributes(memfd, vm, ram->range);
	return rc;
}

void guest_memfd_clear_attributes(const struct guest_memfd *memfd, struct vm *vm,
				  struct range range)
{
	if (memfd->fd >= 0 && !memfd->mappable)
		vm_set_private(vm, range.start, range_size(range), false);
}

int guest_memfd_prefetch(const struct guest_memfd *memfd, uint8_t *host,
			 const struct layout_range *ram)
{
	uint64_t first = ram->offset / RANGE_PAGE_SIZE;
	uint64_t end = first + range_size(ram->range) / RANGE_PAGE_SIZE;
	uint64_t page = first, next, size;
	bool private;
	int rc = 0;

	for (; !rc && page < end; page = next) {
		next = page_map_run(&memfd->private, page, end, &private);
		size = (next - page) * RANGE_PAGE_SIZE;
		if (private)
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
	const struct layout_range *ram = NULL;

	if (memfd->fd >= 0)
		ram = layout_find(&memfd->layout, (struct range){ gpa, gpa + 1 });
	return ram && page_map_get(&memfd->private, (ram->offset + gpa - ram->range.start) /
						    RANGE_PAGE_SIZE);
}
