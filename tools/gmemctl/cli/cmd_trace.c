// SPDX-License-Identifier: GPL-2.0
/* gmemctl trace: shows events of gmem and of pvmemcontrol while they happen. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../gmem/gmem.h"
#include "../kvm/threads.h"
#include "../trace/trace.h"
#include "../who/who.h"
#include "command.h"
#include "out.h"

#define SECONDS_MAX	(7 * 24 * 3600)
#define BUFFER_MIN	UINT64_C(4096)
#define BUFFER_MAX	(UINT64_C(1) << 30)
/* Size of the cache of threads and their processes, which saves reads of /proc. */
#define THREADS		256
/* Polling interval: older kernels wake a reader only if a buffer is half full. */
#define LOOK_MS		500
#define DESCRIPTION_MAX	512
/* Names of gmem files begin with this, see who_memory.name */
#define NAMED		"/gmem:"

/** struct thread - a thread and its process */
struct thread {
	pid_t tid;
	pid_t pid;
};

/**
 * struct trace_filter - the files whose events are shown; empty: all files
 * @inodes: inode numbers of the files, array of @nr
 * @pid: include files that this process creates from now on; 0: no process
 */
struct trace_filter {
	uint64_t *inodes;
	size_t nr;
	pid_t pid;
};

/**
 * struct tracing - the command line, and the state of the trace
 * @name: name of a VM, or a process ID, or NULL
 * @file: one file, or NULL
 * @wish: the events that are traced
 * @buffer: bytes for each CPU, if @sized is set; else the kernel's default
 * @sized: the option, if @buffer was given
 * @chosen: the option, if the events of @wish were given
 * @seconds: duration; 0: no limit
 * @count: number of events after which it ends; 0: no limit
 * @filter: filter by @name and @file
 * @threads: cache of threads, indexed by their number modulo THREADS
 * @wall_us: CLOCK_REALTIME minus CLOCK_MONOTONIC
 * @events: events shown so far
 * @lost: events lost so far; at least one for each unknown number
 */
struct tracing {
	const char *name;
	const char *file;
	struct trace_wish wish;
	uint64_t buffer;
	const char *sized;
	const char *chosen;
	uint32_t seconds;
	uint32_t count;
	struct trace_filter filter;
	struct thread threads[THREADS];
	uint64_t wall_us;
	uint64_t events;
	uint64_t lost;
};

static const struct cli_option trace_options[] = {
	{ "NAME", NULL, option_vm_name, TO(struct tracing, name),
	  "of a VM, or the process ID of whatever has gmem fds: only what happens to those that "
	  "it has, and to those that it makes", .optional = true },
	{ "--file", "FILE", option_text, TO(struct tracing, file),
	  "only what happens to this gmem file: its inode number, as the lines have it, its "
	  "name, or a path such as /proc/4711/fd/9" },
	{ "--event", "EVENT,...", option_words, TO(struct tracing, wish.events),
	  "only these; default: all of the modules that are loaded", .words = trace_words,
	  GIVEN(struct tracing, chosen) },
	{ "--seconds", "N", option_count, TO(struct tracing, seconds),
	  "end after this time", .min = 1, .max = SECONDS_MAX },
	{ "--count", "N", option_count, TO(struct tracing, count),
	  "end after so many events", .also = { "-n" }, .min = 1, .max = UINT32_MAX },
	{ "--buffer", "SIZE", option_size, TO(struct tracing, buffer),
	  "room of each CPU for what has not been printed yet, 4K to 1G; default: the kernel's, "
	  "1408K", GIVEN(struct tracing, sized) },
	{ 0 }
};

static int filter_add(struct trace_filter *filter, uint64_t inode, struct error *error)
{
	uint64_t *more = realloc(filter->inodes, (filter->nr + 1) * sizeof(*more));

	if (!more)
		return error_set(error, -ENOMEM, "trace", "note a file", NULL);
	filter->inodes = more;
	more[filter->nr++] = inode;
	return 0;
}

