/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text from outside: paths, names and arguments are bytes, of any kind and length,
 * and what is said about them is UTF-8.
 */
#ifndef GMEMCTL_BASE_TEXT_H
#define GMEMCTL_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * text_character() - look for a character of UTF-8 at the start of a string
 *
 * As RFC 3629 has it: the shortest form only, no surrogates, up to U+10FFFF.
 *
 * Return: its bytes, 1 to 4; 0 if there is none: at the end, and at a byte that
 * begins none.
 */
size_t text_character(const char *text);

/**
 * text_format() - vsnprintf() that does not cut a character in two
 * @size: of @text, at least 1
 */
void text_format(char *text, size_t size, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

/** text_print() - the same, with the arguments themselves */
void text_print(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * text_escape() - make UTF-8 of any string
 *
 * A byte that belongs to no character becomes \xNN, which is text of its own. So do
 * controls beyond ASCII, which are orders to a terminal, too, and which JSON does not escape.
 *
 * Return: a string to be freed, or NULL if there is no memory.
 */
char *text_escape(const char *text);

/** text_is_plain() - whether there are only characters, and no orders to a terminal */
bool text_is_plain(const char *text);

/**
 * text_mask() - make it so
 * @except: orders that may stay, such as "\n"
 *
 * Each byte of anything else becomes "?".
 */
void text_mask(char *text, const char *except);

#endif /* GMEMCTL_BASE_TEXT_H */
