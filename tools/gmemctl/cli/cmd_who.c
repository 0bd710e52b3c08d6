// SPDX-License-Identifier: GPL-2.0
/* gmemctl who and top: processes that hold pages of gmem fds, and the counters of the fds. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../control/control.h"
#include "../gmem/gmem.h"
#include "../memory/range.h"
#include "../who/who.h"
#include "command.h"
#include "out.h"

#define INTERVAL_MAX	3600
#define SCREEN_CLEAR	"\033[H\033[J"

/**
 * struct who - the command line, and the state of the report
 * @name: name of the VM, or a process ID
 * @start, @size: part of the memory; @size 0: all
 * @run: adjacent held pages with equal excess references, not reported yet
 * @pages: number of pages in @run
 * @ranges: array of the JSON object for held pages
 * @held: number of held pages so far
 */
struct who {
	const char *name;
	uint64_t start;
	uint64_t size;
	struct gmem_ioctl_holder run;
	uint64_t pages;
	struct json_object *ranges;
	uint64_t held;
};

static const struct cli_option who_options[] = {
	{ "NAME", NULL, option_vm_name, TO(struct who, name),
	  "of a VM, or the ID of a process with gmem fds" },
	{ "OFFSET", NULL, option_size, TO(struct who, start),
	  "where to begin, in bytes of the memory, as in errors of conversions", .optional = true },
	{ "SIZE", NULL, option_size, TO(struct who, size),
	  "bytes; both take 0x and the suffixes K, M, G and T", .optional = true },
	{ 0 }
};

int who_find(const char *name, struct who_memory **memories, size_t *count, struct error *error)
{
	uint32_t number;
	pid_t pid;
	int rc;

	if (!count_parse(name, INT32_MAX, &number) && number) {
		pid = (pid_t)number;
	} else {
		rc = client_process(name, &pid, error);
		if (rc)
			return rc;
	}
	return who_memories(PROC, pid, memories, count, error);
}

static uint32_t holder_surplus(const struct gmem_ioctl_holder *page)
{
	return page->refs_seen - page->refs_expected;
}

static void who_report_run(struct who *who)
{
	bool pinned = who->run.out_flags & GMEM_HOLDER_OUT_PINNED;
	struct json_object *range;

	if (!who->pages)
		return;
	out_text("  held     0x%08" PRIx64 "-0x%08" PRIx64 "  %" PRIu64 " page%s, %u reference%s"
		 " too many%s%s\n", (uint64_t)who->run.offset,
		 (uint64_t)who->run.offset + who->pages * RANGE_PAGE_SIZE, who->pages,
		 who->pages == 1 ? "" : "s", holder_surplus(&who->run),
		 holder_surplus(&who->run) == 1 ? "" : "s", who->pages == 1 ? "" : " each",
		 pinned ? ", pinned" : "");
	range = out_append(who->ranges);
	out_uint(range, "offset", who->run.offset);
	out_uint(range, "size", who->pages * RANGE_PAGE_SIZE);
	out_uint(range, "references", holder_surplus(&who->run));
	out_bool(range, "pinned", pinned);
	who->held += who->pages;
	who->pages = 0;
}

/* Adjacent pages with equal excess references and flags are reported as one range. */
static int who_visit(const struct gmem_ioctl_holder *page, void *data)
{
	struct who *who = data;

	if (who->pages && page->offset == who->run.offset + who->pages * RANGE_PAGE_SIZE &&
	    holder_surplus(page) == holder_surplus(&who->run) &&
	    page->out_flags == who->run.out_flags) {
		who->pages++;
		return 0;
	}
	who_report_run(who);
	who->run = *page;
	who->pages = 1;
	return 0;
}

/* Write both text and JSON; the one that was not chosen has no effect. */
static void process_show(const struct who_process *process, struct json_object *object)
{
	struct json_object *devices, *buffers, *entry;

	out_uint(object, "pid", (uint64_t)process->pid);
	out_string(object, "command", process->command);
	out_uint(object, "fds", process->fds);
	out_uint(object, "mapped_bytes", process->mapped);
	out_uint(object, "pinned_kib", process->pinned_kib);
	out_uint(object, "pipes", process->pipes);
	out_uint(object, "pipe_bytes", process->pipe_bytes);
	out_text("  process  %d %s: %u fd%s, %" PRIu64 " MiB mapped", (int)process->pid,
		 process->command, process->fds, process->fds == 1 ? "" : "s",
		 process->mapped >> 20);
	if (process->pipes)
		out_text("; %" PRIu64 " bytes in %u pipe%s", process->pipe_bytes,
			 process->pipes, process->pipes == 1 ? "" : "s");
	devices = out_object(object, "devices");
	for (unsigned int i = 0; i < WHO_DEVICES; i++) {
		out_uint(devices, who_device_names[i], process->devices[i]);
		if (process->devices[i])
			out_text("; %s", who_device_names[i]);
	}
	if (process->pinned_kib)
		out_text("; %" PRIu64 " KiB pinned", process->pinned_kib);
	out_uint(object, "busy_io_urings", process->busy_rings);
	if (process->busy_rings)
		out_text("; %u io_uring%s too busy to be asked", process->busy_rings,
			 process->busy_rings == 1 ? "" : "s");
	out_text("\n");
	buffers = out_array(object, "io_uring_buffers");
	for (size_t i = 0; i < process->nr_buffers; i++) {
		const struct who_span *buffer = &process->buffers[i];

		entry = out_append(buffers);
		out_uint(entry, "offset", buffer->offset);
		out_uint(entry, "size", buffer->length);
		out_text("           0x%08" PRIx64 "-0x%08" PRIx64 "  is a buffer of its "
			 "io_uring\n", buffer->offset, buffer->offset + buffer->length);
	}
}

