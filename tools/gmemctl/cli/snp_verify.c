// SPDX-License-Identifier: GPL-2.0
/* gmemctl snp verify */
#include <errno.h>
#include <string.h>

#include "../base/bytes.h"
#include "../snp/verify/verify.h"
#include "command.h"
#include "out.h"
#include "snp.h"

/* Limit for files of certificates, and for files of revocation lists */
#define SNP_VERIFY_FILES 16

struct snp_verify_files {
	const char *paths[SNP_VERIFY_FILES];
	unsigned int count;
};

/**
 * struct snp_verify_options - the command line
 * @image: the image for the predicted measurement, if it has a firmware
 * @certs, @chains, @crls: files
 * @report, @expect_path, @host_data: files; the last two may be NULL
 * @expect: expectations that were given as options
 */
struct snp_verify_options {
	struct snp_options image;
	struct snp_verify_files certs, chains, crls;
	const char *report, *expect_path, *host_data;
	struct snp_expect expect;
};

#define TO_VERIFY(member) TO(struct snp_verify_options, member)

/**
 * struct verify - the files that were read
 * @expect: expectations from the command line, from --expect, and from the image
 */
struct verify {
	struct snp_verify_options *options;
	struct snp_expect expect;
	struct snp_evidence evidence;
	struct snp_pool pool;
};

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

	if (files->count == SNP_VERIFY_FILES)
		return usage_error(name, "too many", "at most %d files", SNP_VERIFY_FILES);
	files->paths[files->count++] = text;
	return 0;
}

static int option_once(const struct cli_option *option, const char *name,
		       const char *text, void *to)
{
	const char **path = to;

	if (*path)
		return usage_error(name, "given twice", "there can be only one");
	*path = text;
	return 0;
}

static int option_report(const struct cli_option *option, const char *name,
			 const char *text, void *to)
{
	return option_text(option, name, strcmp(text, "-") ? text : "/dev/stdin", to);
}

/* Built from the table of expectations; see snp_verify_prepare(). */
static struct cli_option expect_options[SNP_EXPECT_NR + 1];
static char expect_names[SNP_EXPECT_NR][SNP_EXPECT_NAME_SIZE + 2];

static const struct cli_option snp_verify_options[] = {
	{ "REPORT", NULL, option_report, TO_VERIFY(report),
	  "a report, also in hexadecimal, followed by a certificate table, or in Azure's blob; "
	  "- is stdin" },
	{ "--cert", "FILE", option_files, TO_VERIFY(certs),
	  "the VCEK's or VLEK's certificate, unless REPORT has it" },
	{ "--chain", "FILE", option_files, TO_VERIFY(chains),
	  "AMD's ASK or ASVK, and ARK, likewise; both files can have more certificates, in PEM "
	  "or DER form, and be repeated" },
	{ "--crl", "FILE", option_files, TO_VERIFY(crls), "AMD's revocation list for the product" },
	{ "--expect", "FILE", option_once, TO_VERIFY(expect_path),
	  "expected values, as a JSON object" },
	{ "--host-data-file", "FILE", option_once, TO_VERIFY(host_data),
	  "use the SHA-256 of this file as host data" },
	{ .help = "Expected values; the names are also the keys of --expect, with _ for -. HEX "
	  "can be repeated, or a list: the report must have one of them:" },
	{ .include = expect_options, TO_VERIFY(expect) },
	{ .help = "IMAGE, whose measurement is predicted:" },
	{ .include = snp_measure_options, TO_VERIFY(image) },
	{ 0 }
};

static void snp_verify_prepare(void)
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

/* Whether a digest of a key is expected. Zeros do not count: they mean no ID block. */
static bool has_key(const struct snp_expect *expect, enum snp_expect_id id)
{
	const struct snp_value *value = &expect->values[id];

	for (unsigned int i = 0; i < value->count; i++)
		if (bytes_are_zero(value->bytes[i], snp_expectations[id].size))
			return false;
	return value->count;
}

