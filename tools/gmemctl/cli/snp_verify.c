// SPDX-License-Identifier: GPL-2.0
/* gmemctl snp verify */
#include <errno.h>
#include <string.h>

#include "../snp/verify/verify.h"
#include "cli.h"
#include "out.h"
#include "snp.h"

enum {
	OPTION_CERT = SNP_OPTION_OWN,
	OPTION_CHAIN,
	OPTION_ROOT,
	OPTION_MEASUREMENT,
	OPTION_POLICY,
	OPTION_ALLOW_DEBUG,
	OPTION_HOST_DATA,
	OPTION_HOST_DATA_FILE,
	OPTION_REPORT_DATA,
	OPTION_ID_KEY_DIGEST,
	OPTION_AUTHOR_KEY_DIGEST,
};

/**
 * struct verify - what the command line says, and what was read
 * @expect: points into the arrays before it
 */
struct verify {
	struct snp_options options;
	const char *report_path, *cert_path, *chain_path, *host_data_path;
	uint8_t root[SNP_SHA256_SIZE];
	uint8_t measurement[SNP_DIGEST_SIZE];
	uint8_t host_data[32];
	uint8_t report_data[64];
	uint8_t id_key_digest[SNP_DIGEST_SIZE];
	uint8_t author_key_digest[SNP_DIGEST_SIZE];
	struct snp_expect expect;
	struct snp_report report;
	struct snp_certs certs;
};

static int take_hex(const char *option, uint8_t *bytes, size_t size,
		    const uint8_t **expect)
{
	*expect = bytes;
	return usage_hex(option, optarg, bytes, size);
}

static int verify_parse_bytes(struct verify *verify, int option, char **argv)
{
	struct snp_expect *expect = &verify->expect;

	switch (option) {
	case OPTION_ROOT:
		return take_hex("--root", verify->root, sizeof(verify->root),
				&expect->root_sha256);
	case OPTION_MEASUREMENT:
		return take_hex("--measurement", verify->measurement,
				sizeof(verify->measurement),
				&expect->measurement);
	case OPTION_HOST_DATA:
		return take_hex("--host-data", verify->host_data,
				sizeof(verify->host_data), &expect->host_data);
	case OPTION_REPORT_DATA:
		return take_hex("--report-data", verify->report_data,
				sizeof(verify->report_data),
				&expect->report_data);
	case OPTION_ID_KEY_DIGEST:
		return take_hex("--id-key-digest", verify->id_key_digest,
				sizeof(verify->id_key_digest),
				&expect->id_key_digest);
	case OPTION_AUTHOR_KEY_DIGEST:
		return take_hex("--author-key-digest", verify->author_key_digest,
				sizeof(verify->author_key_digest),
				&expect->author_key_digest);
	default:
		return snp_options_parse(&verify->options, option, argv);
	}
}

static int verify_parse_option(struct verify *verify, int option, char **argv)
{
	switch (option) {
	case OPTION_CERT:
		verify->cert_path = optarg;
		return 0;
	case OPTION_CHAIN:
		verify->chain_path = optarg;
		return 0;
	case OPTION_HOST_DATA_FILE:
		verify->host_data_path = optarg;
		return 0;
	case OPTION_POLICY:
		verify->expect.has_policy = true;
		return usage_number("--policy", optarg, &verify->expect.policy);
	case OPTION_ALLOW_DEBUG:
		verify->expect.allow_debug = true;
		return 0;
	default:
		return verify_parse_bytes(verify, option, argv);
	}
}

static int verify_check_options(struct verify *verify, int argc, char **argv)
{
	if (optind >= argc)
		return usage_error("REPORT", "missing",
				   "name the file with the attestation report");
	verify->report_path = argv[optind];
	if (optind + 1 < argc)
		return usage_error(argv[optind + 1], "unexpected argument",
				   "one report at a time");
	if (!verify->cert_path)
		return usage_error("--cert", "missing",
				   "give the VCEK's or VLEK's certificate");
	if (!verify->chain_path)
		return usage_error("--chain", "missing",
				   "give AMD's cert_chain for the product");
	if (!verify->expect.measurement == !verify->options.firmware)
		return usage_error("--measurement", verify->options.firmware ?
				   "not with --firmware" : "missing",
				   "give the launch digest, or --firmware and the "
				   "rest of the image");
	if (verify->expect.host_data && verify->host_data_path)
		return usage_error("--host-data", "not with --host-data-file",
				   "one of them says what it is");
	return snp_options_check(&verify->options);
}

