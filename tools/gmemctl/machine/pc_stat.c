// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../control/message.h"
#include "../gmem/gmem.h"
#include "../memory/page_states.h"
#include "pc_stat.h"

/* Pages asked for at once when counting those that are populated */
#define RESIDENT_PAGES 65536

static const struct memory_request *
request_of(const struct guest_memory *memory, unsigned int index)
{
	return &memory->config->requests[index];
}

static bool is_gmem(const struct memory_request *request)
{
	return request->kind == BACKING_GMEM ||
	       request->kind == BACKING_GMEM_STORE;
}

/* Populated bytes of a range of RAM, as far as the host has it mapped. */
static uint64_t resident_range(const struct guest_memory *memory,
			       struct range ram)
{
	uint8_t *host = memory->reservation.base + ram.start;
	unsigned char *pages = malloc(RESIDENT_PAGES);
	uint64_t left = range_size(ram), bytes = 0;

	while (pages && left) {
		uint64_t part = RESIDENT_PAGES * RANGE_PAGE_SIZE;

		if (part > left)
			part = left;
		if (mincore(host, part, pages))
			break;
		for (uint64_t i = 0; i < part / RANGE_PAGE_SIZE; i++)
			bytes += (pages[i] & 1) * RANGE_PAGE_SIZE;
		host += part;
		left -= part;
	}
	free(pages);
	return bytes;
}

/* Of gmem the host maps a part only, and gmem knows all of it. */
static uint64_t resident(const struct guest_memory *memory)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < memory->nr_backings; i++) {
		const struct memory_request *request = request_of(memory, i);
		struct gmem_ioctl_stat stat;

		if (is_gmem(request) &&
		    !gmem_stat(memory->backings[i].fd, &stat)) {
			bytes += (stat.resident_pages + stat.store_pages) *
				 RANGE_PAGE_SIZE;
			continue;
		}
		for (unsigned int j = 0; j < request->nr_ranges; j++)
			bytes += resident_range(memory, request->ranges[j]);
	}
	return bytes;
}

uint64_t pc_memory_size(const struct pc *pc)
{
	const struct guest_memory *memory = &pc->machine.memory;
	uint64_t bytes = 0, size;

	for (unsigned int i = 0; i < memory->config->nr_requests; i++)
		if (!memory_request_size(request_of(memory, i), &size))
			bytes += size;
	return bytes;
}

static double conversion_rate(struct pc_control *control)
{
	struct machine *machine = &control->pc->machine;
	double rate;

	pthread_mutex_lock(&machine->lock);
	rate = rate_per_second(&machine->rate, control->started_ns,
			       clock_now_ns());
	pthread_mutex_unlock(&machine->lock);
	return rate;
}

static void add_counters(struct pc_control *control, struct json_object *result)
{
	const struct machine_counters *counters =
		&control->pc->machine.counters;

	message_add_counter(result, "exits", &counters->exits);
	message_add_counter(result, "stray_io", &counters->stray_io);
	message_add_counter(result, "refused", &counters->refused);
	message_add_counter(result, "conversions", &counters->conversions);
	message_add_counter(result, "converted_bytes", &counters->converted_bytes);
	json_object_object_add(result, "conversions_per_second",
			       json_object_new_double(conversion_rate(control)));
}

/* What KVM has been given of gmem, and how often the guest had to wait for it. */
static void add_views(struct pc_control *control, struct json_object *result)
{
	const struct machine *machine = &control->pc->machine;
	const struct guest_memory *memory = &machine->memory;
	struct gmem_ioctl_stat stat, sum = { 0 };
	struct json_object *view;

	if (!guest_memory_view(memory))
		return;
	for (unsigned int i = 0; i < memory->nr_views; i++) {
		if (memory->views[i].fd < 0 ||
		    gmem_stat(memory->backings[i].fd, &stat))
			continue;
		sum.view_pages += stat.view_pages;
		sum.view_refills += stat.view_refills;
		sum.views += stat.views;
		sum.view_mappings += stat.view_mappings;
	}
	view = json_object_new_object();
	message_add_number(view, "views", sum.views);
	message_add_number(view, "mappings", sum.view_mappings);
	message_add_number(view, "pages", sum.view_pages);
	message_add_number(view, "refills", sum.view_refills);
	message_add_counter(view, "faults", &machine->counters.view_faults);
	json_object_object_add(result, "view", view);
}

