// SPDX-License-Identifier: GPL-2.0
/* What the control socket of a PC can ask for, and the jobs that come of it. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../control/channel.h"
#include "../kvm/threads.h"
#include "../memory/page_states.h"
#include "pc_control.h"
#include "pc_stat.h"
#include "pc_state.h"

/* A string instruction can leave some exits behind, but not that many. */
#define SETTLE_MAX 100000

/**
 * struct map - a map being made
 * @ranges: of it
 * @next: where it has stopped so far
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

int pc_freeze_try(struct pc *pc)
{
	int rc = -pthread_mutex_trylock(&pc->still);

	/* What has been given away must not be changed any more. */
	if (rc || !machine_ended(&pc->machine))
		return rc;
	pthread_mutex_unlock(&pc->still);
	return -ESHUTDOWN;
}

void pc_freeze_end(struct pc *pc)
{
	pthread_mutex_unlock(&pc->still);
}

/*
 * KVM finishes an access to a device when the vCPU is entered the next time. It
 * comes back at once then, since the vCPU is told to exit immediately.
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
	return error_set(error, -ELOOP, "vCPU", "finish its I/O", "vCPU %u",
			 vcpu->index);
}

static int pc_settle(struct pc *pc, struct error *error)
{
	int rc = 0;

	for (unsigned int i = 0; !rc && i < pc->machine.nr_vcpus; i++)
		rc = pc_settle_vcpu(pc, &pc->machine.vcpus[i], error);
	if (!rc && machine_ended(&pc->machine))
		rc = error_set(error, -ESHUTDOWN, "VM", "stop its vCPUs",
			       "it has just ended: %s", end_text(pc->machine.end));
	return rc;
}

void pc_job_serve(struct pc *pc)
{
	struct error error = { 0 };
	struct pc_job *job;

	pthread_mutex_lock(&pc->machine.lock);
	job = pc->job;
	pthread_mutex_unlock(&pc->machine.lock);
	if (!job)
		return;
	pthread_mutex_lock(&pc->still);
	pc_settle(pc, &error);
	job->work(pc, job, &error);
	pthread_mutex_unlock(&pc->still);
	pthread_mutex_lock(&pc->machine.lock);
	pc->job = NULL;
	machine_pause(&pc->machine, false);
	pthread_mutex_unlock(&pc->machine.lock);
	close(job->fd);
	free(job);
}

/* It says nothing but answers, which this thread must not take from others. */
static void wait_for_end(int socket)
{
	struct pollfd end = { .fd = socket, .events = POLLRDHUP };

	while (poll(&end, 1, -1) < 0 && errno == EINTR)
		;
}