/* Return: 0 or an exit code. */
static int who_memory(struct who *who, const struct who_memory *memory, struct json_object *object)
{
	struct who_process *processes;
	struct json_object *array;
	uint64_t size = who->size;
	unsigned int unseen;
	struct error error;
	size_t count;
	int rc;

	if (who->start >= memory->length)
		size = 0;
	else if (!size || size > memory->length - who->start)
		size = memory->length - who->start;
	out_text("%s: %" PRIu64 " MiB\n", memory->name, memory->length >> 20);
	out_string(object, "name", memory->name);
	out_uint(object, "length", memory->length);
	who->ranges = out_array(object, "held");
	rc = size ? gmem_held(memory->fd, who->start, size, who_visit, who) : 0;
	who_report_run(who);
	if (rc) {
		out_error(memory->name, "GMEM_IOCTL_HOLDER", rc, rc == -ENOTTY ?
			  "the loaded module is older than this gmemctl: load the one that was "
			  "built together with it" : NULL);
		return EXIT_CODE_FAILURE;
	}
	array = out_array(object, "processes");
	if (who_processes(PROC, memory, &processes, &count, &unseen, &error))
		return out_error_report(&error);
	for (size_t i = 0; i < count; i++)
		process_show(&processes[i], out_append(array));
	who_processes_free(processes, count);
	out_uint(object, "processes_not_seen", unseen);
	if (unseen)
		out_text("  %u processes of other users were not examined: run as root\n", unseen);
	return 0;
}

static int who_main(const struct command *command, void *arguments)
{
	struct json_object *array = out_array(out_root(), "memories");
	struct who *who = arguments;
	struct who_memory *memories;
	struct error error;
	size_t count;
	int code = 0;

	if (who->start % RANGE_PAGE_SIZE || who->size % RANGE_PAGE_SIZE)
		return usage_error(who->start % RANGE_PAGE_SIZE ? "OFFSET" : "SIZE",
				   "not whole pages", "a multiple of 4K");
	if (who_find(who->name, &memories, &count, &error))
		return out_error_report(&error);
	for (size_t i = 0; !code && i < count; i++)
		code = who_memory(who, &memories[i], out_append(array));
	who_memories_free(memories, count);
	if (!code && !who->held)
		out_text("Nobody holds a page%s.\n", who->start || who->size ? " of this part" :
			 ": all of it can become private");
	return code;
}

const struct command command_who = {
	.name = "who",
	.run = who_main,
	.size = sizeof(struct who),
	.summary = "show who holds memory that cannot become private",
	.about = "Lists the shared pages that somebody on the host holds, and the processes that "
		 "have the memory open or mapped, with everything of theirs that can hold pages. "
		 "Nothing is converted.\n"
		 "\n"
		 "The kernel counts references, but does not know their owners: the processes "
		 "shown are the likely ones. For buffers of io_uring the pages are shown.",
	.options = who_options,
	.examples = "gmemctl who web\n"
		    "gmemctl who 4711 0x10000000 2M\n"
		    "gmemctl who web --json | jq '.memories[].held'",
};

/**
 * struct sample - counters of a gmem fd at one moment
 * @device, @inode: identity of the file
 * @ns: the moment, from clock_now_ns()
 * @stat: the counters
 */
struct sample {
	dev_t device;
	ino_t inode;
	uint64_t ns;
	struct gmem_ioctl_stat stat;
};

/**
 * struct top - the command line, and the last samples
 * @interval: seconds between two samples
 * @count: number of outputs; 0: until a signal ends it
 * @counted: the option, if @count was given
 * @samples: array of @nr
 */
struct top {
	uint32_t interval;
	uint32_t count;
	const char *counted;
	struct sample *samples;
	size_t nr;
};

static const struct cli_option top_options[] = {
	{ "--interval", "SECONDS", option_count, TO(struct top, interval),
	  "between updates; default: 1", .also = { "-d" }, .min = 1, .max = INTERVAL_MAX },
	{ "--count", "N", option_count, TO(struct top, count),
	  "number of updates; default: 1 with --json or if the output is no terminal, else "
	  "until a signal", .also = { "-n" }, .min = 1, .max = UINT32_MAX,
	  GIVEN(struct top, counted) },
	{ 0 }
};

static const struct sample *sample_before(const struct top *top, const struct sample *now)
{
	for (size_t i = 0; i < top->nr; i++) {
		if (top->samples[i].device == now->device && top->samples[i].inode == now->inode)
			return &top->samples[i];
	}
	return NULL;
}

