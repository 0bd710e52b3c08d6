// SPDX-License-Identifier: GPL-2.0
/* The model of the CPU: by its name, its signature, or the parts of that. */
#include "cli.h"
#include "snp.h"

/* What the fields of a signature hold. */
#define FAMILY_MAX (0xf + 0xff)
#define MODEL_MAX 0xff
#define STEPPING_MAX 0xf

static void set_signature(struct snp_vcpu_options *options, bool *by,
			  uint32_t signature)
{
	options->otherwise |= *by && options->signature != signature;
	options->signature = signature;
	*by = true;
}

static int parse_type(struct snp_vcpu_options *options, const char *name)
{
	set_signature(options, &options->by_name, snp_vcpu_type_find(name));
	if (options->signature)
		return 0;
	return usage_error("--vcpu-type", "no such CPU",
			   "expected EPYC, EPYC-IBPB, EPYC-Rome, EPYC-Milan, "
			   "EPYC-Genoa or EPYC-Turin, or --vcpu-signature with "
			   "CPUID leaf 1's EAX, not '%s'", name);
}

static int parse_signature(struct snp_vcpu_options *options, const char *text)
{
	uint64_t value = 0;
	int code = usage_number("--vcpu-signature", text, &value);

	if (!code && value > UINT32_MAX)
		code = usage_error("--vcpu-signature", "not a signature",
				   "expected CPUID leaf 1's EAX, such as 0x800f12, "
				   "not '%s'", text);
	set_signature(options, &options->by_signature, (uint32_t)value);
	return code;
}

static int parse_part(struct snp_vcpu_options *options, int option,
		      const char *text)
{
	unsigned int part = (unsigned int)option - SNP_OPTION_VCPU_FAMILY;
	static const struct {
		const char *name;
		uint32_t max;
	} parts[SNP_VCPU_PARTS] = {
		{ "--vcpu-family", FAMILY_MAX },
		{ "--vcpu-model", MODEL_MAX },
		{ "--vcpu-stepping", STEPPING_MAX },
	};
	int code = usage_count(parts[part].name, text, parts[part].max,
			       &options->parts[part]);

	options->has_part[part] = true;
	options->signature = snp_vcpu_signature(options->parts[0],
						options->parts[1],
						options->parts[2]);
	return code;
}

int snp_vcpu_options_parse(struct snp_vcpu_options *options, int option,
			   const char *text)
{
	switch (option) {
	case SNP_OPTION_VCPU_TYPE:
		return parse_type(options, text);
	case SNP_OPTION_VCPU_SIGNATURE:
		return parse_signature(options, text);
	default:
		return parse_part(options, option, text);
	}
}

static unsigned int nr_parts(const struct snp_vcpu_options *options)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < SNP_VCPU_PARTS; i++)
		nr += options->has_part[i];
	return nr;
}

bool snp_vcpu_options_given(const struct snp_vcpu_options *options)
{
	return options->by_name || options->by_signature || nr_parts(options);
}

int snp_vcpu_options_check(const struct snp_vcpu_options *options)
{
	unsigned int parts = nr_parts(options);

	if (options->otherwise ||
	    options->by_name + options->by_signature + !!parts > 1)
		return usage_error(options->by_name ? "--vcpu-type" :
				   "--vcpu-signature", "not with another one",
				   "the CPU is said once: its type, its signature, "
				   "or family, model and stepping");
	if (parts && parts < SNP_VCPU_PARTS)
		return usage_error("--vcpu-family", "incomplete",
				   "give --vcpu-family, --vcpu-model and "
				   "--vcpu-stepping");
	return 0;
}
