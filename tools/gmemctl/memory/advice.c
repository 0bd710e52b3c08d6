// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../base/bytes.h"
#include "../base/calls.h"
#include "access.h"
#include "advice.h"

#define NAME_PREFIX "pvmemcontrol-"
#define EXPLAIN_MAX 4

/* Kinds of memory, as bits. */
#define KIND(name)	(1U << BACKING_##name)
#define ALL		(KIND(KINDS) - 1)
#define ANONYMOUS	KIND(PRIVATE)
/* KVM maps it for the guest from the mappings of this process, so mprotect() has an effect. */
#define MAPPED		(KIND(SHARED) | ANONYMOUS | KIND(HUGETLB) | KIND(FILE))
/* Kinds that can be paged out. The others stay in memory once they are populated. */
#define PAGED		(KIND(SHARED) | ANONYMOUS | KIND(FILE))

/**
 * struct request - a request of the guest
 * @way: how it is done
 * @memory: the request of memory that has the range
 * @kind: kind of that memory
 */
struct request {
	struct advice *advice;
	enum advice_kind advised;
	const struct way *way;
	struct range range;
	uint64_t number;
	const struct memory_request *memory;
	enum backing_kind kind;
};

static void *host(const struct advice *advice, uint64_t gpa)
{
	return advice->memory->reservation.base + gpa;
}

static int protect(const struct advice *advice, struct range range,
		   uint8_t denied)
{
	return calls->protect(host(advice, range.start), range_size(range),
			      (PROT_READ | PROT_WRITE) & ~denied);
}

static int advise(const struct request *request, struct range range, int advice)
{
	return calls->advise(host(request->advice, range.start),
			     range_size(range), advice);
}

/*
 * Memory that is never paged out is locked by populating it. fallocate() returns an error
 * if there is no memory, when a page fault would end the process.
 */
static int lock(const struct request *request, struct range range, bool locked)
{
	void *at = host(request->advice, range.start);

	if (1U << request->kind & PAGED)
		return locked ? calls->lock(at, range_size(range)) :
				calls->unlock(at, range_size(range));
	return locked ? guest_memory_commit(request->advice->memory, range) : 0;
}

static int name(const struct advice *advice, struct range range, uint64_t number)
{
	char text[sizeof(NAME_PREFIX) + 20];

	snprintf(text, sizeof(text), NAME_PREFIX "%" PRIu64, number);
	return calls->name(host(advice, range.start), range_size(range),
			   number ? text : NULL);
}

/* Change @run as the request changes its pages. */
static void change(const struct request *request, struct advice_run *run)
{
	switch (request->advised) {
	case ADVICE_DONTDUMP:
		run->no_dump = true;
		break;
	case ADVICE_NAME:
		run->name = request->number;
		break;
	case ADVICE_LOCK:
	case ADVICE_UNLOCK:
		run->locked = request->advised == ADVICE_LOCK;
		break;
	case ADVICE_PROTECT_NONE:
		run->denied = PROT_READ | PROT_WRITE;
		break;
	case ADVICE_PROTECT_R:
		run->denied = PROT_WRITE;
		break;
	case ADVICE_PROTECT_W:
		run->denied = PROT_READ;
		break;
	case ADVICE_PROTECT_RW:
		run->denied = 0;
		break;
	default:
		run->mergeable = request->advised == ADVICE_MERGEABLE;
		break;
	}
}

/* Set the property that the request is about, in @range, to the value in @run. */
static int set(const struct request *request, const struct advice_run *run,
	       struct range range)
{
	switch (request->advised) {
	case ADVICE_DONTDUMP:
		return advise(request, range, run->no_dump ? MADV_DONTDUMP :
							     MADV_DODUMP);
	case ADVICE_NAME:
		return name(request->advice, range, run->name);
	case ADVICE_LOCK:
	case ADVICE_UNLOCK:
		return lock(request, range, run->locked);
	case ADVICE_MERGEABLE:
	case ADVICE_UNMERGEABLE:
		return advise(request, range, run->mergeable ? MADV_MERGEABLE :
							       MADV_UNMERGEABLE);
	default:
		return protect(request->advice, range, run->denied);
	}
}

