/* SPDX-License-Identifier: GPL-2.0 */
/* The sub-commands of `gmemctl snp`, and the options that they share. */
#ifndef GMEMCTL_CLI_SNP_H
#define GMEMCTL_CLI_SNP_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <json-c/json.h>

#include "../snp/measure.h"

/* Sub-commands; argv[0] is "snp", for messages. Return: an exit code. */
int snp_measure_main(int argc, char **argv);
int snp_id_block_main(int argc, char **argv);
int snp_id_check_main(int argc, char **argv);
int snp_verify_main(int argc, char **argv);
void snp_verify_help(void);
int snp_launch_main(int argc, char **argv);

/** snp_run_main() - `gmemctl run --vm-type snp`, without that option */
int snp_run_main(int argc, char **argv);

/* cmd_check.c */
int snp_status_main(int argc, char **argv);

/* snp_file.c */

/** struct snp_file - a whole file */
struct snp_file {
	uint8_t *data;
	uint64_t size;
};

/** snp_file_read() - at most 256 MiB; snp_file_free() works in any case */
int snp_file_read(struct snp_file *file, const char *path, struct error *error);
void snp_file_free(struct snp_file *file);

/** snp_file_sha256() - of a file of any size, which may be a pipe */
int snp_file_sha256(const char *path, uint8_t sha256[SNP_SHA256_SIZE],
		    struct error *error);

/** snp_file_read_exactly() - a file that has to have @size bytes */
int snp_file_read_exactly(const char *path, void *data, uint64_t size,
			  struct error *error);

/* snp_options.c */

enum {
	SNP_OPTION_FIRMWARE = 256,
	SNP_OPTION_VMM,
	SNP_OPTION_VCPUS,
	SNP_OPTION_VCPU_TYPE,
	SNP_OPTION_VCPU_SIGNATURE,
	SNP_OPTION_FEATURES,
	SNP_OPTION_KERNEL,
	SNP_OPTION_INITRD,
	SNP_OPTION_CMDLINE,
	SNP_OPTION_SVSM,
	SNP_OPTION_VARS_SIZE,
	SNP_OPTION_JSON,
	/* Here a sub-command's own begin. */
	SNP_OPTION_OWN,
};

#define SNP_IMAGE_OPTIONS \
	{ "firmware", required_argument, NULL, SNP_OPTION_FIRMWARE }, \
	{ "vmm", required_argument, NULL, SNP_OPTION_VMM }, \
	{ "vcpus", required_argument, NULL, SNP_OPTION_VCPUS }, \
	{ "vcpu-type", required_argument, NULL, SNP_OPTION_VCPU_TYPE }, \
	{ "vcpu-signature", required_argument, NULL, \
	  SNP_OPTION_VCPU_SIGNATURE }, \
	{ "features", required_argument, NULL, SNP_OPTION_FEATURES }, \
	{ "kernel", required_argument, NULL, SNP_OPTION_KERNEL }, \
	{ "initrd", required_argument, NULL, SNP_OPTION_INITRD }, \
	{ "cmdline", required_argument, NULL, SNP_OPTION_CMDLINE }, \
	{ "svsm", required_argument, NULL, SNP_OPTION_SVSM }, \
	{ "vars-size", required_argument, NULL, SNP_OPTION_VARS_SIZE }, \
	{ "json", no_argument, NULL, SNP_OPTION_JSON }

/**
 * struct snp_options - the image as it is described on the command line
 * @image: what options have set directly; no pointers yet
 */
struct snp_options {
	const char *firmware;
	const char *kernel;
	const char *initrd;
	const char *cmdline;
	const char *svsm;
	uint64_t vars_size;
	struct snp_image image;
};

void snp_options_init(struct snp_options *options);

/**
 * snp_options_parse() - take one option of SNP_IMAGE_OPTIONS, or complain
 *
 * Return: 0 or an exit code.
 */
int snp_options_parse(struct snp_options *options, int option, char **argv);

/**
 * snp_options_check() - whether they make sense together
 *
 * Return: 0 or an exit code. Without --firmware no other option may be there.
 */
int snp_options_check(const struct snp_options *options);

/** snp_options_check_image() - the same, but the CPU's signature may be missing */
int snp_options_check_image(const struct snp_options *options);

/* snp_image.c */

/**
 * struct snp_loaded - an image with everything that it needs in memory
 */
struct snp_loaded {
	struct snp_file firmware_file, svsm_file;
	struct snp_firmware firmware, svsm;
	struct snp_kernel_hashes hashes;
	struct snp_image image;
	struct snp_measurement measurement;
};

/** snp_loaded_read() - read the files; snp_loaded_free() it */
int snp_loaded_read(struct snp_loaded *loaded, const struct snp_options *options,
		    struct error *error);

/** snp_loaded_measure() - read the files and predict; snp_loaded_free() it */
int snp_loaded_measure(struct snp_loaded *loaded,
		       const struct snp_options *options, struct error *error);
void snp_loaded_free(struct snp_loaded *loaded);

/** snp_loaded_digest() - only the digest */
int snp_loaded_digest(const struct snp_options *options,
		      uint8_t digest[SNP_DIGEST_SIZE], struct error *error);

/** snp_out_hex() - bytes as a hexadecimal member of a JSON object */
void snp_out_hex(struct json_object *object, const char *key,
		 const uint8_t *bytes, size_t size);

#endif /* GMEMCTL_CLI_SNP_H */
