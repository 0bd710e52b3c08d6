// SPDX-License-Identifier: GPL-2.0
/* gmemctl realm: launch and run. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../realm/abi.h"
#include "../realm/realm.h"
#include "command.h"
#include "out.h"

static const struct command command_realm_run;

/**
 * struct realm_file - a file that is loaded into the realm
 * @contents: the file; without a path it is the built-in payload
 * @placed: @gpa was given; else the file follows the previous one
 */
struct realm_file {
	struct input contents;
	bool placed;
	uint64_t gpa;
	bool unmeasured;
};

/**
 * struct realm_options - the command line
 * @config: complete after realm_options_load()
 */
struct realm_options {
	struct realm_config config;
	struct realm_file files[REALM_LOADS_MAX];
	struct realm_load loads[REALM_LOADS_MAX];
	uint64_t base;
	uint64_t memory;
	uint64_t entry;
	const char *entry_given;
	bool trace;
	unsigned int abi;
};

#define DEFAULT_BASE UINT64_C(0x40000000)
#define DEFAULT_MEMORY (UINT64_C(64) << 20)

#define REALM_ARGUMENTS ARGUMENTS(struct realm_options, .config.nr_vcpus = 1,	\
				  .base = DEFAULT_BASE, .memory = DEFAULT_MEMORY)

#define TO_REALM(member) TO(struct realm_options, member)

/*
 * The payload if no file is given: PSCI's SYSTEM_OFF. Little-endian words of
 * movz w0, #0x8400, lsl #16; movk w0, #0x0008; smc #0; wfi; b .-4
 */
static const uint32_t payload[] = {
	0x52b08000, 0x72800100, 0xd4000003, 0xd503207f, 0x17ffffff,
};

static int option_load(const struct cli_option *option, const char *name,
		       const char *text, void *to)
{
	struct realm_options *options = to;
	struct realm_file *file = &options->files[options->config.nr_loads];
	char *rest = (char *)text, *word;
	int code = 0;

	if (options->config.nr_loads == REALM_LOADS_MAX)
		return usage_error(name, "too many", "at most %d files", REALM_LOADS_MAX);
	file->contents.path = list_item(&rest, true);
	if (!*file->contents.path)
		return usage_error(name, "file is missing",
				   "expected FILE[,at=ADDRESS][,unmeasured]");
	while (!code && rest) {
		word = list_item(&rest, false);
		if (!strcmp(word, "unmeasured")) {
			file->unmeasured = true;
		} else if (!strncmp(word, "at=", 3)) {
			file->placed = true;
			code = option_size(NULL, "--load FILE,at=", word + 3, &file->gpa);
		} else {
			code = usage_error("--load", "not understood",
					   "expected FILE[,at=ADDRESS][,unmeasured], not "
					   "'%s'", word);
		}
	}
	options->config.nr_loads++;
	return code;
}

const char *const realm_abis[] = { REALM_ABI, NULL };

static const struct cli_option realm_options[] = {
	{ "--load", "FILE[,at=ADDRESS][,unmeasured]", option_load,
	  .help = "load a file into memory, measured unless unmeasured is given; up to 16 "
	  "files, in this order. Without an address it follows the previous file. A comma in "
	  "FILE is doubled. Default: a payload that powers the realm off" },
	{ "--entry", "ADDRESS", option_size, TO_REALM(entry),
	  "address at which the first vCPU starts (default: the first file)",
	  GIVEN(struct realm_options, entry_given) },
	{ "--argument", "N", option_number, TO_REALM(config.argument),
	  "value of its x0, such as the address of a device tree" },
	{ "--memory", "SIZE", option_size, TO_REALM(memory), "memory of the realm (default 64M)" },
	{ "--base", "ADDRESS", option_size, TO_REALM(base),
	  "start of the memory (default 0x40000000)" },
	{ "--cpus", "N", option_count, TO_REALM(config.nr_vcpus), "number of vCPUs (default 1)",
	  { "--vcpus" }, .min = 1, .max = REALM_VCPUS_MAX },
	{ "--ipa-bits", "N", option_count, TO_REALM(config.ipa_bits),
	  "bits of guest addresses; the top one means shared (default: the maximum of the "
	  "host)", .max = UINT8_MAX },
	{ "--timeout", "SECONDS", option_count, TO_REALM(config.run_timeout_s),
	  "end the run after that time; 0 (default): never", .max = 86400 },
	{ "--trace", NULL, option_flag, TO_REALM(trace), "write each exit to standard error" },
	{ "--abi", "NAME", option_word, TO_REALM(abi),
	  "version of the CCA series: v14, the only one supported", .words = realm_abis },
	{ 0 }
};