static struct range run_range(const struct advice_run *run)
{
	return (struct range){ run->start, run->start + run->size };
}

/* Pages without any advice. */
static const struct advice_run plain;

static bool runs_alike(const struct advice_run *a, const struct advice_run *b)
{
	return a->name == b->name && a->denied == b->denied &&
	       a->locked == b->locked && a->no_dump == b->no_dump &&
	       a->mergeable == b->mergeable;
}

/* Append a run for @range with the properties of @run, unless it is empty or plain. */
static int push(struct advice_run *runs, unsigned int *count,
		const struct advice_run *run, struct range range)
{
	struct advice_run *last = *count ? &runs[*count - 1] : NULL;

	if (range.start >= range.end || runs_alike(run, &plain))
		return 0;
	if (last && last->start + last->size == range.start &&
	    runs_alike(last, run)) {
		last->size += range_size(range);
		return 0;
	}
	if (*count == ADVICE_RUNS_MAX)
		return -ENOMEM;
	runs[*count] = *run;
	runs[*count].start = range.start;
	runs[(*count)++].size = range_size(range);
	return 0;
}

/* The same for pages of the request's range, whose property changes. */
static int push_changed(const struct request *request, unsigned int *count,
			const struct advice_run *run, struct range range)
{
	struct advice_run changed = *run;

	change(request, &changed);
	return push(request->advice->next, count, &changed, range);
}

/* Append a run, and before it the plain pages of the request's range since *@done. */
static int plan_run(const struct request *request, unsigned int *count,
		    const struct advice_run *run, uint64_t *done)
{
	struct advice_run *next = request->advice->next;
	struct range whole = run_range(run), in = request->range;
	int rc;

	if (whole.start >= in.end || whole.end <= in.start)
		return push(next, count, run, whole);
	rc = push(next, count, run, (struct range){ whole.start, in.start });
	if (!rc)
		rc = push_changed(request, count, &plain,
				  (struct range){ *done, whole.start });
	if (!rc)
		rc = push_changed(request, count, run, range_clip(whole, in));
	*done = whole.end;
	return rc ? rc : push(next, count, run,
			      (struct range){ in.end, whole.end });
}

/*
 * Compute all runs as they will be after the request, in advice->next. Return: 0, or -ENOMEM
 * if there are too many.
 */
static int plan(const struct request *request, unsigned int *count)
{
	const struct advice *advice = request->advice;
	uint64_t done = request->range.start;
	unsigned int i = 0;
	int rc = 0;

	*count = 0;
	for (; !rc && i < advice->nr_runs &&
	     advice->runs[i].start < request->range.end; i++)
		rc = plan_run(request, count, &advice->runs[i], &done);
	if (!rc)
		rc = push_changed(request, count, &plain,
				  (struct range){ done, request->range.end });
	for (; !rc && i < advice->nr_runs; i++)
		rc = push(advice->next, count, &advice->runs[i],
			  run_range(&advice->runs[i]));
	return rc;
}

static void adopt(struct advice *advice, unsigned int count)
{
	struct advice_run *runs = advice->runs;
	unsigned int locked = 0;

	advice->runs = advice->next;
	advice->next = runs;
	advice->nr_runs = count;
	for (unsigned int i = 0; i < count; i++)
		locked += advice->runs[i].locked;
	__atomic_store_n(&advice->nr_locked, locked, __ATOMIC_RELEASE);
}

/* Whether a page of the range is locked. Without locked pages this takes no lock. */
static bool is_locked(struct advice *advice, struct range range)
{
	bool locked = false;

	if (!__atomic_load_n(&advice->nr_locked, __ATOMIC_ACQUIRE))
		return false;
	pthread_mutex_lock(&advice->lock);
	for (unsigned int i = 0; i < advice->nr_runs; i++)
		locked |= advice->runs[i].locked &&
			  range_overlaps(run_range(&advice->runs[i]), range);
	pthread_mutex_unlock(&advice->lock);
	return locked;
}

