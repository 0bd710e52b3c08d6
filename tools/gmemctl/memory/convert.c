// SPDX-License-Identifier: GPL-2.0
/*
 * DOC: Order of a conversion
 *
 * In place, to private: gmem first, then KVM's attribute. Until the attribute
 * is set the guest faults on userspace_addr, which gmem already refuses. To
 * shared: the attribute first. From then on the guest does not use the store,
 * and gmem takes the pages back.
 *
 * Between both steps gmem and the attribute disagree. A vCPU that accesses the
 * range then does not get wrong memory: KVM_RUN fails with EFAULT, in most cases
 * without an address. The VMM waits until conversions have ended, and enters the
 * guest again; see run.c.
 *
 * In place, in a view: gmem alone. Its one call takes the pages out of the view and
 * puts them back.
 *
 * Discard: the attribute first, then a hole on the side that is not used any more.
 *
 * Two vCPUs may convert overlapping ranges at the same time. If their steps mixed,
 * gmem and the attribute would disagree afterwards. The range lock prevents that.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "../kvm/slot.h"
#include "guest_memory.h"

/**
 * struct conversion - a range of RAM that is converted
 * @ram: the range of RAM that contains it; @backing: its shared side
 * @to_private: the new state
 * @why: out: a text of @why_size bytes that explains a failure; may be NULL
 */
struct conversion {
	struct guest_memory *memory;
	const struct layout_range *ram;
	const struct backing *backing;
	struct range range;
	bool to_private;
	uint32_t timeout_ms;
	char *why;
	size_t why_size;
};

static int why_set(const struct conversion *conversion, const char *action,
		   int rc)
{
	if (conversion->why)
		snprintf(conversion->why, conversion->why_size, "%s: %s",
			 action, strerror(-rc));
	return rc;
}

static int set_attribute(const struct conversion *conversion, bool private)
{
	int rc = vm_set_private(conversion->memory->vm, conversion->range.start,
				range_size(conversion->range), private);

	return rc ? why_set(conversion, "KVM_SET_MEMORY_ATTRIBUTES", rc) : 0;
}

/* Return: the offset of a guest physical address in the guest_memfd */
static uint64_t store_offset(const struct conversion *conversion, uint64_t gpa)
{
	return conversion->ram->offset + gpa - conversion->ram->range.start;
}

static uint64_t shared_offset(const struct conversion *conversion, uint64_t gpa)
{
	return conversion->ram->part + gpa - conversion->ram->range.start;
}

/* Encrypted contents are not preserved, because they are of no use to the other side. */
static int gmem_request(const struct conversion *conversion, struct range range,
			bool to_private, struct gmem_ioctl_convert *convert)
{
	bool encrypted = conversion->backing->view.fd < 0 &&
			 conversion->memory->config->encrypted;

	*convert = (struct gmem_ioctl_convert){
		.offset = shared_offset(conversion, range.start),
		.length = range_size(range),
		.target = to_private ? GMEM_STATE_PRIVATE : GMEM_STATE_SHARED,
		.content = encrypted ? GMEM_CONTENT_ZERO : GMEM_CONTENT_PRESERVE,
		.timeout_ms = to_private ? conversion->timeout_ms : 0,
	};
	return gmem_convert(conversion->backing->fd, convert);
}

static int convert_gmem(const struct conversion *conversion)
{
	struct gmem_ioctl_convert convert;
	int rc = gmem_request(conversion, conversion->range,
			      conversion->to_private, &convert);

	if (rc && conversion->why)
		gmem_convert_reason(&convert, rc, conversion->why,
				    conversion->why_size);
	return rc;
}

/*
 * Convert back the pages that were in the other state before. @gmem: the step that was done
 * is that of gmem, not that of the attribute.
 */
static void undo(const struct conversion *conversion, bool gmem)
{
	uint64_t first = store_offset(conversion, conversion->range.start) >> GUEST_PAGE_SHIFT;
	uint64_t end = first + (range_size(conversion->range) >> GUEST_PAGE_SHIFT), next;
	struct gmem_ioctl_convert back;

	for (uint64_t page = first; page < end; page = next) {
		struct range run;
		bool private;

		next = page_map_run(&conversion->memory->memfd.private, page, end, &private);
		if (private == conversion->to_private)
			continue;
		run.start = conversion->range.start + ((page - first) << GUEST_PAGE_SHIFT);
		run.end = conversion->range.start + ((next - first) << GUEST_PAGE_SHIFT);
		if (gmem)
			gmem_request(conversion, run, !conversion->to_private, &back);
		else
			vm_set_private(conversion->memory->vm, run.start, range_size(run),
				       !conversion->to_private);
	}
}

static int convert_inplace(const struct conversion *conversion)
{
	int rc = conversion->to_private ? convert_gmem(conversion) :
					  set_attribute(conversion, false);

	if (rc)
		return rc;
	rc = conversion->to_private ? set_attribute(conversion, true) :
				      convert_gmem(conversion);
	if (rc)
		undo(conversion, conversion->to_private);
	return rc;
}

static int discard_stale(const struct conversion *conversion)
{
	const struct guest_memory *memory = conversion->memory;
	uint64_t start = conversion->range.start, size = range_size(conversion->range);
	int fd = conversion->backing->fd;

	if (!conversion->to_private)
		return calls->punch(memory->memfd.fd, store_offset(conversion, start), size);
	if (fd < 0)
		return calls->advise(memory->reservation.base + start, size, MADV_DONTNEED);
	return calls->punch(fd, shared_offset(conversion, start), size);
}

static int discard(const struct conversion *conversion)
{
	int rc = set_attribute(conversion, conversion->to_private);

	if (rc)
		return rc;
	rc = discard_stale(conversion);
	if (!rc)
		return 0;
	undo(conversion, false);
	return why_set(conversion, "punch a hole on the stale side", rc);
}

/* Convert with a guest_memfd, and record KVM's attribute, because no ioctl can read it. */
static int convert_store(const struct conversion *conversion)
{
	uint64_t first = store_offset(conversion, conversion->range.start) >> GUEST_PAGE_SHIFT;
	uint64_t end = first + (range_size(conversion->range) >> GUEST_PAGE_SHIFT);
	int rc = conversion->backing->request->kind == BACKING_GMEM_STORE ?
		 convert_inplace(conversion) : discard(conversion);

	if (!rc)
		page_map_set(&conversion->memory->memfd.private, first, end,
			     conversion->to_private);
	return rc;
}

int guest_memory_convert_within(struct guest_memory *memory, struct range range,
				bool to_private, uint32_t timeout_ms,
				char *why, size_t why_size)
{
	const struct layout_range *ram = layout_find(&memory->memfd.layout, range);
	struct conversion conversion = { memory, ram, NULL, range, to_private, timeout_ms,
					 why, why_size };
	struct range *turn;
	bool view;
	int rc;

	if (!ram || !range_valid(range))
		return -EFAULT;
	conversion.backing = guest_memory_backing(memory, ram);
	view = conversion.backing->view.fd >= 0;
	if (!view && (memory->memfd.fd < 0 || memory->memfd.mappable))
		return -EFAULT;
	turn = range_lock_enter(&memory->range_lock, range);
	rc = view ? convert_gmem(&conversion) : convert_store(&conversion);
	range_lock_leave(&memory->range_lock, turn);
	return rc;
}

int guest_memory_convert(struct guest_memory *memory, struct range range,
			 bool to_private, char *why, size_t why_size)
{
	return guest_memory_convert_within(memory, range, to_private,
					   memory->config->convert_timeout_ms,
					   why, why_size);
}
