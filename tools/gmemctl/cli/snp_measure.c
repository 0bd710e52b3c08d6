// SPDX-License-Identifier: GPL-2.0
/* gmemctl snp measure */
#include <inttypes.h>

#include "../snp/hex.h"
#include "cli.h"
#include "out.h"
#include "snp.h"

static void show_sections(struct json_object *object,
			  const struct snp_firmware *firmware)
{
	struct json_object *array = out_array(object, "sections");

	for (unsigned int i = 0; i < firmware->nr_sections; i++) {
		const struct snp_section *section = &firmware->sections[i];
		struct json_object *entry = out_append(array);

		out_uint(entry, "base", section->base);
		out_uint(entry, "size", section->size);
		out_uint(entry, "type", section->type);
		out_string(entry, "name", snp_section_name(section->type));
		out_text("  section   0x%08x  0x%06x  %s\n", section->base,
			 section->size, snp_section_name(section->type));
	}
}

static void show_firmware(const char *role, const struct snp_firmware *firmware,
			  bool sections)
{
	struct json_object *object = out_object(out_root(), role);
	uint64_t base = firmware->end - firmware->size;

	out_string(object, "path", firmware->name);
	out_uint(object, "base", base);
	out_uint(object, "size", firmware->size);
	out_text("%s %s\n  %" PRIu64 " bytes at 0x%" PRIx64 "\n", role,
		 firmware->name, firmware->size, base);
	if (sections)
		show_sections(object, firmware);
}

static void show_kernel(const struct snp_kernel_hashes *hashes)
{
	struct json_object *object = out_object(out_root(), "kernel");
	char text[2 * SNP_SHA256_SIZE + 1];

	snp_out_hex(object, "kernel_sha256", hashes->kernel, SNP_SHA256_SIZE);
	snp_out_hex(object, "initrd_sha256", hashes->initrd, SNP_SHA256_SIZE);
	snp_out_hex(object, "cmdline_sha256", hashes->cmdline, SNP_SHA256_SIZE);
	out_text("kernel hashes\n  kernel    %s\n",
		 hex_format(hashes->kernel, SNP_SHA256_SIZE, text));
	out_text("  initrd    %s\n",
		 hex_format(hashes->initrd, SNP_SHA256_SIZE, text));
	out_text("  cmdline   %s\n",
		 hex_format(hashes->cmdline, SNP_SHA256_SIZE, text));
}

static void show_vcpus(const struct snp_image *image)
{
	const char *vmm = snp_vmm_name(image->svsm ? SNP_VMM_SVSM : image->vmm);
	struct json_object *object = out_object(out_root(), "vcpus");

	out_string(object, "vmm", vmm);
	out_uint(object, "count", image->nr_vcpus);
	out_uint(object, "signature", image->signature);
	out_uint(object, "features", image->features);
	out_text("vCPUs\n  %u of %s, signature 0x%x, features 0x%" PRIx64 "\n",
		 image->nr_vcpus, vmm, image->signature, image->features);
}

static void show_measurement(const struct snp_measurement *measurement)
{
	static const char *const names[] = { "firmware", "sections", "digest" };
	const uint8_t *const digests[] = {
		measurement->firmware, measurement->sections, measurement->digest,
	};
	struct json_object *object = out_object(out_root(), "measurement");
	char text[2 * SNP_DIGEST_SIZE + 1];

	out_uint(object, "pages", measurement->pages);
	out_text("launch digest, of %" PRIu64 " pages\n", measurement->pages);
	for (int i = 0; i < 3; i++) {
		snp_out_hex(object, names[i], digests[i], SNP_DIGEST_SIZE);
		out_text("  %-9s %s\n", names[i],
			 hex_format(digests[i], SNP_DIGEST_SIZE, text));
	}
}

static int parse(struct snp_options *options, int argc, char **argv)
{
	static const struct option long_options[] = {
		SNP_IMAGE_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	int option, code;

	snp_options_init(options);
	while ((option = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		code = snp_options_parse(options, option, argv);
		if (code)
			return code;
	}
	if (optind < argc)
		return usage_error(argv[optind], "unexpected argument",
				   "`gmemctl snp measure` takes options only");
	if (!options->firmware)
		return usage_error("--firmware", "missing",
				   "give an OVMF image, such as "
				   "/usr/share/ovmf/OVMF.fd");
	return snp_options_check(options);
}

int snp_measure_main(int argc, char **argv)
{
	struct snp_options options;
	struct snp_loaded loaded;
	struct error error;
	int code;

	code = parse(&options, argc, argv);
	if (code)
		return code;
	if (snp_loaded_measure(&loaded, &options, &error)) {
		snp_loaded_free(&loaded);
		return out_error_report(&error);
	}
	show_firmware("firmware", &loaded.firmware, !loaded.image.svsm);
	if (loaded.image.svsm)
		show_firmware("svsm", &loaded.svsm, true);
	if (loaded.image.kernel)
		show_kernel(&loaded.hashes);
	show_vcpus(&loaded.image);
	show_measurement(&loaded.measurement);
	snp_loaded_free(&loaded);
	return EXIT_CODE_OK;
}
