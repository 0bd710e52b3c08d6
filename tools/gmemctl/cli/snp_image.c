// SPDX-License-Identifier: GPL-2.0
/* The image of an SNP guest: its options and its files. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../base/hex.h"
#include "../boot/linux.h"
#include "../snp/abi.h"
#include "command.h"
#include "out.h"
#include "snp.h"

/* Maximum values of the fields of a CPU signature. */
#define FAMILY_MAX (0xf + 0xff)
#define MODEL_MAX 0xff
#define STEPPING_MAX 0xf

#define PART(number) TO(struct snp_vcpu_options, parts[number])
#define HAS_PART(number) GIVEN(struct snp_vcpu_options, has_part[number])

#define TO_IMAGE(member) TO(struct snp_options, member)
#define GIVEN_IMAGE(member) GIVEN(struct snp_options, member)

static void set_signature(struct snp_vcpu_options *options, bool *by, uint32_t signature)
{
	options->otherwise |= *by && options->signature != signature;
	options->signature = signature;
	*by = true;
}

static int option_type(const struct cli_option *option, const char *name,
		       const char *text, void *to)
{
	struct snp_vcpu_options *options = to;

	set_signature(options, &options->by_name, snp_vcpu_type_find(text));
	if (options->signature)
		return 0;
	return usage_error(name, "no such CPU", "expected EPYC, EPYC-IBPB, EPYC-Rome, EPYC-Milan, "
			   "EPYC-Genoa or EPYC-Turin, or --vcpu-signature with "
			   "CPUID leaf 1's EAX, not '%s'", text);
}

static int option_signature(const struct cli_option *option, const char *name,
			    const char *text, void *to)
{
	struct snp_vcpu_options *options = to;
	uint64_t value = 0;
	int code = option_number(option, name, text, &value);

	if (!code && value > UINT32_MAX)
		code = usage_error(name, "not a signature",
				   "expected CPUID leaf 1's EAX, such as 0x800f12, "
				   "not '%s'", text);
	set_signature(options, &options->by_signature, (uint32_t)value);
	return code;
}

const struct cli_option snp_vcpu_options[] = {
	{ "--vcpu-type", "NAME", option_type,
	  .help = "EPYC, EPYC-IBPB, EPYC-Rome, EPYC-Milan, EPYC-Genoa or EPYC-Turin; a "
	  "prediction for qemu and gmemctl needs it" },
	{ "--vcpu-signature", "N", option_signature,
	  .help = "or CPUID leaf 1's EAX, such as 0x800f12",
	  .also = { "--vcpu-sig" } },
	{ "--vcpu-family", "N", option_count, PART(0), "or the parts of it: its family,",
	  .max = FAMILY_MAX, HAS_PART(0) },
	{ "--vcpu-model", "N", option_count, PART(1), "model", .max = MODEL_MAX, HAS_PART(1) },
	{ "--vcpu-stepping", "N", option_count, PART(2), "and stepping",
	  .max = STEPPING_MAX, HAS_PART(2) },
	{ 0 }
};

bool snp_vcpu_options_given(const struct snp_vcpu_options *options)
{
	return options->by_name || options->by_signature || options->has_part[0] ||
	       options->has_part[1] || options->has_part[2];
}

/* Check that the CPU is given in one way only, and completely */
static int snp_vcpu_options_check(struct snp_vcpu_options *options)
{
	unsigned int parts = !!options->has_part[0] + !!options->has_part[1] +
			     !!options->has_part[2];

	if (options->otherwise || options->by_name + options->by_signature + !!parts > 1)
		return usage_error(options->by_name ? "--vcpu-type" :
				   "--vcpu-signature", "not with another one",
				   "give the CPU once: its type, its signature, or family, "
				   "model and stepping");
	if (parts && parts < SNP_VCPU_PARTS)
		return usage_error("--vcpu-family", "incomplete",
				   "give --vcpu-family, --vcpu-model and --vcpu-stepping");
	if (parts)
		options->signature = snp_vcpu_signature(options->parts[0], options->parts[1],
							options->parts[2]);
	return 0;
}

