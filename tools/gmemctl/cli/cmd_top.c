// SPDX-License-Identifier: GPL-2.0
/* All gmem fds of this host, and what happens to them, again and again. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../gmem/gmem.h"
#include "command.h"
#include "out.h"
#include "who_find.h"

#define INTERVAL_MAX	3600
#define SCREEN_CLEAR	"\033[H\033[J"

/**
 * struct sample - a gmem fd at a moment
 * @device, @inode: by which it is known again
 * @ns: when it was looked at, of clock_now_ns()
 * @stat: what it had
 */
struct sample {
	dev_t device;
	ino_t inode;
	uint64_t ns;
	struct gmem_ioctl_stat stat;
};

/**
 * struct top - a command line, and the last samples
 * @interval: seconds between two of them
 * @count: how often to show; 0: until a signal ends it
 * @counted: the option, if @count was given
 * @samples: of @nr
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

/* Of a counter, by the second. One that is new has nothing to be compared with. */
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
	char command[32];

	who_command(PROC, memory->pid, command, sizeof(command));
	out_text("%7d %-15s %-16s %6" PRIu64 " %6" PRIu64 " %6" PRIu64 " %8.1f %7.1f %8.1f "
		 "%8.1f\n", (int)memory->pid, command, memory->name, (uint64_t)stat->length >> 20,
		 pages_mib(stat->resident_pages + stat->store_pages),
		 pages_mib(stat->private_pages), conversions, RATE(before, now, refused),
		 RATE(before, now, faults), RATE(before, now, view_faults));
	out_uint(object, "pid", (uint64_t)memory->pid);
	out_string(object, "command", command);
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

/* Look at all of them; show them if @array is to be filled, or there is text. */
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
		/* A file that is only called like one has no such ioctl. */
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

static int top_main(int argc, char **argv)
{
	struct top top = { .interval = 1 };
	struct json_object *array;
	struct error error;
	int rc, code = command_parse(&command_top, argc, argv, &top);

	if (code)
		return code;
	if (!top.counted)
		top.count = out_is_json() || !isatty(1) ? 1 : 0;
	array = out_array(out_root(), "memories");
	rc = top_look(&top, false, NULL, &error);
	for (uint32_t shown = 0; !rc && (!top.count || shown < top.count); shown++) {
		sleep(top.interval);
		/* A JSON object has the last one. */
		if (array)
			json_object_array_del_idx(array, 0, json_object_array_length(array));
		rc = top_look(&top, true, array, &error);
		fflush(stdout);
	}
	free(top.samples);
	return rc ? out_error_report(&error) : EXIT_CODE_OK;
}

const struct command command_top = {
	.name = "top",
	.run = top_main,
	.summary = "show the gmem memory of this host and its activity",
	.about = "Prints a line for each gmem fd, with the first process that has it: its size, "
		 "populated and private memory, in MiB; and per second conversions, refused "
		 "conversions, page faults of the host, and guest faults that a VMM has handled.",
	.options = top_options,
	.examples = "gmemctl top\n"
		    "gmemctl top --interval 10 --json",
};