static void *remote_main(void *data)
{
	struct pc_remote *remote = data;

	if (!remote_start(&remote->remote, remote->memory, remote->socket,
			  NULL)) {
		wait_for_end(remote->socket);
		remote_stop(&remote->remote);
	}
	shutdown(remote->socket, SHUT_RDWR);
	__atomic_store_n(&remote->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void remote_join(struct pc_remote *remote)
{
	pthread_join(remote->thread, NULL);
	close(remote->socket);
	remote->used = false;
}

/* A place that is free, or of one that has gone. */
static struct pc_remote *find_place(struct pc_remotes *remotes)
{
	for (unsigned int i = 0; i < PC_REMOTES_MAX; i++) {
		struct pc_remote *remote = &remotes->all[i];

		if (remote->used &&
		    __atomic_load_n(&remote->done, __ATOMIC_ACQUIRE))
			remote_join(remote);
		if (!remote->used)
			return remote;
	}
	return NULL;
}

/*
 * Share memory with who listens at @channel
 *
 * Return: 0: it will be told soon, also why not; -EBUSY if there are too many;
 * another negative errno if nobody is there.
 */
static int pc_remotes_add(struct pc_remotes *remotes,
			  struct guest_memory *memory, const char *channel,
			  struct error *error)
{
	struct pc_remote *remote = find_place(remotes);
	int rc;

	if (!remote)
		return error_set(error, -EBUSY, "VM", "share its memory",
				 "at most %d processes at a time have it",
				 PC_REMOTES_MAX);
	*remote = (struct pc_remote){ .memory = memory };
	remote->socket = channel_connect(channel, error);
	if (remote->socket < 0)
		return remote->socket;
	rc = threads_start(&remote->thread, remote_main, remote);
	if (rc) {
		close(remote->socket);
		return error_set(error, rc, "VM", "share its memory",
				 "no thread for it");
	}
	remote->used = true;
	return 0;
}

void pc_remotes_stop(struct pc_remotes *remotes)
{
	for (unsigned int i = 0; i < PC_REMOTES_MAX; i++) {
		if (!remotes->all[i].used)
			continue;
		shutdown(remotes->all[i].socket, SHUT_RDWR);
		remote_join(&remotes->all[i]);
	}
}

static const struct memory_request *
request_of(const struct guest_memory *memory, unsigned int index)
{
	return &memory->config->requests[index];
}

static int serve_stat(struct pc_control *control, struct json_object *request,
		      struct json_object **result, struct error *error)
{
	(void)request;
	(void)error;
	*result = pc_stat(control);
	return 0;
}

/* Return: 1 because there are enough. */
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
static int map_ram(const struct guest_memory *memory, struct range wanted,
		   struct map *map)
{
	int rc = 0;

	for (unsigned int i = 0; !rc && i < memory->config->nr_requests; i++) {
		const struct memory_request *request = request_of(memory, i);

		for (unsigned int j = 0; !rc && j < request->nr_ranges; j++) {
			struct range ram = request->ranges[j];

			if (!range_overlaps(ram, wanted))
				continue;
			ram = range_clip(ram, wanted);
			rc = page_states(memory, ram, map_run, map);
		}
	}
	return rc;
}

/* The map while the guest runs: each range is what it was when looked at. */
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
	/* There is more from here on. */
	if (rc)
		message_add_number(*result, "next", map.next);
	return 0;
}

static int still_try(struct pc_control *control, struct error *error)
{
	int rc = pc_freeze_try(control->pc);

	return rc ? error_set(error, rc, control->name, "change its memory",
			      rc == -EBUSY ? "it is being handed over or saved" :
			      "the VM has ended") : 0;
}

static bool is_ram(const struct memory_config *config, struct range range)
{
	for (unsigned int i = 0; i < config->nr_requests; i++) {
		const struct memory_request *request = &config->requests[i];

		for (unsigned int j = 0; j < request->nr_ranges; j++)
			if (range_contains(request->ranges[j], range))
				return true;
	}
	return false;
}

static int request_ram(struct pc_control *control, struct json_object *request,
		       struct range *range, struct error *error)
{
	const struct guest_memory *memory = &control->pc->machine.memory;
	int rc = message_range(request, range, error);

	if (rc || is_ram(memory->config, *range))
		return rc;
	return error_set(error, -EINVAL, "range", "find it in RAM",
			 "inside one range of RAM; `gmemctl map` shows them");
}

/* Without a private side there is nothing to convert to, nor from. */
static int check_private_side(struct pc_control *control, struct error *error)
{
	const struct guest_memory *memory = &control->pc->machine.memory;
	const char *why = guest_memory_no_private(memory);
	char action[64];

	if (!why)
		return 0;
	snprintf(action, sizeof(action), "convert memory of kind %s",
		 backing_kind_name(request_of(memory, 0)->kind));
	return error_set(error, -EOPNOTSUPP, control->name, action, "%s", why);
}

static int serve_convert(struct pc_control *control,
			 struct json_object *request,
			 struct json_object **result, struct error *error)
{
	struct range range;
	char why[256] = "";
	bool to_private;
	int rc;

	(void)result;
	rc = message_state(request, &to_private, error);
	if (!rc)
		rc = request_ram(control, request, &range, error);
	if (!rc)
		rc = check_private_side(control, error);
	if (rc)
		return rc;
	rc = still_try(control, error);
	if (rc)
		return rc;
	rc = machine_convert(&control->pc->machine, NULL, range, to_private,
			     why, sizeof(why));
	pc_freeze_end(control->pc);
	return rc ? error_set(error, rc, control->name, "convert memory", "%s",
			      why) : 0;
}

static int serve_decommit(struct pc_control *control,
			  struct json_object *request,
			  struct json_object **result, struct error *error)
{
	struct range range;
	int rc = request_ram(control, request, &range, error);

	(void)result;
	if (!rc)
		rc = still_try(control, error);
	if (rc)
		return rc;
	rc = guest_memory_decommit(&control->pc->machine.memory, range);
	pc_freeze_end(control->pc);
	return rc ? error_set(error, rc, control->name, "decommit memory",
			      "RAM that the guest sees, in a file system that "
			      "has holes; whole huge pages") : 0;
}

/* The guest is told, and gives or takes memory when it can. */
static int serve_balloon(struct pc_control *control, struct json_object *request,
			 struct json_object **result, struct error *error)
{
	struct pc *pc = control->pc;
	uint64_t bytes, most = pc_memory_size(pc);

	(void)result;
	if (message_number(request, "size", &bytes, error))
		return -EINVAL;
	if (!pc->config->balloon)
		return error_set(error, -EOPNOTSUPP, control->name,
				 "change the size of its balloon",
				 "it has none: run it with --balloon");
	if (bytes > most || bytes % RANGE_PAGE_SIZE)
		return error_set(error, -EINVAL, control->name,
				 "change the size of its balloon",
				 "a multiple of 4K, and at most the 0x%" PRIx64
				 " bytes that it has", most);
	if (still_try(control, error))
		return error->rc;
	balloon_set_target(&pc->balloon, bytes);
	pc_freeze_end(pc);
	return 0;
}

static int serve_stop(struct pc_control *control, struct json_object *request,
		      struct json_object **result, struct error *error)
{
	(void)request;
	(void)result;
	(void)error;
	machine_end(&control->pc->machine, END_STOPPED,
		    "by `gmemctl stop`");
	return 0;
}

static int serve_handover(struct pc_control *control,
			  struct json_object *request,
			  struct json_object **result, struct error *error)
{
	const char *channel = message_string(request, "channel", error);

	(void)result;
	return channel ? pc_move_give(control->pc, channel, error) : -EINVAL;
}

/* Without "stop" the guest goes on. */
static int serve_save(struct pc_control *control, struct json_object *request,
		      struct json_object **result, struct error *error)
{
	const char *channel = message_string(request, "channel", error);
	struct json_object *stop = NULL;

	(void)result;
	if (!channel)
		return -EINVAL;
	json_object_object_get_ex(request, "stop", &stop);
	return pc_move_save(control->pc, channel,
			    stop && json_object_get_boolean(stop), error);
}

/* Nothing waits for it: it is told, or refused, by a thread of its own. */
static int serve_remote(struct pc_control *control,
			struct json_object *request,
			struct json_object **result, struct error *error)
{
	const char *channel = message_string(request, "channel", error);

	(void)result;
	if (!channel)
		return -EINVAL;
	return pc_remotes_add(&control->remotes, &control->pc->machine.memory,
			      channel, error);
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

int pc_control_serve(void *data, const char *command,
		     struct json_object *request, struct json_object **result,
		     struct error *error)
{
	for (size_t i = 0; i < PC_COMMANDS; i++)
		if (!strcmp(pc_commands[i].name, command))
			return pc_commands[i].serve(data, request, result,
						    error);
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
	memset(&control->remotes, 0, sizeof(control->remotes));
	return server_start(&control->server, name, pc_control_serve, control,
			    error);
}

void pc_control_stop(struct pc_control *control)
{
	server_stop(&control->server);
	pc_remotes_stop(&control->remotes);
}
