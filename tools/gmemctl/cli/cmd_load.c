// SPDX-License-Identifier: GPL-2.0
/* gmemctl load, gmemctl unload */
#include <stddef.h>

#include "command.h"
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
	const char *dir = NULL;
	struct error error;
	int code = command_parse(&command_load, argc, argv, &dir);

	if (code)
		return code;
	if (modules_load(dir, &error))
		return out_error_report(&error);
	return load_report();
}

static int unload_main(int argc, char **argv)
{
	struct error error;
	int code = command_parse(&command_unload, argc, argv, NULL);

	if (code)
		return code;
	if (modules_unload(&error))
		return out_error_report(&error);
	out_text("gmem_kvm, gmem: not loaded\n");
	return EXIT_CODE_OK;
}

static const struct cli_option load_options[] = {
	{ "--dir", "DIR", option_text, .help = "take gmem.ko and gmem_kvm.ko from DIR, a "
	  "build tree, instead of the running kernel's directory" },
	{ 0 }
};

const struct command command_load = {
	.name = "load",
	.run = load_main,
	.summary = "load gmem and gmem_kvm",
	.about = "Loads the modules gmem and gmem_kvm, unless they are loaded already. Checks "
		 "that they have this program's ABI version.",
	.options = load_options,
	.without_json = true,
	.examples = "gmemctl load\n"
		    "gmemctl load --dir build/module",
};

const struct command command_unload = {
	.name = "unload",
	.run = unload_main,
	.summary = "unload gmem_kvm and gmem",
	.about = "Unloads the modules. While a gmem fd is open this fails, and the processes that "
		 "hold one are named.",
	.without_json = true,
	.examples = "gmemctl unload",
};
