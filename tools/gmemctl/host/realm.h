/* SPDX-License-Identifier: GPL-2.0 */
/* Whether a host can launch a realm of Arm's CCA. */
#ifndef GMEMCTL_HOST_REALM_H
#define GMEMCTL_HOST_REALM_H

#include "../realm/probe.h"
#include "host.h"

/**
 * host_check_realm() - look at everything, also after something has failed
 *
 * A VM is created and closed again; the RMM is asked for nothing.
 *
 * Return: whether nothing has failed: a launch can work.
 */
bool host_check_realm(const struct host *host, const struct realm_abi *abi,
		      struct host_report *report);

#endif /* GMEMCTL_HOST_REALM_H */
