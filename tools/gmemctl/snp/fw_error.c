// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>

#include "fw_error.h"

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
	  "the policy forbids what this host has, such as SMT (bit 16 allows it), "
	  "or asks for a newer firmware or another policy than the ID block's" },
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
	  "this firmware or CPU lacks something: update the firmware" },
	{ 0x16, "INVALID_PARAM",
	  "the firmware does not take what it was given" },
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
	/* The kernel's own: it has not called the firmware. */
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
