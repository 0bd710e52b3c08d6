// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "memory_option.h"

#define OBJECT	"--memory"
#define NODE_MAX 65535

/**
 * struct item - one item of the list, not terminated
 * @key: its key, @key_length bytes
 * @value: what follows the '=', @value_length bytes; NULL: there is no '='
 * @bare: a SIZE without its key
 */
struct item {
	const char *key;
	size_t key_length;
	const char *value;
	size_t value_length;
	bool bare;
};

enum key {
	KEY_SIZE,
	KEY_KIND,
	KEY_THP,
	KEY_HUGEPAGES,
	KEY_HUGEPAGE_SIZE,
	KEY_PREFETCH,
	KEY_FILE,
	KEY_FD,
	KEY_NODE,
	KEY_CONSENT,
	KEY_DUMP,
	KEYS,
};

static const char *const key_names[KEYS] = {
	[KEY_SIZE]		= "size",
	[KEY_KIND]		= "kind",
	[KEY_THP]		= "thp",
	[KEY_HUGEPAGES]		= "hugepages",
	[KEY_HUGEPAGE_SIZE]	= "hugepage_size",
	[KEY_PREFETCH]		= "prefetch",
	[KEY_FILE]		= "file",
	[KEY_FD]		= "fd",
	[KEY_NODE]		= "node",
	[KEY_CONSENT]		= "consent",
	[KEY_DUMP]		= "dump",
};

/**
 * struct parser - a list being parsed
 * @option: the result
 * @given: by key: it was there
 */
struct parser {
	struct memory_option *option;
	bool given[KEYS];
	struct error *error;
};

static int item_fail(struct parser *parser, const struct item *item,
		     const char *action, const char *expected)
{
	/* The list may be of any length and contain anything. */
	int key = item->bare ? 0 : item->key_length < 32 ?
		  (int)item->key_length : 32;
	int value = item->value_length < 64 ? (int)item->value_length : 64;

	return error_set(parser->error, -EINVAL, OBJECT, action,
			 "expected %s, not '%.*s%s%.*s'", expected, key,
			 item->key, item->value && !item->bare ? "=" : "",
			 item->value ? value : 0,
			 item->value ? item->value : "");
}

/* Of two commas in a path, one belongs to the path. */
static void path_unescape(char *path)
{
	char *to = path;

	for (const char *from = path; *from; from++) {
		*to++ = *from;
		if (from[0] == ',' && from[1] == ',')
			from++;
	}
	*to = '\0';
}

/* The value as a string. Return: 0, or -EINVAL if it is too long or missing. */
static int item_copy(const struct item *item, char *text, size_t size)
{
	if (!item->value || !item->value_length || item->value_length >= size)
		return -EINVAL;
	memcpy(text, item->value, item->value_length);
	text[item->value_length] = '\0';
	return 0;
}

static int parse_size(struct parser *parser, const struct item *item,
		      uint64_t *size)
{
	char text[32];

	if (item_copy(item, text, sizeof(text)) || size_parse(text, size) ||
	    !*size)
		return item_fail(parser, item, "not a size",
				 "digits and K, M, G, T or nothing, more "
				 "than 0");
	return 0;
}

static int parse_switch(struct parser *parser, const struct item *item,
			bool *on)
{
	bool is_on = item->value_length == 2 && !memcmp(item->value, "on", 2);
	bool is_off = item->value_length == 3 && !memcmp(item->value, "off", 3);

	if (item->value && !is_on && !is_off)
		return item_fail(parser, item, "not a switch", "on or off");
	*on = !item->value || is_on;
	return 0;
}

static int parse_kind(struct parser *parser, const struct item *item)
{
	if (item->value &&
	    !backing_kind_find(item->value, item->value_length,
			       &parser->option->request.kind))
		return 0;
	return item_fail(parser, item, "no such kind of memory",
			 "shared, private, hugetlb, file, gmem, gmem-store or "
			 "guest-memfd");
}

static int parse_file(struct parser *parser, const struct item *item)
{
	struct memory_option *option = parser->option;

	if (item_copy(item, option->path, sizeof(option->path)))
		return item_fail(parser, item, "not a path",
				 "a path, its commas doubled");
	path_unescape(option->path);
	option->request.path = option->path;
	return 0;
}

static int parse_fd(struct parser *parser, const struct item *item)
{
	char text[32];
	uint32_t fd;

	if (item_copy(item, text, sizeof(text)) ||
	    count_parse(text, INT_MAX, &fd))
		return item_fail(parser, item, "not a file descriptor",
				 "the number of an open file");
	parser->option->request.existing_fd = (int)fd;
	return 0;
}

static int parse_node(struct parser *parser, const struct item *item)
{
	char text[32];
	uint32_t node;

	if (item_copy(item, text, sizeof(text)) ||
	    count_parse(text, NODE_MAX, &node))
		return item_fail(parser, item, "not a NUMA node", "0 to 65535");
	parser->option->request.node = (int)node;
	return 0;
}

