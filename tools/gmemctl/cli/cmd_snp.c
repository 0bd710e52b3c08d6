// SPDX-License-Identifier: GPL-2.0
/* gmemctl snp, and its sub-command measure. */
#include <inttypes.h>
#include <openssl/evp.h>
#include <string.h>

#include "../base/hex.h"
#include "command.h"
#include "out.h"
#include "snp.h"

/* Form of the digest if only that is printed. Without --format all details are shown. */
enum format { FORMAT_HEX, FORMAT_BASE64 };
static const char *const formats[] = { "hex", "base64", NULL };

/* Modes of sev-snp-measure that are for SNP guests. */
enum mode { MODE_SNP, MODE_SVSM, MODE_FIRMWARE };
static const char *const modes[] = { "snp", "snp:svsm", "snp:ovmf-hash", NULL };

/**
 * struct measure - the command line
 * @mode: enum mode. MODE_FIRMWARE: measure only the firmware
 * @format: enum format, if @has_format is set
 */
struct measure {
	struct snp_options options;
	unsigned int mode;
	unsigned int format;
	const char *has_format;
};

static void show_firmware(const char *role, const struct snp_firmware *firmware, bool sections)
{
	struct json_object *object = out_object(out_root(), role), *array, *entry;
	uint64_t base = firmware->end - firmware->size;
	char name[PATH_MAX];

	out_string(object, "path", firmware->name);
	out_uint(object, "base", base);
	out_uint(object, "size", firmware->size);
	out_text("%s %s\n  %" PRIu64 " bytes at 0x%" PRIx64 "\n", role,
		 out_name(firmware->name, name), firmware->size, base);
	if (!sections)
		return;
	array = out_array(object, "sections");
	for (unsigned int i = 0; i < firmware->nr_sections; i++) {
		const struct snp_section *section = &firmware->sections[i];

		entry = out_append(array);
		out_uint(entry, "base", section->base);
		out_uint(entry, "size", section->size);
		out_uint(entry, "type", section->type);
		out_string(entry, "name", snp_section_name(section->type));
		out_text("  section   0x%08x  0x%06x  %s\n", section->base,
			 section->size, snp_section_name(section->type));
	}
}

/* Show a digest, as @name in text and as @key in JSON */
static void show_hash(struct json_object *object, const char *key, const char *name,
		      const uint8_t *bytes, size_t size)
{
	char text[2 * SNP_DIGEST_SIZE + 1];

	snp_out_hex(object, key, bytes, size);
	out_text("  %-9s %s\n", name, hex_format(bytes, size, text));
}

/* Show an image that is not an IGVM file */
static void show_image(const struct snp_loaded *loaded)
{
	const struct snp_image *image = &loaded->image;
	const char *vmm = snp_vmm_name(image->svsm ? SNP_VMM_SVSM : image->vmm);
	const struct snp_kernel_hashes *hashes = &loaded->hashes;
	struct json_object *object;

	show_firmware("firmware", &loaded->firmware, !image->svsm);
	if (image->svsm)
		show_firmware("svsm", &loaded->svsm, true);
	if (image->kernel) {
		object = out_object(out_root(), "kernel");
		out_text("kernel hashes\n");
		show_hash(object, "kernel_sha256", "kernel", hashes->kernel, SNP_SHA256_SIZE);
		show_hash(object, "initrd_sha256", "initrd", hashes->initrd, SNP_SHA256_SIZE);
		show_hash(object, "cmdline_sha256", "cmdline", hashes->cmdline, SNP_SHA256_SIZE);
	}
	object = out_object(out_root(), "vcpus");
	out_string(object, "vmm", vmm);
	out_uint(object, "count", image->nr_vcpus);
	out_uint(object, "signature", image->signature);
	out_uint(object, "features", image->features);
	out_text("vCPUs\n  %u of %s, signature 0x%x, features 0x%" PRIx64 "\n",
		 image->nr_vcpus, vmm, image->signature, image->features);
}

static const struct cli_option measure_options[] = {
	{ .include = snp_measure_options },
	{ .help = "Output:" },
	{ "--mode", "NAME", option_word, TO(struct measure, mode),
	  "snp, snp:svsm, or snp:ovmf-hash for the digest after the firmware only",
	  .words = modes },
	{ "--output-format", "NAME", option_word, TO(struct measure, format),
	  "hex or base64: print only the digest", .words = formats,
	  GIVEN(struct measure, has_format) },
	{ 0 }
};

static int check(struct measure *measure)
{
	struct snp_options *options = &measure->options;

	if (!options->firmware)
		return usage_error("--firmware", "missing", "give an OVMF image, such as "
				   "/usr/share/ovmf/OVMF.fd");
	if (measure->has_format && out_is_json())
		return usage_error("--output-format", "not with --json",
				   "the digest is a member of the JSON object");
	if (measure->mode == MODE_FIRMWARE && options->is_igvm)
		return usage_error("--mode", "not with --igvm", "it has no firmware of its own");
	if (measure->mode == MODE_FIRMWARE)
		return snp_options_check_image(options);
	return snp_options_check(options);
}

