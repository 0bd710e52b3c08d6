// SPDX-License-Identifier: GPL-2.0
/*
 * What a host with SEV-SNP shows of itself besides its devices, for `gmemctl snp status`: the
 * CPU's registers, in the files of the drivers cpuid and msr, and files of /proc, /sys and
 * /boot. A file is a memfd with its text; a register is asked for with pread().
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../internal.h"
#include "shim.h"

#define EXPORT __attribute__((visibility("default")))
#define CPUID_PATH "/dev/cpu/0/cpuid"
#define MSR_PATH "/dev/cpu/0/msr"
#define IOMMU_PATH "/sys/class/iommu"

/* Secure TSC; C-bit 51, 5 bits shorter, 4 VMPLs; 1006 ASIDs, SEV's from 100 on */
#define ENCRYPTION_SNP 0x11f
#define ENCRYPTION_SME 0x1

static const struct {
	const char *path;
	const char *text;
} texts[] = {
	{ "/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu sev sev_es sev_snp debug_swap\n" },
	{ "/proc/cmdline", "root=/dev/sda1 quiet\n" },
	{ "/proc/iomem", "00001000-0009ffff : System RAM\n100000000-103fffffff : System RAM\n" },
	{ "/dev/kmsg", "6,9,0,-;AMD-Vi: IOMMU SNP support enabled.\n" },
	{ "/sys/module/kvm_amd/parameters/sev", "Y\n" },
	{ "/sys/module/kvm_amd/parameters/sev_es", "Y\n" },
	{ "/sys/module/kvm_amd/parameters/sev_snp", "Y\n" },
	{ "/sys/devices/system/cpu/smt/active", "1\n" },
};

/* The kernel's configuration has its release in its name. */
#define CONFIG_PREFIX "/boot/config-"
static const char config[] = "CONFIG_AMD_MEM_ENCRYPT=y\nCONFIG_AMD_IOMMU=y\nCONFIG_KVM_AMD=m\n"
	"CONFIG_KVM_AMD_SEV=y\nCONFIG_CRYPTO_DEV_CCP_DD=m\nCONFIG_CRYPTO_DEV_SP_PSP=y\n";

/* The file of registers that was opened last, and which it is */
static int register_fd = -1;
static bool register_is_msr;

static const char *text_of(const char *path)
{
	if (!strncmp(path, CONFIG_PREFIX, strlen(CONFIG_PREFIX)))
		return config;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!strcmp(texts[i].path, path))
			return texts[i].text;
	return NULL;
}

/* An arm64 host, and one without SNP, show what they are: nothing of this. */
static bool shows_snp(void)
{
	const struct sim_config *sim = shim_config();

	return sim && !sim->arm && !sim->no_snp;
}

int platform_open(const char *path)
{
	bool msr = !strcmp(path, MSR_PATH), cpuid = !strcmp(path, CPUID_PATH);
	const char *text = text_of(path);
	int fd;

	if ((!text && !msr && !cpuid) || (!cpuid && !shows_snp()))
		return SHIM_NOT_OURS;
	fd = memfd_create("simulated file", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (text && (write(fd, text, strlen(text)) < 0 || lseek(fd, 0, SEEK_SET)))
		return -EIO;
	if (!text) {
		register_fd = fd;
		register_is_msr = msr;
	}
	return fd;
}

void platform_closing(int fd)
{
	if (fd == register_fd)
		register_fd = -1;
}

static void read_cpuid(uint32_t leaf, uint32_t out[4])
{
	static const char brand[48] = "AMD EPYC 9654 96-Core Processor (simulated)";
	static const uint32_t version[4] = { 0x00a10f11 };
	static const uint32_t vendor[4] = { 0x10, 0x68747541, 0x444d4163, 0x69746e65 };
	static const uint32_t extended[4] = { 0x80000028 };
	const uint32_t encryption[4] = {
		shows_snp() ? ENCRYPTION_SNP : ENCRYPTION_SME, 51 | 5 << 6 | 4 << 12, 1006, 100,
	};

	memset(out, 0, 16);
	if (!leaf)
		memcpy(out, vendor, 16);
	else if (leaf == 1)
		memcpy(out, version, 16);
	else if (leaf == 0x80000000)
		memcpy(out, extended, 16);
	else if (leaf >= 0x80000002 && leaf <= 0x80000004)
		memcpy(out, brand + (leaf - 0x80000002) * 16, 16);
	else if (leaf == 0x8000001f)
		memcpy(out, encryption, 16);
}

/* Return: whether there is such a register. */
static bool read_msr(uint32_t number, uint64_t *value)
{
	static const struct {
		uint32_t number;
		uint64_t value;
	} msrs[] = {
		/* SYSCFG: memory encryption, SNP, VMPL; a table for 260 GiB */
		{ 0xc0010010, 7 << 23 }, { 0xc0010132, 0x1000000000 },
		{ 0xc0010133, 0x1010403fff }, { 0xc0010136, 0 },
	};

	for (size_t i = 0; i < sizeof(msrs) / sizeof(msrs[0]); i++) {
		if (msrs[i].number != number)
			continue;
		*value = msrs[i].value;
		return true;
	}
	return false;
}

/* Here and in gmemctl, pread() and stat() are those with offsets of 64 bits: pread64(). */
EXPORT ssize_t pread(int fd, void *bytes, size_t size, off_t offset)
{
	static ssize_t (*next)(int fd, void *bytes, size_t size, off_t offset);

	if (fd >= 0 && fd == register_fd) {
		if (register_is_msr && size == 8 && read_msr((uint32_t)offset, bytes))
			return 8;
		if (register_is_msr || size != 16) {
			errno = EIO;
			return -1;
		}
		read_cpuid((uint32_t)offset, bytes);
		return 16;
	}
	if (!next)
		next = dlsym(RTLD_NEXT, "pread64");
	return next(fd, bytes, size, offset);
}

/* Its IOMMUs; what they are called is not looked at. */
EXPORT DIR *opendir(const char *path)
{
	static DIR *(*next)(const char *path);

	if (!next)
		next = dlsym(RTLD_NEXT, "opendir");
	return next(!strcmp(path, IOMMU_PATH) && shows_snp() ? "/" : path);
}

/* What is there in the place of what is only looked at. */
static const char *stand_in(const char *path)
{
	if (!strcmp(path, "/sys/module/kvm_amd") && shows_snp())
		return "/";
	if (!strcmp(path, SNP_DEVICE_PATH) && shows_snp() && !shim_config()->no_dev_sev)
		return "/dev/null";
	return path;
}

EXPORT int stat(const char *path, struct stat *info)
{
	static int (*next)(const char *path, struct stat *info);

	if (!next)
		next = dlsym(RTLD_NEXT, "stat64");
	return next(stand_in(path), info);
}
