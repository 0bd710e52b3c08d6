/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All output of gmemctl. It is text; or, with --json, one JSON object on stdout, with errors in
 * the array "errors". A command that does not end by itself prints several objects, see
 * out_lines().
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

/** out_start() - choose text or JSON */
void out_start(bool json);
bool out_is_json(void);

/** out_text() - printf(), which prints nothing with --json */
void out_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

enum out_color {
	OUT_PLAIN,
	OUT_RED,
	OUT_GREEN,
	OUT_YELLOW,
	OUT_BLUE,
};

/** color_words: valid values of --color; the last one is NULL */
extern const char *const color_words[];

/**
 * out_color_set() - choose when output has colours
 * @when: "always"; "never"; or "auto" (default): on a terminal, unless NO_COLOR is set, or TERM
 *	is "dumb" or not set
 *
 * Return: whether @when is one of these words.
 */
bool out_color_set(const char *when);

/** out_color() - the escape sequence of a colour for @fd, 1 or 2; "" without colours */
const char *out_color(int fd, enum out_color color);

/** out_root() - the JSON object of this command; NULL without --json */
struct json_object *out_root(void);

/* Set a member of an object. With @object NULL, as without --json, they do nothing. */
void out_string(struct json_object *object, const char *key, const char *value);
void out_uint(struct json_object *object, const char *key, uint64_t value);
void out_bool(struct json_object *object, const char *key, bool value);
struct json_object *out_object(struct json_object *object, const char *key);
struct json_object *out_array(struct json_object *object, const char *key);
/**
 * out_lines() - with --json, print each object on one line; the last one is out_root()
 *
 * For a command that does not end by itself.
 */
void out_lines(void);

/** out_line() - create the object of a line; NULL without --json */
struct json_object *out_line(void);
/** out_line_end() - print the object of a line, and free it */
void out_line_end(struct json_object *line);

/** out_append() - append a new object to an array. Return: the object. */
struct json_object *out_append(struct json_object *array);
/** out_last() - the last object of an array */
struct json_object *out_last(struct json_object *array);
void out_append_uint(struct json_object *array, uint64_t value);

/**
 * out_name() - make a name safe for a terminal, see text_mask()
 * @masked: out: the name; a longer one is truncated
 *
 * Return: @masked.
 */
const char *out_name(const char *name, char masked[PATH_MAX]);

/**
 * out_error() - print an error: `gmemctl: object: action: error; hint`
 * @rc: negative errno; 0: none
 */
void out_error(const char *object, const char *action, int rc,
	       const char *hint, ...) __attribute__((format(printf, 4, 5)));

/**
 * out_warning() - print a warning, after which the command continues
 *
 * It is `gmemctl: object: warning: ...`, or a member of the array "warnings".
 */
void out_warning(const char *object, const char *text, ...)
	__attribute__((format(printf, 2, 3)));

/** out_error_report() - print an error. Return: its exit code. */
int out_error_report(const struct error *error);

/** out_no_memory() - print that there is no memory for @object. Return: EXIT_CODE_FAILURE. */
int out_no_memory(const char *object);

/* A line on the terminal for work that takes long. */

/**
 * struct progress - a line of progress
 * @what: the work: "save the VM"
 * @fd: a file whose size is shown, or -1
 * @thread: prints the line, if @started
 * @started: the thread runs
 * @over: posted when the work is done
 */
struct progress {
	const char *what;
	int fd;
	pthread_t thread;
	bool started;
	sem_t over;
};

/**
 * progress_start() - print @what on standard error after a second, and update the line
 *
 * Nothing is printed with --json, if standard error is no terminal, or if TERM is "dumb" or not
 * set.
 */
void progress_start(struct progress *progress, const char *what, int fd);

/** progress_stop() - remove the line; afterwards other output can be printed */
void progress_stop(struct progress *progress);

/**
 * struct steps - work in several steps, each of which is printed
 * @what: the work: "launch the guest"
 * @width: width of the column with the names of steps
 * @array: JSON array of the steps; NULL without --json
 * @progress: line of progress of the current step
 */
struct steps {
	const char *what;
	int width;
	struct json_object *array;
	struct progress progress;
};

/** steps_start() - called before the first step; steps_stop() is called after the last one */
void steps_start(struct steps *steps, const char *what, int width);
void steps_stop(struct steps *steps);

/** steps_show() - print a step that is done; @data: struct steps */
void steps_show(void *data, const char *step, const char *text);

/** out_finish() - print the JSON object, and flush. Return: @code, or that of a failed write. */
int out_finish(int code);

#endif /* GMEMCTL_CLI_OUT_H */
