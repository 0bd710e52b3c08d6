// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/gmem.h>

#include "command.h"
#include "out.h"

/* The command for completion in the shell, see packaging/gmemctl.bash-completion */
#define COMPLETE "__complete"

static const struct command command_help;

/* The built-in payloads, and SEV-SNP, exist only on x86-64. */
const struct command *const commands[] = {
	&command_info,
	&command_check,
	&command_load,
	&command_unload,
#ifdef __x86_64__
	&command_run,
	&command_exec,
#endif
	&command_ps,
	&command_stat,
	&command_map,
	&command_who,
	&command_top,
	&command_trace,
	&command_convert,
	&command_decommit,
	&command_balloon,
#ifdef __x86_64__
	&command_dump,
	&command_handover,
	&command_save,
	&command_restore,
#endif
	&command_stop,
#ifdef __x86_64__
	&command_demo,
	&command_bench,
	&command_snp,
#endif
	&command_realm,
	&command_help,
	NULL
};

static int help_all(void)
{
	struct json_object *list = out_array(out_root(), "commands");

	out_text("usage: gmemctl [COMMAND [OPTIONS]]\n\n"
		 "Controls gmem: guest memory whose pages are shared with the host or\n"
		 "private to the guest. Without a command: info.\n\n");
	for (const struct command *const *at = commands; *at; at++) {
		struct json_object *entry = out_append(list);

		out_string(entry, "name", (*at)->name);
		out_string(entry, "summary", (*at)->summary);
		out_text("  %-8s %s\n", (*at)->name, (*at)->summary);
	}
	out_text("\n"
		 "  --version  print the versions of gmemctl, its ABI and the module; also -V\n"
		 "  --help     print this; also -h, and `gmemctl help COMMAND`\n"
		 "  --json     print a JSON object instead of text, errors included\n"
		 "  --color WHEN\n"
		 "             auto: colours on a terminal, unless NO_COLOR is set; always; never\n"
		 "\nExit codes: 0 success; 1 failure; 2 wrong usage; 3 what was verified\n"
		 "must not be trusted; 4 this host lacks something (KVM, a VM\n"
		 "type, the module).\n");
	return EXIT_CODE_OK;
}

static int help_one(const struct command *command)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return out_no_memory(command->name);
	command_show(command, stream);
	if (fclose(stream)) {
		free(text);
		return out_no_memory(command->name);
	}
	out_string(out_root(), "help", text);
	out_text("%s", text);
	free(text);
	return EXIT_CODE_OK;
}

/* Return: a command, or NULL after an error was printed. */
static const struct command *find(int argc, char **argv, int *used)
{
	const struct command *command = command_find(argc, argv, used);

	if (!command && *used)
		usage_error(argv[1], "no such sub-command", "see `gmemctl help %s`", argv[0]);
	else if (!command)
		usage_error(argv[0], "no such command", "see `gmemctl help`");
	return command;
}

static const struct cli_option help_options[] = {
	{ "COMMAND", NULL, option_text, .optional = true },
	{ "SUB-COMMAND", NULL, option_text, .offset = sizeof(char *), .optional = true },
	{ 0 }
};

static int help_main(const struct command *command, void *arguments)
{
	char **words = arguments;
	int used, count = words[1] ? 2 : 1;

	if (!words[0])
		return help_all();
	command = find(count, words, &used);
	if (!command)
		return EXIT_CODE_USAGE;
	if (used < count)
		return usage_error(words[1], "no such sub-command",
				   "see `gmemctl help %s`", words[0]);
	return help_one(command);
}

static const struct command command_help = {
	.name = "help",
	.run = help_main,
	.size = 2 * sizeof(char *),
	.summary = "explain a command",
	.usage = "help [COMMAND [SUB-COMMAND]]\nCOMMAND [SUB-COMMAND] --help",
	.options = help_options,
	.examples = "gmemctl help run\n"
		    "gmemctl help snp measure\n"
		    "gmemctl convert --help",
};

