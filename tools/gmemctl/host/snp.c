// SPDX-License-Identifier: GPL-2.0
/* Checks of CPU, BIOS, firmware, kernel, KVM and modules for the launch of SEV-SNP guests. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "../kvm/vm.h"
#include "../snp/abi.h"
#include "../snp/vmsa.h"
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

#define MSR_SYSCFG 0xc0010010
#define MSR_RMP_BASE 0xc0010132
#define MSR_RMP_END 0xc0010133
#define MSR_RMP_CFG 0xc0010136

#define SYSCFG_MEM_ENCRYPT (UINT64_C(1) << 23)
#define SYSCFG_SNP (UINT64_C(1) << 24)
#define SYSCFG_VMPL (UINT64_C(1) << 25)
#define RMP_CFG_SEGMENTED UINT64_C(1)

/* The RMP table begins with 16 KiB for the CPU, then has 16 bytes for each 4 KiB. */
#define RMP_BOOKKEEPING UINT64_C(0x4000)
#define RMP_PER_BYTE 256

#define FIX_MSR "run as root, after `modprobe msr`"
#define FIX_RMP "in the BIOS enable SEV-SNP: \"SNP Memory (RMP Table) " \
	"Coverage\" under the CPU or NBIO options"

/* KVM refuses older firmware for SNP. */
#define API_MAJOR 1
#define API_MINOR 51

#define FAMILY_TURIN 0x1a

/* The first release with KVM_X86_SNP_VM */
#define KERNEL_MAJOR 6
#define KERNEL_MINOR 11

#define FIX_IOMMU "enable the IOMMU in the BIOS, and start the kernel without iommu=pt, " \
	"amd_iommu=off and amd_iommu=pgtbl_v2"
#define FIX_TYPE "the first FAIL above is the cause; without one, dmesg has it"

