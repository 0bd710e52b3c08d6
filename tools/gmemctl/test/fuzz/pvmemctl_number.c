// SPDX-License-Identifier: GPL-2.0
/* Fuzz target: what pvmemctl takes for a number is one, and has that value. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../../pvmemctl/number.c"
#include "fuzz.h"

/* Return: the value of a digit in @base, or -1. */
static int digit(char c, int base)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	return at && at - digits < base ? (int)(at - digits) : -1;
}

static unsigned int expect_shift(const char *unit)
{
	switch (*unit) {
	case 'k':
	case 'K':
		return 10;
	case 'm':
	case 'M':
		return 20;
	case 'g':
	case 'G':
		return 30;
	case 't':
	case 'T':
		return 40;
	default:
		return 0;
	}
}

/* The same by hand, digit by digit. */
static int expect(const char *text, uint64_t *value)
{
	int base = !strncmp(text, "0x", 2) || !strncmp(text, "0X", 2) ? 16 : 10;
	bool large = false;
	__uint128_t wide = 0;

	text += base == 16 ? 2 : 0;
	if (digit(*text, base) < 0)
		return -EINVAL;
	for (; digit(*text, base) >= 0; text++) {
		wide = wide * base + digit(*text, base);
		large |= !!(wide >> 64);
		wide = (uint64_t)wide;
	}
	if (*text && (!expect_shift(text) || text[1]))
		return -EINVAL;
	wide <<= expect_shift(text);
	*value = wide;
	return large || wide >> 64 ? -ERANGE : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t value = 1, expected = 1;
	char *text = fuzz_text(data, size);

	FUZZ_ASSERT(number_parse(text, &value) == expect(text, &expected));
	if (!expect(text, &expected))
		FUZZ_ASSERT(value == expected);
	else
		FUZZ_ASSERT(value == 1);
	free(text);
	return 0;
}

FUZZ_SEED_TEXTS("0", "4K", "0x80000000", "18446744073709551615", "16777215T", "0XfFg")
