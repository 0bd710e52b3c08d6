// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "../snp/bytes.h"
#include "cli.h"
#include "snp_verify.h"

enum {
	OPTION_CERT = SNP_OPTION_OWN,
	OPTION_CHAIN,
	OPTION_CRL,
	OPTION_EXPECT_FILE,
	OPTION_HOST_DATA_FILE,
	/* Here the expectations begin, in the order of their table. */
	OPTION_EXPECT,
};

static const struct option own_options[] = {
	SNP_IMAGE_OPTIONS,
	{ "cert", required_argument, NULL, OPTION_CERT },
	{ "chain", required_argument, NULL, OPTION_CHAIN },
	{ "crl", required_argument, NULL, OPTION_CRL },
	{ "expect", required_argument, NULL, OPTION_EXPECT_FILE },
	{ "host-data-file", required_argument, NULL, OPTION_HOST_DATA_FILE },
};

#define OWN_OPTIONS (sizeof(own_options) / sizeof(own_options[0]))

/* The text of a line of help starts here. */
#define HELP_COLUMN 22

static const char help_files[] =
	"\n"
	"verify:\n"
	"  REPORT              a report, also in hexadecimal, with a certificate\n"
	"                      table behind it, or in Azure's blob; - is stdin\n"
	"  --cert FILE         the VCEK's or VLEK's certificate, unless REPORT has it\n"
	"  --chain FILE        AMD's ASK or ASVK, and ARK, likewise; both may have more\n"
	"                      than that, in PEM or DER form, and may be repeated\n"
	"  --crl FILE          AMD's revocation list for the product\n"
	"  --expect FILE       what is expected, as a JSON object\n"
	"  --host-data-file F  the host data are the SHA-256 of this file\n"
	"What is expected; the names are also the keys of --expect, with _ for -.\n"
	"HEX can be repeated, or a list: the report has to have one of them.\n";

/* One line of help, which may go on in the next ones. */
static void help_line(FILE *stream, enum snp_expect_id id)
{
	const struct snp_expectation *expectation = &snp_expectations[id];
	const char *argument = expectation->argument, *help = expectation->help;
	char name[SNP_EXPECT_NAME_SIZE];
	int used = fprintf(stream, "  --%s%s%s", snp_expect_option(id, name),
			   argument ? " " : "", argument ? argument : "");

	if (used >= HELP_COLUMN)
		used = fprintf(stream, "\n") - 1;
	while (*help) {
		int length = (int)strcspn(help, "\n");

		fprintf(stream, "%*s%.*s\n", HELP_COLUMN - used, "", length,
			help);
		help += length + (help[length] == '\n');
		used = 0;
	}
}

void snp_verify_help(FILE *stream)
{
	fputs(help_files, stream);
	for (unsigned int i = 0; i < SNP_EXPECT_NR; i++)
		help_line(stream, (enum snp_expect_id)i);
}

/**
 * struct option_table - what getopt_long() gets
 * @names: of the expectations, as options
 */
struct option_table {
	struct option options[OWN_OPTIONS + SNP_EXPECT_NR + 1];
	char names[SNP_EXPECT_NR][SNP_EXPECT_NAME_SIZE];
};

static void option_table_init(struct option_table *table)
{
	memset(table, 0, sizeof(*table));
	memcpy(table->options, own_options, sizeof(own_options));
	for (int i = 0; i < SNP_EXPECT_NR; i++) {
		struct option *option = &table->options[OWN_OPTIONS + i];

		option->name = snp_expect_option((enum snp_expect_id)i,
						 table->names[i]);
		option->has_arg = snp_expectations[i].argument ?
				  required_argument : no_argument;
		option->val = OPTION_EXPECT + i;
	}
}

static int parse_expectation(struct snp_expect *expect, enum snp_expect_id id)
{
	char option[SNP_EXPECT_NAME_SIZE + 2] = "--";
	struct error error;

	snp_expect_option(id, option + 2);
	if (!snp_expect_set(expect, id, optarg ? optarg : "true", &error))
		return 0;
	return usage_error(option, error.action, "%s", error.hint);
}

static int parse_file(struct snp_verify_files *files, const char *option)
{
	if (files->count == SNP_VERIFY_FILES)
		return usage_error(option, "too many", "at most %d files",
				   SNP_VERIFY_FILES);
	files->paths[files->count++] = optarg;
	return 0;
}

static int parse_path(const char **path, const char *option)
{
	if (*path)
		return usage_error(option, "given twice",
				   "there can be only one");
	*path = optarg;
	return 0;
}

static int parse_option(struct snp_verify_options *options, int option,
			char **argv)
{
	switch (option) {
	case OPTION_CERT:
		return parse_file(&options->certs, "--cert");
	case OPTION_CHAIN:
		return parse_file(&options->chains, "--chain");
	case OPTION_CRL:
		return parse_file(&options->crls, "--crl");
	case OPTION_EXPECT_FILE:
		return parse_path(&options->expect_path, "--expect");
	case OPTION_HOST_DATA_FILE:
		return parse_path(&options->host_data, "--host-data-file");
	}
	if (option >= OPTION_EXPECT)
		return parse_expectation(&options->expect,
					 (enum snp_expect_id)(option -
							      OPTION_EXPECT));
	return snp_options_parse(&options->image, option, argv);
}

int snp_verify_parse(struct snp_verify_options *options, int argc, char **argv)
{
	struct option_table table;
	int option, code;

	memset(options, 0, sizeof(*options));
	snp_options_init(&options->image);
	option_table_init(&table);
	while ((option = option_next(argc, argv, table.options,
				     NULL)) != -1) {
		code = parse_option(options, option, argv);
		if (code)
			return code;
	}
	if (optind >= argc)
		return usage_error("REPORT", "missing",
				   "name the file with the attestation report");
	options->report = strcmp(argv[optind], "-") ? argv[optind] :
						      "/dev/stdin";
	if (optind + 1 < argc)
		return usage_error(argv[optind + 1], "unexpected argument",
				   "one report at a time");
	return 0;
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

int snp_verify_check(const struct snp_verify_options *options,
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
