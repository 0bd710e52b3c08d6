// SPDX-License-Identifier: GPL-2.0
/* What runs in a guest, and in whose name. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../../base/hex.h"
#include "../policy.h"
#include "verify.h"

static void check_vmpl(const struct snp_subject *subject,
		       struct snp_checks *checks)
{
	const struct snp_value *want = &subject->expect->values[SNP_EXPECT_VMPL];
	uint32_t vmpl = subject->evidence->report.vmpl;
	char text[80], wanted[16];

	if (vmpl == SNP_VMPL_HOST)
		snprintf(text, sizeof(text),
			 "0x%x: the host has asked for it, not the guest", vmpl);
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
		snp_check_add(checks, "vmpl", SNP_FAIL, "%s, expected %s", text,
			      wanted);
}

/* Return: what nobody wants of a policy, unless he says so; or NULL. */
static const char *policy_fault(uint64_t policy, const struct snp_expect *expect)
{
	if (policy & ~SNP_POLICY_KNOWN)
		return "bits that are reserved are set: no firmware takes that";
	if (!(policy & SNP_POLICY_RESERVED_ONE))
		return "bit 17 is clear: no firmware takes that";
	if (policy & SNP_POLICY_DEBUG &&
	    !expect->values[SNP_EXPECT_ALLOW_DEBUG].number)
		return "the host may look into the guest; --allow-debug takes that";
	if (policy & SNP_POLICY_MIGRATE_MA &&
	    !expect->values[SNP_EXPECT_ALLOW_MIGRATION].number)
		return "a migration agent may move the guest, and has its keys; "
		       "--allow-migration takes that";
	return NULL;
}

static void check_policy(const struct snp_subject *subject,
			 struct snp_checks *checks)
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
		snp_check_add(checks, "policy", SNP_PASS, "0x%" PRIx64 " (%s)",
			      policy, text);
}

static void check_svn(const struct snp_subject *subject,
		      struct snp_checks *checks)
{
	const struct snp_value *want =
		&subject->expect->values[SNP_EXPECT_MIN_GUEST_SVN];
	uint32_t svn = subject->evidence->report.guest_svn;

	if (!want->count)
		snp_check_add(checks, "guest_svn", SNP_SKIP, "%u, not compared",
			      svn);
	else if (svn < want->number)
		snp_check_add(checks, "guest_svn", SNP_FAIL, "%u, expected %" PRIu64
			      " or more", svn, want->number);
	else
		snp_check_add(checks, "guest_svn", SNP_PASS, "%u", svn);
}

/* Fields of a report that are bytes: the check has the expectation's name. */
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

static bool is_one_of(const uint8_t *have, const struct snp_value *want,
		      size_t size)
{
	for (unsigned int i = 0; i < want->count; i++)
		if (!memcmp(have, want->bytes[i], size))
			return true;
	return false;
}

static void check_bytes(struct snp_checks *checks,
			const struct snp_expectation *expectation,
			const struct snp_value *want, const uint8_t *have)
{
	char text[2 * SNP_EXPECT_BYTES + 1], wanted[2 * SNP_EXPECT_BYTES + 1];
	const char *name = expectation->name;

	hex_format(have, expectation->size, text);
	if (!want->count) {
		snp_check_add(checks, name, SNP_SKIP, "%s, not compared", text);
		return;
	}
	hex_format(want->bytes[0], expectation->size, wanted);
	if (is_one_of(have, want, expectation->size))
		snp_check_add(checks, name, SNP_PASS, "%s", text);
	else if (want->count == 1)
		snp_check_add(checks, name, SNP_FAIL, "%s, expected %s", text,
			      wanted);
	else
		snp_check_add(checks, name, SNP_FAIL, "%s, expected one of %u, such "
			      "as %s", text, want->count, wanted);
}

static void check_claims(const struct snp_evidence *evidence,
			 struct snp_checks *checks)
{
	bool match;

	if (!evidence->claims)
		return;
	match = snp_evidence_claims_match(evidence);
	snp_check_add(checks, "claims", match ? SNP_PASS : SNP_FAIL,
		      "report_data is %sthe SHA-%zu of the %zu bytes that came with "
		      "the report", match ? "" : "not ",
		      8 * evidence->claims_hash_size, evidence->claims_size);
}

void snp_verify_guest(const struct snp_subject *subject,
		      struct snp_checks *checks)
{
	const uint8_t *report = (const uint8_t *)&subject->evidence->report;

	check_vmpl(subject, checks);
	check_policy(subject, checks);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		check_bytes(checks, &snp_expectations[fields[i].id],
			    &subject->expect->values[fields[i].id],
			    report + fields[i].offset);
	check_svn(subject, checks);
	check_claims(subject->evidence, checks);
}
