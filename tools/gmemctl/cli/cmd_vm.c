// SPDX-License-Identifier: GPL-2.0
/* Commands for running VMs, over their control sockets. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "../control/control.h"
#include "../memory/range.h"
#include "command.h"
#include "out.h"

/* Short, because one VM that does not answer must not block the list of all VMs. */
#define PS_TIMEOUT_S 3

/**
 * struct vm_arguments - a command line
 * @name: name of the VM
 * @start, @size: a range
 * @to: index in vm_states
 * @picture: draw the map
 * @svg: draw the map into this file, or NULL
 */
struct vm_arguments {
	const char *name;
	uint64_t start;
	uint64_t size;
	unsigned int to;
	bool picture;
	const char *svg;
};

static const char *const vm_states[] = { "private", "shared", NULL };

#define NAME_OPTION { "NAME", NULL, option_vm_name, TO(struct vm_arguments, name) }
#define RANGE_OPTIONS \
	{ "START", NULL, option_size, TO(struct vm_arguments, start), \
	  "guest physical address" }, \
	{ "SIZE", NULL, option_size, TO(struct vm_arguments, size), \
	  "bytes; both take 0x and the suffixes K, M, G and T" }

static const struct cli_option name_options[] = {
	NAME_OPTION,
	{ 0 }
};

static const struct cli_option map_options[] = {
	{ "NAME", NULL, option_vm_name, TO(struct vm_arguments, name),
	  "of a VM; for a picture also the ID of a process with gmem fds" },
	{ "--picture", NULL, option_flag, TO(struct vm_arguments, picture),
	  "draw its gmem fds, a character for each block, with populated and held pages" },
	{ "--svg", "FILE", option_text, TO(struct vm_arguments, svg),
	  "draw the largest gmem fd into a file, for a browser" },
	{ 0 }
};

static const struct cli_option range_options[] = {
	NAME_OPTION,
	RANGE_OPTIONS,
	{ 0 }
};

static const struct cli_option balloon_options[] = {
	NAME_OPTION,
	{ "SIZE", NULL, option_size, TO(struct vm_arguments, size),
	  "bytes that the guest has to give up; 0: none" },
	{ 0 }
};

static const struct cli_option convert_options[] = {
	NAME_OPTION,
	RANGE_OPTIONS,
	{ "STATE", NULL, option_word, TO(struct vm_arguments, to),
	  "private or shared", .words = vm_states },
	{ 0 }
};

/* Send a request. @result may be NULL. Return: 0 or an exit code. */
static int vm_call(const char *name, struct json_object *request, struct json_object **result)
{
	struct progress progress;
	struct error error;
	int rc;

	progress_start(&progress, "wait for the VM", -1);
	rc = client_call(name, CLIENT_TIMEOUT_S, request, result, &error);
	progress_stop(&progress);
	return rc ? out_error_report(&error) : 0;
}

static uint64_t vm_uint(struct json_object *object, const char *key)
{
	return json_object_get_uint64(json_object_object_get(object, key));
}

/* Return: a word of the VM, or "?" if it is not plain: a guest may have taken the VM over. */
static const char *vm_word(const char *word)
{
	return word && text_is_plain(word) ? word : "?";
}

static const char *vm_string(struct json_object *object, const char *key)
{
	return vm_word(json_object_get_string(json_object_object_get(object, key)));
}

/* Copy all members of an answer into the output. */
static void vm_copy(struct json_object *from, struct json_object *to)
{
	if (!to || !json_object_is_type(from, json_type_object))
		return;
	json_object_object_foreach(from, key, value)
		json_object_object_add(to, key, json_object_get(value));
}

/*
 * Show a VM, or the error if it does not answer, and continue with the others. The socket of
 * a VM that has died is removed, so that VM is shown only once.
 */
