// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

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
	return 0;
}

static int parse_type(struct snp_options *options, const char *name)
{
	options->image.signature = snp_vcpu_type_find(name);
	if (options->image.signature)
		return 0;
	return usage_error("--vcpu-type", "no such CPU",
			   "expected EPYC, EPYC-Rome, EPYC-Milan, EPYC-Genoa or "
			   "EPYC-Turin, or --vcpu-signature with CPUID leaf 1's "
			   "EAX, not '%s'", name);
}

static int parse_signature(struct snp_options *options, const char *text)
{
	uint64_t value = 0;
	int code = usage_number("--vcpu-signature", text, &value);

	if (!code && (!value || value > UINT32_MAX))
		code = usage_error("--vcpu-signature", "not a signature",
				   "expected CPUID leaf 1's EAX, such as 0x800f12, "
				   "not '%s'", text);
	options->image.signature = (uint32_t)value;
	return code;
}

int snp_options_parse(struct snp_options *options, int option, char **argv)
{
	switch (option) {
	case SNP_OPTION_FIRMWARE:
		options->firmware = optarg;
		return 0;
	case SNP_OPTION_VMM:
		return parse_vmm(options, optarg);
	case SNP_OPTION_VCPUS:
		return usage_count("--vcpus", optarg, SNP_VCPUS_MAX,
				   &options->image.nr_vcpus);
	case SNP_OPTION_VCPU_TYPE:
		return parse_type(options, optarg);
	case SNP_OPTION_VCPU_SIGNATURE:
		return parse_signature(options, optarg);
	case SNP_OPTION_FEATURES:
		return usage_number("--features", optarg,
				    &options->image.features);
	case SNP_OPTION_KERNEL:
		options->kernel = optarg;
		return 0;
	case SNP_OPTION_INITRD:
		options->initrd = optarg;
		return 0;
	case SNP_OPTION_CMDLINE:
		options->cmdline = optarg;
		return 0;
	case SNP_OPTION_SVSM:
		options->svsm = optarg;
		return 0;
	case SNP_OPTION_VARS_SIZE:
		return usage_size("--vars-size", optarg, &options->vars_size);
	case SNP_OPTION_JSON:
		return 0;
	default:
		return usage_option(option, argv);
	}
}

int snp_options_check_image(const struct snp_options *options)
{
	const struct snp_image *image = &options->image;

	if (!options->firmware && (options->kernel || options->svsm))
		return usage_error("--firmware", "missing",
				   "without it there is nothing that could boot a "
				   "kernel or an SVSM");
	if (!options->kernel && (options->initrd || options->cmdline))
		return usage_error(options->initrd ? "--initrd" : "--cmdline",
				   "not without --kernel",
				   "only with a kernel is it measured");
	if (!options->svsm && options->vars_size)
		return usage_error("--vars-size", "not without --svsm",
				   "it says how far below the firmware the SVSM "
				   "is");
	if (!image->nr_vcpus)
		return usage_error("--vcpus", "too few", "at least 1");
	if (!(image->features & SNP_FEATURE_ACTIVE))
		return usage_error("--features", "bit 0 is missing",
				   "every SNP guest has it, such as 0x1 or 0x21");
	return 0;
}

int snp_options_check(const struct snp_options *options)
{
	const struct snp_image *image = &options->image;
	int code = snp_options_check_image(options);

	if (!code && options->firmware && !image->signature &&
	    (options->svsm || snp_vmm_wants_signature(image->vmm)))
		return usage_error("--vcpu-type", "missing",
				   "with this VMM the CPU's signature is part of "
				   "the digest; or give --vcpu-signature");
	return code;
}
