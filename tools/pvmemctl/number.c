// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

/* Return: a power of two, 0 if it is no unit. */
static unsigned int unit_shift(const char *unit)
{
	static const char units[] = "KMGT";
	const char *at;

	if (!*unit || unit[1])
		return 0;
	at = strchr(units, toupper((unsigned char)*unit));
	return at ? 10 * (at - units + 1) : 0;
}

int number_parse(const char *text, uint64_t *value)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	unsigned int shift;
	uint64_t number;
	char *end;

	/* strtoull() takes white space, signs, and 0 as the start of octal. */
	if (!isdigit((unsigned char)text[0]) || (hex && !isxdigit((unsigned char)text[2])))
		return -EINVAL;
	errno = 0;
	number = strtoull(hex ? text + 2 : text, &end, hex ? 16 : 10);
	shift = unit_shift(end);
	if (*end && !shift)
		return -EINVAL;
	if (errno || number << shift >> shift != number)
		return -ERANGE;
	*value = number << shift;
	return 0;
}
