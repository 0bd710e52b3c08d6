/* SPDX-License-Identifier: GPL-2.0 */
/* What was looked at in a report, and what came of it. */
#ifndef GMEMCTL_SNP_VERIFY_CHECKS_H
#define GMEMCTL_SNP_VERIFY_CHECKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum snp_verdict { SNP_PASS, SNP_FAIL, SNP_SKIP };

/**
 * struct snp_check - one thing that was looked at
 * @detail: what was found, or why nothing was looked for
 */
struct snp_check {
	const char *name;
	enum snp_verdict verdict;
	char detail[640];
};

#define SNP_CHECKS_MAX 40

struct snp_checks {
	unsigned int count;
	unsigned int failed;
	struct snp_check checks[SNP_CHECKS_MAX];
};

/** snp_check_add() - note a check; all there are fit */
void snp_check_add(struct snp_checks *checks, const char *name,
		   enum snp_verdict verdict, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif /* GMEMCTL_SNP_VERIFY_CHECKS_H */
