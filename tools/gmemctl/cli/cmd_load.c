// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <stddef.h>

#include "cli.h"
#include "modules.h"
#include "out.h"

static int load_report(void)
{
	struct error error;
	unsigned int abi;
	char version[64];
	int rc;

	for (unsigned int i = 0; i < MODULES_COUNT; i++) {
		modules_version(modules_names[i], version, sizeof(version));
		out_text("%s: loaded, version %s\n", modules_names[i],
			 version[0] ? version : "unknown");
	}
	rc = modules_check_abi(&abi, &error);
	if (rc)
		return out_error_report(&error);
	out_text("ABI version %u\n", abi);
	return EXIT_CODE_OK;
}

static int load_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 },
	};
	const char *dir = NULL;
	struct error error;
	int option;

	while ((option = option_next(argc, argv, options, NULL)) != -1) {
		if (option != 'd')
			return usage_option(option, argv);
		dir = optarg;
	}
	if (optind < argc)
		return usage_error(argv[optind], "unexpected argument",
				   "`gmemctl load` takes options only");
	if (modules_load(dir, &error))
		return out_error_report(&error);
	return load_report();
}

static int unload_main(int argc, char **argv)
{
	static const struct option options[] = { { NULL, 0, NULL, 0 } };
	struct error error;
	int option = option_next(argc, argv, options, NULL);

	if (option != -1)
		return usage_option(option, argv);
	if (optind < argc)
		return usage_error(argv[optind], "unexpected argument",
				   "`gmemctl unload` takes no arguments");
	if (modules_unload(&error))
		return out_error_report(&error);
	out_text("gmem_kvm, gmem: not loaded\n");
	return EXIT_CODE_OK;
}

const struct command command_load = {
	.name = "load",
	.run = load_main,
	.summary = "load gmem and gmem_kvm",
	.help = "usage: gmemctl load [--dir DIR]\n"
		"\n"
		"Loads the modules gmem and gmem_kvm; one that is loaded already is\n"
		"left alone. Checks that they speak this program's ABI.\n"
		"\n"
		"  --dir DIR   take gmem.ko and gmem_kvm.ko from DIR, a build tree,\n"
		"              instead of the running kernel's directory\n",
};

const struct command command_unload = {
	.name = "unload",
	.run = unload_main,
	.summary = "unload gmem_kvm and gmem",
	.help = "usage: gmemctl unload\n"
		"\n"
		"Unloads the modules. While a gmem fd is open this fails, and the\n"
		"processes that hold one are named.\n",
};