static int ps_visit(const char *name, void *data)
{
	struct json_object *vms = data, *entry = out_append(vms), *stat;
	struct error error;
	bool died;
	int rc = client_call(name, PS_TIMEOUT_S, message_request("stat"), &stat, &error);

	if (rc) {
		died = rc == -ECONNREFUSED && runtime_reap(name);
		out_string(entry, "name", name);
		out_string(entry, "error", strerror(-rc));
		out_string(entry, "hint", died ? "it has died; its socket is removed" : error.hint);
		out_text(died ? "%-16s has died; its socket is removed\n" :
			 "%-16s does not answer: %s\n", name, strerror(-rc));
		return 0;
	}
	out_text("%-16s %7" PRIu64 " %-12s %3" PRIu64 " %8" PRIu64 " MiB %8"
		 PRIu64 " MiB\n", vm_string(stat, "name"), vm_uint(stat, "pid"),
		 vm_string(stat, "kind"), vm_uint(stat, "vcpus"),
		 vm_uint(stat, "memory") >> 20,
		 vm_uint(stat, "resident_bytes") >> 20);
	vm_copy(stat, entry);
	json_object_put(stat);
	return 0;
}

static int ps_main(const struct command *command, void *arguments)
{
	struct error error;

	if (runtime_find(&error))
		return out_error_report(&error);
	out_text("%-16s %7s %-12s %3s %12s %12s\n", "NAME", "PID", "KIND",
		 "CPU", "MEMORY", "RESIDENT");
	if (runtime_list(ps_visit, out_array(out_root(), "vms"), &error))
		return out_error_report(&error);
	return EXIT_CODE_OK;
}

/* Print counters, such as "dontneed 3, mlock 1" */
static void stat_counts_text(struct json_object *device, const char *key)
{
	struct json_object *counts;
	const char *between = "";

	if (!json_object_object_get_ex(device, key, &counts) ||
	    !json_object_is_type(counts, json_type_object))
		return;
	out_text("; %s: %s", key, json_object_object_length(counts) ? "" : "none");
	json_object_object_foreach(counts, name, count) {
		out_text("%s%s %" PRIu64, between, vm_word(name), json_object_get_uint64(count));
		between = ", ";
	}
}

/* Print parts that a VM has only if options have asked for them */
static void stat_devices_text(struct json_object *stat)
{
	struct json_object *device, *guest, *driver;

	if (json_object_object_get_ex(stat, "view", &device))
		out_text("view:        %" PRIu64 " pages given to KVM, %" PRIu64
			 " of them by conversions; %" PRIu64 " touches answered; %" PRIu64
			 " mappings\n", vm_uint(device, "pages"), vm_uint(device, "refills"),
			 vm_uint(device, "faults"), vm_uint(device, "mappings"));
	if (json_object_object_get_ex(stat, "pvmemcontrol", &device)) {
		out_text("pvmemcontrol: %s, %" PRIu64 " connections",
			 vm_string(device, "state"), vm_uint(device, "connections"));
		stat_counts_text(device, "done");
		stat_counts_text(device, "refused");
		out_text("; %" PRIu64 " KiB given back, %" PRIu64 " unknown, %" PRIu64
			 " unanswered, %" PRIu64 " pieces\n",
			 vm_uint(device, "given_back_bytes") >> 10,
			 vm_uint(device, "unknown"), vm_uint(device, "unanswered"),
			 vm_uint(device, "pieces"));
	}
	if (!json_object_object_get_ex(stat, "balloon", &device))
		return;
	out_text("balloon:     %" PRIu64 " of %" PRIu64 " KiB%s, %" PRIu64 " KiB without effect; %"
		 PRIu64 " KiB reported as free\n", vm_uint(device, "given_bytes") >> 10,
		 vm_uint(device, "target_bytes") >> 10,
		 json_object_object_get_ex(device, "driver", &driver) &&
		 json_object_get_boolean(driver) ? "" : " (the guest has no driver)",
		 vm_uint(device, "failed_bytes") >> 10, vm_uint(device, "reported_bytes") >> 10);
	if (json_object_object_get_ex(device, "guest", &guest))
		out_text("guest:       %" PRIu64 " KiB, %" PRIu64 " KiB free, %" PRIu64
			 " KiB available, %" PRIu64 " s ago\n",
			 vm_uint(guest, "total_memory") >> 10,
			 vm_uint(guest, "free_memory") >> 10,
			 vm_uint(guest, "available_memory") >> 10,
			 vm_uint(guest, "age_ns") / 1000000000);
}

