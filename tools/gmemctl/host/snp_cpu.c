// SPDX-License-Identifier: GPL-2.0
/* What CPUID says. Leaves: AMD's manual, volume 3, appendix E. */
#include <string.h>

#include "snp.h"

#define LEAF_VENDOR 0
#define LEAF_VERSION 1
#define LEAF_EXTENDED_MAX 0x80000000
#define LEAF_BRAND 0x80000002
#define LEAF_MEMORY_ENCRYPTION 0x8000001f

#define VERSION_ECX_HYPERVISOR (1U << 31)
#define ENCRYPTION_EAX_SEV (1U << 1)
#define ENCRYPTION_EAX_SEV_ES (1U << 3)
#define ENCRYPTION_EAX_SNP (1U << 4)
#define ENCRYPTION_EAX_SECURE_TSC (1U << 8)

#define FIX_VM "this is a VM: SEV-SNP guests need the bare metal"
#define FIX_CPU "SEV-SNP is in AMD EPYC 7003 (Milan) and newer; on Arm see " \
	"`gmemctl realm status`"

static bool is_vm(const struct host *host)
{
	struct host_cpuid leaf;

	return host->cpuid(LEAF_VERSION, &leaf) &&
	       leaf.ecx & VERSION_ECX_HYPERVISOR;
}

static void cpu_fix(const struct host *host, struct host_check *check)
{
	host_fix(check, "%s", is_vm(host) ? FIX_VM : FIX_CPU);
}

static bool is_amd(const struct host *host)
{
	struct host_cpuid leaf;
	char vendor[12];

	if (!host->cpuid(LEAF_VENDOR, &leaf))
		return false;
	memcpy(vendor, &leaf.ebx, 4);
	memcpy(vendor + 4, &leaf.edx, 4);
	memcpy(vendor + 8, &leaf.ecx, 4);
	return !memcmp(vendor, "AuthenticAMD", sizeof(vendor));
}

static void brand_read(const struct host *host, char brand[49])
{
	struct host_cpuid leaf;
	size_t length;

	memset(brand, 0, 49);
	for (uint32_t i = 0; i < 3; i++)
		if (host->cpuid(LEAF_BRAND + i, &leaf))
			memcpy(brand + i * sizeof(leaf), &leaf, sizeof(leaf));
	for (size_t i = 0; brand[i]; i++)
		if (brand[i] < ' ' || brand[i] > '~')
			brand[i] = '?';
	for (length = strlen(brand); length && brand[length - 1] == ' ';)
		brand[--length] = '\0';
}

void snp_host_cpu(struct snp_host *snp, struct host_check *check)
{
	const struct host *host = snp->host;
	struct host_cpuid leaf;
	unsigned int model;
	char brand[49];

	if (!host->cpuid(LEAF_VERSION, &leaf)) {
		host_say(check, HOST_FAIL, "%s", host->machine[0] ?
			 host->machine : "unknown");
		cpu_fix(host, check);
		return;
	}
	snp->family = leaf.eax >> 8 & 0xf;
	if (snp->family == 0xf)
		snp->family += leaf.eax >> 20 & 0xff;
	model = (leaf.eax >> 4 & 0xf) | (leaf.eax >> 12 & 0xf0);
	brand_read(host, brand);
	host_say(check, is_amd(host) ? HOST_PASS : HOST_FAIL,
		 "%s, family 0x%x, model 0x%x", brand[0] ? brand : "no name",
		 snp->family, model);
	if (!is_amd(host))
		cpu_fix(host, check);
}

static bool encryption_leaf(const struct host *host, struct host_cpuid *leaf)
{
	return host->cpuid(LEAF_EXTENDED_MAX, leaf) &&
	       leaf->eax >= LEAF_MEMORY_ENCRYPTION &&
	       host->cpuid(LEAF_MEMORY_ENCRYPTION, leaf);
}

void snp_host_features(struct snp_host *snp, struct host_check *check)
{
	const uint32_t all = ENCRYPTION_EAX_SEV | ENCRYPTION_EAX_SEV_ES |
			     ENCRYPTION_EAX_SNP;
	struct host_cpuid leaf;

	if (!is_amd(snp->host) || !encryption_leaf(snp->host, &leaf)) {
		host_say(check, HOST_FAIL, "no CPUID leaf 0x8000001f of AMD's");
		cpu_fix(snp->host, check);
		return;
	}
	snp->cpu = (leaf.eax & all) == all;
	snp->secure_tsc = leaf.eax & ENCRYPTION_EAX_SECURE_TSC;
	host_say(check, snp->cpu ? HOST_PASS : HOST_FAIL,
		 "SEV %s, SEV-ES %s, SEV-SNP %s",
		 leaf.eax & ENCRYPTION_EAX_SEV ? "yes" : "no",
		 leaf.eax & ENCRYPTION_EAX_SEV_ES ? "yes" : "no",
		 leaf.eax & ENCRYPTION_EAX_SNP ? "yes" : "no");
	if (!snp->cpu)
		cpu_fix(snp->host, check);
}

void snp_host_c_bit(struct snp_host *snp, struct host_check *check)
{
	struct host_cpuid leaf = { 0 };
	unsigned int bit;

	encryption_leaf(snp->host, &leaf);
	bit = leaf.ebx & 0x3f;
	/* Below 4 GiB it would be the address of memory. */
	host_say(check, bit >= 32 ? HOST_PASS : HOST_FAIL,
		 "bit %u, physical addresses are %u bits shorter", bit,
		 leaf.ebx >> 6 & 0x3f);
	if (bit < 32)
		host_fix(check, "CPUID is not to be believed: update the BIOS");
}

void snp_host_asids(struct snp_host *snp, struct host_check *check)
{
	struct host_cpuid leaf = { 0 };

	encryption_leaf(snp->host, &leaf);
	/* ASIDs from EDX on are SEV's; SEV-ES and SNP share those below. */
	if (leaf.edx > 1 && leaf.ecx) {
		host_say(check, HOST_PASS, "%u for SEV-SNP and SEV-ES, of %u",
			 leaf.edx - 1, leaf.ecx);
		return;
	}
	host_say(check, HOST_FAIL, "none for SEV-SNP and SEV-ES, of %u",
		 leaf.ecx);
	host_fix(check, "in the BIOS set \"SEV-ES ASID Space Limit\" (also called "
		 "\"Minimum SEV non-ES ASID\") to more than 1");
}

void snp_host_vmpls(struct snp_host *snp, struct host_check *check)
{
	struct host_cpuid leaf = { 0 };
	unsigned int vmpls;

	encryption_leaf(snp->host, &leaf);
	vmpls = leaf.ebx >> 12 & 0xf;
	host_say(check, vmpls > 1 ? HOST_PASS : HOST_SKIP, "%u", vmpls);
	if (vmpls <= 1)
		host_fix(check, "a launch works, but not of an SVSM, which needs a "
			 "level of its own");
}
