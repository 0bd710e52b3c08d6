// SPDX-License-Identifier: GPL-2.0
/* Runs a PC with its control socket, and reports how a machine has run. */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../gmem/gmem.h"
#include "../machine/machine.h"
#include "command.h"
#include "out.h"
#include "run_pc.h"

/* How long to wait until the process that had the name has ended */
#define INHERIT_TRIES	200
#define INHERIT_WAIT_US	50000

const struct cli_option run_options[] = {
	{ "--convert-timeout", "MS", option_count, TO(struct run_options, convert_timeout_ms),
	  "how long a conversion waits for a held page, 2000 by default",
	  .max = GMEM_CONVERT_TIMEOUT_MAX },
	{ "--timeout", "SECONDS", option_count, TO(struct run_options, timeout_s),
	  "stop the VM after that time; 0 (default): never", .max = RUN_TIMEOUT_MAX_S },
	{ "--trace", NULL, option_flag, TO(struct run_options, trace),
	  "print each exit and conversion to stderr" },
	{ 0 }
};

struct machine_config run_machine(const struct run_options *options, unsigned int cpus)
{
	return (struct machine_config){
		.memory.convert_timeout_ms = options->convert_timeout_ms,
		.nr_vcpus = cpus,
		.irqchip = true,
		.run_timeout_s = options->timeout_s,
		.trace = options->trace ? stderr : NULL,
	};
}

void run_warn(const struct machine *machine)
{
	const struct memory_request *request = machine->config.memory.requests;
	const char *why = guest_memory_no_private(&machine->memory);
	int rc = machine->memory.partition.prefetch_rc;

	if (rc)
		fprintf(stderr, "gmemctl: guest memory: prefetch: %s; the guest "
			"runs without\n", strerror(-rc));
	if (why && request->kind == BACKING_GMEM)
		fprintf(stderr, "gmemctl: guest memory: all of it stays shared, and "
			"conversions are refused: %s\n", why);
}

static void report_counters(const struct machine_counters *counters)
{
	struct json_object *object = out_object(out_root(), "counters");

	out_uint(object, "exits", counters->exits);
	out_uint(object, "conversions", counters->conversions);
	out_uint(object, "conversion_ns", counters->conversion_ns);
	out_uint(object, "converted_bytes", counters->converted_bytes);
	out_uint(object, "refused", counters->refused);
	out_uint(object, "implicit", counters->implicit);
	out_uint(object, "view_faults", counters->view_faults);
	out_uint(object, "waited", counters->waited);
	out_uint(object, "repeated", counters->repeated);
	out_uint(object, "stray_io", counters->stray_io);
	out_uint(object, "lost_output", counters->lost_output);
	out_text("exits:       %" PRIu64 " (%" PRIu64 " requests refused, %" PRIu64
		 " without a device, %" PRIu64 " implicit conversions)\n", counters->exits,
		 counters->refused, counters->stray_io, counters->implicit);
	out_text("conversions: %" PRIu64 ", %" PRIu64 " KiB in %" PRIu64 " us, met by %" PRIu64
		 " accesses\n", counters->conversions, counters->converted_bytes >> 10,
		 counters->conversion_ns / 1000, counters->waited);
}

static void report_gmem(const struct machine *machine)
{
	struct gmem_ioctl_stat stat;
	struct json_object *gmem;

	if (gmem_stat(guest_memory_shared_fd(&machine->memory), &stat))
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
	if (guest_memory_view(&machine->memory)) {
		out_uint(gmem, "views", stat.views);
		out_uint(gmem, "view_mappings", stat.view_mappings);
		out_uint(gmem, "view_pages", stat.view_pages);
		out_uint(gmem, "view_refills", stat.view_refills);
		out_uint(gmem, "view_faults", stat.view_faults);
		out_text("view:        %" PRIu64 " pages given to KVM, %" PRIu64
			 " of them by conversions; %" PRIu64 " touches answered\n",
			 (uint64_t)stat.view_pages, (uint64_t)stat.view_refills,
			 machine->counters.view_faults);
	}
	out_text("gmem:        %" PRIu64 " pages moved, %" PRIu64 " to private, %" PRIu64
		 " to shared, %" PRIu64 " refused\n", (uint64_t)stat.moved_pages,
		 (uint64_t)stat.to_private, (uint64_t)stat.to_shared, (uint64_t)stat.refused);
}

