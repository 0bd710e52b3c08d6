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
 * Discard: the attribute, then a hole on the side that is stale now.
 *
 * Two vCPUs may convert overlapping ranges at the same time. Were their steps
 * to mix, gmem and the attribute would end up apart; struct memory keeps a list
 * of ranges in conversion, and an overlapping one waits.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../gmem/gmem.h"
#include "../kvm/attributes.h"
#include "../kvm/calls.h"
#include "memory.h"

static bool memory_is_busy(const struct memory *memory, struct range range)
{
	for (unsigned int i = 0; i < MEMORY_BUSY_MAX; i++)
		if (range_overlaps(memory->busy[i], range))
			return true;
	return false;
}

static struct range *memory_find_free(struct memory *memory)
{
	for (unsigned int i = 0; i < MEMORY_BUSY_MAX; i++)
		if (!range_size(memory->busy[i]))
			return &memory->busy[i];
	return NULL;
}

static struct range *memory_range_enter(struct memory *memory,
					struct range range)
{
	struct range *entry;

	pthread_mutex_lock(&memory->lock);
	while (memory_is_busy(memory, range) ||
	       !(entry = memory_find_free(memory)))
		pthread_cond_wait(&memory->idle, &memory->lock);
	*entry = range;
	memory->nr_busy++;
	pthread_mutex_unlock(&memory->lock);
	return entry;
}

static void memory_range_leave(struct memory *memory, struct range *entry)
{
	pthread_mutex_lock(&memory->lock);
	*entry = (struct range){ 0, 0 };
	memory->nr_busy--;
	__atomic_add_fetch(&memory->converted, 1, __ATOMIC_RELEASE);
	pthread_cond_broadcast(&memory->idle);
	pthread_mutex_unlock(&memory->lock);
}

uint64_t memory_converted(struct memory *memory)
{
	return __atomic_load_n(&memory->converted, __ATOMIC_ACQUIRE);
}

uint64_t memory_wait_idle(struct memory *memory)
{
	uint64_t converted;

	pthread_mutex_lock(&memory->lock);
	while (memory->nr_busy)
		pthread_cond_wait(&memory->idle, &memory->lock);
	converted = memory->converted;
	pthread_mutex_unlock(&memory->lock);
	return converted;
}

static void why_set(char *why, size_t size, const char *action, int rc)
{
	if (why)
		snprintf(why, size, "%s: %s", action, strerror(-rc));
}

typedef int (*undo_fn)(struct memory *memory, struct vm *vm, uint64_t offset,
		       uint64_t size);

/* Undo for each run of pages that were in state @private. */
static int memory_walk_runs(struct memory *memory, struct vm *vm,
			    uint64_t offset, uint64_t size, bool private,
			    undo_fn undo)
{
	uint64_t page = offset >> GUEST_PAGE_SHIFT;
	uint64_t end = (offset + size) >> GUEST_PAGE_SHIFT;
	int rc, first_rc = 0;

	while (page < end) {
		uint64_t start = page;

		while (page < end && memory->private[page] == private)
			page++;
		if (page == start) {
			page++;
			continue;
		}
		rc = undo(memory, vm, start << GUEST_PAGE_SHIFT,
			  (page - start) << GUEST_PAGE_SHIFT);
		if (rc && !first_rc)
			first_rc = rc;
	}
	return first_rc;
}

static int memory_undo_gmem(struct memory *memory, struct vm *vm,
			    uint64_t offset, uint64_t size)
{
	struct gmem_ioctl_convert back = {
		.offset = offset,
		.length = size,
		.target = GMEM_STATE_SHARED,
		.content = GMEM_CONTENT_PRESERVE,
	};

	(void)vm;
	return gmem_convert(memory->shared_fd, &back);
}

static int memory_undo_attribute(struct memory *memory, struct vm *vm,
				 uint64_t offset, uint64_t size)
{
	return vm_set_private(vm, offset, size,
			      memory->private[offset >> GUEST_PAGE_SHIFT]);
}

static int memory_gmem_convert(struct memory *memory, uint64_t offset,
			       uint64_t size, bool to_private, char *why,
			       size_t why_size)
{
	struct gmem_ioctl_convert convert = {
		.offset = offset,
		.length = size,
		.target = to_private ? GMEM_STATE_PRIVATE : GMEM_STATE_SHARED,
		.content = GMEM_CONTENT_PRESERVE,
		.timeout_ms = to_private ? memory->timeout_ms : 0,
	};
	int rc = gmem_convert(memory->shared_fd, &convert);

	if (rc && why)
		gmem_convert_reason(&convert, rc, why, why_size);
	return rc;
}

/* Pages that were private before stay so: only the others go back. */
static int memory_inplace_to_private(struct memory *memory, struct vm *vm,
				     uint64_t offset, uint64_t size, char *why,
				     size_t why_size)
{
	int rc = memory_gmem_convert(memory, offset, size, true, why, why_size);

	if (rc)
		return rc;
	rc = vm_set_private(vm, offset, size, true);
	if (!rc)
		return 0;
	why_set(why, why_size, "KVM_SET_MEMORY_ATTRIBUTES", rc);
	memory_walk_runs(memory, vm, offset, size, false, memory_undo_gmem);
	return rc;
}

static int memory_inplace_to_shared(struct memory *memory, struct vm *vm,
				    uint64_t offset, uint64_t size, char *why,
				    size_t why_size)
{
	int rc = vm_set_private(vm, offset, size, false);

	if (rc) {
		why_set(why, why_size, "KVM_SET_MEMORY_ATTRIBUTES", rc);
		return rc;
	}
	rc = memory_gmem_convert(memory, offset, size, false, why, why_size);
	if (rc)
		memory_walk_runs(memory, vm, offset, size, true,
				 memory_undo_attribute);
	return rc;
}

static int memory_discard(struct memory *memory, struct vm *vm, uint64_t offset,
			  uint64_t size, bool to_private, char *why,
			  size_t why_size)
{
	int rc = vm_set_private(vm, offset, size, to_private);

	if (rc) {
		why_set(why, why_size, "KVM_SET_MEMORY_ATTRIBUTES", rc);
		return rc;
	}
	rc = calls->punch(to_private ? memory->shared_fd : memory->store_fd,
			  offset, size);
	if (!rc)
		return 0;
	why_set(why, why_size, "punch a hole on the stale side", rc);
	memory_walk_runs(memory, vm, offset, size, !to_private,
			 memory_undo_attribute);
	return rc;
}

int memory_convert(struct memory *memory, struct vm *vm, uint64_t offset,
		   uint64_t size, bool to_private, char *why, size_t why_size)
{
	struct range range = { offset, offset + size };
	struct range *entry;
	int rc;

	if (!size || offset >= memory->size || size > memory->size - offset ||
	    (offset | size) & (GUEST_PAGE_SIZE - 1))
		return -EINVAL;
	entry = memory_range_enter(memory, range);
	if (memory->strategy == MEMORY_DISCARD)
		rc = memory_discard(memory, vm, offset, size, to_private, why,
				    why_size);
	else if (to_private)
		rc = memory_inplace_to_private(memory, vm, offset, size, why,
					       why_size);
	else
		rc = memory_inplace_to_shared(memory, vm, offset, size, why,
					      why_size);
	if (!rc)
		memset(memory->private + (offset >> GUEST_PAGE_SHIFT),
		       to_private, size >> GUEST_PAGE_SHIFT);
	memory_range_leave(memory, entry);
	return rc;
}
