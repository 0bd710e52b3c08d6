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
	int rc = vm_set_private(conversion->vm, conversion->range.start,
				range_size(conversion->range), private);

	return rc ? why_set(conversion, "KVM_SET_MEMORY_ATTRIBUTES", rc) : 0;
}

static int gmem_request(const struct conversion *conversion, struct range range,
			bool to_private, struct gmem_ioctl_convert *convert)
{
	*convert = (struct gmem_ioctl_convert){
		.offset = conversion->shared_offset + range.start - conversion->range.start,
		.length = range_size(range),
		.target = to_private ? GMEM_STATE_PRIVATE : GMEM_STATE_SHARED,
		.content = conversion->encrypted ? GMEM_CONTENT_ZERO :
						   GMEM_CONTENT_PRESERVE,
		.timeout_ms = to_private ? conversion->timeout_ms : 0,
	};
	return gmem_convert(conversion->shared_fd, convert);
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
 * For each run of pages that were in the other state before: pages that were in this
 * one stay so. @gmem: what has been done is gmem's part, and not the attribute.
 */
static void undo(const struct conversion *conversion, bool gmem)
{
	uint64_t first = conversion->store_offset >> GUEST_PAGE_SHIFT, next;
	uint64_t end = first + (range_size(conversion->range) >> GUEST_PAGE_SHIFT);
	struct gmem_ioctl_convert back;

	for (uint64_t page = first; page < end; page = next) {
		struct range run;
		bool private;

		next = page_map_run(conversion->private, page, end, &private);
		if (private == conversion->to_private)
			continue;
		run.start = conversion->range.start + ((page - first) << GUEST_PAGE_SHIFT);
		run.end = conversion->range.start + ((next - first) << GUEST_PAGE_SHIFT);
		if (gmem)
			gmem_request(conversion, run, !conversion->to_private, &back);
		else
			vm_set_private(conversion->vm, run.start, range_size(run),
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
	uint64_t size = range_size(conversion->range);

	if (!conversion->to_private)
		return calls->punch(conversion->store_fd, conversion->store_offset, size);
	if (conversion->shared_fd < 0)
		return calls->advise(conversion->host, size, MADV_DONTNEED);
	return calls->punch(conversion->shared_fd, conversion->shared_offset, size);
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

int convert_range(const struct conversion *conversion, struct range_lock *lock)
{
	uint64_t first = conversion->store_offset >> GUEST_PAGE_SHIFT;
	uint64_t pages = range_size(conversion->range) >> GUEST_PAGE_SHIFT;
	struct range *entry = range_lock_enter(lock, conversion->range);
	int rc;

	if (conversion->strategy == MEMORY_DISCARD)
		rc = discard(conversion);
	else if (conversion->store_fd < 0)
		rc = convert_gmem(conversion);
	else
		rc = convert_inplace(conversion);
	if (!rc && conversion->private)
		page_map_set(conversion->private, first, first + pages,
			     conversion->to_private);
	range_lock_leave(lock, entry);
	return rc;
}
