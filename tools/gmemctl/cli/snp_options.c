// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "../snp/policy.h"
#include "cli.h"
#include "snp.h"

void snp_options_init(struct snp_options *options)
{
	memset(options, 0, sizeof(*options));
	options->image.vmm = SNP_VMM_QEMU;
	options->image.nr_vcpus = 1;
	options->image.features = SNP_FEATURE_ACTIVE;
}

static int parse_vmm(struct snp_options *options, const char *name)
{
	int found = snp_vmm_find(name);

	if (found < 0 || found == SNP_VMM_SVSM)
		return usage_error("--vmm", "no such VMM",
				   "expected qemu, gmemctl, ec2, ec2-old, gce, kvm "
				   "or kvm-sregs, not '%s'", name);
	options->image.vmm = (enum snp_vmm)found;
	options->has_vmm = true;
	return 0;
}

/* Bytes, or a number of them with a unit; in the reference they may be in hex. */
static int parse_vars_size(struct snp_options *options, const char *text)
{
	options->has_vars_size = true;
	if (!number_parse(text, &options->vars_size))
		return 0;
	return usage_size("--vars-size", text, &options->vars_size);
}

/* What says where the image is, and in which words. */
static int parse_file(struct snp_options *options, int option)
{
	switch (option) {
	case SNP_OPTION_FIRMWARE:
	case SNP_OPTION_IGVM:
		options->twice |= options->firmware &&
				  options->is_igvm != (option == SNP_OPTION_IGVM);
		options->is_igvm = option == SNP_OPTION_IGVM;
		options->firmware = optarg;
		break;
	case SNP_OPTION_KERNEL:
		options->kernel = optarg;
		break;
	case SNP_OPTION_INITRD:
		options->initrd = optarg;
		break;
	case SNP_OPTION_CMDLINE:
		options->cmdline = optarg;
		break;
	case SNP_OPTION_SVSM:
		options->svsm = optarg;
		break;
	default:
		options->vars_file = optarg;
		break;
	}
	return 0;
}

static int parse_vcpu(struct snp_options *options, int option)
{
	int code = snp_vcpu_options_parse(&options->vcpu, option, optarg);

	options->image.signature = options->vcpu.signature;
	return code;
}

int snp_options_parse(struct snp_options *options, int option, char **argv)
{
	switch (option) {
	case SNP_OPTION_FIRMWARE:
	case SNP_OPTION_IGVM:
	case SNP_OPTION_KERNEL:
	case SNP_OPTION_INITRD:
	case SNP_OPTION_CMDLINE:
	case SNP_OPTION_SVSM:
	case SNP_OPTION_VARS_FILE:
		return parse_file(options, option);
	case SNP_OPTION_FIRMWARE_DIGEST:
		options->has_firmware_digest = true;
		return usage_hex("--firmware-digest", optarg,
				 options->firmware_digest, SNP_DIGEST_SIZE);
	case SNP_OPTION_VMM:
		return parse_vmm(options, optarg);
	case SNP_OPTION_VCPUS:
		options->has_vcpus = true;
		return usage_count("--vcpus", optarg, SNP_VCPUS_MAX,
				   &options->image.nr_vcpus);
	case SNP_OPTION_VCPU_TYPE:
	case SNP_OPTION_VCPU_SIGNATURE:
	case SNP_OPTION_VCPU_FAMILY:
	case SNP_OPTION_VCPU_MODEL:
	case SNP_OPTION_VCPU_STEPPING:
		return parse_vcpu(options, option);
	case SNP_OPTION_FEATURES:
		options->has_features = true;
		return usage_number("--features", optarg,
				    &options->image.features);
	case SNP_OPTION_VARS_SIZE:
		return parse_vars_size(options, optarg);
	case SNP_OPTION_JSON:
		return 0;
	default:
		return usage_option(option, argv);
	}
}

/* Return: one that says what is measured beside the firmware, or NULL. */
static const char *image_option(const struct snp_options *options)
{
	return options->kernel ? "--kernel" :
	       options->initrd ? "--initrd" :
	       options->cmdline ? "--cmdline" :
	       options->svsm ? "--svsm" :
	       options->vars_file ? "--vars-file" :
	       options->has_vars_size ? "--vars-size" :
	       options->has_vmm ? "--vmm" :
	       options->has_vcpus ? "--vcpus" :
	       options->has_features ? "--features" :
	       options->has_firmware_digest ? "--firmware-digest" :
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
	bool vars = options->has_vars_size || options->vars_file;

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
	if (options->has_vars_size && options->vars_file)
		return usage_error("--vars-size", "not with --vars-file",
				   "one of them says what the size is");
	if (options->has_vmm && options->image.vmm != SNP_VMM_QEMU)
		return usage_error("--vmm", "not with --svsm",
				   "only QEMU's way to start an SVSM is known");
	return 0;
}

int snp_policy_parse(const char *text, uint64_t *policy)
{
	int code = usage_number("--policy", text, policy);

	if (code)
		return code;
	if (!(*policy & SNP_POLICY_RESERVED_ONE))
		return usage_error("--policy", "bit 17 is missing",
				   "every policy has it, such as 0x30000");
	if (*policy & ~SNP_POLICY_KNOWN)
		return usage_error("--policy", "reserved bits are set",
				   "no firmware takes the bits 0x%llx",
				   (unsigned long long)(*policy &
							~SNP_POLICY_KNOWN));
	return 0;
}

int snp_options_check_image(const struct snp_options *options)
{
	const struct snp_image *image = &options->image;
	int code = check_igvm(options);

	if (code)
		return code;
	if (!options->firmware && image_option(options))
		return usage_error("--firmware", "missing",
				   "without it nothing is measured, and %s is of no "
				   "use", image_option(options));
	if (!options->kernel && (options->initrd || options->cmdline))
		return usage_error(options->initrd ? "--initrd" : "--cmdline",
				   "not without --kernel",
				   "only with a kernel is it measured");
	if (!image->nr_vcpus)
		return usage_error("--vcpus", "too few", "at least 1");
	if (!(image->features & SNP_FEATURE_ACTIVE))
		return usage_error("--features", "bit 0 is missing",
				   "every SNP guest has it, such as 0x1 or 0x21");
	return snp_vcpu_options_check(&options->vcpu);
}

int snp_options_check(const struct snp_options *options)
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
