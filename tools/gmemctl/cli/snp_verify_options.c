// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "../base/bytes.h"
#include "command.h"
#include "snp_verify.h"

static int option_expect(const struct cli_option *option, const char *name,
			 const char *text, void *to)
{
	const struct snp_expectation *expectation = option->data;
	struct error error;

	if (!snp_expect_set(to, (enum snp_expect_id)(expectation - snp_expectations),
			    text ? text : "true", &error))
		return 0;
	return usage_error(name, error.action, "%s", error.hint);
}

static int option_files(const struct cli_option *option, const char *name,
			const char *text, void *to)
{
	struct snp_verify_files *files = to;

	(void)option;
	if (files->count == SNP_VERIFY_FILES)
		return usage_error(name, "too many", "at most %d files",
				   SNP_VERIFY_FILES);
	files->paths[files->count++] = text;
	return 0;
}

static int option_once(const struct cli_option *option, const char *name,
		       const char *text, void *to)
{
	const char **path = to;

	(void)option;
	if (*path)
		return usage_error(name, "given twice", "there can be only one");
	*path = text;
	return 0;
}

static int option_report(const struct cli_option *option, const char *name,
			 const char *text, void *to)
{
	return option_text(option, name, strcmp(text, "-") ? text : "/dev/stdin",
			   to);
}

#define TO_VERIFY(member) TO(struct snp_verify_options, member)

/* As the table of expectations has them; see snp_verify_prepare(). */
static struct cli_option expect_options[SNP_EXPECT_NR + 1];
static char expect_names[SNP_EXPECT_NR][SNP_EXPECT_NAME_SIZE + 2];

const struct cli_option snp_verify_options[] = {
	{ "REPORT", NULL, option_report, TO_VERIFY(report),
	  "a report, also in hexadecimal, with a certificate table behind it, or in "
	  "Azure's blob; - is stdin" },
	{ "--cert", "FILE", option_files, TO_VERIFY(certs),
	  "the VCEK's or VLEK's certificate, unless REPORT has it" },
	{ "--chain", "FILE", option_files, TO_VERIFY(chains),
	  "AMD's ASK or ASVK, and ARK, likewise; both may have more than that, in PEM or "
	  "DER form, and may be repeated" },
	{ "--crl", "FILE", option_files, TO_VERIFY(crls),
	  "AMD's revocation list for the product" },
	{ "--expect", "FILE", option_once, TO_VERIFY(expect_path),
	  "what is expected, as a JSON object" },
	{ "--host-data-file", "FILE", option_once, TO_VERIFY(host_data),
	  "the host data are the SHA-256 of this file" },
	{ .help = "What is expected; the names are also the keys of --expect, with _ for -. "
	  "HEX can be repeated, or a list: the report has to have one of them:" },
	{ .include = expect_options, TO_VERIFY(expect) },
	{ .help = "IMAGE, of which the measurement is predicted:" },
	{ .include = snp_measure_options, TO_VERIFY(image) },
	{ 0 }
};

void snp_verify_prepare(void)
{
	for (unsigned int i = 0; i < SNP_EXPECT_NR; i++) {
		const struct snp_expectation *expectation = &snp_expectations[i];

		memcpy(expect_names[i], "--", 2);
		snp_expect_option((enum snp_expect_id)i, expect_names[i] + 2);
		expect_options[i] = (struct cli_option){
			.name = expect_names[i],
			.argument = expectation->argument,
			.parse = option_expect,
			.help = expectation->help,
			.data = expectation,
		};
	}
}

int snp_verify_parse(struct snp_verify_options *options, int argc, char **argv)
{
	memset(options, 0, sizeof(*options));
	snp_options_init(&options->image);
	return command_parse(&command_snp_verify, argc, argv, options);
}

/* Whose launch it is. Zeros are what a guest without an ID block has. */
static bool has_key(const struct snp_expect *expect, enum snp_expect_id id)
{
	const struct snp_value *value = &expect->values[id];

	for (unsigned int i = 0; i < value->count; i++)
		if (bytes_are_zero(value->bytes[i], snp_expectations[id].size))
			return false;
	return value->count;
}

int snp_verify_check(struct snp_verify_options *options,
		     const struct snp_expect *expect)
{
	const struct snp_value *own = options->expect.values;

	if (own[SNP_EXPECT_MEASUREMENT].count && options->image.firmware)
		return usage_error("--measurement", "not with --firmware",
				   "one of them says what the digest is");
	if (own[SNP_EXPECT_HOST_DATA].count && options->host_data)
		return usage_error("--host-data", "not with --host-data-file",
				   "one of them says what it is");
	if (!options->image.firmware &&
	    !expect->values[SNP_EXPECT_MEASUREMENT].count &&
	    !has_key(expect, SNP_EXPECT_ID_KEY_DIGEST) &&
	    !has_key(expect, SNP_EXPECT_AUTHOR_KEY_DIGEST))
		return usage_error("--measurement", "missing",
				   "give the launch digest, or --firmware and the "
				   "rest of the image, or --id-key-digest or "
				   "--author-key-digest of whose signed launch you "
				   "trust");
	return snp_options_check(&options->image);
}
