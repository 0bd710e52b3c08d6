// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "guest_memory.h"

#define NAME_RESERVATION "guest-memory"

static int create_memfd(struct guest_memory *memory, struct error *error)
{
	const struct memory_config *config = memory->config;
	bool mappable = false, store = false;

	for (unsigned int i = 0; i < config->nr_requests; i++) {
		mappable |= config->requests[i].kind == BACKING_GUEST_MEMFD;
		store |= config->requests[i].kind == BACKING_GMEM_STORE;
	}
	if (!mappable && !store && !config->guest_memfd)
		return 0;
	if (!memory->vm)
		return error_set(error, -EINVAL, "guest memory",
				 "create guest_memfd", "there is no VM for it");
	/* A store starts without private pages: gmem creates all pages shared. */
	return guest_memfd_create(&memory->memfd, memory->vm, mappable,
				  config->initial_private && !store, error);
}

/* Return: the offset of a request's memory in the VM's guest_memfd. */
static uint64_t request_offset(const struct memory_config *config,
			       unsigned int index)
{
	uint64_t offset = 0, size;

	for (unsigned int i = 0; i < index; i++) {
		memory_request_size(&config->requests[i], &size);
		offset += size;
	}
	return offset;
}

int guest_memory_bind(struct guest_memory *memory, unsigned int index,
		      struct error *error)
{
	const struct backing *backing = &memory->backings[index];
	int rc;

	if (backing->request->kind != BACKING_GMEM_STORE)
		return 0;
	rc = gmem_bind(backing->fd, 0, backing->size, memory->memfd.fd,
		       request_offset(memory->config, index));
	if (!rc)
		return 0;
	return error_set(error, rc, "gmem fd", "GMEM_IOCTL_BIND",
			 rc == -EOPNOTSUPP ? "%s" : NULL,
			 "the module gmem_kvm is not loaded: `gmemctl load`");
}

static int open_backing(struct guest_memory *memory, unsigned int index,
			struct error *error)
{
	const struct memory_config *config = memory->config;
	const struct memory_request *request = &config->requests[index];
	struct backing *backing = &memory->backings[index];
	char name[32] = "guest-ram";

	if (config->nr_requests > 1)
		snprintf(name, sizeof(name), "guest-ram-%u", index);
	if (request->kind == BACKING_GUEST_MEMFD)
		return backing_use(backing, request, memory->memfd.fd,
				   request_offset(config, index), error);
	return backing_open(backing, request, name, error);
}

/* Open a view, unless private pages are in a guest_memfd. */
static int open_view(const struct guest_memory *memory, struct backing *backing,
		     struct error *error)
{
	struct gmem_ioctl_stat stat;
	int rc;

	if (!memory->vm || memory->config->guest_memfd ||
	    backing->request->kind != BACKING_GMEM)
		return 0;
	rc = view_create(backing, error);
	if (rc || !backing->view.refusal)
		return rc;
	/* Without a view KVM could not access the private pages of a guest that was handed over. */
	if (memory->config->view || (backing->request->existing_fd >= 0 &&
				     !gmem_stat(backing->fd, &stat) && stat.private_pages))
		return error_set(error, -EOPNOTSUPP, "guest memory",
				 "give KVM a view of it", "%s; or use kind=gmem-store, "
				 "where KVM has private memory of its own", backing->view.refusal);
	return 0;
}

const struct backing *guest_memory_backing(const struct guest_memory *memory,
					   const struct layout_range *ram)
{
	return &memory->backings[ram->request - memory->config->requests];
}

const struct view *guest_memory_view_of(const struct guest_memory *memory,
					const struct layout_range *ram)
{
	const struct view *view = &guest_memory_backing(memory, ram)->view;

	return view->fd >= 0 ? view : NULL;
}

const struct view *guest_memory_view(const struct guest_memory *memory)
{
	for (unsigned int i = 0; i < memory->nr_backings; i++)
		if (memory->backings[i].view.fd >= 0)
			return &memory->backings[i].view;
	return NULL;
}

int guest_memory_fill_views(const struct guest_memory *memory,
			    struct error *error)
{
	int rc = 0;

	for (unsigned int i = 0; !rc && i < memory->nr_backings; i++)
		rc = view_fill(&memory->backings[i]);
	return rc ? error_set(error, rc, "view of guest memory",
			      "GMEM_IOCTL_VIEW_POPULATE", NULL) : 0;
}