static const char *cpu_fix(const struct host *host)
{
	struct host_cpuid leaf;
	bool vm = host->cpuid(LEAF_VERSION, &leaf) && leaf.ecx & VERSION_ECX_HYPERVISOR;

	return vm ? "this is a VM: SEV-SNP guests need the bare metal" :
		    "SEV-SNP is in AMD EPYC 7003 (Milan) and newer; on Arm see "
		    "`gmemctl realm status`";
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

static void look_cpu(struct host_launch *launch, struct host_check *check)
{
	const struct host *host = launch->host;
	struct host_cpuid leaf;
	unsigned int model;
	char brand[49];

	if (!host->cpuid(LEAF_VERSION, &leaf)) {
		host_say(check, HOST_FAIL, cpu_fix(host), "%s",
			 host->machine[0] ? host->machine : "unknown");
		return;
	}
	launch->family = leaf.eax >> 8 & 0xf;
	if (launch->family == 0xf)
		launch->family += leaf.eax >> 20 & 0xff;
	model = (leaf.eax >> 4 & 0xf) | (leaf.eax >> 12 & 0xf0);
	brand_read(host, brand);
	host_say(check, host_ok(is_amd(host)), cpu_fix(host), "%s, family 0x%x, model 0x%x",
		 brand[0] ? brand : "no name", launch->family, model);
}

static bool encryption_leaf(const struct host *host, struct host_cpuid *leaf)
{
	return host->cpuid(LEAF_EXTENDED_MAX, leaf) &&
	       leaf->eax >= LEAF_MEMORY_ENCRYPTION &&
	       host->cpuid(LEAF_MEMORY_ENCRYPTION, leaf);
}

static void look_features(struct host_launch *launch, struct host_check *check)
{
	const uint32_t all = ENCRYPTION_EAX_SEV | ENCRYPTION_EAX_SEV_ES |
			     ENCRYPTION_EAX_SNP;
	const struct host *host = launch->host;
	struct host_cpuid leaf;
	bool ok;

	if (!is_amd(host) || !encryption_leaf(host, &leaf)) {
		host_say(check, HOST_FAIL, cpu_fix(host), "no CPUID leaf 0x8000001f of AMD's");
		return;
	}
	ok = (leaf.eax & all) == all;
	launch->has |= ok ? HOST_HAS_CPU : 0;
	launch->secure_tsc = leaf.eax & ENCRYPTION_EAX_SECURE_TSC;
	host_say(check, host_ok(ok), cpu_fix(host), "SEV %s, SEV-ES %s, SEV-SNP %s",
		 leaf.eax & ENCRYPTION_EAX_SEV ? "yes" : "no",
		 leaf.eax & ENCRYPTION_EAX_SEV_ES ? "yes" : "no",
		 leaf.eax & ENCRYPTION_EAX_SNP ? "yes" : "no");
}

static void look_c_bit(struct host_launch *launch, struct host_check *check)
{
	struct host_cpuid leaf = { 0 };
	unsigned int bit;

	encryption_leaf(launch->host, &leaf);
	bit = leaf.ebx & 0x3f;
	/* A bit below 32 would be an address bit of memory below 4 GiB. */
	host_say(check, host_ok(bit >= 32), "this CPUID value is impossible: update the BIOS",
		 "bit %u, physical addresses are %u bits shorter", bit, leaf.ebx >> 6 & 0x3f);
}

static void look_asids(struct host_launch *launch, struct host_check *check)
{
	struct host_cpuid leaf = { 0 };

	encryption_leaf(launch->host, &leaf);
	/* ASIDs from EDX on are for SEV. SEV-ES and SNP share those below. */
	if (leaf.edx > 1 && leaf.ecx)
		host_say(check, HOST_PASS, NULL, "%u for SEV-SNP and SEV-ES, of %u",
			 leaf.edx - 1, leaf.ecx);
	else
		host_say(check, HOST_FAIL, "in the BIOS set \"SEV-ES ASID Space Limit\" (also "
			 "called \"Minimum SEV non-ES ASID\") to more than 1",
			 "none for SEV-SNP and SEV-ES, of %u", leaf.ecx);
}

static void look_vmpls(struct host_launch *launch, struct host_check *check)
{
	struct host_cpuid leaf = { 0 };
	unsigned int vmpls;

	encryption_leaf(launch->host, &leaf);
	vmpls = leaf.ebx >> 12 & 0xf;
	host_say(check, vmpls > 1 ? HOST_PASS : HOST_SKIP, "a launch works, but not with an SVSM, "
		 "which needs a VMPL of its own", "%u", vmpls);
}

static void look_syscfg(struct host_launch *launch, struct host_check *check)
{
	uint64_t syscfg;
	int rc = launch->host->msr(MSR_SYSCFG, &syscfg);
	bool encrypts, on;

	if (rc) {
		host_say(check, HOST_SKIP, FIX_MSR, "/dev/cpu/0/msr: %s", strerror(-rc));
		return;
	}
	encrypts = syscfg & SYSCFG_MEM_ENCRYPT;
	on = syscfg & SYSCFG_SNP && syscfg & SYSCFG_VMPL;
	host_say(check, host_ok(encrypts && on), !encrypts ?
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

	/* The table has an entry for each page up to the end of RAM, which only root can read. */
	host_read_lines(host, "/proc/iomem", iomem_line, &memory);
	/* The kernel requires that all addresses below 4 GiB are covered. */
	if (memory && memory < UINT32_MAX)
		memory = UINT32_MAX;
	if (memory)
		needed = memory / RMP_PER_BYTE + 1 + RMP_BOOKKEEPING;
	if (!base || end <= base)
		host_say(check, HOST_FAIL, FIX_RMP, "the BIOS has reserved no RMP table");
	else if (end - base + 1 < needed)
		host_say(check, HOST_FAIL, FIX_RMP ", for all memory", "0x%" PRIx64
			 " to 0x%" PRIx64 ", %" PRIu64 " MiB; memory needs %" PRIu64
			 " MiB", base, end, (end - base) >> 20, (needed >> 20) + 1);
	else
		host_say(check, HOST_PASS, NULL, "0x%" PRIx64 " to 0x%" PRIx64, base, end);
}

/* Messages of arch/x86/virt/svm/sev.c. The first that matches is used. */
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
		host_say(check, rmp_messages[i].verdict, FIX_RMP, "kernel log: %.280s", text);
		/* A later message may still say that the range is too small. */
		return check->verdict == HOST_FAIL;
	}
	return false;
}

