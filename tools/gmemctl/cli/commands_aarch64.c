// SPDX-License-Identifier: GPL-2.0
/* The guests that gmemctl brings along, and SEV-SNP, are x86-64's. */
#include "cli.h"

const struct command *const commands[] = {
	&command_info,
	&command_check,
	&command_load,
	&command_unload,
	&command_ps,
	&command_stat,
	&command_map,
	&command_convert,
	&command_decommit,
	&command_stop,
	&command_realm,
	&command_help,
};

const size_t commands_nr = sizeof(commands) / sizeof(commands[0]);
