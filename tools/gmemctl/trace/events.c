// SPDX-License-Identifier: GPL-2.0
/* The tracepoints: those of module/trace.h and module/pvmemcontrol/trace.h. */
#include <stdlib.h>
#include <string.h>

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

/* The third column, for options */
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