static void look_rmp(struct host_launch *launch, struct host_check *check)
{
	const struct host *host = launch->host;
	uint64_t base, end, config;

	if (host->msr(MSR_RMP_BASE, &base) || host->msr(MSR_RMP_END, &end)) {
		host_say(check, HOST_SKIP, FIX_MSR, "neither the MSRs nor the kernel log show it");
		host_read_lines(host, "/dev/kmsg", rmp_message, check);
	} else if (!host->msr(MSR_RMP_CFG, &config) && base && config & RMP_CFG_SEGMENTED) {
		/* Only Turin and newer CPUs have MSR_RMP_CFG. */
		host_say(check, HOST_PASS, NULL, "0x%" PRIx64 ", segmented", base);
	} else {
		rmp_judge(host, check, base, end);
	}
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
		return "see the messages of ccp in dmesg";
	}
}

static void look_sev_device(struct host_launch *launch, struct host_check *check)
{
	int fd = calls->open(SNP_DEVICE_PATH, O_RDWR);
	char mode[32];

	launch->sev = fd;
	launch->has |= fd >= 0 ? HOST_HAS_SEV : 0;
	host_say(check, host_ok(fd >= 0), device_fix(fd), "%s%s",
		 fd >= 0 ? "can be opened" : strerror(-fd),
		 host_mode(launch->host, SNP_DEVICE_PATH, mode));
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

static void look_firmware(struct host_launch *launch, struct host_check *check)
{
	struct snp_sev_snp_status *status = &launch->status;
	struct snp_sev_cmd command = {
		.cmd = SNP_SEV_SNP_PLATFORM_STATUS,
		.data = (uintptr_t)status,
	};
	const char *fix;
	int rc = calls->ioctl(launch->sev, SNP_SEV_ISSUE_CMD, &command);

	if (rc) {
		host_say(check, HOST_FAIL, "the firmware does not know SNP, or the secure "
			 "processor does not answer: look at dmesg, update the BIOS, power-cycle",
			 "SNP_PLATFORM_STATUS: %s, firmware error 0x%x", strerror(-rc),
			 command.error);
		return;
	}
	launch->has |= HOST_HAS_FIRMWARE;
	fix = status_fix(status);
	host_say(check, host_ok(!fix), fix, "%u.%u.%u, SNP %s, RMP %s, %u guests",
		 status->api_major, status->api_minor, status->build_id,
		 status->state ? "initialised" : "off",
		 status->platform_init & SNP_INIT_RMP ? "initialised" : "off",
		 status->guest_count);
}

/* The check for memory modules that report a wrong size: CVE-2024-21944. */
static void look_alias_check(struct host_launch *launch, struct host_check *check)
{
	bool done = launch->status.platform_init & SNP_INIT_ALIAS_CHECK;

	host_say(check, done ? HOST_PASS : HOST_SKIP,
		 "a launch works, but reports show this, and a guest's owner may refuse them: "
		 "update the BIOS (firmware 1.55.22 of Milan, 1.55.38 of Genoa, or newer)", "%s",
		 done ? "done, no address aliases were found" :
		 "not done, or it has found address aliases");
}

/* Since Turin the TCB has one more part, and another order. */
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

static void look_tcb(struct host_launch *launch, struct host_check *check)
{
	uint64_t now = launch->status.current_tcb, told = launch->status.reported_tcb;
	char current[96], reported[96];

	tcb_text(launch->family, now, current, sizeof(current));
	tcb_text(launch->family, told, reported, sizeof(reported));
	if (now == told)
		host_say(check, HOST_PASS, NULL, "0x%016" PRIx64 ": %s", now, current);
	else
		host_say(check, HOST_SKIP, "a launch works; attestation reports and the VCEK have "
			 "the reported one, until it is changed with SNP_COMMIT or SNP_SET_CONFIG",
			 "current 0x%016" PRIx64 ": %s; reported 0x%016" PRIx64 ": %s",
			 now, current, told, reported);
}

static void look_memlock(struct host_launch *launch, struct host_check *check)
{
	uint64_t limit = launch->host->memlock;

	if (limit == UINT64_MAX)
		host_say(check, HOST_PASS, NULL, "no limit");
	else
		host_say(check, HOST_SKIP, "a launch locks nothing; memory that is pinned for "
			 "devices needs `ulimit -l unlimited`", "%" PRIu64 " KiB may be locked",
			 limit >> 10);
}

static void look_module(struct host_launch *launch, struct host_check *check)
{
	host_look_module(launch->host, check);
}

static void look_gmem_device(struct host_launch *launch, struct host_check *check)
{
	unsigned int abi = 0;
	struct error error;
	int rc = gmem_open(&error);

	if (rc >= 0) {
		int device = rc;

		rc = gmem_check_abi(device, &abi, &error);
		calls->close(device);
	}
	if (rc >= 0)
		host_say(check, HOST_PASS, NULL, "can be opened, ABI %u", abi);
	else
		host_say(check, HOST_FAIL, error.hint, "%s: %s", error.action, strerror(-error.rc));
}

/* SNP does not need views. The line shows the other kind of private memory. */
static void look_views(struct host_launch *launch, struct host_check *check)
{
	struct host_view view;
	const char *lacks;

	host_view_look(&view);
	lacks = host_view_lacks(&view);
	host_say(check, lacks ? HOST_SKIP : HOST_PASS, lacks,
		 lacks ? "no private memory for ordinary VMs (kind=gmem)" :
		 "private memory for ordinary VMs (kind=gmem), not encrypted");
}

static void look_kernel(struct host_launch *launch, struct host_check *check)
{
	unsigned int major = 0, minor = 0;
	bool ok = sscanf(launch->host->release, "%5u.%5u", &major, &minor) == 2 &&
		  (major > KERNEL_MAJOR || (major == KERNEL_MAJOR && minor >= KERNEL_MINOR));

	host_say(check, host_ok(ok), "KVM launches SNP guests since Linux 6.11: install a newer "
		 "kernel", "Linux %s", launch->host->release);
}

/* Options that must be y. If @module is set, m is enough. */
static const struct {
	const char *name;
	bool module;
} options[] = {
	{ "CONFIG_AMD_MEM_ENCRYPT", false },
	{ "CONFIG_AMD_IOMMU", false },
	{ "CONFIG_KVM_AMD", true },
	{ "CONFIG_KVM_AMD_SEV", false },
	{ "CONFIG_CRYPTO_DEV_CCP_DD", true },
	{ "CONFIG_CRYPTO_DEV_SP_PSP", false },
};

#define OPTIONS (sizeof(options) / sizeof(options[0]))

static bool config_line(const char *line, void *data)
{
	bool *found = data;

	for (size_t i = 0; i < OPTIONS; i++) {
		size_t length = strlen(options[i].name);

		if (strncmp(line, options[i].name, length) || line[length] != '=')
			continue;
		found[i] = line[length + 1] == 'y' ||
			   (options[i].module && line[length + 1] == 'm');
	}
	return false;
}

static void look_config(struct host_launch *launch, struct host_check *check)
{
	static const char *const forms[] = {
		"/boot/config-%s", "/lib/modules/%s/config",
		"/lib/modules/%s/build/.config",
	};
	bool found[OPTIONS] = { false };
	char missing[160] = "", path[160];
	int rc = -ENOENT;

	for (size_t i = 0; rc && i < sizeof(forms) / sizeof(forms[0]); i++) {
		snprintf(path, sizeof(path), forms[i], launch->host->release);
		rc = host_read_lines(launch->host, path, config_line, found);
	}
	if (rc) {
		host_say(check, HOST_SKIP, NULL, "no configuration in /boot or /lib/modules");
		return;
	}
	for (size_t i = 0; i < OPTIONS; i++)
		if (!found[i])
			snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing),
				 " %s", options[i].name);
	host_say(check, host_ok(!missing[0]), "install or build a kernel with these options; "
		 "Debian's amd64 kernels have them", missing[0] ? "without%s" :
		 "has all that SNP needs", missing);
}

