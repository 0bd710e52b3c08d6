/* SPDX-License-Identifier: GPL-2.0 */
#ifndef GMEMCTL_BASE_HEX_H
#define GMEMCTL_BASE_HEX_H

#include <stddef.h>
#include <stdint.h>

/**
 * hex_parse() - parse exactly @size bytes, as hexadecimal digits of either case
 *
 * Return: 0, or -EINVAL with @bytes unchanged.
 */
int hex_parse(const char *text, uint8_t *bytes, size_t size);

/** hex_format() - write 2 * @size digits and a NUL to @text. Return: @text. */
char *hex_format(const uint8_t *bytes, size_t size, char *text);

#endif /* GMEMCTL_BASE_HEX_H */
