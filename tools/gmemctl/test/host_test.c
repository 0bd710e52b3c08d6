// SPDX-License-Identifier: GPL-2.0
/* What is said of hosts that are made up, each broken in another way. */
#include <json-c/json.h>

#include "../host/host.h"
#include "cli_run.h"
#include "host_fake.h"
#include "ksft.h"

static struct host_report report;

/* Look, and go on with another host, a good one. Return: whether a launch can work. */
static bool look(void)
{
	bool ok;

	host_fake_devices();
	ok = host_check_snp(&host_fake.host, &report);
	host_fake_end();
	host_fake_start();
	return ok;
}

/* Whether a line has this verdict, and this text in its value and fix. */
static bool said(const char *name, enum host_verdict verdict, const char *value, const char *fix)
{
	const struct host_check *check = host_fake_line(&report, name);

	if (check && check->verdict == verdict && strstr(check->value, value) &&
	    (fix ? !!strstr(check->fix, fix) : !check->fix[0]))
		return true;
	printf("# %s: %d: '%s' -> '%s'\n", name, check ? (int)check->verdict : -1,
	       check ? check->value : "", check ? check->fix : "");
	return false;
}

/* Whether this line failed, no other did, and so no launch can work. */
static bool only_failed(const char *name, const char *value, const char *fix)
{
	bool ok = said(name, HOST_FAIL, value, fix);

	for (unsigned int i = 0; i < report.count; i++) {
		const struct host_check *check = &report.checks[i];

		if (check->verdict != HOST_FAIL || !strcmp(check->name, name))
			continue;
		printf("# %s: '%s'\n", check->name, check->value);
		ok = false;
	}
	return ok && report.failed == 1;
}

/* Whether it has this fault, and no other. */
static bool fails(const char *name, const char *value, const char *fix)
{
	return !look() && only_failed(name, value, fix);
}

TEST_OF(host, good)
{
	host_fake_start();
	EXPECT_TRUE(look());
	EXPECT_EQ(report.count, 28);
	EXPECT_FALSE(report.failed);
	EXPECT_TRUE(said("cpu", HOST_PASS,
			 "AMD EPYC 9654 96-Core Processor, family 0x19, model 0x11", NULL));
	EXPECT_TRUE(said("sev-snp", HOST_PASS, "SEV-SNP yes", NULL));
	EXPECT_TRUE(said("c-bit", HOST_PASS, "bit 51, physical addresses are 5", NULL));
	EXPECT_TRUE(said("asids", HOST_PASS, "99 for SEV-SNP and SEV-ES, of 1006", NULL));
	EXPECT_TRUE(said("syscfg", HOST_PASS, "memory encryption on, SNP on", NULL));
	EXPECT_TRUE(said("rmp", HOST_PASS, "0x1000000000 to 0x1010403fff", NULL));
	EXPECT_TRUE(said("kernel", HOST_PASS, "Linux 6.12.0-test", NULL));
	EXPECT_TRUE(said("kernel-config", HOST_PASS, "all", NULL));
	EXPECT_TRUE(said("kernel-snp", HOST_PASS, "sev_snp", NULL));
	EXPECT_TRUE(said("iommu", HOST_PASS, "enabled", NULL));
	EXPECT_TRUE(said("kvm_amd", HOST_PASS, "sev=Y sev_es=Y sev_snp=Y", NULL));
	EXPECT_TRUE(said("/dev/sev", HOST_PASS, "can be opened (mode 0644)", NULL));
	EXPECT_TRUE(said("firmware", HOST_PASS, "1.55.21, SNP initialised", NULL));
	EXPECT_TRUE(said("tcb", HOST_PASS,
			 "0xd208000000000703: boot loader 3, TEE 7, SNP 8, microcode 210", NULL));
	EXPECT_TRUE(said("/dev/kvm", HOST_PASS, "12", NULL));
	EXPECT_TRUE(said("vm-type", HOST_PASS, "0x1d", NULL));
	EXPECT_TRUE(said("capabilities", HOST_PASS, "MAP_GPA_RANGE", NULL));
	EXPECT_TRUE(said("vmsa-features", HOST_PASS, "0x20", NULL));
	EXPECT_TRUE(said("policy-bits", HOST_SKIP, "does not report them", NULL));
	EXPECT_TRUE(said("vm", HOST_PASS, "created and initialised", NULL));
	EXPECT_TRUE(said("memlock", HOST_PASS, "no limit", NULL));
	EXPECT_TRUE(said("gmem", HOST_PASS, "version 0.1", NULL));
	EXPECT_TRUE(said("gmem_kvm", HOST_PASS, "version 0.1", NULL));
	EXPECT_TRUE(said("/dev/gmem", HOST_PASS, "can be opened, ABI", NULL));
}

