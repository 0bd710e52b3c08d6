// SPDX-License-Identifier: GPL-2.0
#include "../host/realm.h"
#include "check.h"
#include "command.h"
#include "realm.h"

static const struct command command_realm_status;

static int status_main(int argc, char **argv)
{
	const struct realm_abi *abi = realm_abi_find(NULL);
	int code = command_parse(&command_realm_status, argc, argv, &abi);
	struct host_report report;
	struct host host;

	if (code)
		return code;
	host_init(&host);
	host_check_realm(&host, abi, &report);
	return check_show(&host, &report, "a realm");
}

static const struct cli_option status_options[] = {
	{ "--abi", "NAME", realm_option_abi,
	  .help = "version of the CCA series: v14 (default), or v15" },
	{ 0 }
};

static const struct command command_realm_status = {
	.name = "realm status",
	.run = status_main,
	.summary = "look whether this host can launch a realm, by creating its VM",
	.options = status_options,
};

static const struct command *const subcommands[] = {
	&command_realm_status,
	&command_realm_launch,
	&command_realm_run,
	NULL
};

const struct command command_realm = {
	.name = "realm",
	.summary = "look for, launch and run realms of Arm CCA",
	.usage = "realm status|launch|run [OPTIONS]",
	.about = "Realms need an arm64 host with RME and a kernel with the CCA series for KVM, "
		 "which no release has. What is here follows version 14 of it and has run on a "
		 "simulated host only.",
	.subcommands = subcommands,
};
