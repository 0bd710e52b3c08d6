// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "termination.h"

/* The request of the GHCB specification, in bits 11:0 of the MSR. */
#define REQUEST_MASK UINT64_C(0xfff)
#define REQUEST_TERMINATE UINT64_C(0x100)

#define SETS 2
#define REASONS 13

/* Set 0 is the GHCB specification's, set 1 Linux's own (asm/sev-common.h). */
static const char *const names[SETS][REASONS] = {
	{
		"no reason given",
		"the hypervisor does not speak its GHCB protocol",
		"a feature of SNP that it needs is missing",
	},
	{
		"its GHCB could not be registered",
		"a page could not change its state",
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
		snprintf(text, size, "the guest asks to be ended, and gives no "
			 "reason that the host could read");
		return text;
	}
	if (set < SETS && reason < REASONS)
		name = names[set][reason];
	snprintf(text, size, "the guest asks to be ended: set %u, reason %u%s%s",
		 set, reason, name ? ": " : "", name ? name : "");
	return text;
}
