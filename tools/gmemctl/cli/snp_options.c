// SPDX-License-Identifier: GPL-2.0
/* The options that say what the image of an SNP guest is. */
#include <stdio.h>
#include <string.h>

#include "../snp/abi.h"
#include "command.h"
#include "snp.h"

/* What the fields of a signature hold. */
#define FAMILY_MAX (0xf + 0xff)
#define MODEL_MAX 0xff
#define STEPPING_MAX 0xf

#define PART(number) TO(struct snp_vcpu_options, parts[number])
#define HAS_PART(number) GIVEN(struct snp_vcpu_options, has_part[number])

#define TO_IMAGE(member) TO(struct snp_options, member)
#define GIVEN_IMAGE(member) GIVEN(struct snp_options, member)

static void set_signature(struct snp_vcpu_options *options, bool *by,
			  uint32_t signature)
{
	options->otherwise |= *by && options->signature != signature;
	options->signature = signature;
	*by = true;
}

static int option_type(const struct cli_option *option, const char *name,
		       const char *text, void *to)
{
	struct snp_vcpu_options *options = to;

	(void)option;
	set_signature(options, &options->by_name, snp_vcpu_type_find(text));
	if (options->signature)
		return 0;
	return usage_error(name, "no such CPU",
			   "expected EPYC, EPYC-IBPB, EPYC-Rome, EPYC-Milan, "
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
	{ "--vcpu-model", "N", option_count, PART(1), "model",
	  .max = MODEL_MAX, HAS_PART(1) },
	{ "--vcpu-stepping", "N", option_count, PART(2), "and stepping",
	  .max = STEPPING_MAX, HAS_PART(2) },
	{ 0 }
};

static unsigned int nr_parts(const struct snp_vcpu_options *options)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < SNP_VCPU_PARTS; i++)
		nr += !!options->has_part[i];
	return nr;
}

bool snp_vcpu_options_given(const struct snp_vcpu_options *options)
{
	return options->by_name || options->by_signature || nr_parts(options);
}

/* Whether they say it once, and wholly */
static int snp_vcpu_options_check(struct snp_vcpu_options *options)
{
	unsigned int parts = nr_parts(options);

	if (options->otherwise ||
	    options->by_name + options->by_signature + !!parts > 1)
		return usage_error(options->by_name ? "--vcpu-type" :
				   "--vcpu-signature", "not with another one",
				   "give the CPU once: its type, its signature, or family, "
				   "model and stepping");
	if (parts && parts < SNP_VCPU_PARTS)
		return usage_error("--vcpu-family", "incomplete",
				   "give --vcpu-family, --vcpu-model and "
				   "--vcpu-stepping");
	if (parts)
		options->signature = snp_vcpu_signature(options->parts[0],
							options->parts[1],
							options->parts[2]);
	return 0;
}

void snp_options_init(struct snp_options *options)
{
	memset(options, 0, sizeof(*options));
	options->image.vmm = SNP_VMM_QEMU;
	options->image.nr_vcpus = 1;
	options->image.features = SNP_FEATURE_ACTIVE;
}

static int option_vmm(const struct cli_option *option, const char *name,
		      const char *text, void *to)
{
	int found = snp_vmm_find(text);

	(void)option;
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

	(void)name;
	options->twice |= options->firmware && options->is_igvm != is_igvm;
	options->is_igvm = is_igvm;
	options->firmware = text;
	return 0;
}

int snp_option_policy(const struct cli_option *option, const char *name,
		      const char *text, void *to)
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

/* Some have a second name, under which users of sev-snp-measure know them. */
const struct cli_option snp_image_options[] = {
	{ "--igvm", "FILE", option_firmware,
	  .help = "an IGVM file, which needs no other option, or" },
	{ "--firmware", "FILE", option_firmware,
	  .help = "OVMF with SEV metadata, such as OVMF.fd", .also = { "--ovmf" } },
	{ "--cpus", "N", option_count, TO_IMAGE(image.nr_vcpus),
	  "number of vCPUs (default 1)", { "--vcpus" },
	  .min = 1, .max = SNP_VCPUS_MAX, GIVEN_IMAGE(vcpus) },
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
	  "the digest after the firmware, if already known",
	  { "--snp-ovmf-hash" }, .max = SNP_DIGEST_SIZE,
	  GIVEN_IMAGE(with_digest) },
	{ "--vmm", "NAME", option_vmm, TO_IMAGE(image.vmm),
	  "the VMM that sets the vCPUs' registers: qemu (default), gmemctl, ec2, ec2-old, gce, "
	  "kvm (none), kvm-sregs",
	  { "--vmm-type" }, GIVEN_IMAGE(vmm) },
	{ "--svsm", "FILE", option_text, TO_IMAGE(svsm),
	  "an SVSM that starts before the firmware," },
	{ "--vars-size", "SIZE", option_size, TO_IMAGE(vars_size),
	  "below a variable store of this size,",
	  GIVEN_IMAGE(with_vars_size) },
	{ "--vars-file", "FILE", option_text, TO_IMAGE(vars_file),
	  "or of the size of this file" },
	{ 0 }
};

/* Return: one that says what is measured beside the firmware, or NULL. */
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

/* An IGVM file says by itself what is measured. */
static int check_igvm(const struct snp_options *options)
{
	const char *option = image_option(options);

	if (options->twice)
		return usage_error("--igvm", "not with --firmware",
				   "one of them is the image");
	if (!options->is_igvm || !option)
		return 0;
	return usage_error(option, "not with --igvm",
			   "the file has its pages and vCPUs, and nothing else is "
			   "measured");
}

/* All that there is to say about an SVSM, and nothing that it makes void. */
static int check_svsm(const struct snp_options *options)
{
	bool vars = options->with_vars_size || options->vars_file;

	if (!options->svsm && vars)
		return usage_error(options->vars_file ? "--vars-file" :
				   "--vars-size", "not without --svsm",
				   "it says how far below the firmware the SVSM "
				   "is");
	if (!options->svsm)
		return 0;
	if (!vars)
		return usage_error("--vars-size", "missing",
				   "the SVSM is below the variable store, whose size "
				   "is part of the digest; or give --vars-file");
	if (options->with_vars_size && options->vars_file)
		return usage_error("--vars-size", "not with --vars-file",
				   "one of them says what the size is");
	if (options->vmm && options->image.vmm != SNP_VMM_QEMU)
		return usage_error("--vmm", "not with --svsm",
				   "only QEMU's way to start an SVSM is known");
	return 0;
}

int snp_options_check_image(struct snp_options *options)
{
	const struct snp_image *image = &options->image;
	int code = check_igvm(options);

	if (!code)
		code = snp_vcpu_options_check(&options->vcpu);
	options->image.signature = options->vcpu.signature;
	if (code)
		return code;
	if (!options->firmware && image_option(options))
		return usage_error("--firmware", "missing",
				   "without it nothing is measured, and %s is of no "
				   "use", image_option(options));
	if (!options->kernel && (options->initrd || options->cmdline))
		return usage_error(options->initrd ? options->with_initrd :
				   options->with_cmdline, "not without --kernel",
				   "only with a kernel is it measured");
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
				   "with this VMM the CPU's signature is part of "
				   "the digest; or give --vcpu-signature");
	return code;
}
