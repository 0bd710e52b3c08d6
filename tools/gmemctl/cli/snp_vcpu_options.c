// SPDX-License-Identifier: GPL-2.0
/* The model of the CPU: by its name, its signature, or the parts of that. */
#include "command.h"
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

#define PART(number) TO(struct snp_vcpu_options, parts[number])
#define HAS_PART(number) GIVEN(struct snp_vcpu_options, has_part[number])

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

int snp_vcpu_options_check(struct snp_vcpu_options *options)
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
	if (parts)
		options->signature = snp_vcpu_signature(options->parts[0],
							options->parts[1],
							options->parts[2]);
	return 0;
}
