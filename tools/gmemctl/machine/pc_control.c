// SPDX-License-Identifier: GPL-2.0
/* Requests to the control socket of a PC, and the jobs that they start. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../control/control.h"
#include "../gmem/gmem.h"
#include "../memory/access.h"
#include "../memory/remote.h"
#include "pc.h"

/* Pages for one mincore() when populated pages are counted */
#define RESIDENT_PAGES 65536

/* Limit of exits to settle a vCPU. A string instruction needs several, but not so many. */
#define SETTLE_MAX 100000

/**
 * struct map - a map of memory that is being built
 * @ranges: its ranges
 * @next: end of the last range
 */
struct map {
	struct json_object *ranges;
	uint64_t next;
};

int pc_job_post(struct pc *pc, struct pc_job *job)
{
	struct machine *machine = &pc->machine;
	int rc = 0;

	pthread_mutex_lock(&machine->lock);
	if (machine->end != END_NONE)
		rc = -ESHUTDOWN;
	else if (pc->job)
		rc = -EBUSY;
	if (!rc) {
		pc->job = job;
		machine_pause(machine, true);
	}
	pthread_mutex_unlock(&machine->lock);
	return rc;
}

/*
 * Keep jobs from starting while a client changes memory
 *
 * Return: 0, with the lock held; -EBUSY during a job; -ESHUTDOWN if the machine has ended.
 */
static int freeze_try(struct pc *pc)
{
	int rc = -pthread_mutex_trylock(&pc->still);

	/* Memory that was handed over must not be changed any more. */
	if (rc || !machine_ended(&pc->machine))
		return rc;
	pthread_mutex_unlock(&pc->still);
	return -ESHUTDOWN;
}

/*
 * Complete a vCPU's access to a device. KVM does that in the next KVM_RUN, which then returns
 * at once because immediate_exit is set.
 */
static int pc_settle_vcpu(struct pc *pc, struct vcpu *vcpu, struct error *error)
{
	vcpu->run->immediate_exit = 1;
	for (int i = 0; i < SETTLE_MAX; i++) {
		int rc = vcpu_run(vcpu);

		if (rc == -EINTR || rc == -EAGAIN)
			return 0;
		if (rc)
			return error_set(error, rc, "vCPU", "finish its I/O",
					 "vCPU %u", vcpu->index);
		machine_exit(&pc->machine, vcpu);
	}
	return error_set(error, -ELOOP, "vCPU", "finish its I/O", "vCPU %u", vcpu->index);
}

void pc_job_serve(struct pc *pc)
{
	struct error error = { 0 };
	struct pc_job *job;
	int rc = 0;

	pthread_mutex_lock(&pc->machine.lock);
	job = pc->job;
	pthread_mutex_unlock(&pc->machine.lock);
	if (!job)
		return;
	pthread_mutex_lock(&pc->still);
	for (unsigned int i = 0; !rc && i < pc->machine.nr_vcpus; i++)
		rc = pc_settle_vcpu(pc, &pc->machine.vcpus[i], &error);
	if (!rc && machine_ended(&pc->machine))
		error_set(&error, -ESHUTDOWN, "VM", "stop its vCPUs",
			  "it has just ended: %s", end_text(pc->machine.end));
	job->work(pc, job, &error);
	pthread_mutex_unlock(&pc->still);
	pthread_mutex_lock(&pc->machine.lock);
	pc->job = NULL;
	machine_pause(&pc->machine, false);
	pthread_mutex_unlock(&pc->machine.lock);
	close(job->fd);
	free(job);
}

static const struct memory_request *
request_of(const struct guest_memory *memory, unsigned int index)
{
	return &memory->config->requests[index];
}

/* Return: bytes of a range of RAM that are populated, from mincore(). */
static uint64_t resident_range(const struct guest_memory *memory, struct range ram)
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

