/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory cgroups (version 2) of a test. Functions return 0, a number or a
 * negative errno and check nothing.
 */
#ifndef CGROUP_H
#define CGROUP_H

#include <stdint.h>
#include <sys/types.h>

#define CGROUP_NO_LIMIT UINT64_MAX

struct cgroup {
	char path[96];
};

/* NULL, or why there are none here. Mounts cgroup2 where it is not mounted. */
const char *cgroup_unavailable(void);

/* A group below the root that no process is in; an old one is emptied. */
int cgroup_create(struct cgroup *cg, const char *name);
/* Kill what is in the group, and remove it. */
int cgroup_remove(const struct cgroup *cg);
/* Move the calling process into the group. */
int cgroup_enter(const struct cgroup *cg);

/* A file with one number, memory.current for instance. */
long long cgroup_read(const struct cgroup *cg, const char *file);
int cgroup_write(const struct cgroup *cg, const char *file, uint64_t value);
/* A line "key number" of memory.stat or memory.events. */
long long cgroup_key(const struct cgroup *cg, const char *file,
		     const char *key);
/*
 * As cgroup_key(), until it is @want or five seconds are over: the kernel adds
 * up the counters of its CPUs every two seconds.
 */
long long cgroup_key_wait(const struct cgroup *cg, const char *file,
			  const char *key, long long want);
/* memory.current, without what the kernel has charged ahead of time. */
long long cgroup_drained(const struct cgroup *cg);
/*
 * Wait until no page is charged any more, for 20 seconds at most: 0, or bytes
 * that are.
 */
long long cgroup_wait_uncharged(const struct cgroup *cg);
/* Groups that are removed, but that memory is still charged to. */
long long cgroup_dying(void);
/* Processes that the OOM killer has killed, in all of the system. */
long long cgroup_oom_kills(void);

#endif /* CGROUP_H */
