// SPDX-License-Identifier: GPL-2.0
/* gmemctl snp launch, gmemctl run --vm-type snp */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../base/clock.h"
#include "../base/hex.h"
#include "../machine/machine.h"
#include "command.h"
#include "out.h"
#include "run.h"
#include "snp_guest.h"

/* As it happens: a launch that fails shows how far it came. */
static void show_step(void *data, const char *step, const char *text)
{
	struct json_object *steps = data, *entry = out_append(steps);

	out_string(entry, "step", step);
	out_string(entry, "text", text);
	out_text("%-18s %s\n", step, text);
	fflush(stdout);
}

static void show_launch(const struct snp_launch *launch)
{
	struct json_object *object = out_object(out_root(), "launch");
	char text[2 * SNP_DIGEST_SIZE + 1];

	snp_out_hex(object, "digest", launch->predicted.digest, SNP_DIGEST_SIZE);
	out_uint(object, "pages", launch->predicted.pages);
	out_uint(object, "signature", launch->image.signature);
	out_uint(object, "policy", launch->config->policy);
	out_uint(object, "calls", launch->calls);
	out_uint(object, "retries", launch->retries);
	out_uint(object, "cpuid_corrections", launch->corrections);
	out_text("launched: %" PRIu64 " pages with %u calls, CPUs of 0x%x\n"
		 "launch digest %s\n", launch->predicted.pages, launch->calls,
		 launch->image.signature,
		 hex_format(launch->predicted.digest, SNP_DIGEST_SIZE, text));
}

/* Return: an exit code. */
static int run_guest(struct pc *pc, struct error *error)
{
	uint64_t start = clock_now_ns();
	int rc;

	fflush(stdout);
	rc = pc_run(pc, error);
	if (rc)
		return out_error_report(error);
	return run_report(&pc->machine, clock_now_ns() - start, "snp:");
}

/* Return: an exit code. */
static int launch_guest(struct snp_guest *guest, bool run)
{
	int code = EXIT_CODE_OK;
	struct error error;
	struct pc *pc;

	guest->launch.step = show_step;
	guest->launch.data = out_array(out_root(), "steps");
	pc = malloc(sizeof(*pc));
	if (!pc)
		return out_no_memory("VM");
	if (pc_create(pc, &guest->config, &error)) {
		free(pc);
		return out_error_report(&error);
	}
	show_launch(&pc->machine.launch);
	if (run)
		code = run_guest(pc, &error);
	pc_destroy(pc);
	free(pc);
	return code;
}

static int guest_main(const struct command *command, int argc, char **argv,
		      bool run)
{
	struct snp_guest *guest = malloc(sizeof(*guest));
	struct error error;
	int code;

	if (!guest)
		return out_no_memory("SNP guest");
	code = snp_guest_parse(command, guest, argc, argv);
	if (!code) {
		if (snp_guest_load(guest, &error))
			code = out_error_report(&error);
		else
			code = launch_guest(guest, run);
	}
	snp_guest_free(guest);
	free(guest);
	return code;
}

static int launch_main(int argc, char **argv)
{
	return guest_main(&command_snp_launch, argc, argv, false);
}

static int run_main(int argc, char **argv)
{
	return guest_main(&command_snp_run, argc, argv, true);
}

const struct command command_snp_launch = {
	.name = "snp launch",
	.run = launch_main,
	.summary = "launch a guest, show each step, and end it again",
	.usage = "snp launch --firmware FILE|--igvm FILE [OPTIONS]",
	.options = snp_guest_options,
};

const struct command command_snp_run = {
	.name = "snp run",
	.run = run_main,
	.summary = "launch it, and run it with its console, as `gmemctl run --vm-type snp`",
	.usage = "snp run --firmware FILE|--igvm FILE [OPTIONS]\n"
		 "run --vm-type snp --firmware FILE|--igvm FILE [OPTIONS]",
	.options = snp_guest_options,
	.more = "Exit codes: those of `gmemctl run`.",
};
