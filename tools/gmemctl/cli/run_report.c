// SPDX-License-Identifier: GPL-2.0
/* The report of a run, of a payload or of Linux. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../gmem/gmem.h"
#include "command.h"
#include "out.h"
#include "run.h"

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

static void report_counters(const struct machine *machine)
{
	const struct machine_counters *counters = &machine->counters;
	struct json_object *object = out_object(out_root(), "counters");

	out_uint(object, "exits", counters->exits);
	out_uint(object, "conversions", counters->conversions);
	out_uint(object, "conversion_ns", counters->conversion_ns);
	out_uint(object, "converted_bytes", counters->converted_bytes);
	out_uint(object, "refused", counters->refused);
	out_uint(object, "implicit", counters->implicit);
	out_uint(object, "view_faults", counters->view_faults);
	out_uint(object, "waited", counters->waited);
	out_uint(object, "stray_io", counters->stray_io);
	out_uint(object, "lost_output", counters->lost_output);
	out_text("exits:       %" PRIu64 " (%" PRIu64 " requests refused, %" PRIu64
		 " without a device, %" PRIu64 " implicit conversions)\n",
		 counters->exits, counters->refused, counters->stray_io,
		 counters->implicit);
	out_text("conversions: %" PRIu64 ", %" PRIu64 " KiB in %" PRIu64 " us, met by "
		 "%" PRIu64 " accesses\n", counters->conversions,
		 counters->converted_bytes >> 10, counters->conversion_ns / 1000,
		 counters->waited);
}

static void report_view(const struct machine *machine,
			const struct gmem_ioctl_stat *stat,
			struct json_object *gmem)
{
	out_uint(gmem, "views", stat->views);
	out_uint(gmem, "view_mappings", stat->view_mappings);
	out_uint(gmem, "view_pages", stat->view_pages);
	out_uint(gmem, "view_refills", stat->view_refills);
	out_uint(gmem, "view_faults", stat->view_faults);
	out_text("view:        %" PRIu64 " pages given to KVM, %" PRIu64 " of them by "
		 "conversions; %" PRIu64 " touches answered\n",
		 (uint64_t)stat->view_pages, (uint64_t)stat->view_refills,
		 machine->counters.view_faults);
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
	if (guest_memory_view(&machine->memory))
		report_view(machine, &stat, gmem);
	out_text("gmem:        %" PRIu64 " pages moved, %" PRIu64 " to private, %"
		 PRIu64 " to shared, %" PRIu64 " refused\n",
		 (uint64_t)stat.moved_pages, (uint64_t)stat.to_private,
		 (uint64_t)stat.to_shared, (uint64_t)stat.refused);
}

static void report_memory(const struct machine *machine, uint64_t elapsed_ns,
			  const char *title)
{
	const struct memory_request *request = machine->config.memory.requests;
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
}

static void report_lost(const struct machine *machine)
{
	const struct machine_counters *counters = &machine->counters;

	if (counters->lost_output)
		fprintf(stderr, "gmemctl: console: %" PRIu64 " bytes are lost: %s\n",
			counters->lost_output, counters->lost_rc ?
			strerror(-counters->lost_rc) :
			"nobody has read them before the end");
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
		out_error("VM", end_text(machine->end), 0, "%s",
			  machine->report);
	return code;
}

int run_report(struct machine *machine, uint64_t elapsed_ns,
	       const char *title)
{
	report_memory(machine, elapsed_ns, title);
	report_counters(machine);
	report_gmem(machine);
	report_lost(machine);
	return report_end(machine);
}
