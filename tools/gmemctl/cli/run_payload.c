// SPDX-License-Identifier: GPL-2.0
/* Runs a payload, and reports what came of it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../boot/boot.h"
#include "../gmem/gmem.h"
#include "../kvm/attributes.h"
#include "cli.h"
#include "host.h"
#include "out.h"
#include "run.h"

#define DEFAULT_MEMORY		(UINT64_C(64) << 20)
#define MEMORY_UNIT		(UINT64_C(2) << 20)
#define PATTERN			UINT64_C(0x70617474676d656d)

static const char *const payload_names[GUEST_PAYLOAD_COUNT] = {
	[GUEST_PAYLOAD_SHA256]	= "sha256",
	[GUEST_PAYLOAD_CONVERT]	= "convert",
	[GUEST_PAYLOAD_RACE]	= "race",
	[GUEST_PAYLOAD_TOUCH]	= "touch",
	[GUEST_PAYLOAD_BADMAP]	= "badmap",
	[GUEST_PAYLOAD_MMIO]	= "mmio",
	[GUEST_PAYLOAD_PORT]	= "port",
	[GUEST_PAYLOAD_CRASH]	= "crash",
	[GUEST_PAYLOAD_SPIN]	= "spin",
};

static const char *const strategy_names[] = {
	[MEMORY_INPLACE] = "inplace",
	[MEMORY_DISCARD] = "discard",
};

static int name_find(const char *const *names, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return i;
	return -ENOENT;
}

int run_payload_set(struct run *run, const char *name)
{
	int found = name_find(payload_names, GUEST_PAYLOAD_COUNT, name);

	if (found < 0)
		return usage_error("--payload", "no such payload",
				   "expected sha256, convert, race, touch, badmap, "
				   "mmio, port, crash or spin, not '%s'", name);
	run->payload = (enum guest_payload)found;
	return 0;
}

int run_payload_set_strategy(struct run *run, const char *name)
{
	int found = name_find(strategy_names, 2, name);

	if (found < 0)
		return usage_error("--strategy", "no such strategy",
				   "expected inplace or discard, not '%s'", name);
	run->machine_config.strategy = (enum memory_strategy)found;
	return 0;
}

/* The memory of a payload is RAM from address 0, of the kind its strategy needs. */
static int run_check_memory(struct run *run)
{
	static const struct memory_request plain = { .existing_fd = -1,
						     .node = -1 };
	const struct memory_request *asked = &run->memory.request;

	if (memcmp(asked, &plain, sizeof(plain)))
		return usage_error("--memory", "not for a payload",
				   "only a size; --strategy chooses the kind");
	run->machine_config.memory_size = run->memory.size;
	return 0;
}

/* Return: 0 or an exit code. */
static int run_check_options(struct run *run)
{
	unsigned int cpus = run->machine_config.nr_vcpus;

	if (!cpus || cpus > GUEST_MAX_VCPUS)
		return usage_error("--vcpus", "not a number in range",
				   "1 to %d for a payload", GUEST_MAX_VCPUS);
	if (run->payload == GUEST_PAYLOAD_SHA256 && !run->path)
		return usage_error("--input", "missing",
				   "the payload sha256 needs a file");
	if (run->payload == GUEST_PAYLOAD_RACE &&
	    run->machine_config.strategy == MEMORY_DISCARD)
		return usage_error("--strategy", "not for this payload",
				   "race needs contents that survive: inplace");
	if (run->payload != GUEST_PAYLOAD_SHA256 && run->path)
		return usage_error("--input", "not for this payload",
				   "only sha256 reads a file");
	return run_check_memory(run);
}

static uint64_t round_up(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) / unit * unit;
}

/* How much memory the run needs, or whether what was given is enough. */
static int run_size_memory(struct run *run)
{
	struct machine_config *config = &run->machine_config;
	uint64_t start = machine_input_gpa(config->strategy, config->nr_vcpus);
	uint64_t least = start + round_up(run->input.size, MEMORY_UNIT) +
			 MEMORY_UNIT;

	if (!config->memory_size)
		config->memory_size = least > DEFAULT_MEMORY || run->path ?
				      least : DEFAULT_MEMORY;
	if (config->memory_size < least)
		return usage_error("--memory", "too small",
				   "this run needs at least %" PRIu64 "K",
				   least >> 10);
	if (config->memory_size > BOOT_MEMORY_MAX)
		return usage_error("--memory", "too large", "at most 3G");
	if (config->memory_size % GUEST_PAGE_SIZE)
		return usage_error("--memory", "not whole pages",
				   "a multiple of 4K");
	run->input_length = run->path ? run->input.size :
			    config->memory_size - start;
	return 0;
}

/*
 * What the run will populate. The convert payload touches all memory, the
 * discarding strategy for a moment on both sides of a chunk.
 */
static uint64_t run_footprint(const struct run *run)
{
	const struct machine_config *config = &run->machine_config;
	uint64_t bytes = GUEST_HEAP_GPA + 2 * config->nr_vcpus * GUEST_CHUNK;

	if (run->path || run->payload == GUEST_PAYLOAD_CONVERT)
		bytes += run->input_length;
	return bytes;
}

static int run_check_digest(struct run *run, struct machine *machine,
			    struct error *error)
{
	const uint8_t *digest = machine->memory.host + GUEST_RESULT_GPA;
	char text[65], expected[65];

	if (run->payload != GUEST_PAYLOAD_SHA256)
		return 0;
	input_digest_text(digest, text);
	input_digest_text(run->input.digest, expected);
	out_string(out_root(), "digest", text);
	out_text("digest: %s\n", text);
	if (!strcmp(text, expected))
		return 0;
	return error_set(error, -EBADMSG, run->path, "digest in the guest",
			 "the host's is %s", expected);
}

