// SPDX-License-Identifier: GPL-2.0
/* What an SNP launch needs of CPU, BIOS, firmware and modules. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "../snp/abi.h"
#include "host.h"

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

/* KVM takes no older firmware for SNP. */
#define API_MAJOR 1
#define API_MINOR 51

#define FAMILY_TURIN 0x1a

static void cpu_fix(const struct host *host, struct host_check *check)
{
	struct host_cpuid leaf;
	bool vm = host->cpuid(LEAF_VERSION, &leaf) && leaf.ecx & VERSION_ECX_HYPERVISOR;

	host_fix(check, "%s", vm ? FIX_VM : FIX_CPU);
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
		host_say(check, HOST_FAIL, "%s", host->machine[0] ? host->machine : "unknown");
		cpu_fix(host, check);
		return;
	}
	snp->family = leaf.eax >> 8 & 0xf;
	if (snp->family == 0xf)
		snp->family += leaf.eax >> 20 & 0xff;
	model = (leaf.eax >> 4 & 0xf) | (leaf.eax >> 12 & 0xf0);
	brand_read(host, brand);
	host_say(check, is_amd(host) ? HOST_PASS : HOST_FAIL, "%s, family 0x%x, model 0x%x",
		 brand[0] ? brand : "no name", snp->family, model);
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
	host_say(check, snp->cpu ? HOST_PASS : HOST_FAIL, "SEV %s, SEV-ES %s, SEV-SNP %s",
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
	host_judge(check, bit >= 32, "CPUID is not to be believed: update the BIOS",
		   "bit %u, physical addresses are %u bits shorter", bit, leaf.ebx >> 6 & 0x3f);
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
	host_judge(check, false, "in the BIOS set \"SEV-ES ASID Space Limit\" (also called "
		   "\"Minimum SEV non-ES ASID\") to more than 1",
		   "none for SEV-SNP and SEV-ES, of %u", leaf.ecx);
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
	host_judge(check, encrypts && on, !encrypts ?
		   "in the BIOS enable SMEE (\"Secure Memory Encryption\")" :
		   "the kernel has not turned SNP on; the lines rmp, iommu and kernel-snp "
		   "say why", "memory encryption %s, SNP %s, VMPL %s",
		   encrypts ? "on" : "off", syscfg & SYSCFG_SNP ? "on" : "off",
		   syscfg & SYSCFG_VMPL ? "on" : "off");
}

static bool iomem_line(const char *line, void *data)
{
	uint64_t *memory = data;
	unsigned long long start, end;

	if (strstr(line, ": System RAM") && sscanf(line, " %16llx-%16llx", &start, &end) == 2 &&
	    end > start && end > *memory)
		*memory = end;
	return false;
}

static void rmp_judge(const struct host *host, struct host_check *check,
		      uint64_t base, uint64_t end)
{
	uint64_t memory = 0, needed = 0;

	/* One entry for each page up to the end, which only root may see. */
	host_read_lines(host, "/proc/iomem", iomem_line, &memory);
	/* The kernel wants all below 4 GiB covered in any case. */
	if (memory && memory < UINT32_MAX)
		memory = UINT32_MAX;
	if (memory)
		needed = memory / RMP_PER_BYTE + 1 + RMP_BOOKKEEPING;
	if (!base || end <= base)
		host_judge(check, false, FIX_RMP, "the BIOS has reserved no RMP table");
	else if (end - base + 1 < needed)
		host_judge(check, false, FIX_RMP ", for all memory", "0x%" PRIx64
			   " to 0x%" PRIx64 ", %" PRIu64 " MiB; memory needs %" PRIu64
			   " MiB", base, end, (end - base) >> 20, (needed >> 20) + 1);
	else
		host_say(check, HOST_PASS, "0x%" PRIx64 " to 0x%" PRIx64, base, end);
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
		host_say(check, rmp_messages[i].verdict, "kernel log: %.280s", text);
		if (check->verdict == HOST_FAIL)
			host_fix(check, FIX_RMP);
		/* A range that is found may still turn out too small. */
		return check->verdict == HOST_FAIL;
	}
	return false;
}

