// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "../../base/text.h"
#include "verify.h"

void snp_check_add(struct snp_checks *checks, const char *name,
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
