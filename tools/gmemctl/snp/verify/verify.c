// SPDX-License-Identifier: GPL-2.0
/* Checks of a report, and a line of text for each. */
#include <inttypes.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../../base/bytes.h"
#include "../../base/hex.h"
#include "../../base/text.h"
#include "../abi.h"
#include "verify.h"

static const char *const signer_names[8] = {
	[SNP_SIGNER_VCEK] = "a VCEK", [SNP_SIGNER_VLEK] = "a VLEK",
	[SNP_SIGNER_NONE] = "nobody",
};

/* Add a check. There is room for all checks of this file. */
static void snp_check_add(struct snp_checks *checks, const char *name,
			  enum snp_verdict verdict, const char *format, ...)
{
	struct snp_check *check = &checks->checks[checks->count++];
	va_list args;

	check->name = name;
	check->verdict = verdict;
	checks->failed += verdict == SNP_FAIL;
	va_start(args, format);
	text_format(check->detail, sizeof(check->detail), format, args);
	va_end(args);
}

static void check_root(const struct snp_path *path, struct snp_checks *checks)
{
	char text[2 * SNP_SHA256_SIZE + 1];

	if (!path->root) {
		snp_check_add(checks, "root", SNP_FAIL, "no root certificate was reached");
		return;
	}
	hex_format(path->root_sha256, SNP_SHA256_SIZE, text);
	if (path->root_name)
		snp_check_add(checks, "root", SNP_PASS, "SHA-256 %s: %s", text, path->root_name);
	else
		snp_check_add(checks, "root", SNP_FAIL, "SHA-256 %s, of %s: neither AMD's nor one "
			      "that you trust with --root", text, path->root->file);
}

static void check_path(const struct snp_path *path, struct snp_checks *checks)
{
	char leaf[64], intermediate[64], root[64], until[32], until_ca[32];

	if (path->rc) {
		snp_check_add(checks, "certificates", SNP_FAIL, "%s", path->reason);
		return;
	}
	snp_check_add(checks, "certificates", SNP_PASS,
		      "'%s' (until %s), signed by '%s' (until %s), signed by '%s'",
		      snp_cert_name(path->leaf->x509, leaf),
		      snp_path_time(X509_get0_notAfter(path->leaf->x509), until),
		      snp_cert_name(path->intermediate->x509, intermediate),
		      snp_path_time(X509_get0_notAfter(path->intermediate->x509), until_ca),
		      snp_cert_name(path->root->x509, root));
}

static void check_revocation(const struct snp_subject *subject, struct snp_checks *checks)
{
	bool required = subject->expect->values[SNP_EXPECT_REQUIRE_CRL].number;
	char detail[400];
	int rc;

	if (!subject->pool->crls_count) {
		snp_check_add(checks, "revocation", required ? SNP_FAIL : SNP_SKIP,
			      "no revocation list was given with --crl");
		return;
	}
	if (!subject->path.root) {
		snp_check_add(checks, "revocation", SNP_FAIL, "no root certificate was reached");
		return;
	}
	rc = snp_path_revoked(&subject->path, subject->pool, subject->when, detail, sizeof(detail));
	snp_check_add(checks, "revocation", rc ? SNP_FAIL : SNP_PASS, "%s", detail);
}

static void check_signer(const struct snp_subject *subject, struct snp_checks *checks)
{
	const struct snp_cert *leaf = subject->path.leaf;
	unsigned int signer = snp_report_signer(&subject->evidence->report);
	const struct snp_value *want = &subject->expect->values[SNP_EXPECT_SIGNER];
	enum snp_signer of = snp_endorsement_signer(leaf);
	const char *name = signer_names[signer];

	if (signer != of)
		snp_check_add(checks, "signer", SNP_FAIL,
			      "the report names %s as its signer, but the certificate of %s is "
			      "that of %s", name ? name : "an unknown key", leaf->file,
			      signer_names[of]);
	else if (want->count && want->number != signer)
		snp_check_add(checks, "signer", SNP_FAIL, "%s, expected %s", name,
			      signer_names[want->number]);
	else
		snp_check_add(checks, "signer", SNP_PASS, "%s", name);
}

