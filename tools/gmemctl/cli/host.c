// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host.h"

/* What a run takes besides guest memory: page tables, the VM, the tool. */
#define HOST_RESERVE (UINT64_C(16) << 20)

static int host_available(uint64_t *bytes)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kib;
	char line[128];
	int rc = -ENOENT;

	if (!file)
		return -errno;
	while (rc && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "MemAvailable: %llu kB", &kib) != 1)
			continue;
		*bytes = (uint64_t)kib << 10;
		rc = 0;
	}
	fclose(file);
	return rc;
}

static int cgroup_read(const char *cgroup, const char *name, uint64_t *bytes)
{
	unsigned long long value;
	char path[512];
	FILE *file;
	int found;

	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/%s", cgroup, name);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	found = fscanf(file, "%llu", &value);
	fclose(file);
	if (found != 1)
		return -ENOENT;
	*bytes = value;
	return 0;
}

/* What the memory cgroup (version 2) of this process has left. */
static int cgroup_available(uint64_t *bytes)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	uint64_t limit, used;
	char line[384];
	int rc = -ENOENT;

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "0::", 3))
			continue;
		if (cgroup_read(line + 3, "memory.max", &limit) ||
		    cgroup_read(line + 3, "memory.current", &used))
			continue;
		*bytes = limit > used ? limit - used : 0;
		rc = 0;
	}
	fclose(file);
	return rc;
}

int host_check_memory(uint64_t bytes, struct error *error)
{
	uint64_t available = 0;

	if (!host_available(&available) && available < bytes + HOST_RESERVE)
		return error_set(error, -ENOMEM, "host", "find memory",
				 "the run takes %" PRIu64 " MiB, %" PRIu64 " MiB "
				 "are available: stop something, or choose a "
				 "smaller file or --memory",
				 (bytes + HOST_RESERVE) >> 20, available >> 20);
	if (!cgroup_available(&available) && available < bytes + HOST_RESERVE)
		return error_set(error, -ENOMEM, "memory cgroup", "find memory",
				 "the run takes %" PRIu64 " MiB, memory.max leaves "
				 "%" PRIu64 " MiB: raise it, or choose a smaller "
				 "file or --memory",
				 (bytes + HOST_RESERVE) >> 20, available >> 20);
	return 0;
}
