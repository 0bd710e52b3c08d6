// SPDX-License-Identifier: GPL-2.0
/*
 * The files and registers of a host. The input is: 48 bytes for CPUID and MSRs;
 * a byte that picks a file; its text, up to a zero; the next file.
 */
#include <string.h>

#include "../../base/calls.h"
#include "../../host/host.h"
#include "../host_fake.h"
#include "fuzz.h"
#include "ksft.h"

#define REGISTERS 48

static const char *const paths[] = {
	"/boot/config-6.12.0-test", "/proc/cpuinfo", "/proc/cmdline",
	"/proc/iomem", "/dev/kmsg", "/sys/module/gmem/version",
	"/sys/module/kvm_amd/parameters/sev_snp",
	"/sys/devices/system/cpu/smt/active",
};

#define PATHS (sizeof(paths) / sizeof(paths[0]))

/* What the fake has to say of its own calls; memory is faster than a disk. */
static struct ksft_result result = { .folder = "/dev/shm" };

static void set_registers(const uint8_t *data)
{
	memcpy(&host_fake.syscfg, data, 8);
	memcpy(&host_fake.rmp_base, data + 8, 8);
	memcpy(&host_fake.rmp_end, data + 16, 8);
	memcpy(&host_fake.rmp_cfg, data + 24, 8);
	memcpy(&host_fake.encryption, data + 32, 16);
	host_fake.no_msr = data[7] & 1;
}

static void write_files(const uint8_t *data, size_t size)
{
	while (size > 1) {
		const uint8_t *text = data + 1;
		size_t length = strnlen((const char *)text, size - 1);

		host_fake_write_bytes(paths[*data % PATHS], text, length);
		data += 1 + length;
		size -= 1 + length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct host_report report;
	unsigned int failed = 0;
	bool ok;

	if (size < REGISTERS)
		return 0;
	ksft_result = &result;
	host_fake_start();
	set_registers(data);
	write_files(data + REGISTERS, size - REGISTERS);
	host_fake_devices();
	ok = host_check_snp(&host_fake.host, &report);
	host_fake_end();
	for (unsigned int i = 0; i < report.count; i++) {
		failed += report.checks[i].verdict == HOST_FAIL;
		FUZZ_ASSERT(report.checks[i].value[0]);
	}
	FUZZ_ASSERT(failed == report.failed && ok == !failed);
	FUZZ_ASSERT(!result.failed);
	return 0;
}

/* A good host, but for a file that says something else. */
size_t fuzz_seed(unsigned int index, uint8_t *data)
{
	static const char *const texts[PATHS] = {
		"CONFIG_KVM_AMD=m\nCONFIG_KVM_AMD_SEV=y\n",
		"flags\t\t: fpu sev sev_es sev_snp\n", "iommu=pt amd_iommu=off\n",
		"00001000-0009ffff : System RAM\n",
		"6,2,0,-;SEV-SNP: RMP table physical range [0x1 - 0x2]\n",
		"0.1\n", "Y\n", "1\n",
	};
	const uint64_t registers[4] = { 7 << 23, 0x1000000000, 0x1010403fff, 0 };
	const uint32_t leaf[4] = { 0x1f, 51, 1006, 100 };

	if (index >= PATHS)
		return 0;
	memcpy(data, registers, sizeof(registers));
	memcpy(data + 32, leaf, sizeof(leaf));
	data[7] = index & 1;
	data[REGISTERS] = (uint8_t)index;
	strcpy((char *)data + REGISTERS + 1, texts[index]);
	return REGISTERS + 1 + strlen(texts[index]);
}