/* Add the gmem fds of a VM or of a process: see who_find() */
static int trace_filter_by_owner(struct trace_filter *filter, const char *name, struct error *error)
{
	struct who_memory *memories;
	size_t count;
	int rc = who_find(name, &memories, &count, error);

	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < count; i++)
		rc = filter_add(filter, memories[i].inode, error);
	filter->pid = memories[0].pid;
	who_memories_free(memories, count);
	return rc;
}

static int by_path(struct trace_filter *filter, const char *path, struct error *error)
{
	struct gmem_ioctl_stat gmem;
	struct stat st;
	int rc, fd;

	/* Open only a regular file, because opening another one may have side effects. */
	fd = who_open(AT_FDCWD, path, S_IFREG);
	if (fd < 0 && fd != -ENOTTY)
		return error_set(error, fd, path, "look for the file", NULL);
	rc = fd < 0 || gmem_stat(fd, &gmem) || fstat(fd, &st) ? -ENOTTY : 0;
	if (fd >= 0)
		close(fd);
	if (rc)
		return error_set(error, rc, path, "trace the file",
				 "it is no gmem fd; /proc/PID/fd/N of one is a path to it");
	return filter_add(filter, st.st_ino, error);
}

/* Add all gmem fds with the name "/gmem:NAME". */
static int by_name(struct trace_filter *filter, const char *name, struct error *error)
{
	struct who_memory *memories;
	size_t count, found = filter->nr;
	int rc = who_all_memories(PROC, &memories, &count, error);

	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < count; i++) {
		if (!strncmp(memories[i].name, NAMED, strlen(NAMED)) &&
		    !strcmp(memories[i].name + strlen(NAMED), name))
			rc = filter_add(filter, memories[i].inode, error);
	}
	who_memories_free(memories, count);
	if (!rc && filter->nr == found)
		rc = error_set(error, -ENOENT, name, "find a gmem fd of this name",
			       "gmemctl top lists them; the number of an inode or a path will "
			       "do, too");
	return rc;
}

/* Add gmem files by inode number; by path, if there is a slash; or by name: all with the name */
static int trace_filter_by_file(struct trace_filter *filter, const char *file, struct error *error)
{
	uint64_t inode;

	if (strchr(file, '/'))
		return by_path(filter, file, error);
	if (number_parse(file, &inode))
		return by_name(filter, file, error);
	return filter_add(filter, inode, error);
}

/* Whether an event of the process @pid is shown */
static bool trace_filter_passes(struct trace_filter *filter, const struct trace_record *record,
				pid_t pid)
{
	uint64_t inode;

	if (!filter->inodes)
		return true;
	if (!trace_inode(record, &inode))
		return false;
	for (size_t i = 0; i < filter->nr; i++) {
		if (filter->inodes[i] == inode)
			return true;
	}
	if (!filter->pid || pid != filter->pid || strcmp(record->event, "gmem_create"))
		return false;
	/* If there is no memory to add the file, only this event of it is shown. */
	filter_add(filter, inode, NULL);
	return true;
}

/* Return: the process of a thread; the thread itself if it has ended before it was seen. */
static pid_t process_of(struct tracing *tracing, pid_t tid)
{
	struct thread *thread = &tracing->threads[(unsigned int)tid % THREADS];
	pid_t pid;

	if (thread->tid == tid && thread->pid)
		return thread->pid;
	pid = who_thread_process(PROC, tid);
	*thread = (struct thread){ .tid = tid, .pid = pid };
	return pid ? pid : tid;
}

static const char *event_word(const struct trace_record *record)
{
	int event = trace_event_find(record->event);

	return event < 0 ? record->event : trace_events[event].word;
}

static void event_text(const struct tracing *tracing, const struct trace_record *record, pid_t pid)
{
	uint64_t us = record->us + tracing->wall_us, inode;
	time_t seconds = (time_t)(us / 1000000);
	char when[16], what[DESCRIPTION_MAX];
	struct tm local;

	strftime(when, sizeof(when), "%H:%M:%S", localtime_r(&seconds, &local));
	trace_describe(record, what, sizeof(what));
	out_text("%s.%06u [%03u] %15s %-7d %-13s ", when, (unsigned int)(us % 1000000),
		 record->cpu, record->command, (int)pid, event_word(record));
	if (trace_inode(record, &inode))
		out_text("file %" PRIu64 ": ", inode);
	out_text("%s\n", what);
}

