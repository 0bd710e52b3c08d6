/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of gmem and pvmemcontrol: an instance of tracefs, the lines of its trace_pipe, and
 * their meaning. gmem_kvm has no tracepoints; gmem's include its work.
 */
#ifndef GMEMCTL_TRACE_TRACE_H
#define GMEMCTL_TRACE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/error.h"

/* Bytes of the name of a process in the kernel, with its NUL */
#define TRACE_COMMAND_SIZE 16
/* A tracepoint has at most 9 fields. */
#define TRACE_FIELDS_MAX 12
/* The lines of these tracepoints are shorter; longer lines are skipped. */
#define TRACE_LINE_MAX 1024

/**
 * struct trace_field - KEY=VALUE of a line
 * @key: the key; "code" for the number after the value in KEY=VALUE(NUMBER)
 * @value: the value; "" for a word without a value
 */
struct trace_field {
	const char *key;
	const char *value;
};

/**
 * struct trace_record - a line of trace_pipe
 * @lost: number of lost events, UINT64_MAX if it is unknown; then only @cpu is valid. 0: the
 *	line is an event
 * @us: time in microseconds of the instance's clock: CLOCK_MONOTONIC
 * @cpu: its CPU
 * @tid: its thread
 * @command: name of the thread, in visible ASCII
 * @event: name of the tracepoint
 * @fields: the fields, @nr of them
 */
struct trace_record {
	uint64_t lost;
	uint64_t us;
	unsigned int cpu;
	pid_t tid;
	char command[TRACE_COMMAND_SIZE];
	const char *event;
	struct trace_field fields[TRACE_FIELDS_MAX];
	size_t nr;
};

/**
 * trace_parse() - parse a line
 * @line: the line without its newline; it is modified, and @record points to its parts
 *
 * Return: 0; -EINVAL if it is not an event.
 */
int trace_parse(char *line, struct trace_record *record);

/**
 * typedef trace_visit_fn - handle a record, which is valid only during the call
 *
 * Return: 0 to continue; anything else to stop.
 */
typedef int (*trace_visit_fn)(const struct trace_record *record, void *data);

/**
 * struct trace_lines - an incomplete line of trace_pipe
 * @text: its text, @used bytes
 * @skip: skip everything up to the next newline
 * @strange: number of lines so far that were not events
 */
struct trace_lines {
	char text[TRACE_LINE_MAX];
	size_t used;
	bool skip;
	uint64_t strange;
};

/**
 * trace_feed() - process bytes of trace_pipe, in pieces of any size
 *
 * Return: 0, or what @visit returned.
 */
int trace_feed(struct trace_lines *lines, const char *bytes, size_t size,
	       trace_visit_fn visit, void *data);

/**
 * struct trace_event - a tracepoint
 * @system: name of its module
 * @name: its name
 * @word: its name in the output of gmemctl
 * @says: format of its output: text in which {key} stands for a field; see describe.c
 */
struct trace_event {
	const char *system;
	const char *name;
	const char *word;
	const char *says;
};

#define TRACE_EVENTS 17

/** trace_events: all tracepoints that gmemctl knows. A set has a bit for each. */
extern const struct trace_event trace_events[TRACE_EVENTS];

/** trace_words: their words; the last entry is NULL */
extern const char *const trace_words[TRACE_EVENTS + 1];

#define TRACE_ALL ((UINT32_C(1) << TRACE_EVENTS) - 1)

/** trace_event_find() - find a tracepoint by its name. Return: its index, or -1. */
int trace_event_find(const char *name);

/** trace_of_files() - those of @events that belong to a gmem file */
uint32_t trace_of_files(uint32_t events);

/** trace_value() - the value of a field, or NULL */
const char *trace_value(const struct trace_record *record, const char *key);

/** trace_inode() - get the gmem file of an event. Return: whether it belongs to one. */
bool trace_inode(const struct trace_record *record, uint64_t *inode);

/** trace_describe() - describe an event in a sentence */
void trace_describe(const struct trace_record *record, char *text, size_t size);

enum trace_type {
	TRACE_NUMBER,
	TRACE_TEXT,
};

/**
 * struct trace_item - a value for programs
 * @key: its name
 * @type: whether @number or @text is valid
 * @number: bytes for sizes and offsets
 * @text: a word
 */
struct trace_item {
	const char *key;
	enum trace_type type;
	uint64_t number;
	const char *text;
};

/* A field can become three items; one more is for the file. */
#define TRACE_ITEMS_MAX (TRACE_FIELDS_MAX * 3 + 1)

/** trace_items() - get the values of an event for programs. Return: their number. */
size_t trace_items(const struct trace_record *record, struct trace_item items[TRACE_ITEMS_MAX]);

/**
 * struct trace_wish - parameters of a trace
 * @events: a set of trace_events
 * @chosen: the user has named the events: a missing one is an error
 * @buffer_kib: size of the buffer of each CPU; 0: the kernel's default
 */
struct trace_wish {
	uint32_t events;
	bool chosen;
	uint32_t buffer_kib;
};

/**
 * struct trace_instance - an instance of tracefs
 * @path: its directory; "": none
 * @pipe: its trace_pipe, for poll(); -1: not open
 */
struct trace_instance {
	char path[128];
	int pipe;
};

/** trace_tracefs: directories where tracefs can be mounted; the last entry is NULL */
extern const char *const trace_tracefs[];

/**
 * trace_open() - create an instance in which these events are enabled
 * @folders: where to look for tracefs: trace_tracefs
 * @instance: out: for trace_close()
 *
 * Instances of killed gmemctl processes are removed.
 *
 * Return: 0; -EACCES and -EPERM without the right, -EOPNOTSUPP if there is no tracefs, no
 * module, or no such event; or another negative errno. Nothing is left then.
 */
int trace_open(const char *const *folders, const struct trace_wish *wish,
	       struct trace_instance *instance, struct error *error);

/**
 * trace_read() - read what there is, without waiting
 * @all: all of it, after trace_stop(); else not for ever
 * @lines: what the last call has left
 *
 * Return: 0, what @visit returned, or a negative errno.
 */
int trace_read(const struct trace_instance *instance, bool all, struct trace_lines *lines,
	       trace_visit_fn visit, void *data, struct error *error);

/** trace_stop() - switch the events off. What has happened can still be read. */
void trace_stop(const struct trace_instance *instance);

/** trace_close() - remove the instance; twice is the same as once */
void trace_close(struct trace_instance *instance);

#endif /* GMEMCTL_TRACE_TRACE_H */