/* Only a VLEK belongs to a cloud provider. */
static void check_csp(const struct snp_subject *subject, struct snp_checks *checks)
{
	const struct snp_cert *leaf = subject->path.leaf;
	const struct snp_value *want = &subject->expect->values[SNP_EXPECT_CSP_ID];
	bool vlek = snp_endorsement_signer(leaf) == SNP_SIGNER_VLEK;
	char text[SNP_ENDORSEMENT_TEXT];
	const char *csp = snp_endorsement_csp(leaf, text);

	if (!csp)
		csp = vlek ? "the VLEK names no provider" : "a VCEK names no provider";
	if (!want->count)
		snp_check_add(checks, "csp_id", SNP_SKIP, "%s%s", csp,
			      vlek ? ", not compared" : "");
	else if (csp == text && vlek && !strcmp(text, want->text))
		snp_check_add(checks, "csp_id", SNP_PASS, "%s", csp);
	else
		snp_check_add(checks, "csp_id", SNP_FAIL, "%s, expected %s", csp, want->text);
}

static void check_signature(const struct snp_report *report, const struct snp_cert *leaf,
			    struct snp_checks *checks)
{
	EVP_PKEY *key = X509_get0_pubkey(leaf->x509);
	struct error error;

	if (!key || !snp_key_is_p384(key))
		snp_check_add(checks, "signature", SNP_FAIL,
			      "the key in the certificate of %s is not ECDSA on P-384", leaf->file);
	else if (snp_key_verify(key, "report", report, SNP_REPORT_SIGNED,
				report->signature, &error))
		snp_check_add(checks, "signature", SNP_FAIL, "with the key of %s: "
			      "%s", leaf->file, error.hint);
	else
		snp_check_add(checks, "signature", SNP_PASS, "ECDSA on P-384 over bytes 0 to 0x%x",
			      SNP_REPORT_SIGNED - 1);
}

/* A key belongs to one set of firmware versions: older firmware does not have it. */
static void check_tcb(const struct snp_subject *subject, struct snp_checks *checks)
{
	const struct snp_cert *leaf = subject->path.leaf;
	uint64_t reported = subject->evidence->report.reported_tcb, tcb;
	char text[SNP_TCB_TEXT], cert_text[SNP_TCB_TEXT];

	snp_tcb_format(reported, subject->layout, text);
	if (snp_endorsement_tcb(leaf, subject->layout, &tcb))
		snp_check_add(checks, "tcb", SNP_FAIL, "the certificate of %s does not have the "
			      "TCB version fields of this product", leaf->file);
	else if (tcb != reported)
		snp_check_add(checks, "tcb", SNP_FAIL, "the report has 0x%016" PRIx64
			      " (%s), the certificate of %s 0x%016" PRIx64 " (%s)", reported, text,
			      leaf->file, tcb, snp_tcb_format(tcb, subject->layout, cert_text));
	else
		snp_check_add(checks, "tcb", SNP_PASS,
			      "the certificate has the reported TCB version");
}

static void check_chip(const struct snp_subject *subject, struct snp_checks *checks)
{
	const struct snp_cert *leaf = subject->path.leaf;
	const uint8_t *chip_id = subject->evidence->report.chip_id;

	if (snp_endorsement_signer(leaf) == SNP_SIGNER_VLEK)
		snp_check_add(checks, "chip", SNP_SKIP, "a VLEK does not belong to a chip");
	else if (bytes_are_zero(chip_id, SNP_CHIP_ID_SIZE))
		snp_check_add(checks, "chip", SNP_SKIP, "the host masks its chip ID");
	else if (snp_endorsement_is_chip(leaf, chip_id))
		snp_check_add(checks, "chip", SNP_PASS,
			      "the certificate has the chip ID of the report");
	else
		snp_check_add(checks, "chip", SNP_FAIL, "the certificate of %s has another chip ID",
			      leaf->file);
}