/* Return: populated bytes. Ask gmem, because mincore() does not count its private pages. */
static uint64_t resident(const struct guest_memory *memory)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < memory->nr_backings; i++) {
		const struct memory_request *request = request_of(memory, i);
		struct gmem_ioctl_stat stat;

		if ((request->kind == BACKING_GMEM || request->kind == BACKING_GMEM_STORE) &&
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

static void add_counters(struct pc_control *control, struct json_object *result)
{
	struct machine *machine = &control->pc->machine;
	const struct machine_counters *counters = &machine->counters;
	double rate;

	pthread_mutex_lock(&machine->lock);
	rate = rate_per_second(&machine->rate, control->started_ns, clock_now_ns());
	pthread_mutex_unlock(&machine->lock);
	message_add_counter(result, "exits", &counters->exits);
	message_add_counter(result, "stray_io", &counters->stray_io);
	message_add_counter(result, "refused", &counters->refused);
	message_add_counter(result, "conversions", &counters->conversions);
	message_add_counter(result, "converted_bytes", &counters->converted_bytes);
	json_object_object_add(result, "conversions_per_second", json_object_new_double(rate));
}

/* Add the pages in views, and the number of faults on pages that were not in them. */
static void add_views(struct pc_control *control, struct json_object *result)
{
	const struct machine *machine = &control->pc->machine;
	const struct guest_memory *memory = &machine->memory;
	struct gmem_ioctl_stat stat, sum = { 0 };
	struct json_object *view;

	if (!guest_memory_view(memory))
		return;
	for (unsigned int i = 0; i < memory->nr_backings; i++) {
		const struct backing *backing = &memory->backings[i];

		if (backing->view.fd < 0 || gmem_stat(backing->fd, &stat))
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

/* Return: the counters by code, without those that are zero. */
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

static void add_balloon(struct pc *pc, struct json_object *result)
{
	struct json_object *object = json_object_new_object(), *guest;
	struct balloon_report report;

	balloon_report(&pc->balloon, &report);
	/* Not during a job: balloon_ask() writes to guest memory. */
	if (!freeze_try(pc)) {
		balloon_ask(&pc->balloon);
		pthread_mutex_unlock(&pc->still);
	}
	json_object_object_add(object, "driver", json_object_new_boolean(report.running));
	message_add_number(object, "target_bytes", report.target);
	message_add_number(object, "actual_bytes", report.actual);
	message_add_number(object, "given_bytes", report.given);
	message_add_number(object, "failed_bytes", report.failed);
	message_add_number(object, "reported_bytes", report.reported);
	json_object_object_add(result, "balloon", object);
	if (!report.stats.known)
		return;
	guest = json_object_new_object();
	for (unsigned int i = 0; i < BALLOON_TAGS; i++)
		if (report.stats.known >> i & 1)
			message_add_number(guest, balloon_tag_names[i], report.stats.values[i]);
	message_add_number(guest, "age_ns", clock_now_ns() - report.stats.ns);
	json_object_object_add(object, "guest", guest);
}

static int serve_stat(struct pc_control *control, struct json_object *request,
		      struct json_object **out, struct error *error)
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
	message_add_string(result, "kind", backing_kind_name(request_of(memory, 0)->kind));
	message_add_number(result, "vcpus", machine->nr_vcpus);
	message_add_number(result, "memory", pc->machine.memory.memfd.layout.size);
	message_add_number(result, "resident_bytes", resident(memory));
	message_add_number(result, "private_bytes", page_states_private(memory));
	add_counters(control, result);
	add_views(control, result);
	if (pc->config->pvmemcontrol)
		add_pvmemcontrol(pc, result);
	if (pc->config->balloon)
		add_balloon(pc, result);
	*out = result;
	return 0;
}

/* Return: 0; 1 if the map is full. */
static int map_run(struct range run, bool private, void *data)
{
	struct map *map = data;

	if (json_object_array_length(map->ranges) >= PC_CONTROL_RANGES_MAX)
		return 1;
	message_add_range(map->ranges, run, private);
	map->next = run.end;
	return 0;
}

/* Return: 0 at the end, 1 if there is more, or a negative errno. */
static int map_ram(const struct guest_memory *memory, struct range wanted, struct map *map)
{
	const struct layout *layout = &memory->memfd.layout;
	int rc = 0;

	for (unsigned int i = 0; !rc && i < layout->nr_ranges; i++) {
		struct range ram = layout->ranges[i].range;

		if (range_overlaps(ram, wanted))
			rc = page_states(memory, range_clip(ram, wanted), map_run, map);
	}
	return rc;
}

/* The guest runs meanwhile, so ranges may be from different moments. */
static int serve_map(struct pc_control *control, struct json_object *request,
		     struct json_object **result, struct error *error)
{
	const struct guest_memory *memory = &control->pc->machine.memory;
	struct range wanted = { 0, memory_config_end(memory->config) };
	struct map map;
	int rc;

	if (message_part(request, &wanted, error))
		return -EINVAL;
	map.next = wanted.start;
	map.ranges = json_object_new_array();
	rc = map_ram(memory, wanted, &map);
	if (rc < 0) {
		json_object_put(map.ranges);
		return error_set(error, rc, control->name, "map memory", NULL);
	}
	*result = json_object_new_object();
	json_object_object_add(*result, "ranges", map.ranges);
	/* The map was full: the client continues from here. */
	if (rc)
		message_add_number(*result, "next", map.next);
	return 0;
}

static int still_try(struct pc_control *control, struct error *error)
{
	int rc = freeze_try(control->pc);

	return rc ? error_set(error, rc, control->name, "change its memory",
			      rc == -EBUSY ? "it is being handed over or saved" :
			      "the VM has ended") : 0;
}

static int request_ram(struct pc_control *control, struct json_object *request,
		       struct range *range, struct error *error)
{
	const struct layout *ram = &control->pc->machine.memory.memfd.layout;
	int rc = message_range(request, range, error);

	if (rc || layout_find(ram, *range))
		return rc;
	return error_set(error, -EINVAL, "range", "find it in RAM",
			 "inside one range of RAM; `gmemctl map` shows them");
}

static int serve_convert(struct pc_control *control, struct json_object *request,
			 struct json_object **result, struct error *error)
{
	const struct guest_memory *memory = &control->pc->machine.memory;
	const char *no_private = guest_memory_no_private(memory);
	char why[256] = "", action[64];
	struct range range;
	bool to_private;
	int rc;

	rc = message_state(request, &to_private, error);
	if (!rc)
		rc = request_ram(control, request, &range, error);
	if (rc)
		return rc;
	/* Such memory is always shared. */
	if (no_private) {
		snprintf(action, sizeof(action), "convert memory of kind %s",
			 backing_kind_name(request_of(memory, 0)->kind));
		return error_set(error, -EOPNOTSUPP, control->name, action, "%s", no_private);
	}
	rc = still_try(control, error);
	if (rc)
		return rc;
	rc = machine_convert(&control->pc->machine, NULL, range, to_private, why, sizeof(why));
	pthread_mutex_unlock(&control->pc->still);
	return rc ? error_set(error, rc, control->name, "convert memory", "%s", why) : 0;
}

static int serve_decommit(struct pc_control *control, struct json_object *request,
			  struct json_object **result, struct error *error)
{
	struct range range;
	int rc = request_ram(control, request, &range, error);

	if (!rc)
		rc = still_try(control, error);
	if (rc)
		return rc;
	rc = guest_memory_decommit(&control->pc->machine.memory, range);
	pthread_mutex_unlock(&control->pc->still);
	return rc ? error_set(error, rc, control->name, "decommit memory",
			      "RAM that the guest sees, in a file system that "
			      "has holes; whole huge pages") : 0;
}

/* Set the target. The guest changes the size of its balloon when it can. */
static int serve_balloon(struct pc_control *control, struct json_object *request,
			 struct json_object **result, struct error *error)
{
	struct pc *pc = control->pc;
	uint64_t bytes, most = pc->machine.memory.memfd.layout.size;

	if (message_number(request, "size", &bytes, error))
		return -EINVAL;
	if (!pc->config->balloon)
		return error_set(error, -EOPNOTSUPP, control->name,
				 "change the size of its balloon",
				 "it has none: run it with --balloon");
	if (bytes > most || bytes % RANGE_PAGE_SIZE)
		return error_set(error, -EINVAL, control->name, "change the size of its balloon",
				 "a multiple of 4K, and at most the 0x%" PRIx64
				 " bytes that it has", most);
	if (still_try(control, error))
		return error->rc;
	balloon_set_target(&pc->balloon, bytes);
	pthread_mutex_unlock(&pc->still);
	return 0;
}

static int serve_stop(struct pc_control *control, struct json_object *request,
		      struct json_object **result, struct error *error)
{
	machine_end(&control->pc->machine, END_STOPPED, "by `gmemctl stop`");
	return 0;
}

static int serve_handover(struct pc_control *control, struct json_object *request,
			  struct json_object **result, struct error *error)
{
	const char *channel = message_string(request, "channel", error);

	return channel ? pc_move_give(control->pc, channel, error) : -EINVAL;
}

/* Unless "stop" is true, the guest continues after the save. */
static int serve_save(struct pc_control *control, struct json_object *request,
		      struct json_object **result, struct error *error)
{
	const char *channel = message_string(request, "channel", error);
	struct json_object *stop = NULL;

	if (!channel)
		return -EINVAL;
	json_object_object_get_ex(request, "stop", &stop);
	return pc_move_save(control->pc, channel, stop && json_object_get_boolean(stop), error);
}

static int share_memory(int socket, void *data)
{
	struct error error;

	return remote_share(socket, data, &error);
}

/* A thread of its own sends memory, or an error, to the helper. Nothing waits for it. */
static int serve_remote(struct pc_control *control, struct json_object *request,
			struct json_object **result, struct error *error)
{
	const char *channel = message_string(request, "channel", error);

	return channel ? remotes_add(&control->remotes, channel, share_memory,
				     &control->pc->machine.memory, error) : -EINVAL;
}

static const struct {
	const char *name;
	int (*serve)(struct pc_control *control, struct json_object *request,
		     struct json_object **result, struct error *error);
} pc_commands[] = {
	{ "stat", serve_stat },
	{ "map", serve_map },
	{ "convert", serve_convert },
	{ "decommit", serve_decommit },
	{ "balloon", serve_balloon },
	{ "handover", serve_handover },
	{ "save", serve_save },
	{ "remote", serve_remote },
	{ "stop", serve_stop },
};

#define PC_COMMANDS (sizeof(pc_commands) / sizeof(pc_commands[0]))

int pc_control_serve(void *data, const char *command, struct json_object *request,
		     struct json_object **result, struct error *error)
{
	for (size_t i = 0; i < PC_COMMANDS; i++)
		if (!strcmp(pc_commands[i].name, command))
			return pc_commands[i].serve(data, request, result, error);
	return error_set(error, -EOPNOTSUPP, "command", "find it",
			 "stat, map, convert, decommit, balloon, handover, "
			 "save, remote or stop");
}

int pc_control_start(struct pc_control *control, struct pc *pc,
		     const char *name, struct error *error)
{
	control->pc = pc;
	control->name = name;
	control->started_ns = clock_now_ns();
	control->remotes = (struct remotes){ .lock = PTHREAD_MUTEX_INITIALIZER };
	return server_start(&control->server, name, pc_control_serve, control, error);
}

void pc_control_stop(struct pc_control *control)
{
	server_stop(&control->server);
	remotes_stop(&control->remotes);
}