/* Show what an IGVM file requires, and whether its ID block has the predicted digest. */
static void show_igvm(const struct snp_loaded *loaded)
{
	const struct snp_igvm *igvm = &loaded->igvm;
	struct json_object *object = out_object(out_root(), "igvm");
	bool matches = igvm->has_id_block &&
		       !memcmp(igvm->id_block.digest, loaded->measurement.digest, SNP_DIGEST_SIZE);
	char name[PATH_MAX];

	out_string(object, "path", igvm->name);
	out_uint(object, "highest_vtl", igvm->highest_vtl);
	out_uint(object, "vcpus", igvm->nr_vcpus);
	out_uint(object, "features", loaded->image.features);
	out_text("IGVM file %s\n  highest VTL %u, vCPUs: %u, features 0x%" PRIx64 "\n",
		 out_name(igvm->name, name), igvm->highest_vtl, igvm->nr_vcpus,
		 loaded->image.features);
	if (igvm->shared_boundary) {
		out_uint(object, "shared_boundary", igvm->shared_boundary);
		out_text("  boundary  memory from 0x%" PRIx64 " on is shared\n",
			 igvm->shared_boundary);
	}
	out_bool(object, "relocatable", igvm->relocatable);
	if (igvm->relocatable)
		out_text("  measured where it is, though it may be loaded elsewhere\n");
	if (igvm->has_policy) {
		out_uint(object, "policy", igvm->policy);
		out_text("  policy    0x%" PRIx64 "\n", igvm->policy);
	}
	if (!igvm->has_id_block)
		return;
	out_bool(object, "id_block_matches", matches);
	out_text("  ID block  %s\n", matches ? "of this digest" : "of another digest");
	if (!matches)
		out_warning(igvm->name, "its ID block is for another launch digest: the firmware "
			    "would refuse the guest");
}

static void show_all(const struct snp_loaded *loaded)
{
	const struct snp_measurement *measurement = &loaded->measurement;
	struct json_object *object;

	if (loaded->image.igvm)
		show_igvm(loaded);
	else
		show_image(loaded);
	object = out_object(out_root(), "measurement");
	out_uint(object, "pages", measurement->pages);
	out_text("launch digest, of %" PRIu64 " pages\n", measurement->pages);
	/* Intermediate digests, which exist only if the image has several parts */
	if (!loaded->image.igvm) {
		show_hash(object, "firmware", "firmware", measurement->firmware, SNP_DIGEST_SIZE);
		show_hash(object, "sections", "sections", measurement->sections, SNP_DIGEST_SIZE);
	}
	show_hash(object, "digest", "digest", measurement->digest, SNP_DIGEST_SIZE);
}

static void show_digest(const uint8_t digest[SNP_DIGEST_SIZE], bool base64)
{
	/* This is enough for base64, too, which needs only four characters for three bytes. */
	char text[2 * SNP_DIGEST_SIZE + 1];

	if (base64)
		EVP_EncodeBlock((unsigned char *)text, digest, SNP_DIGEST_SIZE);
	else
		hex_format(digest, SNP_DIGEST_SIZE, text);
	snp_out_hex(out_root(), "digest", digest, SNP_DIGEST_SIZE);
	out_text("%s\n", text);
}

static int measure_main(const struct command *command, void *arguments)
{
	struct measure *measure = arguments;
	struct snp_loaded loaded;
	struct progress progress;
	struct error error;
	const char *fault;
	int rc, code = check(measure);

	if (code)
		return code;
	progress_start(&progress, "measure the image", -1);
	rc = snp_loaded_measure(&loaded, &measure->options, &error);
	progress_stop(&progress);
	if (rc) {
		snp_loaded_free(&loaded);
		return out_error_report(&error);
	}
	fault = loaded.image.igvm ? snp_igvm_kvm_fault(&loaded.igvm) : NULL;
	if (fault)
		out_warning(loaded.igvm.name, "the digest is that of the file, but KVM cannot "
			    "launch the file: %s", fault);
	if (measure->mode == MODE_FIRMWARE)
		show_digest(loaded.measurement.firmware, measure->format == FORMAT_BASE64);
	else if (measure->has_format)
		show_digest(loaded.measurement.digest, measure->format == FORMAT_BASE64);
	else
		show_all(&loaded);
	snp_loaded_free(&loaded);
	return EXIT_CODE_OK;
}

const struct command command_snp_measure = {
	.name = "snp measure",
	.run = measure_main,
	ARGUMENTS(struct measure, .options = SNP_OPTIONS_DEFAULT),
	.summary = "predict the launch digest of a guest",
	.usage = "snp measure IMAGE [OPTIONS]",
	.about = "IMAGE is the measured image:",
	.options = measure_options,
	.examples = "gmemctl snp measure --firmware OVMF.fd --cpus 4 --vcpu-type EPYC-Milan\n"
		    "gmemctl snp measure --igvm guest.igvm --output-format hex",
};

static const struct command *const subcommands[] = {
	&command_snp_measure,
	&command_snp_id_block,
	&command_snp_id_check,
	&command_snp_verify,
	&command_snp_launch,
	&command_snp_run,
	&command_snp_status,
	NULL
};

const struct command command_snp = {
	.name = "snp",
	.summary = "predict, sign, perform and verify the launch of an SEV-SNP guest",
	.usage = "snp measure|id-block|id-check|verify|launch|run|status [OPTIONS]",
	.about = "launch, run and status need a host with SNP; the others need only files.",
	.subcommands = subcommands,
	.examples = "gmemctl snp measure --firmware OVMF.fd --vcpu-type EPYC-Milan\n"
		    "gmemctl help snp verify",
};