/*
 * Compare the product of the root with that of the report, which has one since version
 * 3. Products of one kind share a root: Bergamo and Siena have Genoa's.
 */
static void check_product(const struct snp_subject *subject, struct snp_checks *checks)
{
	const struct snp_report *report = &subject->evidence->report;
	const char *product = snp_report_product(report);
	const char *of_root = subject->path.product;
	char text[SNP_ENDORSEMENT_TEXT], of_report[80] = "";
	const char *of = snp_endorsement_product(subject->path.leaf, text);
	bool compared = product && of_root;
	bool other = compared && strcmp(product, of_root);

	if (report->version >= 3)
		snprintf(of_report, sizeof(of_report), ", %s (CPU family 0x%x, "
			 "model 0x%x, stepping %u)", product ? product : "no name",
			 report->cpuid_family, report->cpuid_model,
			 report->cpuid_stepping);
	snp_check_add(checks, "product", other ? SNP_FAIL : compared ? SNP_PASS : SNP_SKIP,
		      "%s by the certificate; report of version %u%s%s%s", of ? of : "no name",
		      report->version, of_report, other ? "; the root is AMD's for " : "",
		      other ? of_root : "");
}

/* Check the signature of the report, and the certificates up to AMD's root */
static void snp_verify_certs(struct snp_subject *subject, struct snp_checks *checks)
{
	const struct snp_report *report = &subject->evidence->report;
	const struct snp_cert *leaf;

	snp_path_find(&subject->path, subject->pool, report, subject->expect, subject->when);
	leaf = subject->path.leaf;
	if (!leaf) {
		snp_check_add(checks, "certificates", SNP_FAIL, "no file has a certificate named "
			      "SEV-VCEK or SEV-VLEK: give that of the chip or the provider with "
			      "--cert");
		return;
	}
	/* Reports of version 2 do not have the CPU family. */
	if (!report->cpuid_family)
		subject->layout = snp_endorsement_layout(leaf);
	check_root(&subject->path, checks);
	check_path(&subject->path, checks);
	check_revocation(subject, checks);
	check_signer(subject, checks);
	check_csp(subject, checks);
	check_signature(report, leaf, checks);
	check_tcb(subject, checks);
	check_chip(subject, checks);
	check_product(subject, checks);
}

static void check_vmpl(const struct snp_subject *subject, struct snp_checks *checks)
{
	const struct snp_value *want = &subject->expect->values[SNP_EXPECT_VMPL];
	uint32_t vmpl = subject->evidence->report.vmpl;
	char text[80], wanted[16];

	if (vmpl == SNP_VMPL_HOST)
		snprintf(text, sizeof(text),
			 "0x%x: the host requested the report, not the guest", vmpl);
	else
		snprintf(text, sizeof(text), "%u%s", vmpl, vmpl > SNP_VMPL_MAX ?
			 ": there is no such VMPL" : "");
	if (!want->count) {
		snp_check_add(checks, "vmpl", vmpl > SNP_VMPL_MAX ? SNP_FAIL :
			      SNP_PASS, "%s", text);
		return;
	}
	snprintf(wanted, sizeof(wanted), want->number == SNP_VMPL_HOST ? "host" :
		 "%" PRIu64, want->number);
	if (want->number == vmpl)
		snp_check_add(checks, "vmpl", SNP_PASS, "%s", text);
	else
		snp_check_add(checks, "vmpl", SNP_FAIL, "%s, expected %s", text, wanted);
}

