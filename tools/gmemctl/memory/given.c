// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "given.h"

#define WORD_BITS 64

static bool is_given(const struct given *given, uint64_t page)
{
	return given->bits[page / WORD_BITS] >> page % WORD_BITS & 1;
}

/* Return: whether that is a change. */
static bool mark(struct given *given, uint64_t page, bool value)
{
	uint64_t bit = UINT64_C(1) << page % WORD_BITS;
	uint64_t *word = &given->bits[page / WORD_BITS];

	if (!(*word & bit) == !value)
		return false;
	*word ^= bit;
	given->count += value ? 1 : (uint64_t)-1;
	return true;
}

static bool all_given(const struct given *given, struct range range)
{
	for (uint64_t at = range.start; at < range.end; at += RANGE_PAGE_SIZE)
		if (!is_given(given, at / RANGE_PAGE_SIZE))
			return false;
	return true;
}

static struct range outward(struct range range, uint64_t unit)
{
	return (struct range){ range.start - range.start % unit,
			       range.end + (unit - range.end % unit) % unit };
}

static struct range inward(struct range range, uint64_t unit)
{
	struct range in = { range.start + (unit - range.start % unit) % unit,
			    range.end - range.end % unit };

	return in.start < in.end ? in : (struct range){ 0, 0 };
}

static void decommit(struct given *given, struct range range)
{
	if (guest_memory_decommit(given->memory, range))
		given->failed += range_size(range) / RANGE_PAGE_SIZE;
}

typedef void (*part_fn)(struct given *given, struct range part, uint64_t unit);

/* Each part of @range that is in one range of RAM, with its unit. */
static void each_part(struct given *given, struct range range, part_fn visit)
{
	const struct memory_config *config = given->memory->config;

	for (unsigned int i = 0; i < config->nr_requests; i++) {
		const struct memory_request *request = &config->requests[i];
		uint64_t unit = memory_request_hugepage(request);

		for (unsigned int j = 0; j < request->nr_ranges; j++)
			if (range_overlaps(request->ranges[j], range))
				visit(given, range_clip(range, request->ranges[j]),
				      unit ? unit : RANGE_PAGE_SIZE);
	}
}

static void add_part(struct given *given, struct range part, uint64_t unit)
{
	struct range units = outward(part, unit);

	for (uint64_t at = part.start; at < part.end; at += RANGE_PAGE_SIZE)
		mark(given, at / RANGE_PAGE_SIZE, true);
	if (unit == RANGE_PAGE_SIZE)
		return decommit(given, part);
	for (uint64_t at = units.start; at < units.end; at += unit)
		if (all_given(given, (struct range){ at, at + unit }))
			decommit(given, (struct range){ at, at + unit });
}

void given_add(struct given *given, struct range range)
{
	pthread_mutex_lock(&given->lock);
	each_part(given, range, add_part);
	pthread_mutex_unlock(&given->lock);
}

/*
 * A huge page that was given back has to be had again now: a touch that finds the pool
 * empty would end the guest. That it does all the same is told then.
 */
static void take_part(struct given *given, struct range part, uint64_t unit)
{
	struct range units = outward(part, unit);

	for (uint64_t at = units.start; unit != RANGE_PAGE_SIZE && at < units.end;
	     at += unit) {
		struct range whole = { at, at + unit };

		if (all_given(given, whole) &&
		    guest_memory_commit(given->memory, whole))
			given->failed += unit / RANGE_PAGE_SIZE;
	}
	for (uint64_t at = part.start; at < part.end; at += RANGE_PAGE_SIZE)
		mark(given, at / RANGE_PAGE_SIZE, false);
}

void given_take(struct given *given, struct range range)
{
	pthread_mutex_lock(&given->lock);
	each_part(given, range, take_part);
	pthread_mutex_unlock(&given->lock);
}

void given_take_all(struct given *given)
{
	struct range all = { 0, given->nr_pages * RANGE_PAGE_SIZE };

	pthread_mutex_lock(&given->lock);
	if (given->count)
		each_part(given, all, take_part);
	pthread_mutex_unlock(&given->lock);
}