/* Read a file, or use the built-in payload if there is no path. */
static int load_file(struct realm_file *file, struct error *error)
{
	if (file->contents.path)
		return input_read(&file->contents, file->contents.path, error);
	file->contents.data = malloc(sizeof(payload));
	if (!file->contents.data)
		return error_set(error, -ENOMEM, "payload", "allocate", NULL);
	memcpy(file->contents.data, payload, sizeof(payload));
	file->contents.size = sizeof(payload);
	return 0;
}

/* Read the files, and choose an address for those without one */
static int realm_options_load(struct realm_options *options, struct error *error)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), next = options->base;
	struct realm_config *config = &options->config;

	if (!config->nr_loads)
		config->nr_loads = 1;
	for (unsigned int i = 0; i < config->nr_loads; i++) {
		struct realm_file *file = &options->files[i];
		int rc = load_file(file, error);

		if (rc)
			return rc;
		/* On the next page after the previous file. The first one is at the base. */
		if (!file->placed)
			file->gpa = next;
		next = (file->gpa + file->contents.size + page - 1) / page * page;
		options->loads[i] = (struct realm_load){
			.name = file->contents.path ? file->contents.path : "built-in payload",
			.gpa = file->gpa, .data = file->contents.data,
			.size = file->contents.size, .measured = !file->unmeasured,
		};
	}
	config->loads = options->loads;
	config->entry = options->entry_given ? options->entry :
					     options->loads[0].gpa;
	config->ram = (struct range){ options->base, options->base + options->memory };
	return 0;
}

/* Add details for JSON to the step that was shown last */
static void show_pages(void *data, const struct realm_load *load, uint64_t pages, uint64_t calls)
{
	struct steps *steps = data;
	struct json_object *entry = out_last(steps->array);

	out_uint(entry, "gpa", load->gpa);
	out_uint(entry, "pages", pages);
	out_bool(entry, "measured", load->measured);
	out_string(entry, "name", load->name);
	out_uint(entry, "calls", calls);
}

/* Called even if the launch has failed, because the state is of interest then. */
static void show_realm(const struct realm *realm)
{
	struct json_object *object = out_object(out_root(), "realm");
	const struct realm_counters *counters = &realm->counters;

	out_string(object, "abi", REALM_ABI);
	out_string(object, "state", realm_state_name(realm->state));
	out_uint(object, "ipa_bits", realm->ipa_bits);
	out_uint(object, "vcpus", realm->machine.nr_vcpus);
	out_uint(object, "base", realm->config->ram.start);
	out_uint(object, "memory", range_size(realm->config->ram));
	out_uint(object, "measured_bytes", counters->measured);
	out_uint(object, "unmeasured_bytes", counters->unmeasured);
	out_uint(object, "populate_calls", counters->calls);
	out_uint(object, "retries", counters->retries);
}

/* Return: an exit code. */
static int realm_launch(struct realm *realm, struct realm_config *config)
{
	const struct realm_counters *counters = &realm->counters;
	struct steps steps;
	struct error error;
	int rc, code = EXIT_CODE_OK;

	config->step = steps_show;
	config->pages = show_pages;
	config->data = &steps;
	steps_start(&steps, "launch the realm", 14);
	rc = realm_open(realm, config, &error);
	if (!rc)
		rc = realm_populate(realm, &error);
	if (!rc)
		rc = realm_activate(realm, &error);
	steps_stop(&steps);
	if (rc)
		code = out_error_report(&error);
	show_realm(realm);
	if (!rc)
		out_text("launched: %" PRIu64 " bytes measured, %" PRIu64
			 " unmeasured, with %" PRIu64 " calls\n", counters->measured,
			 counters->unmeasured, counters->calls);
	return code;
}

