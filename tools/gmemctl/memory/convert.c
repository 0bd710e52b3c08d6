// SPDX-License-Identifier: GPL-2.0
/*
 * DOC: Order of a conversion
 *
 * In place, to private: gmem first, then KVM's attribute. Until the attribute
 * is set the guest faults on userspace_addr, which gmem refuses by then. To
 * shared: the attribute first; from then on the guest no longer uses the store,
 * and gmem takes the pages back.
 *
 * In between, gmem and the attribute disagree, and a vCPU that touches the range
 * never meets wrong memory: KVM_RUN fails with EFAULT, in most cases without
 * saying where. The VMM then waits until conversions have ended, and enters the
 * guest again; see run.c.
 *
 * In place, in a view: gmem alone. Its one call takes the pages out of the view and
 * puts them back.
 *
 * Discard: the attribute, then a hole on the side that is stale now.
 *
 * Two vCPUs may convert overlapping ranges at the same time. Were their steps
 * to mix, gmem and the attribute would end up apart: they take turns.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "../kvm/slot.h"
#include "convert.h"

/**
 * struct conversion - a conversion going on
 * @range: guest physical addresses
 * @why: see memory_convert_range()
 */
struct conversion {
	const struct convertible *memory;
	struct vm *vm;
	struct range range;
	bool to_private;
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

/* Of the page at @gpa in the store, and in the record of states */
static uint64_t store_page(const struct convertible *memory, uint64_t gpa)
{
	return (memory->store_offset + gpa - memory->gpa) >> GUEST_PAGE_SHIFT;
}

static int set_attribute(const struct conversion *conversion,
			 struct range range, bool private)
{
	return vm_set_private(conversion->vm, range.start, range_size(range),
			      private);
}

static int gmem_request(const struct conversion *conversion, struct range range,
			bool to_private, struct gmem_ioctl_convert *convert)
{
	const struct convertible *memory = conversion->memory;

	*convert = (struct gmem_ioctl_convert){
		.offset = memory->shared_offset + range.start - memory->gpa,
		.length = range_size(range),
		.target = to_private ? GMEM_STATE_PRIVATE : GMEM_STATE_SHARED,
		.content = memory->encrypted ? GMEM_CONTENT_ZERO :
					       GMEM_CONTENT_PRESERVE,
		.timeout_ms = to_private ? memory->timeout_ms : 0,
	};
	return gmem_convert(memory->shared_fd, convert);
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

typedef int (*undo_fn)(const struct conversion *conversion,
		       struct range range);

/* Undo for each run of pages that were in the other state before. */
static void undo_runs(const struct conversion *conversion, undo_fn undo)
{
	const struct convertible *memory = conversion->memory;
	uint64_t page = store_page(memory, conversion->range.start);
	uint64_t end = store_page(memory, conversion->range.end), next;
	uint64_t base = memory->gpa - memory->store_offset;

	for (; page < end; page = next) {
		next = page_map_run(memory->private, page, end);
		if (page_map_get(memory->private, page) != conversion->to_private)
			undo(conversion, (struct range){
				base + (page << GUEST_PAGE_SHIFT),
				base + (next << GUEST_PAGE_SHIFT) });
	}
}

static int undo_gmem(const struct conversion *conversion, struct range range)
{
	struct gmem_ioctl_convert back;

	return gmem_request(conversion, range, !conversion->to_private, &back);
}

static int undo_attribute(const struct conversion *conversion,
			  struct range range)
{
	return set_attribute(conversion, range, !conversion->to_private);
}

/* Pages that were private before stay so: only the others go back. */
static int inplace_to_private(const struct conversion *conversion)
{
	int rc = convert_gmem(conversion);

	if (rc)
		return rc;
	rc = set_attribute(conversion, conversion->range, true);
	if (!rc)
		return 0;
	undo_runs(conversion, undo_gmem);
	return why_set(conversion, "KVM_SET_MEMORY_ATTRIBUTES", rc);
}

static int inplace_to_shared(const struct conversion *conversion)
{
	int rc = set_attribute(conversion, conversion->range, false);

	if (rc)
		return why_set(conversion, "KVM_SET_MEMORY_ATTRIBUTES", rc);
	rc = convert_gmem(conversion);
	if (rc)
		undo_runs(conversion, undo_attribute);
	return rc;
}

static int discard_stale(const struct conversion *conversion)
{
	const struct convertible *memory = conversion->memory;
	uint64_t offset = conversion->range.start - memory->gpa;
	uint64_t size = range_size(conversion->range);

	if (!conversion->to_private)
		return calls->punch(memory->store_fd,
				    memory->store_offset + offset, size);
	if (memory->shared_fd < 0)
		return calls->advise(memory->host + offset, size,
				     MADV_DONTNEED);
	return calls->punch(memory->shared_fd, memory->shared_offset + offset,
			    size);
}

static int discard(const struct conversion *conversion)
{
	int rc = set_attribute(conversion, conversion->range,
			       conversion->to_private);

	if (rc)
		return why_set(conversion, "KVM_SET_MEMORY_ATTRIBUTES", rc);
	rc = discard_stale(conversion);
	if (!rc)
		return 0;
	undo_runs(conversion, undo_attribute);
	return why_set(conversion, "punch a hole on the stale side", rc);
}

int memory_convert_range(const struct convertible *memory, struct range_lock *lock,
			 struct vm *vm, struct range part, bool to_private,
			 char *why, size_t why_size)
{
	const struct conversion conversion = { memory, vm, part, to_private,
					       why, why_size };
	struct range all = { memory->gpa, memory->gpa + memory->size };
	struct range *entry;
	int rc;

	if (!range_valid(part) || !range_contains(all, part))
		return -EINVAL;
	entry = range_lock_enter(lock, part);
	if (memory->strategy == MEMORY_DISCARD)
		rc = discard(&conversion);
	else if (memory->store_fd < 0)
		rc = convert_gmem(&conversion);
	else if (to_private)
		rc = inplace_to_private(&conversion);
	else
		rc = inplace_to_shared(&conversion);
	if (!rc && memory->private)
		page_map_set(memory->private, store_page(memory, part.start),
			     store_page(memory, part.end), to_private);
	range_lock_leave(lock, entry);
	return rc;
}
