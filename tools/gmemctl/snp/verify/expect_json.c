// SPDX-License-Identifier: GPL-2.0
/* A file of expectations. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>

#include "expect.h"

/* Far more than all expectations with all their values. */
#define FILE_MAX (1 << 20)

static int json_bad(const char *name, const char *key, const char *hint,
		    struct error *error)
{
	char action[64];

	snprintf(action, sizeof(action), "read expectation '%.40s'", key);
	return error_set(error, -EINVAL, name, action, "%s", hint);
}

/* Return: how @json would be written as an option, or NULL for null and lists. */
static const char *json_text(struct json_object *json, char buffer[24])
{
	switch (json_object_get_type(json)) {
	case json_type_string:
		/* A NUL within it would hide the rest. */
		return strlen(json_object_get_string(json)) ==
		       (size_t)json_object_get_string_len(json) ?
		       json_object_get_string(json) : NULL;
	case json_type_boolean:
		return json_object_get_boolean(json) ? "true" : "false";
	case json_type_int:
		/* json-c makes the largest number of one that is too large. */
		if (json_object_get_int64(json) < 0 ||
		    json_object_get_uint64(json) == UINT64_MAX)
			return NULL;
		snprintf(buffer, 24, "%" PRIu64, json_object_get_uint64(json));
		return buffer;
	default:
		return NULL;
	}
}

static int json_set(struct snp_expect *expect, enum snp_expect_id id,
		    const char *name, struct json_object *json,
		    struct error *error)
{
	const char *key = snp_expectations[id].name;
	struct error reason;
	char buffer[24];
	const char *text = json_text(json, buffer);

	if (!text)
		return json_bad(name, key, "expected a string, a number, or true or "
				"false, written as the option's value", error);
	if (snp_expect_set(expect, id, text, &reason))
		return json_bad(name, key, reason.hint, error);
	return 0;
}

/* Bytes may be a list: the report has to have one of them. */
static int json_member(struct snp_expect *expect, enum snp_expect_id id,
		       const char *name, struct json_object *json,
		       struct error *error)
{
	size_t length;
	int rc = 0;

	if (!json_object_is_type(json, json_type_array) ||
	    !snp_expectations[id].size)
		return json_set(expect, id, name, json, error);
	length = json_object_array_length(json);
	if (!length)
		return json_bad(name, snp_expectations[id].name,
				"the list is empty: nothing would do", error);
	for (size_t i = 0; i < length && !rc; i++)
		rc = json_set(expect, id, name,
			      json_object_array_get_idx(json, i), error);
	return rc;
}

/*
 * json-c keeps the last of several members of one name, and does not say so. The
 * text has been parsed, so that each colon of the outermost object that is in no
 * string is one member's.
 */
static int count_members(const uint8_t *text, size_t size)
{
	int depth = 0, members = 0;
	uint8_t quote = 0;

	for (size_t i = 0; i < size; i++) {
		uint8_t c = text[i];

		if (quote && c == '\\')
			i++;
		else if (quote)
			quote = c == quote ? 0 : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
		else if (c == ':' && depth == 1)
			members++;
	}
	return members;
}

static int json_object_take(struct snp_expect *expect, const char *name,
			    struct json_object *json, int members,
			    struct error *error)
{
	int rc;

	if (!json_object_is_type(json, json_type_object))
		return error_set(error, -EINVAL, name, "read expectations",
				 "it is not a JSON object: { \"vmpl\": 0 }");
	if (json_object_object_length(json) != members)
		return error_set(error, -EINVAL, name, "read expectations",
				 "a key is there twice, and which of them counts is "
				 "not said: take one out");
	json_object_object_foreach(json, key, member) {
		unsigned int id = 0;

		/* For people, who ask where a value comes from. */
		if (!strcmp(key, "comment"))
			continue;
		while (id < SNP_EXPECT_NR &&
		       strcmp(key, snp_expectations[id].name))
			id++;
		if (id == SNP_EXPECT_NR)
			return json_bad(name, key, "nothing of that name can be "
					"expected; `gmemctl help snp` lists the "
					"options, with - for _", error);
		rc = json_member(expect, (enum snp_expect_id)id, name, member,
				 error);
		if (rc)
			return rc;
	}
	return 0;
}

int snp_expect_read_json(struct snp_expect *expect, const char *name,
			 const uint8_t *data, size_t size, struct error *error)
{
	struct json_tokener *tokener;
	enum json_tokener_error code;
	struct json_object *json;
	int rc;

	memset(expect, 0, sizeof(*expect));
	/* json-c takes a NUL for the end, whatever comes after it. */
	if (size > FILE_MAX || memchr(data, '\0', size))
		return error_set(error, -EINVAL, name, "read expectations",
				 "it is not a JSON object of at most %d bytes",
				 FILE_MAX);
	tokener = json_tokener_new_ex(8);
	if (!tokener)
		return error_set(error, -ENOMEM, name, "read expectations", NULL);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	json = json_tokener_parse_ex(tokener, (const char *)data, (int)size);
	code = json_tokener_get_error(tokener);
	if (code == json_tokener_success)
		rc = json_object_take(expect, name, json,
				      count_members(data, size), error);
	else
		rc = error_set(error, -EINVAL, name, "read expectations",
			       "byte %zu: %s", json_tokener_get_parse_end(tokener),
			       code == json_tokener_continue ?
			       "it ends before its object does: it is empty, or cut "
			       "short" : json_tokener_error_desc(code));
	json_object_put(json);
	json_tokener_free(tokener);
	return rc;
}