static bool flags_line(const char *line, void *data)
{
	bool *found = data;

	if (strncmp(line, "flags", 5))
		return false;
	*found = host_has_word(line, "sev_snp");
	return true;
}

static void look_flag(struct host_launch *launch, struct host_check *check)
{
	bool found = false;
	int rc = host_read_lines(launch->host, "/proc/cpuinfo", flags_line, &found);

	if (rc < 0)
		host_say(check, HOST_SKIP, NULL, "/proc/cpuinfo: %s", strerror(-rc));
	else
		host_say(check, host_ok(found), "the kernel has turned SNP off when it started: "
			 "`dmesg | grep -iE 'sev|snp|rmp'` says why",
			 "sev_snp is %sin the flags of /proc/cpuinfo", found ? "" : "not ");
}

static bool iommu_message(const char *line, void *data)
{
	struct host_check *check = data;
	const char *refusal = strstr(line, "SNP: ");

	if (strstr(line, "IOMMU SNP support enabled")) {
		host_say(check, HOST_PASS, NULL, "IOMMU SNP support enabled");
		return true;
	}
	if (!refusal || !strstr(refusal, "SNP cannot be supported"))
		return false;
	host_say(check, HOST_FAIL, FIX_IOMMU, "kernel log: %.280s", refusal);
	return true;
}

