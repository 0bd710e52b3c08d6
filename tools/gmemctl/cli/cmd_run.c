// SPDX-License-Identifier: GPL-2.0
/* Runs a payload, and reports what came of it. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../boot/boot.h"
#include "../gmem/gmem.h"
#include "../kvm/attributes.h"
#include "../machine/machine.h"
#include "cli.h"
#include "host.h"
#include "input.h"
#include "out.h"

#define DEFAULT_MEMORY		(UINT64_C(64) << 20)
#define DEFAULT_TIMEOUT_MS	2000
#define DEFAULT_ROUNDS		4
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

/**
 * struct run - a run as asked for, and what came of it
 * @machine_config: what to build
 * @payload: what to run
 * @path: input file, or NULL
 * @rounds: for the payload convert
 * @input: the file
 * @input_length: bytes the payload works on
 * @elapsed_ns: time from the first instruction to the last
 */
struct run {
	struct machine_config machine_config;
	enum guest_payload payload;
	const char *path;
	uint32_t rounds;
	struct input input;
	uint64_t input_length;
	uint64_t elapsed_ns;
};

enum {
	OPTION_PAYLOAD = 256,
	OPTION_INPUT,
	OPTION_MEMORY,
	OPTION_VCPUS,
	OPTION_STRATEGY,
	OPTION_ROUNDS,
	OPTION_CONVERT_TIMEOUT,
	OPTION_TIMEOUT,
	OPTION_TRACE,
	OPTION_JSON,
};

static const struct option run_options[] = {
	{ "payload", required_argument, NULL, OPTION_PAYLOAD },
	{ "input", required_argument, NULL, OPTION_INPUT },
	{ "memory", required_argument, NULL, OPTION_MEMORY },
	{ "vcpus", required_argument, NULL, OPTION_VCPUS },
	{ "strategy", required_argument, NULL, OPTION_STRATEGY },
	{ "rounds", required_argument, NULL, OPTION_ROUNDS },
	{ "convert-timeout", required_argument, NULL, OPTION_CONVERT_TIMEOUT },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "trace", no_argument, NULL, OPTION_TRACE },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ NULL, 0, NULL, 0 },
};

static int name_find(const char *const *names, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return i;
	return -ENOENT;
}

static int run_parse_payload(struct run *run, const char *name)
{
	int found = name_find(payload_names, GUEST_PAYLOAD_COUNT, name);

	if (found < 0)
		return usage_error("--payload", "no such payload",
				   "expected sha256, convert, race, touch, badmap, "
				   "mmio, port, crash or spin, not '%s'", name);
	run->payload = (enum guest_payload)found;
	return 0;
}

static int run_parse_strategy(struct run *run, const char *name)
{
	int found = name_find(strategy_names, 2, name);

	if (found < 0)
		return usage_error("--strategy", "no such strategy",
				   "expected inplace or discard, not '%s'", name);
	run->machine_config.strategy = (enum memory_strategy)found;
	return 0;
}

static int run_parse_option(struct run *run, int option, char **argv)
{
	struct machine_config *config = &run->machine_config;

	switch (option) {
	case OPTION_PAYLOAD:
		return run_parse_payload(run, optarg);
	case OPTION_INPUT:
		run->path = optarg;
		return 0;
	case OPTION_MEMORY:
		return usage_size("--memory", optarg, &config->memory_size);
	case OPTION_VCPUS:
		return usage_count("--vcpus", optarg, GUEST_MAX_VCPUS,
				   &config->nr_vcpus);
	case OPTION_STRATEGY:
		return run_parse_strategy(run, optarg);
	case OPTION_ROUNDS:
		return usage_count("--rounds", optarg, 1000000, &run->rounds);
	case OPTION_CONVERT_TIMEOUT:
		return usage_count("--convert-timeout", optarg,
				   GMEM_CONVERT_TIMEOUT_MAX,
				   &config->convert_timeout_ms);
	case OPTION_TIMEOUT:
		return usage_count("--timeout", optarg, 86400,
				   &config->run_timeout_s);
	case OPTION_TRACE:
		config->trace = stderr;
		return 0;
	case OPTION_JSON:
		return 0;
	default:
		return usage_option(option, argv);
	}
}

/* Also fills in what was not given. Return: 0 or an exit code. */
static int run_check_options(struct run *run, int argc, char **argv)
{
	if (optind < argc)
		return usage_error(argv[optind], "unexpected argument",
				   "`gmemctl run` takes options only");
	if (!run->machine_config.nr_vcpus)
		return usage_error("--vcpus", "too few", "at least 1");
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
	return 0;
}

static int run_parse(struct run *run, int argc, char **argv)
{
	int option, code;

	while ((option = getopt_long(argc, argv, ":", run_options, NULL)) != -1) {
		code = run_parse_option(run, option, argv);
		if (code)
			return code;
	}
	return run_check_options(run, argc, argv);
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

/* Return: an exit code. */
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

static int run_main(int argc, char **argv)
{
	struct run run = {
		.machine_config = {
			.nr_vcpus = 1,
			.strategy = MEMORY_INPLACE,
			.convert_timeout_ms = DEFAULT_TIMEOUT_MS,
			.console = stderr,
		},
		.rounds = DEFAULT_ROUNDS,
		.input = { .fd = -1 },
	};
	int code;

	code = run_parse(&run, argc, argv);
	if (code)
		return code;
	code = run_input(&run);
	input_close(&run.input);
	return code;
}

const struct command command_run = {
	.name = "run",
	.run = run_main,
	.summary = "run a payload in a VM with private memory",
	.help = "usage: gmemctl run [OPTIONS]\n"
		"\n"
		"  --payload NAME         sha256 (default): digest of the input, computed in\n"
		"                         private memory; convert: all memory to and fro,\n"
		"                         contents checked; for tests: race touch badmap\n"
		"                         mmio port crash spin\n"
		"  --input FILE           for sha256; 0 bytes to 256 MiB\n"
		"  --memory SIZE          guest memory, up to 3G; default: as needed\n"
		"  --vcpus N              1 (default) to 8\n"
		"  --strategy NAME        inplace (default): pages change hands and keep\n"
		"                         their contents; discard: as QEMU does it, the\n"
		"                         guest copies what it wants to keep\n"
		"  --rounds N             of convert and race, 4 by default\n"
		"  --convert-timeout MS   how long a conversion waits for a held page,\n"
		"                         2000 by default\n"
		"  --timeout SECONDS      stop the VM after that time; 0 (default): never\n"
		"  --trace                print each exit and conversion to stderr\n"
		"  --json                 print a JSON object\n"
		"\n"
		"SIZE is a number of bytes, or of K, M or G. Exit codes: 0 success; 1\n"
		"failure, also when stopped by a signal; 2 wrong usage; 4 this machine\n"
		"lacks what is needed.\n",
};
