// SPDX-License-Identifier: GPL-2.0
/* What the BIOS has set up: memory encryption and the RMP table. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "snp.h"

#define MSR_SYSCFG 0xc0010010
#define MSR_RMP_BASE 0xc0010132
#define MSR_RMP_END 0xc0010133
#define MSR_RMP_CFG 0xc0010136

#define SYSCFG_MEM_ENCRYPT (UINT64_C(1) << 23)
#define SYSCFG_SNP (UINT64_C(1) << 24)
#define SYSCFG_VMPL (UINT64_C(1) << 25)
#define RMP_CFG_SEGMENTED UINT64_C(1)

/* The table begins with 16 KiB for the CPU; an entry for 4 KiB has 16 bytes. */
#define RMP_BOOKKEEPING UINT64_C(0x4000)
#define RMP_PER_BYTE 256

#define FIX_MSR "as root, after `modprobe msr`, this can be read"
#define FIX_RMP "in the BIOS enable SEV-SNP: \"SNP Memory (RMP Table) " \
	"Coverage\" under the CPU or NBIO options"

void snp_host_syscfg(struct snp_host *snp, struct host_check *check)
{
	uint64_t syscfg;
	int rc = snp->host->msr(MSR_SYSCFG, &syscfg);
	bool encrypts, on;

	if (rc) {
		host_say(check, HOST_SKIP, "/dev/cpu/0/msr: %s", strerror(-rc));
		host_fix(check, FIX_MSR);
		return;
	}
	encrypts = syscfg & SYSCFG_MEM_ENCRYPT;
	on = syscfg & SYSCFG_SNP && syscfg & SYSCFG_VMPL;
	host_say(check, encrypts && on ? HOST_PASS : HOST_FAIL,
		 "memory encryption %s, SNP %s, VMPL %s",
		 encrypts ? "on" : "off", syscfg & SYSCFG_SNP ? "on" : "off",
		 syscfg & SYSCFG_VMPL ? "on" : "off");
	if (!encrypts)
		host_fix(check, "in the BIOS enable SMEE (\"Secure Memory "
			 "Encryption\")");
	else if (!on)
		host_fix(check, "the kernel has not turned SNP on; the lines "
			 "rmp, iommu and kernel-snp say why");
}

static bool iomem_line(const char *line, void *data)
{
	uint64_t *memory = data;
	unsigned long long start, end;

	if (strstr(line, ": System RAM") &&
	    sscanf(line, " %16llx-%16llx", &start, &end) == 2 &&
	    end > start && end > *memory)
		*memory = end;
	return false;
}

/* One RMP entry for each page up to the end; 0 where only root may see it. */
static uint64_t rmp_needed(const struct host *host)
{
	uint64_t memory = 0;

	host_read_lines(host, "/proc/iomem", iomem_line, &memory);
	if (!memory)
		return 0;
	/* The kernel wants all below 4 GiB covered in any case. */
	if (memory < UINT32_MAX)
		memory = UINT32_MAX;
	return memory / RMP_PER_BYTE + 1 + RMP_BOOKKEEPING;
}

static void rmp_judge(const struct host *host, struct host_check *check,
		      uint64_t base, uint64_t end)
{
	uint64_t needed = rmp_needed(host);

	if (!base || end <= base) {
		host_say(check, HOST_FAIL, "the BIOS has reserved no RMP table");
		host_fix(check, FIX_RMP);
	} else if (end - base + 1 < needed) {
		host_say(check, HOST_FAIL, "0x%" PRIx64 " to 0x%" PRIx64 ", %"
			 PRIu64 " MiB; memory needs %" PRIu64 " MiB", base, end,
			 (end - base) >> 20, (needed >> 20) + 1);
		host_fix(check, FIX_RMP ", for all memory");
	} else {
		host_say(check, HOST_PASS, "0x%" PRIx64 " to 0x%" PRIx64, base,
			 end);
	}
}

/* Lines of arch/x86/virt/svm/sev.c; the first that fits is taken. */
static const struct {
	const char *text;
	enum host_verdict verdict;
} rmp_messages[] = {
	{ "SEV-SNP: Memory for the RMP table has not been reserved", HOST_FAIL },
	{ "SEV-SNP: RMP configuration not valid", HOST_FAIL },
	{ "does not cover full system RAM", HOST_FAIL },
	{ "SEV-SNP: Failed to map RMP", HOST_FAIL },
	{ "RMP table physical range [", HOST_PASS },
	{ "RMP base table physical range [", HOST_PASS },
};

static bool rmp_message(const char *line, void *data)
{
	const char *text = strstr(line, "SEV-SNP: ");
	struct host_check *check = data;

	if (!text)
		return false;
	for (size_t i = 0; i < sizeof(rmp_messages) / sizeof(*rmp_messages); i++) {
		if (!strstr(line, rmp_messages[i].text))
			continue;
		host_say(check, rmp_messages[i].verdict, "kernel log: %.280s",
			 text);
		if (check->verdict == HOST_FAIL)
			host_fix(check, FIX_RMP);
		/* A range that is found may still turn out too small. */
		return check->verdict == HOST_FAIL;
	}
	return false;
}

/* From the MSRs. Return: whether they can be read. */
static bool rmp_registers(const struct host *host, struct host_check *check)
{
	uint64_t base, end, config;

	if (host->msr(MSR_RMP_BASE, &base) ||
	    host->msr(MSR_RMP_END, &end))
		return false;
	/* CPUs before Turin do not have the third. */
	if (host->msr(MSR_RMP_CFG, &config))
		config = 0;
	if (base && config & RMP_CFG_SEGMENTED)
		host_say(check, HOST_PASS, "0x%" PRIx64 ", segmented", base);
	else
		rmp_judge(host, check, base, end);
	return true;
}

void snp_host_rmp(struct snp_host *snp, struct host_check *check)
{
	if (rmp_registers(snp->host, check))
		return;
	host_say(check, HOST_SKIP, "neither the MSRs nor the kernel log tell");
	host_fix(check, FIX_MSR);
	host_read_lines(snp->host, "/dev/kmsg", rmp_message, check);
	if (check->verdict == HOST_PASS)
		host_fix(check, "%s", "");
}