/*
 * Check that the required options are given
 * @expect: expectations from the command line and from a file
 *
 * Return: 0 or an exit code.
 */
static int snp_verify_check(struct snp_verify_options *options, const struct snp_expect *expect)
{
	const struct snp_value *own = options->expect.values;

	if (own[SNP_EXPECT_MEASUREMENT].count && options->image.firmware)
		return usage_error("--measurement", "not with --firmware",
				   "both give the digest: leave one out");
	if (own[SNP_EXPECT_HOST_DATA].count && options->host_data)
		return usage_error("--host-data", "not with --host-data-file",
				   "both give the host data: leave one out");
	if (!options->image.firmware && !expect->values[SNP_EXPECT_MEASUREMENT].count &&
	    !has_key(expect, SNP_EXPECT_ID_KEY_DIGEST) &&
	    !has_key(expect, SNP_EXPECT_AUTHOR_KEY_DIGEST))
		return usage_error("--measurement", "missing",
				   "give the launch digest, or --firmware and the "
				   "rest of the image, or --id-key-digest or "
				   "--author-key-digest of whose signed launch you trust");
	return snp_options_check(&options->image);
}

/* Read a file of expectations. Those of the command line take precedence. */
static int read_expect(struct verify *verify, struct error *error)
{
	const char *path = verify->options->expect_path;
	struct snp_expect from_file;
	struct input file;
	int rc;

	verify->expect = verify->options->expect;
	rc = path ? input_read(&file, path, error) : 0;
	if (rc || !path)
		return rc;
	rc = snp_expect_read_json(&from_file, path, file.data, file.size, error);
	input_free(&file);
	if (!rc)
		snp_expect_merge(&verify->expect, &from_file);
	return rc;
}

static int read_files(struct snp_pool *pool, const struct snp_verify_files *files,
		      int (*add)(struct snp_pool *pool, const char *file, const uint8_t *data,
				 size_t size, struct error *error), struct error *error)
{
	struct input file;
	int rc = 0;

	for (unsigned int i = 0; !rc && i < files->count; i++) {
		rc = input_read(&file, files->paths[i], error);
		if (rc)
			break;
		rc = add(pool, files->paths[i], file.data, file.size, error);
		input_free(&file);
	}
	return rc;
}

/* Read the report and certificates. Those of --cert come before those of the report's table. */
static int read_evidence(struct verify *verify, struct error *error)
{
	const struct snp_verify_options *options = verify->options;
	struct snp_evidence *evidence = &verify->evidence;
	struct input file;
	int rc;

	rc = input_read(&file, options->report, error);
	if (rc)
		return rc;
	rc = snp_evidence_parse(evidence, options->report, file.data, file.size, error);
	input_free(&file);
	if (!rc)
		rc = read_files(&verify->pool, &options->certs, snp_pool_add, error);
	if (!rc && evidence->table)
		rc = snp_pool_add_table(&verify->pool, options->report, evidence->table,
					evidence->table_size, error);
	if (!rc)
		rc = read_files(&verify->pool, &options->chains, snp_pool_add, error);
	if (!rc)
		rc = read_files(&verify->pool, &options->crls, snp_pool_add_crl, error);
	return rc;
}

static void expect_bytes(struct snp_expect *expect, enum snp_expect_id id, const uint8_t *bytes)
{
	struct snp_value *value = &expect->values[id];

	memcpy(value->bytes[0], bytes, snp_expectations[id].size);
	value->count = 1;
}

static int verify_read(struct verify *verify, struct error *error)
{
	const struct snp_verify_options *options = verify->options;
	uint8_t digest[SNP_DIGEST_SIZE] = { 0 };
	int rc = read_evidence(verify, error);

	if (!rc && options->host_data) {
		rc = snp_host_data_read(options->host_data, digest, error);
		expect_bytes(&verify->expect, SNP_EXPECT_HOST_DATA, digest);
	}
	if (!rc && options->image.firmware) {
		rc = snp_loaded_digest(&options->image, digest, error);
		expect_bytes(&verify->expect, SNP_EXPECT_MEASUREMENT, digest);
	}
	return rc;
}

