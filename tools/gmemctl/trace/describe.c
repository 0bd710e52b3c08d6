// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints of module/trace.h and module/pvmemcontrol/trace.h, as text and as items
 * for programs. In the text of an event, {key} is replaced by the output of its function in
 * words[], or by the field with that name. Items have bytes for pages, and names for errors.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/gmem.h>

#include "../base/text.h"
#include "../memory/range.h"
#include "trace.h"

#define GMEM "gmem"
#define PVMEMCONTROL "pvmemcontrol"

const struct trace_event trace_events[TRACE_EVENTS] = {
	{ GMEM, "gmem_create", "create",
	  "{length}, {flags}{node}" },
	{ GMEM, "gmem_release", "release",
	  "{length}" },
	{ GMEM, "gmem_fault", "fault",
	  "{index}: {ret}" },
	{ GMEM, "gmem_lookup", "lookup",
	  "{index}: {rc}{pfn}" },
	{ GMEM, "gmem_poison", "poison",
	  "{index}: {rc}" },
	{ GMEM, "gmem_convert", "convert",
	  "{range} to {target}, {content}: {rc}{holder}" },
	{ GMEM, "gmem_commit", "commit",
	  "{range}: {rc}" },
	{ GMEM, "gmem_punch", "punch",
	  "{range}: {rc}" },
	{ GMEM, "gmem_bind", "bind",
	  "{range} to {store_start} of its store: {rc}" },
	{ GMEM, "gmem_unbind", "unbind",
	  "{range}, {moved} pages have moved" },
	{ GMEM, "gmem_view", "view",
	  "{range} {change}" },
	{ GMEM, "gmem_view_mapping", "view_mapping",
	  "{range} {change} at {address}" },
	{ GMEM, "gmem_view_populate", "view_populate",
	  "{range}, {pages} pages filled: {rc}" },
	{ GMEM, "gmem_view_refill", "view_refill",
	  "{range}, {pages} pages filled: {rc}" },
	{ GMEM, "gmem_view_fault", "view_fault",
	  "guest address {gpa}, {error_code}, number {count} of its thread" },
	{ PVMEMCONTROL, "pvmemcontrol_call", "pvmemcontrol_call",
	  "device {minor}: {func}{bytes}: {rc}{vmm}" },
	{ PVMEMCONTROL, "pvmemcontrol_state", "pvmemcontrol_state",
	  "device {minor}: {from} to {to}: {rc}" },
};

/* The third column of trace_events, for options */
const char *const trace_words[TRACE_EVENTS + 1] = {
	"create", "release", "fault", "lookup", "poison", "convert", "commit", "punch",
	"bind", "unbind", "view", "view_mapping", "view_populate", "view_refill",
	"view_fault", "pvmemcontrol_call", "pvmemcontrol_state", NULL
};

int trace_event_find(const char *name)
{
	for (int i = 0; i < TRACE_EVENTS; i++) {
		if (!strcmp(trace_events[i].name, name))
			return i;
	}
	return -1;
}

uint32_t trace_of_files(uint32_t events)
{
	uint32_t of_files = 0;

	for (unsigned int i = 0; i < TRACE_EVENTS; i++) {
		if (!strcmp(trace_events[i].system, GMEM))
			of_files |= UINT32_C(1) << i;
	}
	return events & of_files;
}

const char *trace_value(const struct trace_record *record, const char *key)
{
	for (size_t i = 0; i < record->nr; i++) {
		if (!strcmp(record->fields[i].key, key))
			return record->fields[i].value;
	}
	return NULL;
}

bool trace_inode(const struct trace_record *record, uint64_t *inode)
{
	const char *value = trace_value(record, "ino");

	if (!value)
		return false;
	*inode = strtoull(value, NULL, 10);
	return true;
}

/* Size of the text that replaces one {key} */
#define WORDS_MAX 160

/* Bits of a fault's error code: PFERR_* in KVM's asm/kvm_host.h */
#define FAULT_WRITE UINT64_C(2)
#define FAULT_FETCH UINT64_C(16)

typedef void (*words_fn)(const struct trace_record *record, char *text, size_t size);

static uint64_t number_of(const struct trace_record *record, const char *key)
{
	const char *value = trace_value(record, key);

	return value ? strtoull(value, NULL, 0) : 0;
}

static uint64_t bytes_of(const struct trace_record *record, const char *key)
{
	return number_of(record, key) * RANGE_PAGE_SIZE;
}

static const char *word_of(const struct trace_record *record, const char *key)
{
	const char *value = trace_value(record, key);

	return value ? value : "?";
}

/* A range of pages: the first byte, the byte after the range, the number of pages. */
static void range_words(const struct trace_record *record, char *text, size_t size)
{
	uint64_t start = bytes_of(record, "start"), end = bytes_of(record, "end");
	uint64_t pages = (end - start) / RANGE_PAGE_SIZE;

	text_print(text, size, "0x%08" PRIx64 "-0x%08" PRIx64 " (%" PRIu64 " page%s)", start,
		   end, pages, pages == 1 ? "" : "s");
}

