// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <strings.h>

#include "size.h"

static int digits_parse(const char **text, uint64_t *value)
{
	const char *at = *text;
	uint64_t result = 0;

	if (*at < '0' || *at > '9')
		return -EINVAL;
	for (; *at >= '0' && *at <= '9'; at++) {
		if (__builtin_mul_overflow(result, 10, &result) ||
		    __builtin_add_overflow(result, (uint64_t)(*at - '0'), &result))
			return -ERANGE;
	}
	*text = at;
	*value = result;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -EINVAL;
}

static int hex_parse_digits(const char **text, uint64_t *value)
{
	const char *at = *text;
	uint64_t result = 0;

	if (hex_digit(*at) < 0)
		return -EINVAL;
	for (; hex_digit(*at) >= 0; at++) {
		if (result >> 60)
			return -ERANGE;
		result = result << 4 | (uint64_t)hex_digit(*at);
	}
	*text = at;
	*value = result;
	return 0;
}

/* The start of @text, which is behind it afterwards. */
static int value_parse(const char **text, uint64_t *value)
{
	if ((*text)[0] != '0' || ((*text)[1] | 0x20) != 'x')
		return digits_parse(text, value);
	*text += 2;
	return hex_parse_digits(text, value);
}

static int unit_shift(char unit)
{
	switch (unit) {
	case 'K':
	case 'k':
		return 10;
	case 'M':
	case 'm':
		return 20;
	case 'G':
	case 'g':
		return 30;
	case 'T':
	case 't':
		return 40;
	default:
		return -EINVAL;
	}
}

/* Nothing, or a unit by itself, as in 4G, or with a word after it: 4GB, 4GiB. */
static int suffix_shift(const char *suffix)
{
	int shift = *suffix ? unit_shift(*suffix) : 0;

	if (shift <= 0)
		return shift;
	suffix++;
	if (!*suffix || !strcasecmp(suffix, "B") || !strcasecmp(suffix, "iB"))
		return shift;
	return -EINVAL;
}

int size_parse(const char *text, uint64_t *size)
{
	uint64_t value;
	int shift, rc;

	rc = value_parse(&text, &value);
	if (rc)
		return rc;
	shift = suffix_shift(text);
	if (shift < 0)
		return shift;
	if (value > UINT64_MAX >> shift)
		return -ERANGE;
	*size = value << shift;
	return 0;
}

int count_parse(const char *text, uint32_t max, uint32_t *count)
{
	uint64_t value;
	int rc;

	rc = digits_parse(&text, &value);
	if (rc)
		return rc;
	if (*text)
		return -EINVAL;
	if (value > max)
		return -ERANGE;
	*count = (uint32_t)value;
	return 0;
}

int number_parse(const char *text, uint64_t *number)
{
	uint64_t value;
	int rc = value_parse(&text, &value);

	if (rc || *text)
		return rc ? rc : -EINVAL;
	*number = value;
	return 0;
}