/* Return: 0, or an exit code if a required certificate is missing. */
static int verify_has_certs(const struct verify *verify)
{
	const struct snp_pool *pool = &verify->pool;
	bool leaf = false, root = false;

	for (unsigned int i = 0; i < pool->count; i++) {
		leaf |= snp_endorsement_signer(&pool->certs[i]) !=
			SNP_SIGNER_NONE;
		root |= snp_cert_is_root(&pool->certs[i]);
	}
	if (!leaf && !verify->options->certs.count)
		return usage_error("--cert", "missing", "%s has no certificate of a "
				   "VCEK or VLEK with it", verify->options->report);
	if (!root && !verify->options->chains.count)
		return usage_error("--chain", "missing", "give AMD's cert_chain for the product");
	if (leaf)
		return 0;
	out_error(verify->options->certs.paths[0], "read certificate", -EINVAL,
		  "it has no certificate named SEV-VCEK or SEV-VLEK: give that of the chip or the "
		  "provider");
	return EXIT_CODE_FAILURE;
}

static void verify_show(const struct snp_checks *checks)
{
	static const char *const verdicts[] = { "pass", "fail", "skip" };
	struct json_object *array = out_array(out_root(), "checks");

	for (unsigned int i = 0; i < checks->count; i++) {
		const struct snp_check *check = &checks->checks[i];
		struct json_object *entry = out_append(array);

		out_string(entry, "name", check->name);
		out_string(entry, "status", verdicts[check->verdict]);
		out_string(entry, "value", check->detail);
		out_text("%-4s  %-17s %s\n", check->verdict == SNP_FAIL ? "FAIL" :
			 verdicts[check->verdict], check->name, check->detail);
	}
	out_bool(out_root(), "verified", !checks->failed);
	if (checks->failed)
		out_text("%u %s failed: do not trust this guest\n", checks->failed,
			 checks->failed == 1 ? "check" : "checks");
	else
		out_text("verified\n");
}

static int verify_run(struct verify *verify)
{
	struct snp_subject subject = {
		.evidence = &verify->evidence, .pool = &verify->pool,
		.expect = &verify->expect,
	};
	struct snp_checks checks;
	struct error error;
	int code;

	if (read_expect(verify, &error))
		return out_error_report(&error);
	code = snp_verify_check(verify->options, &verify->expect);
	if (code)
		return code;
	if (verify_read(verify, &error))
		return out_error_report(&error);
	code = verify_has_certs(verify);
	if (code)
		return code;
	snp_verify(&subject, &checks);
	verify_show(&checks);
	return checks.failed ? EXIT_CODE_UNTRUSTED : EXIT_CODE_OK;
}

static int verify_main(const struct command *command, void *arguments)
{
	static struct verify verify;
	int code;

	verify.options = arguments;
	code = verify_run(&verify);
	snp_pool_free(&verify.pool);
	snp_evidence_free(&verify.evidence);
	return code;
}

const struct command command_snp_verify = {
	.name = "snp verify",
	.run = verify_main,
	ARGUMENTS(struct snp_verify_options, .image = SNP_OPTIONS_DEFAULT),
	.prepare = snp_verify_prepare,
	.summary = "verify an attestation report",
	.usage = "snp verify REPORT [--cert FILE] [--chain FILE]\n"
		 "                   IMAGE|--measurement HEX|--expect FILE [OPTIONS]",
	.options = snp_verify_options,
	.more = "Exit code 0 only if all checks pass, 3 if the guest must not be trusted.",
	.examples = "gmemctl snp verify report.bin --chain chain.pem --cert vcek.pem \\\n"
		    "        --measurement HEX\n"
		    "gmemctl snp verify report.bin --expect expected.json",
};
