// SPDX-License-Identifier: GPL-2.0
/* The control socket: stat, map, convert, decommit, dump and stop of gmemctl. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/calls.h"
#include "../base/clock.h"
#include "../control/control.h"
#include "../gmem/gmem.h"
#include "../machine/remotes.h"
#include "../memory/remote.h"
#include "exec.h"
#include "report.h"

/* Ranges in one answer of map. The client requests the rest, as with gmemctl's own VMs */
#define RANGES_MAX 1024

static struct {
	pthread_mutex_t lock;
	struct server server;
	uint64_t started_ns;
	pid_t pid;
} control = { .lock = PTHREAD_MUTEX_INITIALIZER };

/*
 * Connections of `gmemctl dump`. They are dropped when the slots change; a new one gets the
 * new slots.
 */
static struct remotes remotes = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void add_memory(const struct exec_vm *vm, struct json_object *result)
{
	uint64_t size = 0, resident = 0, private = 0, refills = 0;

	for (unsigned int i = 0; i < vm->nr_slots; i++) {
		struct gmem_ioctl_stat stat;
		unsigned int first = 0;

		/* Slots may share a gmem fd, which is counted once. */
		while (vm->slots[first].memory != vm->slots[i].memory)
			first++;
		if (first != i || gmem_stat(vm->slots[i].memory->fd, &stat))
			continue;
		size += stat.length;
		resident += stat.resident_pages * RANGE_PAGE_SIZE;
		private += stat.private_pages * RANGE_PAGE_SIZE;
		refills += stat.view_refills;
	}
	message_add_number(result, "memory", size);
	message_add_number(result, "resident_bytes", resident);
	message_add_number(result, "private_bytes", private);
	message_add_number(result, "view_refills", refills);
}

static void add_counters(struct json_object *result)
{
	const struct exec_counters *c = &exec_counters;
	double rate;

	message_add_counter(result, "exits", &c->exits);
	message_add_number(result, "stray_io", 0);
	message_add_counter(result, "refused", &c->refused);
	message_add_counter(result, "conversions", &c->conversions);
	message_add_counter(result, "converted_bytes", &c->converted_bytes);
	message_add_counter(result, "faults", &c->faults);
	message_add_counter(result, "fault_pages", &c->pages);
	message_add_counter(result, "zeros", &c->zeros);
	rate = exec_convert_rate(control.started_ns);
	json_object_object_add(result, "conversions_per_second", json_object_new_double(rate));
}

static int serve_stat(struct exec_vm *vm, struct json_object *request,
		      struct json_object **result, struct error *error)
{
	unsigned int vcpus = 0;

	exec_vms_lock();
	for (struct exec_vcpu *vcpu = vm->vcpus; vcpu; vcpu = vcpu->next)
		vcpus++;
	exec_vms_unlock();
	*result = json_object_new_object();
	message_add_string(*result, "name", exec_settings.name);
	message_add_number(*result, "pid", (uint64_t)getpid());
	message_add_number(*result, "uptime_ns", clock_now_ns() - control.started_ns);
	message_add_string(*result, "state", "running");
	message_add_string(*result, "kind", "gmem");
	message_add_number(*result, "vcpus", vcpus);
	pthread_rwlock_rdlock(&vm->lock);
	add_memory(vm, *result);
	pthread_rwlock_unlock(&vm->lock);
	add_counters(*result);
	return 0;
}

/**
 * struct map - a map that a walk over the states of slots builds
 * @ranges: ranges of the answer
 * @gpa: address at which the next state begins
 * @run: the last range, not in @ranges yet. Adjacent ranges with one state are joined, even
 *	those of different slots
 * @private: the state of @run
 */
struct map {
	struct json_object *ranges;
	uint64_t gpa;
	struct range run;
	bool private;
};

/* Add @run to the answer. Return: 0; 1: the answer is full. */
static int map_end_run(struct map *map)
{
	if (!range_size(map->run))
		return 0;
	if (json_object_array_length(map->ranges) == RANGES_MAX)
		return 1;
	message_add_range(map->ranges, map->run, map->private);
	return 0;
}

