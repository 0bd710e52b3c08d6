/* SPDX-License-Identifier: GPL-2.0 */
/* What was looked at on a host, what it is like, and what to do about it. */
#ifndef GMEMCTL_HOST_REPORT_H
#define GMEMCTL_HOST_REPORT_H

/**
 * enum host_verdict - PASS; FAIL: a launch will not work; SKIP: could not be
 *	seen, or is of no concern here
 */
enum host_verdict { HOST_PASS, HOST_FAIL, HOST_SKIP };

/**
 * struct host_check - one line of a report
 * @value: what was found
 * @fix: what to do, or ""
 */
struct host_check {
	const char *name;
	enum host_verdict verdict;
	char value[320];
	char fix[512];
};

#define HOST_CHECKS_MAX 32

struct host_report {
	unsigned int count;
	unsigned int failed;
	struct host_check checks[HOST_CHECKS_MAX];
};

/** host_verdict_name() - "pass", "fail" or "skip" */
const char *host_verdict_name(enum host_verdict verdict);

/**
 * host_report_start() - begin a line, which is SKIP and empty so far
 *
 * Return: the line, to be given to host_report_end() before the next.
 */
struct host_check *host_report_start(struct host_report *report,
				     const char *name);
void host_report_end(struct host_report *report);

/** host_report_find() - a line by its name, or NULL */
const struct host_check *host_report_find(const struct host_report *report,
					  const char *name);

/** host_say() - what was found, and what it means */
void host_say(struct host_check *check, enum host_verdict verdict,
	      const char *format, ...) __attribute__((format(printf, 3, 4)));

/** host_fix() - say what to do about it */
void host_fix(struct host_check *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* GMEMCTL_HOST_REPORT_H */
