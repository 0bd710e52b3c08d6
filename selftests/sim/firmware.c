// SPDX-License-Identifier: GPL-2.0
/* The firmware: guest state, launch digest and ID block of a launch; /dev/sev. */
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/bytes.h"
#include "internal.h"
#include "snp/id_block.h"

/* Page types; the others are KVM's numbers. */
#define TYPE_NORMAL 1
#define TYPE_VMSA 2
#define TYPE_CPUID 6

#define POLICY_SMT (UINT64_C(1) << 16)

static int fail(uint32_t *error, enum snp_fw_error code)
{
	*error = code;
	return -EIO;
}

/* Every command begins here: is there a PSP, and was a failure asked for? */
int sim_fw_command(struct sim *sim, enum sim_event number, uint32_t *error)
{
	if (sim->psp_dead)
		return -EBUSY;
	if (sim_fails(sim, number, error))
		return -EIO;
	*error = SNP_FW_SUCCESS;
	return 0;
}

int sim_fw_start(struct sim *sim, struct sim_guest *guest, uint64_t policy, uint32_t *error)
{
	int rc = sim_fw_command(sim, SIM_START, error);

	if (rc)
		return rc;
	/* A guest that does not want SMT does not run where there is SMT. */
	if (!(policy & POLICY_SMT) && !sim->config.no_smt)
		return fail(error, SNP_FW_POLICY_FAILURE);
	memset(guest, 0, sizeof(*guest));
	guest->state = SIM_GUEST_LAUNCHING;
	guest->policy = policy;
	return 0;
}

/* PAGE_INFO, 112 bytes: digest, contents, length, type, flags, address. */
static bool extend(struct sim_guest *guest, uint8_t type, uint64_t gpa, const uint8_t *page)
{
	uint8_t info[112] = { 0 };

	memcpy(info, guest->digest, SIM_DIGEST);
	if ((type == TYPE_NORMAL || type == TYPE_VMSA) &&
	    EVP_Digest(page, SIM_PAGE, info + 48, NULL, EVP_sha384(), NULL) != 1)
		return false;
	info[96] = sizeof(info);
	info[98] = type;
	bytes_put64(info + 104, gpa);
	guest->pages++;
	return EVP_Digest(info, sizeof(info), guest->digest, NULL, EVP_sha384(), NULL) == 1;
}

int sim_fw_update(struct sim *sim, struct sim_guest *guest, uint8_t type,
		  uint64_t gpa, uint8_t page[SIM_PAGE], uint32_t *error)
{
	int rc = sim_fw_command(sim, SIM_UPDATE, error);

	if (rc)
		return rc;
	if (guest->state != SIM_GUEST_LAUNCHING)
		return fail(error, SNP_FW_INVALID_GUEST_STATE);
	if (type == TYPE_CPUID && !sim_cpuid_check(sim, page))
		return fail(error, SNP_FW_INVALID_PARAM);
	return extend(guest, type, gpa, page) ? 0 : -ENOMEM;
}

/*
 * Signatures are checked by the code of snp/: it is proven with signatures that
 * others have made.
 */
static enum snp_fw_error check_id(const struct sim_guest *guest, const uint8_t *id_block,
				  const uint8_t *id_auth, bool author_key)
{
	struct snp_id_block block;
	struct snp_id_auth auth;
	struct snp_id_keys keys;
	struct error error;

	memcpy(&block, id_block, sizeof(block));
	memcpy(&auth, id_auth, sizeof(auth));
	if (snp_id_auth_check(&block, &auth, &keys, &error))
		return SNP_FW_BAD_SIGNATURE;
	if (author_key && !keys.has_author)
		return SNP_FW_BAD_SIGNATURE;
	if (memcmp(block.digest, guest->digest, SIM_DIGEST))
		return SNP_FW_BAD_MEASUREMENT;
	if (block.policy != guest->policy)
		return SNP_FW_POLICY_FAILURE;
	return SNP_FW_SUCCESS;
}

int sim_fw_finish(struct sim *sim, struct sim_guest *guest,
		  const uint8_t *id_block, const uint8_t *id_auth,
		  bool author_key, const uint8_t host_data[32], uint32_t *error)
{
	int rc = sim_fw_command(sim, SIM_FINISH, error);
	enum snp_fw_error code = SNP_FW_SUCCESS;

	if (rc)
		return rc;
	if (guest->state != SIM_GUEST_LAUNCHING)
		return fail(error, SNP_FW_INVALID_GUEST_STATE);
	if (id_block)
		code = check_id(guest, id_block, id_auth, author_key);
	if (code)
		return fail(error, code);
	memcpy(guest->host_data, host_data, sizeof(guest->host_data));
	guest->state = SIM_GUEST_RUNNING;
	return 0;
}

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

/* What SET_CONFIG and VLEK_LOAD ask first, in the driver's order. */
static int snp_command(struct sim *sim, const struct sim_fd *fd, const struct snp_sev_cmd *cmd)
{
	struct snp_sev_config config;

	if (!cmd->data)
		return -EINVAL;
	if (!fd->writable)
		return -EPERM;
	if (sim->config.snp_uninitialized)
		return -ENODEV;
	if (cmd->cmd == SNP_SEV_SNP_SET_CONFIG && sim_in(sim, &config, cmd->data, sizeof(config)))
		return -EFAULT;
	if (sim->psp_dead)
		return -EBUSY;
	if (cmd->cmd == SNP_SEV_SNP_SET_CONFIG)
		sim->reported_tcb = config.reported_tcb;
	return 0;
}

static int sev_command(struct sim *sim, const struct sim_fd *fd, const struct snp_sev_cmd *cmd)
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

int sim_sev_ioctl(struct sim *sim, const struct sim_fd *fd, unsigned long request, uint64_t arg)
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
