// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/calls.h"
#include "../base/clock.h"
#include "../gmem/gmem.h"
#include "exec.h"
#include "report.h"

#define NS_PER_MS UINT64_C(1000000)
#define PARTS_MAX GMEM_CONVERT_MAX_RANGES

/**
 * struct parts - a range of guest addresses, as parts of gmem fds
 * @count: number of entries in @memory and @range
 * @memory: the gmem fd of each part
 * @range: offsets of each part, ready for GMEM_IOCTL_CONVERT
 */
struct parts {
	unsigned int count;
	struct exec_memory *memory[PARTS_MAX];
	struct gmem_convert_range range[PARTS_MAX];
};

static struct rate rate;
static pthread_mutex_t rate_lock = PTHREAD_MUTEX_INITIALIZER;

static int parts_add(struct parts *parts, struct exec_memory *memory,
		     struct gmem_convert_range range)
{
	unsigned int i = parts->count;

	if (i && parts->memory[i - 1] == memory &&
	    parts->range[i - 1].offset + parts->range[i - 1].length == range.offset) {
		parts->range[i - 1].length += range.length;
		return 0;
	}
	if (i == PARTS_MAX)
		return -EINVAL;
	/* The ioctl needs the parts of an fd in ascending order. Mostly there is only one part. */
	for (; i && (parts->memory[i - 1] > memory ||
		     (parts->memory[i - 1] == memory &&
		      parts->range[i - 1].offset >= range.offset)); i--) {
		parts->memory[i] = parts->memory[i - 1];
		parts->range[i] = parts->range[i - 1];
	}
	parts->memory[i] = memory;
	parts->range[i] = range;
	parts->count++;
	return 0;
}

/* Use the first address space: that of ordinary accesses of the guest. */
static int parts_find(const struct exec_vm *vm, struct range what, struct parts *parts)
{
	parts->count = 0;
	while (what.start < what.end) {
		const struct exec_slot *slot = exec_slot_find(vm, 0, what.start);
		struct gmem_convert_range range;
		int rc;

		if (!slot)
			return -EINVAL;
		range.offset = slot->offset + (what.start - slot->gpa);
		range.length = slot->size - (what.start - slot->gpa);
		if (range.length > range_size(what))
			range.length = range_size(what);
		rc = parts_add(parts, slot->memory, range);
		if (rc)
			return rc;
		what.start += range.length;
	}
	return 0;
}

/* Convert, and repeat after a signal with the rest of the timeout. */
static int convert_repeat(int fd, const struct gmem_ioctl_convert *what,
			  struct gmem_ioctl_convert *done)
{
	uint64_t end = clock_now_ns() + what->timeout_ms * NS_PER_MS, now;
	int rc;

	*done = *what;
	while ((rc = gmem_convert(fd, done)) == -EINTR) {
		now = clock_now_ns();
		*done = *what;
		done->timeout_ms = now < end ? (uint32_t)((end - now) / NS_PER_MS) :
				   0;
	}
	return rc;
}

/* Convert @count parts from @first on, which are in the same fd. */
static int convert_one(const struct parts *parts, unsigned int first, unsigned int count,
		       bool to_private, char *why, size_t why_size)
{
	const struct exec_memory *memory = parts->memory[first];
	struct gmem_ioctl_convert convert = {
		.target = to_private ? GMEM_STATE_PRIVATE : GMEM_STATE_SHARED,
		.content = GMEM_CONTENT_PRESERVE,
		.timeout_ms = exec_settings.timeout_ms,
	}, done;
	int rc;

	if (count == 1) {
		convert.offset = parts->range[first].offset;
		convert.length = parts->range[first].length;
	} else {
		convert.flags = GMEM_CONVERT_F_RANGES;
		convert.ranges = (uintptr_t)&parts->range[first];
		convert.nr_ranges = count;
	}
	rc = convert_repeat(memory->fd, &convert, &done);
	if (rc)
		gmem_convert_reason(&done, rc, why, why_size);
	for (unsigned int i = first; !rc && !to_private && i < first + count; i++)
		exec_holes_fill(memory, parts->range[i].offset, parts->range[i].length);
	return rc;
}

