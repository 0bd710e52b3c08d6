// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <sys/mman.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "partition.h"

static void find_view(const struct partition *partition, const struct layout_range *ram,
		      struct slot *slot)
{
	for (unsigned int i = 0; i < partition->nr_views; i++) {
		slot->view = view_find(&partition->views[i], ram->range);
		if (!slot->view)
			continue;
		slot->view_fd = partition->views[i].fd;
		slot->view_block = ram->request->thp ? VIEW_BLOCK : VIEW_BLOCK_SMALL;
		return;
	}
}

static int prefetch(const struct partition *partition, const struct layout_range *ram,
		    const struct slot *slot)
{
	if (slot->guest_memfd >= 0)
		return guest_memfd_prefetch(partition->memfd, slot->host, ram);
	if (slot->view)
		return gmem_view_populate(slot->view_fd, 0, slot->view, slot->size, NULL);
	return calls->advise(slot->host, slot->size, MADV_POPULATE_WRITE);
}

int partition_map(struct partition *partition, const struct layout_range *ram,
		  uint8_t *host, struct error *error)
{
	struct slot slot = {
		.gpa = ram->range.start,
		.size = range_size(ram->range),
		.host = host,
		.guest_memfd = partition->memfd->fd,
		.guest_memfd_offset = ram->offset,
	};
	int number, rc;

	find_view(partition, ram, &slot);
	number = slot_add(partition->vm, &slot, error);
	if (number < 0)
		return number;
	rc = guest_memfd_set_attributes(partition->memfd, partition->vm, ram);
	if (rc) {
		slot_remove(partition->vm, (unsigned int)number);
		return error_set(error, rc, "VM", "KVM_SET_MEMORY_ATTRIBUTES",
				 "gpa 0x%llx, size 0x%llx",
				 (unsigned long long)slot.gpa,
				 (unsigned long long)slot.size);
	}
	if (ram->request->prefetch)
		rc = prefetch(partition, ram, &slot);
	if (rc)
		partition->prefetch_rc = rc;
	return 0;
}

void partition_unmap(struct partition *partition, const struct layout_range *ram)
{
	const struct slot_table *table = &partition->vm->slots;
	const struct slot *slot = slot_find(table, ram->range.start);

	if (!slot)
		return;
	guest_memfd_clear_attributes(partition->memfd, partition->vm, ram->range);
	slot_remove(partition->vm, (unsigned int)(slot - table->slots));
}