TEST_OF(host, good_7_3)
{
	host_fake_start();
	host_fake.config.profile = SIM_LINUX_7_3;
	EXPECT_TRUE(look());
	EXPECT_TRUE(said("policy-bits", HOST_PASS, "SMT is on", NULL));
	EXPECT_TRUE(said("vmsa-features", HOST_PASS, "0x220", NULL));
}

TEST_OF(host, cpu)
{
	host_fake_start();
	host_fake.vendor = "GenuineIntel";
	EXPECT_FALSE(look());
	EXPECT_TRUE(said("cpu", HOST_FAIL, "family 0x19", "EPYC 7003"));
	EXPECT_TRUE(said("sev-snp", HOST_FAIL, "no CPUID leaf", "EPYC 7003"));
	EXPECT_TRUE(said("rmp", HOST_SKIP, "the CPU has no SEV-SNP", NULL));
	EXPECT_TRUE(said("vm", HOST_SKIP, "the CPU has no SEV-SNP", NULL));
	EXPECT_TRUE(said("/dev/kvm", HOST_PASS, "can be opened", NULL));

	/* A Rome: SEV and SEV-ES only. */
	host_fake.encryption.eax = 0xf;
	EXPECT_TRUE(fails("sev-snp", "SEV-ES yes, SEV-SNP no", "EPYC 7003"));

	host_fake.encryption.eax = 0;
	host_fake.version_ecx = 1U << 31;
	EXPECT_TRUE(fails("sev-snp", "SEV no", "this is a VM"));

	host_fake.encryption.ebx = 0;
	EXPECT_TRUE(fails("c-bit", "bit 0", "BIOS"));
}

TEST_OF(host, arm64)
{
	host_fake_start();
	host_fake.vendor = NULL;
	strcpy(host_fake.host.machine, "aarch64");
	host_fake.config.no_snp = true;
	EXPECT_FALSE(look());
	EXPECT_TRUE(said("cpu", HOST_FAIL, "aarch64", "gmemctl realm status"));
	EXPECT_TRUE(said("sev-snp", HOST_FAIL, "no CPUID leaf", "realm"));
	EXPECT_EQ(report.failed, 2);
}

TEST_OF(host, asids)
{
	host_fake_start();
	host_fake.encryption.edx = 1;
	EXPECT_TRUE(fails("asids", "none", "Minimum SEV non-ES ASID"));

	/* The BIOS gives some, but guests have them all. */
	host_fake.config.asids = 0;
	EXPECT_TRUE(fails("vm", "KVM_SEV_INIT2: ", "ASID"));
}

TEST_OF(host, bios)
{
	host_fake_start();
	host_fake.syscfg = 0;
	EXPECT_TRUE(fails("syscfg", "memory encryption off, SNP off", "SMEE"));

	host_fake.syscfg = 1 << 23;
	EXPECT_TRUE(fails("syscfg", "encryption on, SNP off", "kernel-snp"));

	host_fake.rmp_base = 0;
	host_fake.rmp_end = 0;
	EXPECT_TRUE(fails("rmp", "reserved no RMP table", "in the BIOS"));

	/* Memory ends at 260 GiB, where the table needs 260 MiB and 16 KiB. */
	host_fake.rmp_end -= 0x1000;
	EXPECT_TRUE(fails("rmp", "MiB; memory needs 261 MiB", "all memory"));
	host_fake_write("/proc/iomem", "00000000-00000000 : System RAM\n");
	host_fake.rmp_end -= 0x1000;
	EXPECT_TRUE(look());

	host_fake.rmp_end = 0;
	host_fake.rmp_cfg = 1;
	EXPECT_TRUE(look());
	EXPECT_TRUE(said("rmp", HOST_PASS, "0x1000000000, segmented", NULL));
}

