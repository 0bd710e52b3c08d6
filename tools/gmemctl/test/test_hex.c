// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "../base/hex.h"
#include "test_hex.h"

bool is_hex(const void *bytes, size_t size, const char *text)
{
	const unsigned char *at = bytes;
	char digits[3];

	if (strlen(text) != 2 * size)
		return false;
	for (size_t i = 0; i < size; i++)
		if (memcmp(hex_format(at + i, 1, digits), text + 2 * i, 2))
			return false;
	return true;
}
