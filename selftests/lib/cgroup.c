// SPDX-License-Identifier: GPL-2.0
/*
 * Memory cgroups (version 2) for tests.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "gmem_utils.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CGROUP_OWN_ROOT "/tmp/gmem-cgroup2"
#define CGROUP_KERNEL_REST (long long)(8 * PAGE)

static const char *cgroup_root(void)
{
	if (!access(CGROUP_ROOT "/cgroup.subtree_control", F_OK))
		return CGROUP_ROOT;
	if (!access(CGROUP_OWN_ROOT "/cgroup.subtree_control", F_OK))
		return CGROUP_OWN_ROOT;
	mkdir(CGROUP_OWN_ROOT, 0700);
	if (mount("cgroup2", CGROUP_OWN_ROOT, "cgroup2", 0, NULL))
		return NULL;
	return CGROUP_OWN_ROOT;
}

const char *cgroup_unavailable(void)
{
	const char *root = cgroup_root();
	char path[64], text[256];

	if (!root)
		return "cgroup2 cannot be mounted";
	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", root);
	gmem_write_file(path, "+memory");
	if (gmem_read_file(path, text, sizeof(text)) < 0 ||
	    !strstr(text, "memory"))
		return "cgroup2 has no memory controller";
	return NULL;
}

int cgroup_create(struct cgroup *cg, const char *name)
{
	snprintf(cg->path, sizeof(cg->path), "%s/%s", cgroup_root(), name);
	if (!access(cg->path, F_OK))
		cgroup_remove(cg);
	return mkdir(cg->path, 0700) ? -errno : 0;
}

static int cgroup_write_text(const struct cgroup *cg, const char *file,
			     const char *text)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", cg->path, file);
	return gmem_write_file(path, text);
}

/* A killed process stays in its group until it has been reaped. */
int cgroup_remove(const struct cgroup *cg)
{
	int tries;

	cgroup_write_text(cg, "cgroup.kill", "1");
	for (tries = 0; tries < 500; tries++) {
		if (!rmdir(cg->path))
			return 0;
		if (errno != EBUSY)
			break;
		usleep(10000);
	}
	return -errno;
}

int cgroup_enter(const struct cgroup *cg)
{
	return cgroup_write_text(cg, "cgroup.procs", "0");
}

long long cgroup_read(const struct cgroup *cg, const char *file)
{
	char path[160], text[64];
	int rc;

	snprintf(path, sizeof(path), "%s/%s", cg->path, file);
	rc = gmem_read_file(path, text, sizeof(text));
	return rc < 0 ? rc : strtoll(text, NULL, 10);
}

int cgroup_write(const struct cgroup *cg, const char *file, uint64_t value)
{
	char text[32] = "max";

	if (value != CGROUP_NO_LIMIT)
		snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return cgroup_write_text(cg, file, text);
}

/* Return: the number in the line "key number". */
static long long key_of_file(const char *path, const char *key)
{
	char text[16384], *line, *save;
	size_t length = strlen(key);
	int rc = gmem_read_file(path, text, sizeof(text));

	if (rc < 0)
		return rc;
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, key, length) && line[length] == ' ')
			return strtoll(line + length, NULL, 10);
	return -ENODATA;
}

long long cgroup_key(const struct cgroup *cg, const char *file, const char *key)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", cg->path, file);
	return key_of_file(path, key);
}

long long cgroup_key_wait(const struct cgroup *cg, const char *file,
			  const char *key, long long want)
{
	long long value = cgroup_key(cg, file, key);
	int tries;

	/*
	 * The kernel adds up its counters every two seconds; a slow machine may take
	 * longer.
	 */
	for (tries = 0; tries < 600 && value != want && value >= 0; tries++) {
		usleep(50000);
		value = cgroup_key(cg, file, key);
	}
	return value;
}

/*
 * Setting memory.high to 0 makes the kernel uncharge pages that it has charged in
 * advance. Dropping caches drains the LRU batches of all CPUs, which can hold pages of
 * processes that have ended.
 */
long long cgroup_drained(const struct cgroup *cg)
{
	long long current;
	int rc;

	gmem_write_file("/proc/sys/vm/drop_caches", "1");
	rc = cgroup_write(cg, "memory.high", 0);
	current = rc ? rc : cgroup_read(cg, "memory.current");
	cgroup_write(cg, "memory.high", CGROUP_NO_LIMIT);
	return current;
}

/*
 * The kernel frees some pages late. It charges its own objects by the byte, and each CPU
 * may keep the rest of a page.
 */
long long cgroup_wait_uncharged(const struct cgroup *cg)
{
	long long charged, kernel;
	int tries;

	for (tries = 0; tries < 400; tries++) {
		charged = cgroup_drained(cg);
		kernel = cgroup_key(cg, "memory.stat", "kernel");
		if (charged < 0 || kernel < 0)
			return charged < 0 ? charged : kernel;
		if (charged == kernel && kernel <= CGROUP_KERNEL_REST)
			return 0;
		usleep(50000);
	}
	return charged;
}

long long cgroup_dying(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/cgroup.stat", cgroup_root());
	return key_of_file(path, "nr_dying_descendants");
}

long long cgroup_oom_kills(void)
{
	return key_of_file("/proc/vmstat", "oom_kill");
}
