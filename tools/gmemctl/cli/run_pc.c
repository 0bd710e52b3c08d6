// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../machine/machine.h"
#include "command.h"
#include "out.h"
#include "run.h"
#include "run_pc.h"

/* How long the process that has had the name may take to end */
#define INHERIT_TRIES	200
#define INHERIT_WAIT_US	50000

/* Return: an exit code. The guest may have left the cursor anywhere. */
static int report(const struct run_pc *run, struct pc *pc)
{
	if (run->kernel)
		out_string(out_root(), "kernel", run->kernel);
	out_text("\n");
	return run_report(&pc->machine, run->elapsed_ns, "linux:");
}

static int control_start(struct run_pc *run, struct pc *pc, const char *name,
			 struct error *error)
{
	int tries = run->inherited ? INHERIT_TRIES : 0;
	int rc;

	while (1) {
		rc = pc_control_start(&run->control, pc, name, error);
		if (rc != -EEXIST || !tries--)
			return rc;
		usleep(INHERIT_WAIT_US);
	}
}

/* A kernel without CONFIG_NET does not know the call at all. */
static bool has_no_sockets(int rc)
{
	return rc == -ENOSYS || rc == -EAFNOSUPPORT;
}

/*
 * A VM without a name can do without its control socket; but somebody who has
 * given a name wants to use it, where that is possible at all. A guest that was
 * running already has to go on.
 */
static int control(struct run_pc *run, struct pc *pc, struct error *error)
{
	int rc;

	snprintf(run->own_name, sizeof(run->own_name), "vm-%u",
		 (unsigned int)getpid());
	rc = control_start(run, pc, run->name ? run->name : run->own_name, error);
	if (has_no_sockets(rc))
		fprintf(stderr, "gmemctl: this kernel has no sockets "
			"(CONFIG_UNIX): the VM runs without a name, and `gmemctl "
			"ps` and others cannot reach it\n");
	else if (rc && (!run->name || run->inherited))
		fprintf(stderr, "gmemctl: no control socket: %s: %s: %s\n",
			error->object, error->action, strerror(-rc));
	else
		return rc;
	return 0;
}

static int run_it(struct run_pc *run, struct pc *pc, struct error *error)
{
	uint64_t start;
	int rc;

	rc = run->prepare ? run->prepare(pc, run->data, error) : 0;
	if (!rc)
		rc = control(run, pc, error);
	if (rc)
		return rc;
	start = clock_now_ns();
	rc = pc_run(pc, error);
	run->elapsed_ns = clock_now_ns() - start;
	pc_control_stop(&run->control);
	return rc;
}

int run_pc(struct run_pc *run, const struct pc_config *config)
{
	struct pc *pc = malloc(sizeof(*pc));
	int code = EXIT_CODE_OK;
	struct error error;

	if (!pc)
		return out_no_memory("VM");
	run->rc = pc_create(pc, config, &error);
	if (run->rc)
		goto out_free;
	run_warn(&pc->machine);
	run->rc = run_it(run, pc, &error);
	if (!run->rc)
		code = report(run, pc);
	pc_destroy(pc);
out_free:
	free(pc);
	if (run->rc)
		code = out_error_report(&error);
	out_string(out_root(), "result", code ? "failed" : "ok");
	return code;
}

/* With --json, standard output has one JSON object and nothing else. */
void run_pc_console(struct pc_config *config)
{
	config->input = STDIN_FILENO;
	config->output = out_is_json() ? STDERR_FILENO : STDOUT_FILENO;
}
