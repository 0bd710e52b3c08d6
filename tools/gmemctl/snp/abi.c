// SPDX-License-Identifier: GPL-2.0
/* Names of the firmware's error codes, policy bits and termination reasons. */
#include <stddef.h>
#include <stdio.h>

#include "abi.h"

/* Names from the kernel's uapi/linux/psp-sev.h, in its order. */
static const struct {
	uint32_t code;
	const char *name;
	const char *hint;
} errors[] = {
	{ 0x00, "SUCCESS", NULL },
	{ 0x01, "INVALID_PLATFORM_STATE",
	  "the firmware is not initialised for SNP: see dmesg of the module ccp" },
	{ 0x02, "INVALID_GUEST_STATE",
	  "this guest was launched already: create a new VM" },
	{ 0x03, "INVALID_CONFIG",
	  "the platform is not configured for SNP: check the BIOS settings" },
	{ 0x04, "INVALID_LEN", NULL },
	{ 0x05, "ALREADY_OWNED", NULL },
	{ 0x06, "INVALID_CERTIFICATE", NULL },
	{ 0x07, "POLICY_FAILURE",
	  "the policy forbids a property of this host, such as SMT (bit 16 allows it), requires "
	  "newer firmware, or differs from the policy of the ID block" },
	{ 0x08, "INACTIVE", NULL },
	{ 0x09, "INVALID_ADDRESS", NULL },
	{ 0x0a, "BAD_SIGNATURE",
	  "the ID block is not signed by its key: `gmemctl snp id-check` says more" },
	{ 0x0b, "BAD_MEASUREMENT",
	  "the ID block is for another launch digest: compare with the predicted one" },
	{ 0x0c, "ASID_OWNED", NULL },
	{ 0x0d, "INVALID_ASID", NULL },
	{ 0x0e, "WBINVD_REQUIRED", NULL },
	{ 0x0f, "DFFLUSH_REQUIRED", NULL },
	{ 0x10, "INVALID_GUEST", NULL },
	{ 0x11, "INVALID_COMMAND", NULL },
	{ 0x12, "ACTIVE", NULL },
	{ 0x13, "HWSEV_RET_PLATFORM",
	  "a failure of the hardware: see dmesg, and reset the machine" },
	{ 0x14, "HWSEV_RET_UNSAFE",
	  "a failure of the hardware: see dmesg, and reset the machine" },
	{ 0x15, "UNSUPPORTED",
	  "the firmware or the CPU does not support this: update the firmware" },
	{ 0x16, "INVALID_PARAM",
	  "the firmware refuses a parameter" },
	{ 0x17, "RESOURCE_LIMIT",
	  "the firmware has no room for another guest: end one" },
	{ 0x18, "SECURE_DATA_INVALID", NULL },
	{ 0x19, "INVALID_PAGE_SIZE",
	  "the page is part of a larger one in the RMP: the host uses it" },
	{ 0x1a, "INVALID_PAGE_STATE",
	  "the page is in use by the firmware or a guest" },
	{ 0x1b, "INVALID_MDATA_ENTRY", NULL },
	{ 0x1c, "INVALID_PAGE_OWNER", "the page belongs to another guest" },
	{ 0x1d, "AEAD_OFLOW", NULL },
	{ 0x1f, "EXIT_RING_BUFFER", NULL },
	{ 0x20, "RMP_INIT_REQUIRED",
	  "the RMP is not initialised: check the BIOS settings, and dmesg" },
	{ 0x21, "BAD_SVN", NULL },
	{ 0x22, "BAD_VERSION", NULL },
	{ 0x23, "SHUTDOWN_REQUIRED", "reload the modules kvm_amd and ccp" },
	{ 0x24, "UPDATE_FAILED", NULL },
	{ 0x25, "RESTORE_REQUIRED", NULL },
	{ 0x26, "RMP_INITIALIZATION_FAILED", NULL },
	{ 0x27, "INVALID_KEY", "the key of the ID block cannot be used" },
	{ 0x28, "SHUTDOWN_INCOMPLETE", NULL },
	/* A code of the kernel: it did not call the firmware. */
	{ 0xffffffff, "NO_FW_CALL",
	  "the firmware was not called: it does not answer any more (see dmesg)" },
};

#define ERRORS (sizeof(errors) / sizeof(errors[0]))

const char *snp_fw_error_name(uint32_t code)
{
	for (size_t i = 0; i < ERRORS; i++)
		if (errors[i].code == code)
			return errors[i].name;
	return "not known to gmemctl";
}

const char *snp_fw_error_hint(uint32_t code)
{
	for (size_t i = 0; i < ERRORS; i++)
		if (errors[i].code == code)
			return errors[i].hint;
	return NULL;
}

static const struct {
	uint64_t bit;
	const char *name;
} bits[] = {
	{ SNP_POLICY_SMT, "SMT" },
	{ SNP_POLICY_MIGRATE_MA, "migration agent" },
	{ SNP_POLICY_DEBUG, "DEBUG" },
	{ SNP_POLICY_SINGLE_SOCKET, "single socket only" },
	{ 1ULL << 21, "CXL allowed" },
	{ 1ULL << 22, "AES-256-XTS only" },
	{ 1ULL << 23, "RAPL disabled" },
	{ 1ULL << 24, "ciphertext hiding" },
	{ 1ULL << 25, "page swap disabled" },
};

char *snp_policy_format(uint64_t policy, char *text, size_t size)
{
	size_t used = (size_t)snprintf(text, size, "ABI %u.%u", (unsigned int)(policy >> 8 & 0xff),
				       (unsigned int)(policy & 0xff));

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (policy & bits[i].bit && used < size)
			used += (size_t)snprintf(text + used, size - used, ", %s", bits[i].name);
	return text;
}

/* The request of the GHCB specification, in bits 11:0 of the MSR. */
#define REQUEST_MASK UINT64_C(0xfff)
#define REQUEST_TERMINATE UINT64_C(0x100)

#define SETS 2
#define REASONS 13

/* Set 0 is from the GHCB specification, set 1 from Linux (asm/sev-common.h). */
static const char *const names[SETS][REASONS] = {
	{
		"no reason given",
		"the hypervisor does not support its GHCB protocol version",
		"an SNP feature that it requires is not supported",
	},
	{
		"its GHCB could not be registered",
		"a page state change has failed",
		"PVALIDATE has failed",
		"it does not run at VMPL 0",
		"its CPUID page is wrong",
		"CPUID from the hypervisor is wrong",
		"its secrets page is wrong",
		"there is no SVSM, and it is not at VMPL 0",
		"the SVSM has given it VMPL 0",
		"the SVSM's calling area is not aligned",
		"its secure TSC could not be set up",
		"the SVSM's calling area could not be mapped",
		"its secure AVIC could not be set up",
	},
};

char *snp_termination_format(uint64_t msr, char *text, size_t size)
{
	unsigned int set = msr >> 12 & 0xf, reason = msr >> 16 & 0xff;
	const char *name = NULL;

	if ((msr & REQUEST_MASK) != REQUEST_TERMINATE) {
		snprintf(text, size, "the guest requests termination, without a reason code that "
			 "the host can read");
		return text;
	}
	if (set < SETS && reason < REASONS)
		name = names[set][reason];
	snprintf(text, size, "the guest requests termination: set %u, reason %u%s%s", set, reason,
		 name ? ": " : "", name ? name : "");
	return text;
}
