// SPDX-License-Identifier: GPL-2.0
/* gmemctl snp verify */
#include <errno.h>
#include <string.h>

#include "command.h"
#include "out.h"
#include "snp_verify.h"

/**
 * struct verify - what was read
 * @expect: of the command line, of --expect, and of the image
 */
struct verify {
	struct snp_verify_options options;
	struct snp_expect expect;
	struct snp_evidence evidence;
	struct snp_pool pool;
};

static void verify_free(struct verify *verify)
{
	snp_pool_free(&verify->pool);
	snp_evidence_free(&verify->evidence);
}

/* What the command line says comes before what the file says. */
static int read_expect(struct verify *verify, struct error *error)
{
	const char *path = verify->options.expect_path;
	struct snp_expect from_file;
	struct snp_file file;
	int rc;

	verify->expect = verify->options.expect;
	if (!path)
		return 0;
	rc = snp_file_read(&file, path, error);
	if (rc)
		return rc;
	rc = snp_expect_read_json(&from_file, path, file.data, file.size, error);
	snp_file_free(&file);
	if (!rc)
		snp_expect_merge(&verify->expect, &from_file);
	return rc;
}

static int read_report(struct verify *verify, struct error *error)
{
	const char *path = verify->options.report;
	struct snp_file file;
	int rc;

	rc = snp_file_read(&file, path, error);
	if (rc)
		return rc;
	rc = snp_evidence_parse(&verify->evidence, path, file.data, file.size,
				error);
	snp_file_free(&file);
	return rc;
}

/** pool_add_fn - what a kind of file is taken by */
typedef int (*pool_add_fn)(struct snp_pool *pool, const char *file,
			   const uint8_t *data, size_t size,
			   struct error *error);

static int read_files(struct snp_pool *pool, const struct snp_verify_files *files,
		      pool_add_fn add, struct error *error)
{
	for (unsigned int i = 0; i < files->count; i++) {
		struct snp_file file;
		int rc;

		rc = snp_file_read(&file, files->paths[i], error);
		if (rc)
			return rc;
		rc = add(pool, files->paths[i], file.data, file.size, error);
		snp_file_free(&file);
		if (rc)
			return rc;
	}
	return 0;
}

/* Endorsement keys of --cert come first, then that of the report's own table. */
static int read_pool(struct verify *verify, struct error *error)
{
	const struct snp_verify_options *options = &verify->options;
	const struct snp_evidence *evidence = &verify->evidence;
	int rc;

	rc = read_files(&verify->pool, &options->certs, snp_pool_add, error);
	if (!rc && evidence->table)
		rc = snp_pool_add_table(&verify->pool, options->report,
					evidence->table, evidence->table_size,
					error);
	if (!rc)
		rc = read_files(&verify->pool, &options->chains, snp_pool_add,
				error);
	if (!rc)
		rc = read_files(&verify->pool, &options->crls, snp_pool_add_crl,
				error);
	return rc;
}

static void expect_bytes(struct snp_expect *expect, enum snp_expect_id id,
			 const uint8_t *bytes)
{
	struct snp_value *value = &expect->values[id];

	memcpy(value->bytes[0], bytes, snp_expectations[id].size);
	value->count = 1;
}

/* Host data is 32 bytes: what does not fit is given to a launch as SHA-256. */
static int read_host_data(struct verify *verify, struct error *error)
{
	uint8_t digest[SNP_SHA256_SIZE];
	struct snp_file file;
	int rc;

	rc = snp_file_read(&file, verify->options.host_data, error);
	if (rc)
		return rc;
	rc = snp_sha256(file.data, file.size, digest);
	snp_file_free(&file);
	expect_bytes(&verify->expect, SNP_EXPECT_HOST_DATA, digest);
	return rc ? error_set(error, rc, "OpenSSL", "SHA-256", NULL) : 0;
}

static int read_measurement(struct verify *verify, struct error *error)
{
	uint8_t digest[SNP_DIGEST_SIZE];
	int rc = snp_loaded_digest(&verify->options.image, digest, error);

	if (!rc)
		expect_bytes(&verify->expect, SNP_EXPECT_MEASUREMENT, digest);
	return rc;
}

static int verify_read(struct verify *verify, struct error *error)
{
	int rc;

	rc = read_report(verify, error);
	if (!rc)
		rc = read_pool(verify, error);
	if (!rc && verify->options.host_data)
		rc = read_host_data(verify, error);
	if (!rc && verify->options.image.firmware)
		rc = read_measurement(verify, error);
	return rc;
}

/* Return: 0, or an exit code if a certificate that it cannot do without is missing. */
static int verify_has_certs(const struct verify *verify)
{
	const struct snp_pool *pool = &verify->pool;
	bool leaf = false, root = false;

	for (unsigned int i = 0; i < pool->count; i++) {
		leaf |= snp_endorsement_signer(&pool->certs[i]) !=
			SNP_SIGNER_NONE;
		root |= snp_cert_is_root(&pool->certs[i]);
	}
	if (!leaf && !verify->options.certs.count)
		return usage_error("--cert", "missing", "%s has no certificate of a "
				   "VCEK or VLEK with it", verify->options.report);
	if (!root && !verify->options.chains.count)
		return usage_error("--chain", "missing",
				   "give AMD's cert_chain for the product");
	if (leaf)
		return 0;
	out_error(verify->options.certs.paths[0], "read certificate", -EINVAL,
		  "it has none of the name SEV-VCEK or SEV-VLEK: give the chip's or "
		  "the provider's certificate");
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
		out_text("%u %s failed: do not trust this guest\n",
			 checks->failed,
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
	code = snp_verify_check(&verify->options, &verify->expect);
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

static int verify_main(int argc, char **argv)
{
	static struct verify verify;
	int code = snp_verify_parse(&verify.options, argc, argv);

	if (code)
		return code;
	code = verify_run(&verify);
	verify_free(&verify);
	return code;
}

const struct command command_snp_verify = {
	.name = "snp verify",
	.run = verify_main,
	.prepare = snp_verify_prepare,
	.summary = "verify an attestation report",
	.usage = "snp verify REPORT [--cert FILE] [--chain FILE]\n"
		 "                   IMAGE|--measurement HEX|--expect FILE [OPTIONS]",
	.options = snp_verify_options,
	.more = "Exit code 0 only if all holds, 3 if the guest must not be trusted.",
};
