// SPDX-License-Identifier: GPL-2.0
/* Parsers for the values of options. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/hex.h"
#include "../base/text.h"
#include "../control/control.h"
#include "../devices/chipset.h"
#include "command.h"
#include "out.h"

/* Parse the number at the start of *@text, and advance *@text. */
static int value_parse(const char **text, int base, uint64_t *value)
{
	char *end;

	/* Refuse signs and blanks, which strtoull() accepts. */
	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	errno = 0;
	*value = strtoull(*text, &end, base);
	*text = end;
	return errno ? -ERANGE : 0;
}

/* Octal numbers do not exist: 010 is ten. */
static int base_of(const char *text)
{
	return text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10;
}

int size_parse(const char *text, uint64_t *size)
{
	static const char units[] = "kmgt";
	unsigned int shift = 0;
	const char *unit;
	uint64_t value;
	int rc;

	rc = value_parse(&text, base_of(text), &value);
	if (rc)
		return rc;
	if (*text) {
		/* A unit, as in 4G, or with B or iB after it: 4GB, 4GiB. */
		unit = strchr(units, tolower((unsigned char)*text++));
		if (!unit || (*text && strcasecmp(text, "B") && strcasecmp(text, "iB")))
			return -EINVAL;
		shift = 10 * (unsigned int)(unit - units + 1);
	}
	if (value > UINT64_MAX >> shift)
		return -ERANGE;
	*size = value << shift;
	return 0;
}

int count_parse(const char *text, uint32_t max, uint32_t *count)
{
	uint64_t value;
	int rc;

	rc = value_parse(&text, 10, &value);
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
	int rc = value_parse(&text, base_of(text), &value);

	if (rc || *text)
		return rc ? rc : -EINVAL;
	*number = value;
	return 0;
}

char *list_item(char **list, bool path)
{
	char *item = *list, *from = item, *to = item;

	for (; *from && (*from != ',' || (path && from[1] == ',')); from++) {
		*to++ = *from;
		from += *from == ',';
	}
	*list = *from ? from + 1 : NULL;
	*to = '\0';
	return item;
}

int usage_error(const char *object, const char *action, const char *hint, ...)
{
	char text[256];
	va_list args;

	va_start(args, hint);
	text_format(text, sizeof(text), hint, args);
	va_end(args);
	out_error(object, action, 0, "%s", text);
	return EXIT_CODE_USAGE;
}

int option_flag(const struct cli_option *option, const char *name, const char *text, void *to)
{
	*(bool *)to = true;
	return 0;
}

int option_text(const struct cli_option *option, const char *name, const char *text, void *to)
{
	*(const char **)to = text;
	return 0;
}

int option_count(const struct cli_option *option, const char *name, const char *text, void *to)
{
	uint32_t count;

	if (count_parse(text, (uint32_t)option->max, &count) || count < option->min)
		return usage_error(name, "not a number in range", "expected %" PRIu64 " to %" PRIu64
				   ", not '%s'", option->min, option->max, text);
	*(uint32_t *)to = count;
	return 0;
}

int option_number(const struct cli_option *option, const char *name, const char *text, void *to)
{
	if (!number_parse(text, to))
		return 0;
	return usage_error(name, "not a number of 64 bits",
			   "expected digits, or 0x and hexadecimal digits, not '%s'", text);
}

int option_size(const struct cli_option *option, const char *name, const char *text, void *to)
{
	int rc = size_parse(text, to);

	if (!rc)
		return 0;
	return usage_error(name, rc == -ERANGE ? "too large" : "not a size or an address",
			   "expected digits, or 0x and "
			   "hexadecimal digits, and K, M, G, T or nothing, not '%s'", text);
}

int option_hex(const struct cli_option *option, const char *name, const char *text, void *to)
{
	if (!hex_parse(text, to, option->max))
		return 0;
	return usage_error(name, "not the bytes expected", "expected %" PRIu64
			   " hexadecimal digits, not '%s'", 2 * option->max, text);
}

/* Format a list of words: "a, b or c" */
static void list_words(const char *const *words, char *text, size_t size)
{
	const char *between = "";

	for (*text = '\0'; *words; words++) {
		size_t used = strlen(text);

		text_print(text + used, size - used, "%s%s", between, *words);
		between = words[1] && words[2] ? ", " : " or ";
	}
}

int option_word(const struct cli_option *option, const char *name, const char *text, void *to)
{
	char expected[160], action[64];

	for (unsigned int i = 0; option->words[i]; i++) {
		if (strcmp(option->words[i], text))
			continue;
		*(unsigned int *)to = i;
		return 0;
	}
	list_words(option->words, expected, sizeof(expected));
	snprintf(action, sizeof(action), "no such %s", name[0] == '-' ? name + 2 : "word");
	return usage_error(name, action, "expected %s, not '%s'", expected, text);
}

int option_words(const struct cli_option *option, const char *name, const char *text, void *to)
{
	const char *const *words = option->words;
	uint32_t bits = 0;
	char expected[256];

	do {
		size_t length = strcspn(text, ",");
		bool all = length == 3 && !memcmp(text, "all", 3);
		uint32_t found = 0;

		for (unsigned int i = 0; words[i]; i++) {
			if (all || (strlen(words[i]) == length && !memcmp(words[i], text, length)))
				found |= 1U << i;
		}
		if (!found) {
			list_words(words, expected, sizeof(expected));
			return usage_error(name, "no such word", "expected all, or "
					   "some of %s, not '%s'", expected, text);
		}
		bits |= found;
		text += length;
	} while (*text++);
	*(uint32_t *)to = bits;
	return 0;
}

int option_vm_name(const struct cli_option *option, const char *name, const char *text, void *to)
{
	if (!runtime_name_valid(text))
		return usage_error(name, "not a name of a VM",
				   RUNTIME_NAME_RULE ", not '%s'", text);
	*(const char **)to = text;
	return 0;
}

int option_off_port(const struct cli_option *option, const char *name, const char *text, void *to)
{
	uint64_t number;

	if (number_parse(text, &number) || number < OFF_PORT_MIN || number > OFF_PORT_MAX)
		return usage_error(name, "not a port for this",
				   "expected 0x%x to 0x%x, where the PC has no device, not '%s'",
				   OFF_PORT_MIN, OFF_PORT_MAX, text);
	*(uint16_t *)to = (uint16_t)number;
	return 0;
}

/* command_parse() passes a pointer into argv as @text. */
int option_program(const struct cli_option *option, const char *name, const char *text, void *to)
{
	*(char ***)to = (char **)text;
	return 0;
}
