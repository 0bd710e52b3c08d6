// SPDX-License-Identifier: GPL-2.0
/* /dev/sev */
#include <errno.h>

#include "internal.h"

/* Firmware 1.55, with SNP initialised */
#define API_MAJOR 1
#define API_MINOR 55
#define BUILD 21
#define STATE_INIT 1
#define STATUS_ES 0x100
#define CURRENT_TCB UINT64_C(0xd208000000000703)

static int platform_status(struct sim *sim, uint64_t data)
{
	const struct snp_sev_status status = {
		.api_major = API_MAJOR, .api_minor = API_MINOR,
		.state = STATE_INIT, .flags = STATUS_ES, .build = BUILD,
		.guest_count = sim->asids_used,
	};

	if (sim->psp_dead)
		return -EBUSY;
	return sim_out(sim, data, &status, sizeof(status));
}

static int snp_platform_status(struct sim *sim, uint64_t data)
{
	const struct snp_sev_snp_status status = {
		.api_major = API_MAJOR, .api_minor = API_MINOR,
		.state = !sim->config.snp_uninitialized,
		.platform_init = sim->config.snp_uninitialized ? 0 :
				 SNP_INIT_RMP | SNP_INIT_ALIAS_CHECK,
		.build_id = BUILD, .guest_count = sim->asids_used,
		.current_tcb = CURRENT_TCB,
		.reported_tcb = sim->reported_tcb ? sim->reported_tcb :
				CURRENT_TCB,
	};

	if (!data)
		return -EINVAL;
	if (sim->psp_dead)
		return -EBUSY;
	return sim_out(sim, data, &status, sizeof(status));
}

static int snp_set_config(struct sim *sim, uint64_t data)
{
	struct snp_sev_config config;

	if (sim_in(sim, &config, data, sizeof(config)))
		return -EFAULT;
	if (sim->psp_dead)
		return -EBUSY;
	sim->reported_tcb = config.reported_tcb;
	return 0;
}

/* What SET_CONFIG and VLEK_LOAD ask first, in the driver's order. */
static int snp_command(struct sim *sim, const struct sim_fd *fd,
		       const struct snp_sev_cmd *cmd)
{
	if (!cmd->data)
		return -EINVAL;
	if (!fd->writable)
		return -EPERM;
	if (sim->config.snp_uninitialized)
		return -ENODEV;
	if (cmd->cmd == SNP_SEV_SNP_SET_CONFIG)
		return snp_set_config(sim, cmd->data);
	return sim->psp_dead ? -EBUSY : 0;
}

static int sev_command(struct sim *sim, const struct sim_fd *fd,
		       const struct snp_sev_cmd *cmd)
{
	switch (cmd->cmd) {
	case SNP_SEV_PLATFORM_STATUS:
		return platform_status(sim, cmd->data);
	case SNP_SEV_PEK_GEN:
		if (!fd->writable)
			return -EPERM;
		return sim->psp_dead ? -EBUSY : 0;
	case SNP_SEV_SNP_PLATFORM_STATUS:
		return snp_platform_status(sim, cmd->data);
	case SNP_SEV_SNP_COMMIT:
		return sim->psp_dead ? -EBUSY : 0;
	case SNP_SEV_SNP_SET_CONFIG:
	case SNP_SEV_SNP_VLEK_LOAD:
		return snp_command(sim, fd, cmd);
	default:
		return -EINVAL;
	}
}

int sim_sev_ioctl(struct sim *sim, const struct sim_fd *fd,
		  unsigned long request, uint64_t arg)
{
	struct snp_sev_cmd cmd;
	int rc;

	if (request != SNP_SEV_ISSUE_CMD)
		return -EINVAL;
	if (sim_in(sim, &cmd, arg, sizeof(cmd)))
		return -EFAULT;
	if (cmd.cmd > SNP_SEV_MAX)
		return -EINVAL;
	rc = sev_command(sim, fd, &cmd);
	if (sim_out(sim, arg, &cmd, sizeof(cmd)))
		rc = -EFAULT;
	return rc;
}
