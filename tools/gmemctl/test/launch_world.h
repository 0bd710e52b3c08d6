/* SPDX-License-Identifier: GPL-2.0 */
/* A simulated host, and an SNP guest that is launched on it step by step. */
#ifndef GMEMCTL_TEST_LAUNCH_WORLD_H
#define GMEMCTL_TEST_LAUNCH_WORLD_H

#include "../memory/guest_memory.h"
#include "sim/sim.h"
#include "../snp/launch.h"
#include "snp_build.h"

#define LAUNCH_VCPUS 4
#define LAUNCH_RAM UINT64_C(0x1000000)
#define LAUNCH_TEXT 16384

/**
 * struct launch_world - what a test works with
 * @host: to be changed before launch_world_vm()
 * @real: there is no simulator: this host has SNP; likewise
 * @kind: of its memory; likewise
 * @existing_fd: memory that is there already, or 0
 * @starts_shared: its pages start shared, where gmem does not say so anyway
 * @preserve: ask for contents to be preserved
 * @config: to be changed before launch_world_run()
 * @lints: what the simulator would abort for in its strict mode
 * @said: all steps that were told of, a line each
 * @error: of the step that has failed
 */
struct launch_world {
	struct sim_config host;
	struct sim *sim;
	bool real;
	struct vm vm;
	enum backing_kind kind;
	int existing_fd;
	bool starts_shared;
	bool preserve;
	struct range ranges[2];
	struct memory_request request;
	struct memory_config memory_config;
	struct guest_memory memory;
	struct vcpu vcpus[LAUNCH_VCPUS];
	unsigned int nr_vcpus;
	uint8_t *made;
	struct snp_firmware firmware;
	struct snp_launch_config config;
	struct snp_launch launch;
	unsigned int lints;
	char said[LAUNCH_TEXT];
	struct error error;
};

extern struct launch_world world;

/**
 * struct launch_signature - an ID block for the launch of a world
 */
struct launch_signature {
	struct snp_id_block block;
	struct snp_id_auth auth;
	uint8_t host_data[SNP_HOST_DATA_SIZE];
};

/** launch_world_init() - a host with @profile, and a made-up firmware */
void launch_world_init(enum sim_profile profile);

/** launch_world_firmware() - launch this one instead */
void launch_world_firmware(const void *data, size_t size);

/** launch_world_vm() - create the VM, before the launch begins */
void launch_world_vm(void);

/**
 * launch_world_run() - launch it, from where it is as far as @last
 *
 * Return: 0, or what the first step that failed said; see @error.
 */
int launch_world_run(enum snp_launch_state last);

/**
 * launch_world_sign() - have it launched with an ID block of the predicted digest
 * @author: sign the ID key, too
 */
void launch_world_sign(struct launch_signature *signature, bool author);

/** launch_world_said() - whether a line of @said has both texts */
bool launch_world_said(const char *first, const char *second);

/** launch_world_digest() - whether the simulator has computed what was predicted */
bool launch_world_digest(void);

/** launch_world_free() - and check that nothing is left open or was dangerous */
void launch_world_free(void);

#endif /* GMEMCTL_TEST_LAUNCH_WORLD_H */