/* By code, and only those that the guest has used. */
static struct json_object *counts(const uint64_t *counters)
{
	struct json_object *object = json_object_new_object();

	for (unsigned int i = 0; i < PVMEMCONTROL_CODES; i++) {
		uint64_t count = __atomic_load_n(&counters[i], __ATOMIC_RELAXED);

		if (count)
			message_add_number(object, pvmemcontrol_code_names[i], count);
	}
	return object;
}

static void add_pvmemcontrol(struct pc *pc, struct json_object *result)
{
	struct pvmemcontrol *device = &pc->pvmemcontrol;
	const struct pvmemcontrol_counters *counters = &device->counters;
	struct json_object *object = json_object_new_object();

	message_add_string(object, "state", pvmemcontrol_state_name(device));
	message_add_number(object, "connections",
			   __atomic_load_n(&device->nr_buffers, __ATOMIC_RELAXED));
	json_object_object_add(object, "done", counts(counters->done));
	json_object_object_add(object, "refused", counts(counters->refused));
	message_add_counter(object, "unknown", &counters->unknown);
	message_add_counter(object, "unanswered", &counters->unanswered);
	message_add_counter(object, "given_back_bytes", &counters->bytes);
	message_add_number(object, "pieces", advice_count(&pc->machine.advice));
	json_object_object_add(result, "pvmemcontrol", object);
}

static void add_balloon_stats(const struct balloon_stats *stats,
			      struct json_object *object)
{
	struct json_object *guest = json_object_new_object();

	for (unsigned int i = 0; i < BALLOON_TAGS; i++)
		if (stats->known >> i & 1)
			message_add_number(guest, balloon_tag_names[i], stats->values[i]);
	message_add_number(guest, "age_ns", clock_now_ns() - stats->ns);
	json_object_object_add(object, "guest", guest);
}

static void add_balloon(struct pc *pc, struct json_object *result)
{
	struct json_object *object = json_object_new_object();
	struct balloon_report report;

	balloon_report(&pc->balloon, &report);
	/* A guest that is being given away has been written to for the last time. */
	if (!pc_freeze_try(pc)) {
		balloon_ask(&pc->balloon);
		pc_freeze_end(pc);
	}
	json_object_object_add(object, "driver",
			       json_object_new_boolean(report.running));
	message_add_number(object, "target_bytes", report.target);
	message_add_number(object, "actual_bytes", report.actual);
	message_add_number(object, "given_bytes", report.given);
	message_add_number(object, "failed_bytes", report.failed);
	message_add_number(object, "reported_bytes", report.reported);
	if (report.stats.known)
		add_balloon_stats(&report.stats, object);
	json_object_object_add(result, "balloon", object);
}

struct json_object *pc_stat(struct pc_control *control)
{
	struct pc *pc = control->pc;
	struct machine *machine = &pc->machine;
	const struct guest_memory *memory = &machine->memory;
	uint64_t up = clock_now_ns() - control->started_ns;
	enum end end = machine_ended(machine) ? machine->end : END_NONE;
	struct json_object *result = json_object_new_object();

	message_add_string(result, "name", control->name);
	message_add_number(result, "pid", (uint64_t)getpid());
	message_add_number(result, "uptime_ns", up);
	message_add_string(result, "state", end_name(end));
	message_add_string(result, "kind",
			   backing_kind_name(request_of(memory, 0)->kind));
	message_add_number(result, "vcpus", machine->nr_vcpus);
	message_add_number(result, "memory", pc_memory_size(pc));
	message_add_number(result, "resident_bytes", resident(memory));
	message_add_number(result, "private_bytes", page_states_private(memory));
	add_counters(control, result);
	add_views(control, result);
	if (pc->config->pvmemcontrol)
		add_pvmemcontrol(pc, result);
	if (pc->config->balloon)
		add_balloon(pc, result);
	return result;
}
