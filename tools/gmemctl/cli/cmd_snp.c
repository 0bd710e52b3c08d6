// SPDX-License-Identifier: GPL-2.0
#include "command.h"
#include "snp.h"

static const struct command *const subcommands[] = {
	&command_snp_measure,
	&command_snp_id_block,
	&command_snp_id_check,
	&command_snp_verify,
	&command_snp_launch,
	&command_snp_run,
	&command_snp_status,
	NULL
};

const struct command command_snp = {
	.name = "snp",
	.summary = "predict, sign, do and verify the launch of an SEV-SNP guest",
	.usage = "snp measure|id-block|id-check|verify|launch|run|status [OPTIONS]",
	.about = "launch, run and status need a host; the others, only files.",
	.subcommands = subcommands,
};
