/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What goes over a control socket: one JSON object per line.
 *
 *   request	{"command": NAME, ...}
 *   reply	{"ok": true, "result": ...}
 *		{"ok": false, "error": {"object", "action", "errno", "message",
 *		"hint"}}
 */
#ifndef GMEMCTL_CONTROL_MESSAGE_H
#define GMEMCTL_CONTROL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>

#include "../base/error.h"
#include "../memory/range.h"

/** MESSAGE_REQUEST_MAX: bytes of a request, with its end of line */
#define MESSAGE_REQUEST_MAX	4096
/** MESSAGE_REPLY_MAX: bytes of a reply that a client takes */
#define MESSAGE_REPLY_MAX	(1 << 20)

/**
 * message_text() - a string for JSON, which is UTF-8, of any bytes
 *
 * A byte that is part of no character is there as the text \xNN.
 *
 * Return: a new string, or NULL if there is no memory.
 */
struct json_object *message_text(const char *text);

/**
 * message_parse() - parse a line
 * @object: out: a JSON object; to be put by the caller
 *
 * Return: 0; -EBADMSG for what is no JSON object.
 */
int message_parse(const char *line, size_t length, struct json_object **object,
		  struct error *error);

/** message_request() - a request of a command, without anything else */
struct json_object *message_request(const char *command);

/** message_command() - the command of a request, or NULL */
const char *message_command(struct json_object *request);

/** message_number() - a member that is a whole number from 0 on */
int message_number(struct json_object *request, const char *key,
		   uint64_t *value, struct error *error);

/** message_string() - a member that is a string, or NULL with @error set */
const char *message_string(struct json_object *request, const char *key, struct error *error);

/** message_range() - "start" and "size": whole pages, at least one */
int message_range(struct json_object *request, struct range *range, struct error *error);

/** message_part() - the same, where both may be missing; @part: in: all there is */
int message_part(struct json_object *request, struct range *part, struct error *error);

/** message_state() - "to": private, or shared */
int message_state(struct json_object *request, bool *private, struct error *error);

/** message_add_number(), message_add_string() - a member of a result */
void message_add_number(struct json_object *result, const char *key, uint64_t value);
void message_add_string(struct json_object *result, const char *key, const char *value);

/** message_add_counter() - a number that other threads change */
static inline void message_add_counter(struct json_object *result, const char *key,
				       const uint64_t *counter)
{
	message_add_number(result, key, __atomic_load_n(counter, __ATOMIC_RELAXED));
}

/** message_add_range() - another range of an array, and its state */
void message_add_range(struct json_object *ranges, struct range range, bool private);

/** message_result() - a reply; takes over @result, which may be NULL */
struct json_object *message_result(struct json_object *result);

/** message_error() - a reply that says what is wrong */
struct json_object *message_error(const struct error *error);

/**
 * message_reply() - the result in a reply
 * @result: out: part of @reply, may be NULL
 *
 * Return: 0; -EBADMSG for what is no reply; the error of the other side.
 */
int message_reply(struct json_object *reply, struct json_object **result, struct error *error);

#endif /* GMEMCTL_CONTROL_MESSAGE_H */
