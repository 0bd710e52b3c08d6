// SPDX-License-Identifier: GPL-2.0
/* What an SNP launch needs of kernel and KVM, and the order of all lines. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../base/calls.h"
#include "../kvm/vm.h"
#include "../snp/abi.h"
#include "../snp/vmsa.h"
#include "host.h"

/* The first release with KVM_X86_SNP_VM */
#define KERNEL_MAJOR 6
#define KERNEL_MINOR 11

#define POLICY_SMT (UINT64_C(1) << 16)
#define POLICY_ONE (UINT64_C(1) << 17)

#define FIX_TYPE "the first FAIL above is the cause; without one, dmesg has it"

/* What a line is about has to be there. */
enum needs { ANY_CPU, SNP_CPU, SEV_DEVICE, FIRMWARE, KVM_DEVICE };

static void snp_host_kernel(struct snp_host *snp, struct host_check *check)
{
	unsigned int major = 0, minor = 0;
	bool ok = sscanf(snp->host->release, "%5u.%5u", &major, &minor) == 2 &&
		  (major > KERNEL_MAJOR || (major == KERNEL_MAJOR && minor >= KERNEL_MINOR));

	host_judge(check, ok, NULL, "Linux %s", snp->host->release);
	if (!ok)
		host_fix(check, "KVM launches SNP guests since Linux %u.%u: "
			 "install a newer kernel", KERNEL_MAJOR, KERNEL_MINOR);
}

/* Each is y; where @module is set m will do, too. */
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

static void snp_host_config(struct snp_host *snp, struct host_check *check)
{
	static const char *const forms[] = {
		"/boot/config-%s", "/lib/modules/%s/config",
		"/lib/modules/%s/build/.config",
	};
	bool found[OPTIONS] = { false };
	char missing[160] = "", path[160];
	int rc = -ENOENT;

	for (size_t i = 0; rc && i < sizeof(forms) / sizeof(forms[0]); i++) {
		snprintf(path, sizeof(path), forms[i], snp->host->release);
		rc = host_read_lines(snp->host, path, config_line, found);
	}
	if (rc) {
		host_say(check, HOST_SKIP, "no configuration in /boot or /lib/modules");
		return;
	}
	for (size_t i = 0; i < OPTIONS; i++)
		if (!found[i])
			snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing),
				 " %s", options[i].name);
	host_judge(check, !missing[0], "install or build a kernel with these options; "
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

static void snp_host_flag(struct snp_host *snp, struct host_check *check)
{
	bool found = false;
	int rc = host_read_lines(snp->host, "/proc/cpuinfo", flags_line, &found);

	if (rc < 0) {
		host_say(check, HOST_SKIP, "/proc/cpuinfo: %s", strerror(-rc));
		return;
	}
	host_judge(check, found, "the kernel has turned SNP off when it started: "
		   "`dmesg | grep -iE 'sev|snp|rmp'` says why",
		   "sev_snp is %sin the flags of /proc/cpuinfo", found ? "" : "not ");
}

static bool iommu_message(const char *line, void *data)
{
	struct host_check *check = data;
	const char *refusal = strstr(line, "SNP: ");

	if (strstr(line, "IOMMU SNP support enabled")) {
		host_say(check, HOST_PASS, "IOMMU SNP support enabled");
		return true;
	}
	if (!refusal || !strstr(refusal, "SNP cannot be supported"))
		return false;
	host_say(check, HOST_FAIL, "kernel log: %.280s", refusal);
	return true;
}

/* Parameters with which some or all kernels turn SNP off. */
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
		host_say(check, iommu_parameters[i].always ? HOST_FAIL : HOST_SKIP,
			 "the kernel's command line has %s", iommu_parameters[i].parameter);
		return;
	}
	if (host_folder_is_empty(host, "/sys/class/iommu"))
		host_say(check, HOST_FAIL, "the kernel uses none");
	else
		host_say(check, HOST_PASS, "in use");
}

static void snp_host_iommu(struct snp_host *snp, struct host_check *check)
{
	/* The log knows best, as long as it reaches back to the start. */
	if (host_read_lines(snp->host, "/dev/kmsg", iommu_message, check) != 1)
		iommu_guess(snp->host, check);
	if (check->verdict != HOST_PASS)
		host_fix(check, "enable the IOMMU in the BIOS, and start the "
			 "kernel without iommu=pt, amd_iommu=off and amd_iommu=pgtbl_v2");
}