/* Without the module msr, the kernel log has to tell. */
TEST_OF(host, log)
{
	host_fake_start();
	host_fake.no_msr = true;
	EXPECT_TRUE(look());
	EXPECT_TRUE(said("syscfg", HOST_SKIP, "No such file", "modprobe msr"));
	EXPECT_TRUE(said("rmp", HOST_SKIP, "neither", "modprobe msr"));

	host_fake.no_msr = true;
	host_fake_write("/dev/kmsg", "6,2,0,-;SEV-SNP: RMP table physical range "
			"[0x0000000035600000 - 0x00000000757fffff]\n");
	EXPECT_TRUE(look());
	EXPECT_TRUE(said("rmp", HOST_PASS, "[0x0000000035600000", NULL));

	host_fake.no_msr = true;
	host_fake_write("/dev/kmsg", "6,2,0,-;SEV-SNP: RMP table physical range "
			"[0x0000000035600000 - 0x00000000757fffff]\n"
			"3,3,0,-;SEV-SNP: Memory reserved for the RMP table does "
			"not cover full system RAM (expected 0x1 got 0x0)\n");
	EXPECT_TRUE(fails("rmp", "does not cover full", "in the BIOS"));

	host_fake.no_msr = true;
	host_fake_write("/dev/kmsg", "3,3,0,-;SEV-SNP: Memory for the RMP table "
			"has not been reserved by BIOS\n");
	EXPECT_TRUE(fails("rmp", "not been reserved by BIOS", "in the BIOS"));
}

TEST_OF(host, kernel)
{
	host_fake_start();
	strcpy(host_fake.host.release, "6.10.11");
	EXPECT_TRUE(fails("kernel", "Linux 6.10.11", "since Linux 6.11"));
	EXPECT_TRUE(said("kernel-config", HOST_SKIP, "no configuration", NULL));

	strcpy(host_fake.host.release, "custom");
	EXPECT_TRUE(fails("kernel", "Linux custom", "newer"));

	host_fake_write("/boot/config-6.12.0-test", "CONFIG_KVM_AMD=m\n"
			"CONFIG_AMD_MEM_ENCRYPT=y\nCONFIG_AMD_IOMMU=y\n"
			"# CONFIG_KVM_AMD_SEV is not set\nCONFIG_CRYPTO_DEV_CCP_DD=m\n"
			"CONFIG_CRYPTO_DEV_SP_PSP=m\n");
	EXPECT_TRUE(fails("kernel-config", "without CONFIG_KVM_AMD_SEV CONFIG_CRYPTO_DEV_SP_PSP",
			  "kernel with these"));

	host_fake_write("/proc/cpuinfo", "flags\t\t: fpu sev sev_snp_not sev_es\n");
	EXPECT_TRUE(fails("kernel-snp", "is not in the flags", "dmesg"));
}

TEST_OF(host, iommu)
{
	host_fake_start();
	host_fake_write("/dev/kmsg", "4,7,0,-;AMD-Vi: SNP: IOMMU disabled or "
			"configured in passthrough mode, SNP cannot be supported.\n");
	EXPECT_TRUE(fails("iommu", "passthrough mode", "without iommu=pt"));

	/* The log does not reach back, or is root's. */
	host_fake_write("/dev/kmsg", NULL);
	EXPECT_TRUE(look());
	EXPECT_TRUE(said("iommu", HOST_PASS, "in use", NULL));
	host_fake_write("/dev/kmsg", "");
	host_fake_write("/proc/cmdline", "quiet amd_iommu=off\n");
	EXPECT_TRUE(fails("iommu", "amd_iommu=off", "BIOS"));
	host_fake_write("/dev/kmsg", "");
	host_fake_write("/proc/cmdline", "iommu=pt\n");
	EXPECT_TRUE(look());
	EXPECT_TRUE(said("iommu", HOST_SKIP, "iommu=pt", "without iommu=pt"));
	host_fake_write("/dev/kmsg", "");
	host_fake_write("/sys/class/iommu/ivhd0", NULL);
	EXPECT_TRUE(fails("iommu", "none", "BIOS"));
}