/* Return: why a policy is refused, unless an option allows it; or NULL. */
static const char *policy_fault(uint64_t policy, const struct snp_expect *expect)
{
	if (policy & ~SNP_POLICY_KNOWN)
		return "reserved bits are set: no firmware accepts this";
	if (!(policy & SNP_POLICY_RESERVED_ONE))
		return "bit 17 is clear: no firmware accepts this";
	if (policy & SNP_POLICY_DEBUG && !expect->values[SNP_EXPECT_ALLOW_DEBUG].number)
		return "the host can debug the guest; --allow-debug accepts this";
	if (policy & SNP_POLICY_MIGRATE_MA && !expect->values[SNP_EXPECT_ALLOW_MIGRATION].number)
		return "a migration agent can move the guest, and has its keys; --allow-migration "
		       "accepts this";
	return NULL;
}

static void check_policy(const struct snp_subject *subject, struct snp_checks *checks)
{
	const struct snp_value *want = &subject->expect->values[SNP_EXPECT_POLICY];
	uint64_t policy = subject->evidence->report.policy;
	const char *fault = policy_fault(policy, subject->expect);
	char text[256];

	snp_policy_format(policy, text, sizeof(text));
	if (fault)
		snp_check_add(checks, "policy", SNP_FAIL, "0x%" PRIx64 " (%s): %s",
			      policy, text, fault);
	else if (want->count && policy != want->number)
		snp_check_add(checks, "policy", SNP_FAIL, "0x%" PRIx64 " (%s), "
			      "expected 0x%" PRIx64, policy, text, want->number);
	else
		snp_check_add(checks, "policy", SNP_PASS, "0x%" PRIx64 " (%s)", policy, text);
}

static void check_svn(const struct snp_subject *subject, struct snp_checks *checks)
{
	const struct snp_value *want = &subject->expect->values[SNP_EXPECT_MIN_GUEST_SVN];
	uint32_t svn = subject->evidence->report.guest_svn;

	if (!want->count)
		snp_check_add(checks, "guest_svn", SNP_SKIP, "%u, not compared", svn);
	else if (svn < want->number)
		snp_check_add(checks, "guest_svn", SNP_FAIL, "%u, expected %" PRIu64
			      " or more", svn, want->number);
	else
		snp_check_add(checks, "guest_svn", SNP_PASS, "%u", svn);
}

/* Fields of a report that consist of bytes. Each check has the name of its expectation. */
static const struct {
	enum snp_expect_id id;
	size_t offset;
} fields[] = {
	{ SNP_EXPECT_MEASUREMENT, offsetof(struct snp_report, measurement) },
	{ SNP_EXPECT_HOST_DATA, offsetof(struct snp_report, host_data) },
	{ SNP_EXPECT_REPORT_DATA, offsetof(struct snp_report, report_data) },
	{ SNP_EXPECT_ID_KEY_DIGEST, offsetof(struct snp_report, id_key_digest) },
	{ SNP_EXPECT_AUTHOR_KEY_DIGEST,
	  offsetof(struct snp_report, author_key_digest) },
	{ SNP_EXPECT_FAMILY_ID, offsetof(struct snp_report, family_id) },
	{ SNP_EXPECT_IMAGE_ID, offsetof(struct snp_report, image_id) },
	{ SNP_EXPECT_REPORT_ID, offsetof(struct snp_report, report_id) },
	{ SNP_EXPECT_REPORT_ID_MA, offsetof(struct snp_report, report_id_ma) },
	{ SNP_EXPECT_CHIP_ID, offsetof(struct snp_report, chip_id) },
};

