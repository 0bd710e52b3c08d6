// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../control/runtime.h"
#include "../devices/off_port.h"
#include "../kvm/text.h"
#include "../snp/hex.h"
#include "cli.h"
#include "out.h"

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

/* The argument that option_next() has looked at, like optarg and optind */
static const char *option_word;

/* The next argument that begins as an option does; "--" is none. */
static const char *option_find(int argc, char **argv)
{
	for (int i = optind ? optind : 1; i < argc; i++) {
		if (!strcmp(argv[i], "--"))
			return NULL;
		if (argv[i][0] == '-' && argv[i][1])
			return argv[i];
	}
	return NULL;
}

static bool is_name(const char *word, const char *name)
{
	size_t length = strlen(name);

	return !strncmp(word, "--", 2) && !strncmp(word + 2, name, length) &&
	       (!word[2 + length] || word[2 + length] == '=');
}

int option_next(int argc, char **argv, const struct option *options, int *index)
{
	const struct option *option = options;

	option_word = option_find(argc, argv);
	if (option_word) {
		while (option->name && !is_name(option_word, option->name))
			option++;
		optopt = 0;
		if (!option->name)
			return '?';
	}
	return getopt_long(argc, argv, ":", options, index);
}

int usage_option(int option, char **argv)
{
	const char *text = option_word ? option_word : argv[optind - 1];

	if (option == ':')
		return usage_error(text, "value is missing",
				   "see `gmemctl help %s`", argv[0]);
	/* With a value that it does not take, getopt_long() knows it. */
	return usage_error(text, optopt && strchr(text, '=') ?
			   "takes no value" : "unknown option",
			   "see `gmemctl help %s`", argv[0]);
}

int usage_json_only(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = option_next(argc, argv, options, NULL)) != -1)
		if (option != 'j')
			return usage_option(option, argv);
	return 0;
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

int usage_off_port(const char *text, uint16_t *port)
{
	uint64_t number;

	if (number_parse(text, &number) || number < OFF_PORT_MIN ||
	    number > OFF_PORT_MAX)
		return usage_error("--power-off-port", "not a port for this",
				   "expected 0x%x to 0x%x, where the PC has no "
				   "device, not '%s'", OFF_PORT_MIN,
				   OFF_PORT_MAX, text);
	*port = (uint16_t)number;
	return 0;
}

int usage_name(const char *option, const char *name)
{
	if (runtime_name_valid(name))
		return 0;
	return usage_error(option, "not a name of a VM",
			   RUNTIME_NAME_RULE ", not '%s'", name);
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
