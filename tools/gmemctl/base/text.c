// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define ESCAPE_SIZE 4	/* \xNN */

static const struct {
	uint8_t mask, lead;
	uint32_t least;
} forms[] = {
	{ 0x80, 0x00, 0 },
	{ 0xe0, 0xc0, 0x80 },
	{ 0xf0, 0xe0, 0x800 },
	{ 0xf8, 0xf0, 0x10000 },
};

#define FORMS (sizeof(forms) / sizeof(forms[0]))

static bool is_continuation(char byte)
{
	return ((uint8_t)byte & 0xc0) == 0x80;
}

size_t text_character(const char *text)
{
	uint8_t first = (uint8_t)*text;
	size_t more = 0;
	uint32_t code;

	if (!first)
		return 0;
	while (more < FORMS && (first & forms[more].mask) != forms[more].lead)
		more++;
	if (more == FORMS)
		return 0;
	code = first & (uint8_t)~forms[more].mask;
	for (size_t i = 1; i <= more; i++) {
		if (!is_continuation(text[i]))
			return 0;
		code = code << 6 | ((uint8_t)text[i] & 0x3f);
	}
	if (code < forms[more].least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return more + 1;
}

/* Remove an incomplete character from the end of a text that was truncated */
static void cut_part(char *text, size_t length)
{
	size_t start = length;

	while (start && length - start < FORMS - 1 &&
	       is_continuation(text[start - 1]))
		start--;
	if (start && !text_character(text + start - 1))
		text[start - 1] = '\0';
}

void text_format(char *text, size_t size, const char *format, va_list args)
{
	int length = vsnprintf(text, size, format, args);

	if (length >= 0 && (size_t)length >= size)
		cut_part(text, size - 1);
}

void text_print(char *text, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_format(text, size, format, args);
	va_end(args);
}

/* Whether it is a control character of ISO 6429 (C0 or C1), or DEL */
static bool is_control(const char *text, size_t size)
{
	uint8_t first = (uint8_t)*text;

	return size == 1 ? first < ' ' || first == 0x7f :
	       size == 2 && first == 0xc2 && (uint8_t)text[1] < 0xa0;
}

char *text_escape(const char *text)
{
	char *escaped = malloc(ESCAPE_SIZE * strlen(text) + 1), *to = escaped;

	if (!escaped)
		return NULL;
	while (*text) {
		size_t size = text_character(text);

		if (size == 1 || (size && !is_control(text, size))) {
			memcpy(to, text, size);
			to += size;
			text += size;
		} else {
			to += sprintf(to, "\\x%02x", (uint8_t)*text++);
		}
	}
	*to = '\0';
	return escaped;
}

/* Return: the number of bytes up to the first that must be masked or escaped. */
static size_t plain(const char *text, const char *except)
{
	size_t used = 0, size;

	while ((size = text_character(text + used)) &&
	       (!is_control(text + used, size) || strchr(except, text[used])))
		used += size;
	return used;
}

bool text_is_plain(const char *text)
{
	return !text[plain(text, "")];
}

void text_mask(char *text, const char *except)
{
	while (*(text += plain(text, except)))
		*text = '?';
}
