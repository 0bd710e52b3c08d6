/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one guest_memfd of a VM, created before its slots, and which of its pages
 * are private for KVM.
 */
#ifndef GMEMCTL_MEMORY_GUEST_MEMFD_H
#define GMEMCTL_MEMORY_GUEST_MEMFD_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/error.h"
#include "../kvm/vm.h"
#include "options.h"
#include "range.h"

/**
 * struct page_map - a bit for each page
 * @words: 64 pages each
 *
 * Threads may set disjoint ranges at the same time, and read whatever they like.
 */
struct page_map {
	uint64_t *words;
};

/** page_map_create() - all pages are @value. Return: 0 or -ENOMEM. */
int page_map_create(struct page_map *map, uint64_t pages, bool value);
void page_map_destroy(struct page_map *map);

bool page_map_get(const struct page_map *map, uint64_t page);

/** page_map_set() - set the pages [@first, @end), which are in the map, to @value */
void page_map_set(struct page_map *map, uint64_t first, uint64_t end, bool value);

/**
 * page_map_run() - the end of the run of equal pages that begins at @page, at most @end
 * @value: out: the value of its pages. If other threads set them meanwhile, each page had this
 *	value when it was read, and the run has at least one page.
 */
uint64_t page_map_run(const struct page_map *map, uint64_t page, uint64_t end, bool *value);

/**
 * struct guest_memfd - the file, and what KVM was told about its pages
 * @fd: the file, or -1
 * @mappable: the host maps it, and no page is ever private
 * @layout: all RAM, and its offsets in the file; also set without a file
 * @private: KVM's PRIVATE attribute of each page, which has to be set anew
 *	whenever a slot is created. KVM has no call that reads it. Conversions
 *	change it; they must not meet the creation of a slot.
 */
struct guest_memfd {
	int fd;
	bool mappable;
	struct layout layout;
	struct page_map private;
};

/**
 * guest_memfd_create() - create the file for all of memfd->layout, which is set already
 * @initial_private: the initial state of pages; ignored if @mappable
 *
 * guest_memfd_destroy() can be called also after a failure.
 */
int guest_memfd_create(struct guest_memfd *memfd, struct vm *vm, bool mappable,
		       bool initial_private, struct error *error);
void guest_memfd_destroy(struct guest_memfd *memfd);

/**
 * guest_memfd_set_attributes() - tell KVM the state of every page of a slot
 *
 * On failure no page of it is private for KVM.
 */
int guest_memfd_set_attributes(const struct guest_memfd *memfd, struct vm *vm,
			       const struct layout_range *ram);

/** guest_memfd_clear_attributes() - call it before a slot is deleted: KVM keeps them */
void guest_memfd_clear_attributes(const struct guest_memfd *memfd, struct vm *vm,
				  struct range range);

/**
 * guest_memfd_prefetch() - populate the pages of a slot, each in its state
 * @host: where the shared pages of the slot are mapped
 *
 * Private pages come from the file; populating the shared side of them would
 * take memory that nobody uses.
 */
int guest_memfd_prefetch(const struct guest_memfd *memfd, uint8_t *host,
			 const struct layout_range *ram);

/** guest_memfd_is_private() - what KVM was last told about the page at @gpa */
bool guest_memfd_is_private(const struct guest_memfd *memfd, uint64_t gpa);

#endif /* GMEMCTL_MEMORY_GUEST_MEMFD_H */
