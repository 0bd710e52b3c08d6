// SPDX-License-Identifier: GPL-2.0
/* Takes a guest over from the process that runs it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../control/runtime.h"
#include "../machine/pc_state.h"
#include "../memory/handover.h"
#include "command.h"
#include "move.h"
#include "out.h"
#include "run_pc.h"

/**
 * struct taker - a guest being taken over
 * @handover: what has come
 * @socket: to the giver, or -1
 * @answered: the giver knows how it went
 */
struct taker {
	struct handover handover;
	int socket;
	bool answered;
};

/* The guest is here if this succeeds, and otherwise where it was. */
static int taker_prepare(struct pc *pc, void *data, struct error *error)
{
	struct taker *taker = data;
	int rc = handover_restore(&taker->handover, &pc->machine.memory, error);

	if (!rc)
		rc = pc_state_set(pc, &taker->handover.state, error);
	taker->answered = true;
	return handover_answer(taker->socket, rc, error);
}

/* Return: an exit code. */
static int taker_run(struct taker *taker, const struct move_options *options)
{
	struct run_pc run = {
		.name = options->name ? options->name : options->from,
		.inherited = true,
		.prepare = taker_prepare,
		.data = taker,
	};
	struct pc_config config;
	struct error error;
	int code, cpus = pc_state_cpus(&taker->handover.state, &error);

	if (cpus < 0) {
		run.rc = cpus;
		code = out_error_report(&error);
	} else {
		move_config(options, (unsigned int)cpus,
			    &taker->handover.description.config, &config);
		code = run_pc(&run, &config);
	}
	if (!taker->answered)
		handover_answer(taker->socket, run.rc ? run.rc : -EIO, &error);
	return code;
}

/* Return: an exit code. */
static int taker_take(struct taker *taker, const struct move_options *options)
{
	struct error error;
	int code;

	if (handover_take(taker->socket, &taker->handover, &error))
		return out_error_report(&error);
	code = taker_run(taker, options);
	handover_close(&taker->handover);
	return code;
}

/*
 * That of another VM is seen before the guest is stopped: nobody is about to give
 * it up. Return: 0 or an exit code.
 */
static int check_new_name(const struct move_options *options)
{
	struct error error;
	int lock, rc;

	if (!options->name || !strcmp(options->name, options->from))
		return 0;
	rc = runtime_prepare(&error);
	lock = rc ? rc : runtime_lock(options->name, &error);
	if (lock < 0)
		return out_error_report(&error);
	runtime_unlock(options->name, lock);
	return 0;
}

static const struct cli_option handover_options[] = {
	{ "NAME", NULL, option_vm_name, TO(struct move_options, from) },
	{ "--name", "NEW", option_vm_name, TO(struct move_options, name),
	  "another name from now on" },
	{ .include = move_run_options },
	{ 0 }
};

static int handover_main(int argc, char **argv)
{
	struct json_object *request;
	struct move_options options = { 0 };
	struct taker *taker;
	int code = command_parse(&command_handover, argc, argv, &options);

	if (!code)
		code = check_new_name(&options);
	if (code)
		return code;
	taker = calloc(1, sizeof(*taker));
	if (!taker)
		return out_no_memory("handover");
	request = json_object_new_object();
	json_object_object_add(request, "command",
			       json_object_new_string("handover"));
	code = move_request(options.from, request, &taker->socket);
	if (!code)
		code = taker_take(taker, &options);
	if (taker->socket >= 0)
		close(taker->socket);
	free(taker);
	return code;
}

const struct command command_handover = {
	.name = "handover",
	.run = handover_main,
	.summary = "take a running VM over from its process",
	.about = "The guest goes on in this process, with this terminal as its console, as if "
		 "nothing had happened but a pause; the other process ends with success. If "
		 "this fails, the guest goes on where it was. Memory of the kinds shared, "
		 "file, gmem and gmem-store can be handed over.",
	.options = handover_options,
	.more = "Exit codes: those of `gmemctl run`; 4 if such a VM cannot be handed over.",
};