static int map_visit(const struct gmem_range *range, void *data)
{
	bool private = range->state == GMEM_STATE_PRIVATE;
	struct map *map = data;

	if (map->run.end != map->gpa || map->private != private) {
		if (map_end_run(map))
			return 1;
		map->run.start = map->gpa;
		map->private = private;
	}
	map->gpa += range->length;
	map->run.end = map->gpa;
	return 0;
}

/* Return: the first slot that ends above @gpa, in the first address space. */
static const struct exec_slot *slot_next(const struct exec_vm *vm, uint64_t gpa)
{
	const struct exec_slot *next = NULL;

	for (unsigned int i = 0; i < vm->nr_slots; i++) {
		const struct exec_slot *slot = &vm->slots[i];

		if (!exec_slot_space(slot) && slot->gpa + slot->size > gpa &&
		    (!next || slot->gpa < next->gpa))
			next = slot;
	}
	return next;
}

/* Return: 0 if the map is complete; 1: the rest starts with @map->run; or -errno. */
static int map_slots(const struct exec_vm *vm, struct range wanted, struct map *map)
{
	const struct exec_slot *slot;
	int rc = 0;

	map->gpa = wanted.start;
	while (!rc && map->gpa < wanted.end && (slot = slot_next(vm, map->gpa))) {
		struct range part = { slot->gpa, slot->gpa + slot->size };

		if (part.start >= wanted.end)
			break;
		part = range_clip(part, (struct range){ map->gpa, wanted.end });
		map->gpa = part.start;
		rc = gmem_query(slot->memory->fd, slot->offset + (part.start - slot->gpa),
				range_size(part), map_visit, map);
		if (!rc)
			map->gpa = part.end;
	}
	return rc ? rc : map_end_run(map);
}

static int serve_map(struct exec_vm *vm, struct json_object *request,
		     struct json_object **result, struct error *error)
{
	struct range wanted = { 0, -RANGE_PAGE_SIZE };
	struct map map = { .ranges = NULL };
	int rc;

	if (message_part(request, &wanted, error))
		return -EINVAL;
	map.ranges = json_object_new_array();
	pthread_rwlock_rdlock(&vm->lock);
	rc = map_slots(vm, wanted, &map);
	pthread_rwlock_unlock(&vm->lock);
	if (rc < 0) {
		json_object_put(map.ranges);
		return error_set(error, rc, exec_settings.name, "look at its memory", NULL);
	}
	*result = json_object_new_object();
	json_object_object_add(*result, "ranges", map.ranges);
	if (rc)
		message_add_number(*result, "next", map.run.start);
	return 0;
}

static int serve_convert(struct exec_vm *vm, struct json_object *request,
			 struct json_object **result, struct error *error)
{
	struct range range;
	bool to_private;
	char why[256];
	int rc;

	rc = message_state(request, &to_private, error);
	if (!rc)
		rc = message_range(request, &range, error);
	if (rc)
		return rc;
	/* The guest is stopped, so this request is not the guest's. */
	if (to_private && exec_save_stands())
		return error_set(error, -EBUSY, exec_settings.name, "convert memory",
				 "the VMM takes a snapshot: try again when it is done");
	rc = exec_convert(vm, range, to_private, why, sizeof(why));
	return rc ? error_set(error, rc, exec_settings.name, "convert memory", "%s", why) : 0;
}

static int serve_decommit(struct exec_vm *vm, struct json_object *request,
			  struct json_object **result, struct error *error)
{
	struct range range;
	int rc = message_range(request, &range, error);

	if (rc)
		return rc;
	rc = exec_decommit(vm, range);
	return rc ? error_set(error, rc, exec_settings.name, "decommit memory",
			      "memory of a gmem fd that the guest sees") : 0;
}

/* SIGTERM lets the VMM shut down in its own way. */
static int serve_stop(struct exec_vm *vm, struct json_object *request,
		      struct json_object **result, struct error *error)
{
	kill(getpid(), SIGTERM);
	return 0;
}

/*
 * Find the newest VM with views. A VMM may create another VM for a moment, to probe KVM.
 *
 * Return: the VM, with a reference for exec_vm_put(); NULL: there is none.
 */
static struct exec_vm *views_get(void)
{
	struct exec_vm *vm = exec_vms_lock();