/* Restore all properties, because a call that has failed may have changed a part. */
static void put_back(const struct request *request)
{
	const struct advice *advice = request->advice;

	set(request, &plain, request->range);
	for (unsigned int i = 0; i < advice->nr_runs; i++) {
		struct range range = run_range(&advice->runs[i]);

		if (range_overlaps(range, request->range))
			set(request, &advice->runs[i],
			    range_clip(range, request->range));
	}
}

/* The range has been checked, so EINVAL means that this memory does not support it. */
static int cannot(int rc)
{
	return rc == -EINVAL ? -EOPNOTSUPP : rc;
}

static int set_and_record(const struct request *request)
{
	struct advice *advice = request->advice;
	struct advice_run wanted = plain;
	unsigned int count;
	int rc;

	change(request, &wanted);
	pthread_mutex_lock(&advice->lock);
	rc = plan(request, &count);
	if (!rc) {
		rc = set(request, &wanted, request->range);
		if (rc)
			put_back(request);
		else
			adopt(advice, count);
	}
	pthread_mutex_unlock(&advice->lock);
	return cannot(rc);
}

/* Unless dump is on, core dumps do not contain the memory anyway. */
static int dont_dump(const struct request *request)
{
	return request->memory->dump ? set_and_record(request) : 0;
}

/* Decommit shared and private pages. They keep their state. */
static int give_back(const struct request *request)
{
	int rc = guest_memory_decommit(request->advice->memory, request->range);

	return rc == -EFAULT ? -EINVAL : rc;
}

#define OWN_TURN	0x1	/* takes the range lock itself */
#define PRIVATE_TOO	0x2	/* works on private pages as well */
#define NOT_LOCKED	0x4	/* not on locked pages, as in the kernel */

/**
 * struct way - how a request is done
 * @kinds: kinds of memory that support it
 * @rules: see above
 * @take: does it
 * @advice: for advise_once(): advice of madvise()
 */
struct way {
	unsigned int kinds;
	unsigned int rules;
	int (*take)(const struct request *request);
	int advice;
};

static int advise_once(const struct request *request)
{
	return cannot(advise(request, request->range, request->way->advice));
}

static const struct way ways[ADVICE_KINDS] = {
	[ADVICE_DONTNEED]	= { ALL, OWN_TURN | PRIVATE_TOO | NOT_LOCKED, give_back, 0 },
	[ADVICE_REMOVE]		= { ALL & ~ANONYMOUS, OWN_TURN | PRIVATE_TOO | NOT_LOCKED,
				    give_back, 0 },
	[ADVICE_FREE]		= { ANONYMOUS, NOT_LOCKED, advise_once, MADV_FREE },
	[ADVICE_PAGEOUT]	= { PAGED, NOT_LOCKED, advise_once, MADV_PAGEOUT },
	[ADVICE_DONTDUMP]	= { ALL, PRIVATE_TOO, dont_dump, 0 },
	[ADVICE_NAME]		= { ANONYMOUS, 0, set_and_record, 0 },
	[ADVICE_LOCK]		= { ALL, 0, set_and_record, 0 },
	[ADVICE_UNLOCK]		= { ALL, 0, set_and_record, 0 },
	[ADVICE_PROTECT_NONE]	= { MAPPED, 0, set_and_record, 0 },
	[ADVICE_PROTECT_R]	= { MAPPED, 0, set_and_record, 0 },
	[ADVICE_PROTECT_W]	= { MAPPED, 0, set_and_record, 0 },
	[ADVICE_PROTECT_RW]	= { MAPPED, 0, set_and_record, 0 },
	[ADVICE_MERGEABLE]	= { ANONYMOUS, 0, set_and_record, 0 },
	[ADVICE_UNMERGEABLE]	= { ANONYMOUS, 0, set_and_record, 0 },
};

