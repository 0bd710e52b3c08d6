// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

const struct command *const commands[] = {
	&command_info,
	&command_check,
	&command_load,
	&command_unload,
	&command_run,
	&command_exec,
	&command_ps,
	&command_stat,
	&command_map,
	&command_convert,
	&command_decommit,
	&command_dump,
	&command_handover,
	&command_save,
	&command_restore,
	&command_stop,
	&command_demo,
	&command_snp,
	&command_realm,
	&command_help,
};

const size_t commands_nr = sizeof(commands) / sizeof(commands[0]);
