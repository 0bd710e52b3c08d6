// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report.h"

const char *host_verdict_name(enum host_verdict verdict)
{
	static const char *const names[] = {
		[HOST_PASS] = "pass", [HOST_FAIL] = "fail", [HOST_SKIP] = "skip",
	};

	return names[verdict];
}

struct host_check *host_report_start(struct host_report *report,
				     const char *name)
{
	struct host_check *check = &report->checks[report->count];

	memset(check, 0, sizeof(*check));
	check->name = name;
	check->verdict = HOST_SKIP;
	return check;
}

void host_report_end(struct host_report *report)
{
	report->failed += report->checks[report->count].verdict == HOST_FAIL;
	if (report->count < HOST_CHECKS_MAX - 1)
		report->count++;
}

const struct host_check *host_report_find(const struct host_report *report,
					  const char *name)
{
	for (unsigned int i = 0; i < report->count; i++)
		if (!strcmp(report->checks[i].name, name))
			return &report->checks[i];
	return NULL;
}

void host_say(struct host_check *check, enum host_verdict verdict,
	      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(check->value, sizeof(check->value), format, args);
	va_end(args);
	check->verdict = verdict;
}

void host_fix(struct host_check *check, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(check->fix, sizeof(check->fix), format, args);
	va_end(args);
}