static void index_words(const struct trace_record *record, char *text, size_t size)
{
	text_print(text, size, "page at 0x%08" PRIx64, bytes_of(record, "index"));
}

static void length_words(const struct trace_record *record, char *text, size_t size)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	uint64_t length = number_of(record, "length");
	size_t unit = 0;

	while (length && !(length % 1024) && unit < sizeof(units) / sizeof(units[0]) - 1) {
		length /= 1024;
		unit++;
	}
	text_print(text, size, "%" PRIu64 " %s", length, units[unit]);
}

static void flags_words(const struct trace_record *record, char *text, size_t size)
{
	uint64_t flags = number_of(record, "flags");

	text_print(text, size, "%s at first%s",
		   flags & GMEM_CREATE_F_INIT_SHARED ? "shared" : "private",
		   flags & GMEM_CREATE_F_GUEST_CONSENT ? ", the guest's consent is asked" : "");
}

static void node_words(const struct trace_record *record, char *text, size_t size)
{
	if (number_of(record, "flags") & GMEM_CREATE_F_NODE)
		text_print(text, size, ", node %s", word_of(record, "node"));
	else
		*text = '\0';
}

static void rc_words(const struct trace_record *record, char *text, size_t size)
{
	int rc = atoi(word_of(record, "rc"));
	const char *name = rc < 0 && rc > -4096 ? strerrorname_np(-rc) : NULL;

	if (!rc)
		text_print(text, size, "ok");
	else if (name)
		text_print(text, size, "%s", name);
	else
		text_print(text, size, "%d", rc);
}

/* The page because of which a conversion has failed with EAGAIN. */
static void holder_words(const struct trace_record *record, char *text, size_t size)
{
	if (strcmp(word_of(record, "rc"), "-11") || !number_of(record, "refs_seen"))
		*text = '\0';
	else
		text_print(text, size, "; 0x%08" PRIx64 " is held: %" PRIu64 " references, %"
			   PRIu64 " expected", bytes_of(record, "error_index"),
			   number_of(record, "refs_seen"), number_of(record, "refs_expected"));
}

static void ret_words(const struct trace_record *record, char *text, size_t size)
{
	const char *ret = word_of(record, "ret");

	if (!strcmp(ret, "locked"))
		text_print(text, size, "mapped");
	else if (!strcmp(ret, "sigbus"))
		text_print(text, size, "SIGBUS");
	else if (!strcmp(ret, "oom"))
		text_print(text, size, "ENOMEM");
	else
		text_print(text, size, "%s", ret);
}

static void pfn_words(const struct trace_record *record, char *text, size_t size)
{
	if (strcmp(word_of(record, "rc"), "0"))
		*text = '\0';
	else
		text_print(text, size, ", %s, frame %s", word_of(record, "state"),
			   word_of(record, "pfn"));
}

static void store_start_words(const struct trace_record *record, char *text, size_t size)
{
	text_print(text, size, "0x%08" PRIx64, bytes_of(record, "store_start"));
}

/* A view's fd, or a mapping of it */
static void change_words(const struct trace_record *record, char *text, size_t size)
{
	static const struct { const char *word, *says; } changes[] = {
		{ "open", "opened" }, { "release", "closed" },
		{ "map", "mapped" }, { "unmap", "unmapped" },
	};

	text_print(text, size, "?");
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		if (trace_value(record, changes[i].word))
			text_print(text, size, "%s", changes[i].says);
	}
}

static void error_code_words(const struct trace_record *record, char *text, size_t size)
{
	uint64_t code = number_of(record, "error_code");

	text_print(text, size, "%s", code & FAULT_WRITE ? "write" :
		   code & FAULT_FETCH ? "fetch" : "read");
}

/* A range of guest memory. Some functions have none. */
static void bytes_words(const struct trace_record *record, char *text, size_t size)
{
	uint64_t addr = number_of(record, "addr"), length = number_of(record, "length");

	if (!length)
		*text = '\0';
	else
		text_print(text, size, " 0x%08" PRIx64 "-0x%08" PRIx64 " (%" PRIu64 " bytes)",
			   addr, addr + length, length);
}

static void vmm_words(const struct trace_record *record, char *text, size_t size)
{
	uint64_t number = number_of(record, "ret_errno");
	const char *name = number < 4096 ? strerrorname_np((int)number) : NULL;

	if (!number)
		*text = '\0';
	else if (name)
		text_print(text, size, ", but the VMM returned %s", name);
	else
		text_print(text, size, ", but the VMM returned %" PRIu64, number);
}

