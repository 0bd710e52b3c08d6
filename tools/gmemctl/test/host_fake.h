/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A host that is made up: files in a folder of its own, CPUID from a table, and
 * devices from the simulator. It is a good SNP host until a test breaks it.
 */
#ifndef GMEMCTL_TEST_HOST_FAKE_H
#define GMEMCTL_TEST_HOST_FAKE_H

#include "../host/host.h"
#include "sim/sim.h"

/**
 * struct host_fake - what a test may set after host_fake_start()
 * @host: to be given to what is tested
 * @config: of the simulator; host_fake_devices() starts it
 * @vendor: 12 bytes
 * @version_eax, @version_ecx: CPUID leaf 1
 * @encryption: CPUID leaf 0x8000001f
 * @no_msr: the module msr is not loaded
 * @syscfg, @rmp_base, @rmp_end, @rmp_cfg: registers
 * @no_alias_check: the firmware has not looked for aliases of addresses
 * @api_minor: of the firmware, instead of the simulator's, if not 0
 * @sev_rc, @kvm_rc, @gmem_rc: what opening the device returns instead
 * @abi: of the module gmem
 */
struct host_fake {
	struct host host;
	struct sim_config config;
	struct sim *sim;
	const char *vendor;
	uint32_t version_eax, version_ecx;
	struct host_cpuid encryption;
	bool no_msr;
	uint64_t syscfg, rmp_base, rmp_end, rmp_cfg;
	bool no_alias_check;
	uint8_t api_minor;
	int sev_rc, kvm_rc, gmem_rc;
	unsigned int abi;
};

extern struct host_fake host_fake;

/** host_fake_start() - a good SNP host; host_fake_end() removes it */
void host_fake_start(void);
void host_fake_end(void);

/** host_fake_devices() - the devices, once @config is as it should be */
void host_fake_devices(void);

/** host_fake_write() - a file, whose folders are made; NULL removes it */
void host_fake_write(const char *path, const char *text);
void host_fake_write_bytes(const char *path, const void *data, size_t size);

/** host_fake_line() - a line of a report by its name, or NULL */
const struct host_check *host_fake_line(const struct host_report *report, const char *name);

#endif /* GMEMCTL_TEST_HOST_FAKE_H */
