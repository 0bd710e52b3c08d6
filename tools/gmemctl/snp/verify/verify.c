// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <openssl/x509.h>

#include "../hex.h"
#include "../policy.h"
#include "verify.h"

static void check_add(struct snp_checks *checks, const char *name,
		      enum snp_verdict verdict, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void check_add(struct snp_checks *checks, const char *name,
		      enum snp_verdict verdict, const char *format, ...)
{
	struct snp_check *check = &checks->checks[checks->count++];
	va_list args;

	check->name = name;
	check->verdict = verdict;
	checks->failed += verdict == SNP_FAIL;
	va_start(args, format);
	vsnprintf(check->detail, sizeof(check->detail), format, args);
	va_end(args);
}

static void verify_root(const struct snp_certs *certs,
			const struct snp_expect *expect,
			struct snp_checks *checks)
{
	char text[2 * SNP_SHA256_SIZE + 1];
	bool same;

	hex_format(certs->root_sha256, SNP_SHA256_SIZE, text);
	if (!expect->root_sha256) {
		check_add(checks, "root", SNP_SKIP, "SHA-256 of the certificate "
			  "is %s; nobody said which to trust", text);
		return;
	}
	same = !memcmp(certs->root_sha256, expect->root_sha256,
		       SNP_SHA256_SIZE);
	check_add(checks, "root", same ? SNP_PASS : SNP_FAIL,
		  "SHA-256 of the certificate is %s%s", text,
		  same ? "" : ", which is not the one to trust");
}

static void verify_certs(const struct snp_certs *certs,
			 const struct snp_expect *expect,
			 struct snp_checks *checks)
{
	struct error error;

	if (snp_certs_verify(certs, expect->when, &error))
		check_add(checks, "certificates", SNP_FAIL, "%s", error.hint);
	else
		check_add(checks, "certificates", SNP_PASS, "%s, signed by %s, "
			  "signed by the root", certs->vlek ? "VLEK" : "VCEK",
			  certs->vlek ? "ASVK" : "ASK");
}

static void verify_signer(const struct snp_report *report,
			  const struct snp_certs *certs,
			  struct snp_checks *checks)
{
	static const char *const names[8] = {
		[SNP_SIGNER_VCEK] = "a VCEK", [SNP_SIGNER_VLEK] = "a VLEK",
		[SNP_SIGNER_NONE] = "nobody",
	};
	unsigned int signer = snp_report_signer(report);
	bool same = signer == (certs->vlek ? SNP_SIGNER_VLEK : SNP_SIGNER_VCEK);

	check_add(checks, "signer", same ? SNP_PASS : SNP_FAIL,
		  "the report says that %s signed it, the certificate is of a %s",
		  names[signer] ? names[signer] : "an unknown key",
		  certs->vlek ? "VLEK" : "VCEK");
}

static void verify_signature(const struct snp_report *report,
			     const struct snp_certs *certs,
			     struct snp_checks *checks)
{
	EVP_PKEY *key = X509_get0_pubkey(certs->leaf);
	struct error error;

	if (!key || !snp_key_is_p384(key))
		check_add(checks, "signature", SNP_FAIL,
			  "the certificate's key is not ECDSA on P-384");
	else if (snp_key_verify(key, "report", report, SNP_REPORT_SIGNED,
				report->signature, &error))
		check_add(checks, "signature", SNP_FAIL, "%s", error.hint);
	else
		check_add(checks, "signature", SNP_PASS,
			  "ECDSA on P-384 over bytes 0 to 0x%x",
			  SNP_REPORT_SIGNED - 1);
}

/* A key is made for one set of firmware versions: old firmware cannot sign new. */
static void verify_tcb(const struct snp_report *report,
		       const struct snp_certs *certs, struct snp_checks *checks)
{
	uint64_t tcb;

	if (snp_certs_tcb(certs, &tcb))
		check_add(checks, "tcb", SNP_FAIL,
			  "the certificate has no firmware versions");
	else
		check_add(checks, "tcb", tcb == report->reported_tcb ? SNP_PASS :
			  SNP_FAIL, "reported 0x%016" PRIx64
			  ", of the certificate 0x%016" PRIx64,
			  report->reported_tcb, tcb);
}

static void verify_chip(const struct snp_report *report,
			const struct snp_certs *certs,
			struct snp_checks *checks)
{
	static const uint8_t masked[SNP_CHIP_ID_SIZE];

	if (certs->vlek)
		check_add(checks, "chip", SNP_SKIP, "a VLEK is of no chip");
	else if (!memcmp(report->chip_id, masked, sizeof(masked)))
		check_add(checks, "chip", SNP_SKIP, "the host masks its chip ID");
	else if (snp_certs_is_chip(certs, report->chip_id))
		check_add(checks, "chip", SNP_PASS,
			  "the certificate is of the chip that signed");
	else
		check_add(checks, "chip", SNP_FAIL,
			  "the certificate is of another chip");
}

static void verify_policy(const struct snp_report *report,
			  const struct snp_expect *expect,
			  struct snp_checks *checks)
{
	char text[256];

	snp_policy_format(report->policy, text, sizeof(text));
	if (report->policy & SNP_POLICY_DEBUG && !expect->allow_debug)
		check_add(checks, "policy", SNP_FAIL, "0x%" PRIx64 " (%s): the host "
			  "may look into the guest", report->policy, text);
	else if (expect->has_policy && report->policy != expect->policy)
		check_add(checks, "policy", SNP_FAIL, "0x%" PRIx64 " (%s), expected "
			  "0x%" PRIx64, report->policy, text, expect->policy);
	else
		check_add(checks, "policy", SNP_PASS, "0x%" PRIx64 " (%s)",
			  report->policy, text);
}

static void verify_bytes(struct snp_checks *checks, const char *name,
			 const uint8_t *have, const uint8_t *want, size_t size)
{
	char have_text[129], want_text[129];

	hex_format(have, size, have_text);
	if (!want) {
		check_add(checks, name, SNP_SKIP, "%s, not compared", have_text);
		return;
	}
	hex_format(want, size, want_text);
	if (memcmp(have, want, size))
		check_add(checks, name, SNP_FAIL, "%s, expected %s", have_text,
			  want_text);
	else
		check_add(checks, name, SNP_PASS, "%s", have_text);
}

bool snp_verify(const struct snp_report *report, const struct snp_certs *certs,
		const struct snp_expect *expect, struct snp_checks *checks)
{
	memset(checks, 0, sizeof(*checks));
	verify_root(certs, expect, checks);
	verify_certs(certs, expect, checks);
	verify_signer(report, certs, checks);
	verify_signature(report, certs, checks);
	verify_tcb(report, certs, checks);
	verify_chip(report, certs, checks);
	verify_policy(report, expect, checks);
	verify_bytes(checks, "measurement", report->measurement,
		     expect->measurement, sizeof(report->measurement));
	verify_bytes(checks, "host_data", report->host_data, expect->host_data,
		     sizeof(report->host_data));
	verify_bytes(checks, "report_data", report->report_data,
		     expect->report_data, sizeof(report->report_data));
	verify_bytes(checks, "id_key_digest", report->id_key_digest,
		     expect->id_key_digest, sizeof(report->id_key_digest));
	verify_bytes(checks, "author_key_digest", report->author_key_digest,
		     expect->author_key_digest,
		     sizeof(report->author_key_digest));
	return !checks->failed;
}
