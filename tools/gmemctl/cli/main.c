// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/gmem.h>

#include "cli.h"
#include "modules.h"
#include "out.h"
#include "process.h"

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < commands_nr; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static void help_command(struct json_object *list, const struct command *command)
{
	struct json_object *entry = out_append(list);

	out_string(entry, "name", command->name);
	out_string(entry, "summary", command->summary);
	out_text("  %-8s %s\n", command->name, command->summary);
}

static int help_all(void)
{
	struct json_object *list = out_array(out_root(), "commands");

	out_text("usage: gmemctl [COMMAND [OPTIONS]]\n"
		 "\n"
		 "Drives gmem: guest memory whose pages are shared with the host or\n"
		 "private to the guest. Without a command: info.\n"
		 "\n");
	for (size_t i = 0; i < commands_nr; i++)
		help_command(list, commands[i]);
	out_text("\n"
		 "  --version  print the versions of gmemctl, its ABI and the module\n"
		 "  --help     print this; also `gmemctl help COMMAND`\n"
		 "  --json     print a JSON object instead of text, errors included\n"
		 "\n"
		 "Exit codes: 0 success; 1 failure; 2 wrong usage; 3 what was verified\n"
		 "must not be trusted; 4 this machine lacks what is needed (KVM, a VM\n"
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
	fputs(command->help, stream);
	if (command->help_more)
		command->help_more(stream);
	if (fclose(stream)) {
		free(text);
		return out_no_memory(command->name);
	}
	out_string(out_root(), "help", text);
	out_text("%s", text);
	free(text);
	return EXIT_CODE_OK;
}

static int help_main(int argc, char **argv)
{
	const struct command *command;
	int code = usage_json_only(argc, argv);

	if (code)
		return code;
	if (optind == argc)
		return help_all();
	command = command_find(argv[optind]);
	if (!command || argc > optind + 1)
		return usage_error(argv[command ? optind + 1 : optind],
				   "no such command",
				   "`gmemctl help` lists them");
	return help_one(command);
}

const struct command command_help = {
	.name = "help",
	.run = help_main,
	.summary = "explain a command",
	.help = "usage: gmemctl help [COMMAND]\n"
		"       gmemctl COMMAND --help\n",
};

static int version_main(void)
{
	bool loaded = modules_loaded("gmem");
	char version[64] = "";

	if (loaded)
		modules_version("gmem", version, sizeof(version));
	out_string(out_root(), "gmemctl", GMEM_VERSION);
	out_uint(out_root(), "abi_version", GMEM_ABI_VERSION);
	out_string(out_root(), "module", loaded && version[0] ? version : NULL);
	out_bool(out_root(), "module_loaded", loaded);
	out_text("gmemctl %s\nABI %u\nmodule %s\n", GMEM_VERSION,
		 GMEM_ABI_VERSION, !loaded ? "not loaded" :
		 version[0] ? version : "of unknown version");
	return EXIT_CODE_OK;
}

/* An argument that is @word, before those that are no options in any case */
static bool has_word(int argc, char **argv, const char *word)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], word))
			return true;
	return false;
}

/* --help and --version, alone or with --json. Return: an exit code. */
static int dispatch_option(int argc, char **argv)
{
	const char *option = NULL;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json"))
			continue;
		if (option)
			return usage_error(argv[i], "unexpected argument",
					   "see `gmemctl help`");
		option = argv[i];
	}
	/* `gmemctl` shows the state, like info. */
	if (!option)
		return command_info.run(1, argv);
	if (!strcmp(option, "--help"))
		return help_all();
	if (!strcmp(option, "--version"))
		return version_main();
	return usage_error(option, option[0] == '-' ? "unknown option" :
			   "unexpected argument", "see `gmemctl help`");
}

static int dispatch(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2 || argv[1][0] == '-')
		return dispatch_option(argc, argv);
	command = command_find(argv[1]);
	if (!command)
		return usage_error(argv[1], "no such command",
				   "see `gmemctl help`");
	if (has_word(argc - 1, argv + 1, "--help"))
		return help_one(command);
	return command->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	int rc = process_start();

	if (rc) {
		out_error("standard input, output and error", "open", rc, NULL);
		return EXIT_CODE_FAILURE;
	}
	/* Known before options are parsed: what is wrong with them is JSON, too. */
	out_start(has_word(argc, argv, "--json"));
	return out_finish(dispatch(argc, argv));
}
