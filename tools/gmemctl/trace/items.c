// SPDX-License-Identifier: GPL-2.0
/* What an event says, for programs: pages become bytes, outcomes become names. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "../memory/range.h"
#include "trace.h"

/**
 * struct items - what has been found
 * @to: of the caller
 * @nr: of them
 */
struct items {
	struct trace_item *to;
	size_t nr;
};

static void add_number(struct items *items, const char *key, uint64_t number)
{
	if (items->nr < TRACE_ITEMS_MAX)
		items->to[items->nr++] = (struct trace_item){ key, TRACE_NUMBER, number, NULL };
}

static void add_text(struct items *items, const char *key, const char *text)
{
	if (items->nr < TRACE_ITEMS_MAX)
		items->to[items->nr++] = (struct trace_item){ key, TRACE_TEXT, 0, text };
}

/* 0, an errno, or one that has no name */
static void add_errno(struct items *items, const char *key, const char *name_key,
		      uint64_t number)
{
	const char *name = number && number < 4096 ? strerrorname_np((int)number) : NULL;

	add_number(items, key, number);
	add_text(items, name_key, !number ? "ok" : name ? name : "unknown");
}

/* How a field becomes an item under another name */
enum form {
	FORM_NUMBER,
	FORM_PAGES,
	FORM_TEXT,
	FORM_SIGNED,
};

static const struct {
	const char *field;
	const char *key;
	enum form form;
} forms[] = {
	{ "ino", "inode", FORM_NUMBER },
	{ "start", "offset", FORM_PAGES },
	{ "index", "offset", FORM_PAGES },
	{ "store_start", "store_offset", FORM_PAGES },
	{ "length", "size", FORM_NUMBER },
	{ "flags", "flags", FORM_NUMBER },
	{ "node", "node", FORM_SIGNED },
	{ "pfn", "pfn", FORM_NUMBER },
	{ "moved", "moved_pages", FORM_NUMBER },
	{ "pages", "filled_pages", FORM_NUMBER },
	{ "address", "address", FORM_NUMBER },
	{ "addr", "address", FORM_NUMBER },
	{ "gpa", "gpa", FORM_NUMBER },
	{ "error_code", "error_code", FORM_NUMBER },
	{ "count", "count", FORM_NUMBER },
	{ "minor", "device", FORM_NUMBER },
	{ "arg", "argument", FORM_NUMBER },
	{ "ret_code", "vmm_code", FORM_NUMBER },
	{ "state", "state", FORM_TEXT },
	{ "target", "target", FORM_TEXT },
	{ "content", "content", FORM_TEXT },
	{ "from", "from", FORM_TEXT },
	{ "to", "to", FORM_TEXT },
	{ "ret", "outcome", FORM_TEXT },
	{ "func", "function", FORM_TEXT },
	{ "code", "function_code", FORM_NUMBER },
};

static void add_form(struct items *items, const struct trace_field *field, const char *key,
		     enum form form)
{
	if (form == FORM_TEXT)
		add_text(items, key, field->value);
	else if (form == FORM_PAGES)
		add_number(items, key, strtoull(field->value, NULL, 0) * RANGE_PAGE_SIZE);
	else if (form == FORM_NUMBER || field->value[0] != '-')	/* no node is -1 */
		add_number(items, key, strtoull(field->value, NULL, 0));
}

static void add_range(struct items *items, const struct trace_record *record)
{
	const char *start = trace_value(record, "start"), *end = trace_value(record, "end");
	uint64_t pages;

	if (!start || !end)
		return;
	pages = strtoull(end, NULL, 10) - strtoull(start, NULL, 10);
	add_number(items, "size", pages * RANGE_PAGE_SIZE);
	add_number(items, "pages", pages);
}

/* The page that is in the way is known only if there is one. */
static void add_holder(struct items *items, const struct trace_record *record)
{
	const char *seen = trace_value(record, "refs_seen");
	const char *expected = trace_value(record, "refs_expected");
	const char *index = trace_value(record, "error_index");

	if (!seen || !expected || !index || !strcmp(seen, "0"))
		return;
	add_number(items, "error_offset", strtoull(index, NULL, 10) * RANGE_PAGE_SIZE);
	add_number(items, "references", strtoull(seen, NULL, 10));
	add_number(items, "references_expected", strtoull(expected, NULL, 10));
}

/* Words that stand alone: what a view, or a mapping of it, has come to */
static bool is_change(const struct trace_field *field)
{
	static const char *const changes[] = { "open", "release", "map", "unmap" };

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		if (!strcmp(field->key, changes[i]))
			return true;
	}
	return false;
}

static void add_field(struct items *items, const struct trace_field *field)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (!strcmp(forms[i].field, field->key))
			add_form(items, field, forms[i].key, forms[i].form);
	}
	if (is_change(field))
		add_text(items, "change", field->key);
	else if (!strcmp(field->key, "rc"))
		add_errno(items, "errno", "result", (uint64_t)labs(strtol(field->value, NULL, 10)));
	else if (!strcmp(field->key, "ret_errno"))
		add_errno(items, "vmm_errno", "vmm_result", strtoull(field->value, NULL, 10));
}

size_t trace_items(const struct trace_record *record, struct trace_item to[TRACE_ITEMS_MAX])
{
	struct items items = { .to = to };

	for (size_t i = 0; i < record->nr; i++)
		add_field(&items, &record->fields[i]);
	add_range(&items, record);
	add_holder(&items, record);
	return items.nr;
}