static void check_bytes(struct snp_checks *checks, const struct snp_expectation *expectation,
			const struct snp_value *want, const uint8_t *have)
{
	char text[2 * SNP_EXPECT_BYTES + 1], wanted[2 * SNP_EXPECT_BYTES + 1];
	const char *name = expectation->name;
	bool match = false;

	hex_format(have, expectation->size, text);
	if (!want->count) {
		snp_check_add(checks, name, SNP_SKIP, "%s, not compared", text);
		return;
	}
	hex_format(want->bytes[0], expectation->size, wanted);
	for (unsigned int i = 0; i < want->count; i++)
		match |= !memcmp(have, want->bytes[i], expectation->size);
	if (match)
		snp_check_add(checks, name, SNP_PASS, "%s", text);
	else if (want->count == 1)
		snp_check_add(checks, name, SNP_FAIL, "%s, expected %s", text, wanted);
	else
		snp_check_add(checks, name, SNP_FAIL, "%s, expected one of %u, such "
			      "as %s", text, want->count, wanted);
}

static void check_claims(const struct snp_evidence *evidence, struct snp_checks *checks)
{
	bool match = snp_evidence_claims_match(evidence);

	snp_check_add(checks, "claims", match ? SNP_PASS : SNP_FAIL,
		      "report_data is %sthe SHA-%zu of the %zu bytes that came with the report",
		      match ? "" : "not ", 8 * evidence->claims_hash_size, evidence->claims_size);
}

/* Check what the report says about the guest */
static void snp_verify_guest(const struct snp_subject *subject, struct snp_checks *checks)
{
	const uint8_t *report = (const uint8_t *)&subject->evidence->report;

	check_vmpl(subject, checks);
	check_policy(subject, checks);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		check_bytes(checks, &snp_expectations[fields[i].id],
			    &subject->expect->values[fields[i].id], report + fields[i].offset);
	check_svn(subject, checks);
	if (subject->evidence->claims)
		check_claims(subject->evidence, checks);
}

/* Enough for the names of all known bits, and "bit-N" for the others */
#define PLATFORM_TEXT 512

static void check_platform(const struct snp_subject *subject, struct snp_checks *checks)
{
	const struct snp_value *values = subject->expect->values;
	const struct snp_value *require = &values[SNP_EXPECT_REQUIRE_PLATFORM];
	const struct snp_value *forbid = &values[SNP_EXPECT_FORBID_PLATFORM];
	uint64_t bits = subject->evidence->report.platform_info;
	char text[PLATFORM_TEXT], bad[80];

	snp_platform_format(bits, text, sizeof(text));
	if (require->number & ~bits)
		snp_check_add(checks, "platform_info", SNP_FAIL, "0x%" PRIx64 " (%s), expected %s",
			      bits, text, snp_platform_format(require->number & ~bits, bad,
							      sizeof(bad)));
	else if (forbid->number & bits)
		snp_check_add(checks, "platform_info", SNP_FAIL, "0x%" PRIx64
			      " (%s), expected no %s", bits, text,
			      snp_platform_format(forbid->number & bits, bad, sizeof(bad)));
	else
		snp_check_add(checks, "platform_info", require->count ||
			      forbid->count ? SNP_PASS : SNP_SKIP, "0x%" PRIx64 " (%s)%s", bits,
			      text, require->count || forbid->count ? "" : ", not compared");
}

static void check_floor(const struct snp_subject *subject, const char *name, uint64_t tcb,
			enum snp_expect_id id, struct snp_checks *checks)
{
	const struct snp_value *floor = &subject->expect->values[id];
	char text[SNP_TCB_TEXT];
	bool ok = snp_tcb_reaches(tcb, subject->layout, &floor->tcb);

	snp_check_add(checks, name, !floor->count ? SNP_SKIP : ok ? SNP_PASS : SNP_FAIL, "0x%016"
		      PRIx64 " (%s)%s", tcb, snp_tcb_format(tcb, subject->layout, text),
		      !floor->count ? ", not compared" : ok ? "" : ": older than what is expected");
}

static uint64_t firmware_number(const struct snp_report_firmware *firmware)
{
	return (uint64_t)firmware->major << 16 | firmware->minor << 8 | firmware->build;
}