TEST_OF(host, module)
{
	host_fake_start();
	host_fake_write("/sys/module/kvm_amd/parameters/sev_snp", "N\n");
	EXPECT_TRUE(fails("kvm_amd", "sev=Y sev_es=Y sev_snp=N", "/etc/modprobe.d/kvm.conf"));

	/* A kernel that does not know the parameter. */
	host_fake_write("/sys/module/kvm_amd/parameters/sev_snp", NULL);
	EXPECT_TRUE(fails("kvm_amd", "sev_snp=N", "modprobe"));

	host_fake_write("/sys/module/kvm_amd/parameters/sev", NULL);
	host_fake_write("/sys/module/kvm_amd/parameters/sev_es", NULL);
	host_fake_write("/sys/module/kvm_amd/parameters/sev_snp", NULL);
	host_fake_write("/sys/module/kvm_amd/parameters", NULL);
	host_fake_write("/sys/module/kvm_amd", NULL);
	EXPECT_TRUE(fails("kvm_amd", "not loaded", "modprobe kvm_amd"));
}

TEST_OF(host, sev_device)
{
	host_fake_start();
	host_fake.sev_rc = -ENOENT;
	host_fake_write("/dev/sev", NULL);
	EXPECT_TRUE(fails("/dev/sev", "No such file", "modprobe ccp"));
	EXPECT_TRUE(said("firmware", HOST_SKIP, "/dev/sev cannot be opened", NULL));
	EXPECT_TRUE(said("tcb", HOST_SKIP, "/dev/sev cannot be opened", NULL));

	host_fake.sev_rc = -EACCES;
	EXPECT_TRUE(fails("/dev/sev", "Permission denied (mode 0644)", "run as root"));
}

TEST_OF(host, firmware)
{
	host_fake_start();
	host_fake.api_minor = 50;
	EXPECT_TRUE(fails("firmware", "1.50.21", "1.51 or newer"));

	host_fake.config.snp_uninitialized = true;
	EXPECT_FALSE(look());
	EXPECT_TRUE(said("firmware", HOST_FAIL, "SNP off", "not initialised"));

	host_fake_devices();
	sim_kill_psp(host_fake.sim);
	EXPECT_FALSE(host_check_snp(&host_fake.host, &report));
	host_fake_end();
	EXPECT_TRUE(said("firmware", HOST_FAIL, "SNP_PLATFORM_STATUS: ", "BIOS"));
	EXPECT_TRUE(said("tcb", HOST_SKIP, "does not answer", NULL));
}

/* The lines that say what a guest can have, and a launch does not need */
TEST_OF(host, f28)
{
	host_fake_start();
	host_fake.config.profile = SIM_LINUX_7_3;
	EXPECT_TRUE(look());
	EXPECT_TRUE(said("alias-check", HOST_PASS, "no address aliases", NULL));
	EXPECT_TRUE(said("vmpls", HOST_PASS, "4", NULL));
	EXPECT_TRUE(said("secure-tsc", HOST_PASS, "CPU yes, KVM yes", NULL));

	/* KVM of Linux 6.12, the first firmware, an odd CPU */
	host_fake.no_alias_check = true;
	host_fake.encryption.ebx &= 0xfff;
	EXPECT_TRUE(look());
	EXPECT_TRUE(said("alias-check", HOST_SKIP, "not done", "1.55.22"));
	EXPECT_TRUE(said("vmpls", HOST_SKIP, "0", "SVSM"));
	EXPECT_TRUE(said("secure-tsc", HOST_SKIP, "CPU yes, KVM no", "0x201"));

	host_fake.encryption.eax &= 0xff;
	host_fake.sev_rc = -ENOENT;
	EXPECT_FALSE(look());
	EXPECT_TRUE(said("alias-check", HOST_SKIP, "cannot be opened", NULL));
	EXPECT_TRUE(said("secure-tsc", HOST_SKIP, "CPU no, KVM no", "0x201"));
}