	while (vm && !exec_vm_has_views(vm))
		vm = vm->next;
	if (vm)
		vm->users++;
	exec_vms_unlock();
	return vm;
}

/*
 * Copy the current slots, with duplicates of their fds. So vm->lock, on which the VMM and its
 * guest may wait, is not held while they are sent.
 *
 * Return: 0 or -errno. The caller frees @extents and closes its fds, after an error, too.
 */
static int extents_take(const struct exec_vm *vm, struct extent **extents, unsigned int *count)
{
	*extents = calloc(vm->nr_slots, sizeof(**extents));
	if (!*extents)
		return -ENOMEM;
	for (unsigned int i = 0; i < vm->nr_slots; i++) {
		const struct exec_slot *slot = &vm->slots[i];
		struct extent *extent = &(*extents)[*count];

		if (exec_slot_space(slot))
			continue;
		extent->range = (struct range){ slot->gpa, slot->gpa + slot->size };
		extent->fd_offset = slot->offset;
		extent->fd = fcntl(slot->memory->fd, F_DUPFD_CLOEXEC, 3);
		if (extent->fd < 0)
			return -errno;
		(*count)++;
	}
	return 0;
}

static int share_slots(int socket, void *data)
{
	struct exec_vm *vm = views_get();
	struct extent *extents;
	unsigned int count = 0;
	uint64_t end = 0;
	int rc;

	if (!vm)
		return -ESHUTDOWN;
	pthread_rwlock_rdlock(&vm->lock);
	rc = extents_take(vm, &extents, &count);
	pthread_rwlock_unlock(&vm->lock);
	exec_vm_put(vm);
	for (unsigned int i = 0; i < count; i++)
		if (extents[i].range.end > end)
			end = extents[i].range.end;
	if (!rc)
		rc = remote_tell(socket, extents, count, end, RANGE_PAGE_SIZE);
	while (count)
		calls->close(extents[--count].fd);
	free(extents);
	return rc;
}

static int serve_remote(struct exec_vm *vm, struct json_object *request,
			struct json_object **result, struct error *error)
{
	const char *channel = message_string(request, "channel", error);

	return channel ? remotes_add(&remotes, channel, share_slots, NULL, error) : -EINVAL;
}

void exec_remotes_drop(void)
{
	remotes_drop(&remotes);
}

static const struct {
	const char *name;
	int (*serve)(struct exec_vm *vm, struct json_object *request,
		     struct json_object **result, struct error *error);
} commands[] = {
	{ "stat", serve_stat },
	{ "map", serve_map },
	{ "convert", serve_convert },
	{ "decommit", serve_decommit },
	{ "remote", serve_remote },
	{ "stop", serve_stop },
};

static int serve(void *data, const char *command, struct json_object *request,
		 struct json_object **result, struct error *error)
{
	struct exec_vm *vm;
	int rc;

	for (unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, command))
			continue;
		/* A reference, no lock: a conversion may wait for a page, the VMM must not. */
		vm = views_get();
		if (!vm)
			return error_set(error, -ESHUTDOWN, exec_settings.name, "find its VM",
					 "it has none any more");
		rc = commands[i].serve(vm, request, result, error);
		exec_vm_put(vm);
		return rc;
	}
	return error_set(error, -EOPNOTSUPP, "command", "find it",
			 "of a VM under `gmemctl exec`: stat, map, convert, "
			 "decommit, remote or stop");
}

void exec_control_start(void)
{
	struct error error;

	pthread_mutex_lock(&control.lock);
	if (!control.pid && exec_settings.name) {
		control.started_ns = clock_now_ns();
		control.pid = getpid();
		if (server_start(&control.server, exec_settings.name, serve, NULL, &error))
			exec_say("%s: %s: %s; no control socket", error.object, error.action,
				 error.hint[0] ? error.hint : strerror(-error.rc));
	}
	pthread_mutex_unlock(&control.lock);
}

/* Not in a child of fork(): it does not have the thread, and does not own the socket. */
void exec_control_stop(void)
{
	if (control.pid != getpid())
		return;
	server_stop(&control.server);
	exec_remotes_drop();
}
