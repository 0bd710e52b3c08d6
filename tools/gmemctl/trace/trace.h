/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of gmem and pvmemcontrol: an instance of tracefs, the lines of its
 * trace_pipe, and what they mean. gmem_kvm has none of its own; what it does is in gmem's.
 */
#ifndef GMEMCTL_TRACE_TRACE_H
#define GMEMCTL_TRACE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/error.h"

/* Bytes of a process's name in the kernel, with the zero at its end */
#define TRACE_COMMAND_SIZE 16
/* A tracepoint has at most 9 fields. */
#define TRACE_FIELDS_MAX 12
/* No line of these tracepoints is as long; what is longer is none of theirs. */
#define TRACE_LINE_MAX 1024

/**
 * struct trace_field - KEY=VALUE of a line
 * @key: "code" for the number in KEY=VALUE(NUMBER), which comes after it
 * @value: "" for a word that stands alone
 */
struct trace_field {
	const char *key;
	const char *value;
};

/**
 * struct trace_record - a line of trace_pipe
 * @lost: it says that events were lost: so many, UINT64_MAX if it is not known how many;
 *	then it has a @cpu and nothing else. 0: it is an event
 * @us: when it was, in microseconds of the instance's clock: CLOCK_MONOTONIC
 * @cpu: on which it was
 * @tid: the thread
 * @command: its name, of visible ASCII
 * @event: the name of the tracepoint
 * @fields: of @nr
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
 * trace_parse() - take a line apart
 * @line: without its newline; is cut into pieces, which @record points to
 *
 * Return: 0; -EINVAL if it is no line of an event.
 */
int trace_parse(char *line, struct trace_record *record);

/**
 * typedef trace_visit_fn - take a record, which does not outlive the call
 *
 * Return: 0, or anything else to have no more.
 */
typedef int (*trace_visit_fn)(const struct trace_record *record, void *data);

/**
 * struct trace_lines - what has been read of trace_pipe, and is not a whole line yet
 * @text: of @used bytes
 * @skip: up to the next newline it is nothing
 * @strange: lines so far that were no events
 */
struct trace_lines {
	char text[TRACE_LINE_MAX];
	size_t used;
	bool skip;
	uint64_t strange;
};

/**
 * trace_feed() - take bytes of trace_pipe, in pieces of any size
 *
 * Return: 0, or what @visit returned.
 */
int trace_feed(struct trace_lines *lines, const char *bytes, size_t size,
	       trace_visit_fn visit, void *data);

/**
 * struct trace_event - a tracepoint
 * @system: whose it is: the name of the module
 * @name: its own
 * @word: what it is called here
 * @says: what its line says: text, in which {key} is a field; see describe.c
 */
struct trace_event {
	const char *system;
	const char *name;
	const char *word;
	const char *says;
};

#define TRACE_EVENTS 17

/** trace_events: all that this gmemctl knows. A set of them has a bit for each. */
extern const struct trace_event trace_events[TRACE_EVENTS];

/** trace_words: their words, up to a NULL */
extern const char *const trace_words[TRACE_EVENTS + 1];

#define TRACE_ALL ((UINT32_C(1) << TRACE_EVENTS) - 1)

/** trace_event_find() - by the name of the tracepoint. Return: its index, or -1. */
int trace_event_find(const char *name);

/** trace_of_files() - the events of @events that are of a gmem file */
uint32_t trace_of_files(uint32_t events);

/** trace_value() - the value of a field, or NULL */
const char *trace_value(const struct trace_record *record, const char *key);

/** trace_inode() - the file that an event is of. Return: whether it is of one. */
bool trace_inode(const struct trace_record *record, uint64_t *inode);

/** trace_describe() - say what an event says, in a sentence */
void trace_describe(const struct trace_record *record, char *text, size_t size);

enum trace_type {
	TRACE_NUMBER,
	TRACE_TEXT,
};

/**
 * struct trace_item - a value as programs want it
 * @key: what it is
 * @type: whether it is @number or @text
 * @number: bytes for sizes and offsets
 * @text: a word
 */
struct trace_item {
	const char *key;
	enum trace_type type;
	uint64_t number;
	const char *text;
};

/* A field can become three items, and there is one for the file. */
#define TRACE_ITEMS_MAX (TRACE_FIELDS_MAX * 3 + 1)

/** trace_items() - what an event says, for programs. Return: how many. */
size_t trace_items(const struct trace_record *record, struct trace_item items[TRACE_ITEMS_MAX]);

/**
 * struct trace_wish - what to trace
 * @events: a set of trace_events
 * @chosen: each of them has been asked for: one that is not there is an error
 * @buffer_kib: room for events that have not been read, for each CPU; 0: the kernel's choice
 */
struct trace_wish {
	uint32_t events;
	bool chosen;
	uint32_t buffer_kib;
};

/**
 * struct trace_instance - an instance of tracefs
 * @path: its folder; "": there is none
 * @pipe: trace_pipe of it, for poll(); -1: it is not open
 */
struct trace_instance {
	char path[128];
	int pipe;
};

/** trace_tracefs: where tracefs can be, up to a NULL */
extern const char *const trace_tracefs[];

/**
 * trace_open() - make an instance in which these events are on
 * @folders: where to look for tracefs: trace_tracefs
 * @instance: out: for trace_close()
 *
 * What gmemctl has left there, when it was killed, is removed.
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
