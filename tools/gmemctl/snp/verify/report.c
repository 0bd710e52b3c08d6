// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "report.h"

/* Families as CPUID leaf 1 combines them. */
#define FAMILY_ZEN3 0x19
#define FAMILY_ZEN5 0x1a

/* Source: VCEK (AMD 57230), product names; Linux, arch/x86/kernel/cpu/amd.c */
const char *snp_report_product(const struct snp_report *report)
{
	if (report->version < 3)
		return NULL;
	if (report->cpuid_family == FAMILY_ZEN5)
		return "Turin";
	if (report->cpuid_family == FAMILY_ZEN3)
		return report->cpuid_model < 0x10 ? "Milan" : "Genoa";
	return NULL;
}

enum snp_tcb_layout snp_report_layout(const struct snp_report *report)
{
	return report->version >= 3 && report->cpuid_family >= FAMILY_ZEN5 ?
	       SNP_TCB_TURIN : SNP_TCB_MILAN;
}

int snp_report_parse(struct snp_report *report, const char *name,
		     const uint8_t *data, struct error *error)
{
	memcpy(report, data, sizeof(*report));
	if (report->version < 2 || report->version > 5)
		return error_set(error, -EINVAL, name, "parse report",
				 "its version is %u, this program knows 2 to 5",
				 report->version);
	if (report->signature_algorithm != SNP_ALGORITHM)
		return error_set(error, -EINVAL, name, "parse report",
				 "its signature algorithm is %u; only 1, ECDSA on "
				 "P-384, is known", report->signature_algorithm);
	return 0;
}
