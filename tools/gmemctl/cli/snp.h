/* SPDX-License-Identifier: GPL-2.0 */
/* The sub-commands of `gmemctl snp`, and the options that they share. */
#ifndef GMEMCTL_CLI_SNP_H
#define GMEMCTL_CLI_SNP_H

#include <stdbool.h>
#include <stdint.h>
#include <json-c/json.h>

#include "../snp/measure.h"
#include "command.h"

extern const struct command command_snp_measure, command_snp_id_block;
extern const struct command command_snp_id_check, command_snp_verify;
extern const struct command command_snp_launch;

/** snp_file_read_exactly() - read a file with @size bytes, or with their base64 form */
int snp_file_read_exactly(const char *path, void *data, uint64_t size, struct error *error);

/** snp_host_data_read() - get the host data of a file, its SHA-256 */
int snp_host_data_read(const char *path, uint8_t host_data[SNP_SHA256_SIZE], struct error *error);

#define SNP_VCPU_PARTS 3

/**
 * struct snp_vcpu_options - the model of the CPU
 * @by_name: --vcpu-type was given
 * @by_signature: --vcpu-signature was given
 * @otherwise: one of these was given twice, with different values
 * @has_part: names of --vcpu-family, --vcpu-model and --vcpu-stepping, where given
 * @parts: their values
 * @signature: the resulting CPUID signature
 */
struct snp_vcpu_options {
	bool by_name, by_signature, otherwise;
	const char *has_part[SNP_VCPU_PARTS];
	uint32_t parts[SNP_VCPU_PARTS];
	uint32_t signature;
};

/** snp_vcpu_options: the table of options for struct snp_vcpu_options */
extern const struct cli_option snp_vcpu_options[];

/** snp_vcpu_options_given() - whether any of these options was given */
bool snp_vcpu_options_given(const struct snp_vcpu_options *options);

/**
 * struct snp_options - the image, as given on the command line
 * @firmware: path of OVMF, or of an IGVM file
 * @is_igvm: @firmware is an IGVM file
 * @twice: both --firmware and --igvm were given
 * @vmm, @vcpus, @with_features, @with_vars_size, @with_digest: name of the option as it was
 *	typed, or NULL
 * @with_kernel, @with_initrd, @with_cmdline: likewise
 * @vars_size: size of the variable store
 * @vars_file: a file with the size of the variable store, instead of @vars_size
 * @firmware_digest: the digest after the firmware, if given; the firmware is not measured then
 * @vcpu: model of the CPU; its signature is also in @image
 * @image: members that options set directly; its pointers are not set
 */
struct snp_options {
	const char *firmware;
	const char *kernel;
	const char *initrd;
	const char *cmdline;
	const char *svsm;
	bool is_igvm, twice;
	const char *vmm, *vcpus, *with_features, *with_vars_size, *with_digest;
	const char *with_kernel, *with_initrd, *with_cmdline;
	uint64_t vars_size;
	const char *vars_file;
	uint8_t firmware_digest[SNP_DIGEST_SIZE];
	struct snp_vcpu_options vcpu;
	struct snp_image image;
};

#define SNP_OPTIONS_DEFAULT { .image = {					\
	.vmm = SNP_VMM_QEMU, .nr_vcpus = 1, .features = SNP_FEATURE_ACTIVE } }

/** snp_image_options: the table of options of every image, for struct snp_options */
extern const struct cli_option snp_image_options[];

/** snp_measure_options: these options, and those of predictions only */
extern const struct cli_option snp_measure_options[];

/**
 * snp_options_check() - check the combination of options
 *
 * Without --firmware no other option is valid.
 *
 * Return: 0, or an exit code after it has printed an error.
 */
int snp_options_check(struct snp_options *options);

/** snp_options_check_image() - the same for a launch, which can do without a model of the CPU */
int snp_options_check_image(struct snp_options *options);

/** snp_option_policy() - a uint64_t: a guest policy with valid bits */
int snp_option_policy(const struct cli_option *option, const char *name,
		      const char *text, void *to);

/**
 * struct snp_loaded - an image whose files are in memory
 * @firmware_file, @svsm_file: contents of the files
 * @firmware, @svsm, @igvm: the parsed files
 * @hashes: hashes of the kernel
 * @image: the image, which points to the other members
 * @measurement: the prediction, after snp_loaded_measure()
 */
struct snp_loaded {
	struct input firmware_file, svsm_file;
	struct snp_firmware firmware, svsm;
	struct snp_igvm igvm;
	struct snp_kernel_hashes hashes;
	struct snp_image image;
	struct snp_measurement measurement;
};

/** snp_loaded_read() - read and parse the files; the caller calls snp_loaded_free() */
int snp_loaded_read(struct snp_loaded *loaded, const struct snp_options *options,
		    struct error *error);

/** snp_loaded_measure() - read the files, and predict; the caller calls snp_loaded_free() */
int snp_loaded_measure(struct snp_loaded *loaded,
		       const struct snp_options *options, struct error *error);
void snp_loaded_free(struct snp_loaded *loaded);

/** snp_loaded_digest() - read the files, predict, and return only the digest */
int snp_loaded_digest(const struct snp_options *options,
		      uint8_t digest[SNP_DIGEST_SIZE], struct error *error);

/** snp_out_hex() - set a member of a JSON object to bytes in hexadecimal */
void snp_out_hex(struct json_object *object, const char *key, const uint8_t *bytes, size_t size);

#endif /* GMEMCTL_CLI_SNP_H */
