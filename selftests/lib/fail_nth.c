// SPDX-License-Identifier: GPL-2.0
/*
 * Fault injection in slab, page allocation and copies from and to user memory, by means
 * of /proc/thread-self/fail-nth.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fail_nth.h"
#include "gmem_utils.h"

#define FAIL_NTH "/proc/thread-self/fail-nth"
#define DEBUGFS "/sys/kernel/debug/"

/* Fail allocations of any size, also those that may sleep and reclaim. Log nothing. */
static const struct {
	const char *path;
	const char *value;
} knobs[] = {
	{ DEBUGFS "failslab/ignore-gfp-wait", "N" },
	{ DEBUGFS "failslab/verbose", "0" },
	{ DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N" },
	{ DEBUGFS "fail_page_alloc/ignore-gfp-highmem", "N" },
	{ DEBUGFS "fail_page_alloc/min-order", "0" },
	{ DEBUGFS "fail_page_alloc/verbose", "0" },
	{ DEBUGFS "fail_usercopy/verbose", "0" },
};

const char *fail_nth_unavailable(void)
{
	size_t i;

	if (access(FAIL_NTH, W_OK))
		return "unsupported-by-design: a kernel without CONFIG_FAULT_INJECTION";
	for (i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++)
		if (gmem_write_file(knobs[i].path, knobs[i].value))
			return knobs[i].path;
	return NULL;
}

int fail_nth_open(void)
{
	int fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int fail_nth_arm(int fd, unsigned int nth)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", nth);

	return pwrite(fd, text, length, 0) == length ? 0 : -errno;
}

int fail_nth_disarm(int fd)
{
	char text[16] = "";

	/*
	 * This read is a copy to user memory, too. If it fails, it was the nth operation:
	 * nothing before it has failed.
	 */
	if (pread(fd, text, sizeof(text) - 1, 0) < 0)
		return errno == EFAULT ? 0 : -errno;
	if (!strtoul(text, NULL, 10))
		return 1;
	/*
	 * This write is such a copy, too. If the first write fails, the second one
	 * cannot.
	 */
	if (pwrite(fd, "0", 1, 0) < 0 && pwrite(fd, "0", 1, 0) < 0)
		return -errno;
	return 0;
}