static int option_vmm(const struct cli_option *option, const char *name, const char *text, void *to)
{
	int found = snp_vmm_find(text);

	if (found < 0 || found == SNP_VMM_SVSM)
		return usage_error(name, "no such VMM",
				   "expected qemu, gmemctl, ec2, ec2-old, gce, kvm "
				   "or kvm-sregs, not '%s'", text);
	*(enum snp_vmm *)to = (enum snp_vmm)found;
	return 0;
}

static int option_firmware(const struct cli_option *option, const char *name,
			   const char *text, void *to)
{
	bool is_igvm = !strcmp(option->name, "--igvm");
	struct snp_options *options = to;

	options->twice |= options->firmware && options->is_igvm != is_igvm;
	options->is_igvm = is_igvm;
	options->firmware = text;
	return 0;
}

int snp_option_policy(const struct cli_option *option, const char *name, const char *text, void *to)
{
	int code = option_number(option, name, text, to);
	uint64_t policy = *(uint64_t *)to;

	if (code)
		return code;
	if (!(policy & SNP_POLICY_RESERVED_ONE))
		return usage_error(name, "bit 17 is missing",
				   "every policy has it, such as 0x30000");
	if (policy & ~SNP_POLICY_KNOWN)
		return usage_error(name, "reserved bits are set",
				   "no firmware accepts the bits 0x%llx",
				   (unsigned long long)(policy & ~SNP_POLICY_KNOWN));
	return 0;
}

/* Some options have a second name, which is that in sev-snp-measure. */
const struct cli_option snp_image_options[] = {
	{ "--igvm", "FILE", option_firmware,
	  .help = "an IGVM file, which needs no other option, or" },
	{ "--firmware", "FILE", option_firmware,
	  .help = "OVMF with SEV metadata, such as OVMF.fd", .also = { "--ovmf" } },
	{ "--cpus", "N", option_count, TO_IMAGE(image.nr_vcpus), "number of vCPUs (default 1)",
	  { "--vcpus" }, .min = 1, .max = SNP_VCPUS_MAX, GIVEN_IMAGE(vcpus) },
	{ .include = snp_vcpu_options, TO_IMAGE(vcpu) },
	{ "--features", "N", option_number, TO_IMAGE(image.features),
	  "guest features of the VMSA (default 0x1)", { "--guest-features" },
	  GIVEN_IMAGE(with_features) },
	{ "--kernel", "FILE", option_text, TO_IMAGE(kernel),
	  "the firmware has to check this kernel,", GIVEN_IMAGE(with_kernel) },
	{ "--initrd", "FILE", option_text, TO_IMAGE(initrd), "this initrd,",
	  GIVEN_IMAGE(with_initrd) },
	{ "--append", "TEXT", option_text, TO_IMAGE(cmdline), "and this command line",
	  { "--cmdline" }, GIVEN_IMAGE(with_cmdline) },
	{ 0 }
};

const struct cli_option snp_measure_options[] = {
	{ .include = snp_image_options },
	{ "--firmware-digest", "HEX", option_hex, TO_IMAGE(firmware_digest),
	  "the digest after the firmware, if already known", { "--snp-ovmf-hash" },
	  .max = SNP_DIGEST_SIZE, GIVEN_IMAGE(with_digest) },
	{ "--vmm", "NAME", option_vmm, TO_IMAGE(image.vmm),
	  "the VMM that sets the vCPUs' registers: qemu (default), gmemctl, ec2, ec2-old, gce, "
	  "kvm (none), kvm-sregs", { "--vmm-type" }, GIVEN_IMAGE(vmm) },
	{ "--svsm", "FILE", option_text, TO_IMAGE(svsm),
	  "an SVSM that starts before the firmware," },
	{ "--vars-size", "SIZE", option_size, TO_IMAGE(vars_size),
	  "below a variable store of this size,", GIVEN_IMAGE(with_vars_size) },
	{ "--vars-file", "FILE", option_text, TO_IMAGE(vars_file), "or of the size of this file" },
	{ 0 }
};

