// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "hex.h"

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -EINVAL;
}

int hex_parse(const char *text, uint8_t *bytes, size_t size)
{
	if (strlen(text) != 2 * size)
		return -EINVAL;
	for (size_t i = 0; i < 2 * size; i++)
		if (digit(text[i]) < 0)
			return -EINVAL;
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(digit(text[2 * i]) << 4 |
				     digit(text[2 * i + 1]));
	return 0;
}

char *hex_format(const uint8_t *bytes, size_t size, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 0xf];
	}
	text[2 * size] = '\0';
	return text;
}
