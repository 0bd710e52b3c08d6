// SPDX-License-Identifier: GPL-2.0
/*
 * Unique contents of pages, and the search for them in a core dump.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "pattern.h"

#define CORE_PATTERN "/proc/sys/kernel/core_pattern"

uint8_t pattern_byte(uint64_t seed, size_t i)
{
	uint64_t x = (seed + i / 8 % 8) * 0x9e3779b97f4a7c15ULL;

	return (uint8_t)(x >> (i % 8 * 8)) | 1;
}

void pattern_put(volatile uint8_t *p, uint64_t seed)
{
	size_t i;

	for (i = 0; i < PAGE; i++)
		p[i] = pattern_byte(seed, i);
}

bool pattern_is(const volatile uint8_t *p, uint64_t seed)
{
	size_t i;

	for (i = 0; i < PAGE; i++)
		if (p[i] != pattern_byte(seed, i))
			return false;
	return true;
}

static void core_main(void (*fn)(void *arg), void *arg)
{
	struct rlimit rl = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_CORE, &rl);
	prctl(PR_SET_DUMPABLE, 1);
	fn(arg);
	signal(SIGQUIT, SIG_DFL);
	raise(SIGQUIT);
	_exit(1);
}

int core_take(struct core *core, void (*fn)(void *arg), void *arg)
{
	pid_t pid;
	int rc;

	snprintf(core->path, sizeof(core->path), "/tmp/gmem-core-%d", getpid());
	rc = gmem_read_file(CORE_PATTERN, core->old, sizeof(core->old));
	if (rc < 0)
		return rc;
	rc = gmem_write_file(CORE_PATTERN, core->path);
	if (rc)
		return rc;
	gmem_write_file("/proc/sys/kernel/core_uses_pid", "0");
	unlink(core->path);
	pid = fork();
	if (!pid)
		core_main(fn, arg);
	rc = gmem_wait_pid(pid);
	return rc == 128 + SIGQUIT ? 0 : -EPROTO;
}

/* Return: ~0 if there is no dump. */
size_t core_count(const struct core *core, uint64_t seed)
{
	uint8_t want[64], *text, *at;
	struct stat st;
	size_t i, n = 0;
	int fd = open(core->path, O_RDONLY | O_CLOEXEC);

	for (i = 0; i < sizeof(want); i++)
		want[i] = pattern_byte(seed, i);
	if (fd < 0 || fstat(fd, &st) || !st.st_size)
		return ~0UL;
	text = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	for (at = text; (at = memmem(at, text + st.st_size - at, want,
				     sizeof(want))); at += sizeof(want))
		n++;
	munmap(text, st.st_size);
	return n;
}

void core_drop(struct core *core)
{
	gmem_write_file(CORE_PATTERN, core->old);
	unlink(core->path);
}
