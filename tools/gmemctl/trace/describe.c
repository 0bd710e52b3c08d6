// SPDX-License-Identifier: GPL-2.0
/*
 * What an event says, in words: {key} of a sentence is filled in by the function of that
 * name below, or is the field as it is.
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

/* Room for what stands for one {key} */
#define WORDS_MAX 160

/* What KVM has of a fault, as the hardware says it: PFERR_* of its asm/kvm_host.h */
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

static bool has_word(const struct trace_record *record, const char *word)
{
	return trace_value(record, word);
}

/* A range of pages: its bytes, from the first up to, without, the last, and how many. */
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

/* The page that is in the way, of a conversion that was refused for one. */
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
		if (has_word(record, changes[i].word))
			text_print(text, size, "%s", changes[i].says);
	}
}

static void error_code_words(const struct trace_record *record, char *text, size_t size)
{
	uint64_t code = number_of(record, "error_code");

	text_print(text, size, "%s", code & FAULT_WRITE ? "write" :
		   code & FAULT_FETCH ? "fetch" : "read");
}

/* Of a guest's memory; not all functions have a range. */
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
		text_print(text, size, ", but the VMM says %s", name);
	else
		text_print(text, size, ", but the VMM says %" PRIu64, number);
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

static void fill_in(const struct trace_record *record, const char *key, char *text,
		    size_t size)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(words[i].key, key)) {
			words[i].words(record, text, size);
			return;
		}
	}
	text_print(text, size, "%s", word_of(record, key));
}

/* Append at *used, as far as there is room. */
static void append(char *text, size_t size, size_t *used, const char *what, size_t length)
{
	size_t room = size - 1 - *used;

	length = length < room ? length : room;
	memcpy(text + *used, what, length);
	*used += length;
	text[*used] = '\0';
}

/* A tracepoint of a newer module: as the kernel has it */
static void describe_strange(const struct trace_record *record, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (size_t i = 0; i < record->nr; i++) {
		const struct trace_field *field = &record->fields[i];

		append(text, size, &used, " ", i ? 1 : 0);
		append(text, size, &used, field->key, strlen(field->key));
		append(text, size, &used, "=", *field->value ? 1 : 0);
		append(text, size, &used, field->value, strlen(field->value));
	}
}

void trace_describe(const struct trace_record *record, char *text, size_t size)
{
	int event = trace_event_find(record->event);
	const char *at, *end;
	char key[32], part[WORDS_MAX];
	size_t used = 0;

	if (event < 0) {
		describe_strange(record, text, size);
		return;
	}
	*text = '\0';
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