/* Return: the request of memory that has the whole range, or NULL. */
static const struct memory_request *
find_memory(const struct guest_memory *memory, struct range range)
{
	const struct layout *layout = &memory->memfd.layout;
	const struct memory_request *request = NULL;

	for (unsigned int i = 0; i < layout->nr_ranges; i++) {
		const struct layout_range *ram = &layout->ranges[i];

		if (!range_overlaps(ram->range, range))
			continue;
		if (request && request != ram->request)
			return NULL;
		request = ram->request;
	}
	return request;
}

/* Do a request with the range lock held, unless it takes the lock itself. */
static int take_in_turn(const struct request *request)
{
	struct guest_memory *memory = request->advice->memory;
	unsigned int rules = request->way->rules;
	struct range *turn;
	int rc = -EOPNOTSUPP;

	if (rules & OWN_TURN)
		return request->way->take(request);
	turn = range_lock_enter(&memory->range_lock, request->range);
	if (rules & PRIVATE_TOO ||
	    access_is_shared(memory, request->range.start,
			     range_size(request->range)))
		rc = request->way->take(request);
	range_lock_leave(&memory->range_lock, turn);
	return rc;
}

int advice_take(struct advice *advice, enum advice_kind kind, uint64_t gpa,
		uint64_t size, uint64_t number)
{
	struct request request = {
		.advice = advice,
		.advised = kind,
		.range = { gpa, gpa + size },
		.number = number,
	};
	uint64_t hugepage;

	if (kind < ADVICE_DONTNEED || kind >= ADVICE_KINDS)
		return -EOPNOTSUPP;
	if (request.range.end < gpa ||
	    !range_aligned(request.range, RANGE_PAGE_SIZE) ||
	    !access_is_ram(advice->memory, gpa, size))
		return -EINVAL;
	if (!size)
		return 0;
	request.way = &ways[kind];
	request.memory = find_memory(advice->memory, request.range);
	if (!request.memory)
		return -EINVAL;
	hugepage = memory_request_hugepage(request.memory);
	request.kind = hugepage ? BACKING_HUGETLB : request.memory->kind;
	if (!(request.way->kinds & 1U << request.kind))
		return -EOPNOTSUPP;
	/* The kernel would refuse a part of a huge page only after it has changed other pages. */
	if (hugepage && !range_aligned(request.range, hugepage))
		return -EINVAL;
	if (request.way->rules & NOT_LOCKED && is_locked(advice, request.range))
		return -EINVAL;
	return take_in_turn(&request);
}

unsigned int advice_count(struct advice *advice)
{
	unsigned int count;

	pthread_mutex_lock(&advice->lock);
	count = advice->nr_runs;
	pthread_mutex_unlock(&advice->lock);
	return count;
}

bool advice_denies(struct advice *advice, uint64_t gpa)
{
	bool denied = false;

	pthread_mutex_lock(&advice->lock);
	for (unsigned int i = 0; i < advice->nr_runs; i++)
		denied |= advice->runs[i].denied && gpa >= advice->runs[i].start &&
			  gpa - advice->runs[i].start < advice->runs[i].size;
	pthread_mutex_unlock(&advice->lock);
	return denied;
}

void advice_explain(struct advice *advice, char *text, size_t size)
{
	unsigned int found = 0;
	size_t used = 0;

	text[0] = '\0';
	pthread_mutex_lock(&advice->lock);
	for (unsigned int i = 0; i < advice->nr_runs; i++) {
		const struct advice_run *run = &advice->runs[i];

		if (!run->denied || found++ >= EXPLAIN_MAX || used >= size)
			continue;
		used += (size_t)snprintf(text + used, size - used,
					 "%sgpa 0x%" PRIx64 " + 0x%" PRIx64 "%s",
					 used ? ", " : "", run->start, run->size,
					 run->denied & PROT_READ ? "" :
					 " (read only)");
	}
	pthread_mutex_unlock(&advice->lock);
	if (found > EXPLAIN_MAX && used < size)
		snprintf(text + used, size - used, " and %u more",
			 found - EXPLAIN_MAX);
}