static int parse_value(struct parser *parser, enum key key,
		       const struct item *item)
{
	struct memory_request *request = &parser->option->request;

	switch (key) {
	case KEY_SIZE:
		return parse_size(parser, item, &parser->option->size);
	case KEY_KIND:
		return parse_kind(parser, item);
	case KEY_THP:
		return parse_switch(parser, item, &request->thp);
	case KEY_HUGEPAGES:
		return parse_switch(parser, item, &request->hugepages);
	case KEY_HUGEPAGE_SIZE:
		return parse_size(parser, item, &request->hugepage_size);
	case KEY_PREFETCH:
		return parse_switch(parser, item, &request->prefetch);
	case KEY_CONSENT:
		return parse_switch(parser, item, &request->consent);
	case KEY_DUMP:
		return parse_switch(parser, item, &request->dump);
	case KEY_FILE:
		return parse_file(parser, item);
	case KEY_FD:
		return parse_fd(parser, item);
	default:
		return parse_node(parser, item);
	}
}

static enum key key_find(const struct item *item)
{
	unsigned int key;

	for (key = 0; key < KEYS; key++)
		if (strlen(key_names[key]) == item->key_length &&
		    !memcmp(key_names[key], item->key, item->key_length))
			break;
	return (enum key)key;
}

static int parse_item(struct parser *parser, const struct item *item)
{
	enum key key = key_find(item);

	if (key == KEYS)
		return item_fail(parser, item, "unknown key",
				 "size, kind, thp, hugepages, hugepage_size, "
				 "prefetch, file, fd, node, consent or dump");
	if (parser->given[key])
		return item_fail(parser, item, "given twice",
				 "each key only once");
	parser->given[key] = true;
	return parse_value(parser, key, item);
}

/* An item ends at a comma; in a path two of them are one of its own. */
static size_t item_length(const char *text)
{
	bool path = !strncmp(text, "file=", strlen("file="));
	size_t length = strcspn(text, ",");

	while (path && text[length] == ',' && text[length + 1] == ',')
		length += 2 + strcspn(text + length + 2, ",");
	return length;
}

static struct item item_split(const char *text, size_t length)
{
	const char *equals = memchr(text, '=', length);
	struct item item = { .key = text, .key_length = length };

	if (!equals)
		return item;
	item.key_length = (size_t)(equals - text);
	item.value = equals + 1;
	item.value_length = length - item.key_length - 1;
	return item;
}

/* A first item that starts with a digit is a size without its key. */
static int parse_list(struct parser *parser, const char *text)
{
	const char *at = text;

	while (1) {
		size_t length = item_length(at);
		struct item item = item_split(at, length);
		int rc;

		if (at == text && *at >= '0' && *at <= '9')
			item = (struct item){ "size", 4, at, length, true };
		rc = parse_item(parser, &item);
		if (rc || !at[length])
			return rc;
		at += length + 1;
	}
}

static int conflict(struct parser *parser, const char *action,
		    const char *hint)
{
	return error_set(parser->error, -EINVAL, OBJECT, action, "%s", hint);
}

static int check_keys(struct parser *parser)
{
	const struct memory_request *request = &parser->option->request;
	bool huge = request->hugepages || request->kind == BACKING_HUGETLB;

	if (parser->given[KEY_HUGEPAGE_SIZE] && !huge)
		return conflict(parser, "hugepage_size requires hugepages=on",
				"add hugepages=on, or use thp=on");
	if (parser->given[KEY_HUGEPAGES] && !request->hugepages &&
	    request->kind == BACKING_HUGETLB)
		return conflict(parser, "kind=hugetlb conflicts with "
				"hugepages=off", "use kind=shared");
	if (request->hugepages && request->kind == BACKING_PRIVATE)
		return conflict(parser, "hugepages=on conflicts with "
				"kind=private", "use kind=hugetlb, or thp=on");
	if (request->hugepages && request->path)
		return conflict(parser, "hugepages=on conflicts with file=...",
				"leave hugepages off");
	if (parser->given[KEY_FD] && request->consent)
		return conflict(parser, "consent=on conflicts with fd=...",
				"who creates the memory says so");
	return 0;
}

/* What follows from what was given. */
static void fill_in(struct parser *parser)
{
	struct memory_request *request = &parser->option->request;

	if (!parser->given[KEY_KIND] && request->path)
		request->kind = BACKING_FILE;
	if (request->hugepages && request->kind == BACKING_SHARED)
		request->kind = BACKING_HUGETLB;
	if (!parser->given[KEY_THP])
		request->thp = request->kind != BACKING_HUGETLB;
}

/* As if all RAM were one range; without a size, one that fits everything. */
static int check_table(struct parser *parser)
{
	struct memory_option *option = parser->option;
	struct memory_request request = option->request;
	struct memory_config config = { .requests = &request,
					.nr_requests = 1 };
	struct range range = { 0, option->size };

	if (!option->size)
		range.end = request.hugepage_size ? request.hugepage_size :
						    HUGEPAGE_SIZE_DEFAULT;
	request.ranges = &range;
	request.nr_ranges = 1;
	return memory_config_check(&config, parser->error);
}

int memory_option_parse(const char *text, struct memory_option *out,
			struct error *error)
{
	struct parser parser = { .option = out, .error = error };
	int rc;

	memset(out, 0, sizeof(*out));
	out->request.existing_fd = -1;
	out->request.node = -1;
	rc = parse_list(&parser, text);
	if (!rc)
		rc = check_keys(&parser);
	if (rc)
		return rc;
	fill_in(&parser);
	out->kind_given = parser.given[KEY_KIND] ||
			  out->request.kind != BACKING_SHARED;
	return check_table(&parser);
}

int option_memory(const struct cli_option *option, const char *name,
		  const char *text, void *to)
{
	struct error error;

	(void)option;
	(void)name;
	if (!memory_option_parse(text, to, &error))
		return 0;
	return usage_error(error.object, error.action, "%s", error.hint);
}