static int stat_main(const struct command *command, void *arguments)
{
	const struct vm_arguments *vm = arguments;
	struct json_object *stat, *rate = NULL;
	int code = vm_call(vm->name, message_request("stat"), &stat);

	if (code)
		return code;
	json_object_object_get_ex(stat, "conversions_per_second", &rate);
	out_text("name:        %s, process %" PRIu64 ", %s\n", vm_string(stat, "name"),
		 vm_uint(stat, "pid"), vm_string(stat, "state"));
	out_text("memory:      %s, %" PRIu64 " MiB, %" PRIu64 " KiB populated, %" PRIu64
		 " KiB private\n", vm_string(stat, "kind"), vm_uint(stat, "memory") >> 20,
		 vm_uint(stat, "resident_bytes") >> 10, vm_uint(stat, "private_bytes") >> 10);
	out_text("exits:       %" PRIu64 " (%" PRIu64 " without a device, %"
		 PRIu64 " requests refused)\n", vm_uint(stat, "exits"),
		 vm_uint(stat, "stray_io"), vm_uint(stat, "refused"));
	out_text("conversions: %" PRIu64 ", %" PRIu64 " KiB, %.1f per second\n",
		 vm_uint(stat, "conversions"),
		 vm_uint(stat, "converted_bytes") >> 10,
		 json_object_get_double(rate));
	stat_devices_text(stat);
	vm_copy(stat, out_root());
	json_object_put(stat);
	return EXIT_CODE_OK;
}

static void map_ranges(struct json_object *result)
{
	struct json_object *ranges, *all = out_array(out_root(), "ranges");
	size_t count;

	if (!json_object_object_get_ex(result, "ranges", &ranges) ||
	    !json_object_is_type(ranges, json_type_array))
		return;
	count = json_object_array_length(ranges);
	for (size_t i = 0; i < count; i++) {
		struct json_object *range = json_object_array_get_idx(ranges, i);

		out_text("%016" PRIx64 "-%016" PRIx64 " %s\n", vm_uint(range, "start"),
			 vm_uint(range, "start") + vm_uint(range, "size"),
			 vm_string(range, "state"));
		vm_copy(range, out_append(all));
	}
}

/* Request the map in parts, which are from different moments. */
static int map_main(const struct command *command, void *arguments)
{
	const struct vm_arguments *vm = arguments;
	struct json_object *result, *request;
	uint64_t start = 0, next;
	int code = 0;

	if (vm->svg)
		return map_svg(vm->name, vm->svg);
	if (vm->picture)
		return map_picture(vm->name);
	while (!code) {
		request = message_request("map");
		message_add_number(request, "start", start);
		code = vm_call(vm->name, request, &result);
		if (code)
			break;
		map_ranges(result);
		next = vm_uint(result, "next");
		json_object_put(result);
		if (next <= start)
			break;
		start = next;
	}
	return code;
}

static int vm_range_call(const struct vm_arguments *vm, struct json_object *request)
{
	uint64_t start = vm->start, size = vm->size;
	int code = 0;

	if (size % RANGE_PAGE_SIZE || !size || start % RANGE_PAGE_SIZE)
		code = usage_error(size % RANGE_PAGE_SIZE || !size ? "SIZE" :
				   "START", "not whole pages",
				   "a multiple of 4K, and a SIZE of more than 0");
	else if (start + size < start)
		code = usage_error("SIZE", "not a range of addresses", "it ends beyond 64 bits");
	if (code) {
		json_object_put(request);
		return code;
	}
	message_add_number(request, "start", start);
	message_add_number(request, "size", size);
	return vm_call(vm->name, request, NULL);
}