static void snp_host_kvm_amd(struct snp_host *snp, struct host_check *check)
{
	static const char *const names[] = { "sev", "sev_es", "sev_snp" };
	const struct host *host = snp->host;
	char text[80] = "";
	bool all = true;

	if (host_stat(host, "/sys/module/kvm_amd", NULL)) {
		host_say(check, HOST_FAIL, "not loaded");
		host_fix(check, "`modprobe kvm_amd`; dmesg says if the BIOS has turned SVM off");
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
	host_judge(check, all, "put `options kvm_amd sev=1 sev_es=1 sev_snp=1` "
		   "into /etc/modprobe.d/kvm.conf, then `modprobe -r "
		   "kvm_amd && modprobe kvm_amd`; N again: a line above "
		   "says what KVM lacks", "%s", text);
}

static void snp_host_kvm_device(struct snp_host *snp, struct host_check *check)
{
	struct error error;

	snp->kvm = vm_open_kvm(&error);
	if (snp->kvm >= 0) {
		host_say(check, HOST_PASS, "can be opened, API version %d", KVM_API_VERSION);
		return;
	}
	host_say(check, HOST_FAIL, "%s: %s", error.action, strerror(-snp->kvm));
	host_fix(check, "%s", error.hint);
}

static void snp_host_vm_type(struct snp_host *snp, struct host_check *check)
{
	int types = vm_capability(snp->kvm, KVM_CAP_VM_TYPES);

	host_judge(check, vm_type_supported(snp->kvm, KVM_X86_SNP_VM), FIX_TYPE,
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

static void snp_host_capabilities(struct snp_host *snp, struct host_check *check)
{
	const struct vm_capability *capability;

	for (capability = capabilities; capability->name; capability++) {
		if (vm_capability_met(snp->kvm, capability))
			continue;
		host_judge(check, false, FIX_TYPE, "no KVM_CAP_%s", capability->name);
		return;
	}
	host_say(check, HOST_PASS, "private memory, attributes, exits for MAP_GPA_RANGE");
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

static void snp_host_vmsa_features(struct snp_host *snp, struct host_check *check)
{
	uint64_t features;
	int rc = sev_attribute(snp->kvm, SNP_KVM_ATTR_VMSA_FEATURES, &features);

	if (rc) {
		host_judge(check, false, FIX_TYPE, "%s", strerror(-rc));
		return;
	}
	snp->vmsa_features = features;
	host_say(check, HOST_PASS, "0x%" PRIx64, features);
}

/* The guest reads a TSC that its host cannot change. */
static void snp_host_secure_tsc(struct snp_host *snp, struct host_check *check)
{
	bool kvm = snp->vmsa_features & SNP_FEATURE_SECURE_TSC;
	bool both = snp->secure_tsc && kvm;

	host_say(check, both ? HOST_PASS : HOST_SKIP, "CPU %s, KVM %s",
		 snp->secure_tsc ? "yes" : "no", kvm ? "yes" : "no");
	if (!both)
		host_fix(check, "a launch works, but not with --features 0x201: a "
			 "newer kernel's KVM may have it, if the CPU has");
}

static void snp_host_policy(struct snp_host *snp, struct host_check *check)
{
	uint64_t needed = POLICY_ONE, policy;
	char smt[8] = "";
	int rc = sev_attribute(snp->kvm, SNP_KVM_ATTR_POLICY_BITS, &policy);

	if (rc) {
		host_say(check, HOST_SKIP, "KVM does not tell (%s); Linux 6.12 "
			 "takes bits 0 to 17 and 19", strerror(-rc));
		return;
	}
	host_read_line(snp->host, "/sys/devices/system/cpu/smt/active", smt, sizeof(smt));
	if (smt[0] == '1')
		needed |= POLICY_SMT;
	host_judge(check, (policy & needed) == needed,
		   "no policy of a guest would do here: update the SEV firmware",
		   "0x%" PRIx64 "; SMT is %s", policy, smt[0] == '1' ? "on" : "off");
}

static void snp_host_vm(struct snp_host *snp, struct host_check *check)
{
	struct snp_kvm_init2 init = { 0 };
	struct snp_kvm_cmd command = {
		.id = SNP_KVM_INIT2,
		.data = (uintptr_t)&init,
	};
	int rc, vm = calls_ioctl_value(snp->kvm, KVM_CREATE_VM, KVM_X86_SNP_VM);

	if (vm < 0) {
		host_judge(check, false, FIX_TYPE, "KVM_CREATE_VM: %s", strerror(-vm));
		return;
	}
	rc = calls->ioctl(vm, KVM_MEMORY_ENCRYPT_OP, &command);
	calls->close(vm);
	if (!rc)
		host_say(check, HOST_PASS, "one was created and initialised");
	else
		host_judge(check, false, rc == -EBUSY || rc == -ENOTTY ?
			   "no ASID is left for SEV-SNP: end guests, raise misc.max "
			   "of the cgroup (sev_es), or give SEV-SNP more in the BIOS" :
			   rc == -EINVAL ?
			   "this kernel has another ABI than gmemctl expects" :
			   "look at dmesg for what ccp and kvm_amd say",
			   "KVM_SEV_INIT2: %s, firmware error 0x%x", strerror(-rc),
			   command.error);
}

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
	{ "alias-check", FIRMWARE, snp_host_alias_check },
	{ "tcb", FIRMWARE, snp_host_tcb },
	{ "/dev/kvm", ANY_CPU, snp_host_kvm_device },
	{ "vm-type", KVM_DEVICE, snp_host_vm_type },
	{ "capabilities", KVM_DEVICE, snp_host_capabilities },
	{ "vmsa-features", KVM_DEVICE, snp_host_vmsa_features },
	{ "secure-tsc", KVM_DEVICE, snp_host_secure_tsc },
	{ "policy-bits", KVM_DEVICE, snp_host_policy },
	{ "vm", KVM_DEVICE, snp_host_vm },
	{ "memlock", ANY_CPU, snp_host_memlock },
	{ "gmem", ANY_CPU, snp_host_module },
	{ "gmem_kvm", ANY_CPU, snp_host_module },
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
	if ((needs == SEV_DEVICE || needs == FIRMWARE) && snp->sev < 0)
		return "/dev/sev cannot be opened";
	if (needs == FIRMWARE && !snp->firmware)
		return "the firmware does not answer";
	if (needs == KVM_DEVICE && snp->kvm < 0)
		return "/dev/kvm cannot be opened";
	return NULL;
}

bool host_check_snp(const struct host *host, struct host_report *report)
{
	struct snp_host snp = { .host = host, .kvm = -ENODEV, .sev = -ENODEV };

	*report = (struct host_report){ 0 };
	for (unsigned int i = 0; i < LINES; i++) {
		struct host_check *check = host_report_start(report, lines[i].name);
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
