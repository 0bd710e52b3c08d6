/* SPDX-License-Identifier: GPL-2.0 */
/* What was looked at on a host, as text or JSON. */
#ifndef GMEMCTL_CLI_CHECK_H
#define GMEMCTL_CLI_CHECK_H

#include "../host/host.h"

/**
 * check_show() - all lines, and what they come to
 * @guest: "an SEV-SNP guest"
 *
 * Return: an exit code: 0 only if nothing has failed.
 */
int check_show(const struct host *host, const struct host_report *report,
	       const char *guest);

#endif /* GMEMCTL_CLI_CHECK_H */
