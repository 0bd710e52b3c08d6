// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
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

static int help_all(void)
{
	printf("usage: gmemctl [COMMAND [OPTIONS]]\n"
	       "\n"
	       "Drives gmem: guest memory whose pages are shared with the host or\n"
	       "private to the guest. Without a command: info.\n"
	       "\n");
	for (size_t i = 0; i < commands_nr; i++)
		printf("  %-8s %s\n", commands[i]->name, commands[i]->summary);
	printf("\n"
	       "  --version  print the versions of gmemctl, its ABI and the module\n"
	       "  --help     print this; also `gmemctl help COMMAND`\n"
	       "  --json     print a JSON object instead of text, errors included\n"
	       "\n"
	       "Exit codes: 0 success; 1 failure; 2 wrong usage; 4 this machine\n"
	       "lacks what is needed (KVM, a VM type, the module).\n");
	return EXIT_CODE_OK;
}

static int help_main(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2)
		return help_all();
	command = command_find(argv[1]);
	if (!command || argc > 2)
		return usage_error(argv[argc > 2 ? 2 : 1], "no such command",
				   "`gmemctl help` lists them");
	fputs(command->help, stdout);
	return EXIT_CODE_OK;
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
	char version[64] = "";

	printf("gmemctl %s\nABI %u\n", GMEM_VERSION, GMEM_ABI_VERSION);
	if (modules_loaded("gmem"))
		modules_version("gmem", version, sizeof(version));
	printf("module %s\n", !modules_loaded("gmem") ? "not loaded" :
	       version[0] ? version : "of unknown version");
	return EXIT_CODE_OK;
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--help"))
			return true;
	return false;
}

static int dispatch(int argc, char **argv)
{
	const struct command *command;

	/* `gmemctl` and `gmemctl --json` show the state, like info. */
	if (argc < 2 || !strcmp(argv[1], "--json"))
		return command_info.run(argc, argv);
	if (!strcmp(argv[1], "--help"))
		return help_all();
	if (!strcmp(argv[1], "--version"))
		return version_main();
	command = command_find(argv[1]);
	if (!command)
		return usage_error(argv[1], argv[1][0] == '-' ?
				   "unknown option" : "no such command",
				   "see `gmemctl help`");
	if (wants_help(argc - 1, argv + 1)) {
		fputs(command->help, stdout);
		return EXIT_CODE_OK;
	}
	return command->run(argc - 1, argv + 1);
}

/* Known before options are parsed: what is wrong with them is JSON then, too. */
static bool wants_json(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--json"))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	int rc = process_start();

	if (rc) {
		out_error("standard input, output and error", "open", rc,
			  "is there a /dev/null?");
		return EXIT_CODE_FAILURE;
	}
	out_start(wants_json(argc, argv));
	return out_finish(dispatch(argc, argv));
}
