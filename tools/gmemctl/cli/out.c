// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/text.h"
#include "../control/control.h"
#include "../kvm/abi.h"
#include "../kvm/threads.h"
#include "../snp/abi.h"
#include "command.h"
#include "out.h"

#include <linux/gmem.h>

#define LINE_CLEAR "\r\033[K"

static struct json_object *out_json;

/* How objects are printed */
static int out_form = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE;

const char *const color_words[] = { "auto", "always", "never", NULL };

/* Index in color_words */
static unsigned int out_when;

void out_start(bool json)
{
	if (json && !out_json)
		out_json = json_object_new_object();
}

bool out_is_json(void)
{
	return out_json;
}

bool out_color_set(const char *when)
{
	for (unsigned int i = 0; color_words[i]; i++)
		if (!strcmp(color_words[i], when)) {
			out_when = i;
			return true;
		}
	return false;
}

const char *out_color(int fd, enum out_color color)
{
	static const char *const codes[] = {
		[OUT_PLAIN] = "\033[0m", [OUT_RED] = "\033[31m",
		[OUT_GREEN] = "\033[32m", [OUT_YELLOW] = "\033[33m",
		[OUT_BLUE] = "\033[34m",
	};
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
	bool colors = out_when == 1;

	/* NO_COLOR has no effect if it is empty. */
	if (!out_when)
		colors = isatty(fd) && !(none && *none) && term && strcmp(term, "dumb");
	return colors ? codes[color] : "";
}

struct json_object *out_root(void)
{
	return out_json;
}

void out_text(const char *format, ...)
{
	va_list args;

	if (out_json)
		return;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
}

void out_string(struct json_object *object, const char *key, const char *value)
{
	if (object)
		json_object_object_add(object, key, value ? message_text(value) : NULL);
}

void out_uint(struct json_object *object, const char *key, uint64_t value)
{
	if (object)
		json_object_object_add(object, key, json_object_new_uint64(value));
}

void out_bool(struct json_object *object, const char *key, bool value)
{
	if (object)
		json_object_object_add(object, key, json_object_new_boolean(value));
}

struct json_object *out_object(struct json_object *object, const char *key)
{
	struct json_object *child;

	if (!object)
		return NULL;
	child = json_object_new_object();
	json_object_object_add(object, key, child);
	return child;
}

struct json_object *out_array(struct json_object *object, const char *key)
{
	struct json_object *child;

	if (!object)
		return NULL;
	if (json_object_object_get_ex(object, key, &child))
		return child;
	child = json_object_new_array();
	json_object_object_add(object, key, child);
	return child;
}

struct json_object *out_append(struct json_object *array)
{
	struct json_object *child;

	if (!array)
		return NULL;
	child = json_object_new_object();
	json_object_array_add(array, child);
	return child;
}

struct json_object *out_last(struct json_object *array)
{
	return array ? json_object_array_get_idx(array, json_object_array_length(array) - 1) : NULL;
}

void out_append_uint(struct json_object *array, uint64_t value)
{
	if (array)
		json_object_array_add(array, json_object_new_uint64(value));
}

void out_lines(void)
{
	out_form = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
}

struct json_object *out_line(void)
{
	return out_json ? json_object_new_object() : NULL;
}

void out_line_end(struct json_object *line)
{
	if (!line)
		return;
	puts(json_object_to_json_string_ext(line, out_form));
	json_object_put(line);
}

const char *out_name(const char *name, char masked[PATH_MAX])
{
	text_print(masked, PATH_MAX, "%s", name);
	text_mask(masked, "");
	return masked;
}

void out_error(const char *object, const char *action, int rc, const char *hint, ...)
{
	/* Both may contain the whole path of a file. */
	char text[PATH_MAX + 512] = "", what[PATH_MAX + 512];
	struct json_object *entry;
	va_list args;

	if (hint) {
		va_start(args, hint);
		text_format(text, sizeof(text), hint, args);
		va_end(args);
	}
	if (out_json) {
		entry = out_append(out_array(out_json, "errors"));
		out_string(entry, "object", object);
		out_string(entry, "action", action);
		out_uint(entry, "errno", (uint64_t)-rc);
		out_string(entry, "errno_name", rc ? strerrorname_np(-rc) : NULL);
		out_string(entry, "message", rc ? strerror(-rc) : NULL);
		out_string(entry, "hint", *text ? text : NULL);
		return;
	}
	/* Mask control characters in names of files and in texts of a VM. */
	text_print(what, sizeof(what), "%s: %s", object, action);
	text_mask(what, "");
	text_mask(text, "\n");
	fflush(stdout);
	fprintf(stderr, "%sgmemctl:%s %s%s%s%s%s\n", out_color(2, OUT_RED),
		out_color(2, OUT_PLAIN), what, rc ? ": " : "", rc ? strerror(-rc) : "",
		*text ? "; " : "", text);
}

