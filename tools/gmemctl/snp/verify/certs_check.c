// SPDX-License-Identifier: GPL-2.0
/* From the signature of a report to AMD's root. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <openssl/x509.h>

#include "../../base/bytes.h"
#include "../../base/hex.h"
#include "revocation.h"
#include "verify.h"

static const char *const signer_names[8] = {
	[SNP_SIGNER_VCEK] = "a VCEK", [SNP_SIGNER_VLEK] = "a VLEK",
	[SNP_SIGNER_NONE] = "nobody",
};

static void check_root(const struct snp_path *path, struct snp_checks *checks)
{
	char text[2 * SNP_SHA256_SIZE + 1];

	if (!path->root) {
		snp_check_add(checks, "root", SNP_FAIL,
			      "no root certificate was reached");
		return;
	}
	hex_format(path->root_sha256, SNP_SHA256_SIZE, text);
	if (path->root_name)
		snp_check_add(checks, "root", SNP_PASS, "SHA-256 %s: %s", text,
			      path->root_name);
	else
		snp_check_add(checks, "root", SNP_FAIL, "SHA-256 %s, of %s: neither "
			      "AMD's nor one that you trust with --root", text,
			      path->root->file);
}

static void check_path(const struct snp_path *path, struct snp_checks *checks)
{
	char leaf[64], intermediate[64], root[64], until[32], until_ca[32];

	if (path->rc) {
		snp_check_add(checks, "certificates", SNP_FAIL, "%s",
			      path->reason);
		return;
	}
	snp_check_add(checks, "certificates", SNP_PASS, "'%s' (until %s), signed by "
		      "'%s' (until %s), signed by '%s'",
		      snp_cert_name(path->leaf->x509, leaf),
		      snp_path_time(X509_get0_notAfter(path->leaf->x509), until),
		      snp_cert_name(path->intermediate->x509, intermediate),
		      snp_path_time(X509_get0_notAfter(path->intermediate->x509),
				    until_ca),
		      snp_cert_name(path->root->x509, root));
}

static void check_revocation(const struct snp_subject *subject,
			     struct snp_checks *checks)
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
		snp_check_add(checks, "revocation", SNP_FAIL,
			      "no root certificate was reached");
		return;
	}
	rc = snp_path_revoked(&subject->path, subject->pool, subject->when, detail,
			      sizeof(detail));
	snp_check_add(checks, "revocation", rc ? SNP_FAIL : SNP_PASS, "%s", detail);
}

static void check_signer(const struct snp_subject *subject,
			 struct snp_checks *checks)
{
	const struct snp_cert *leaf = subject->path.leaf;
	unsigned int signer = snp_report_signer(&subject->evidence->report);
	const struct snp_value *want = &subject->expect->values[SNP_EXPECT_SIGNER];
	enum snp_signer of = snp_endorsement_signer(leaf);
	const char *name = signer_names[signer];

	if (signer != of)
		snp_check_add(checks, "signer", SNP_FAIL, "the report says that %s "
			      "signed it, the certificate of %s is of %s",
			      name ? name : "an unknown key",
			      leaf->file, signer_names[of]);
	else if (want->count && want->number != signer)
		snp_check_add(checks, "signer", SNP_FAIL, "%s, expected %s", name,
			      signer_names[want->number]);
	else
		snp_check_add(checks, "signer", SNP_PASS, "%s", name);
}

/* Only a VLEK is of a provider. */
static void check_csp(const struct snp_subject *subject,
		      struct snp_checks *checks)
{
	const struct snp_cert *leaf = subject->path.leaf;
	const struct snp_value *want = &subject->expect->values[SNP_EXPECT_CSP_ID];
	bool vlek = snp_endorsement_signer(leaf) == SNP_SIGNER_VLEK;
	char text[SNP_ENDORSEMENT_TEXT];
	const char *csp = snp_endorsement_csp(leaf, text);

	if (!csp)
		csp = vlek ? "the VLEK says none" : "a VCEK is of no provider";
	if (!want->count)
		snp_check_add(checks, "csp_id", SNP_SKIP, "%s%s", csp,
			      vlek ? ", not compared" : "");
	else if (csp == text && vlek && !strcmp(text, want->text))
		snp_check_add(checks, "csp_id", SNP_PASS, "%s", csp);
	else
		snp_check_add(checks, "csp_id", SNP_FAIL, "%s, expected %s", csp,
			      want->text);
}