/* Parameters that turn SNP off, in all kernels (@always) or in some. */
static const struct {
	const char *parameter;
	bool always;
} iommu_parameters[] = {
	{ "amd_iommu=off", true },
	{ "iommu=off", true },
	{ "iommu=pt", false },
	{ "iommu.passthrough=1", false },
	{ "amd_iommu=pgtbl_v2", false },
};

static void iommu_guess(const struct host *host, struct host_check *check)
{
	char line[HOST_LINE_SIZE] = "";

	host_read_line(host, "/proc/cmdline", line, sizeof(line));
	for (size_t i = 0; i < sizeof(iommu_parameters) /
				sizeof(iommu_parameters[0]); i++) {
		if (!host_has_word(line, iommu_parameters[i].parameter))
			continue;
		host_say(check, iommu_parameters[i].always ? HOST_FAIL : HOST_SKIP, FIX_IOMMU,
			 "the kernel's command line has %s", iommu_parameters[i].parameter);
		return;
	}
	if (host_folder_is_empty(host, "/sys/class/iommu"))
		host_say(check, HOST_FAIL, FIX_IOMMU, "the kernel uses none");
	else
		host_say(check, HOST_PASS, NULL, "in use");
}

static void look_iommu(struct host_launch *launch, struct host_check *check)
{
	/* Use the kernel log if it still has the message of the start-up. */
	if (host_read_lines(launch->host, "/dev/kmsg", iommu_message, check) != 1)
		iommu_guess(launch->host, check);
}

static void look_kvm_amd(struct host_launch *launch, struct host_check *check)
{
	static const char *const names[] = { "sev", "sev_es", "sev_snp" };
	const struct host *host = launch->host;
	char text[80] = "";
	bool all = true;

	if (!host_module(host, "kvm_amd", NULL)) {
		host_say(check, HOST_FAIL, "`modprobe kvm_amd`; dmesg says if the BIOS has turned "
			 "SVM off", "not loaded");
		return;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[96], line[8] = "";
		bool on;

		snprintf(path, sizeof(path), "/sys/module/kvm_amd/parameters/%s", names[i]);
		host_read_line(host, path, line, sizeof(line));
		on = line[0] == 'Y' || line[0] == '1';
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "%s%s=%c", i ? " " : "", names[i], on ? 'Y' : 'N');
		all &= on;
	}
	host_say(check, host_ok(all), "put `options kvm_amd sev=1 sev_es=1 sev_snp=1` into "
		 "/etc/modprobe.d/kvm.conf, then `modprobe -r kvm_amd && modprobe kvm_amd`; if it "
		 "is still N, a line above shows what KVM lacks", "%s", text);
}