void out_warning(const char *object, const char *text, ...)
{
	struct json_object *entry;
	char said[512], name[PATH_MAX];
	va_list args;

	va_start(args, text);
	text_format(said, sizeof(said), text, args);
	va_end(args);
	if (out_json) {
		entry = out_append(out_array(out_json, "warnings"));
		out_string(entry, "object", object);
		out_string(entry, "message", said);
		return;
	}
	text_mask(said, "\n");
	fflush(stdout);
	fprintf(stderr, "gmemctl: %s: %swarning:%s %s\n", out_name(object, name),
		out_color(2, OUT_YELLOW), out_color(2, OUT_PLAIN), said);
}

int out_error_report(const struct error *error)
{
	bool device = !strcmp(error->object, KVM_DEVICE_PATH) ||
		      !strcmp(error->object, GMEM_DEVICE_PATH) ||
		      !strcmp(error->object, SNP_DEVICE_PATH);
	int rc = error->rc;

	out_error(error->object, error->action, rc, error->hint[0] ? "%s" : NULL, error->hint);
	/* A host without support has another exit code than a failure. */
	return rc == -EOPNOTSUPP ||
	       (device && (rc == -ENOENT || rc == -ENODEV || rc == -ENXIO)) ?
	       EXIT_CODE_UNSUPPORTED : EXIT_CODE_FAILURE;
}

int out_no_memory(const char *object)
{
	out_error(object, "allocate", -ENOMEM, NULL);
	return EXIT_CODE_FAILURE;
}

int out_finish(int code)
{
	if (out_json) {
		puts(json_object_to_json_string_ext(out_json, out_form));
		json_object_put(out_json);
		out_json = NULL;
	}
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "gmemctl: stdout: write: %s\n", strerror(errno));
		return code ? code : EXIT_CODE_FAILURE;
	}
	return code;
}

static void *progress_main(void *data)
{
	struct progress *progress = data;
	unsigned int seconds = 0;
	struct timespec next;
	struct stat stat;
	char size[32];

	clock_gettime(CLOCK_MONOTONIC, &next);
	next.tv_sec++;
	while (sem_clockwait(&progress->over, CLOCK_MONOTONIC, &next)) {
		if (errno == EINTR)
			continue;
		next.tv_sec++;
		*size = '\0';
		if (progress->fd >= 0 && !fstat(progress->fd, &stat))
			snprintf(size, sizeof(size), ", %llu MiB",
				 (unsigned long long)stat.st_size >> 20);
		fprintf(stderr, LINE_CLEAR "gmemctl: %s: %u s%s", progress->what, ++seconds, size);
		fflush(stderr);
	}
	if (seconds)
		fputs(LINE_CLEAR, stderr);
	return NULL;
}

void progress_start(struct progress *progress, const char *what, int fd)
{
	const char *term = getenv("TERM");

	*progress = (struct progress){ .what = what, .fd = fd };
	if (out_is_json() || !isatty(2) || !term || !strcmp(term, "dumb"))
		return;
	sem_init(&progress->over, 0, 0);
	/* If there is no thread there is no line of progress, which is no error. */
	progress->started = !threads_start(&progress->thread, progress_main, progress);
}

void progress_stop(struct progress *progress)
{
	if (!progress->started)
		return;
	sem_post(&progress->over);
	pthread_join(progress->thread, NULL);
	progress->started = false;
}

void steps_start(struct steps *steps, const char *what, int width)
{
	*steps = (struct steps){
		.what = what, .width = width, .array = out_array(out_root(), "steps"),
	};
	progress_start(&steps->progress, what, -1);
}

void steps_stop(struct steps *steps)
{
	progress_stop(&steps->progress);
}

void steps_show(void *data, const char *step, const char *text)
{
	struct steps *steps = data;
	struct json_object *entry = out_append(steps->array);

	progress_stop(&steps->progress);
	out_string(entry, "step", step);
	out_string(entry, "text", text);
	out_text("%-*s %s\n", steps->width, step, text);
	fflush(stdout);
	progress_start(&steps->progress, steps->what, -1);
}