static int version_main(void)
{
	char version[HOST_VERSION_SIZE] = "";
	bool loaded = modules_loaded("gmem", version);

	out_string(out_root(), "gmemctl", GMEM_VERSION);
	out_uint(out_root(), "abi_version", GMEM_ABI_VERSION);
	out_string(out_root(), "module", loaded && version[0] ? version : NULL);
	out_bool(out_root(), "module_loaded", loaded);
	out_text("gmemctl %s\nABI %u\nmodule %s\n", GMEM_VERSION, GMEM_ABI_VERSION,
		 !loaded ? "not loaded" : version[0] ? version : "of unknown version");
	return EXIT_CODE_OK;
}

/* Whether --json was given. Used without a command, when values cannot be told from options. */
static bool has_json(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--json"))
			return true;
	return false;
}

/* Run a command. @argv starts with the last word of its name */
static int run_command(const struct command *command, int argc, char **argv)
{
	void *arguments = calloc(1, command->size + 1);
	int code;

	if (!arguments)
		return out_no_memory(command->name);
	if (command->defaults)
		memcpy(arguments, command->defaults, command->size);
	if (command->lines)
		out_lines();
	code = command_parse(command, argc, argv, arguments);
	if (!code)
		code = command->run(command, arguments);
	if (command->end)
		command->end(arguments, code);
	free(arguments);
	return code;
}

static int dispatch_command(int argc, char **argv, bool json)
{
	struct asked asked = { .json = json };
	const struct command *command;
	int used;

	command = command_find(argc, argv, &used);
	if (command)
		command_ask(command, argc - used + 1, argv + used - 1, &asked);
	else
		asked.json |= has_json(argc, argv);
	/* Before options are parsed, so that errors about them are in JSON, too. */
	out_start(asked.json);
	if (asked.color)
		out_color_set(asked.color);
	if (!command)
		return find(argc, argv, &used) ? 0 : EXIT_CODE_USAGE;
	if (asked.help)
		return help_one(command);
	if (command->subcommands)
		return usage_error(command->name, "sub-command is missing",
				   "`gmemctl help %s` lists them", command->name);
	return run_command(command, argc - used + 1, argv + used - 1);
}

/* Run the command of the command line; without one, info. */
static int dispatch(int argc, char **argv)
{
	bool json = false, help;
	const char *color = NULL;

	/* --json and --color may come before the command, too. */
	for (argc--, argv++; argc; argc--, argv++) {
		if (!strcmp(argv[0], "--json")) {
			json = true;
		} else if (!strncmp(argv[0], "--color=", 8)) {
			color = argv[0] + 8;
		} else if (!strcmp(argv[0], "--color") && argc > 1) {
			color = argv[1];
			argc--;
			argv++;
		} else {
			break;
		}
	}
	if (color && !out_color_set(color)) {
		out_start(json || has_json(argc, argv));
		return usage_error("--color", "unknown word",
				   "auto, always or never, not '%s'", color);
	}
	if (argc && argv[0][0] != '-')
		return !strcmp(argv[0], COMPLETE) ?
		       command_complete(argc - 1, argv + 1) :
		       dispatch_command(argc, argv, json);
	out_start(json || has_json(argc, argv));
	if (!argc)
		return run_command(&command_info, 1, argv - 1);
	help = !strcmp(argv[0], "--help") || !strcmp(argv[0], "-h");
	if (!help && strcmp(argv[0], "--version") && strcmp(argv[0], "-V"))
		return usage_error(argv[0], "unknown option", "see `gmemctl help`");
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--json"))
			return usage_error(argv[i], "unexpected argument", "see `gmemctl help`");
	return help ? help_all() : version_main();
}

int main(int argc, char **argv)
{
	int rc = process_start();

	if (rc) {
		out_error("standard input, output and error", "open", rc, NULL);
		return EXIT_CODE_FAILURE;
	}
	return out_finish(dispatch(argc, argv));
}