TEST_OF(host, tcb)
{
	/* A Turin: the same number means something else. */
	host_fake_start();
	host_fake.version_eax = 0x00b00f21;
	EXPECT_TRUE(look());
	EXPECT_TRUE(said("cpu", HOST_PASS, "family 0x1a, model 0x2", NULL));
	EXPECT_TRUE(said("tcb", HOST_PASS, "FMC 3, boot loader 7, TEE 0, SNP 0, microcode 210",
			 NULL));
}

TEST_OF(host, kvm)
{
	host_fake_start();
	host_fake.kvm_rc = -EACCES;
	EXPECT_TRUE(fails("/dev/kvm", "Permission denied", "group"));
	EXPECT_TRUE(said("vm", HOST_SKIP, "/dev/kvm cannot be opened", NULL));

	/* All is well, but KVM gives no VMs of the type. */
	host_fake.config.no_snp = true;
	EXPECT_FALSE(look());
	EXPECT_TRUE(said("vm-type", HOST_FAIL, "0x1,", "first FAIL"));
	EXPECT_TRUE(said("capabilities", HOST_FAIL, "no KVM_CAP_GUEST_MEMFD", "first FAIL"));
	EXPECT_TRUE(said("vmsa-features", HOST_FAIL, "", "first FAIL"));
	EXPECT_TRUE(said("vm", HOST_FAIL, "KVM_CREATE_VM: Invalid argument", "first FAIL"));
}

TEST_OF(host, memory)
{
	host_fake_start();
	host_fake.host.memlock = 8 << 20;
	EXPECT_TRUE(look());
	EXPECT_TRUE(said("memlock", HOST_SKIP, "8192 KiB", "ulimit -l unlimited"));

	host_fake_write("/sys/module/gmem_kvm/version", NULL);
	host_fake_write("/sys/module/gmem_kvm", NULL);
	EXPECT_TRUE(fails("gmem_kvm", "not loaded", "gmemctl load"));

	host_fake.gmem_rc = -ENOENT;
	EXPECT_TRUE(fails("/dev/gmem", "open: No such", "gmemctl load"));

	host_fake.abi++;
	EXPECT_TRUE(fails("/dev/gmem", "ABI version", "gmemctl unload"));
}

/* Files that are empty, endless lines, or not text at all. */
TEST_OF(host, rubbish)
{
	static const char *const paths[] = {
		"/boot/config-6.12.0-test", "/proc/cpuinfo", "/proc/cmdline",
		"/proc/iomem", "/dev/kmsg", "/sys/module/gmem/version",
		"/sys/module/kvm_amd/parameters/sev_snp",
		"/sys/devices/system/cpu/smt/active",
	};
	static char bytes[3 * HOST_LINE_SIZE];
	const size_t sizes[] = { 0, 1, 100, sizeof(bytes) };

	host_fake_start();
	for (size_t byte = 0; byte < 256; byte += 51)
		ksft_for_each(size, sizes) {
			memset(bytes, (int)byte, sizeof(bytes));
			for (size_t k = 0; k < sizeof(paths) / sizeof(*paths); k++)
				host_fake_write_bytes(paths[k], bytes, *size);
			EXPECT_FALSE(look());
			EXPECT_EQ(report.count, 28);
		}
}

/* The program next to this one, on the host that this is. */
TEST_OF(host, cli)
{
	static const char *const commands[] = { "check snp", "snp status", "check gmem" };

	cli_init();
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		int code = cli_shell("'%s' %s --json >out 2>&1", cli_program, commands[i]);
		struct json_object *root = json_object_from_file("out"), *usable, *checks;

		ASSERT_TRUE(json_object_object_get_ex(root, "usable", &usable));
		ASSERT_TRUE(json_object_object_get_ex(root, "checks", &checks));
		EXPECT_TRUE(i == 2 || json_object_array_length(checks) == 28);
		EXPECT_EQ(code, (json_object_get_boolean(usable) ? 0 : 4));
		json_object_put(root);
	}
	EXPECT_EQ(cli_shell("'%s' check much >/dev/null 2>&1", cli_program), 2);
}
