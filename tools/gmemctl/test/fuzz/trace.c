// SPDX-License-Identifier: GPL-2.0
/* What is read of trace_pipe, in two pieces, and what it means. */
#include <string.h>

#include "../../trace/trace.h"
#include "fuzz.h"

static int visit(const struct trace_record *record, void *data)
{
	struct trace_item items[TRACE_ITEMS_MAX];
	size_t nr, *seen = data;
	char text[256];

	(*seen)++;
	if (record->lost)
		return 0;
	FUZZ_ASSERT(record->nr <= TRACE_FIELDS_MAX);
	FUZZ_ASSERT(strlen(record->command) < TRACE_COMMAND_SIZE);
	trace_describe(record, text, sizeof(text));
	FUZZ_ASSERT(strlen(text) < sizeof(text));
	nr = trace_items(record, items);
	FUZZ_ASSERT(nr <= TRACE_ITEMS_MAX);
	for (size_t i = 0; i < nr; i++)
		FUZZ_ASSERT(items[i].type == TRACE_NUMBER || items[i].text);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	size_t cut = size ? data[0] % (size + 1) : 0, once = 0, twice = 0;
	struct trace_lines lines = { .used = 0 };

	FUZZ_ASSERT(!trace_feed(&lines, text, size, visit, &once));
	lines = (struct trace_lines){ .used = 0 };
	FUZZ_ASSERT(!trace_feed(&lines, text, cut, visit, &twice));
	FUZZ_ASSERT(!trace_feed(&lines, text + cut, size - cut, visit, &twice));
	FUZZ_ASSERT(once == twice);
	return 0;
}

size_t fuzz_seed(unsigned int index, uint8_t *data)
{
	static const char head[] = "             a\nb-4711    [001] ..... 12345.678901: ";
	static const char *const seeds[] = {
		"gmem_convert: ino=17 start=8 end=9 target=private content=preserve rc=-11 "
		"error_index=8 refs_seen=3 refs_expected=2\n",
		"gmem_view_mapping: ino=17 start=1 end=5 address=0x7f0000000000 unmap\n",
		"pvmemcontrol_call: minor=0 func=mlock(7) addr=0x200000 length=0x1000 arg=0 "
		"ret_errno=12 ret_code=0 rc=0\nCPU:3 [LOST 1234 EVENTS]\n",
		"gmem_create: ino=17 length=32768 flags=0x7 node=1\n",
	};

	if (index >= sizeof(seeds) / sizeof(seeds[0]))
		return 0;
	return (size_t)snprintf((char *)data, FUZZ_SIZE_MAX, "%s%s", head, seeds[index]);
}