static void event_json(const struct tracing *tracing, const struct trace_record *record, pid_t pid)
{
	struct json_object *line = out_line();
	struct trace_item items[TRACE_ITEMS_MAX];
	size_t nr;

	if (!line)
		return;
	out_uint(line, "time_us", record->us + tracing->wall_us);
	out_uint(line, "cpu", record->cpu);
	out_uint(line, "pid", (uint64_t)pid);
	out_uint(line, "tid", (uint64_t)record->tid);
	out_string(line, "command", record->command);
	out_string(line, "event", event_word(record));
	nr = trace_items(record, items);
	for (size_t i = 0; i < nr; i++) {
		if (items[i].type == TRACE_NUMBER)
			out_uint(line, items[i].key, items[i].number);
		else
			out_string(line, items[i].key, items[i].text);
	}
	out_line_end(line);
}

static void lost_show(struct tracing *tracing, const struct trace_record *record)
{
	bool known = record->lost != UINT64_MAX;
	struct json_object *line = out_line();

	/* The number is unknown if the page that has it was overwritten, too. */
	tracing->lost += known ? record->lost : 1;
	out_uint(line, "cpu", record->cpu);
	if (known)
		out_uint(line, "lost", record->lost);
	else
		out_string(line, "lost", NULL);
	if (line)
		out_line_end(line);
	else if (known)
		out_text("%sCPU %u: %" PRIu64 " events were lost%s\n", out_color(1, OUT_YELLOW),
			 record->cpu, record->lost, out_color(1, OUT_PLAIN));
	else
		out_text("%sCPU %u: events were lost%s\n", out_color(1, OUT_YELLOW), record->cpu,
			 out_color(1, OUT_PLAIN));
}

/* Show a record. Return: 0, or 1 if it was the last one. */
static int record_show(const struct trace_record *record, void *data)
{
	struct tracing *tracing = data;
	pid_t pid;

	if (record->lost) {
		lost_show(tracing, record);
		return 0;
	}
	pid = process_of(tracing, record->tid);
	if (!trace_filter_passes(&tracing->filter, record, pid))
		return 0;
	event_json(tracing, record, pid);
	event_text(tracing, record, pid);
	tracing->events++;
	return tracing->count && tracing->events >= tracing->count;
}

/* A signalfd for the blocked signals, and the end of --seconds, or 0 */
static int end_signals;
static uint64_t end_ns;

static bool trace_is_over(void)
{
	struct pollfd signal = { .fd = end_signals, .events = POLLIN };

	return poll(&signal, 1, 0) > 0 || (end_ns && clock_now_ns() >= end_ns);
}

/*
 * Show events until the end, or until the output fails because its reader has closed it or
 * does not read.
 */
static int trace_loop(struct tracing *tracing, const struct trace_instance *instance,
		      struct error *error)
{
	struct trace_lines lines = { .used = 0 };
	struct pollfd fds[] = {
		{ .fd = end_signals, .events = POLLIN },
		{ .fd = instance->pipe, .events = POLLIN },
	};
	int rc = 0, ms;

	while (!rc && !fflush(stdout)) {
		uint64_t now = clock_now_ns();

		/* Milliseconds to wait, rounded up; 0: the time is over. */
		ms = !end_ns || end_ns > now + LOOK_MS * UINT64_C(1000000) ? LOOK_MS :
		     end_ns > now ? (int)((end_ns - now + 999999) / 1000000) : 0;
		if (!ms || (poll(fds, 2, ms) > 0 && fds[0].revents))
			break;
		rc = trace_read(instance, false, &lines, record_show, tracing, error);
	}
	/* Show events that are still in the buffers, up to the requested number. */
	trace_stop(instance);
	if (!rc)
		rc = trace_read(instance, true, &lines, record_show, tracing, error);
	if (lines.strange)
		out_warning("trace_pipe", "%" PRIu64 " lines were no events", lines.strange);
	return rc < 0 ? rc : 0;
}

