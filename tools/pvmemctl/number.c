// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "pvmemctl.h"

/* Return: the power of two that a suffix stands for; 0 if it is none. */
static unsigned int unit_shift(const char *unit)
{
	static const char units[] = "KMGT";
	const char *at;

	if (!*unit || unit[1])
		return 0;
	at = strchr(units, toupper((unsigned char)*unit));
	return at ? 10 * (at - units + 1) : 0;
}

/* Return: 0, or -ERANGE. */
static int digits_parse(const char *text, size_t count, unsigned int base, uint64_t *value)
{
	*value = 0;
	for (; count--; text++) {
		unsigned char c = (unsigned char)*text;
		int digit = isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;

		if (__builtin_mul_overflow(*value, base, value) ||
		    __builtin_add_overflow(*value, digit, value))
			return -ERANGE;
	}
	return 0;
}

/* strtoull() would accept white space, signs, octal numbers, and a second 0x. */
int number_parse(const char *text, uint64_t *value)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	size_t count = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");
	unsigned int shift = unit_shift(digits + count);
	uint64_t number;

	if (!count || (digits[count] && !shift))
		return -EINVAL;
	if (digits_parse(digits, count, hex ? 16 : 10, &number) ||
	    number << shift >> shift != number)
		return -ERANGE;
	*value = number << shift;
	return 0;
}
