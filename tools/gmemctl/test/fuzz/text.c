// SPDX-License-Identifier: GPL-2.0
/* Fuzz target: what is said about text from outside is UTF-8, however it is cut. */
#include <stdlib.h>
#include <string.h>

#include "../../base/text.h"
#include "fuzz.h"

/* How many sizes texts are cut at, by the size of the input */
#define CUT_SIZES 64

/* Return: how many bytes at its start are whole characters. */
static size_t valid(const char *text)
{
	size_t used = 0, size;

	while ((size = text_character(text + used)))
		used += size;
	return used;
}

static void cut(const char *text, size_t size)
{
	char *room = malloc(size);

	if (!room)
		return;
	text_print(room, size, "%s", text);
	FUZZ_ASSERT(!strncmp(room, text, strlen(room)));
	/* What is UTF-8 stays so; of the rest no more than a character goes. */
	if (valid(text) == strlen(text))
		FUZZ_ASSERT(valid(room) == strlen(room));
	if (strlen(text) >= size)
		FUZZ_ASSERT(strlen(room) + 1 + 4 >= size);
	free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *escaped;

	escaped = text_escape(text);
	FUZZ_ASSERT(escaped && valid(escaped) == strlen(escaped));
	if (text_is_plain(text))
		FUZZ_ASSERT(!strcmp(text, escaped));
	cut(escaped, 1 + size % CUT_SIZES);
	cut(text, 1 + size % CUT_SIZES);
	text_mask(text, "");
	FUZZ_ASSERT(text_is_plain(text));
	free(escaped);
	free(text);
	return 0;
}

FUZZ_SEED_TEXTS("plain", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7", "a\xff\xc3",
		"/none/\xed\xa0\x80/\xf4\x8f\xbf\xbf")