uint64_t given_count(struct given *given, uint64_t *failed)
{
	uint64_t count;

	pthread_mutex_lock(&given->lock);
	count = given->count * RANGE_PAGE_SIZE;
	*failed = given->failed * RANGE_PAGE_SIZE;
	pthread_mutex_unlock(&given->lock);
	return count;
}

/* The part of @range that can come and go, of one request. */
static struct range once_part(const struct memory_request *request,
			      struct range range)
{
	uint64_t unit = memory_request_hugepage(request);

	for (unsigned int i = 0; i < request->nr_ranges; i++)
		if (range_contains(request->ranges[i], range))
			return inward(range, unit ? unit : RANGE_PAGE_SIZE);
	return (struct range){ 0, 0 };
}

uint64_t given_once(struct given *given, struct range range)
{
	const struct memory_config *config = given->memory->config;
	uint64_t done = 0;

	for (unsigned int i = 0; i < config->nr_requests; i++) {
		struct range part = once_part(&config->requests[i], range);

		if (range_size(part) && !guest_memory_decommit(given->memory, part))
			done += range_size(part);
	}
	return done;
}

struct range given_clip(struct given *given, uint64_t gpa, struct range range)
{
	uint64_t page = gpa / RANGE_PAGE_SIZE, first = page, end = page + 1;

	if (!given->bits)
		return range;
	pthread_mutex_lock(&given->lock);
	if (page < given->nr_pages && !is_given(given, page)) {
		while (first * RANGE_PAGE_SIZE > range.start &&
		       !is_given(given, first - 1))
			first--;
		while (end * RANGE_PAGE_SIZE < range.end && end < given->nr_pages &&
		       !is_given(given, end))
			end++;
	}
	pthread_mutex_unlock(&given->lock);
	return (struct range){ first * RANGE_PAGE_SIZE, end * RANGE_PAGE_SIZE };
}

static size_t bytes_of_bits(const struct given *given)
{
	return (given->nr_pages + WORD_BITS - 1) / WORD_BITS * sizeof(*given->bits);
}

void given_get(struct given *given, struct tlv *records, uint32_t type)
{
	pthread_mutex_lock(&given->lock);
	tlv_add(records, type, 0, given->bits, bytes_of_bits(given));
	pthread_mutex_unlock(&given->lock);
}

/* Memory of huge pages was all taken from the pool when it was made. */
static void set_part(struct given *given, struct range part, uint64_t unit)
{
	const uint64_t *bits = given->bits;

	for (uint64_t at = part.start; at < part.end; at += RANGE_PAGE_SIZE) {
		uint64_t page = at / RANGE_PAGE_SIZE;

		given->count += bits[page / WORD_BITS] >> page % WORD_BITS & 1;
	}
	for (uint64_t at = part.start; unit != RANGE_PAGE_SIZE && at < part.end;
	     at += unit)
		if (all_given(given, (struct range){ at, at + unit }))
			decommit(given, (struct range){ at, at + unit });
}

int given_set(struct given *given, const struct tlv *records, uint32_t type)
{
	struct range all = { 0, given->nr_pages * RANGE_PAGE_SIZE };

	if (!tlv_get(records, type, 0, given->bits, bytes_of_bits(given)))
		return -EBADMSG;
	given->count = 0;
	each_part(given, all, set_part);
	return 0;
}

int given_init(struct given *given, struct guest_memory *memory,
	       struct error *error)
{
	memset(given, 0, sizeof(*given));
	given->memory = memory;
	given->nr_pages = memory_config_end(memory->config) / RANGE_PAGE_SIZE;
	given->bits = calloc(1, bytes_of_bits(given));
	if (!given->bits)
		return error_set(error, -ENOMEM, "balloon", "allocate", NULL);
	pthread_mutex_init(&given->lock, NULL);
	return 0;
}

void given_destroy(struct given *given)
{
	if (!given->bits)
		return;
	free(given->bits);
	pthread_mutex_destroy(&given->lock);
	memset(given, 0, sizeof(*given));
}