const char *guest_memory_no_private(const struct guest_memory *memory)
{
	if (guest_memory_view(memory) ||
	    (memory->memfd.fd >= 0 && !memory->memfd.mappable))
		return NULL;
	for (unsigned int i = 0; i < memory->nr_backings; i++)
		if (memory->backings[i].view.refusal)
			return memory->backings[i].view.refusal;
	return "this kind has no private side: run the VM with kind=gmem";
}

static int open_backings(struct guest_memory *memory, struct error *error)
{
	unsigned int count = memory->config->nr_requests;
	int rc = 0;

	memory->backings = calloc(count, sizeof(*memory->backings));
	if (!memory->backings)
		return error_set(error, -ENOMEM, "guest memory", "allocate",
				 NULL);
	while (!rc && memory->nr_backings < count) {
		rc = open_backing(memory, memory->nr_backings, error);
		if (!rc)
			rc = guest_memory_bind(memory, memory->nr_backings++,
					       error);
	}
	for (unsigned int i = 0; !rc && i < count; i++)
		rc = open_view(memory, &memory->backings[i], error);
	return rc;
}

static int reserve(struct guest_memory *memory, struct error *error)
{
	uint64_t end = memory_config_end(memory->config);
	uint64_t alignment = 0;
	int rc;

	for (unsigned int i = 0; i < memory->nr_backings; i++)
		if (memory->backings[i].page_size > alignment)
			alignment = memory->backings[i].page_size;
	rc = reservation_create(&memory->reservation, end, alignment);
	if (rc)
		return error_set(error, rc, "guest memory",
				 "failed to reserve address space",
				 "0x%llx bytes", (unsigned long long)end);
	/* The name is only for readers of smaps, so an error is ignored. */
	calls->name(memory->reservation.base, memory->reservation.size, NAME_RESERVATION);
	return 0;
}

/* Map a range of RAM, which is a part of its backing. */
static int map_ram(struct guest_memory *memory, const struct layout_range *ram,
		   struct error *error)
{
	struct extent extent = backing_extent(guest_memory_backing(memory, ram), ram);
	int rc = reservation_map(&memory->reservation, &extent);
	char action[128];

	if (!rc)
		return 0;
	error_set(error, rc, "ram", "failed to map memory of region",
		  "0x%llx bytes at 0x%llx, fd %d",
		  (unsigned long long)range_size(ram->range),
		  (unsigned long long)ram->range.start, extent.fd);
	snprintf(action, sizeof(action), "failed to enable RAM region 0x%llx-0x%llx",
		 (unsigned long long)ram->range.start,
		 (unsigned long long)ram->range.end);
	return error_wrap(error, rc, "guest memory", action);
}

static int build(struct guest_memory *memory, struct error *error)
{
	const struct layout *layout = &memory->memfd.layout;
	int rc = memory_config_check(memory->config, error);

	if (!rc && !memory_config_end(memory->config))
		rc = error_set(error, -EINVAL, "guest memory", "create",
			       "there is no RAM");
	if (!rc)
		rc = layout_create(&memory->memfd.layout, memory->config, error);
	if (!rc)
		rc = create_memfd(memory, error);
	if (!rc)
		rc = open_backings(memory, error);
	if (!rc)
		rc = reserve(memory, error);
	for (unsigned int i = 0; !rc && i < layout->nr_ranges; i++)
		rc = map_ram(memory, &layout->ranges[i], error);
	return rc;
}

int guest_memory_create(struct guest_memory *memory,
			const struct memory_config *config, struct vm *vm,
			struct error *error)
{
	int rc;

	memset(memory, 0, sizeof(*memory));
	memory->config = config;
	memory->vm = vm;
	memory->memfd.fd = -1;
	range_lock_init(&memory->range_lock);
	rc = build(memory, error);
	if (rc)
		guest_memory_destroy(memory);
	return rc;
}

static int prefetch(const struct guest_memory *memory, const struct layout_range *ram,
		    const struct slot *slot)
{
	if (slot->guest_memfd >= 0)
		return guest_memfd_prefetch(&memory->memfd, slot->host, ram);
	if (slot->view)
		return gmem_view_populate(slot->view_fd, 0, slot->view, slot->size, NULL);
	return calls->advise(slot->host, slot->size, MADV_POPULATE_WRITE);
}

