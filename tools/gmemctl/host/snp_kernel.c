// SPDX-License-Identifier: GPL-2.0
/* The kernel: its version, its configuration, what it has turned on. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "snp.h"

/* The first release with KVM_X86_SNP_VM */
#define KERNEL_MAJOR 6
#define KERNEL_MINOR 11

void snp_host_kernel(struct snp_host *snp, struct host_check *check)
{
	unsigned int major = 0, minor = 0;
	bool ok = host_version(snp->host, &major, &minor) &&
		  (major > KERNEL_MAJOR ||
		   (major == KERNEL_MAJOR && minor >= KERNEL_MINOR));

	host_say(check, ok ? HOST_PASS : HOST_FAIL, "Linux %s",
		 snp->host->release);
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

static int config_read(const struct host *host, bool *found)
{
	static const char *const forms[] = {
		"/boot/config-%s", "/lib/modules/%s/config",
		"/lib/modules/%s/build/.config",
	};
	char path[160];
	int rc = -ENOENT;

	for (size_t i = 0; rc && i < sizeof(forms) / sizeof(forms[0]); i++) {
		snprintf(path, sizeof(path), forms[i], host->release);
		rc = host_read_lines(host, path, config_line, found);
	}
	return rc;
}

void snp_host_config(struct snp_host *snp, struct host_check *check)
{
	bool found[OPTIONS] = { false };
	char missing[160] = "";

	if (config_read(snp->host, found)) {
		host_say(check, HOST_SKIP, "no configuration in /boot or "
			 "/lib/modules");
		return;
	}
	for (size_t i = 0; i < OPTIONS; i++)
		if (!found[i])
			snprintf(missing + strlen(missing),
				 sizeof(missing) - strlen(missing), " %s",
				 options[i].name);
	if (!missing[0]) {
		host_say(check, HOST_PASS, "has all that SNP needs");
		return;
	}
	host_say(check, HOST_FAIL, "without%s", missing);
	host_fix(check, "install or build a kernel with these options; Debian's "
		 "amd64 kernels have them");
}

static bool flags_line(const char *line, void *data)
{
	bool *found = data;

	if (strncmp(line, "flags", 5))
		return false;
	*found = host_has_word(line, "sev_snp");
	return true;
}

void snp_host_flag(struct snp_host *snp, struct host_check *check)
{
	bool found = false;
	int rc = host_read_lines(snp->host, "/proc/cpuinfo", flags_line, &found);

	if (rc < 0) {
		host_say(check, HOST_SKIP, "/proc/cpuinfo: %s", strerror(-rc));
		return;
	}
	host_say(check, found ? HOST_PASS : HOST_FAIL, "sev_snp is %sin the flags "
		 "of /proc/cpuinfo", found ? "" : "not ");
	if (!found)
		host_fix(check, "the kernel has turned SNP off when it started: "
			 "`dmesg | grep -iE 'sev|snp|rmp'` says why");
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
		host_say(check, iommu_parameters[i].always ? HOST_FAIL :
			 HOST_SKIP, "the kernel's command line has %s",
			 iommu_parameters[i].parameter);
		return;
	}
	if (host_folder_is_empty(host, "/sys/class/iommu"))
		host_say(check, HOST_FAIL, "the kernel uses none");
	else
		host_say(check, HOST_PASS, "in use");
}

void snp_host_iommu(struct snp_host *snp, struct host_check *check)
{
	/* The log knows best, as long as it reaches back to the start. */
	if (host_read_lines(snp->host, "/dev/kmsg", iommu_message, check) != 1)
		iommu_guess(snp->host, check);
	if (check->verdict != HOST_PASS)
		host_fix(check, "enable the IOMMU in the BIOS, and start the "
			 "kernel without iommu=pt, amd_iommu=off and "
			 "amd_iommu=pgtbl_v2");
}

static bool parameter_is_on(const struct host *host, const char *name)
{
	char path[96], line[8] = "";

	snprintf(path, sizeof(path), "/sys/module/kvm_amd/parameters/%s", name);
	host_read_line(host, path, line, sizeof(line));
	return line[0] == 'Y' || line[0] == '1';
}

void snp_host_kvm_amd(struct snp_host *snp, struct host_check *check)
{
	static const char *const names[] = { "sev", "sev_es", "sev_snp" };
	const struct host *host = snp->host;
	char text[80] = "";
	bool all = true;

	if (host_stat(host, "/sys/module/kvm_amd", NULL)) {
		host_say(check, HOST_FAIL, "not loaded");
		host_fix(check, "`modprobe kvm_amd`; dmesg says if the BIOS has "
			 "turned SVM off");
		return;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bool on = parameter_is_on(host, names[i]);

		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "%s%s=%c", i ? " " : "", names[i], on ? 'Y' : 'N');
		all &= on;
	}
	host_say(check, all ? HOST_PASS : HOST_FAIL, "%s", text);
	if (!all)
		host_fix(check, "put `options kvm_amd sev=1 sev_es=1 sev_snp=1` "
			 "into /etc/modprobe.d/kvm.conf, then `modprobe -r "
			 "kvm_amd && modprobe kvm_amd`; N again: a line above "
			 "says what KVM lacks");
}