static char *firmware_text(uint64_t number, char text[16])
{
	snprintf(text, 16, "%u.%u.%u", (unsigned int)(number >> 16 & 0xff),
		 (unsigned int)(number >> 8 & 0xff), (unsigned int)(number & 0xff));
	return text;
}

/* The older of both versions counts, because the host can roll back to the committed one. */
static void check_firmware(const struct snp_subject *subject, struct snp_checks *checks)
{
	const struct snp_report *report = &subject->evidence->report;
	const struct snp_value *floor = &subject->expect->values[SNP_EXPECT_MIN_FIRMWARE];
	uint64_t current = firmware_number(&report->current);
	uint64_t committed = firmware_number(&report->committed);
	uint64_t oldest = current < committed ? current : committed;
	char text[16], committed_text[16], floor_text[16];

	firmware_text(current, text);
	firmware_text(committed, committed_text);
	if (!floor->count)
		snp_check_add(checks, "firmware", SNP_SKIP, "%s, committed %s, not "
			      "compared", text, committed_text);
	else if (oldest < floor->number)
		snp_check_add(checks, "firmware", SNP_FAIL, "%s, committed %s, "
			      "expected %s or newer", text, committed_text,
			      firmware_text(floor->number, floor_text));
	else
		snp_check_add(checks, "firmware", SNP_PASS, "%s, committed %s", text,
			      committed_text);
}

/* The host can roll back firmware that is not committed, to a version with known holes. */
static void check_committed(const struct snp_subject *subject, struct snp_checks *checks)
{
	const struct snp_report *report = &subject->evidence->report;
	bool allowed = subject->expect->values[SNP_EXPECT_ALLOW_PROVISIONAL].number;
	bool same = report->current_tcb == report->committed_tcb &&
		    !memcmp(&report->current, &report->committed,
			    sizeof(report->current));
	char current[SNP_TCB_TEXT], committed[SNP_TCB_TEXT];

	snp_tcb_format(report->current_tcb, subject->layout, current);
	snp_tcb_format(report->committed_tcb, subject->layout, committed);
	if (same)
		snp_check_add(checks, "committed_tcb", SNP_PASS, "0x%016" PRIx64
			      " (%s), as the current one", report->committed_tcb, committed);
	else
		snp_check_add(checks, "committed_tcb", allowed ? SNP_PASS : SNP_FAIL, "0x%016"
			      PRIx64 " (%s), current 0x%016" PRIx64
			      " (%s): the firmware is provisional, and can be rolled back%s",
			      report->committed_tcb, committed, report->current_tcb, current,
			      allowed ? "" : "; --allow-provisional accepts this");
}

/* Check what the report says about the machine */
static void snp_verify_machine(const struct snp_subject *subject, struct snp_checks *checks)
{
	const struct snp_report *report = &subject->evidence->report;

	check_platform(subject, checks);
	check_floor(subject, "reported_tcb", report->reported_tcb, SNP_EXPECT_MIN_TCB, checks);
	check_floor(subject, "launch_tcb", report->launch_tcb, SNP_EXPECT_MIN_LAUNCH_TCB, checks);
	check_committed(subject, checks);
	check_firmware(subject, checks);
	if (report->version >= 5)
		snp_check_add(checks, "mitigations", SNP_SKIP, "0x%" PRIx64 ", at the launch 0x%"
			      PRIx64 ", not compared", report->current_mitigations,
			      report->launch_mitigations);
}

bool snp_verify(struct snp_subject *subject, struct snp_checks *checks)
{
	const struct snp_value *when = &subject->expect->values[SNP_EXPECT_TIME];

	memset(checks, 0, sizeof(*checks));
	subject->when = when->count ? when->number : (uint64_t)time(NULL);
	subject->layout = snp_report_layout(&subject->evidence->report);
	snp_verify_certs(subject, checks);
	snp_verify_guest(subject, checks);
	snp_verify_machine(subject, checks);
	return !checks->failed;
}
