/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory cgroups (version 2) for tests. Functions return 0, a number or a negative errno,
 * and check nothing.
 */
#ifndef CGROUP_H
#define CGROUP_H

#include <stdint.h>
#include <sys/types.h>

#define CGROUP_NO_LIMIT UINT64_MAX

struct cgroup {
	char path[96];
};

/* Return: NULL, or why cgroups are unavailable. Mounts cgroup2 if it is not mounted. */
const char *cgroup_unavailable(void);

/*
 * Create an empty group below the root. Kill all processes in an old group of that name.
 */
int cgroup_create(struct cgroup *cg, const char *name);
/* Kill all processes in the group, and remove it. */
int cgroup_remove(const struct cgroup *cg);
/* Move the calling process into the group. */
int cgroup_enter(const struct cgroup *cg);

/* Read a file with one number, such as memory.current. */
long long cgroup_read(const struct cgroup *cg, const char *file);
int cgroup_write(const struct cgroup *cg, const char *file, uint64_t value);
/* Read a line "key number" of memory.stat or memory.events. */
long long cgroup_key(const struct cgroup *cg, const char *file,
		     const char *key);
/*
 * Like cgroup_key(), but wait up to 30 seconds until the value is @want. The kernel adds
 * up the counters of its CPUs every two seconds.
 */
long long cgroup_key_wait(const struct cgroup *cg, const char *file,
			  const char *key, long long want);
/*
 * Return: memory.current, after pages that the kernel has charged in advance are
 * uncharged.
 */
long long cgroup_drained(const struct cgroup *cg);
/*
 * Wait up to 20 seconds until no page is charged. Return: 0, or the number of charged
 * bytes.
 */
long long cgroup_wait_uncharged(const struct cgroup *cg);
/* Number of removed groups that still have charged memory. */
long long cgroup_dying(void);
/* Number of processes that the OOM killer has killed in the whole system. */
long long cgroup_oom_kills(void);

#endif /* CGROUP_H */