/* Return: the first given option that is not for the firmware alone, or NULL. */
static const char *image_option(const struct snp_options *options)
{
	return options->with_kernel ? options->with_kernel :
	       options->with_initrd ? options->with_initrd :
	       options->with_cmdline ? options->with_cmdline :
	       options->svsm ? "--svsm" :
	       options->vars_file ? "--vars-file" :
	       options->with_vars_size ? options->with_vars_size :
	       options->vmm ? options->vmm :
	       options->vcpus ? options->vcpus :
	       options->with_features ? options->with_features :
	       options->with_digest ? options->with_digest :
	       snp_vcpu_options_given(&options->vcpu) ? "--vcpu-type" : NULL;
}

/* Check that the options of an SVSM are complete, and that none excludes another. */
static int check_svsm(const struct snp_options *options)
{
	bool vars = options->with_vars_size || options->vars_file;

	if (!options->svsm && vars)
		return usage_error(options->vars_file ? "--vars-file" : "--vars-size",
				   "not without --svsm",
				   "it gives the distance of the SVSM below the firmware");
	if (!options->svsm)
		return 0;
	if (!vars)
		return usage_error("--vars-size", "missing",
				   "the digest depends on the address of the SVSM, which is below "
				   "the variable store: give the size, or --vars-file");
	if (options->with_vars_size && options->vars_file)
		return usage_error("--vars-size", "not with --vars-file",
				   "both give the size: leave one out");
	if (options->vmm && options->image.vmm != SNP_VMM_QEMU)
		return usage_error("--vmm", "not with --svsm",
				   "an SVSM is supported with --vmm qemu only");
	return 0;
}

int snp_options_check_image(struct snp_options *options)
{
	const struct snp_image *image = &options->image;
	const char *option = image_option(options);
	int code;

	if (options->twice)
		return usage_error("--igvm", "not with --firmware", "both give the image: leave "
				   "one out");
	if (options->is_igvm && option)
		return usage_error(option, "not with --igvm",
				   "only the pages and vCPUs of the file are measured");
	code = snp_vcpu_options_check(&options->vcpu);
	options->image.signature = options->vcpu.signature;
	if (code)
		return code;
	if (!options->firmware && option)
		return usage_error("--firmware", "missing",
				   "%s has an effect only with a measured image", option);
	if (!options->kernel && (options->initrd || options->cmdline))
		return usage_error(options->initrd ? options->with_initrd : options->with_cmdline,
				   "not without --kernel", "it is measured only with a kernel");
	if (!(image->features & SNP_FEATURE_ACTIVE))
		return usage_error("--features", "bit 0 is missing",
				   "every SNP guest has it, such as 0x1 or 0x21");
	return 0;
}

int snp_options_check(struct snp_options *options)
{
	const struct snp_image *image = &options->image;
	int code = snp_options_check_image(options);

	if (!code)
		code = check_svsm(options);
	if (!code && options->firmware && !options->is_igvm &&
	    !snp_vcpu_options_given(&options->vcpu) &&
	    (options->svsm || snp_vmm_wants_signature(image->vmm)))
		return usage_error("--vcpu-type", "missing",
				   "with this VMM the digest depends on the CPU signature: give "
				   "the type, or --vcpu-signature");
	return code;
}

/**
 * struct snp_file_head - the first bytes of a file
 * @bytes: the bytes
 * @size: number of bytes; fewer than there is room for if the file is short
 */
struct snp_file_head {
	uint8_t bytes[1024];
	size_t size;
};

/**
 * struct hashing - a file that is being hashed
 * @context: the hash
 * @head: out: the first bytes of the file; or NULL
 */
struct hashing {
	EVP_MD_CTX *context;
	struct snp_file_head *head;
};

static int hash_block(void *context, const uint8_t *bytes, size_t size, struct error *error)
{
	struct hashing *hashing = context;
	struct snp_file_head *head = hashing->head;
	size_t room = head ? sizeof(head->bytes) - head->size : 0;

	if (room > size)
		room = size;
	if (head) {
		memcpy(head->bytes + head->size, bytes, room);
		head->size += room;
	}
	if (EVP_DigestUpdate(hashing->context, bytes, size) == 1)
		return 0;
	return error_set(error, -EIO, "OpenSSL", "SHA-256", NULL);
}

