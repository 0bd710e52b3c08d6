// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#define OBJECT	"--memory"
#define NODE_MAX 65535

/**
 * struct item - one item of the list
 * @value: text after '='; NULL: there is no '='
 * @bare: it is a SIZE without a key
 */
struct item {
	const char *key;
	const char *value;
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

/**
 * struct parser - a list that is being parsed
 * @option: the result
 * @given: for each key, whether it was given
 */
struct parser {
	struct memory_option *option;
	bool given[KEYS];
	struct error *error;
};

static int item_fail(struct parser *parser, const struct item *item,
		     const char *action, const char *expected)
{
	bool has_both = item->value && !item->bare;

	/* Truncate the texts, because the list may have any length. */
	return error_set(parser->error, -EINVAL, OBJECT, action,
			 "expected %s, not '%.32s%s%.64s'", expected, item->bare ? "" : item->key,
			 has_both ? "=" : "", item->value ? item->value : "");
}

static int parse_size(struct parser *parser, const struct item *item, void *to)
{
	uint64_t *size = to;

	if (!item->value || size_parse(item->value, size) || !*size)
		return item_fail(parser, item, "not a size",
				 "digits and K, M, G, T or nothing, more than 0");
	return 0;
}

static int parse_switch(struct parser *parser, const struct item *item, void *to)
{
	bool is_on = !item->value || !strcmp(item->value, "on");

	if (!is_on && strcmp(item->value, "off"))
		return item_fail(parser, item, "not a switch", "on or off");
	*(bool *)to = is_on;
	return 0;
}

static int parse_kind(struct parser *parser, const struct item *item, void *to)
{
	if (item->value && !backing_kind_find(item->value, strlen(item->value), to))
		return 0;
	return item_fail(parser, item, "no such kind of memory",
			 "shared, private, hugetlb, file, gmem, gmem-store or guest-memfd");
}

static int parse_path(struct parser *parser, const struct item *item, void *to)
{
	if (!item->value || !*item->value || strlen(item->value) >= PATH_MAX)
		return item_fail(parser, item, "not a path", "a path, its commas doubled");
	parser->option->request.path = strcpy(to, item->value);
	return 0;
}

static int parse_fd(struct parser *parser, const struct item *item, void *to)
{
	if (item->value && !count_parse(item->value, INT_MAX, to))
		return 0;
	return item_fail(parser, item, "not a file descriptor", "the number of an open file");
}

static int parse_node(struct parser *parser, const struct item *item, void *to)
{
	if (item->value && !count_parse(item->value, NODE_MAX, to))
		return 0;
	return item_fail(parser, item, "not a NUMA node", "0 to 65535");
}

#define TO_OPTION(member) offsetof(struct memory_option, member)

static const struct {
	const char *name;
	int (*parse)(struct parser *parser, const struct item *item, void *to);
	size_t offset;
} keys[KEYS] = {
	[KEY_SIZE]	= { "size", parse_size, TO_OPTION(size) },
	[KEY_KIND]	= { "kind", parse_kind, TO_OPTION(request.kind) },
	[KEY_THP]	= { "thp", parse_switch, TO_OPTION(request.thp) },
	[KEY_HUGEPAGES]	= { "hugepages", parse_switch, TO_OPTION(request.hugepages) },
	[KEY_HUGEPAGE_SIZE] = { "hugepage_size", parse_size,
				TO_OPTION(request.hugepage_size) },
	[KEY_PREFETCH]	= { "prefetch", parse_switch, TO_OPTION(request.prefetch) },
	[KEY_FILE]	= { "file", parse_path, TO_OPTION(path) },
	[KEY_FD]	= { "fd", parse_fd, TO_OPTION(request.existing_fd) },
	[KEY_NODE]	= { "node", parse_node, TO_OPTION(request.node) },
	[KEY_CONSENT]	= { "consent", parse_switch, TO_OPTION(request.consent) },
	[KEY_DUMP]	= { "dump", parse_switch, TO_OPTION(request.dump) },
};

static int parse_item(struct parser *parser, const struct item *item)
{
	unsigned int key = 0;

	while (key < KEYS && strcmp(keys[key].name, item->key))
		key++;
	if (key == KEYS)
		return item_fail(parser, item, "unknown key",
				 "size, kind, thp, hugepages, hugepage_size, "
				 "prefetch, file, fd, node, consent or dump");
	if (parser->given[key])
		return item_fail(parser, item, "given twice", "each key only once");
	parser->given[key] = true;
	return keys[key].parse(parser, item, (char *)parser->option + keys[key].offset);
}

/* Parse a list. If the first item starts with a digit it is a size without a key. */
static int parse_list(struct parser *parser, char *list)
{
	bool bare = isdigit((unsigned char)*list);
	int rc = 0;

	while (!rc && list) {
		char *text = list_item(&list, !strncmp(list, "file=", strlen("file=")));
		struct item item = { bare ? "size" : text, text, bare };

		if (!bare)
			item.value = strchr(text, '=');
		if (!bare && item.value)
			text[item.value++ - text] = '\0';
		bare = false;
		rc = parse_item(parser, &item);
	}
	return rc;
}

static int check_keys(struct parser *parser)
{
	const struct memory_request *request = &parser->option->request;
	bool huge = request->hugepages || request->kind == BACKING_HUGETLB;
	const struct {
		bool is;
		const char *action, *hint;
	} conflicts[] = {
		{ parser->given[KEY_HUGEPAGE_SIZE] && !huge,
		  "hugepage_size requires hugepages=on",
		  "add hugepages=on, or use thp=on" },
		{ parser->given[KEY_HUGEPAGES] && !request->hugepages &&
		  request->kind == BACKING_HUGETLB,
		  "kind=hugetlb conflicts with hugepages=off", "use kind=shared" },
		{ request->hugepages && request->kind == BACKING_PRIVATE,
		  "hugepages=on conflicts with kind=private",
		  "use kind=hugetlb, or thp=on" },
		{ request->hugepages && request->path,
		  "hugepages=on conflicts with file=...", "leave hugepages off" },
		{ parser->given[KEY_FD] && request->consent,
		  "consent=on conflicts with fd=...",
		  "who creates the memory says so" },
	};

	for (size_t i = 0; i < sizeof(conflicts) / sizeof(conflicts[0]); i++) {
		if (conflicts[i].is)
			return error_set(parser->error, -EINVAL, OBJECT,
					 conflicts[i].action, "%s", conflicts[i].hint);
	}
	return 0;
}

int memory_option_parse(const char *text, struct memory_option *out, struct error *error)
{
	struct parser parser = { .option = out, .error = error };
	struct memory_request *request = &out->request, whole;
	struct memory_config config = { .requests = &whole, .nr_requests = 1 };
	struct range range = { 0, 0 };
	char *list = strdup(text);
	int rc;

	if (!list)
		return error_set(error, -ENOMEM, OBJECT, "allocate", NULL);
	memset(out, 0, sizeof(*out));
	request->existing_fd = -1;
	request->node = -1;
	rc = parse_list(&parser, list);
	free(list);
	if (!rc)
		rc = check_keys(&parser);
	if (rc)
		return rc;
	/* Defaults that depend on the given items */
	if (!parser.given[KEY_KIND] && request->path)
		request->kind = BACKING_FILE;
	if (request->hugepages && request->kind == BACKING_SHARED)
		request->kind = BACKING_HUGETLB;
	if (!parser.given[KEY_THP])
		request->thp = request->kind != BACKING_HUGETLB;
	out->kind_given = parser.given[KEY_KIND] || request->kind != BACKING_SHARED;
	/* Check as if all RAM were one range. Without a size, use one that is valid for all. */
	range.end = out->size ? out->size : request->hugepage_size ?
		    request->hugepage_size : HUGEPAGE_SIZE_DEFAULT;
	whole = *request;
	whole.ranges = &range;
	whole.nr_ranges = 1;
	return memory_config_check(&config, error);
}

int option_memory(const struct cli_option *option, const char *name, const char *text, void *to)
{
	struct error error;

	if (!memory_option_parse(text, to, &error))
		return 0;
	return usage_error(error.object, error.action, "%s", error.hint);
}
