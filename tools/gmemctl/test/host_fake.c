// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <linux/gmem.h>

#include "../base/calls.h"
#include "../snp/abi.h"
#include "host_fake.h"
#include "ksft.h"

/* A number that neither the kernel nor the simulator gives. */
#define GMEM_FD 0x200000

struct host_fake host_fake;

static struct calls table;
static const struct calls *simulator;

static bool fake_cpuid(uint32_t leaf, struct host_cpuid *out)
{
	static const char brand[48] = "AMD EPYC 9654 96-Core Processor";

	*out = (struct host_cpuid){ 0 };
	if (!host_fake.vendor)
		return false;
	if (leaf == 0) {
		memcpy(&out->ebx, host_fake.vendor, 4);
		memcpy(&out->edx, host_fake.vendor + 4, 4);
		memcpy(&out->ecx, host_fake.vendor + 8, 4);
	} else if (leaf == 1) {
		out->eax = host_fake.version_eax;
		out->ecx = host_fake.version_ecx;
	} else if (leaf == 0x80000000) {
		out->eax = 0x80000028;
	} else if (leaf >= 0x80000002 && leaf <= 0x80000004) {
		memcpy(out, brand + (leaf - 0x80000002) * 16, 16);
	} else if (leaf == 0x8000001f) {
		*out = host_fake.encryption;
	}
	return true;
}

static int fake_msr(uint32_t number, uint64_t *value)
{
	if (host_fake.no_msr)
		return -ENOENT;
	switch (number) {
	case 0xc0010010:
		*value = host_fake.syscfg;
		return 0;
	case 0xc0010132:
		*value = host_fake.rmp_base;
		return 0;
	case 0xc0010133:
		*value = host_fake.rmp_end;
		return 0;
	case 0xc0010136:
		*value = host_fake.rmp_cfg;
		return 0;
	default:
		return -EIO;
	}
}

static int fake_open(const char *path, int flags)
{
	if (!strcmp(path, SNP_DEVICE_PATH) && host_fake.sev_rc)
		return host_fake.sev_rc;
	if (!strcmp(path, KVM_DEVICE_PATH) && host_fake.kvm_rc)
		return host_fake.kvm_rc;
	if (!strcmp(path, GMEM_DEVICE_PATH))
		return host_fake.gmem_rc ? host_fake.gmem_rc : GMEM_FD;
	return simulator->open(path, flags);
}

static int fake_close(int fd)
{
	return fd == GMEM_FD ? 0 : simulator->close(fd);
}

static int fake_ioctl(int fd, unsigned long request, void *arg)
{
	const struct snp_sev_cmd *command = arg;
	struct snp_sev_snp_status *status;
	int rc;

	if (fd == GMEM_FD) {
		if (request != GMEM_IOCTL_INFO)
			return -ENOTTY;
		((struct gmem_ioctl_info *)arg)->abi_version = host_fake.abi;
		return 0;
	}
	rc = simulator->ioctl(fd, request, arg);
	if (!rc && request == SNP_SEV_ISSUE_CMD &&
	    command->cmd == SNP_SEV_SNP_PLATFORM_STATUS) {
		status = (void *)(uintptr_t)command->data;
		if (host_fake.api_minor)
			status->api_minor = host_fake.api_minor;
		if (host_fake.no_alias_check)
			status->platform_init &= ~SNP_INIT_ALIAS_CHECK;
	}
	return rc;
}

void host_fake_devices(void)
{
	host_fake.sim = sim_create(&host_fake.config);
	EXPECT_TRUE(host_fake.sim);
	sim_use(host_fake.sim);
	simulator = calls;
	table = *calls;
	table.open = fake_open;
	table.close = fake_close;
	table.ioctl = fake_ioctl;
	calls = &table;
}

static void path_of(const char *path, char full[HOST_PATH_SIZE])
{
	snprintf(full, HOST_PATH_SIZE, "%s%s", host_fake.host.root, path);
}

