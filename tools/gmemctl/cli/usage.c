// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../snp/hex.h"
#include "cli.h"
#include "out.h"

int usage_error(const char *object, const char *action, const char *hint, ...)
{
	char text[256];
	va_list args;

	va_start(args, hint);
	vsnprintf(text, sizeof(text), hint, args);
	va_end(args);
	out_error(object, action, 0, "%s", text);
	return EXIT_CODE_USAGE;
}

int usage_option(int option, char **argv)
{
	const char *text = argv[optind - 1];

	if (option == ':')
		return usage_error(text, "value is missing",
				   "see `gmemctl help %s`", argv[0]);
	return usage_error(text, "unknown option", "see `gmemctl help %s`",
			   argv[0]);
}

int usage_size(const char *option, const char *text, uint64_t *size)
{
	int rc = size_parse(text, size);

	if (!rc)
		return 0;
	return usage_error(option, rc == -ERANGE ? "too large" : "not a size",
			   "expected digits and K, M, G, T or nothing, not '%s'",
			   text);
}

int usage_count(const char *option, const char *text, uint32_t max,
		uint32_t *count)
{
	if (!count_parse(text, max, count))
		return 0;
	return usage_error(option, "not a number in range",
			   "expected 0 to %u, not '%s'", max, text);
}

int usage_number(const char *option, const char *text, uint64_t *number)
{
	if (!number_parse(text, number))
		return 0;
	return usage_error(option, "not a number of 64 bits",
			   "expected digits, or 0x and hexadecimal digits, not "
			   "'%s'", text);
}

int usage_hex(const char *option, const char *text, uint8_t *bytes, size_t size)
{
	if (!hex_parse(text, bytes, size))
		return 0;
	return usage_error(option, "not the bytes expected",
			   "expected %zu hexadecimal digits, not '%s'", 2 * size,
			   text);
}

int subcommand_run(const struct subcommand *subcommands, size_t count,
		   int argc, char **argv)
{
	if (argc < 2)
		return usage_error(argv[0], "sub-command is missing",
				   "see `gmemctl help %s`", argv[0]);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(subcommands[i].name, argv[1]))
			continue;
		argv[1] = argv[0];
		return subcommands[i].run(argc - 1, argv + 1);
	}
	return usage_error(argv[1], "no such sub-command",
			   "see `gmemctl help %s`", argv[0]);
}