/* Return: an exit code. */
static int realm_run_shown(struct realm *realm)
{
	const struct machine *machine = &realm->machine;
	const struct machine_counters *counters = &machine->counters;
	struct json_object *object;
	struct error error;

	if (realm_run(realm, &error))
		return out_error_report(&error);
	object = out_object(out_root(), "run");
	out_string(object, "end", end_name(machine->end));
	out_string(object, "report", *machine->report ? machine->report : NULL);
	out_uint(object, "exits", counters->exits);
	out_uint(object, "conversions", counters->conversions);
	out_uint(object, "converted_bytes", counters->converted_bytes);
	out_uint(object, "confirmed", realm->counters.confirmed);
	out_uint(object, "stray_accesses", counters->stray_io);
	out_text("end:         %s (%s)\n", end_name(machine->end), end_text(machine->end));
	if (*machine->report)
		out_text("             %s\n", machine->report);
	out_text("exits:       %" PRIu64 "; %" PRIu64 " conversions of %" PRIu64 " bytes, %" PRIu64
		 " confirmed, %" PRIu64 " stray accesses\n", counters->exits, counters->conversions,
		 counters->converted_bytes, realm->counters.confirmed, counters->stray_io);
	return end_exit_code(machine->end, 0);
}

static int realm_main(const struct command *command, void *arguments)
{
	struct realm_options *options = arguments;
	struct realm *realm;
	struct error error;
	int code;

	options->config.trace = options->trace ? stderr : NULL;
	if (realm_options_load(options, &error))
		return out_error_report(&error);
	realm = malloc(sizeof(*realm));
	if (!realm)
		return out_no_memory("realm");
	code = realm_launch(realm, &options->config);
	if (!code && command == &command_realm_run)
		code = realm_run_shown(realm);
	realm_close(realm);
	free(realm);
	return code;
}

static void realm_end(void *arguments, int code)
{
	struct realm_options *options = arguments;

	for (unsigned int i = 0; i < REALM_LOADS_MAX; i++)
		input_free(&options->files[i].contents);
}

static const struct command command_realm_launch = {
	.name = "realm launch",
	.run = realm_main,
	REALM_ARGUMENTS,
	.end = realm_end,
	.summary = "create a realm, populate its memory, activate it, and end it again",
	.about = "The realm runs no instruction.",
	.options = realm_options,
	.examples = "gmemctl realm launch --json\n"
		    "gmemctl realm launch --load Image,at=0x40200000 --memory 256M",
};

static const struct command command_realm_run = {
	.name = "realm run",
	.run = realm_main,
	REALM_ARGUMENTS,
	.end = realm_end,
	.summary = "launch a realm, and run it until it powers off",
	.options = realm_options,
	.more = "Exit codes: those of `gmemctl run`.",
	.examples = "gmemctl realm run --cpus 2\n"
		    "gmemctl realm run --load payload.bin --timeout 10 --trace",
};

static const struct command *const subcommands[] = {
	&command_realm_status,
	&command_realm_launch,
	&command_realm_run,
	NULL
};

const struct command command_realm = {
	.name = "realm",
	.summary = "check for, launch and run realms of Arm CCA",
	.usage = "realm status|launch|run [OPTIONS]",
	.about = "Realms need an arm64 host with RME and a kernel with the CCA series for KVM, "
		 "which no release has. This command follows version 14 of the series, and has "
		 "run only on a simulated host.",
	.subcommands = subcommands,
	.examples = "gmemctl realm launch --load Image,at=0x40200000 --memory 256M\n"
		    "gmemctl realm run --cpus 2",
};