void snp_host_rmp(struct snp_host *snp, struct host_check *check)
{
	const struct host *host = snp->host;
	uint64_t base, end, config;

	if (!host->msr(MSR_RMP_BASE, &base) && !host->msr(MSR_RMP_END, &end)) {
		/* CPUs before Turin do not have the third. */
		if (!host->msr(MSR_RMP_CFG, &config) && base && config & RMP_CFG_SEGMENTED)
			host_say(check, HOST_PASS, "0x%" PRIx64 ", segmented", base);
		else
			rmp_judge(host, check, base, end);
		return;
	}
	host_say(check, HOST_SKIP, "neither the MSRs nor the kernel log tell");
	host_fix(check, FIX_MSR);
	host_read_lines(host, "/dev/kmsg", rmp_message, check);
	if (check->verdict == HOST_PASS)
		host_fix(check, "%s", "");
}

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
	host_judge(check, false, device_fix(snp->sev), "%s%s", strerror(-snp->sev), text);
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
	struct snp_sev_snp_status *status = &snp->status;
	struct snp_sev_cmd command = {
		.cmd = SNP_SEV_SNP_PLATFORM_STATUS,
		.data = (uintptr_t)status,
	};
	const char *fix;
	int rc = calls->ioctl(snp->sev, SNP_SEV_ISSUE_CMD, &command);

	if (rc) {
		host_judge(check, false, "the firmware does not know SNP, or the secure "
			   "processor does not answer: look at dmesg, update the "
			   "BIOS, power-cycle", "SNP_PLATFORM_STATUS: %s, firmware "
			   "error 0x%x", strerror(-rc), command.error);
		return;
	}
	snp->firmware = true;
	fix = status_fix(status);
	host_judge(check, !fix, fix, "%u.%u.%u, SNP %s, RMP %s, %u guests", status->api_major,
		   status->api_minor, status->build_id, status->state ? "initialised" : "off",
		   status->platform_init & SNP_INIT_RMP ? "initialised" : "off",
		   status->guest_count);
}

/* Memory modules that lie about their size: CVE-2024-21944. */
void snp_host_alias_check(struct snp_host *snp, struct host_check *check)
{
	if (snp->status.platform_init & SNP_INIT_ALIAS_CHECK) {
		host_say(check, HOST_PASS, "done, no two addresses are the same memory");
		return;
	}
	host_say(check, HOST_SKIP, "not done, or it has found addresses that are the same memory");
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
		snprintf(text, size, "FMC %u, boot loader %u, TEE %u, SNP %u, microcode %u",
			 part[0], part[1], part[2], part[3], part[7]);
	else
		snprintf(text, size, "boot loader %u, TEE %u, SNP %u, "
			 "microcode %u", part[0], part[1], part[6], part[7]);
}

void snp_host_tcb(struct snp_host *snp, struct host_check *check)
{
	uint64_t now = snp->status.current_tcb, told = snp->status.reported_tcb;
	char current[96], reported[96];

	tcb_text(snp->family, now, current, sizeof(current));
	tcb_text(snp->family, told, reported, sizeof(reported));
	if (now == told) {
		host_say(check, HOST_PASS, "0x%016" PRIx64 ": %s", now, current);
		return;
	}
	host_say(check, HOST_SKIP, "current 0x%016" PRIx64 ": %s; reported 0x%016"
		 PRIx64 ": %s", now, current, told, reported);
	host_fix(check, "a launch works; attestation reports and the VCEK have the "
		 "reported one, until it is changed with SNP_COMMIT or SNP_SET_CONFIG");
}

void snp_host_memlock(struct snp_host *snp, struct host_check *check)
{
	uint64_t limit = snp->host->memlock;

	if (limit == UINT64_MAX) {
		host_say(check, HOST_PASS, "no limit");
		return;
	}
	host_say(check, HOST_SKIP, "%" PRIu64 " KiB may be locked", limit >> 10);
	host_fix(check, "a launch locks nothing; memory that is pinned for devices "
		 "needs `ulimit -l unlimited`");
}

void snp_host_module(struct snp_host *snp, struct host_check *check)
{
	host_look_module(snp->host, check->name, check);
}

void snp_host_gmem_device(struct snp_host *snp, struct host_check *check)
{
	unsigned int abi = 0;
	struct error error;
	int rc = 0, device = gmem_open(&error);

	if (device >= 0) {
		rc = gmem_check_abi(device, &abi, &error);
		calls->close(device);
	}
	if (device >= 0 && !rc)
		host_say(check, HOST_PASS, "can be opened, ABI %u", abi);
	else
		host_judge(check, false, error.hint, "%s: %s", error.action, strerror(-error.rc));
}

/* Of no concern to SNP; but who asks what there is may not know of the other way. */
void snp_host_views(struct snp_host *snp, struct host_check *check)
{
	struct host_view view;
	const char *lacks;

	host_view_look(&view);
	lacks = host_view_lacks(&view);
	if (!lacks) {
		host_say(check, HOST_PASS, "private memory for ordinary VMs "
			 "(kind=gmem), not encrypted");
		return;
	}
	host_say(check, HOST_SKIP, "no private memory for ordinary VMs (kind=gmem)");
	host_fix(check, "%s", lacks);
}