static void look_vm_type(struct host_launch *launch, struct host_check *check)
{
	int types = vm_capability(launch->kvm, KVM_CAP_VM_TYPES);

	host_say(check, host_ok(vm_type_supported(launch->kvm, KVM_X86_SNP_VM)), FIX_TYPE,
		 "VM types 0x%x, SNP is bit %d",
		 types < 0 ? 0 : (unsigned int)types, KVM_X86_SNP_VM);
}

static const struct vm_capability capabilities[] = {
	{ KVM_CAP_USER_MEMORY2, 0, "USER_MEMORY2", NULL },
	{ KVM_CAP_GUEST_MEMFD, 0, "GUEST_MEMFD", NULL },
	{ KVM_CAP_MEMORY_ATTRIBUTES, KVM_MEMORY_ATTRIBUTE_PRIVATE,
	  "MEMORY_ATTRIBUTES", NULL },
	{ KVM_CAP_MEMORY_FAULT_INFO, 0, "MEMORY_FAULT_INFO", NULL },
	{ KVM_CAP_EXIT_HYPERCALL, 1U << KVM_HC_MAP_GPA_RANGE, "EXIT_HYPERCALL",
	  NULL },
	{ KVM_CAP_IMMEDIATE_EXIT, 0, "IMMEDIATE_EXIT", NULL },
	{ 0, 0, NULL, NULL },
};

static void look_capabilities(struct host_launch *launch, struct host_check *check)
{
	const struct vm_capability *capability = capabilities;

	while (capability->name && vm_capability_met(launch->kvm, capability))
		capability++;
	if (capability->name)
		host_say(check, HOST_FAIL, FIX_TYPE, "no KVM_CAP_%s", capability->name);
	else
		host_say(check, HOST_PASS, NULL, "private memory, attributes, exits for "
			 "MAP_GPA_RANGE");
}

static int sev_attribute(int kvm, uint64_t number, uint64_t *value)
{
	struct kvm_device_attr attr = {
		.group = SNP_KVM_GROUP_SEV,
		.attr = number,
		.addr = (uintptr_t)value,
	};

	*value = 0;
	return calls->ioctl(kvm, KVM_GET_DEVICE_ATTR, &attr);
}

static void look_vmsa_features(struct host_launch *launch, struct host_check *check)
{
	uint64_t features;
	int rc = sev_attribute(launch->kvm, SNP_KVM_ATTR_VMSA_FEATURES, &features);

	if (rc) {
		host_say(check, HOST_FAIL, FIX_TYPE, "%s", strerror(-rc));
		return;
	}
	launch->vmsa_features = features;
	host_say(check, HOST_PASS, NULL, "0x%" PRIx64, features);
}

/* Secure TSC: the guest has a TSC that the host cannot change. */
static void look_secure_tsc(struct host_launch *launch, struct host_check *check)
{
	bool kvm = launch->vmsa_features & SNP_FEATURE_SECURE_TSC;

	host_say(check, launch->secure_tsc && kvm ? HOST_PASS : HOST_SKIP,
		 "a launch works, but not with --features 0x201: if the CPU has Secure TSC, a "
		 "newer kernel may support it", "CPU %s, KVM %s", launch->secure_tsc ? "yes" : "no",
		 kvm ? "yes" : "no");
}