static int convert_parts(const struct parts *parts, bool to_private, char *why, size_t why_size)
{
	unsigned int first = 0, next;
	int rc = 0;

	for (; !rc && first < parts->count; first = next) {
		for (next = first + 1; next < parts->count; next++)
			if (parts->memory[next] != parts->memory[first])
				break;
		rc = convert_one(parts, first, next - first, to_private, why, why_size);
	}
	return rc;
}

int exec_convert(struct exec_vm *vm, struct range what, bool to_private, char *why, size_t why_size)
{
	struct parts *parts = malloc(sizeof(*parts));
	int rc;

	if (!parts)
		return -ENOMEM;
	snprintf(why, why_size, "not all of it is memory of a gmem fd");
	pthread_rwlock_rdlock(&vm->lock);
	rc = parts_find(vm, what, parts);
	if (!rc && to_private)
		__atomic_store_n(&vm->private, true, __ATOMIC_RELAXED);
	if (!rc)
		rc = convert_parts(parts, to_private, why, why_size);
	pthread_rwlock_unlock(&vm->lock);
	free(parts);
	if (rc) {
		exec_count(&exec_counters.refused, 1);
		if (exec_settings.stats)
			exec_say("0x%" PRIx64 " + 0x%" PRIx64 " to %s: %s", what.start,
				 range_size(what), to_private ? "private" : "shared", why);
		return rc;
	}
	exec_count(&exec_counters.conversions, 1);
	exec_count(&exec_counters.converted_bytes, range_size(what));
	pthread_mutex_lock(&rate_lock);
	rate_add(&rate, clock_now_ns());
	pthread_mutex_unlock(&rate_lock);
	return 0;
}

int exec_decommit(struct exec_vm *vm, struct range what)
{
	struct parts *parts = malloc(sizeof(*parts));
	int rc = parts ? 0 : -ENOMEM;

	pthread_rwlock_rdlock(&vm->lock);
	if (!rc)
		rc = parts_find(vm, what, parts);
	for (unsigned int i = 0; !rc && i < parts->count; i++)
		rc = calls->punch(parts->memory[i]->fd, parts->range[i].offset,
				  parts->range[i].length);
	pthread_rwlock_unlock(&vm->lock);
	free(parts);
	return rc;
}

double exec_convert_rate(uint64_t start_ns)
{
	double number;

	pthread_mutex_lock(&rate_lock);
	number = rate_per_second(&rate, start_ns, clock_now_ns());
	pthread_mutex_unlock(&rate_lock);
	return number;
}

/*
 * Make all memory shared, because the firmware that runs next, and its devices, do not expect
 * private memory. Its contents become zeros: the VMM can reset the machine at any time, and
 * could read them otherwise.
 */
void exec_reset(struct exec_vm *vm)
{
	if (!__atomic_exchange_n(&vm->private, false, __ATOMIC_RELAXED))
		return;
	pthread_rwlock_rdlock(&vm->lock);
	for (unsigned int i = 0; i < vm->nr_slots; i++) {
		const struct exec_slot *slot = &vm->slots[i];
		struct gmem_ioctl_convert convert = {
			.offset = slot->offset,
			.length = slot->size,
			.target = GMEM_STATE_SHARED,
			.content = GMEM_CONTENT_ZERO,
		}, done;

		if (convert_repeat(slot->memory->fd, &convert, &done))
			exec_say("slot %u cannot be made shared at the reset: it stays private",
				 slot->id);
		else
			exec_holes_keep(slot->memory, slot->offset, slot->size);
	}
	pthread_rwlock_unlock(&vm->lock);
}
