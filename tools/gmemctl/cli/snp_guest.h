/* SPDX-License-Identifier: GPL-2.0 */
/* An SNP guest as it is described on the command line, and built from it. */
#ifndef GMEMCTL_CLI_SNP_GUEST_H
#define GMEMCTL_CLI_SNP_GUEST_H

#include "../boot/e820.h"
#include "../machine/pc.h"
#include "memory_option.h"
#include "snp.h"

/* RAM below the devices and from 4 GiB on, and the firmware, or what is around RAM */
#define SNP_GUEST_RANGES (2 * E820_PLACES + 1 + SNP_IGVM_RANGES)

/**
 * struct snp_guest - the guest
 * @options: firmware, kernel, vCPUs
 * @memory: the option --memory
 * @handover: which of the ways to convert: 0: it discards; 1: pages change hands
 *	with gmem
 * @id_block_path, @id_auth_path, @host_data_path, @certs_path: files, or NULL
 * @policy: see struct snp_launch_config; @policy_given: an option has said it
 * @has_id_block: there are @id_block and @id_auth
 * @vcek_disabled, @cpuid_strict: likewise
 * @convert_timeout_ms: how long a conversion may wait for references
 * @run_timeout_s: after which a run is stopped; 0: never
 * @trace: print exits
 * @loaded: the files of @options
 * @certs: the file at @certs_path
 * @id_block, @id_auth: likewise
 * @host_data: if @has_host_data; @host_data_given: an option has said it
 * @ranges: where its memory is, @nr_ranges of them
 * @request: how it is backed
 * @launch: of the VM; points into this structure
 * @config: the machine; likewise
 */
struct snp_guest {
	struct snp_options options;
	struct memory_option memory;
	unsigned int handover;
	const char *id_block_path, *id_auth_path, *host_data_path, *certs_path;
	uint64_t policy;
	const char *policy_given, *host_data_given;
	bool has_id_block;
	bool vcek_disabled, cpuid_strict, trace;
	uint32_t convert_timeout_ms, run_timeout_s;
	struct snp_loaded loaded;
	struct snp_file certs;
	struct snp_id_block id_block;
	struct snp_id_auth id_auth;
	bool has_host_data;
	uint8_t host_data[SNP_HOST_DATA_SIZE];
	struct range ranges[SNP_GUEST_RANGES];
	unsigned int nr_ranges;
	struct memory_request request;
	struct snp_launch_config launch;
	struct pc_config config;
};

/** snp_guest_options: the table of launch and run */
extern const struct cli_option snp_guest_options[];

/** snp_guest_parse() - from the command line. Return: 0 or an exit code. */
int snp_guest_parse(const struct command *command, struct snp_guest *guest,
		    int argc, char **argv);

/**
 * snp_guest_load() - read all files, and work out what to build
 *
 * snp_guest_free() works in any case.
 */
int snp_guest_load(struct snp_guest *guest, struct error *error);
void snp_guest_free(struct snp_guest *guest);

#endif /* GMEMCTL_CLI_SNP_GUEST_H */