static void look_policy(struct host_launch *launch, struct host_check *check)
{
	uint64_t needed = SNP_POLICY_RESERVED_ONE, policy;
	char smt[8] = "";
	int rc = sev_attribute(launch->kvm, SNP_KVM_ATTR_POLICY_BITS, &policy);

	if (rc) {
		host_say(check, HOST_SKIP, NULL, "KVM does not report them (%s); Linux 6.12 "
			 "accepts bits 0 to 17 and 19", strerror(-rc));
		return;
	}
	host_read_line(launch->host, "/sys/devices/system/cpu/smt/active", smt, sizeof(smt));
	if (smt[0] == '1')
		needed |= SNP_POLICY_SMT;
	host_say(check, host_ok((policy & needed) == needed),
		 "KVM does not accept a policy bit that this host requires (bit 17; with SMT bit "
		 "16): update the SEV firmware", "0x%" PRIx64 "; SMT is %s", policy,
		 smt[0] == '1' ? "on" : "off");
}

static void look_vm(struct host_launch *launch, struct host_check *check)
{
	struct snp_kvm_init2 init = { 0 };
	struct snp_kvm_cmd command = {
		.id = SNP_KVM_INIT2,
		.data = (uintptr_t)&init,
	};
	int rc, vm = calls_ioctl_value(launch->kvm, KVM_CREATE_VM, KVM_X86_SNP_VM);

	if (vm < 0) {
		host_say(check, HOST_FAIL, FIX_TYPE, "KVM_CREATE_VM: %s", strerror(-vm));
		return;
	}
	rc = calls->ioctl(vm, KVM_MEMORY_ENCRYPT_OP, &command);
	calls->close(vm);
	if (!rc)
		host_say(check, HOST_PASS, NULL, "one was created and initialised");
	else
		host_say(check, HOST_FAIL, rc == -EBUSY || rc == -ENOTTY ?
			 "no ASID is left for SEV-SNP: end guests, raise misc.max "
			 "of the cgroup (sev_es), or give SEV-SNP more in the BIOS" :
			 rc == -EINVAL ?
			 "this kernel has another ABI than gmemctl expects" :
			 "see the messages of ccp and kvm_amd in dmesg",
			 "KVM_SEV_INIT2: %s, firmware error 0x%x", strerror(-rc), command.error);
}

#define CPU HOST_HAS_CPU
#define SEV (CPU | HOST_HAS_SEV)
#define FIRMWARE (SEV | HOST_HAS_FIRMWARE)
#define KVM (CPU | HOST_HAS_KVM)

/* In the order of their dependencies. */
static const struct host_line lines[] = {
	{ "cpu", 0, look_cpu },
	{ "sev-snp", 0, look_features },
	{ "c-bit", CPU, look_c_bit },
	{ "asids", CPU, look_asids },
	{ "vmpls", CPU, look_vmpls },
	{ "syscfg", CPU, look_syscfg },
	{ "rmp", CPU, look_rmp },
	{ "kernel", CPU, look_kernel },
	{ "kernel-config", CPU, look_config },
	{ "kernel-snp", CPU, look_flag },
	{ "iommu", CPU, look_iommu },
	{ "kvm_amd", CPU, look_kvm_amd },
	{ "/dev/sev", CPU, look_sev_device },
	{ "firmware", SEV, look_firmware },
	{ "alias-check", FIRMWARE, look_alias_check },
	{ "tcb", FIRMWARE, look_tcb },
	{ "/dev/kvm", 0, host_look_kvm },
	{ "vm-type", KVM, look_vm_type },
	{ "capabilities", KVM, look_capabilities },
	{ "vmsa-features", KVM, look_vmsa_features },
	{ "secure-tsc", KVM, look_secure_tsc },
	{ "policy-bits", KVM, look_policy },
	{ "vm", KVM, look_vm },
	{ "memlock", 0, look_memlock },
	{ "gmem", 0, look_module },
	{ "gmem_kvm", 0, look_module },
	{ "/dev/gmem", 0, look_gmem_device },
	{ "views", 0, look_views },
};

_Static_assert(sizeof(lines) / sizeof(lines[0]) < HOST_CHECKS_MAX, "every line has a place");

bool host_check_snp(const struct host *host, struct host_report *report)
{
	return host_check_launch(host, lines, sizeof(lines) / sizeof(lines[0]), report);
}
