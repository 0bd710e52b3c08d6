// SPDX-License-Identifier: GPL-2.0
/* The machine that a guest runs on: how it is set up, and its firmware. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "platform.h"
#include "verify.h"

/* All bits that are known, by name, and as many that are not yet */
#define PLATFORM_TEXT 512

static void check_platform(const struct snp_subject *subject,
			   struct snp_checks *checks)
{
	const struct snp_value *values = subject->expect->values;
	const struct snp_value *require = &values[SNP_EXPECT_REQUIRE_PLATFORM];
	const struct snp_value *forbid = &values[SNP_EXPECT_FORBID_PLATFORM];
	uint64_t bits = subject->evidence->report.platform_info;
	char text[PLATFORM_TEXT], bad[80];

	snp_platform_format(bits, text, sizeof(text));
	if (require->number & ~bits)
		snp_check_add(checks, "platform_info", SNP_FAIL, "0x%" PRIx64
			      " (%s), expected %s", bits, text,
			      snp_platform_format(require->number & ~bits, bad,
						  sizeof(bad)));
	else if (forbid->number & bits)
		snp_check_add(checks, "platform_info", SNP_FAIL, "0x%" PRIx64
			      " (%s), expected no %s", bits, text,
			      snp_platform_format(forbid->number & bits, bad,
						  sizeof(bad)));
	else
		snp_check_add(checks, "platform_info", require->count ||
			      forbid->count ? SNP_PASS : SNP_SKIP, "0x%" PRIx64
			      " (%s)%s", bits, text, require->count ||
			      forbid->count ? "" : ", not compared");
}

static void check_floor(const struct snp_subject *subject, const char *name,
			uint64_t tcb, enum snp_expect_id id,
			struct snp_checks *checks)
{
	const struct snp_value *floor = &subject->expect->values[id];
	char text[SNP_TCB_TEXT];
	bool ok = snp_tcb_reaches(tcb, subject->layout, &floor->tcb);

	snp_check_add(checks, name, !floor->count ? SNP_SKIP : ok ? SNP_PASS :
		      SNP_FAIL, "0x%016" PRIx64 " (%s)%s", tcb,
		      snp_tcb_format(tcb, subject->layout, text),
		      !floor->count ? ", not compared" : ok ? "" :
		      ": older than what is expected");
}

static uint64_t firmware_number(const struct snp_report_firmware *firmware)
{
	return (uint64_t)firmware->major << 16 | firmware->minor << 8 |
	       firmware->build;
}

static char *firmware_text(uint64_t number, char text[16])
{
	snprintf(text, 16, "%u.%u.%u", (unsigned int)(number >> 16 & 0xff),
		 (unsigned int)(number >> 8 & 0xff),
		 (unsigned int)(number & 0xff));
	return text;
}

/* The floor has to hold after a rollback, too, where that is allowed. */
static void check_firmware(const struct snp_subject *subject,
			   struct snp_checks *checks)
{
	const struct snp_report *report = &subject->evidence->report;
	const struct snp_value *floor =
		&subject->expect->values[SNP_EXPECT_MIN_FIRMWARE];
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

/* What is not committed the host can roll back, to a version with known holes. */
static void check_committed(const struct snp_subject *subject,
			    struct snp_checks *checks)
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
			      " (%s), as the current one", report->committed_tcb,
			      committed);
	else
		snp_check_add(checks, "committed_tcb", allowed ? SNP_PASS : SNP_FAIL,
			      "0x%016" PRIx64 " (%s), current 0x%016" PRIx64
			      " (%s): the firmware is provisional, and can be rolled "
			      "back%s", report->committed_tcb, committed,
			      report->current_tcb, current, allowed ? "" :
			      "; --allow-provisional takes that");
}

static void show_mitigations(const struct snp_report *report,
			     struct snp_checks *checks)
{
	if (report->version >= 5)
		snp_check_add(checks, "mitigations", SNP_SKIP, "0x%" PRIx64
			      ", at the launch 0x%" PRIx64 ", not compared",
			      report->current_mitigations,
			      report->launch_mitigations);
}

void snp_verify_machine(const struct snp_subject *subject,
			struct snp_checks *checks)
{
	const struct snp_report *report = &subject->evidence->report;

	check_platform(subject, checks);
	check_floor(subject, "reported_tcb", report->reported_tcb,
		    SNP_EXPECT_MIN_TCB, checks);
	check_floor(subject, "launch_tcb", report->launch_tcb,
		    SNP_EXPECT_MIN_LAUNCH_TCB, checks);
	check_committed(subject, checks);
	check_firmware(subject, checks);
	show_mitigations(report, checks);
}
