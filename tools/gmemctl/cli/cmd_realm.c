// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>

#include "../host/realm.h"
#include "check.h"
#include "cli.h"
#include "realm.h"

int realm_status_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "abi", required_argument, NULL, 'a' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	const struct realm_abi *abi = realm_abi_find(NULL);
	struct host_report report;
	struct host host;
	int option, code;

	while ((option = option_next(argc, argv, options, NULL)) != -1) {
		if (option == 'a')
			code = realm_option_abi(optarg, &abi);
		else
			code = option == 'j' ? 0 : usage_option(option, argv);
		if (code)
			return code;
	}
	if (optind < argc)
		return usage_error(argv[optind], "unexpected argument",
				   "see `gmemctl help %s`", argv[0]);
	host_init(&host);
	host_check_realm(&host, abi, &report);
	return check_show(&host, &report, "a realm");
}

static const struct subcommand subcommands[] = {
	{ "status", realm_status_main },
	{ "launch", realm_launch_main },
	{ "run", realm_run_main },
};

static int realm_command_main(int argc, char **argv)
{
	return subcommand_run(subcommands,
			      sizeof(subcommands) / sizeof(subcommands[0]),
			      argc, argv);
}

const struct command command_realm = {
	.name = "realm",
	.run = realm_command_main,
	.summary = "look for, launch and run realms of Arm CCA",
	.help = "usage: gmemctl realm status [--abi NAME] [--json]\n"
		"       gmemctl realm launch [OPTIONS] [--json]\n"
		"       gmemctl realm run [OPTIONS] [--json]\n"
		"\n"
		"Realms need an arm64 host with RME and a kernel with the CCA series for\n"
		"KVM, which no release has. What is here follows version 14 of it and has\n"
		"run on a simulated host only.\n"
		"\n"
		"status    look whether this host can launch one, by creating its VM\n"
		"launch    create it, populate its memory, activate it, and end it again;\n"
		"          no instruction of it runs\n"
		"run       launch it, and run it until it powers off\n"
		"\n"
		"  --load FILE[,at=ADDRESS][,unmeasured]\n"
		"                    put a file into memory, measured unless it says\n"
		"                    otherwise; up to 16 of them, in this order. Without an\n"
		"                    address it follows the one before. Without --load it\n"
		"                    is a payload that powers the realm off\n"
		"  --entry ADDRESS   where the first vCPU starts (default: the first file)\n"
		"  --argument N      in its x0, such as the address of a device tree\n"
		"  --memory SIZE     memory of the realm (default 64M), and\n"
		"  --base ADDRESS    where it begins (default 0x40000000)\n"
		"  --cpus N          number of vCPUs (default 1)\n"
		"  --ipa-bits N      bits of guest addresses, of which the top one means\n"
		"                    shared (default: as many as the host has)\n"
		"  --timeout S       end the run after S seconds\n"
		"  --trace           write each exit to standard error\n"
		"  --abi NAME        version of the CCA series: v14 (default), or v15, for\n"
		"                    status only\n"
		"  --json            print a JSON object\n",
};