/*
 * Hash a file of any size, which may be a pipe
 * @head: out: its first bytes; or NULL
 */
static int snp_file_sha256(const char *path, uint8_t sha256[SNP_SHA256_SIZE],
			   struct snp_file_head *head, struct error *error)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	struct hashing hashing = { context, head };
	int rc = 0;

	if (head)
		head->size = 0;
	if (!context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		rc = error_set(error, -EIO, "OpenSSL", "SHA-256", NULL);
	if (!rc)
		rc = input_read_blocks(path, UINT64_MAX, hash_block, &hashing, error);
	if (!rc && EVP_DigestFinal_ex(context, sha256, NULL) != 1)
		rc = error_set(error, -EIO, "OpenSSL", "SHA-256", NULL);
	EVP_MD_CTX_free(context);
	return rc;
}

int snp_host_data_read(const char *path, uint8_t host_data[SNP_SHA256_SIZE], struct error *error)
{
	struct input file;
	int rc = input_read(&file, path, error);

	if (rc)
		return rc;
	rc = snp_sha256(file.data, file.size, host_data);
	input_free(&file);
	return rc ? error_set(error, rc, "OpenSSL", "SHA-256", NULL) : 0;
}

static int count_block(void *context, const uint8_t *bytes, size_t size, struct error *error)
{
	*(uint64_t *)context += size;
	return 0;
}

/* Decode base64, with or without line ends. Return: whether there are @size bytes. */
static bool decode_base64(const struct input *file, void *data, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/=\r\n";
	EVP_ENCODE_CTX *context = EVP_ENCODE_CTX_new();
	uint8_t *bytes = NULL;
	int count = 0, rest = 0;
	bool ok;

	/* The limit is above the size of base64 with line ends. */
	ok = context && file->size && file->size < 2 * size + 16;
	for (uint64_t i = 0; ok && i < file->size; i++)
		ok = file->data[i] && strchr(digits, file->data[i]);
	if (ok)
		bytes = malloc(file->size);
	if (bytes)
		EVP_DecodeInit(context);
	ok = bytes && EVP_DecodeUpdate(context, bytes, &count, file->data, (int)file->size) >= 0 &&
	     EVP_DecodeFinal(context, bytes + count, &rest) == 1 &&
	     (size_t)(count + rest) == size;
	if (ok)
		memcpy(data, bytes, size);
	free(bytes);
	EVP_ENCODE_CTX_free(context);
	return ok;
}

int snp_file_read_exactly(const char *path, void *data, uint64_t size, struct error *error)
{
	struct input file;
	int rc;

	rc = input_read(&file, path, error);
	if (rc)
		return rc;
	if (file.size == size)
		memcpy(data, file.data, size);
	else if (!decode_base64(&file, data, size))
		rc = error_set(error, -EINVAL, path, "read", "it has %" PRIu64 " bytes, expected %"
			       PRIu64 ", or them in base64: give the right file", file.size, size);
	input_free(&file);
	return rc;
}

static int load_kernel(struct snp_loaded *loaded,
		       const struct snp_options *options, struct error *error)
{
	struct snp_kernel_hashes *hashes = &loaded->hashes;
	struct snp_file_head head;
	const char *other;
	int rc;

	if (snp_kernel_hashes_init(hashes, options->cmdline))
		return error_set(error, -EIO, "OpenSSL", "SHA-256", NULL);
	rc = snp_file_sha256(options->kernel, hashes->kernel, &head, error);
	/* The digest is correct for any file, but the firmware may not start such a file. */
	other = rc ? NULL : bzimage_describe_other(head.bytes, head.size);
	if (other)
		out_warning(options->kernel,
			    "it is %s: QEMU hands a bzImage to the firmware", other);
	if (!rc && options->initrd)
		rc = snp_file_sha256(options->initrd, hashes->initrd, NULL, error);
	loaded->image.kernel = hashes;
	return rc;
}

