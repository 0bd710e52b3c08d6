// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "../base/calls.h"
#include "snp.h"

/* What a line is about has to be there. */
enum needs { ANY_CPU, SNP_CPU, SEV_DEVICE, KVM_DEVICE };

/* In the order in which one thing needs the one before. */
static const struct {
	const char *name;
	enum needs needs;
	void (*look)(struct snp_host *snp, struct host_check *check);
} lines[] = {
	{ "cpu", ANY_CPU, snp_host_cpu },
	{ "sev-snp", ANY_CPU, snp_host_features },
	{ "c-bit", SNP_CPU, snp_host_c_bit },
	{ "asids", SNP_CPU, snp_host_asids },
	{ "vmpls", SNP_CPU, snp_host_vmpls },
	{ "syscfg", SNP_CPU, snp_host_syscfg },
	{ "rmp", SNP_CPU, snp_host_rmp },
	{ "kernel", SNP_CPU, snp_host_kernel },
	{ "kernel-config", SNP_CPU, snp_host_config },
	{ "kernel-snp", SNP_CPU, snp_host_flag },
	{ "iommu", SNP_CPU, snp_host_iommu },
	{ "kvm_amd", SNP_CPU, snp_host_kvm_amd },
	{ "/dev/sev", SNP_CPU, snp_host_sev_device },
	{ "firmware", SEV_DEVICE, snp_host_firmware },
	{ "alias-check", SEV_DEVICE, snp_host_alias_check },
	{ "tcb", SEV_DEVICE, snp_host_tcb },
	{ "/dev/kvm", ANY_CPU, snp_host_kvm_device },
	{ "vm-type", KVM_DEVICE, snp_host_vm_type },
	{ "capabilities", KVM_DEVICE, snp_host_capabilities },
	{ "vmsa-features", KVM_DEVICE, snp_host_vmsa_features },
	{ "secure-tsc", KVM_DEVICE, snp_host_secure_tsc },
	{ "policy-bits", KVM_DEVICE, snp_host_policy },
	{ "vm", KVM_DEVICE, snp_host_vm },
	{ "memlock", ANY_CPU, snp_host_memlock },
	{ "gmem", ANY_CPU, snp_host_gmem },
	{ "gmem_kvm", ANY_CPU, snp_host_gmem_kvm },
	{ "/dev/gmem", ANY_CPU, snp_host_gmem_device },
	{ "views", ANY_CPU, snp_host_views },
};

#define LINES (sizeof(lines) / sizeof(lines[0]))

_Static_assert(LINES < HOST_CHECKS_MAX, "every line has a place");

/* Why there is nothing to look at, or NULL. */
static const char *missing(const struct snp_host *snp, enum needs needs)
{
	if (needs != ANY_CPU && !snp->cpu)
		return "the CPU has no SEV-SNP";
	if (needs == SEV_DEVICE && snp->sev < 0)
		return "/dev/sev cannot be opened";
	if (needs == KVM_DEVICE && snp->kvm < 0)
		return "/dev/kvm cannot be opened";
	return NULL;
}

bool host_check_snp(const struct host *host, struct host_report *report)
{
	struct snp_host snp = { .host = host, .kvm = -ENODEV, .sev = -ENODEV };

	*report = (struct host_report){ 0 };
	for (unsigned int i = 0; i < LINES; i++) {
		struct host_check *check = host_report_start(report,
							     lines[i].name);
		const char *reason = missing(&snp, lines[i].needs);

		if (reason)
			host_say(check, HOST_SKIP, "not looked at: %s", reason);
		else
			lines[i].look(&snp, check);
		host_report_end(report);
	}
	if (snp.sev >= 0)
		calls->close(snp.sev);
	if (snp.kvm >= 0)
		calls->close(snp.kvm);
	return !report->failed;
}