static int verify_parse(struct verify *verify, int argc, char **argv)
{
	static const struct option options[] = {
		SNP_IMAGE_OPTIONS,
		{ "cert", required_argument, NULL, OPTION_CERT },
		{ "chain", required_argument, NULL, OPTION_CHAIN },
		{ "root", required_argument, NULL, OPTION_ROOT },
		{ "measurement", required_argument, NULL, OPTION_MEASUREMENT },
		{ "policy", required_argument, NULL, OPTION_POLICY },
		{ "allow-debug", no_argument, NULL, OPTION_ALLOW_DEBUG },
		{ "host-data", required_argument, NULL, OPTION_HOST_DATA },
		{ "host-data-file", required_argument, NULL,
		  OPTION_HOST_DATA_FILE },
		{ "report-data", required_argument, NULL, OPTION_REPORT_DATA },
		{ "id-key-digest", required_argument, NULL,
		  OPTION_ID_KEY_DIGEST },
		{ "author-key-digest", required_argument, NULL,
		  OPTION_AUTHOR_KEY_DIGEST },
		{ NULL, 0, NULL, 0 },
	};
	int option, code;

	memset(verify, 0, sizeof(*verify));
	snp_options_init(&verify->options);
	while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		code = verify_parse_option(verify, option, argv);
		if (code)
			return code;
	}
	return verify_check_options(verify, argc, argv);
}

static int read_report(struct verify *verify, struct error *error)
{
	struct snp_file file;
	int rc;

	rc = snp_file_read(&file, verify->report_path, error);
	if (rc)
		return rc;
	rc = snp_report_parse(&verify->report, verify->report_path, file.data,
			      file.size, error);
	snp_file_free(&file);
	return rc;
}

static int read_certs(struct verify *verify, struct error *error)
{
	struct snp_file cert, chain;
	int rc;

	rc = snp_file_read(&cert, verify->cert_path, error);
	if (rc)
		return rc;
	rc = snp_file_read(&chain, verify->chain_path, error);
	if (!rc)
		rc = snp_certs_parse(&verify->certs, cert.data, cert.size,
				     chain.data, chain.size, error);
	snp_file_free(&chain);
	snp_file_free(&cert);
	return rc;
}

/* Host data is 32 bytes: what does not fit is given to a launch as SHA-256. */
static int read_host_data(struct verify *verify, struct error *error)
{
	struct snp_file file;
	int rc;

	rc = snp_file_read(&file, verify->host_data_path, error);
	if (rc)
		return rc;
	rc = snp_sha256(file.data, file.size, verify->host_data);
	snp_file_free(&file);
	verify->expect.host_data = verify->host_data;
	return rc ? error_set(error, rc, "OpenSSL", "SHA-256", NULL) : 0;
}

static int verify_read(struct verify *verify, struct error *error)
{
	int rc;

	rc = read_report(verify, error);
	if (!rc)
		rc = read_certs(verify, error);
	if (!rc && verify->host_data_path)
		rc = read_host_data(verify, error);
	if (rc || !verify->options.firmware)
		return rc;
	verify->expect.measurement = verify->measurement;
	return snp_loaded_digest(&verify->options, verify->measurement, error);
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
		out_text("verified%s\n", checks->checks[0].verdict == SNP_SKIP ?
			 ", if the root is AMD's: compare it, or use --root" : "");
}

int snp_verify_main(int argc, char **argv)
{
	struct snp_checks checks;
	struct verify verify;
	struct error error;
	int code;

	code = verify_parse(&verify, argc, argv);
	if (code)
		return code;
	if (verify_read(&verify, &error)) {
		snp_certs_free(&verify.certs);
		return out_error_report(&error);
	}
	verify.expect.when = time(NULL);
	snp_verify(&verify.report, &verify.certs, &verify.expect, &checks);
	snp_certs_free(&verify.certs);
	verify_show(&checks);
	return checks.failed ? EXIT_CODE_FAILURE : EXIT_CODE_OK;
}