/* Return: an exit code. */
static int report_end(const struct machine *machine)
{
	int code = end_exit_code(machine->end, machine->end_value);
	struct json_object *root = out_root();

	out_string(root, "end", end_name(machine->end));
	if (machine->end == END_EXIT_PORT)
		out_uint(root, "exit_port", machine->end_value);
	if (machine->report[0])
		out_string(root, "report", machine->report);
	out_text("end:         %s\n", end_name(machine->end));
	if (code)
		out_error("VM", end_text(machine->end), 0, "%s", machine->report);
	return code;
}

int run_report(struct machine *machine, uint64_t elapsed_ns, const char *title)
{
	const struct memory_request *request = machine->config.memory.requests;
	const struct machine_counters *counters = &machine->counters;
	const char *kind = backing_kind_name(request->kind);
	struct json_object *root = out_root();
	uint64_t size = 0;

	memory_request_size(request, &size);
	out_string(root, "kind", kind);
	out_uint(root, "memory", size);
	out_uint(root, "vcpus", machine->nr_vcpus);
	out_uint(root, "elapsed_ns", elapsed_ns);
	out_text("%-12s %s, %" PRIu64 " MiB, %u CPUs, %" PRIu64 " ms\n", title,
		 kind, size >> 20, machine->nr_vcpus, elapsed_ns / 1000000);
	report_counters(counters);
	report_gmem(machine);
	if (counters->lost_output)
		fprintf(stderr, "gmemctl: console: %" PRIu64 " bytes are lost: %s\n",
			counters->lost_output, counters->lost_rc ?
			strerror(-counters->lost_rc) :
			"nobody has read them before the end");
	return report_end(machine);
}

/*
 * Start the control socket. A failure is an error only if a name was given, because its
 * user needs the socket. It is no error for a guest that was running already, which has to
 * continue, nor on a kernel without sockets.
 */
static int control(struct run_pc *run, struct pc *pc, struct error *error)
{
	int tries = run->inherited ? INHERIT_TRIES : 0;
	int rc;

	snprintf(run->own_name, sizeof(run->own_name), "vm-%u", (unsigned int)getpid());
	while (1) {
		rc = pc_control_start(&run->control, pc, run->name ? run->name :
				      run->own_name, error);
		if (rc != -EEXIST || !tries--)
			break;
		usleep(INHERIT_WAIT_US);
	}
	/* Without CONFIG_NET, socket() returns ENOSYS. */
	if (rc == -ENOSYS || rc == -EAFNOSUPPORT)
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

int run_pc(struct run_pc *run, const struct pc_config *config)
{
	struct pc *pc = malloc(sizeof(*pc));
	struct progress progress;
	int code = EXIT_CODE_OK;
	struct error error;
	uint64_t ns;

	if (!pc)
		return out_no_memory("VM");
	progress_start(&progress, "make the VM and its memory", -1);
	run->rc = pc_create(pc, config, &error);
	progress_stop(&progress);
	if (run->rc)
		goto out_free;
	run_warn(&pc->machine);
	if (run->prepare) {
		progress_start(&progress, run->preparing, -1);
		run->rc = run->prepare(pc, run->data, &error);
		progress_stop(&progress);
	}
	if (!run->rc)
		run->rc = control(run, pc, &error);
	if (run->rc)
		goto out_destroy;
	ns = clock_now_ns();
	run->rc = pc_run(pc, &error);
	ns = clock_now_ns() - ns;
	pc_control_stop(&run->control);
	if (run->rc)
		goto out_destroy;
	if (run->kernel)
		out_string(out_root(), "kernel", run->kernel);
	/* Start a new line, since the guest's output may end within a line. */
	out_text("\n");
	code = run_report(&pc->machine, ns, "linux:");
out_destroy:
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
