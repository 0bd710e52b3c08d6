/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything gmemctl says goes through here: text, or with --json exactly one
 * JSON object on stdout, in which errors are the array "errors". A command that goes on
 * and on says more, see out_lines().
 */
#ifndef GMEMCTL_CLI_OUT_H
#define GMEMCTL_CLI_OUT_H

#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <json-c/json.h>

#include "../base/error.h"

/** out_start() - choose the form of output */
void out_start(bool json);
bool out_is_json(void);

/** out_text() - printf() that is silent with --json */
void out_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

enum out_color {
	OUT_PLAIN,
	OUT_RED,
	OUT_GREEN,
	OUT_YELLOW,
	OUT_BLUE,
};

/** color_words: what --color can be, up to a NULL */
extern const char *const color_words[];

/**
 * out_color_set() - colours: "auto" (default), where a terminal is, unless the
 *	environment has NO_COLOR; "always"; "never"
 *
 * Return: whether the word is one of these.
 */
bool out_color_set(const char *when);

/** out_color() - what switches to a colour on @fd, 1 or 2, or "" */
const char *out_color(int fd, enum out_color color);

/** out_root() - the object to report in, with --json; else NULL */
struct json_object *out_root(void);

/* Set a member; @object NULL does nothing, so that text needs no check. */
void out_string(struct json_object *object, const char *key, const char *value);
void out_uint(struct json_object *object, const char *key, uint64_t value);
void out_bool(struct json_object *object, const char *key, bool value);
struct json_object *out_object(struct json_object *object, const char *key);
struct json_object *out_array(struct json_object *object, const char *key);
/**
 * out_lines() - from now on an object is a line, with --json, and out_root() the last one
 *
 * For a command that goes on and on.
 */
void out_lines(void);

/** out_line() - a new object, to be filled; NULL without --json */
struct json_object *out_line(void);
/** out_line_end() - print it, and free it */
void out_line_end(struct json_object *line);

/** out_append() - add a new object to an array */
struct json_object *out_append(struct json_object *array);
/** out_last() - the one that was added last */
struct json_object *out_last(struct json_object *array);
void out_append_uint(struct json_object *array, uint64_t value);

/**
 * out_name() - what somebody else may have named, for a terminal: see text_mask()
 * @masked: room for it; a name that is longer is cut
 *
 * Return: @masked.
 */
const char *out_name(const char *name, char masked[PATH_MAX]);

/**
 * out_error() - report an error: `gmemctl: object: action: error; hint`
 * @rc: negative errno, or 0 if there is none
 */
void out_error(const char *object, const char *action, int rc,
	       const char *hint, ...) __attribute__((format(printf, 4, 5)));

/**
 * out_warning() - say what goes on all the same: `gmemctl: object: warning: ...`,
 *	or a member of the array "warnings"
 */
void out_warning(const char *object, const char *text, ...)
	__attribute__((format(printf, 2, 3)));

/** out_error_report() - the same. Return: the exit code that goes with it. */
int out_error_report(const struct error *error);

/** out_no_memory() - report that there is none for @object. Return: as above. */
int out_no_memory(const char *object);

/* A line on a terminal that says what takes long, until it is done. */

/**
 * struct progress - a line that may be there
 * @what: is done: "save the VM"
 * @fd: a file that grows meanwhile, or -1
 * @thread: writes the line, if @started
 * @over: posted when it is done
 */
struct progress {
	const char *what;
	int fd;
	pthread_t thread;
	bool started;
	sem_t over;
};

/**
 * progress_start() - show @what on standard error after a second
 *
 * Nothing is shown where that is no terminal, and none with --json.
 */
void progress_start(struct progress *progress, const char *what, int fd);

/** progress_stop() - take the line away; anything can be written then */
void progress_stop(struct progress *progress);

/**
 * struct steps - what is done in steps, each of which is shown
 * @what: is done: "launch the guest"
 * @width: characters that the name of a step takes
 * @array: of the steps, for programs
 * @progress: of the step that is being done
 */
struct steps {
	const char *what;
	int width;
	struct json_object *array;
	struct progress progress;
};

/** steps_start() - before the first step; steps_stop() after the last */
void steps_start(struct steps *steps, const char *what, int width);
void steps_stop(struct steps *steps);

/** steps_show() - show that one is done, as it happens: what fails shows how far it came */
void steps_show(void *data, const char *step, const char *text);

/** out_finish() - write the JSON object, flush. Return: @code, or a failure. */
int out_finish(int code);

#endif /* GMEMCTL_CLI_OUT_H */