static int load_svsm(struct snp_loaded *loaded,
		     const struct snp_options *options, struct error *error)
{
	uint64_t vars_size = options->vars_file ? 0 : options->vars_size, end;
	int rc = 0;

	if (options->vars_file)
		rc = input_read_blocks(options->vars_file, INPUT_MAX, count_block,
				       &vars_size, error);
	if (rc)
		return rc;
	end = snp_image_svsm_end(&loaded->firmware, vars_size);
	if (!end)
		return error_set(error, -EINVAL, options->svsm, "place SVSM",
				 "the variable store has to have a multiple of 4096 "
				 "bytes, and less than what is below the firmware");
	rc = input_read(&loaded->svsm_file, options->svsm, error);
	if (!rc)
		rc = snp_firmware_parse(&loaded->svsm, options->svsm, loaded->svsm_file.data,
					loaded->svsm_file.size, end, error);
	loaded->image.svsm = &loaded->svsm;
	/* As in the reference, the only feature of an SVSM's VMSA is SNP. */
	loaded->image.features = SNP_FEATURE_ACTIVE;
	return rc;
}

/* Take vCPUs and features from the IGVM file. */
static int load_igvm(struct snp_loaded *loaded,
		     const struct snp_options *options, struct error *error)
{
	struct snp_igvm *igvm = &loaded->igvm;
	struct snp_image *image = &loaded->image;
	int rc = snp_igvm_parse(igvm, options->firmware, loaded->firmware_file.data,
				loaded->firmware_file.size, error);

	if (rc)
		return rc;
	image->igvm = igvm;
	image->firmware = NULL;
	image->nr_vcpus = igvm->nr_vcpus;
	image->features = igvm->nr_vcpus ?
			  snp_vmsa_features(igvm->vcpus[0].vmsa) : 0;
	return 0;
}

int snp_loaded_read(struct snp_loaded *loaded, const struct snp_options *options,
		    struct error *error)
{
	int rc;

	memset(loaded, 0, sizeof(*loaded));
	loaded->image = options->image;
	loaded->image.firmware = &loaded->firmware;
	if (options->with_digest)
		loaded->image.firmware_digest = options->firmware_digest;
	rc = input_read(&loaded->firmware_file, options->firmware, error);
	if (!rc && options->is_igvm)
		return load_igvm(loaded, options, error);
	/* An IGVM file was given with --firmware: name the right option. */
	if (!rc && snp_igvm_is(loaded->firmware_file.data, loaded->firmware_file.size))
		rc = error_set(error, -EINVAL, options->firmware, "parse firmware",
			       "it is an IGVM file: give it with --igvm");
	if (!rc)
		rc = snp_firmware_parse(&loaded->firmware, options->firmware,
					loaded->firmware_file.data, loaded->firmware_file.size,
					SNP_4G, error);
	if (!rc && options->svsm)
		rc = load_svsm(loaded, options, error);
	if (!rc && options->kernel)
		rc = load_kernel(loaded, options, error);
	return rc;
}

int snp_loaded_measure(struct snp_loaded *loaded,
		       const struct snp_options *options, struct error *error)
{
	int rc = snp_loaded_read(loaded, options, error);

	return rc ? rc : snp_measure(&loaded->image, &loaded->measurement, error);
}

void snp_loaded_free(struct snp_loaded *loaded)
{
	snp_igvm_free(&loaded->igvm);
	input_free(&loaded->firmware_file);
	input_free(&loaded->svsm_file);
}

int snp_loaded_digest(const struct snp_options *options,
		      uint8_t digest[SNP_DIGEST_SIZE], struct error *error)
{
	struct snp_loaded loaded;
	int rc = snp_loaded_measure(&loaded, options, error);

	memcpy(digest, loaded.measurement.digest, SNP_DIGEST_SIZE);
	snp_loaded_free(&loaded);
	return rc;
}

void snp_out_hex(struct json_object *object, const char *key, const uint8_t *bytes, size_t size)
{
	char text[2 * SNP_DIGEST_SIZE * 2 + 1];

	if (2 * size < sizeof(text))
		out_string(object, key, hex_format(bytes, size, text));
}

