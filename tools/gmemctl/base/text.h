/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text from outside: paths, names and arguments can have any bytes and any length. Messages
 * about them are UTF-8.
 */
#ifndef GMEMCTL_BASE_TEXT_H
#define GMEMCTL_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * text_character() - length of the UTF-8 character at the start of a string
 *
 * As in RFC 3629: only the shortest form, no surrogates, up to U+10FFFF.
 *
 * Return: 1 to 4; 0 at the end of the string, or if there is no valid character.
 */
size_t text_character(const char *text);

/**
 * text_format() - as vsnprintf(), but never cuts a character
 * @size: size of @text, at least 1
 */
void text_format(char *text, size_t size, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

/** text_print() - the same with variable arguments */
void text_print(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * text_escape() - convert any string to UTF-8
 *
 * Each byte that is not part of a character becomes the text \xNN. So do control characters
 * above ASCII: terminals interpret them, and JSON does not escape them.
 *
 * Return: a string to be freed, or NULL if there is no memory.
 */
char *text_escape(const char *text);

/** text_is_plain() - whether a string is valid UTF-8 without control characters */
bool text_is_plain(const char *text);

/**
 * text_mask() - replace invalid bytes and control characters by "?", byte by byte
 * @except: control characters that stay, such as "\n"
 */
void text_mask(char *text, const char *except);

#endif /* GMEMCTL_BASE_TEXT_H */
