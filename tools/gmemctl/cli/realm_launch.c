// SPDX-License-Identifier: GPL-2.0
/* gmemctl realm launch, gmemctl realm run */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "command.h"
#include "out.h"
#include "realm.h"

/* As it happens: a launch that fails shows how far it came. */
static void show_step(void *data, const char *step, const char *text)
{
	struct json_object *steps = data, *entry = out_append(steps);

	out_string(entry, "step", step);
	out_string(entry, "text", text);
	out_text("%-14s %s\n", step, text);
	if (!out_is_json())
		fflush(stdout);
}

/* Also of a launch that has failed: which state it is in counts then. */
static void show_realm(const struct realm *realm)
{
	struct json_object *object = out_object(out_root(), "realm");
	const struct realm_counters *counters = &realm->counters;

	out_string(object, "abi", realm->config->abi->name);
	out_string(object, "state", realm_state_name(realm->state));
	out_uint(object, "ipa_bits", realm->ipa_bits);
	out_uint(object, "vcpus", realm->nr_vcpus);
	out_uint(object, "base", realm->config->ram.start);
	out_uint(object, "memory", range_size(realm->config->ram));
	out_uint(object, "measured_bytes", counters->measured);
	out_uint(object, "unmeasured_bytes", counters->unmeasured);
	out_uint(object, "populate_calls", counters->calls);
	out_uint(object, "retries", counters->retries);
}

static void show_launched(const struct realm *realm)
{
	const struct realm_counters *counters = &realm->counters;

	out_text("launched: %" PRIu64 " bytes measured, %" PRIu64
		 " unmeasured, with %" PRIu64 " calls\n", counters->measured,
		 counters->unmeasured, counters->calls);
}

static void show_run(const struct realm *realm)
{
	struct json_object *object = out_object(out_root(), "run");
	const struct realm_counters *counters = &realm->counters;

	out_string(object, "end", end_name(realm->end));
	out_string(object, "report", *realm->report ? realm->report : NULL);
	out_uint(object, "exits", counters->exits);
	out_uint(object, "conversions", counters->conversions);
	out_uint(object, "converted_bytes", counters->converted_bytes);
	out_uint(object, "confirmed", counters->confirmed);
	out_uint(object, "stray_accesses", counters->stray);
	out_text("end:         %s (%s)\n", end_name(realm->end),
		 end_text(realm->end));
	if (*realm->report)
		out_text("             %s\n", realm->report);
	out_text("exits:       %" PRIu64 "; %" PRIu64 " conversions of %" PRIu64
		 " bytes, %" PRIu64 " confirmed, %" PRIu64 " stray accesses\n",
		 counters->exits, counters->conversions,
		 counters->converted_bytes, counters->confirmed,
		 counters->stray);
}

static int launch(struct realm *realm, const struct realm_config *config,
		  struct error *error)
{
	int rc = realm_open(realm, config, error);

	if (!rc)
		rc = realm_populate(realm, error);
	return rc ? rc : realm_activate(realm, error);
}

/* Return: an exit code. */
static int launch_and_run(struct realm *realm,
			  const struct realm_config *config, bool run)
{
	struct error error;
	int code = EXIT_CODE_OK;

	if (launch(realm, config, &error)) {
		code = out_error_report(&error);
		show_realm(realm);
		return code;
	}
	show_realm(realm);
	show_launched(realm);
	if (!run)
		return code;
	if (realm_run(realm, &error))
		return out_error_report(&error);
	show_run(realm);
	return end_exit_code(realm->end, 0);
}

static int realm_main(const struct command *command, int argc, char **argv,
		      bool run)
{
	struct realm_options *options = malloc(sizeof(*options));
	struct realm *realm = malloc(sizeof(*realm));
	struct error error;
	int code = EXIT_CODE_FAILURE;

	if (!options || !realm) {
		out_error("realm", "allocate", -ENOMEM, NULL);
		goto out_free;
	}
	code = realm_options_parse(command, options, argc, argv);
	if (code)
		goto out_free_files;
	if (realm_options_load(options, &error)) {
		code = out_error_report(&error);
		goto out_free_files;
	}
	options->config.step = show_step;
	options->config.data = out_array(out_root(), "steps");
	code = launch_and_run(realm, &options->config, run);
	realm_close(realm);
out_free_files:
	realm_options_free(options);
out_free:
	free(realm);
	free(options);
	return code;
}

static int launch_main(int argc, char **argv)
{
	return realm_main(&command_realm_launch, argc, argv, false);
}

static int run_main(int argc, char **argv)
{
	return realm_main(&command_realm_run, argc, argv, true);
}

const struct command command_realm_launch = {
	.name = "realm launch",
	.run = launch_main,
	.summary = "create a realm, populate its memory, activate it, and end it again",
	.about = "No instruction of it runs.",
	.options = realm_options,
};

const struct command command_realm_run = {
	.name = "realm run",
	.run = run_main,
	.summary = "launch a realm, and run it until it powers off",
	.options = realm_options,
	.more = "Exit codes: those of `gmemctl run`.",
};