static int file_open(const char *path)
{
	char full[HOST_PATH_SIZE], *slash = full;

	path_of(path, full);
	slash += strlen(host_fake.host.root);
	while ((slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	return open(full, O_WRONLY | O_CREAT, 0644);
}

void host_fake_write_bytes(const char *path, const void *data, size_t size)
{
	int fd = file_open(path);

	EXPECT_GE(fd, 0);
	EXPECT_FALSE(ftruncate(fd, 0));
	EXPECT_EQ(write(fd, data, size), (ssize_t)size);
	close(fd);
}

void host_fake_write(const char *path, const char *text)
{
	char full[HOST_PATH_SIZE];

	if (text) {
		host_fake_write_bytes(path, text, strlen(text));
		return;
	}
	path_of(path, full);
	EXPECT_FALSE(remove(full));
}

static void write_files(void)
{
	host_fake_write("/boot/config-6.12.0-test", "# a comment\n"
			"CONFIG_AMD_MEM_ENCRYPT=y\nCONFIG_AMD_IOMMU=y\n"
			"CONFIG_KVM_AMD=m\nCONFIG_KVM_AMD_SEV=y\nCONFIG_CRYPTO_DEV_CCP_DD=m\n"
			"CONFIG_CRYPTO_DEV_SP_PSP=y\n");
	host_fake_write("/proc/cpuinfo", "processor\t: 0\n"
			"flags\t\t: fpu sev sev_es sev_snp debug_swap\n");
	host_fake_write("/proc/cmdline", "root=/dev/sda1 quiet\n");
	host_fake_write("/proc/iomem", "00001000-0009ffff : System RAM\n"
			"100000000-103fffffff : System RAM\n"
			"  110000000-1100fffff : Kernel code\n");
	host_fake_write("/dev/kmsg", "6,1,0,-;Linux version 6.12.0-test\n"
			"6,9,0,-;AMD-Vi: IOMMU SNP support enabled.\n");
	host_fake_write("/dev/sev", "");
	host_fake_write("/sys/class/iommu/ivhd0", "");
	host_fake_write("/sys/module/kvm_amd/parameters/sev", "Y\n");
	host_fake_write("/sys/module/kvm_amd/parameters/sev_es", "Y\n");
	host_fake_write("/sys/module/kvm_amd/parameters/sev_snp", "Y\n");
	host_fake_write("/sys/devices/system/cpu/smt/active", "1\n");
	host_fake_write("/sys/module/gmem/version", "0.1\n");
	host_fake_write("/sys/module/gmem_kvm/version", "0.1\n");
}

void host_fake_start(void)
{
	memset(&host_fake, 0, sizeof(host_fake));
	snprintf(host_fake.host.root, sizeof(host_fake.host.root), "%s/host-XXXXXX",
		 ksft_folder());
	EXPECT_TRUE(mkdtemp(host_fake.host.root));
	strcpy(host_fake.host.release, "6.12.0-test");
	strcpy(host_fake.host.machine, "x86_64");
	host_fake.host.cpuid = fake_cpuid;
	host_fake.host.msr = fake_msr;
	host_fake.host.memlock = UINT64_MAX;
	host_fake.config.asids = 8;
	host_fake.vendor = "AuthenticAMD";
	host_fake.version_eax = 0x00a10f11;
	/* Secure TSC; C-bit 51, 5 bits shorter, 4 VMPLs; 1006 ASIDs, SEV's from 100 on. */
	host_fake.encryption = (struct host_cpuid){
		.eax = 0x11f, .ebx = 51 | 5 << 6 | 4 << 12, .ecx = 1006, .edx = 100,
	};
	/* Memory encryption, SNP and VMPL; a table for 260 GiB. */
	host_fake.syscfg = 7 << 23;
	host_fake.rmp_base = 0x1000000000;
	host_fake.rmp_end = 0x1010403fff;
	host_fake.abi = GMEM_ABI_VERSION;
	write_files();
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
	return remove(path);
}

void host_fake_end(void)
{
	sim_use(NULL);
	sim_destroy(host_fake.sim);
	nftw(host_fake.host.root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const struct host_check *host_fake_line(const struct host_report *report, const char *name)
{
	for (unsigned int i = 0; i < report->count; i++)
		if (!strcmp(report->checks[i].name, name))
			return &report->checks[i];
	return NULL;
}
