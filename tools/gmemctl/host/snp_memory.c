// SPDX-License-Identifier: GPL-2.0
/* Memory: what may be locked, and gmem's modules. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../base/calls.h"
#include "../gmem/gmem.h"
#include "snp.h"
#include "view.h"

void snp_host_memlock(struct snp_host *snp, struct host_check *check)
{
	uint64_t limit = snp->host->memlock;

	if (limit == UINT64_MAX) {
		host_say(check, HOST_PASS, "no limit");
		return;
	}
	host_say(check, HOST_SKIP, "%" PRIu64 " KiB may be locked", limit >> 10);
	host_fix(check, "a launch locks nothing; memory that is pinned for devices "
		 "needs `ulimit -l unlimited`");
}

static void module_look(const struct host *host, const char *name,
			struct host_check *check)
{
	char path[64], version[64] = "";

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	if (host_stat(host, path, NULL)) {
		host_say(check, HOST_FAIL, "not loaded");
		host_fix(check, "`gmemctl load`");
		return;
	}
	snprintf(path, sizeof(path), "/sys/module/%s/version", name);
	host_read_line(host, path, version, sizeof(version));
	host_say(check, HOST_PASS, "loaded, version %s",
		 version[0] ? version : "unknown");
}

void snp_host_gmem(struct snp_host *snp, struct host_check *check)
{
	module_look(snp->host, "gmem", check);
}

void snp_host_gmem_kvm(struct snp_host *snp, struct host_check *check)
{
	module_look(snp->host, "gmem_kvm", check);
}

void snp_host_gmem_device(struct snp_host *snp, struct host_check *check)
{
	unsigned int abi = 0;
	struct error error;
	int rc = 0, device = gmem_open(&error);

	(void)snp;
	if (device >= 0) {
		rc = gmem_check_abi(device, &abi, &error);
		calls->close(device);
	}
	if (device >= 0 && !rc) {
		host_say(check, HOST_PASS, "can be opened, ABI %u", abi);
		return;
	}
	host_say(check, HOST_FAIL, "%s: %s", error.action, strerror(-error.rc));
	host_fix(check, "%s", error.hint);
}

/* Of no concern to SNP; but who asks what there is may not know of the other way. */
void snp_host_views(struct snp_host *snp, struct host_check *check)
{
	struct host_view view;
	const char *lacks;

	(void)snp;
	host_view_look(&view);
	lacks = host_view_lacks(&view);
	if (!lacks) {
		host_say(check, HOST_PASS, "private memory for ordinary VMs "
			 "(kind=gmem), not encrypted");
		return;
	}
	host_say(check, HOST_SKIP, "no private memory for ordinary VMs (kind=gmem)");
	host_fix(check, "%s", lacks);
}
