// SPDX-License-Identifier: GPL-2.0
/* /dev/sev, and what the firmware behind it answers. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../base/calls.h"
#include "../snp/abi.h"
#include "snp.h"

/* KVM takes no older firmware for SNP. */
#define API_MAJOR 1
#define API_MINOR 51

#define FAMILY_TURIN 0x1a

static const char *device_fix(int rc)
{
	switch (rc) {
	case -ENOENT:
		return "`modprobe ccp`; if it does not appear, the BIOS hides "
		       "the secure processor (PSP), or the kernel lacks "
		       "CONFIG_CRYPTO_DEV_SP_PSP: `dmesg | grep ccp`";
	case -EACCES:
	case -EPERM:
		return "run as root, or let a udev rule give the device to a "
		       "group of yours";
	case -ENODEV:
	case -ENXIO:
		return "the driver of the secure processor has gone: `modprobe "
		       "ccp`, and look at dmesg";
	default:
		return "look at dmesg for what ccp says";
	}
}

void snp_host_sev_device(struct snp_host *snp, struct host_check *check)
{
	unsigned int mode;
	char text[32] = "";

	if (!host_stat(snp->host, SNP_DEVICE_PATH, &mode))
		snprintf(text, sizeof(text), " (mode %04o)", mode & 07777);
	snp->sev = calls->open(SNP_DEVICE_PATH, O_RDWR);
	if (snp->sev >= 0) {
		host_say(check, HOST_PASS, "can be opened%s", text);
		return;
	}
	host_say(check, HOST_FAIL, "%s%s", strerror(-snp->sev), text);
	host_fix(check, "%s", device_fix(snp->sev));
}

static int firmware_status(int sev, struct snp_sev_snp_status *status,
			   uint32_t *error)
{
	struct snp_sev_cmd command = {
		.cmd = SNP_SEV_SNP_PLATFORM_STATUS,
		.data = (uintptr_t)status,
	};
	int rc;

	memset(status, 0, sizeof(*status));
	rc = calls->ioctl(sev, SNP_SEV_ISSUE_CMD, &command);
	*error = command.error;
	return rc;
}

static const char *status_fix(const struct snp_sev_snp_status *status)
{
	if (status->api_major < API_MAJOR ||
	    (status->api_major == API_MAJOR && status->api_minor < API_MINOR))
		return "KVM needs 1.51 or newer: update the BIOS, or put newer SEV "
		       "firmware into /lib/firmware/amd (package "
		       "amd64-microcode, or linux-firmware)";
	if (!status->state)
		return "SNP is not initialised: `modprobe kvm_amd` does it, with "
		       "psp_init_on_probe=0 of ccp only then; dmesg has the "
		       "error";
	if (!(status->platform_init & SNP_INIT_RMP))
		return "the RMP is not initialised: the lines rmp, iommu and "
		       "kernel-snp say why";
	return NULL;
}

void snp_host_firmware(struct snp_host *snp, struct host_check *check)
{
	struct snp_sev_snp_status status;
	const char *fix;
	uint32_t error;
	int rc = firmware_status(snp->sev, &status, &error);

	if (rc) {
		host_say(check, HOST_FAIL, "SNP_PLATFORM_STATUS: %s, firmware "
			 "error 0x%x", strerror(-rc), error);
		host_fix(check, "the firmware does not know SNP, or the secure "
			 "processor does not answer: look at dmesg, update the "
			 "BIOS, power-cycle");
		return;
	}
	snp->firmware = true;
	snp->platform_init = status.platform_init;
	snp->current_tcb = status.current_tcb;
	snp->reported_tcb = status.reported_tcb;
	fix = status_fix(&status);
	host_say(check, fix ? HOST_FAIL : HOST_PASS, "%u.%u.%u, SNP %s, RMP %s, "
		 "%u guests", status.api_major, status.api_minor,
		 status.build_id, status.state ? "initialised" : "off",
		 status.platform_init & SNP_INIT_RMP ? "initialised" : "off",
		 status.guest_count);
	if (fix)
		host_fix(check, "%s", fix);
}

/* Memory modules that lie about their size: CVE-2024-21944. */
void snp_host_alias_check(struct snp_host *snp, struct host_check *check)
{
	if (!snp->firmware) {
		host_say(check, HOST_SKIP, "not looked at: the firmware does not "
			 "answer");
		return;
	}
	if (snp->platform_init & SNP_INIT_ALIAS_CHECK) {
		host_say(check, HOST_PASS, "done, no two addresses are the same "
			 "memory");
		return;
	}
	host_say(check, HOST_SKIP, "not done, or it has found addresses that are "
		 "the same memory");
	host_fix(check, "a launch works, but reports say so, and a guest's owner may "
		 "refuse them: update the BIOS (firmware 1.55.22 of Milan, 1.55.38 of "
		 "Genoa, or newer)");
}

/* Turin has one more part, and another order. */
static void tcb_text(unsigned int family, uint64_t tcb, char *text, size_t size)
{
	unsigned int part[8];

	for (unsigned int i = 0; i < 8; i++)
		part[i] = tcb >> 8 * i & 0xff;
	if (family >= FAMILY_TURIN)
		snprintf(text, size, "FMC %u, boot loader %u, TEE %u, SNP %u, "
			 "microcode %u", part[0], part[1], part[2], part[3],
			 part[7]);
	else
		snprintf(text, size, "boot loader %u, TEE %u, SNP %u, "
			 "microcode %u", part[0], part[1], part[6], part[7]);
}

void snp_host_tcb(struct snp_host *snp, struct host_check *check)
{
	char current[96], reported[96];

	if (!snp->firmware) {
		host_say(check, HOST_SKIP, "not looked at: the firmware does not "
			 "answer");
		return;
	}
	tcb_text(snp->family, snp->current_tcb, current, sizeof(current));
	tcb_text(snp->family, snp->reported_tcb, reported, sizeof(reported));
	if (snp->current_tcb == snp->reported_tcb) {
		host_say(check, HOST_PASS, "0x%016" PRIx64 ": %s",
			 snp->current_tcb, current);
		return;
	}
	host_say(check, HOST_SKIP, "current 0x%016" PRIx64 ": %s; reported 0x%016"
		 PRIx64 ": %s", snp->current_tcb, current, snp->reported_tcb,
		 reported);
	host_fix(check, "a launch works; attestation reports and the VCEK have the "
		 "reported one, until it is changed with SNP_COMMIT or "
		 "SNP_SET_CONFIG");
}
