// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "given.h"

/* Set whether the pages of @range are given. */
static void mark(struct given *given, struct range range, bool value)
{
	uint64_t first = range.start / RANGE_PAGE_SIZE, end = range.end / RANGE_PAGE_SIZE;
	uint64_t next;
	bool was;

	for (uint64_t page = first; page < end; page = next) {
		next = page_map_run(&given->map, page, end, &was);
		if (was != value)
			given->count += value ? next - page : page - next;
	}
	page_map_set(&given->map, first, end, value);
}

static bool all_given(const struct given *given, struct range range)
{
	uint64_t page = range.start / RANGE_PAGE_SIZE, end = range.end / RANGE_PAGE_SIZE;
	bool value;

	return page_map_run(&given->map, page, end, &value) == end && value;
}

static struct range outward(struct range range, uint64_t unit)
{
	return (struct range){ range.start - range.start % unit,
			       range.end + (unit - range.end % unit) % unit };
}

static void decommit(struct given *given, struct range range)
{
	if (guest_memory_decommit(given->memory, range))
		given->failed += range_size(range) / RANGE_PAGE_SIZE;
}

static uint64_t unit_of(const struct layout_range *ram)
{
	uint64_t hugepage = memory_request_hugepage(ram->request);

	return hugepage ? hugepage : RANGE_PAGE_SIZE;
}

typedef void (*part_fn)(struct given *given, struct range part, uint64_t unit);

/* Call @visit for the part of @range in each range of RAM, with the unit of that RAM. */
static void each_part(struct given *given, struct range range, part_fn visit)
{
	const struct layout *layout = &given->memory->memfd.layout;

	for (unsigned int i = 0; i < layout->nr_ranges; i++) {
		const struct layout_range *ram = &layout->ranges[i];

		if (range_overlaps(ram->range, range))
			visit(given, range_clip(range, ram->range), unit_of(ram));
	}
}

static void add_part(struct given *given, struct range part, uint64_t unit)
{
	struct range units = outward(part, unit);

	mark(given, part, true);
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
 * A huge page that was decommitted is populated again now, because a later fault would end the
 * guest if the pool is empty. A failure is only counted: the fault will report it.
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
	mark(given, part, false);
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

uint64_t given_once(struct given *given, struct range range)
{
	const struct layout_range *ram = layout_find(&given->memory->memfd.layout, range);
	uint64_t unit;

	if (!ram)
		return 0;
	unit = unit_of(ram);
	range.start += (unit - range.start % unit) % unit;
	range.end -= range.end % unit;
	if (range.start >= range.end || guest_memory_decommit(given->memory, range))
		return 0;
	return range_size(range);
}

struct range given_clip(struct given *given, uint64_t gpa, struct range range)
{
	uint64_t page = gpa / RANGE_PAGE_SIZE, first = page, end = page + 1;
	bool value;

	if (!given->map.words)
		return range;
	pthread_mutex_lock(&given->lock);
	if (page < given->nr_pages && !page_map_get(&given->map, page)) {
		while (first * RANGE_PAGE_SIZE > range.start &&
		       !page_map_get(&given->map, first - 1))
			first--;
		end = (range.end + RANGE_PAGE_SIZE - 1) / RANGE_PAGE_SIZE;
		end = page_map_run(&given->map, page,
				   end < given->nr_pages ? end : given->nr_pages, &value);
	}
	pthread_mutex_unlock(&given->lock);
	return (struct range){ first * RANGE_PAGE_SIZE, end * RANGE_PAGE_SIZE };
}

static size_t bytes_of_map(const struct given *given)
{
	return (given->nr_pages + 63) / 64 * sizeof(*given->map.words);
}

void given_get(struct given *given, struct tlv *records, uint32_t type)
{
	pthread_mutex_lock(&given->lock);
	tlv_add(records, type, 0, given->map.words, bytes_of_map(given));
	pthread_mutex_unlock(&given->lock);
}

/* Count the given pages. Huge pages are decommitted, since all were allocated at creation. */
static void set_part(struct given *given, struct range part, uint64_t unit)
{
	uint64_t end = part.end / RANGE_PAGE_SIZE, next;
	bool value;

	for (uint64_t page = part.start / RANGE_PAGE_SIZE; page < end; page = next) {
		next = page_map_run(&given->map, page, end, &value);
		if (value)
			given->count += next - page;
	}
	for (uint64_t at = part.start; unit != RANGE_PAGE_SIZE && at < part.end;
	     at += unit)
		if (all_given(given, (struct range){ at, at + unit }))
			decommit(given, (struct range){ at, at + unit });
}

int given_set(struct given *given, const struct tlv *records, uint32_t type)
{
	struct range all = { 0, given->nr_pages * RANGE_PAGE_SIZE };

	if (!tlv_get(records, type, 0, given->map.words, bytes_of_map(given)))
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
	if (page_map_create(&given->map, given->nr_pages, false))
		return error_set(error, -ENOMEM, "balloon", "allocate", NULL);
	pthread_mutex_init(&given->lock, NULL);
	return 0;
}

void given_destroy(struct given *given)
{
	if (!given->map.words)
		return;
	page_map_destroy(&given->map);
	pthread_mutex_destroy(&given->lock);
	memset(given, 0, sizeof(*given));
}