/* Set or lift all protections. Return: 0, or the first error. */
static int protect_all(struct advice *advice, bool lift)
{
	int rc, first = 0;

	pthread_mutex_lock(&advice->lock);
	for (unsigned int i = 0; i < advice->nr_runs; i++) {
		const struct advice_run *run = &advice->runs[i];

		if (!run->denied)
			continue;
		rc = protect(advice, run_range(run), lift ? 0 : run->denied);
		if (rc && !first)
			first = rc;
	}
	pthread_mutex_unlock(&advice->lock);
	return first;
}

int advice_lift(struct advice *advice)
{
	return protect_all(advice, true);
}

int advice_restore(struct advice *advice)
{
	return protect_all(advice, false);
}

void advice_get(struct advice *advice, struct tlv *records, uint32_t type)
{
	pthread_mutex_lock(&advice->lock);
	if (advice->nr_runs)
		tlv_add(records, type, 0, advice->runs,
			advice->nr_runs * sizeof(*advice->runs));
	pthread_mutex_unlock(&advice->lock);
}

/* Repeat the requests that lead to @run. A lock populates pages, so it comes before a denial. */
static int take_run(struct advice *advice, const struct advice_run *run)
{
	static const enum advice_kind denials[] = {
		[0]			 = ADVICE_PROTECT_RW,
		[PROT_READ]		 = ADVICE_PROTECT_W,
		[PROT_WRITE]		 = ADVICE_PROTECT_R,
		[PROT_READ | PROT_WRITE] = ADVICE_PROTECT_NONE,
	};
	const struct {
		bool wanted;
		enum advice_kind kind;
	} steps[] = {
		{ run->locked, ADVICE_LOCK },
		{ run->no_dump, ADVICE_DONTDUMP },
		{ run->mergeable, ADVICE_MERGEABLE },
		{ run->name, ADVICE_NAME },
		{ run->denied, run->denied > (PROT_READ | PROT_WRITE) ?
			       ADVICE_KINDS : denials[run->denied] },
	};
	int rc = 0;

	if (!run->size || !bytes_are_zero(run->zero, sizeof(run->zero)))
		return -EBADMSG;
	for (size_t i = 0; !rc && i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i].wanted)
			rc = advice_take(advice, steps[i].kind, run->start,
					 run->size, run->name);
	return rc == -EINVAL || rc == -EOPNOTSUPP ? -EBADMSG : rc;
}

int advice_set(struct advice *advice, const struct tlv *records, uint32_t type)
{
	const uint8_t *bytes;
	struct advice_run run;
	size_t size, at;
	int rc = 0;

	bytes = tlv_find(records, type, 0, &size);
	if (!bytes)
		return 0;
	if (size % sizeof(run) || size / sizeof(run) > ADVICE_RUNS_MAX)
		return -EBADMSG;
	for (at = 0; !rc && at < size; at += sizeof(run)) {
		memcpy(&run, bytes + at, sizeof(run));
		rc = take_run(advice, &run);
	}
	return rc;
}

int advice_init(struct advice *advice, struct guest_memory *memory,
		struct error *error)
{
	memset(advice, 0, sizeof(*advice));
	advice->memory = memory;
	advice->runs = calloc(2 * ADVICE_RUNS_MAX, sizeof(*advice->runs));
	if (!advice->runs)
		return error_set(error, -ENOMEM, "guest memory", "allocate", NULL);
	advice->next = advice->runs + ADVICE_RUNS_MAX;
	pthread_mutex_init(&advice->lock, NULL);
	return 0;
}

void advice_destroy(struct advice *advice)
{
	if (!advice->runs)
		return;
	free(advice->runs < advice->next ? advice->runs : advice->next);
	pthread_mutex_destroy(&advice->lock);
	memset(advice, 0, sizeof(*advice));
}