static const struct {
	const char *key;
	words_fn words;
} words[] = {
	{ "range", range_words },
	{ "index", index_words },
	{ "length", length_words },
	{ "flags", flags_words },
	{ "node", node_words },
	{ "rc", rc_words },
	{ "holder", holder_words },
	{ "ret", ret_words },
	{ "pfn", pfn_words },
	{ "store_start", store_start_words },
	{ "change", change_words },
	{ "error_code", error_code_words },
	{ "bytes", bytes_words },
	{ "vmm", vmm_words },
};

static void fill_in(const struct trace_record *record, const char *key, char *text, size_t size)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(words[i].key, key)) {
			words[i].words(record, text, size);
			return;
		}
	}
	text_print(text, size, "%s", word_of(record, key));
}

/* Append at *used, and truncate if there is no room. */
static void append(char *text, size_t size, size_t *used, const char *what, size_t length)
{
	size_t room = size - 1 - *used;

	length = length < room ? length : room;
	memcpy(text + *used, what, length);
	*used += length;
	text[*used] = '\0';
}

void trace_describe(const struct trace_record *record, char *text, size_t size)
{
	int event = trace_event_find(record->event);
	const char *at, *end;
	char key[32], part[WORDS_MAX];
	size_t used = 0;

	*text = '\0';
	/* The fields of an unknown event, such as one of a newer module, in the kernel's form */
	for (size_t i = 0; event < 0 && i < record->nr; i++) {
		const struct trace_field *field = &record->fields[i];

		append(text, size, &used, " ", i ? 1 : 0);
		append(text, size, &used, field->key, strlen(field->key));
		append(text, size, &used, "=", *field->value ? 1 : 0);
		append(text, size, &used, field->value, strlen(field->value));
	}
	if (event < 0)
		return;
	for (at = trace_events[event].says; *at; at = end) {
		end = at + strcspn(at, "{");
		append(text, size, &used, at, (size_t)(end - at));
		if (!*end)
			break;
		at = end + 1;
		end = at + strcspn(at, "}");
		text_print(key, sizeof(key), "%.*s", (int)(end - at), at);
		fill_in(record, key, part, sizeof(part));
		append(text, size, &used, part, strlen(part));
		end++;
	}
}

/**
 * struct items - the items of a record
 * @to: the caller's array
 * @nr: number of items
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

/* Add a number and its name: "ok" for 0, and "unknown" if an errno has no name */
static void add_errno(struct items *items, const char *key, const char *name_key, uint64_t number)
{
	const char *name = number && number < 4096 ? strerrorname_np((int)number) : NULL;

	add_number(items, key, number);
	add_text(items, name_key, !number ? "ok" : name ? name : "unknown");
}

/* How a field becomes an item. FORM_KEY: the text is the name of the field */
enum form {
	FORM_NUMBER,
	FORM_PAGES,
	FORM_TEXT,
	FORM_SIGNED,
	FORM_KEY,
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
	/* Words without a value: the change of a view or of its mapping */
	{ "open", "change", FORM_KEY },
	{ "release", "change", FORM_KEY },
	{ "map", "change", FORM_KEY },
	{ "unmap", "change", FORM_KEY },
};

static void add_field(struct items *items, const struct trace_field *field)
{
	uint64_t number = strtoull(field->value, NULL, 0);

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const char *key = forms[i].key;

		if (strcmp(forms[i].field, field->key))
			continue;
		if (forms[i].form == FORM_TEXT)
			add_text(items, key, field->value);
		else if (forms[i].form == FORM_KEY)
			add_text(items, key, field->key);
		else if (forms[i].form == FORM_PAGES)
			add_number(items, key, number * RANGE_PAGE_SIZE);
		else if (forms[i].form == FORM_NUMBER || field->value[0] != '-')
			add_number(items, key, number);		/* no node is -1 */
	}
	if (!strcmp(field->key, "rc"))
		add_errno(items, "errno", "result", (uint64_t)labs(strtol(field->value, NULL, 10)));
	else if (!strcmp(field->key, "ret_errno"))
		add_errno(items, "vmm_errno", "vmm_result", strtoull(field->value, NULL, 10));
}

size_t trace_items(const struct trace_record *record, struct trace_item to[TRACE_ITEMS_MAX])
{
	struct items items = { .to = to };
	uint64_t pages;

	for (size_t i = 0; i < record->nr; i++)
		add_field(&items, &record->fields[i]);
	if (trace_value(record, "start") && trace_value(record, "end")) {
		pages = number_of(record, "end") - number_of(record, "start");
		add_number(&items, "size", pages * RANGE_PAGE_SIZE);
		add_number(&items, "pages", pages);
	}
	/* These fields are valid only if a page is held. */
	if (strcmp(word_of(record, "refs_seen"), "0") && trace_value(record, "refs_seen") &&
	    trace_value(record, "refs_expected") && trace_value(record, "error_index")) {
		add_number(&items, "error_offset", bytes_of(record, "error_index"));
		add_number(&items, "references", number_of(record, "refs_seen"));
		add_number(&items, "references_expected", number_of(record, "refs_expected"));
	}
	return items.nr;
}