/* Add a slot for a range of RAM, and its attributes. */
static int map_slot(struct guest_memory *memory, const struct layout_range *ram,
		    struct error *error)
{
	const struct view *view = guest_memory_view_of(memory, ram);
	struct slot slot = {
		.gpa = ram->range.start,
		.size = range_size(ram->range),
		.host = memory->reservation.base + ram->range.start,
		.guest_memfd = memory->memfd.fd,
		.guest_memfd_offset = ram->offset,
	};
	int number, rc;

	if (view) {
		slot.view = view->place.base + ram->part;
		slot.view_fd = view->fd;
		slot.view_block = ram->request->thp ? VIEW_BLOCK : VIEW_BLOCK_SMALL;
	}
	number = slot_add(memory->vm, &slot, error);
	if (number < 0)
		return number;
	rc = guest_memfd_set_attributes(&memory->memfd, memory->vm, ram);
	if (rc) {
		slot_remove(memory->vm, (unsigned int)number);
		return error_set(error, rc, "VM", "KVM_SET_MEMORY_ATTRIBUTES",
				 "gpa 0x%llx, size 0x%llx",
				 (unsigned long long)slot.gpa,
				 (unsigned long long)slot.size);
	}
	if (ram->request->prefetch)
		rc = prefetch(memory, ram, &slot);
	if (rc)
		memory->partition.prefetch_rc = rc;
	return 0;
}

static void unmap_slot(struct guest_memory *memory, const struct layout_range *ram)
{
	const struct slot_table *table = &memory->vm->slots;
	const struct slot *slot = slot_find(table, ram->range.start);

	if (!slot)
		return;
	guest_memfd_clear_attributes(&memory->memfd, memory->vm, ram->range);
	slot_remove(memory->vm, (unsigned int)(slot - table->slots));
}

int guest_memory_attach(struct guest_memory *memory, struct error *error)
{
	const struct layout *layout = &memory->memfd.layout;

	if (!memory->vm || memory->partition.attached)
		return error_set(error, -EINVAL, "guest memory", "attach to VM",
				 "once, to the VM that it was created for");
	for (unsigned int i = 0; i < layout->nr_ranges; i++) {
		int rc = map_slot(memory, &layout->ranges[i], error);

		if (!rc)
			continue;
		while (i--)
			unmap_slot(memory, &layout->ranges[i]);
		return rc;
	}
	memory->partition.attached = true;
	return 0;
}

/* Close gmem fds, which are bound to the guest_memfd, before the guest_memfd. */
void guest_memory_destroy(struct guest_memory *memory)
{
	const struct layout *layout = &memory->memfd.layout;

	for (unsigned int i = 0; memory->partition.attached && i < layout->nr_ranges; i++)
		unmap_slot(memory, &layout->ranges[i]);
	reservation_destroy(&memory->reservation);
	while (memory->nr_backings)
		backing_close(&memory->backings[--memory->nr_backings]);
	guest_memfd_destroy(&memory->memfd);
	free(memory->backings);
	range_lock_destroy(&memory->range_lock);
	memset(memory, 0, sizeof(*memory));
	memory->memfd.fd = -1;
}

int guest_memory_commit(struct guest_memory *memory, struct range range)
{
	return reservation_commit(&memory->reservation, range);
}

/* Free the pages of the guest_memfd, too, if it is the private side. */
static int decommit_private(struct guest_memory *memory, struct range range)
{
	const struct layout *layout = &memory->memfd.layout;
	int rc = 0;

	if (memory->memfd.fd < 0 || memory->memfd.mappable)
		return 0;
	for (unsigned int i = 0; !rc && i < layout->nr_ranges; i++) {
		const struct layout_range *ram = &layout->ranges[i];
		struct range part;

		if (!range_overlaps(ram->range, range))
			continue;
		part = range_clip(range, ram->range);
		rc = calls->punch(memory->memfd.fd, ram->offset +
				  (part.start - ram->range.start),
				  range_size(part));
	}
	return rc;
}

/*
 * The range lock keeps conversions out: one between both steps would move pages from the
 * private side, which is freed last here, to the shared side, which is empty already.
 */
int guest_memory_decommit(struct guest_memory *memory, struct range range)
{
	struct range *turn;
	int rc;

	if (range.start > range.end)
		return -EFAULT;
	turn = range_lock_enter(&memory->range_lock, range);
	rc = reservation_decommit(&memory->reservation, range);
	if (!rc)
		rc = decommit_private(memory, range);
	range_lock_leave(&memory->range_lock, turn);
	return rc;
}

int guest_memory_shared_fd(const struct guest_memory *memory)
{
	return memory->nr_backings == 1 ? memory->backings[0].fd : -1;
}
