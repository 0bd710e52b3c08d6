// SPDX-License-Identifier: GPL-2.0
/* Who sees guest memory, and the slots of KVM that show it. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "partition.h"

static struct range slot_place(const struct slot *slot)
{
	return (struct range){ slot->gpa, slot->gpa + slot->size };
}

static int slots_set_attributes(const struct slots *slots,
				const struct slot *slot, unsigned int number,
				struct error *error)
{
	int rc;

	if (slot->guest_memfd < 0)
		return 0;
	rc = guest_memfd_set_attributes(slots->memfd, slots->vm,
					slot_place(slot),
					slot->guest_memfd_offset);
	if (!rc)
		return 0;
	slot_remove(slots->vm, number);
	return error_set(error, rc, "VM", "KVM_SET_MEMORY_ATTRIBUTES",
			 "gpa 0x%llx, size 0x%llx",
			 (unsigned long long)slot->gpa,
			 (unsigned long long)slot->size);
}

static int slots_find_private(const struct slots *slots,
			      const struct partition_range *range,
			      struct slot *slot, struct error *error)
{
	struct range place = { range->gpa, range->gpa + range->size };
	int rc;

	slot->guest_memfd = -1;
	if (!slots->memfd)
		return 0;
	rc = layout_classify(&slots->memfd->layout, place,
			     &slot->guest_memfd_offset, error);
	if (rc > 0)
		slot->guest_memfd = slots->memfd->fd;
	return rc < 0 ? rc : 0;
}

static void slots_find_view(const struct slots *slots,
			    const struct partition_range *range,
			    struct slot *slot)
{
	struct range ram = { range->gpa, range->gpa + range->size };

	for (unsigned int i = 0; i < slots->nr_views; i++) {
		const struct view *view = &slots->views[i];

		slot->view = view_find(view, ram);
		if (!slot->view)
			continue;
		slot->view_fd = view->fd;
		slot->view_block = view->request->thp ? VIEW_BLOCK :
							VIEW_BLOCK_SMALL;
		return;
	}
}

static int slots_map(void *data, const struct partition_range *range,
		     struct error *error)
{
	const struct slots *slots = data;
	struct slot slot = {
		.gpa = range->gpa,
		.size = range->size,
		.host = range->host,
		.readonly = !range->params.writable,
	};
	int rc = slots_find_private(slots, range, &slot, error);

	if (rc)
		return rc;
	slots_find_view(slots, range, &slot);
	rc = slot_add(slots->vm, &slot, error);
	return rc < 0 ? rc : slots_set_attributes(slots, &slot,
						  (unsigned int)rc, error);
}

/* The next slot that overlaps @range, from @number on; SLOT_MAX: no more. */
static unsigned int slots_next(const struct slots *slots, struct range range,
			       unsigned int number)
{
	for (; number < SLOT_MAX; number++) {
		const struct slot *slot = &slots->vm->slots.slots[number];

		if (slot->used && range_overlaps(slot_place(slot), range))
			break;
	}
	return number;
}

static int slots_remove(struct slots *slots, unsigned int number)
{
	const struct slot *slot = &slots->vm->slots.slots[number];
	int first = 0, rc;

	if (slot->guest_memfd >= 0)
		first = guest_memfd_clear_attributes(slots->memfd, slots->vm,
						     slot_place(slot));
	rc = slot_remove(slots->vm, number);
	return first ? first : rc;
}

static int slots_unmap(void *data, uint64_t gpa, uint64_t size)
{
	struct range range = { gpa, gpa + size };
	struct slots *slots = data;
	int first = 0, rc;
	unsigned int i;

	for (i = slots_next(slots, range, 0); i < SLOT_MAX;
	     i = slots_next(slots, range, i + 1)) {
		if (!range_contains(range,
				    slot_place(&slots->vm->slots.slots[i])))
			return -EINVAL;
	}
	for (i = slots_next(slots, range, 0); i < SLOT_MAX;
	     i = slots_next(slots, range, i + 1)) {
		rc = slots_remove(slots, i);
		if (rc && !first)
			first = rc;
	}
	return first;
}

static int slots_prefetch(void *data, uint64_t gpa, uint64_t size)
{
	struct slots *slots = data;
	const struct slot *slot = slot_find(&slots->vm->slots, gpa);

	if (!slot)
		return -EFAULT;
	if (slot->guest_memfd >= 0)
		return guest_memfd_prefetch(slots->memfd, slot->host,
					    slot->guest_memfd_offset, size);
	if (slot->view)
		return gmem_view_populate(slot->view_fd, 0, slot->view +
					  (gpa - slot->gpa), size, NULL);
	return calls->advise(slot->host, size, slot->readonly ?
			     MADV_POPULATE_READ : MADV_POPULATE_WRITE);
}

const struct partition_ops slots_ops = {
	.map		= slots_map,
	.unmap		= slots_unmap,
	.prefetch	= slots_prefetch,
};

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

int partition_map_region(struct partition *partition, struct range range,
			 const struct region_params *params,
			 struct error *error)
{
	struct partition_range place = {
		.host = partition->reservation->base + range.start,
		.gpa = range.start,
		.size = range_size(range),
		.params = *params,
	};
	int rc = partition->ops->map(partition->data, &place, error);

	if (!rc)
		partition_prefetch(partition, &place);
	return rc;
}

int partition_unmap_region(struct partition *partition, struct range range)
{
	return partition->ops->unmap(partition->data, range.start, range_size(range));
}
