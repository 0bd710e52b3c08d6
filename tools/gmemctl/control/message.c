// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "control.h"

#define DEPTH_MAX 8

struct json_object *message_text(const char *text)
{
	char *escaped = text_escape(text);
	struct json_object *string = escaped ? json_object_new_string(escaped) :
				     NULL;

	free(escaped);
	return string;
}

static struct json_object *member(struct json_object *object, const char *key, enum json_type type)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) || !json_object_is_type(value, type))
		return NULL;
	return value;
}

int message_parse(const char *line, size_t length, struct json_object **object, struct error *error)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	bool whole;

	if (!tokener)
		return error_set(error, -ENOMEM, "message", "parse", NULL);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	*object = json_tokener_parse_ex(tokener, line, (int)length);
	whole = *object && json_object_is_type(*object, json_type_object) &&
		json_tokener_get_parse_end(tokener) == length;
	json_tokener_free(tokener);
	if (whole)
		return 0;
	json_object_put(*object);
	*object = NULL;
	return error_set(error, -EBADMSG, "message", "parse",
			 "one line with one JSON object, at most %d deep", DEPTH_MAX);
}

struct json_object *message_request(const char *command)
{
	struct json_object *request = json_object_new_object();

	message_add_string(request, "command", command);
	return request;
}

const char *message_command(struct json_object *request)
{
	return json_object_get_string(member(request, "command", json_type_string));
}

/* json-c saturates a number that is too large for 64 bits. That is not an error here. */
int message_number(struct json_object *request, const char *key,
		   uint64_t *value, struct error *error)
{
	struct json_object *number = member(request, key, json_type_int);

	if (number && json_object_get_int64(number) >= 0) {
		*value = json_object_get_uint64(number);
		return 0;
	}
	return error_set(error, -EINVAL, key, "read from the request",
			 "a whole number, not negative");
}

const char *message_string(struct json_object *request, const char *key, struct error *error)
{
	struct json_object *string = member(request, key, json_type_string);

	if (string)
		return json_object_get_string(string);
	error_set(error, -EINVAL, key, "read from the request", "a string");
	return NULL;
}

int message_range(struct json_object *request, struct range *range, struct error *error)
{
	uint64_t start, size;

	if (message_number(request, "start", &start, error) ||
	    message_number(request, "size", &size, error))
		return -EINVAL;
	*range = (struct range){ start, start + size };
	if (range_valid(*range))
		return 0;
	return error_set(error, -EINVAL, "range", "read from the request",
			 "whole pages of 4096 bytes, at least one");
}

int message_part(struct json_object *request, struct range *part, struct error *error)
{
	uint64_t size;

	if (json_object_object_get_ex(request, "start", NULL) &&
	    message_number(request, "start", &part->start, error))
		return -EINVAL;
	if (json_object_object_get_ex(request, "size", NULL)) {
		if (message_number(request, "size", &size, error))
			return -EINVAL;
		if (size < part->end - part->start)
			part->end = part->start + size;
	}
	if (!range_aligned(*part, RANGE_PAGE_SIZE))
		return error_set(error, -EINVAL, "range",
				 "read from the request", "multiples of 4096");
	return 0;
}

int message_state(struct json_object *request, bool *private, struct error *error)
{
	const char *to = message_string(request, "to", error);

	if (!to)
		return -EINVAL;
	*private = !strcmp(to, "private");
	return *private || !strcmp(to, "shared") ? 0 :
	       error_set(error, -EINVAL, "to", "read from the request", "private or shared");
}

void message_add_number(struct json_object *result, const char *key, uint64_t value)
{
	json_object_object_add(result, key, json_object_new_uint64(value));
}

void message_add_string(struct json_object *result, const char *key, const char *value)
{
	json_object_object_add(result, key, message_text(value));
}

void message_add_range(struct json_object *ranges, struct range range, bool private)
{
	struct json_object *entry = json_object_new_object();

	message_add_number(entry, "start", range.start);
	message_add_number(entry, "size", range_size(range));
	message_add_string(entry, "state", private ? "private" : "shared");
	json_object_array_add(ranges, entry);
}

struct json_object *message_result(struct json_object *result)
{
	struct json_object *reply = json_object_new_object();

	json_object_object_add(reply, "ok", json_object_new_boolean(true));
	json_object_object_add(reply, "result", result);
	return reply;
}

struct json_object *message_error(const struct error *error)
{
	struct json_object *reply = json_object_new_object();
	struct json_object *entry = json_object_new_object();

	message_add_string(entry, "object", error->object);
	message_add_string(entry, "action", error->action);
	json_object_object_add(entry, "errno", json_object_new_int(-error->rc));
	message_add_string(entry, "message", strerror(-error->rc));
	if (error->hint[0])
		message_add_string(entry, "hint", error->hint);
	else
		json_object_object_add(entry, "hint", NULL);
	json_object_object_add(reply, "ok", json_object_new_boolean(false));
	json_object_object_add(reply, "error", entry);
	return reply;
}

static const char *text(struct json_object *object, const char *key)
{
	struct json_object *string = member(object, key, json_type_string);

	return string ? json_object_get_string(string) : "";
}

int message_reply(struct json_object *reply, struct json_object **result, struct error *error)
{
	struct json_object *ok = member(reply, "ok", json_type_boolean);
	struct json_object *entry = member(reply, "error", json_type_object);
	int rc;

	if (ok && json_object_get_boolean(ok) && json_object_object_get_ex(reply, "result", result))
		return 0;
	if (!ok || json_object_get_boolean(ok) || !entry)
		return error_set(error, -EBADMSG, "VM", "understand its reply",
				 "it may be another version of gmemctl");
	rc = json_object_get_int(member(entry, "errno", json_type_int));
	if (rc <= 0 || rc > 4095)
		rc = EPROTO;
	return error_set(error, -rc, text(entry, "object"),
			 text(entry, "action"), "%s", text(entry, "hint"));
}
