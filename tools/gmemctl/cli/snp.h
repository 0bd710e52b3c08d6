/* SPDX-License-Identifier: GPL-2.0 */
/* The sub-commands of `gmemctl snp`, and the options that they share. */
#ifndef GMEMCTL_CLI_SNP_H
#define GMEMCTL_CLI_SNP_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <json-c/json.h>

#include "../snp/measure.h"

/* Sub-commands; argv[0] is "snp", for messages. Return: an exit code. */
int snp_measure_main(int argc, char **argv);
int snp_id_block_main(int argc, char **argv);
int snp_id_check_main(int argc, char **argv);
int snp_verify_main(int argc, char **argv);
void snp_verify_help(FILE *stream);
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

/**
 * struct snp_file_head - how a file begins
 * @bytes: of it
 * @size: how many those are: all, if the file has no more
 */
struct snp_file_head {
	uint8_t bytes[1024];
	size_t size;
};

/**
 * snp_file_sha256() - of a file of any size, which may be a pipe
 * @head: out; or NULL
 */
int snp_file_sha256(const char *path, uint8_t sha256[SNP_SHA256_SIZE],
		    struct snp_file_head *head, struct error *error);

/** snp_file_size() - how many bytes a file has */
int snp_file_size(const char *path, uint64_t *size, struct error *error);

/** snp_file_read_exactly() - a file of @size bytes, or of them in base64 */
int snp_file_read_exactly(const char *path, void *data, uint64_t size,
			  struct error *error);

/* snp_options.c */

enum {
	SNP_OPTION_FIRMWARE = 256,
	SNP_OPTION_IGVM,
	SNP_OPTION_VMM,
	SNP_OPTION_VCPUS,
	SNP_OPTION_VCPU_TYPE,
	SNP_OPTION_VCPU_SIGNATURE,
	/* Three in this order: parts of the signature. */
	SNP_OPTION_VCPU_FAMILY,
	SNP_OPTION_VCPU_MODEL,
	SNP_OPTION_VCPU_STEPPING,
	SNP_OPTION_FEATURES,
	SNP_OPTION_KERNEL,
	SNP_OPTION_INITRD,
	SNP_OPTION_CMDLINE,
	SNP_OPTION_SVSM,
	SNP_OPTION_VARS_SIZE,
	SNP_OPTION_VARS_FILE,
	SNP_OPTION_FIRMWARE_DIGEST,
	SNP_OPTION_JSON,
	/* Here a sub-command's own begin. */
	SNP_OPTION_OWN,
};

#define SNP_VCPU_OPTIONS \
	{ "vcpu-type", required_argument, NULL, SNP_OPTION_VCPU_TYPE }, \
	{ "vcpu-signature", required_argument, NULL, \
	  SNP_OPTION_VCPU_SIGNATURE }, \
	{ "vcpu-sig", required_argument, NULL, SNP_OPTION_VCPU_SIGNATURE }, \
	{ "vcpu-family", required_argument, NULL, SNP_OPTION_VCPU_FAMILY }, \
	{ "vcpu-model", required_argument, NULL, SNP_OPTION_VCPU_MODEL }, \
	{ "vcpu-stepping", required_argument, NULL, SNP_OPTION_VCPU_STEPPING }