static int convert_main(const struct command *command, void *arguments)
{
	struct json_object *request = message_request("convert");
	const struct vm_arguments *vm = arguments;

	message_add_string(request, "to", vm_states[vm->to]);
	return vm_range_call(vm, request);
}

static int decommit_main(const struct command *command, void *arguments)
{
	return vm_range_call(arguments, message_request("decommit"));
}

static int balloon_main(const struct command *command, void *arguments)
{
	const struct vm_arguments *vm = arguments;
	struct json_object *request;

	if (vm->size % RANGE_PAGE_SIZE)
		return usage_error("SIZE", "not whole pages", "a multiple of 4K");
	request = message_request("balloon");
	message_add_number(request, "size", vm->size);
	return vm_call(vm->name, request, NULL);
}

static int stop_main(const struct command *command, void *arguments)
{
	const struct vm_arguments *vm = arguments;

	return vm_call(vm->name, message_request("stop"), NULL);
}

const struct command command_ps = {
	.name = "ps",
	.run = ps_main,
	.summary = "list the running VMs",
	.about = "Lists this user's VMs. A VM that has died is listed once, and its socket "
		 "removed. A VM that does not answer within 3 s is marked as such.",
	.examples = "gmemctl ps\n"
		    "gmemctl ps --json | jq -r '.vms[].name'",
};

const struct command command_stat = {
	.name = "stat",
	.run = stat_main,
	.size = sizeof(struct vm_arguments),
	.summary = "show the counters of a VM",
	.about = "Shows memory, exit and conversion counters of a running VM. Conversions per "
		 "second cover the last 5 s.",
	.options = name_options,
	.examples = "gmemctl stat web",
};

const struct command command_map = {
	.name = "map",
	.run = map_main,
	.size = sizeof(struct vm_arguments),
	.summary = "show which memory of a VM is shared or private",
	.about = "Shows the state of each range at the time of the query; the guest runs "
		 "meanwhile.",
	.options = map_options,
	.examples = "gmemctl map web\n"
		    "gmemctl map web --picture\n"
		    "gmemctl map 4711 --svg memory.svg",
};

const struct command command_convert = {
	.name = "convert",
	.run = convert_main,
	.size = sizeof(struct vm_arguments),
	.summary = "convert memory of a VM",
	.about = "Converts all of a range or nothing. START and SIZE are multiples of 4K. The "
		 "guest is not asked.",
	.options = convert_options,
	.examples = "gmemctl convert web 0x10000000 2M shared\n"
		    "gmemctl convert web 256M 64K private",
};

const struct command command_decommit = {
	.name = "decommit",
	.run = decommit_main,
	.size = sizeof(struct vm_arguments),
	.summary = "free memory of a VM",
	.about = "Frees a range; its contents are lost. START and SIZE are multiples of 4K. The "
		 "guest is not asked.",
	.options = range_options,
	.examples = "gmemctl decommit web 512M 64M",
};

const struct command command_balloon = {
	.name = "balloon",
	.run = balloon_main,
	.size = sizeof(struct vm_arguments),
	.summary = "make a VM give up memory, or return it",
	.about = "Sets how much memory the guest has to give up, a multiple of 4K. It does so, or "
		 "takes pages back, when it can; `gmemctl stat` shows the progress. The VM must "
		 "run with --balloon, and the guest needs a driver.",
	.options = balloon_options,
	.examples = "gmemctl balloon web 256M\n"
		    "gmemctl balloon web 0",
};

const struct command command_stop = {
	.name = "stop",
	.run = stop_main,
	.size = sizeof(struct vm_arguments),
	.summary = "end a VM",
	.about = "Ends the VM as if its power was cut; its gmemctl ends with success.",
	.options = name_options,
	.examples = "gmemctl stop web",
};