static void run_report_gmem(struct machine *machine)
{
	struct json_object *gmem;
	struct gmem_ioctl_stat stat;

	if (machine->config.strategy != MEMORY_INPLACE ||
	    gmem_stat(machine->memory.shared_fd, &stat))
		return;
	gmem = out_object(out_root(), "gmem");
	out_uint(gmem, "resident_pages", stat.resident_pages);
	out_uint(gmem, "store_pages", stat.store_pages);
	out_uint(gmem, "private_pages", stat.private_pages);
	out_uint(gmem, "state_bytes", stat.state_bytes);
	out_uint(gmem, "faults", stat.faults);
	out_uint(gmem, "faults_refused", stat.faults_refused);
	out_uint(gmem, "to_private", stat.to_private);
	out_uint(gmem, "to_shared", stat.to_shared);
	out_uint(gmem, "refused", stat.refused);
	out_uint(gmem, "drains", stat.drains);
	out_uint(gmem, "moved_pages", stat.moved_pages);
	out_text("gmem:        %" PRIu64 " pages moved, %" PRIu64 " to private, %"
		 PRIu64 " to shared, %" PRIu64 " refused\n",
		 (uint64_t)stat.moved_pages, (uint64_t)stat.to_private,
		 (uint64_t)stat.to_shared, (uint64_t)stat.refused);
}

static void run_report_counters(const struct machine *machine)
{
	const struct machine_counters *counters = &machine->counters;
	struct json_object *object = out_object(out_root(), "counters");

	out_uint(object, "exits", counters->exits);
	out_uint(object, "conversions", counters->conversions);
	out_uint(object, "conversion_ns", counters->conversion_ns);
	out_uint(object, "converted_bytes", counters->converted_bytes);
	out_uint(object, "refused", counters->refused);
	out_uint(object, "implicit", counters->implicit);
	out_uint(object, "waited", counters->waited);
	out_uint(object, "stray_io", counters->stray_io);
	out_text("exits:       %" PRIu64 " (%" PRIu64 " requests refused, %" PRIu64
		 " without a device, %" PRIu64 " implicit conversions)\n",
		 counters->exits, counters->refused, counters->stray_io,
		 counters->implicit);
	out_text("conversions: %" PRIu64 ", %" PRIu64 " KiB in %" PRIu64 " us, met by "
		 "%" PRIu64 " accesses\n", counters->conversions,
		 counters->converted_bytes >> 10, counters->conversion_ns / 1000,
		 counters->waited);
}

static void run_report_params(const struct machine *machine)
{
	const struct guest_params *params = machine->params;
	struct json_object *object = out_object(out_root(), "guest");
	struct json_object *observed = out_array(object, "observed");

	out_uint(object, "refused", params->refused);
	out_uint(object, "checked", params->checked);
	for (unsigned int i = 0; i < 4; i++)
		out_append_uint(observed, params->observed[i]);
	if (params->refused)
		out_text("guest:       %u bad requests, all refused\n",
			 params->refused);
	if (params->checked)
		out_text("guest:       contents checked %u times\n",
			 params->checked);
}

static void run_report(const struct run *run, struct machine *machine)
{
	const struct machine_config *config = &run->machine_config;
	struct json_object *root = out_root();

	out_string(root, "payload", payload_names[run->payload]);
	out_string(root, "strategy", strategy_names[config->strategy]);
	out_uint(root, "memory", config->memory_size);
	out_uint(root, "vcpus", config->nr_vcpus);
	out_string(root, "input", run->path);
	out_uint(root, "input_bytes", run->input_length);
	out_uint(root, "elapsed_ns", run->elapsed_ns);
	out_text("payload:     %s, %s, %" PRIu64 " MiB, %u vCPUs, %" PRIu64 " ms\n",
		 payload_names[run->payload], strategy_names[config->strategy],
		 config->memory_size >> 20, config->nr_vcpus,
		 run->elapsed_ns / 1000000);
	run_report_counters(machine);
	run_report_params(machine);
	run_report_gmem(machine);
}

static int run_machine(struct run *run, struct machine *machine,
		       struct error *error)
{
	uint64_t start;
	int rc = 0;

	if (run->path)
		rc = input_load(&run->input, machine_input(machine), error);
	if (rc)
		return rc;
	machine->params->pattern = PATTERN;
	start = machine_now_ns();
	rc = machine_run(machine, run->payload, run->input_length, run->rounds,
			 error);
	run->elapsed_ns = machine_now_ns() - start;
	run_report(run, machine);
	return rc ? rc : run_check_digest(run, machine, error);
}

static int run_build(struct run *run, struct error *error)
{
	struct machine machine;
	int rc;

	rc = host_check_memory(run_footprint(run), error);
	if (!rc)
		rc = machine_create(&machine, &run->machine_config, error);
	if (rc)
		return rc;
	rc = run_machine(run, &machine, error);
	machine_destroy(&machine);
	return rc;
}

static int run_input(struct run *run)
{
	struct error error;
	int rc = 0;

	if (run->path)
		rc = input_open(&run->input, run->path, &error);
	if (rc)
		return out_error_report(&error);
	rc = run_size_memory(run);
	if (rc)
		return rc;
	rc = run_build(run, &error);
	out_string(out_root(), "result", rc ? "failed" : "ok");
	return rc ? out_error_report(&error) : EXIT_CODE_OK;
}

int run_payload(struct run *run)
{
	int code = run_check_options(run);

	if (code)
		return code;
	code = run_input(run);
	input_close(&run->input);
	return code;
}
