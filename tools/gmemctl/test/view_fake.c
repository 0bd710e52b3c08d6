// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "../base/calls.h"
#include "../kvm/abi.h"
#include "../kvm/vm.h"
#include "ram.h"
#include "ram.h"
#include "view_fake.h"

#define PAGE RANGE_PAGE_SIZE

struct view_fake view_fake;

static const struct calls *below;
static struct calls fake_calls;
static int view_fd;
static struct {
	uint64_t gpa, size, host;
} slots[SLOT_MAX];

static int fake_view(struct gmem_ioctl_view *view)
{
	if (view_fake.view_rc)
		return view_fake.view_rc;
	view_fd = calls_system.memfd("view", view->length);
	view->out_fd = view_fd;
	return 0;
}

static int fake_populate(struct gmem_ioctl_view_populate *populate)
{
	uint64_t first = (populate->address - (uintptr_t)view_fake.base) / PAGE;
	bool all = !(populate->flags & GMEM_VIEW_POPULATE_F_NOALLOC);

	view_fake.populates++;
	view_fake.start = first;
	view_fake.length = populate->length / PAGE;
	view_fake.flags = populate->flags;
	if (view_fake.populate_rc)
		return view_fake.populate_rc;
	for (uint64_t i = first; i < first + view_fake.length; i++) {
		view_fake.memory[i] |= all;
		populate->pages += !view_fake.present[i] && view_fake.memory[i];
		view_fake.present[i] |= view_fake.memory[i];
	}
	return 0;
}

static int fake_fault(struct gmem_ioctl_view_fault *fault)
{
	if (!view_fake.fault_rc)
		*fault = view_fake.fault;
	return view_fake.fault_rc;
}

static int fake_convert(int fd, struct gmem_ioctl_convert *convert)
{
	int rc = below->ioctl(fd, GMEM_IOCTL_CONVERT, convert);

	if (!rc)
		memset(view_fake.private + convert->offset / PAGE,
		       (int)convert->target, convert->length / PAGE);
	return rc;
}

/* One range for each page: whoever asks puts together what belongs together. */
static int fake_query(struct gmem_ioctl_query *query)
{
	struct gmem_range *ranges = (void *)(uintptr_t)query->ranges;
	uint32_t count = 0;

	/* As the module does */
	if (!query->length || query->offset % PAGE || query->length % PAGE)
		return -EINVAL;
	for (; query->length && count < query->nr_ranges; count++) {
		ranges[count] = (struct gmem_range){
			.offset = query->offset,
			.length = PAGE,
			.state = view_fake.private[query->offset / PAGE],
		};
		query->offset += PAGE;
		query->length -= PAGE;
	}
	query->nr_ranges = count;
	return 0;
}

static int fake_stat(struct gmem_ioctl_stat *stat)
{
	for (unsigned int i = 0; i < VIEW_FAKE_PAGES; i++) {
		stat->private_pages += view_fake.private[i];
		stat->resident_pages += view_fake.memory[i];
		stat->view_pages += view_fake.present[i];
	}
	stat->views = 1;
	stat->view_mappings = 1;
	return 0;
}

static int fake_slot(int fd, struct kvm_userspace_memory_region2 *region)
{
	int rc = below->ioctl(fd, KVM_SET_USER_MEMORY_REGION2, region);

	if (rc)
		return rc;
	slots[region->slot].gpa = region->guest_phys_addr;
	slots[region->slot].size = region->memory_size;
	slots[region->slot].host = region->userspace_addr;
	return 0;
}

static int fake_ioctl(int fd, unsigned long request, void *arg)
{
	switch (request) {
	case GMEM_IOCTL_VIEW:
		return fake_view(arg);
	case GMEM_IOCTL_VIEW_POPULATE:
		return fake_populate(arg);
	case GMEM_IOCTL_VIEW_FAULT:
		return fake_fault(arg);
	case GMEM_IOCTL_CONVERT:
		return fake_convert(fd, arg);
	case GMEM_IOCTL_QUERY:
		return fake_query(arg);
	case GMEM_IOCTL_STAT:
		return fake_stat(arg);
	case KVM_SET_USER_MEMORY_REGION2:
		return fake_slot(fd, arg);
	default:
		return below->ioctl(fd, request, arg);
	}
}

static int fake_map_at(void *address, size_t length, int prot, int flags, int fd,
		       uint64_t offset)
{
	if (fd >= 0 && fd == view_fd)
		view_fake.base = address;
	return below->map_at(address, length, prot, flags, fd, offset);
}

void view_fake_start(void)
{
	ram_start(BACKING_GMEM);
	ram.ranges[0].end = 1024 * PAGE;
	ram.ranges[1] = (struct range){ 2048 * PAGE, 2112 * PAGE };
	memset(&view_fake, 0, sizeof(view_fake));
	memset(slots, 0, sizeof(slots));
	view_fake.fault_rc = -EAGAIN;
	view_fd = -1;
	below = calls;
	fake_calls = *calls;
	fake_calls.ioctl = fake_ioctl;
	fake_calls.map_at = fake_map_at;
	calls = &fake_calls;
}

int64_t view_fake_slot(uint64_t gpa)
{
	for (unsigned int i = 0; i < SLOT_MAX; i++) {
		uint64_t offset = slots[i].host - (uintptr_t)view_fake.base;

		if (slots[i].size && slots[i].gpa == gpa)
			return offset < VIEW_FAKE_PAGES * PAGE ?
			       (int64_t)(offset / PAGE) : -1;
	}
	return -1;
}

bool view_fake_private(uint64_t start, uint64_t end)
{
	for (uint64_t i = 0; i < VIEW_FAKE_PAGES; i++)
		if (view_fake.private[i] != (i >= start && i < end))
			return false;
	return true;
}