static void check_signature(const struct snp_report *report,
			    const struct snp_cert *leaf,
			    struct snp_checks *checks)
{
	EVP_PKEY *key = X509_get0_pubkey(leaf->x509);
	struct error error;

	if (!key || !snp_key_is_p384(key))
		snp_check_add(checks, "signature", SNP_FAIL, "the key in the "
			      "certificate of %s is not ECDSA on P-384",
			      leaf->file);
	else if (snp_key_verify(key, "report", report, SNP_REPORT_SIGNED,
				report->signature, &error))
		snp_check_add(checks, "signature", SNP_FAIL, "with the key of %s: "
			      "%s", leaf->file, error.hint);
	else
		snp_check_add(checks, "signature", SNP_PASS,
			      "ECDSA on P-384 over bytes 0 to 0x%x",
			      SNP_REPORT_SIGNED - 1);
}

/* A key is made for one set of firmware versions: old firmware cannot sign new. */
static void check_tcb(const struct snp_subject *subject,
		      struct snp_checks *checks)
{
	const struct snp_cert *leaf = subject->path.leaf;
	uint64_t reported = subject->evidence->report.reported_tcb, tcb;
	char text[SNP_TCB_TEXT], cert_text[SNP_TCB_TEXT];

	snp_tcb_format(reported, subject->layout, text);
	if (snp_endorsement_tcb(leaf, subject->layout, &tcb))
		snp_check_add(checks, "tcb", SNP_FAIL, "the certificate of %s does "
			      "not have the firmware versions of this product",
			      leaf->file);
	else if (tcb != reported)
		snp_check_add(checks, "tcb", SNP_FAIL, "the report has 0x%016" PRIx64
			      " (%s), the certificate of %s 0x%016" PRIx64 " (%s)",
			      reported, text, leaf->file, tcb,
			      snp_tcb_format(tcb, subject->layout, cert_text));
	else
		snp_check_add(checks, "tcb", SNP_PASS,
			      "the certificate is of the versions reported");
}

static void check_chip(const struct snp_subject *subject,
		       struct snp_checks *checks)
{
	const struct snp_cert *leaf = subject->path.leaf;
	const uint8_t *chip_id = subject->evidence->report.chip_id;

	if (snp_endorsement_signer(leaf) == SNP_SIGNER_VLEK)
		snp_check_add(checks, "chip", SNP_SKIP, "a VLEK is of no chip");
	else if (bytes_are_zero(chip_id, SNP_CHIP_ID_SIZE))
		snp_check_add(checks, "chip", SNP_SKIP,
			      "the host masks its chip ID");
	else if (snp_endorsement_is_chip(leaf, chip_id))
		snp_check_add(checks, "chip", SNP_PASS,
			      "the certificate is of the chip that signed");
	else
		snp_check_add(checks, "chip", SNP_FAIL, "the certificate of %s is of "
			      "another chip", leaf->file);
}

/*
 * What AMD says that it is, and, since version 3, what the report says. Each
 * product has a root of its own, also those that are of its kind: Genoa's is that
 * of Bergamo and Siena.
 */
static void check_product(const struct snp_subject *subject,
			  struct snp_checks *checks)
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
	snp_check_add(checks, "product", other ? SNP_FAIL : compared ? SNP_PASS :
		      SNP_SKIP, "%s by the certificate; report of version %u%s%s%s",
		      of ? of : "no name", report->version, of_report,
		      other ? "; the root is AMD's for " : "",
		      other ? of_root : "");
}

void snp_verify_certs(struct snp_subject *subject, struct snp_checks *checks)
{
	const struct snp_report *report = &subject->evidence->report;
	const struct snp_cert *leaf;

	snp_path_find(&subject->path, subject->pool, report, subject->expect,
		      subject->when);
	leaf = subject->path.leaf;
	if (!leaf) {
		snp_check_add(checks, "certificates", SNP_FAIL, "no file has a "
			      "certificate of the name SEV-VCEK or SEV-VLEK: give "
			      "the chip's or the provider's with --cert");
		return;
	}
	/* Reports of version 2 do not say of which product they are. */
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