/* Some have a second name, under which users of sev-snp-measure know them. */
#define SNP_IMAGE_OPTIONS \
	{ "firmware", required_argument, NULL, SNP_OPTION_FIRMWARE }, \
	{ "ovmf", required_argument, NULL, SNP_OPTION_FIRMWARE }, \
	{ "igvm", required_argument, NULL, SNP_OPTION_IGVM }, \
	{ "firmware-digest", required_argument, NULL, \
	  SNP_OPTION_FIRMWARE_DIGEST }, \
	{ "snp-ovmf-hash", required_argument, NULL, \
	  SNP_OPTION_FIRMWARE_DIGEST }, \
	{ "vmm", required_argument, NULL, SNP_OPTION_VMM }, \
	{ "vmm-type", required_argument, NULL, SNP_OPTION_VMM }, \
	{ "vcpus", required_argument, NULL, SNP_OPTION_VCPUS }, \
	SNP_VCPU_OPTIONS, \
	{ "features", required_argument, NULL, SNP_OPTION_FEATURES }, \
	{ "guest-features", required_argument, NULL, SNP_OPTION_FEATURES }, \
	{ "kernel", required_argument, NULL, SNP_OPTION_KERNEL }, \
	{ "initrd", required_argument, NULL, SNP_OPTION_INITRD }, \
	{ "cmdline", required_argument, NULL, SNP_OPTION_CMDLINE }, \
	{ "append", required_argument, NULL, SNP_OPTION_CMDLINE }, \
	{ "svsm", required_argument, NULL, SNP_OPTION_SVSM }, \
	{ "vars-size", required_argument, NULL, SNP_OPTION_VARS_SIZE }, \
	{ "vars-file", required_argument, NULL, SNP_OPTION_VARS_FILE }, \
	{ "json", no_argument, NULL, SNP_OPTION_JSON }

#define SNP_VCPU_PARTS 3

/**
 * struct snp_vcpu_options - the model of the CPU
 * @by_name: by --vcpu-type
 * @by_signature: by --vcpu-signature
 * @otherwise: by one of these a second time, and not the same
 * @has_part: by --vcpu-family, --vcpu-model, --vcpu-stepping
 * @parts: their values
 * @signature: what comes of it
 */
struct snp_vcpu_options {
	bool by_name, by_signature, otherwise;
	bool has_part[SNP_VCPU_PARTS];
	uint32_t parts[SNP_VCPU_PARTS];
	uint32_t signature;
};

/* snp_vcpu_options.c */

/** snp_vcpu_options_parse() - one of SNP_VCPU_OPTIONS. Return: an exit code. */
int snp_vcpu_options_parse(struct snp_vcpu_options *options, int option,
			   const char *text);

/** snp_vcpu_options_check() - whether they say it once, and wholly */
int snp_vcpu_options_check(const struct snp_vcpu_options *options);

/** snp_vcpu_options_given() - whether any of them was there */
bool snp_vcpu_options_given(const struct snp_vcpu_options *options);

/**
 * struct snp_options - the image as it is described on the command line
 * @firmware: OVMF, or an IGVM file
 * @is_igvm: it is that
 * @twice: it was said more than once, in different ways
 * @has_vmm, @has_vcpus, @has_features, @has_vars_size, @has_firmware_digest: the
 *	option was there
 * @vars_file: has the size of the variable store, instead of @vars_size
 * @firmware_digest: the digest after the firmware, which is not measured then
 * @vcpu: the CPU; its signature is also in @image
 * @image: what options have set directly; no pointers yet
 */
struct snp_options {
	const char *firmware;
	const char *kernel;
	const char *initrd;
	const char *cmdline;
	const char *svsm;
	bool is_igvm, twice;
	bool has_vmm, has_vcpus, has_features, has_vars_size, has_firmware_digest;
	uint64_t vars_size;
	const char *vars_file;
	uint8_t firmware_digest[SNP_DIGEST_SIZE];
	struct snp_vcpu_options vcpu;
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

/** snp_policy_parse() - a guest policy that some firmware takes, or complain */
int snp_policy_parse(const char *text, uint64_t *policy);

/** snp_options_check_image() - the same, but the CPU's signature may be missing */
int snp_options_check_image(const struct snp_options *options);

/* snp_image.c */

/**
 * struct snp_loaded - an image with everything that it needs in memory
 */
struct snp_loaded {
	struct snp_file firmware_file, svsm_file;
	struct snp_firmware firmware, svsm;
	struct snp_igvm igvm;
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
