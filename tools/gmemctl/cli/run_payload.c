// SPDX-License-Identifier: GPL-2.0
/* Runs a payload, and reports what came of it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../base/clock.h"
#include "../boot/boot.h"
#include "../kvm/attributes.h"
#include "../machine/payload.h"
#include "command.h"
#include "host.h"
#include "out.h"
#include "run.h"

#define DEFAULT_MEMORY		(UINT64_C(64) << 20)
#define MEMORY_UNIT		(UINT64_C(2) << 20)
#define PATTERN			UINT64_C(0x70617474676d656d)

const char *const run_payload_names[] = {
	[GUEST_PAYLOAD_SHA256]	= "sha256",
	[GUEST_PAYLOAD_CONVERT]	= "convert",
	[GUEST_PAYLOAD_RACE]	= "race",
	[GUEST_PAYLOAD_TOUCH]	= "touch",
	[GUEST_PAYLOAD_BADMAP]	= "badmap",
	[GUEST_PAYLOAD_MMIO]	= "mmio",
	[GUEST_PAYLOAD_PORT]	= "port",
	[GUEST_PAYLOAD_CRASH]	= "crash",
	[GUEST_PAYLOAD_SPIN]	= "spin",
	[GUEST_PAYLOAD_COUNT]	= NULL,
};

const char *const run_strategy_names[] = {
	[MEMORY_INPLACE] = "inplace",
	[MEMORY_DISCARD] = "discard",
	NULL
};

/* In place is what gmem can do, and all that it does with a store. */
static int run_check_memory(struct run *run)
{
	struct memory_request *request = &run->memory.request;
	bool inplace = run->strategy == MEMORY_INPLACE;

	if (!run->memory.kind_given)
		request->kind = inplace ? BACKING_GMEM : BACKING_SHARED;
	if (inplace && request->kind != BACKING_GMEM &&
	    request->kind != BACKING_GMEM_STORE)
		return usage_error("--memory", "not for --strategy inplace",
				   "kind=gmem or kind=gmem-store, or --strategy "
				   "discard");
	if (inplace || request->kind != BACKING_GMEM_STORE)
		return 0;
	return usage_error("--memory", "not for --strategy discard",
			   "another kind, or --strategy inplace");
}

/* Return: 0 or an exit code. */
static int run_check_options(struct run *run)
{
	if (run->nr_vcpus > GUEST_MAX_VCPUS)
		return usage_error("--cpus", "not a number in range",
				   "1 to %d for a payload", GUEST_MAX_VCPUS);
	if (run->payload == GUEST_PAYLOAD_SHA256 && !run->path)
		return usage_error("--input", "missing",
				   "the payload sha256 needs a file");
	if (run->payload == GUEST_PAYLOAD_RACE &&
	    run->strategy == MEMORY_DISCARD)
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
	uint64_t start = payload_input_gpa(run->strategy, run->nr_vcpus);
	uint64_t *size = &run->memory.size;
	uint64_t least = start + round_up(run->input.size, MEMORY_UNIT) +
			 MEMORY_UNIT;

	if (!*size)
		*size = least > DEFAULT_MEMORY || run->path ? least :
							      DEFAULT_MEMORY;
	if (*size < least)
		return usage_error("--memory", "too small",
				   "this run needs at least %" PRIu64 "K",
				   least >> 10);
	if (*size > BOOT_MEMORY_MAX)
		return usage_error("--memory", "too large", "at most 3G");
	if (*size % GUEST_PAGE_SIZE)
		return usage_error("--memory", "not whole pages",
				   "a multiple of 4K");
	run->input_length = run->path ? run->input.size : *size - start;
	return 0;
}

/*
 * What the run will populate. The convert payload touches all memory, the
 * discarding strategy for a moment on both sides of a chunk.
 */
static uint64_t run_footprint(const struct run *run)
{
	uint64_t bytes = GUEST_HEAP_GPA + 2 * run->nr_vcpus * GUEST_CHUNK;

	if (run->path || run->payload == GUEST_PAYLOAD_CONVERT)
		bytes += run->input_length;
	return bytes;
}

/* Return: an exit code. */
static int run_check_digest(struct run *run, struct payload *payload)
{
	const uint8_t *digest = machine_host(&payload->machine,
					     GUEST_RESULT_GPA);
	char text[65], expected[65];

	if (run->payload != GUEST_PAYLOAD_SHA256)
		return EXIT_CODE_OK;
	input_digest_text(digest, text);
	input_digest_text(run->input.digest, expected);
	out_string(out_root(), "digest", text);
	out_text("digest: %s\n", text);
	if (!strcmp(text, expected))
		return EXIT_CODE_OK;
	out_error(run->path, "digest in the guest", -EBADMSG,
		  "the host's is %s", expected);
	return EXIT_CODE_FAILURE;
}

static void run_report_params(const struct payload *payload)
{
	const struct guest_params *params = payload->params;
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

/* Return: an exit code. */
static int payload_report(const struct run *run, struct payload *payload)
{
	struct json_object *root = out_root();

	out_string(root, "payload", run_payload_names[run->payload]);
	out_string(root, "strategy", run_strategy_names[run->strategy]);
	out_string(root, "input", run->path);
	out_uint(root, "input_bytes", run->input_length);
	out_text("payload:     %s, %s\n", run_payload_names[run->payload],
		 run_strategy_names[run->strategy]);
	run_report_params(payload);
	return run_report(&payload->machine, run->elapsed_ns, "memory:");
}

static int run_load(struct run *run, struct payload *payload,
		    struct error *error)
{
	payload->params->pattern = PATTERN;
	if (!run->path)
		return 0;
	return input_load(&run->input, payload_input(payload), error);
}

/* Return: an exit code. */
static int run_machine(struct run *run, struct payload *payload)
{
	struct error error;
	uint64_t start;
	int rc, code;

	rc = run_load(run, payload, &error);
	if (rc)
		return out_error_report(&error);
	start = clock_now_ns();
	rc = payload_run(payload, run->payload, run->input_length, run->rounds,
			 &error);
	run->elapsed_ns = clock_now_ns() - start;
	if (rc)
		return out_error_report(&error);
	code = payload_report(run, payload);
	return code ? code : run_check_digest(run, payload);
}

/* Return: an exit code. */
static int run_build(struct run *run)
{
	const struct payload_config config = {
		.memory_size = run->memory.size,
		.nr_vcpus = run->nr_vcpus,
		.memory = run->memory.request,
		.strategy = run->strategy,
		.convert_timeout_ms = run->convert_timeout_ms,
		.run_timeout_s = run->run_timeout_s,
		.trace = run->trace ? stderr : NULL,
		.console = stderr,
	};
	struct payload payload;
	struct error error;
	int rc, code;

	rc = host_check_memory(run_footprint(run), &error);
	if (!rc)
		rc = payload_create(&payload, &config, &error);
	if (rc)
		return out_error_report(&error);
	run_warn(&payload.machine);
	code = run_machine(run, &payload);
	payload_destroy(&payload);
	return code;
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
	rc = run_build(run);
	out_string(out_root(), "result", rc ? "failed" : "ok");
	return rc;
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