/* Signals are blocked, so that the instance is removed in any case. */
static int trace_run(struct tracing *tracing, struct error *error)
{
	struct trace_instance instance;
	sighandler_t broken_pipe;
	sigset_t set;
	int rc;

	signals_end_set(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	broken_pipe = signal(SIGPIPE, SIG_IGN);
	/* Not closed: trace_is_over() uses it until the last output is written. */
	end_signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (end_signals < 0)
		return error_set(error, -errno, "signalfd", "create", NULL);
	rc = trace_open(trace_tracefs, &tracing->wish, &instance, error);
	if (tracing->seconds)
		end_ns = clock_now_ns() + tracing->seconds * UINT64_C(1000000000);
	process_end_when(trace_is_over);
	if (!rc)
		rc = trace_loop(tracing, &instance, error);
	trace_close(&instance);
	signal(SIGPIPE, broken_pipe);
	return rc;
}

/* Return: 0 or an exit code. */
static int trace_choose(struct tracing *tracing, struct error *error)
{
	struct trace_wish *wish = &tracing->wish;
	bool filtered = tracing->name || tracing->file;

	if (tracing->sized && (tracing->buffer < BUFFER_MIN || tracing->buffer > BUFFER_MAX))
		return usage_error("--buffer", "out of range", "4K to 1G");
	wish->buffer_kib = (uint32_t)(tracing->buffer / 1024);
	wish->chosen = !!tracing->chosen;
	if (!wish->chosen || wish->events == TRACE_ALL) {
		wish->events = TRACE_ALL;
		wish->chosen = false;
	}
	if (filtered && wish->chosen && wish->events != trace_of_files(wish->events))
		return usage_error("--event", "not of a gmem file",
				   "events of pvmemcontrol are of a device: leave out %s",
				   tracing->name ? "NAME" : "--file");
	if (filtered)
		wish->events = trace_of_files(wish->events);
	if (tracing->name && trace_filter_by_owner(&tracing->filter, tracing->name, error))
		return out_error_report(error);
	if (tracing->file && trace_filter_by_file(&tracing->filter, tracing->file, error))
		return out_error_report(error);
	return 0;
}

static int trace_main(const struct command *command, void *arguments)
{
	struct tracing *tracing = arguments;
	struct timespec now;
	struct error error;
	int code;

	clock_gettime(CLOCK_REALTIME, &now);
	tracing->wall_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000 -
			   clock_now_ns() / 1000;
	code = trace_choose(tracing, &error);
	if (!code && trace_run(tracing, &error))
		code = out_error_report(&error);
	return code;
}

static void trace_end(void *arguments, int code)
{
	struct tracing *tracing = arguments;

	free(tracing->filter.inodes);
	out_uint(out_root(), "events", tracing->events);
	out_uint(out_root(), "lost_events", tracing->lost);
	if (!code && tracing->lost)
		out_warning("trace", "%" PRIu64 " events were lost: ask for fewer with --event, "
			    "or for more room with --buffer", tracing->lost);
}

const struct command command_trace = {
	.name = "trace",
	.run = trace_main,
	.size = sizeof(struct tracing),
	.end = trace_end,
	.lines = true,
	.summary = "show what happens to gmem memory, as it happens",
	.about = "A line for each event: when, on which CPU and in which process it was, and what. "
		 "Conversions, page faults, views and their faults, bindings, and in a guest what "
		 "it asks of pvmemcontrol. It goes on until Ctrl-C, --seconds or --count end it.\n"
		 "\n"
		 "Tracing is in an instance of tracefs of its own, which is removed in the end: "
		 "nobody else's tracing changes. Modules cannot be unloaded meanwhile. Root only.",
	.options = trace_options,
	.more = "With --json each event is an object on a line of its own, and the last line is "
		"an object with events and lost_events.",
	.examples = "gmemctl trace\n"
		    "gmemctl trace web --event convert,view_fault --seconds 10\n"
		    "gmemctl trace --json --count 100 | jq 'select(.errno > 0)'",
};