/* Return: rate of a counter per second; 0 without an earlier sample. */
static double sample_rate(const struct sample *before, const struct sample *now,
			  uint64_t was, uint64_t is)
{
	return before && now->ns > before->ns ?
	       (double)(is - was) * 1e9 / (double)(now->ns - before->ns) : 0;
}

#define RATE(before, now, counter)					\
	sample_rate(before, now, (before) ? (before)->stat.counter : 0, (now)->stat.counter)

static void out_rate(struct json_object *object, const char *key, double value)
{
	if (object)
		json_object_object_add(object, key, json_object_new_double(value));
}

static uint64_t pages_mib(uint64_t pages)
{
	return pages >> 8;
}

static void sample_show(const struct who_memory *memory, const struct sample *before,
			const struct sample *now, struct json_object *object)
{
	double conversions = RATE(before, now, to_private) + RATE(before, now, to_shared);
	const struct gmem_ioctl_stat *stat = &now->stat;

	out_text("%7d %-15s %-16s %6" PRIu64 " %6" PRIu64 " %6" PRIu64 " %8.1f %7.1f %8.1f "
		 "%8.1f\n", (int)memory->pid, memory->command, memory->name,
		 (uint64_t)stat->length >> 20,
		 pages_mib(stat->resident_pages + stat->store_pages),
		 pages_mib(stat->private_pages), conversions, RATE(before, now, refused),
		 RATE(before, now, faults), RATE(before, now, view_faults));
	out_uint(object, "pid", (uint64_t)memory->pid);
	out_string(object, "command", memory->command);
	out_string(object, "name", memory->name);
	out_uint(object, "length", stat->length);
	out_uint(object, "resident_pages", stat->resident_pages);
	out_uint(object, "store_pages", stat->store_pages);
	out_uint(object, "private_pages", stat->private_pages);
	out_uint(object, "refused", stat->refused);
	out_rate(object, "conversions_per_second", conversions);
	out_rate(object, "refused_per_second", RATE(before, now, refused));
	out_rate(object, "faults_per_second", RATE(before, now, faults));
	out_rate(object, "waits_per_second", RATE(before, now, faults_waited));
	out_rate(object, "view_faults_per_second", RATE(before, now, view_faults));
}

/* Sample all gmem fds. @show: print them, and append them to @array. */
static int top_look(struct top *top, bool show, struct json_object *array, struct error *error)
{
	struct who_memory *memories;
	struct sample *samples;
	size_t count, nr = 0;
	int rc = who_all_memories(PROC, &memories, &count, error);

	if (rc)
		return rc;
	samples = calloc(count + 1, sizeof(*samples));
	if (show && samples) {
		if (isatty(1))
			out_text(SCREEN_CLEAR);
		out_text("%7s %-15s %-16s %6s %6s %6s %8s %7s %8s %8s\n", "PID", "COMMAND",
			 "MEMORY", "MiB", "POPUL.", "PRIV.", "CONV/s", "REF./s", "FAULT/s",
			 "VIEW/s");
	}
	for (size_t i = 0; samples && i < count; i++) {
		struct sample *now = &samples[nr];

		now->device = memories[i].device;
		now->inode = memories[i].inode;
		now->ns = clock_now_ns();
		/* Another file with such a name does not have this ioctl. */
		if (gmem_stat(memories[i].fd, &now->stat))
			continue;
		nr++;
		if (show)
			sample_show(&memories[i], sample_before(top, now), now, out_append(array));
	}
	who_memories_free(memories, count);
	if (!samples)
		return error_set(error, -ENOMEM, "top", "allocate memory", NULL);
	free(top->samples);
	top->samples = samples;
	top->nr = nr;
	return 0;
}

static int top_main(const struct command *command, void *arguments)
{
	struct top *top = arguments;
	struct json_object *array;
	struct error error;
	int rc;

	if (!top->counted)
		top->count = out_is_json() || !isatty(1) ? 1 : 0;
	array = out_array(out_root(), "memories");
	rc = top_look(top, false, NULL, &error);
	for (uint32_t shown = 0; !rc && (!top->count || shown < top->count); shown++) {
		sleep(top->interval);
		/* The JSON object has only the last samples. */
		if (array)
			json_object_array_del_idx(array, 0, json_object_array_length(array));
		rc = top_look(top, true, array, &error);
		fflush(stdout);
	}
	free(top->samples);
	return rc ? out_error_report(&error) : EXIT_CODE_OK;
}

const struct command command_top = {
	.name = "top",
	.run = top_main,
	ARGUMENTS(struct top, .interval = 1),
	.summary = "show the gmem memory of this host and its activity",
	.about = "Prints a line for each gmem fd, with the first process that has it: its size, "
		 "populated and private memory, in MiB; and per second conversions, refused "
		 "conversions, page faults of the host, and guest faults that a VMM has handled.",
	.options = top_options,
	.examples = "gmemctl top\n"
		    "gmemctl top --interval 10 --json",
};
